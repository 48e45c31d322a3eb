//! Requests that end workers are recognized by what they do, not by how they are spelled or how many arrive at once.

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::harness::{App, crashes, executable, process, raw, run};
use crate::{TestSupervisor, until};

/// Fails in the way that the path names, and works otherwise.
const APP: &str = "
export default { fetch(request, env, ctx) {
  switch (new URL(request.url).pathname) {
    case '/spin': for (;;);
    // The answer has left long before.
    case '/timer': setTimeout(() => { for (;;); }, 500); return new Response('answered');
    case '/work': ctx.waitUntil(new Promise((done) => setTimeout(done, 500)).then(() => { for (;;); })); return new Response('answered');
    case '/wait': console.log('waits', request.url); return new Promise(() => {});
  }
  return new Response('fine');
} }";

/// Returns the status code of the answer to a target.
fn status(address: std::net::SocketAddr, target: &str) -> String {
    let request = format!("GET {target} HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n");
    raw::exchange(address, request)[9..12].to_owned()
}

#[tokio::test]
async fn whatever_the_spelling_a_path_that_the_app_is_told_as_one_is_refused_as_one() {
    let app = App::new("app", APP).set("watchdog = '300ms'\nquarantine = true");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let address = supervisor.address("app").await;
    for target in ["/./spin?1", "/x/%2e%2E/spin"] {
        let worker = supervisor.worker("app").await;
        assert_eq!(status(address, target), "504");
        supervisor.replaced("app", worker).await;
    }
    let detour = format!("/{}spin", "x/../".repeat(200));
    for target in [
        "/spin",
        "/spin?x",
        "/./spin",
        "/x/../spin",
        "/../spin",
        "/x\\..\\spin",
        "/%73pin",
        "http://other.example/spin",
        &detour,
    ] {
        assert_eq!(status(address, target), "503", "{target}");
    }
    for target in ["/", "//spin", "/spin/", "/spi", "/spin..."] {
        assert_eq!(status(address, target), "200", "{target}");
    }
    let socket = supervisor.socket().to_str().unwrap();
    let release = ["quarantine", "app", "--release", "GET", "/y/../spin", "--control", socket];
    assert_eq!(run(supervisor.folder(), &release).0, 0);
    assert_eq!(status(address, "/spin"), "504");
}

/// `/sse` sends one event and stays open. `/hoard` takes more and more memory while its body is read.
const STREAMS: &str = "
const kept = [];
export default { fetch(request) {
  const text = (what) => new TextEncoder().encode(what);
  switch (new URL(request.url).pathname) {
    case '/sse': return new Response(new ReadableStream({ start(c) { c.enqueue(text('begun')); } }));
    case '/hoard': return new Response(new ReadableStream({
      pull(c) { c.enqueue(text('more')); kept.push(new Array(1e5).fill(1)); },
    }));
  }
  return new Response('fine');
} }";

#[tokio::test]
async fn a_request_whose_answer_still_comes_is_named_and_refused_as_any_other() {
    let app = App::new("app", STREAMS).set("heap = '32MiB'\nquarantine = true");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let address = supervisor.address("app").await;
    for round in 0..2 {
        let worker = supervisor.worker("app").await;
        let mut innocent = raw::Raw::connect(address);
        innocent.send("GET /sse?x HTTP/1.1\r\nhost: a.example\r\n\r\n").up_to("begun");
        let cut = raw::exchange(address, "GET /hoard?x HTTP/1.1\r\nhost: a.example\r\n\r\n");
        assert!(cut.starts_with("HTTP/1.1 200") && !cut.ends_with("0\r\n\r\n"), "{cut}");
        supervisor.replaced("app", worker).await;
        let crash = &crashes(&supervisor, "app")[0];
        assert_eq!(crash["culprit"]["target"], "/hoard?x", "{round}: {crash}");
        assert_eq!(crash["culprit"]["is_answered"], Value::Null, "{crash}");
        assert_eq!(crash["requests"][0]["target"], "/sse?x", "{crash}");
        let ended = supervisor.log.record_with("worker ended").await;
        assert_eq!((&ended["path"], &ended["lost"]), (&json!("/hoard"), &json!(2)), "{ended}");
    }
    assert_eq!(status(address, "/hoard"), "503");
    assert_eq!(status(address, "/"), "200");
}

#[tokio::test]
async fn whoever_was_in_flight_each_time_is_shown_as_a_suspect() {
    let supervisor = TestSupervisor::plan().app(App::new("app", APP)).start().await;
    for round in 0..3 {
        let (worker, client) = (supervisor.worker("app").await, supervisor.client("app").await);
        let waiting = tokio::spawn(async move { client.get(&format!("/wait?{round}")).await.unwrap() });
        supervisor.log.line_with(&format!("/wait?{round}")).await;
        process::signal(worker, Signal::SIGSEGV);
        assert_eq!(waiting.await.unwrap().status, 500);
        supervisor.replaced("app", worker).await;
    }
    let suspect = json!([{ "method": "GET", "path": "/wait", "named": 0, "in_flight": 3, "of": 3, "is_refused": false }]);
    let all = crashes(&supervisor, "app");
    assert!(all.as_array().unwrap().iter().all(|crash| crash["suspects"] == suspect), "{all}");
    let socket = supervisor.socket().to_str().unwrap();
    let text = |arguments: &[&str]| run(supervisor.folder(), &[arguments, &["--control", socket]].concat()).1;
    let detail: Value = serde_json::from_str(&text(&["status", "app", "--json"])).unwrap();
    assert_eq!(detail["suspects"], suspect, "{detail}");
    let line = "GET /wait (in flight at 3 of the last 3 crashes)";
    assert!(text(&["crashes"]).contains(&format!("  suspected:\n    {line}\n")));
    let status = text(&["status", "app"]);
    assert!(status.contains(&format!("suspected   {line}\n")), "{status}");
    assert!(status.contains(&format!("    suspected: {line}\n")), "{status}");
}

#[tokio::test]
async fn reports_fit_and_say_what_can_be_done() {
    let wide = "throw new Error('why it does not load is a sentence that goes on for longer than a line of a terminal')";
    let plan = TestSupervisor::plan().app(App::new("app", APP).set("watchdog = '300ms'"));
    let supervisor = plan.app(App::new("wide", wide)).start().await;
    let address = supervisor.address("app").await;
    for _ in 0..2 {
        let worker = supervisor.worker("app").await;
        assert_eq!(status(address, "/spin"), "504");
        supervisor.replaced("app", worker).await;
    }
    let told = |arguments: &[&str], columns: usize| {
        let mut command = executable();
        command.args(arguments).arg("--control").arg(supervisor.socket()).env("COLUMNS", columns.to_string());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    for arguments in [&["crashes"][..], &["quarantine", "app"], &["status", "app"]] {
        for columns in [40, 60, 80, 120] {
            let text = told(arguments, columns);
            assert!(text.lines().all(|line| line.chars().count() <= columns), "{columns}: {text}");
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains("fix: `quarantine = true` for app app refuses requests"), "{text}");
            assert!(
                words.contains("GET /spin (ended the worker at 2 of the last 2 crashes)")
                    || arguments == ["crashes"],
                "{text}"
            );
        }
    }
    // With quarantine enabled, the hint to enable it is not shown.
    supervisor.rewrite(|config| config.replace("[apps.app]", "[apps.app]\nquarantine = true"));
    told(&["reload"], 80);
    for _ in 0..2 {
        let worker = supervisor.worker("app").await;
        assert_eq!(status(address, "/timer"), "200");
        supervisor.replaced("app", worker).await;
    }
    assert_eq!(status(address, "/timer"), "503");
    assert!(!told(&["quarantine", "app"], 80).contains("fix:"));
}

#[tokio::test]
async fn of_a_burst_that_ends_workers_the_rest_goes_behind_everybody_else() {
    let supervisor = TestSupervisor::plan().app(App::new("app", APP).set("watchdog = '3s'")).start().await;
    let (client, (seen, mut order)) = (supervisor.client("app").await, mpsc::channel(8));
    let ask = |path: &'static str| {
        let (client, seen) = (client.clone(), seen.clone());
        tokio::spawn(async move {
            let status = client.get(path).await.unwrap().status;
            let _ = seen.send((path, status)).await;
        })
    };
    let worker = supervisor.worker("app").await;
    let before = process::ticks(worker);
    ask("/spin");
    until("it spins", async || (process::ticks(worker) > before + 10).then_some(())).await;
    // All of them wait in the queue, since the worker is busy and cannot begin them. While it is stopped, its watchdog waits
    // for all of them as well.
    process::signal(worker, Signal::SIGSTOP);
    for (number, path) in ["/spin", "/x", "/spin", "/y"].into_iter().enumerate() {
        ask(path);
        supervisor.until("app", "has it", |app| app.in_flight == number + 2).await;
    }
    process::signal(worker, Signal::SIGCONT);
    let mut next = async || order.recv().await.unwrap();
    assert_eq!(next().await, ("/spin", 504));
    let mut others = [next().await, next().await];
    others.sort_unstable();
    assert_eq!(others, [("/x", 200), ("/y", 200)]);
    assert_eq!([next().await, next().await], [("/spin", 504); 2]);
    assert_eq!(supervisor.get("app", "/").await.text(), "fine");
}

#[tokio::test]
async fn whoever_does_not_wait_for_the_answer_is_named_and_refused_all_the_same() {
    let app = App::new("app", APP).set("watchdog = '1s'\nquarantine = true");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let address = supervisor.address("app").await;
    for _ in 0..2 {
        let worker = supervisor.worker("app").await;
        let before = process::ticks(worker);
        let mut client = std::net::TcpStream::connect(address).unwrap();
        std::io::Write::write_all(&mut client, b"GET /spin HTTP/1.1\r\nhost: a.example\r\n\r\n").unwrap();
        until("it spins", async || (process::ticks(worker) > before + 10).then_some(())).await;
        drop(client);
        supervisor.replaced("app", worker).await;
    }
    let crash = &crashes(&supervisor, "app")[0];
    let named = [&crash["culprit"]["method"], &crash["culprit"]["target"]];
    assert_eq!(named, [&json!("GET"), &json!("/spin")], "{crash}");
    assert_eq!(crash["requests"], json!([]), "nobody was lost: {crash}");
    assert_eq!((status(address, "/spin"), status(address, "/")), ("503".into(), "200".into()));
}

#[tokio::test]
async fn one_that_has_let_others_go_first_is_refused_if_its_kind_is_by_then() {
    let app = App::new("app", APP).set("watchdog = '1s'\nquarantine = true");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = supervisor.client("app").await;
    let worker = supervisor.worker("app").await;
    assert_eq!(client.get("/spin").await.unwrap().status, 504);
    supervisor.replaced("app", worker).await;
    // The first of these is held back and then ends the worker. The others wait without being begun.
    let asked: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.get("/spin").await.unwrap().status })
        })
        .collect();
    let mut statuses = Vec::new();
    for asked in asked {
        statuses.push(asked.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [503, 503, 503, 504]);
    assert_eq!(crashes(&supervisor, "app").as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_goes_on_after_its_answer_and_ends_the_worker_is_named_and_refused_as_well() {
    let app = App::new("app", APP).set("watchdog = '300ms'\nquarantine = true");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let address = supervisor.address("app").await;
    for path in ["/timer", "/work"] {
        for _ in 0..2 {
            let worker = supervisor.worker("app").await;
            assert_eq!(status(address, &format!("{path}?secret")), "200");
            supervisor.replaced("app", worker).await;
        }
        let crash = &crashes(&supervisor, "app")[0];
        let Value::Object(culprit) = &crash["culprit"] else { panic!("{crash}") };
        let named = ["method", "target", "is_answered"].map(|field| culprit[field].clone());
        assert_eq!(named, [json!("GET"), json!(path), json!(true)], "{crash}");
        let line = supervisor.log.line_with("JavaScript ran longer").await;
        assert!(line.contains("/timer"), "{line}");
        assert_eq!(status(address, path), "503");
    }
    let lost = supervisor.log.record_with("worker ended").await["lost"].clone();
    assert_eq!(lost, 0, "nobody waited");
    let worker = supervisor.worker("app").await;
    assert_eq!(status(address, &format!("/x/../{}{}", "y/../".repeat(9), "work")), "503");
    assert_eq!((supervisor.worker("app").await, status(address, "/")), (worker, "200".into()));
}
