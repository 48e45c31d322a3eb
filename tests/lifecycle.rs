//! A worker's life: it is started, watched, replaced, and never left behind.

use nano_supervisor::api::AppState;
use nix::sys::signal::Signal;

use crate::harness::{App, Raw, crashes, process};
use crate::{TestSupervisor, until};

const SLOW: &str = "export default { async fetch(request) {
  const { pathname, search } = new URL(request.url);
  if (pathname === '/wait') {
    console.log('waits', search);
    await new Promise(() => {});
  }
  return new Response(await request.text() || 'fine');
} }";

#[tokio::test]
async fn the_first_restart_is_immediate_and_further_ones_back_off() {
    // The pauses are longer than the test may take, so only an immediate restart passes.
    let app = App::hello("app").set("restart = { initial = '1h', max = '1h' }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let first = supervisor.worker("app").await;
    process::signal(first, Signal::SIGKILL);
    let second = supervisor.replaced("app", first).await;
    assert_eq!((second.crashes, second.restarts), (1, 0));
    process::signal(second.pid.unwrap(), Signal::SIGKILL);
    let backing_off = supervisor.until("app", "backs off", |app| app.state == AppState::BackingOff).await;
    assert_eq!((backing_off.pid, backing_off.last_exit.as_deref()), (None, Some("killed by SIGKILL")));
    let record = supervisor.log.record_with("restart delayed").await;
    let pause = record["pause_ms"].as_u64().unwrap();
    assert!((2_880_000..=3_600_000).contains(&pause), "{record}");
}

#[tokio::test]
async fn a_worker_that_was_up_for_long_enough_is_replaced_at_once() {
    let app =
        App::hello("app").set("restart = { initial = '1h', max = '1h', min_uptime = '1ms', crash_loop = 2 }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let mut pid = supervisor.worker("app").await;
    for _ in 0..3 {
        until("it has been up for long enough", async || {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            Some(())
        })
        .await;
        process::signal(pid, Signal::SIGKILL);
        pid = supervisor.replaced("app", pid).await.pid.unwrap();
    }
}

#[tokio::test]
async fn requests_that_arrive_during_a_restart_are_served_by_the_next_worker() {
    let app = App::new("app", SLOW).set("restart = { initial = '1ms', max = '1ms', crash_loop = 1000 }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = supervisor.client("app").await;
    for round in 0..5 {
        let before = supervisor.worker("app").await;
        let mut in_flight = Raw::connect(supervisor.address("app").await);
        in_flight.send(format!("GET /wait?{round} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
        supervisor.log.line_with(&format!("waits ?{round}")).await;
        process::signal(before, Signal::SIGKILL);
        until("the worker is gone", async || (!process::exists(before)).then_some(())).await;
        // Only the request in flight is lost. Requests that arrive while there is no worker are kept, bodies included.
        let body = "x".repeat(1000 * round);
        let requests: Vec<_> = (0..20)
            .map(|number| {
                let (client, body) = (client.clone(), body.clone());
                tokio::spawn(async move {
                    if number % 2 == 0 { client.get("/").await } else { client.post("/", body).await }
                })
            })
            .collect();
        for request in requests {
            assert_eq!(request.await.unwrap().unwrap().status, 200);
        }
        assert!(in_flight.rest().starts_with("HTTP/1.1 500 "));
        supervisor.replaced("app", before).await;
    }
}

#[tokio::test]
async fn an_app_that_takes_too_long_to_start_is_given_up_and_tried_again() {
    let app = App::new("app", "await new Promise((resolve) => setTimeout(resolve, 1e9)); export default {}");
    let supervisor =
        TestSupervisor::plan().app(app.set("start_timeout = '500ms'\nqueue_timeout = '50ms'")).launch().await;
    let crashed = supervisor.until("app", "has timed out", |app| app.last_exit.is_some()).await;
    let reason = "did not load within `start_timeout`: a top-level await may never settle";
    assert_eq!(crashed.last_exit.as_deref(), Some(reason));
    supervisor.until("app", "is tried again", |app| app.failed_starts > 1).await;
}

#[tokio::test]
async fn a_failed_app_is_tried_again_slowly_and_serves_once_it_is_mended() {
    let app = App::new("app", "export default {").set("restart = { slow_retry = '200ms' }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    assert_eq!(supervisor.get("app", "/").await.status, 500);
    let mended = "export default { fetch: () => new Response('mended') }";
    std::fs::write(supervisor.folder().join("app/index.js"), mended).unwrap();
    supervisor.until("app", "is ready", |app| app.state == AppState::Ready).await;
    assert_eq!(supervisor.get("app", "/").await.text(), "mended");
}

#[tokio::test]
async fn workers_die_with_the_supervisor() {
    let mut supervisor = TestSupervisor::plan()
        .app(
            App::new("busy", "export default { fetch() { while (true) {} } }")
                .set("watchdog = '1m'\nhung_timeout = '2m'"),
        )
        .app(App::hello("idle"))
        .start()
        .await;
    let workers = [supervisor.worker("busy").await, supervisor.worker("idle").await];
    let mut spinning = Raw::connect(supervisor.address("busy").await);
    spinning.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    supervisor.in_flight("busy", 1).await;
    supervisor.signal(Signal::SIGKILL);
    supervisor.ended().await;
    for worker in workers {
        until("the worker has ended", async || (!process::is_alive(worker)).then_some(())).await;
    }
}

#[tokio::test]
async fn crashes_leave_neither_zombies_nor_descriptors_behind() {
    let restart = "restart = { initial = '1ms', max = '1ms', crash_loop = 1000 }";
    // Without spares, the number of processes does not vary with the crashes.
    let plan = TestSupervisor::plan().app(App::hello("app").set(restart)).set("spares = 0");
    let supervisor = plan.start().await;
    let crash = async || {
        let pid = supervisor.worker("app").await;
        process::signal(pid, Signal::SIGKILL);
        supervisor.replaced("app", pid).await;
        assert_eq!(supervisor.get("app", "/").await.status, 200);
    };
    for _ in 0..3 {
        crash().await;
    }
    let before = process::descriptors(supervisor.pid()).len();
    for _ in 0..20 {
        crash().await;
    }
    let left = async || (process::children(supervisor.pid()).len() == 1).then_some(());
    until("only the worker is left", left).await;
    // The number of client connections varies a little.
    let settled = async || (process::descriptors(supervisor.pid()).len() <= before + 2).then_some(());
    until("no descriptor is left behind", settled).await;
}

#[tokio::test]
async fn a_worker_started_by_hand_says_so() {
    let output = crate::harness::executable().args(["worker", "--connections", "1"]).output().unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("it is started by the supervisor, never by hand"), "{text}");
}

#[tokio::test]
async fn an_uncaught_error_is_fatal_only_where_that_is_configured() {
    let source = "export default { fetch({ url }) { Promise.reject(new Error('nobody cares')); return url.includes('bad') ? new Promise(() => {}) : new Response('x'); } }";
    let supervisor = TestSupervisor::plan()
        .app(App::new("tolerant", source))
        .app(App::new("strict", source).set("exit_on_unhandled_rejection = true"))
        .start()
        .await;
    let (tolerant, strict) = (supervisor.worker("tolerant").await, supervisor.worker("strict").await);
    assert_eq!(supervisor.get("tolerant", "/").await.status, 200);
    let reply = supervisor.get("strict", "/bad?1").await;
    let replaced = supervisor.replaced("strict", strict).await;
    assert_eq!(replaced.last_exit.as_deref(), Some("uncaught error"));
    let culprit = &crashes(&supervisor, "strict")[0]["culprit"];
    assert_eq!(
        (&culprit["id"], &culprit["method"]),
        (&reply.header("x-request-id").into(), &"GET".into()),
        "{culprit}"
    );
    // An app that has never answered is not delayed more than others by such requests.
    for _ in 0..8 {
        let worker = supervisor.worker("strict").await;
        supervisor.get("strict", "/bad").await;
        assert_eq!(supervisor.replaced("strict", worker).await.state, AppState::Ready);
    }
    assert_eq!(supervisor.worker("tolerant").await, tolerant);
    let record = supervisor.log.record_with("nobody cares").await;
    assert!(record["message"].as_str().unwrap().contains("index.js:1:"), "{record}");
}

#[tokio::test]
async fn two_supervisors_cannot_share_a_port_or_a_control_socket() {
    let supervisor = TestSupervisor::plan().app(App::hello("app")).start().await;
    let port = supervisor.address("app").await.port();
    let folder = supervisor.folder().join("app");
    let serve = |arguments: &[&str]| {
        let output = crate::harness::executable().arg("serve").arg(&folder).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, text) = serve(&["--host", "127.0.0.1", "--port", &port.to_string(), "--io-threads", "2"]);
    assert_eq!(code, Some(1));
    assert!(
        text.contains(&format!("cannot listen on 127.0.0.1:{port} for app app: Address already in use")),
        "{text}"
    );
    assert!(text.contains("fix: stop what uses it, or choose another port"), "{text}");
    let (code, text) = serve(&["--port", "0", "--control", supervisor.socket().to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(text.contains("another supervisor uses it; fix: stop it, or choose another path"), "{text}");
}
