//! Deploy, rollback and remove: apps switch from one folder to another without losing a request, and stay there after restarts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nano_supervisor::api::AppState;

use serde_json::{Value, json};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::harness::{App, Client, Load, Raw, folder, free_address, process, run};
use crate::{TestSupervisor, until};

/// Runs a command against a supervisor. Returns the exit code, output and errors.
pub(crate) fn command(supervisor: &TestSupervisor, arguments: &[&str]) -> (i32, String, String) {
    let socket = supervisor.socket().to_str().unwrap();
    run(supervisor.folder(), &[arguments, &["--control", socket]].concat())
}

/// Runs a command that must succeed and returns its output.
pub(crate) fn succeed(supervisor: &TestSupervisor, arguments: &[&str]) -> String {
    let (code, text, errors) = command(supervisor, arguments);
    assert_eq!((code, &*errors), (0, ""), "{arguments:?}: {text}");
    text
}

/// Begins a command, for tests in which something else happens meanwhile. Returns the exit code, output and errors.
pub(crate) fn begin(supervisor: &TestSupervisor, arguments: &[&str]) -> JoinHandle<(i32, String, String)> {
    let (folder, socket) = (supervisor.folder().to_owned(), supervisor.socket().to_owned());
    let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    spawn_blocking(move || {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        run(&folder, &[&arguments[..], &["--control", socket.to_str().unwrap()]].concat())
    })
}

/// Runs a command that must succeed, while something else happens.
pub(crate) async fn succeed_meanwhile(supervisor: &TestSupervisor, arguments: &[&str]) {
    let (code, output, errors) = begin(supervisor, arguments).await.unwrap();
    assert_eq!(code, 0, "{arguments:?}: {output}{errors}");
}

/// Returns the shortened digests of an app's deploys, the current one first.
pub(crate) fn digests(supervisor: &TestSupervisor, app: &str) -> Vec<String> {
    let text = succeed(supervisor, &["deploys", app, "--json"]);
    let listed: Value = serde_json::from_str(&text).unwrap();
    let rows = listed["deploys"].as_array().unwrap();
    let current: Vec<_> = rows.iter().map(|row| row["is_current"].as_bool().unwrap()).collect();
    assert_eq!(current.iter().position(|is_current| *is_current), (!rows.is_empty()).then_some(0));
    rows.iter().map(|row| row["digest"].as_str().unwrap()[..12].to_owned()).collect()
}

pub(crate) fn says(text: &str) -> String {
    format!("export default {{ fetch: () => new Response('{text}') }}")
}

/// Writes a file of an app into a folder next to those of the supervisor, for a deploy.
pub(crate) fn write(supervisor: &TestSupervisor, path: &str, text: &str) {
    let path = supervisor.folder().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Starts a supervisor without any app.
pub(crate) async fn empty() -> TestSupervisor {
    TestSupervisor::run(
        folder(&[]),
        ["serve", "--log-format", "json", "--state-dir", "state"].map(Into::into).into(),
    )
    .await
}

/// Returns the names of the files in the state folder of an app.
fn copies(state: &Path, app: &str) -> Vec<String> {
    let entries = fs::read_dir(state.join("deploys").join(app)).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_new_app_is_served_from_a_copy_and_outlives_the_supervisor() {
    let mut supervisor = empty().await;
    assert_eq!(supervisor.status().await.len(), 0);
    assert_eq!(succeed(&supervisor, &["health"]), "there is no app yet\n");
    write(
        &supervisor,
        "blog/index.js",
        "import { word } from 'words'; export default { fetch: (request, env) => new Response(word + env.MARK) }",
    );
    write(&supervisor, "blog/node_modules/words/index.js", "export const word = 'first';");
    write(&supervisor, "blog/node_modules/words/package.json", "{\"type\":\"module\"}");
    write(&supervisor, "blog/.env", "MARK=!");
    let text = succeed(&supervisor, &["deploy", "blog", "blog", "--port", "0", "--host", "127.0.0.1"]);
    let [digest] = &digests(&supervisor, "blog")[..] else { panic!("one deploy") };
    assert!(text.starts_with(&format!("blog: deployed {digest} (4 files, ")), "{text}");
    assert_eq!(supervisor.get("blog", "/").await.text(), "first!");
    let state = supervisor.folder().join("state");
    for private in [state.clone(), state.join("deploys")] {
        assert_eq!(fs::metadata(private).unwrap().permissions().mode() & 0o777, 0o700);
    }

    // The copy is served even after the folder is gone.
    fs::remove_dir_all(supervisor.folder().join("blog")).unwrap();
    supervisor.restart().await;
    supervisor.until("blog", "is ready", |app| app.state == AppState::Ready).await;
    assert_eq!(supervisor.get("blog", "/").await.text(), "first!");
    assert!(supervisor.address("blog").await.ip().is_loopback());
    assert_eq!(digests(&supervisor, "blog"), std::slice::from_ref(digest));

    // An option that is not given again keeps its value, here the address.
    let address = supervisor.address("blog").await;
    write(&supervisor, "blog/index.js", &says("second"));
    let done: Value =
        serde_json::from_str(&succeed(&supervisor, &["deploy", "blog", "blog", "--json"])).unwrap();
    assert_eq!(
        (&done["app"], &done["copied"]["files"], &done["copied"]["is_new"]),
        (&json!("blog"), &json!(1), &json!(true))
    );
    assert_eq!(supervisor.address("blog").await, address);
    assert_eq!(supervisor.get("blog", "/").await.text(), "second");
    assert_eq!(copies(&state, "blog").len(), 2);
    let list = succeed(&supervisor, &["deploys", "blog"]);
    assert!(list.lines().count() == 2 && list.lines().next().unwrap().ends_with("Z  current"), "{list}");
}

#[tokio::test]
async fn deploys_share_a_port_by_host_and_may_move() {
    let supervisor = empty().await;
    write(&supervisor, "a/index.js", &says("a"));
    write(&supervisor, "b/index.js", &says("b"));
    let port = free_address().port().to_string();
    let listen = ["--port", &port, "--host", "127.0.0.1"];
    succeed(&supervisor, &[&["deploy", "a", "a", "--hosts", "a.test,127.0.0.1"][..], &listen].concat());
    let (code, _, errors) =
        command(&supervisor, &[&["deploy", "b", "b", "--hosts", "a.test"][..], &listen].concat());
    assert!(
        code == 1 && errors.contains("a.test on 127.0.0.1:") && errors.contains("leads to app a already"),
        "{errors}"
    );
    succeed(&supervisor, &[&["deploy", "b", "b"][..], &listen].concat());
    assert_eq!(supervisor.get("a", "/").await.text(), "a");
    assert_eq!(supervisor.app("a").await.hosts, ["a.test", "127.0.0.1"]);
    succeed(&supervisor, &["deploy", "a", "a", "--hosts", "a.test"]);
    assert_eq!(supervisor.get("a", "/").await.text(), "b");
    succeed(&supervisor, &["deploy", "a", "a", "--hosts", "127.0.0.1", "--host", "127.0.0.2", "--port", "0"]);
    assert_eq!(supervisor.address("a").await.ip().to_string(), "127.0.0.2");
}

#[tokio::test]
async fn deploy_and_rollback_lose_no_request() {
    let app =
        App::new("app", "export default { fetch: (request, env) => new Response('configured ' + env.WORD) }");
    let mut supervisor =
        TestSupervisor::plan().app(app.set("env.WORD = 'x'")).set("state_dir = 'state'").start().await;
    let before = supervisor.worker("app").await;
    let load = Load::on(supervisor.address("app").await).await;
    for word in ["one", "two", "three"] {
        let text =
            format!("export default {{ fetch: (request, env) => new Response('{word} ' + env.WORD) }}");
        write(&supervisor, "next/index.js", &text);
        succeed(&supervisor, &["deploy", "app", "next"]);
        load.more(20).await;
    }
    let [three, two, one] = &digests(&supervisor, "app")[..] else { panic!("three deploys") };
    assert_eq!(succeed(&supervisor, &["rollback", "app"]), format!("app: rolled back to {two}\n"));
    assert_eq!(supervisor.get("app", "/").await.text(), "two x");
    assert_eq!(digests(&supervisor, "app"), [two, three, one].map(String::as_str));
    load.more(20).await;
    succeed(&supervisor, &["rollback", "app", "--to", one]);
    assert_eq!(supervisor.get("app", "/").await.text(), "one x");
    load.more(20).await;
    until("the first worker is gone", async || (!process::exists(before)).then_some(())).await;
    let seen: Vec<_> = load.seen().await.into_keys().collect();
    assert_eq!(seen, ["configured x", "one x", "three x", "two x"]);

    // Other settings of the configuration still apply, and the deploy outlasts both a reload and a restart.
    supervisor.rewrite(|config| config.replace("'x'", "'y'"));
    succeed(&supervisor, &["reload"]);
    assert_eq!(supervisor.get("app", "/").await.text(), "one y");
    supervisor.restart().await;
    supervisor.until("app", "is ready", |app| app.state == AppState::Ready).await;
    assert_eq!(supervisor.get("app", "/").await.text(), "one y");
    assert_eq!(digests(&supervisor, "app"), [one, two, three].map(String::as_str));
}

#[tokio::test]
async fn what_is_deployed_again_is_not_copied_again() {
    let supervisor = empty().await;
    write(
        &supervisor,
        "app/index.js",
        "let served = 0; export default { fetch: () => new Response(`${served++}`) }",
    );
    succeed(&supervisor, &["deploy", "app", "app", "--port", "0"]);
    assert_eq!(supervisor.app("app").await.state, AppState::Ready, "a new app is served once it is deployed");
    let [digest] = &copies(&supervisor.folder().join("state"), "app")[..] else { panic!("one copy") };
    let file = supervisor.folder().join("state/deploys/app").join(digest).join("index.js");
    let copied = fs::metadata(&file).unwrap();
    assert_eq!(copied.permissions().mode() & 0o777, 0o400);
    let worker = supervisor.worker("app").await;
    let text = succeed(&supervisor, &["deploy", "app", "app"]);
    assert!(text.ends_with("the same as in an earlier deploy)\n"), "{text}");
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), copied.modified().unwrap());
    assert_eq!(digests(&supervisor, "app").len(), 1);
    assert_ne!(supervisor.worker("app").await, worker, "it is a start of its own");
}

#[tokio::test]
async fn a_removed_app_finishes_what_is_in_flight_and_one_of_the_configuration_goes_back() {
    let takes_its_time = "export default { async fetch(request) {
          console.log('begun');
          await request.text();
          return new Response('deployed');
        } }";
    let plan = TestSupervisor::plan().app(App::new("app", &says("configured"))).app(App::hello("other"));
    let supervisor = plan.set("state_dir = 'state'").start().await;
    write(&supervisor, "next/index.js", takes_its_time);
    succeed(&supervisor, &["deploy", "new", "next", "--port", "0", "--host", "127.0.0.1"]);
    let (address, worker) = (supervisor.address("new").await, supervisor.worker("new").await);
    let mut held = Raw::connect(address);
    held.send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n");
    supervisor.log.line_with("begun").await;
    assert_eq!(succeed(&supervisor, &["remove", "new"]), "new: removed\n");
    assert!(process::is_alive(worker), "it has a request in flight");
    let answer = held.send("x").rest();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("deployed"), "{answer}");
    until("it is gone", async || {
        let is_gone = supervisor.status().await.iter().all(|app| app.app != "new");
        (is_gone && !process::exists(worker)).then_some(())
    })
    .await;
    until("its address is closed", async || std::net::TcpStream::connect(address).err()).await;
    let state = supervisor.folder().join("state");
    until("its copies are gone", async || (!state.join("deploys/new").exists()).then_some(())).await;

    succeed(&supervisor, &["deploy", "app", "next"]);
    assert_eq!(supervisor.get("app", "/").await.text(), "deployed");
    let load = Load::on(supervisor.address("app").await).await;
    let text = succeed(&supervisor, &["remove", "app"]);
    let folder = supervisor.folder().canonicalize().unwrap().join("app");
    assert_eq!(text, format!("app: served from {} again\n", folder.display()));
    load.more(20).await;
    assert_eq!(load.seen().await.into_keys().collect::<Vec<_>>(), ["configured", "deployed"]);
    assert_eq!(succeed(&supervisor, &["deploys", "app"]), "app was never deployed\n");
    for name in ["app", "other"] {
        let (code, _, errors) = command(&supervisor, &["remove", name]);
        let expected = format!("app {name} was never deployed; fix: remove it from nano.toml and reload");
        assert!(code == 1 && errors.contains(&expected), "{errors}");
    }
    let (code, _, errors) = command(&supervisor, &["remove", "new"]);
    assert_eq!((code, &*errors), (1, "nano-supervisor: there is no app \"new\"; there is: app, other\n"));
}

#[tokio::test]
async fn five_earlier_deploys_are_kept_and_a_worker_keeps_its_own() {
    let supervisor = empty().await;
    let state = supervisor.folder().join("state");
    let slow = "export default { async fetch(request) {
        if (new URL(request.url).pathname === '/held') {
          console.log('begun');
          await new Promise((done) => { globalThis.release = done; });
          return new Response((await import('./late.js')).default);
        }
        release(); return new Response('released');
      } }";
    write(&supervisor, "app/index.js", slow);
    write(&supervisor, "app/late.js", "export default 'imported late'");
    succeed(&supervisor, &["deploy", "app", "app", "--port", "0", "--host", "127.0.0.1"]);
    // Two connections that the first worker keeps open: one waits, the other one releases it.
    let client = Client::new(supervisor.address("app").await, true);
    let first = copies(&state, "app").remove(0);
    let held = tokio::spawn({
        let client = client.clone();
        async move { client.get("/held").await.unwrap().text().to_owned() }
    });
    supervisor.log.line_with("begun").await;
    for version in 0..7 {
        write(&supervisor, "app/index.js", &says(&version.to_string()));
        succeed(&supervisor, &["deploy", "app", "app"]);
    }
    assert_eq!(digests(&supervisor, "app").len(), 6);
    // Workers of the versions between may not have ended yet.
    let now = async || Some(copies(&state, "app")).filter(|now| now.len() == 7);
    let now = until("six are left that are known, and the one in use", now).await;
    assert!(now.contains(&first), "{now:?}");
    assert!(!digests(&supervisor, "app").iter().any(|digest| first.starts_with(digest)));
    held.abort();
    until("the first copy is gone", async || (!copies(&state, "app").contains(&first)).then_some(())).await;
    until("six are left", async || (copies(&state, "app").len() == 6).then_some(())).await;
    assert_eq!(supervisor.get("app", "/").await.text(), "6");
}

#[tokio::test]
async fn a_deploy_mends_an_app_that_has_failed_or_was_stopped() {
    let broken = App::new("broken", "export default {").set("restart = { slow_retry = '1h' }");
    let plan = TestSupervisor::plan().app(broken).app(App::hello("stopped")).set("state_dir = 'state'");
    let supervisor = plan.start().await;
    succeed(&supervisor, &["stop", "stopped"]);
    write(&supervisor, "next/index.js", &says("mended"));
    for app in ["broken", "stopped"] {
        succeed(&supervisor, &["deploy", app, "next"]);
        assert_eq!(supervisor.app(app).await.state, AppState::Ready);
        assert_eq!(supervisor.get(app, "/").await.text(), "mended");
    }
    // The deployed app is supervised like any other.
    let worker = supervisor.worker("stopped").await;
    process::signal(worker, nix::sys::signal::Signal::SIGKILL);
    supervisor.replaced("stopped", worker).await;
    assert_eq!(supervisor.get("stopped", "/").await.text(), "mended");
}

#[tokio::test]
async fn an_upgrade_takes_deploys_along_and_one_that_fails_leaves_them() {
    let mut supervisor = empty().await;
    write(&supervisor, "app/index.js", &says("one"));
    succeed(&supervisor, &["deploy", "app", "app", "--port", "0", "--host", "127.0.0.1"]);
    let copy = supervisor.folder().join("state/deploys/app");
    let copy = copy.join(copies(&supervisor.folder().join("state"), "app").remove(0)).join("index.js");
    fs::remove_file(&copy).unwrap();
    fs::write(&copy, "export default {").unwrap();
    let (code, _, errors) = command(&supervisor, &["upgrade"]);
    assert!(code == 1 && errors.contains("app is failed: does not load"), "{errors}");
    write(&supervisor, "app/index.js", &says("two"));
    succeed(&supervisor, &["deploy", "app", "app"]);
    let address = supervisor.address("app").await;
    let text = succeed(&supervisor, &["upgrade"]);
    let next = text.strip_prefix("handed over to pid ").unwrap().trim().parse().unwrap();
    assert_eq!(supervisor.succeeded_by(next).await.code(), Some(0));
    assert_eq!((supervisor.address("app").await, supervisor.get("app", "/").await.text()), (address, "two"));
    write(&supervisor, "app/index.js", &says("three"));
    succeed(&supervisor, &["deploy", "app", "app"]);
    assert_eq!(supervisor.get("app", "/").await.text(), "three");
}
