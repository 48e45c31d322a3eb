//! Deploys that fail: everything goes on as before, and the reason is reported.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::TestSupervisor;
use crate::deploy::{command, digests, empty, says, succeed, write};
use crate::harness::{App, Client, Load, executable, folder, free_address, run};

/// Runs a command that must fail and returns its error message.
fn refused(supervisor: &TestSupervisor, arguments: &[&str]) -> String {
    let (code, text, errors) = command(supervisor, arguments);
    assert_eq!((code, &*text), (1, ""), "{arguments:?}: {errors}");
    errors.replace(supervisor.folder().canonicalize().unwrap().to_str().unwrap(), "DIR")
}

#[tokio::test]
async fn a_bad_deploy_never_replaces_a_good_worker() {
    let plan = TestSupervisor::plan().app(App::new("app", &says("configured"))).set("state_dir = 'state'");
    let supervisor = plan.start().await;
    write(&supervisor, "next/index.js", &says("good"));
    succeed(&supervisor, &["deploy", "app", "next"]);
    let (worker, good) = (supervisor.worker("app").await, digests(&supervisor, "app"));
    let load = Load::on(supervisor.address("app").await).await;
    let state = fs::read_to_string(supervisor.folder().join("state/apps.json")).unwrap();
    for (text, why) in [
        ("export default {", "does not load: SyntaxError: "),
        ("throw new Error('no')", "does not load: Error: no"),
        ("import './none.js'", "none.js"),
    ] {
        write(&supervisor, "next/index.js", text);
        let errors = refused(&supervisor, &["deploy", "app", "next"]);
        assert!(errors.contains(why), "{errors}");
        load.more(20).await;
    }
    assert_eq!((supervisor.worker("app").await, digests(&supervisor, "app")), (worker, good.clone()));
    assert_eq!(fs::read_to_string(supervisor.folder().join("state/apps.json")).unwrap(), state);
    let copies = || fs::read_dir(supervisor.folder().join("state/deploys/app")).unwrap().count();
    crate::until("what was copied in vain is gone", async || (copies() == 1).then_some(())).await;
    assert_eq!(load.seen().await.into_keys().collect::<Vec<_>>(), ["good"]);

    // A rollback to a broken deploy fails in the same way.
    write(
        &supervisor,
        "next/index.js",
        "export default { fetch: (request, env) => new Response(WORD) }; const WORD = await 0 || 'two'",
    );
    succeed(&supervisor, &["deploy", "app", "next"]);
    let first = good[0].clone();
    let entries = fs::read_dir(supervisor.folder().join("state/deploys/app")).unwrap();
    let copy = entries
        .map(|entry| entry.unwrap())
        .find(|entry| entry.file_name().to_str().unwrap().starts_with(&first));
    let copy = copy.unwrap().path();
    fs::remove_file(copy.join("index.js")).unwrap();
    fs::write(copy.join("index.js"), "export default {").unwrap();
    assert!(refused(&supervisor, &["rollback", "app"]).contains("does not load: SyntaxError"));
    fs::remove_dir_all(copy).unwrap();
    let errors = refused(&supervisor, &["rollback", "app"]);
    assert!(errors.contains("is gone; fix: deploy its folder again"), "{errors}");
    assert_eq!(supervisor.get("app", "/").await.text(), "two");
}

#[tokio::test]
async fn a_first_deploy_that_does_not_work_adds_nothing() {
    let supervisor = empty().await;
    write(&supervisor, "bad/index.js", "export default 1");
    write(&supervisor, "none/README.md", "");
    write(&supervisor, "good/index.js", &says("good"));
    let taken = std::net::TcpListener::bind(free_address()).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, why) in [
        (&["deploy", "app", "bad", "--port", "0"][..], "does not load: "),
        (&["deploy", "app", "none", "--port", "0"], "deploy app: DIR/none has no entry module"),
        (&["deploy", "app", "nowhere", "--port", "0"], "there is no folder DIR/nowhere; fix: create it"),
        (&["deploy", "app", "good"], "app app is new, and nothing says where it listens; fix: add --port"),
        (&["deploy", "app", "good", "--port", "0", "--hosts", "a b"], "\"a b\" is not a host name; fix: "),
        (&["deploy", "app", "good", "--port", &port, "--host", "127.0.0.1"], "cannot listen on 127.0.0.1:"),
        (&["rollback", "app"], "there is no app \"app\"; there is none at all"),
        (&["remove", "app"], "there is no app \"app\"; there is none at all"),
        (&["deploys", "app"], "there is no app \"app\"; there is none at all"),
    ] {
        let errors = refused(&supervisor, arguments);
        assert!(errors.contains(why), "{why:?} in {errors}");
    }
    assert_eq!(supervisor.status().await.len(), 0);
    assert!(!supervisor.folder().join("state/apps.json").exists());
    assert!(!supervisor.folder().join("state/deploys/app").exists());
    drop(taken);
    succeed(&supervisor, &["deploy", "app", "good", "--port", &port, "--host", "127.0.0.1"]);
    assert_eq!(supervisor.get("app", "/").await.text(), "good");
    assert!(refused(&supervisor, &["rollback", "app"]).contains("has no earlier deploy to go back to"));
    assert!(refused(&supervisor, &["rollback", "app", "--to", "x"]).contains("digest begins with \"x\""));
}

#[tokio::test]
async fn what_cannot_be_copied_is_refused() {
    let supervisor = empty().await;
    let app = supervisor.folder().join("app");
    write(&supervisor, "app/index.js", &says("app"));
    let deploy = |why: &str| {
        let errors = refused(&supervisor, &["deploy", "app", "app", "--port", "0"]);
        assert!(errors.contains(why), "{why:?} in {errors}");
    };
    let socket = UnixListener::bind(app.join("x.sock")).unwrap();
    deploy("DIR/app/x.sock is a socket, which cannot be copied; fix: remove it from the folder");
    drop(socket);
    fs::remove_file(app.join("x.sock")).unwrap();
    symlink("../secret", app.join("x")).unwrap();
    deploy(
        "DIR/app/x is a symlink that leads out of the folder, to ../secret; fix: copy there what it leads to",
    );
    fs::remove_file(app.join("x")).unwrap();
    symlink(&app, app.join("x")).unwrap();
    deploy("DIR/app/x is a symlink to an absolute path, ");
    fs::remove_file(app.join("x")).unwrap();
    File::create(app.join("large")).unwrap().set_len((2 << 30) + 1).unwrap();
    deploy("DIR/app holds more than 2.0 GiB; fix: leave out what the app does not need");
    fs::remove_file(app.join("large")).unwrap();
    write(&supervisor, "index.js", "");
    let errors = refused(&supervisor, &["deploy", "app", ".", "--port", "0"]);
    assert!(errors.contains("DIR holds the state folder (DIR/state/deploys); fix: "), "{errors}");
    succeed(&supervisor, &["deploy", "app", "app", "--port", "0"]);
}

#[tokio::test]
async fn an_app_of_the_configuration_has_its_address_there() {
    let plan =
        TestSupervisor::plan().app(App::hello("app")).app(App::hello("stays")).set("state_dir = 'state'");
    let mut supervisor = plan.start().await;
    write(&supervisor, "next/index.js", &says("deployed"));
    for flag in [&["--port", "0"][..], &["--host", "127.0.0.1"], &["--hosts", "a.test"]] {
        let errors = refused(&supervisor, &[&["deploy", "app", "next"], flag].concat());
        let expected =
            "the configuration says where app app listens; fix: leave out --port, --host and --hosts";
        assert!(errors.contains(expected), "{errors}");
    }
    succeed(&supervisor, &["deploy", "app", "next"]);
    // Without its section in the configuration, the app has no address.
    supervisor.rewrite(|config| {
        let (start, rest) = config.split_once("[apps.app]").unwrap();
        format!("{start}[apps.stays]{}", rest.split_once("[apps.stays]").unwrap().1)
    });
    let changes: Value = serde_json::from_str(&succeed(&supervisor, &["reload", "--json"])).unwrap();
    assert_eq!(changes["removed"], json!(["app"]));
    let note = "app app was deployed over one of the configuration that is gone, so it is not served; fix: ";
    assert!(changes["notes"][0].as_str().unwrap().starts_with(note), "{changes}");
    supervisor.restart().await;
    supervisor.log.record_with(note).await;
    assert!(refused(&supervisor, &["rollback", "app"]).contains("no earlier deploy"));
    succeed(&supervisor, &["deploy", "app", "next", "--port", "0"]);
    assert_eq!(supervisor.get("app", "/").await.text(), "deployed");
    // An error in the configuration of another app does not block the deploy.
    supervisor.rewrite(|config| config + "prot = 1\n");
    succeed(&supervisor, &["deploy", "app", "next"]);
    let errors = refused(&supervisor, &["deploy", "stays", "next"]);
    assert!(errors.contains("apps.stays.prot: unknown field; fix: did you mean `port`?"), "{errors}");
}

#[tokio::test]
async fn a_state_folder_belongs_to_one_supervisor() {
    let supervisor = empty().await;
    let state = supervisor.folder().join("state");
    let here = folder(&[("app/index.js", &says("app"))]);
    let (code, _, errors) = run(here.path(), &["serve", "--state-dir", state.to_str().unwrap()]);
    assert_eq!(code, 2, "{errors}");
    assert!(
        errors.contains("state: cannot be used: another supervisor uses it; fix: stop the other supervisor"),
        "{errors}"
    );
    // With the default folder, the second supervisor runs without one, and reports that when a deploy needs it.
    let first = TestSupervisor::plan().app(App::hello("app")).start().await;
    let usual = first.folder().join("states/nano-supervisor");
    assert!(usual.join("lock").exists());
    let socket = here.path().join("control.sock");
    let mut second = executable();
    second.current_dir(here.path()).args(["serve", "app", "--port", "0", "--control"]).arg(&socket);
    second.env("XDG_STATE_HOME", first.folder().join("states")).stdout(std::process::Stdio::null());
    let mut second = second.spawn().unwrap();
    let socket = socket.to_str().unwrap();
    crate::until("it answers", async || {
        (run(here.path(), &["health", "--control", socket]).0 == 0).then_some(())
    })
    .await;
    let (code, _, errors) = run(here.path(), &["deploy", "app", "app", "--control", socket]);
    assert_eq!(code, 1);
    assert!(
        errors.contains("this supervisor cannot keep deploys: ")
            && errors.contains("another supervisor uses it; fix: start the supervisor with --state-dir DIR"),
        "{errors}"
    );
    crate::harness::process::signal(second.id(), Signal::SIGTERM);
    second.wait().unwrap();

    for off in [
        TestSupervisor::plan().set("state_dir = false"),
        TestSupervisor::plan().set("state_dir = false").flags(&["--state-dir", "given"]),
    ] {
        let off = off.app(App::hello("app")).start().await;
        assert!(!off.folder().join("states").exists());
        let (code, _, errors) = command(&off, &["deploy", "app", "app"]);
        assert_eq!(code == 0, off.folder().join("given").exists(), "{errors}");
        assert!(code == 0 || errors.contains("there is no folder for them; fix: start"), "{errors}");
    }
}

#[tokio::test]
async fn a_broken_state_is_an_error_at_the_start() {
    let here = folder(&[
        ("state/apps.json", "{ not JSON"),
        ("nano.toml", "[server]\nstate_dir = 'state'\n[apps.app]\npath = 'app'\nport = 0\n"),
        ("app/index.js", &says("app")),
    ]);
    let start = || {
        let (code, _, errors) = run(here.path(), &["serve", "--strict", "--config", "nano.toml"]);
        assert_eq!(code, 2, "{errors}");
        errors
    };
    let errors = start();
    assert!(
        errors.contains(
            "state/apps.json: key must be a string at line 1 column 3; fix: mend it, or move it away"
        ),
        "{errors}"
    );
    let digest = "a".repeat(64);
    let entry = format!("{{\"digest\":\"{digest}\",\"deployed_at\":\"2026-01-31T12:00:00Z\"}}");
    let text = format!(
        "{{\"version\":1,\"apps\":{{\"app\":{{\"listen\":null,\"hosts\":[],\"current\":{entry},\"previous\":[]}}}}}}"
    );
    fs::write(here.path().join("state/apps.json"), &text).unwrap();
    let errors = start();
    assert!(
        errors.contains("state/apps.json: app: its folder ") && errors.contains("is gone; fix: restore it"),
        "{errors}"
    );
    // The deployed folder exists but has no entry module: the error names the deploy.
    fs::create_dir_all(here.path().join("state/deploys/app").join(&digest)).unwrap();
    let errors = start();
    assert!(errors.contains("state/apps.json: app: ") && errors.contains("has no entry module"), "{errors}");
}

#[tokio::test]
async fn the_api_says_how_it_is_right_and_whose_fault_it_is() {
    let plan = TestSupervisor::plan().app(App::hello("shown")).set("state_dir = 'state'");
    let supervisor = plan.start().await;
    write(&supervisor, "bad/index.js", "throw new Error('no')");
    // A file is in the place of a folder of copies.
    write(&supervisor, "state/deploys/stuck", "");
    let order = |folder: &str, port: Option<u16>| {
        json!({ "path": supervisor.folder().join(folder), "port": port }).to_string()
    };
    for (method, path, body, status, kind, part) in [
        (Method::POST, "/v1/apps/a/deploy", "", 400, "invalid", "the request cannot be read: EOF"),
        (
            Method::POST,
            "/v1/apps/a/deploy",
            "{\"path\":\"/x\",\"prot\":1}",
            400,
            "invalid",
            "unknown field `prot`",
        ),
        (Method::POST, "/v1/apps/a/deploy", "{\"path\":\"x\"}", 400, "invalid", "x is not an absolute path"),
        (Method::POST, "/v1/apps/A/deploy", "{}", 400, "invalid", "\\\"A\\\" is not an app name"),
        (Method::GET, "/v1/apps/a/deploy", "", 405, "method", "use POST"),
        (Method::GET, "/v1/apps/a/rollback", "", 405, "method", "use POST"),
        (Method::PUT, "/v1/apps/a", "", 405, "method", "use GET or DELETE"),
        (Method::POST, "/v1/apps/a/deploys", "", 405, "method", "use GET"),
        (Method::POST, "/v1/apps/a/rollback", "", 404, "not_found", "there is no app"),
        (Method::DELETE, "/v1/apps/a", "", 404, "not_found", "there is no app"),
        (Method::GET, "/v1/apps/a/deploys", "", 404, "not_found", "there is no app"),
        (Method::POST, "/v1/apps/a/deploy", &"x".repeat(65 * 1024), 400, "invalid", "length limit exceeded"),
        (
            Method::DELETE,
            "/v1/apps/shown/quarantine",
            "",
            404,
            "not_found",
            "nothing is refused or suspected",
        ),
        (Method::DELETE, "/v1/apps/shown", "", 409, "conflict", "app shown was never deployed"),
        (Method::POST, "/v1/apps/shown/deploy", &order("bad", None), 409, "app", "does not load: "),
        (Method::POST, "/v1/apps/stuck/deploy", &order("bad", Some(0)), 500, "system", "cannot write"),
        (Method::POST, "/v1/reload", "", 409, "config", "nano.toml"),
    ] {
        if path == "/v1/reload" {
            write(&supervisor, "nano.toml", "[apps.shown");
        }
        let socket = tokio::net::UnixStream::connect(supervisor.socket()).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = Request::builder().method(method.clone()).uri(path).header("host", "localhost");
        let request = request.body(Full::<bytes::Bytes>::from(body.to_owned())).unwrap();
        let response = sender.send_request(request).await.unwrap();
        let found = response.status().as_u16();
        let text = response.into_body().collect().await.unwrap().to_bytes();
        let text = std::str::from_utf8(&text).unwrap();
        assert!(found == status && text.contains(part), "{method} {path}: {found} {text}");
        let answered: Value = serde_json::from_str(text).unwrap();
        assert_eq!(answered["kind"], kind, "{method} {path}");
        connection.abort();
    }
}

#[tokio::test]
async fn the_admin_listener_deploys_nothing_and_may_roll_back() {
    let address = free_address();
    let plan = TestSupervisor::plan().app(App::hello("app")).set(&format!("admin = '{address}'"));
    let supervisor = plan.set("state_dir = 'state'").start().await;
    for word in ["one", "two"] {
        write(&supervisor, "next/index.js", &says(word));
        succeed(&supervisor, &["deploy", "app", "next"]);
    }
    let admin = Client::afresh(address);
    let post = async |path: &str, body: String| {
        let token = fs::read_to_string(supervisor.folder().join("state/admin-token")).unwrap();
        let request = admin.request("POST", path).header("x-nano-admin", "1");
        let request = request.header("authorization", format!("Bearer {}", token.trim()));
        admin.send(request.body(Full::<bytes::Bytes>::from(body)).unwrap()).await.unwrap()
    };
    let order = json!({ "path": supervisor.folder().join("next") }).to_string();
    let reply = post("/v1/apps/app/deploy", order).await;
    assert_eq!(
        (reply.status, reply.json()["error"].as_str().unwrap()),
        (403, "folders of this machine are deployed over the control socket only")
    );
    assert_eq!(post("/v1/apps/app/rollback", String::new()).await.status, 200);
    assert_eq!(supervisor.get("app", "/").await.text(), "one");
}
