//! The access log: its formats, what it measures, where it is written, and that a reload can change it while requests arrive.

use std::fs;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Response;
use nano_supervisor::api::AppState;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::harness::{App, Origin, raw, run};
use crate::{TestSupervisor, until, within};

const HELLO: &str = "export default { fetch: () => new Response('hello', { status: 201 }) }";

/// Waits until a file in the test's folder has `count` lines and returns them.
async fn lines(supervisor: &TestSupervisor, file: &str, count: usize) -> Vec<String> {
    let path = supervisor.folder().join(file);
    until(&format!("{file} has {count} lines"), async || {
        let text = fs::read_to_string(&path).unwrap_or_default();
        (text.ends_with('\n') && text.lines().count() >= count)
            .then(|| text.lines().map(str::to_owned).collect())
    })
    .await
}

fn reload(supervisor: &TestSupervisor) {
    let arguments = ["reload", "--control", supervisor.socket().to_str().unwrap()];
    let (code, text, errors) = run(supervisor.folder(), &arguments);
    assert_eq!((code, &*errors), (0, ""), "{text}");
    assert!(!text.contains("takes effect"), "{text}");
}

#[tokio::test]
async fn combined_is_what_nginx_writes() {
    let plan = TestSupervisor::plan().set("access_log = 'combined'\naccess_log_file = 'access.log'");
    // The access log is written whatever the log level is.
    let plan = plan.set("log_level = 'error'").app(App::new("app", HELLO));
    let supervisor = plan.start().await;
    let address = supervisor.address("app").await;
    for head in [
        "GET /path?a=%22b HTTP/1.1\r\nReferer: http://from/\r\nUser-Agent: say \"hi\" \\ \t\u{e9}",
        "DELETE / HTTP/1.0",
    ] {
        raw::exchange(address, format!("{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    }
    let found = lines(&supervisor, "access.log", 2).await;
    let (before, time) = found[0].split_at("127.0.0.1 - - [".len());
    let (time, rest) = time.split_at("25/Nov/2026:12:00:00 +0000".len());
    assert_eq!(before, "127.0.0.1 - - [");
    let is_like = |(char, like): (char, char)| match like {
        '0' => char.is_ascii_digit(),
        'A' => char.is_ascii_alphabetic(),
        '+' => char == '+' || char == '-',
        like => char == like,
    };
    assert!(time.chars().zip("00/AAA/0000:00:00:00 +0000".chars()).all(is_like), "{time}");
    let user_agent = "say \\x22hi\\x22 \\x5C \\x09\\xC3\\xA9";
    let expected = format!("] \"GET /path?a=%22b HTTP/1.1\" 201 5 \"http://from/\" \"{user_agent}\"");
    assert_eq!(rest, expected);
    assert!(found[1].ends_with("] \"DELETE / HTTP/1.0\" 201 5 \"-\" \"-\""), "{}", found[1]);
    assert!(supervisor.log.lines().is_empty(), "{:?}", supervisor.log.lines());
}

#[tokio::test]
async fn json_is_one_object_with_nothing_around_it() {
    let plan = TestSupervisor::plan().flags(&["--access-log=json"]).app(App::new("app", HELLO));
    let supervisor = plan.start().await;
    let client = supervisor.client("app").await;
    let request =
        client.request("GET", "/path?q").header("user-agent", "test").body(Full::<Bytes>::default());
    let reply = client.send(request.unwrap()).await.unwrap();
    let record = supervisor.log.record_with("\"target\":\"/path?q\"").await;
    let mut names: Vec<_> = record.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "app",
            "bytes",
            "caller",
            "client",
            "cut_off",
            "method",
            "ms",
            "peer",
            "queue_ms",
            "referer",
            "request_id",
            "status",
            "target",
            "timestamp",
            "user_agent",
            "version",
            "worker_ms"
        ]
    );
    for (field, expected) in [
        ("app", Value::from("app")),
        ("client", "127.0.0.1".into()),
        ("peer", "127.0.0.1".into()),
        ("method", "GET".into()),
        ("version", "HTTP/1.1".into()),
        ("status", 201.into()),
        ("bytes", 5.into()),
        ("cut_off", false.into()),
        ("request_id", reply.header("x-request-id").into()),
        ("referer", Value::Null),
        ("user_agent", "test".into()),
    ] {
        assert_eq!(record[field], expected, "{field} in {record}");
    }
}

#[tokio::test]
async fn the_wait_for_a_worker_and_the_worker_are_measured_each() {
    // Each permit lets one fetch through: the first loads the app, the second lets it answer.
    let gate = Arc::new(Semaphore::new(0));
    let opened = gate.clone();
    let origin = Origin::http(move |_| {
        let gate = opened.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            Response::new(Full::new(Bytes::new()).map_err(|never| match never {}).boxed())
        }
    })
    .await;
    let app = format!(
        "const gate = 'http://{}/';\nawait (await fetch(gate)).text();\n\
         export default {{ async fetch() {{ await (await fetch(gate)).text(); return new Response('x'); }} }}",
        origin.address
    );
    let plan = TestSupervisor::plan().flags(&["--access-log"]).app(App::new("app", &app));
    let supervisor = plan.launch().await;
    let client = supervisor.client("app").await;
    let reply = tokio::spawn(async move { client.get("/").await.unwrap() });
    supervisor.in_flight("app", 1).await;
    gate.add_permits(1);
    supervisor.until("app", "is ready", |app| app.state == AppState::Ready).await;
    gate.add_permits(1);
    assert_eq!(within(reply).await.unwrap().status, 200);
    let record = supervisor.log.record_with("\"message\":\"request\"").await;
    let ms = |field: &str| record[field].as_f64().unwrap_or_else(|| panic!("no {field} in {record}"));
    assert!(ms("queue_ms") > 0.0 && ms("worker_ms") > 0.0, "{record}");
    // Each value is truncated to a microsecond.
    assert!(ms("queue_ms") + ms("worker_ms") <= ms("ms") + 0.002, "{record}");
}

#[tokio::test]
async fn what_no_worker_took_has_no_times_of_one() {
    let app = App::new("app", HELLO).set("hosts = ['a.example']");
    let supervisor = TestSupervisor::plan().app(app).flags(&["--access-log=json"]).start().await;
    assert_eq!(supervisor.get("app", "/nobody").await.status, 404);
    let record = supervisor.log.record_with("/nobody").await;
    for field in ["app", "queue_ms", "worker_ms"] {
        assert_eq!(record.get(field), Some(&Value::Null), "{field} in {record}");
    }
}

#[tokio::test]
async fn it_changes_with_a_reload_and_a_flag_outranks_the_file() {
    let settings = "access_log = true\naccess_log_file = 'access.log'";
    let plan = TestSupervisor::plan().app(App::new("app", HELLO)).set(settings);
    let supervisor = plan.start().await;
    supervisor.get("app", "/lines").await;
    lines(&supervisor, "access.log", 1).await;
    for (number, (from, to)) in
        [("true", "'combined'"), ("'combined'", "false"), ("false", "'json'")].into_iter().enumerate()
    {
        supervisor
            .rewrite(|config| config.replace(&format!("access_log = {from}"), &format!("access_log = {to}")));
        reload(&supervisor);
        // The connection ends after the request has been recorded.
        let head = format!("GET /{number} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        raw::exchange(supervisor.address("app").await, head);
    }
    let found = lines(&supervisor, "access.log", 3).await;
    assert!(found[0].contains("\"message\":\"request\""), "{found:?}");
    assert!(found[1].contains("\"GET /0 HTTP/1.1\" 201 5"), "{found:?}");
    assert!(found[2].contains("\"target\":\"/2\"") && found.len() == 3, "{found:?}");

    let plan = TestSupervisor::plan().app(App::new("app", HELLO)).set("access_log = 'combined'");
    let supervisor = plan.flags(&["--access-log=false"]).start().await;
    supervisor.get("app", "/unseen").await;
    let mut supervisor = supervisor;
    supervisor.signal(nix::sys::signal::Signal::SIGTERM);
    assert!(supervisor.ended().await.success());
    assert!(!supervisor.log.lines().iter().any(|line| line.contains("/unseen")));
}
