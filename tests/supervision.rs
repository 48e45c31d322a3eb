//! How the supervisor manages workers: restart and recycling policies, memory, health checks, crash reports.

use std::sync::Arc;

use nano_supervisor::api::AppState;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

use crate::deploy::begin;
use crate::harness::{App, Load, Origin, crashes, process, run};
use crate::{TestSupervisor, until};

#[tokio::test]
async fn a_policy_of_never_restarting_leaves_the_app_stopped_until_it_is_started() {
    let supervisor = TestSupervisor::plan().app(App::hello("app").set("restart = 'never'")).start().await;
    process::signal(supervisor.worker("app").await, Signal::SIGKILL);
    let app = supervisor.until("app", "is stopped", |app| app.state == AppState::Stopped).await;
    assert_eq!((app.restarts, app.last_exit.as_deref()), (0, Some("killed by SIGKILL")));
    assert_eq!(supervisor.get("app", "/").await.status, 503);
    let socket = supervisor.socket().to_str().unwrap();
    assert_eq!(run(supervisor.folder(), &["start", "app", "--control", socket]).0, 0);
    assert_eq!(supervisor.get("app", "/").await.status, 200);
}

#[tokio::test]
async fn pauses_between_restarts_grow_as_the_policy_says() {
    let restart = |jitter| {
        format!(
            "restart = {{ policy = 'always', initial = '20ms', factor = 3, jitter = {jitter}, max = '1h', crash_loop = 100 }}"
        )
    };
    let supervisor = TestSupervisor::plan()
        .app(App::hello("even").set(&restart(0)))
        .app(App::hello("uneven").set(&restart(1)))
        .start()
        .await;
    for app in ["even", "uneven"] {
        for _ in 0..4 {
            let worker = supervisor.worker(app).await;
            process::signal(worker, Signal::SIGKILL);
            supervisor.replaced(app, worker).await;
        }
    }
    let pauses = async |app: &str| -> Vec<u64> {
        let delayed = |line: &Value| line["message"] == "restart delayed" && line["app"] == app;
        let ms = |line: Value| line["pause_ms"].as_u64().unwrap();
        until("three pauses are logged", async || {
            let records = supervisor.log.records().into_iter();
            let pauses: Vec<_> = records.filter(delayed).map(ms).collect();
            (pauses.len() >= 3).then_some(pauses)
        })
        .await
    };
    // The first restart is immediate, without a pause.
    assert_eq!(pauses("even").await, [20, 60, 180]);
    let uneven = pauses("uneven").await;
    assert!(uneven.iter().zip([20, 60, 180]).all(|(pause, middle)| *pause <= 2 * middle), "{uneven:?}");
}

/// Keeps as much memory outside of V8's heap as it is told to.
const HOARD: &str = "
const kept = [];
export default { fetch(request) {
  const mebibytes = Number(new URL(request.url).searchParams.get('mib') ?? 0);
  for (let i = 0; i < mebibytes; i++) kept.push(new Uint8Array(1 << 20).fill(1));
  return new Response(String(kept.length));
} }";

#[tokio::test]
async fn a_worker_with_too_much_memory_outside_of_its_heap_is_replaced_and_nobody_else_notices() {
    let hoard =
        App::new("hoard", HOARD).set("memory = '96MiB'\nheap = '64MiB'\nrecycle = { growth = false }");
    let supervisor = TestSupervisor::plan().app(hoard).app(App::hello("other")).start().await;
    let (worker, other) = (supervisor.worker("hoard").await, supervisor.worker("other").await);
    assert_eq!(supervisor.get("hoard", "/?mib=1").await.text(), "1");
    let _ = supervisor.client("hoard").await.get("/?mib=150").await;
    let app = supervisor.replaced("hoard", worker).await;
    let reason = app.last_exit.unwrap();
    assert!(
        reason.starts_with("out of memory: ") && reason.ends_with(" resident, 96.0 MiB allowed (`memory`)"),
        "{reason}"
    );
    assert_eq!(supervisor.get("hoard", "/?mib=1").await.text(), "1");
    assert_eq!(supervisor.worker("other").await, other);
    let found = &crashes(&supervisor, "hoard")[0];
    assert_eq!(found["cause"], "memory");
    assert!(found["usage"]["memory"].as_u64().unwrap() > 96 << 20, "{found}");
}

#[tokio::test]
async fn a_worker_is_replaced_after_its_share_of_requests_without_losing_one() {
    let app = App::hello("app").set("recycle = { requests = 50 }\nhung_timeout = '4s'\nwatchdog = '2s'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let load = Load::on(supervisor.address("app").await).await;
    supervisor.until("app", "was replaced three times", |app| app.restarts >= 3).await;
    supervisor.log.line_with("requests (`recycle.requests`)").await;
    assert_eq!(load.seen().await.into_keys().collect::<Vec<_>>(), ["hello from app"]);
    assert_eq!(crashes(&supervisor, "app"), json!([]));
}

#[tokio::test]
async fn a_worker_is_replaced_when_it_is_old_or_large() {
    let supervisor = TestSupervisor::plan()
        .app(App::hello("old").set("recycle = { lifetime = '200ms' }"))
        .app(App::new("large", HOARD).set("recycle = { memory = '64MiB' }"))
        .start()
        .await;
    supervisor.until("old", "was replaced twice", |app| app.restarts >= 2).await;
    supervisor.log.line_with("(`recycle.lifetime`)").await;
    let worker = supervisor.worker("large").await;
    assert_eq!(supervisor.get("large", "/?mib=80").await.text(), "80");
    supervisor.replaced("large", worker).await;
    supervisor.log.line_with("(`recycle.memory`)").await;
    assert_eq!(supervisor.get("large", "/?mib=1").await.text(), "1");
}

#[tokio::test]
async fn a_worker_that_cannot_be_recycled_stays() {
    let supervisor =
        TestSupervisor::plan().app(App::hello("app").set("recycle = { lifetime = '4s' }")).start().await;
    let worker = supervisor.worker("app").await;
    std::fs::write(supervisor.folder().join("app/index.js"), "export default {").unwrap();
    supervisor.log.line_with("the new worker is not ready; the one before it stays").await;
    assert_eq!(supervisor.worker("app").await, worker);
    assert_eq!(supervisor.get("app", "/").await.status, 200);
}

#[tokio::test]
async fn a_worker_gets_requests_once_it_answers_its_health_check() {
    let slow = "
let asked = 0;
export default { fetch(request) {
  if (new URL(request.url).pathname === '/up') {
    asked++;
    return asked < 3 ? new Response('not yet', { status: 503 }) : new Response('x'.repeat(300000));
  }
  return new Response(`asked ${asked} times by ${request.headers.get('user-agent') ?? 'nobody'}`);
} }";
    let never = "export default { fetch: () => new Response('never', { status: 500 }) }";
    let supervisor = TestSupervisor::plan()
        .app(App::new("slow", slow).set("health_path = '/up?full'"))
        .app(
            App::new("never", never)
                .set("health_path = '/up'\nstart_timeout = '5s'\nrestart = { crash_loop = 1 }"),
        )
        .start()
        .await;
    assert_eq!(supervisor.get("slow", "/").await.text(), "asked 3 times by nobody");
    let app = supervisor.app("never").await;
    let reason = "not healthy within `start_timeout`: it answered 500 (`health_path`)";
    assert_eq!((app.state, app.last_exit.as_deref()), (AppState::Failed, Some(reason)));
    assert_eq!(supervisor.get("never", "/").await.status, 500);
}

#[tokio::test]
async fn a_crash_leaves_a_report_with_last_lines_and_lost_requests() {
    let source = "
export default { fetch(request) {
  console.log('got', new URL(request.url).pathname);
  return new URL(request.url).pathname === '/held' ? new Promise(() => {}) : new Response('fine');
} }";
    let supervisor =
        TestSupervisor::plan().app(App::new("app", source)).app(App::hello("other")).start().await;
    assert_eq!(crashes(&supervisor, "app"), json!([]));
    let (client, worker) = (supervisor.client("app").await, supervisor.worker("app").await);
    assert_eq!(client.get("/fine").await.unwrap().status, 200);
    let held = tokio::spawn(async move { client.post("/held?x=1", "").await.unwrap() });
    supervisor.log.line_with("got /held").await;
    process::signal(worker, Signal::SIGKILL);
    let id = held.await.unwrap().header("x-request-id").to_owned();
    supervisor.replaced("app", worker).await;
    let named = until("the report names the request", async || {
        let found = crashes(&supervisor, "app");
        (found[0]["requests"] != json!([])).then_some(found)
    })
    .await;
    let found = &named[0];
    assert_eq!(named.as_array().unwrap().len(), 1);
    assert_eq!((&found["app"], &found["pid"]), (&json!("app"), &json!(worker)));
    assert_eq!((&found["cause"], &found["reason"]), (&json!("signal"), &json!("killed by SIGKILL")));
    assert_eq!(found["lines"], json!(["got /fine", "got /held"]));
    assert_eq!(found["requests"], json!([{ "id": id, "method": "POST", "target": "/held?x=1" }]));
    assert!(found["heap_limit"].as_u64().unwrap() >= 128 << 20, "{found}");
    assert_eq!(crashes(&supervisor, "other"), json!([]));

    let socket = supervisor.socket().to_str().unwrap();
    let (code, text, _) = run(supervisor.folder(), &["crashes", "--control", socket]);
    assert_eq!(code, 0);
    for part in ["app: killed by SIGKILL", "  got /held", &format!("  POST /held?x=1 {id}")] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    let (code, _, errors) = run(supervisor.folder(), &["crashes", "nobody", "--control", socket]);
    assert!(code == 1 && errors.contains("there is no app \"nobody\""), "{errors}");
}

#[tokio::test]
async fn a_worker_that_dies_while_its_successor_starts_is_reported_and_succeeded() {
    let app = "await fetch(env.ORIGIN).catch(() => {}); export default { fetch: () => new Response('x') };";
    let app = format!("import {{ env }} from 'cloudflare:workers'; {app}");
    let gate = Arc::new(tokio::sync::Semaphore::new(1));
    let gates = gate.clone();
    let origin = Origin::http(move |_| {
        let gate = gates.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            hyper::Response::new(crate::harness::origin::whole(""))
        }
    })
    .await;
    let app = App::new("app", &app).set(&format!("env.ORIGIN = 'http://{}'", origin.address));
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let worker = supervisor.worker("app").await;
    let rolled = begin(&supervisor, &["restart", "--rolling", "app"]);
    until("the successor loads", async || (origin.connections() >= 2).then_some(())).await;
    process::signal(worker, Signal::SIGKILL);
    let app = supervisor.until("app", "is not called ready", |app| app.state == AppState::Starting).await;
    assert_eq!((app.pid, app.last_exit.as_deref()), (None, Some("killed by SIGKILL")));
    gate.add_permits(1);
    let (code, _, errors) = crate::within(rolled).await.unwrap();
    assert_eq!((code, &*errors), (0, ""));
    assert_eq!(supervisor.get("app", "/").await.text(), "x");
    assert_eq!(crashes(&supervisor, "app").as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_report_of_an_app_that_does_not_load_has_what_it_printed() {
    let index = "console.log('reads the settings');\nthrow new Error('there are none');";
    let app = App::new("app", index).set("restart = 'never'");
    let supervisor = TestSupervisor::plan().app(app).launch().await;
    supervisor.until("app", "has failed to load", |app| app.last_exit.is_some()).await;
    let found = &crashes(&supervisor, "app")[0];
    assert_eq!((&found["cause"], &found["lines"]), (&json!("load_failed"), &json!(["reads the settings"])));
    assert!(found["pid"].as_u64().is_some_and(|pid| pid > 1), "{found}");
}

#[tokio::test]
async fn the_last_lines_of_a_worker_are_kept_although_a_call_comes_before_them() {
    let go = Arc::new(Notify::new());
    let told = go.clone();
    // The app has begun when it has connected once, and has said its last words when it has connected twice.
    let origin = Origin::raw(move |mut stream, number| {
        let told = told.clone();
        async move {
            if number % 2 == 1 {
                return std::future::pending().await;
            }
            told.notified().await;
            // A connection that is closed over unread bytes is reset, and the request would be sent again.
            assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
            let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).await.unwrap();
        }
    })
    .await;
    // What is made of a module is kept by a call, over the connection that carries the lines.
    let source = format!(
        "export default {{ async fetch(request) {{
            const name = new URL(request.url).pathname.slice(1);
            if (!name) return new Response('fine');
            await fetch('http://{address}/begun');
            await import(`./${{name}}.ts`);
            await new Promise((go) => setTimeout(go, 20));
            console.log('last', name);
            // A line is sent once the event loop has turned, and the connection to the origin may be open before.
            await new Promise((go) => setTimeout(go, 20));
            await fetch('http://{address}/done');
        }} }}",
        address = origin.address
    );
    // As often as it takes: the supervisor may see the end first or the lines.
    let names = 'a'..='z';
    let module = |app: App, name: char| app.file(&format!("{name}.ts"), "export const one: number = 1;");
    let app = names.clone().fold(App::new("app", &source), module);
    let supervisor = TestSupervisor::plan().app(app).set("cache_dir = 'here'").start().await;
    for (number, name) in names.enumerate() {
        let (client, worker) = (supervisor.client("app").await, supervisor.worker("app").await);
        // A worker that was useful is replaced at once.
        assert_eq!(client.get("/").await.unwrap().text(), "fine");
        let asked = tokio::spawn(async move { client.get(&format!("/{name}")).await.unwrap() });
        let connected = async |count| (origin.connections() == count).then_some(());
        until("it has begun", async || connected(2 * number + 1).await).await;
        // All that the worker says from here on is unread when it has ended.
        process::signal(supervisor.pid(), Signal::SIGSTOP);
        go.notify_one();
        until("it is done", async || connected(2 * number + 2).await).await;
        process::signal(worker, Signal::SIGKILL);
        process::signal(supervisor.pid(), Signal::SIGCONT);
        supervisor.replaced("app", worker).await;
        assert_eq!(asked.await.unwrap().status, 500);
        assert_eq!(crashes(&supervisor, "app")[0]["lines"], json!([format!("last {name}")]));
    }
}
