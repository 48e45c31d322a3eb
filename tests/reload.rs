//! Changes while requests arrive: reload, restart, stop and start. No request of an app that goes on is lost.

use std::fs;
use std::sync::Arc;

use nano_supervisor::api::AppState;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::harness::origin::whole;
use crate::harness::{App, Client, Load, Origin, process, run};
use crate::{TestSupervisor, until};

/// Reloads, which must succeed, and returns the JSON output.
fn reload(supervisor: &TestSupervisor) -> Value {
    let (code, text, errors) = command(supervisor, &["reload", "--json"]);
    assert_eq!((code, &*errors), (0, ""), "{text}");
    serde_json::from_str(&text).unwrap()
}

fn command(supervisor: &TestSupervisor, arguments: &[&str]) -> (i32, String, String) {
    let socket = supervisor.socket().to_str().unwrap();
    run(supervisor.folder(), &[arguments, &["--control", socket]].concat())
}

fn says(text: &str) -> String {
    format!("export default {{ fetch: () => new Response('{text}') }}")
}

/// Returns the expected result of a reload: these changes, and empty lists otherwise.
fn changes(some: Value) -> Value {
    let names = ["added", "removed", "changed", "failed", "broken", "notes"];
    let mut all: Value = names.into_iter().map(|name| (name.to_owned(), json!([]))).collect();
    let some = some.as_object().cloned().unwrap_or_default();
    all.as_object_mut().unwrap().extend(some);
    all
}

#[tokio::test]
async fn a_reload_adds_removes_and_replaces_what_has_changed_and_touches_nothing_else() {
    let supervisor = TestSupervisor::plan()
        .app(App::hello("same"))
        .app(
            App::new("env", "export default { fetch: (request, env) => new Response(env.WORD) }")
                .set("env.WORD = 'old'"),
        )
        .app(App::hello("gone"))
        .start()
        .await;
    let (same, env, gone) =
        (supervisor.worker("same").await, supervisor.worker("env").await, supervisor.worker("gone").await);
    let (same_at, env_at, gone_at) =
        (supervisor.address("same").await, supervisor.address("env").await, supervisor.address("gone").await);
    let loads = [Load::on(same_at).await, Load::on(env_at).await];
    assert_eq!(reload(&supervisor), changes(json!({})));

    fs::create_dir(supervisor.folder().join("new")).unwrap();
    fs::write(supervisor.folder().join("new/index.js"), says("hello from new")).unwrap();
    supervisor.rewrite(|config| {
        let (kept, _) = config.split_once("[apps.gone]").unwrap();
        kept.replace("'old'", "'new'") + "[apps.new]\npath = 'new'\nport = 0\nhost = '127.0.0.1'\n"
    });
    assert_eq!(
        reload(&supervisor),
        changes(json!({ "added": ["new"], "removed": ["gone"], "changed": ["env"] }))
    );
    supervisor.until("new", "is ready", |app| app.state == AppState::Ready).await;
    assert_eq!(supervisor.get("new", "/").await.text(), "hello from new");
    assert_eq!(supervisor.worker("same").await, same);
    assert_ne!(supervisor.worker("env").await, env);
    assert_eq!((supervisor.address("same").await, supervisor.address("env").await), (same_at, env_at));
    until("the workers that were replaced or removed are gone", async || {
        (!process::exists(env) && !process::exists(gone)).then_some(())
    })
    .await;
    until("its address is closed", async || std::net::TcpStream::connect(gone_at).err()).await;
    until("the removed app is not in the status", async || {
        supervisor.status().await.iter().all(|app| app.app != "gone").then_some(())
    })
    .await;

    let [same_load, env_load] = loads;
    env_load.more(50).await;
    assert_eq!(same_load.seen().await.into_keys().collect::<Vec<_>>(), ["hello from same"]);
    assert_eq!(env_load.seen().await.into_keys().collect::<Vec<_>>(), ["new", "old"]);
}

#[tokio::test]
async fn what_a_worker_was_told_by_files_counts_as_changed() {
    let app = App::new("app", "export default { fetch: (request, env) => new Response(env.WORD) }");
    let supervisor = TestSupervisor::plan().app(app.file(".env", "WORD=old")).start().await;
    assert_eq!(supervisor.get("app", "/").await.text(), "old");
    fs::write(supervisor.folder().join("app/.env"), "WORD=new").unwrap();
    supervisor.signal(Signal::SIGHUP);
    supervisor.log.line_with("\"message\":\"reloaded\"").await;
    assert_eq!(supervisor.get("app", "/").await.text(), "new");
}

#[tokio::test]
async fn a_strict_supervisor_changes_nothing_if_something_is_invalid_and_says_why() {
    let plan = TestSupervisor::plan().app(App::hello("app")).set("strict = true");
    let supervisor = plan.start().await;
    let worker = supervisor.worker("app").await;
    supervisor.rewrite(|config| config.replace("port = 0", "port = 'x'"));
    let (code, text, errors) = command(&supervisor, &["reload"]);
    assert_eq!((code, &*text), (1, ""));
    assert!(
        errors.contains("apps.app.port: expected a whole number") && errors.contains("1 problem"),
        "{errors}"
    );
    supervisor.log.line_with("not reloaded: everything goes on as before").await;

    // An address in use is detected before anything else has changed.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    supervisor.rewrite(|config| {
        let first = config.replace("port = 'x'", "port = 0\nenv.A = 1");
        format!("{first}[apps.second]\npath = 'app'\nport = {port}\nhost = '127.0.0.1'\n")
    });
    let (code, _, errors) = command(&supervisor, &["reload"]);
    assert!(
        code == 1 && errors.contains(&format!("cannot listen on 127.0.0.1:{port} for app second")),
        "{errors}"
    );
    assert_eq!(supervisor.worker("app").await, worker);
    assert_eq!(supervisor.status().await.len(), 1);
    assert_eq!(supervisor.get("app", "/").await.status, 200);
}

#[tokio::test]
async fn a_worker_that_does_not_become_ready_never_replaces_a_good_one() {
    let supervisor = TestSupervisor::plan().app(App::new("app", &says("good"))).start().await;
    let worker = supervisor.worker("app").await;
    let load = Load::on(supervisor.address("app").await).await;
    fs::write(supervisor.folder().join("app/index.js"), "export default {").unwrap();
    let (code, _, errors) = command(&supervisor, &["restart", "--rolling", "app"]);
    assert_eq!(code, 1);
    assert!(errors.starts_with("nano-supervisor: does not load: SyntaxError: "), "{errors}");
    supervisor.rewrite(|config| config + "env.A = 1\n");
    let (code, text, _) = command(&supervisor, &["reload"]);
    assert!(code == 1 && text.starts_with("app: goes on as before: does not load: SyntaxError"), "{text}");
    assert_eq!(supervisor.worker("app").await, worker);
    supervisor.log.line_with("the new worker is not ready; the one before it stays").await;
    load.more(50).await;
    assert_eq!(load.seen().await.into_keys().collect::<Vec<_>>(), ["good"]);

    fs::write(supervisor.folder().join("app/index.js"), says("better")).unwrap();
    assert_eq!(reload(&supervisor)["changed"], json!(["app"]));
    assert_eq!(supervisor.get("app", "/").await.text(), "better");
}

#[tokio::test]
async fn a_worker_that_never_becomes_ready_keeps_no_operator_waiting() {
    let app = App::new("app", &says("one")).set("start_timeout = '10m'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let hang = |mark: &str| {
        let source = format!("console.log('{mark}');\nawait new Promise(() => {{}});\nexport default {{}};");
        fs::write(supervisor.folder().join("app/index.js"), source).unwrap();
        let (folder, socket) = (supervisor.folder().to_owned(), supervisor.socket().to_owned());
        std::thread::spawn(move || {
            let control = ["--control", socket.to_str().unwrap()];
            run(&folder, &[&["restart", "app", "--rolling"][..], &control].concat())
        })
    };
    let given_up = "nano-supervisor: something else was asked for before the new worker was ready\n";
    let first = hang("first");
    supervisor.log.line_with("first").await;
    // The app is fixed while the first restart hangs.
    fs::write(supervisor.folder().join("app/index.js"), says("two")).unwrap();
    assert_eq!(command(&supervisor, &["restart", "app", "--rolling"]).0, 0);
    let (code, _, errors) = first.join().unwrap();
    assert_eq!((code, &*errors), (1, given_up));
    assert_eq!(supervisor.get("app", "/").await.text(), "two");
    // Or it is stopped meanwhile.
    let second = hang("second");
    supervisor.log.line_with("second").await;
    assert_eq!(command(&supervisor, &["stop", "app"]).0, 0);
    let (code, _, errors) = second.join().unwrap();
    assert_eq!((code, &*errors), (1, given_up));
    assert_eq!(supervisor.app("app").await.state, AppState::Stopped);
}

#[tokio::test]
async fn a_restart_during_a_reload_comes_out_on_the_new_configuration() {
    let app = App::new("app", &says("old")).set("start_timeout = '10m'\nenv.MARK = 'before'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let source = |text: &str| fs::write(supervisor.folder().join("app/index.js"), text).unwrap();
    let rounds: [(&str, &[&[&str]]); 3] = [
        ("rolling", &[&["restart", "app", "--rolling"]]),
        ("restart", &[&["restart", "app"]]),
        // The start before the stop changes nothing, and hides nothing either.
        ("stop", &[&["start", "app"], &["stop", "app"], &["start", "app"]]),
    ];
    let mut before = "before";
    for (mark, commands) in rounds {
        source("console.log('loading'); await new Promise(() => {}); export default {};");
        supervisor.rewrite(|config| config.replace(before, mark));
        before = mark;
        let asked = |arguments: &[&str]| {
            let (folder, socket) = (supervisor.folder().to_owned(), supervisor.socket().to_owned());
            let arguments: Vec<_> = arguments.iter().map(|&part| part.to_owned()).collect();
            std::thread::spawn(move || {
                let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
                run(&folder, &[&arguments[..], &["--control", socket.to_str().unwrap()]].concat())
            })
        };
        let loading = supervisor.log.lines().iter().filter(|line| line.contains("loading")).count();
        let reload = asked(&["reload"]);
        until("the new worker loads", async || {
            let now = supervisor.log.lines().iter().filter(|line| line.contains("loading")).count();
            (now > loading).then_some(())
        })
        .await;
        source("export default { fetch: (request, env) => new Response(env.MARK) }");
        for arguments in commands {
            let (code, _, errors) = asked(arguments).join().unwrap();
            assert_eq!((code, &*errors), (0, ""), "{mark}: {arguments:?}");
        }
        assert_eq!(reload.join().unwrap().0, 0, "{mark}");
        assert_eq!(supervisor.get("app", "/").await.text(), mark);
    }
}

#[tokio::test]
async fn a_restart_drops_no_request() {
    for rolling in [true, false] {
        let supervisor = TestSupervisor::plan().app(App::hello("app")).start().await;
        let load = Load::on(supervisor.address("app").await).await;
        let arguments: &[&str] = if rolling { &["restart", "--rolling", "app"] } else { &["restart", "app"] };
        for round in 1..=5 {
            let before = supervisor.worker("app").await;
            let (code, text, errors) = command(&supervisor, arguments);
            let now = supervisor.app("app").await;
            assert_eq!((code, &*errors), (0, ""));
            assert_eq!(text, format!("app: ready, pid {}\n", now.pid.unwrap()));
            assert_ne!(now.pid, Some(before));
            assert_eq!(now.restarts, round);
            load.more(20).await;
            until("the replaced worker is gone", async || (!process::exists(before)).then_some(())).await;
        }
        assert_eq!(load.seen().await.into_keys().collect::<Vec<_>>(), ["hello from app"]);
    }
}

/// Waits for a server of the test, during a request and after one.
const HELD: &str = "
export default { async fetch(request, env, ctx) {
  const released = async (what) => { await (await fetch(env.ORIGIN + what)).text(); };
  switch (new URL(request.url).pathname) {
    case '/background': 
      ctx.waitUntil(released('/background').then(() => console.log('the rest is done')));
      return new Response('answered');
    case '/held': await released('/request'); return new Response('held');
    case '/stream': return new Response(new ReadableStream({ async start(controller) {
      controller.enqueue(new TextEncoder().encode('first '));
      await released('/request');
      controller.enqueue(new TextEncoder().encode('last'));
      controller.close();
    } }));
  }
  return new Response('fine');
} }";

#[tokio::test]
async fn a_replaced_worker_finishes_what_is_in_flight_and_its_background_work() {
    let (requests, background) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let gates = (requests.clone(), background.clone());
    let origin = Origin::http(move |request| {
        let gate = if request.uri().path() == "/background" { gates.1.clone() } else { gates.0.clone() };
        async move {
            gate.acquire().await.unwrap().forget();
            hyper::Response::new(whole("released"))
        }
    })
    .await;
    let app = App::new("app", HELD).set(&format!("env.ORIGIN = 'http://{}'", origin.address));
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let before = supervisor.worker("app").await;
    let client = supervisor.client("app").await;
    assert_eq!(client.get("/background").await.unwrap().text(), "answered");
    let held = ["/held", "/stream"].map(|path| {
        let client = client.clone();
        tokio::spawn(async move { client.get(path).await.unwrap().text().to_owned() })
    });
    supervisor.in_flight("app", 2).await;
    let (code, _, errors) = command(&supervisor, &["restart", "--rolling", "app"]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(client.get("/").await.unwrap().text(), "fine");
    assert!(process::is_alive(before), "it has something in flight");
    requests.add_permits(2);
    let mut texts = Vec::new();
    for held in held {
        texts.push(crate::within(held).await.unwrap());
    }
    assert_eq!(texts, ["held", "first last"]);
    assert!(process::is_alive(before), "its background work is under way");
    background.add_permits(1);
    supervisor.log.line_with("the rest is done").await;
    until("the replaced worker has ended", async || (!process::exists(before)).then_some(())).await;
}

#[tokio::test]
async fn a_stopped_app_answers_503_until_it_is_started() {
    let supervisor = TestSupervisor::plan().app(App::hello("app")).app(App::hello("other")).start().await;
    let worker = supervisor.worker("app").await;
    assert_eq!(command(&supervisor, &["stop", "app"]), (0, "app: stopped\n".into(), String::new()));
    assert!(!process::exists(worker));
    let reply = supervisor.get("app", "/").await;
    assert_eq!((reply.status, reply.text()), (503, "503 Service Unavailable\nThe app is stopped.\n"));
    assert_eq!(supervisor.get("other", "/").await.status, 200);
    // Neither a second stop nor a reload starts the app.
    assert_eq!(command(&supervisor, &["stop", "app"]).0, 0);
    reload(&supervisor);
    assert_eq!(supervisor.app("app").await.state, AppState::Stopped);
    let (code, text, _) = command(&supervisor, &["start", "app"]);
    assert_eq!((code, text), (0, format!("app: ready, pid {}\n", supervisor.worker("app").await)));
    assert_eq!(supervisor.get("app", "/").await.text(), "hello from app");
    assert_eq!(command(&supervisor, &["start", "app"]).0, 0);
    let (code, _, errors) = command(&supervisor, &["stop", "nobody"]);
    assert_eq!((code, &*errors), (1, "nano-supervisor: there is no app \"nobody\"; there is: app, other\n"));
}

#[tokio::test]
async fn a_start_waits_for_the_outcome() {
    let supervisor = TestSupervisor::plan().app(App::new("app", "export default {")).start().await;
    let (code, _, errors) = command(&supervisor, &["start", "app"]);
    assert!(code == 1 && errors.contains("does not load: SyntaxError"), "{errors}");
    fs::write(supervisor.folder().join("app/index.js"), says("mended")).unwrap();
    assert_eq!(command(&supervisor, &["start", "app"]).0, 0);
    assert_eq!(supervisor.get("app", "/").await.text(), "mended");
}

#[tokio::test]
async fn hosts_ports_and_limits_change_on_open_connections_without_another_worker() {
    let supervisor =
        TestSupervisor::plan().app(App::hello("app").set("hosts = ['a.test', '127.0.0.1']")).start().await;
    let worker = supervisor.worker("app").await;
    let client = supervisor.client("app").await;
    let long = format!("/{}", "x".repeat(100));
    assert_eq!(client.get(&long).await.unwrap().status, 200);
    supervisor.rewrite(|config| config.replace("[server]", "[server]\nmax_uri = 64\nio_threads = 7"));
    let changes = reload(&supervisor);
    assert_eq!(changes["notes"], json!(["server.io_threads takes effect when the supervisor is restarted"]));
    assert_eq!(client.get(&long).await.unwrap().status, 414);
    supervisor.rewrite(|config| {
        config.replace("'127.0.0.1'", "'b.test'").replace("host = 'b.test'", "host = '127.0.0.1'")
    });
    assert_eq!(reload(&supervisor)["changed"], json!(["app"]));
    assert_eq!(client.get("/").await.unwrap().status, 404);

    // After a change of address, the old one is closed once its requests in flight have ended.
    let before = supervisor.address("app").await;
    supervisor.rewrite(|config| {
        config.replace("host = '127.0.0.1'", "host = '127.0.0.2'").replace("'b.test'", "'127.0.0.2'")
    });
    reload(&supervisor);
    let now = supervisor.address("app").await;
    assert_eq!(now.ip().to_string(), "127.0.0.2");
    assert_eq!(Client::new(now, false).get("/").await.unwrap().status, 200);
    until("the old address is closed", async || std::net::TcpStream::connect(before).err()).await;
    assert_eq!(supervisor.worker("app").await, worker);
}

#[tokio::test]
async fn a_crashed_worker_is_replaced_by_a_spare() {
    let supervisor = TestSupervisor::plan().app(App::hello("app")).start().await;
    for _ in 0..3 {
        let spare = until("there is a spare", async || supervisor.spares().await.first().copied()).await;
        until("it has started", async || (process::name(spare) == "nano:spare").then_some(())).await;
        let worker = supervisor.worker("app").await;
        process::signal(worker, Signal::SIGKILL);
        assert_eq!(supervisor.replaced("app", worker).await.pid, Some(spare));
        assert_eq!(process::name(spare), "nano:app");
        assert_eq!(supervisor.get("app", "/").await.text(), "hello from app");
    }
    // A spare that has died is replaced and leaves no zombie.
    let spare = until("there is a spare", async || supervisor.spares().await.first().copied()).await;
    process::signal(spare, Signal::SIGKILL);
    until("it is replaced", async || {
        let spares = supervisor.spares().await;
        (!spares.is_empty() && !spares.contains(&spare) && !process::exists(spare)).then_some(())
    })
    .await;
    // If it is needed before its death is noticed, nothing else is lost.
    let spare = until("there is a spare", async || supervisor.spares().await.first().copied()).await;
    process::signal(spare, Signal::SIGKILL);
    let worker = supervisor.worker("app").await;
    process::signal(worker, Signal::SIGKILL);
    assert_ne!(supervisor.replaced("app", worker).await.pid, Some(spare));
    assert_eq!(supervisor.get("app", "/").await.text(), "hello from app");
}

#[tokio::test]
async fn there_are_spares_for_every_heap_limit_and_none_where_none_are_wanted() {
    let supervisor = TestSupervisor::plan()
        .app(App::hello("small").set("heap = '64MiB'"))
        .app(App::hello("usual"))
        .set("spares = 2")
        .start()
        .await;
    until("there are two for each", async || (supervisor.spares().await.len() == 4).then_some(())).await;
    supervisor.rewrite(|config| config.replace("spares = 2", "spares = 0"));
    reload(&supervisor);
    until("there are none", async || supervisor.spares().await.is_empty().then_some(())).await;
    let children = async || (process::children(supervisor.pid()).len() == 2).then_some(());
    until("their processes are gone", children).await;
}
