//! What a crash costs: as much as it must, and only those who were in the midst of it.

use nano_supervisor::status::AppStatus;
use nix::sys::signal::Signal;

use crate::TestSupervisor;
use crate::harness::{App, process};

/// Fails in the way the path names, and is fine otherwise.
const APP: &str = "
const kept = [];
export default { async fetch(request) {
  switch (new URL(request.url).pathname) {
    case '/hoard': for (;;) kept.push(new Array(10000).fill(kept.length));
    case '/spin': for (;;);
    case '/wait': return new Promise(() => {});
  }
  return new Response('fine');
} }";

/// Pauses so long that whoever has to wait for one shows it.
const SLOW: &str = "restart = { initial = '1h', max = '1h', crash_loop = 2, slow_retry = '1h' }";

#[tokio::test]
async fn a_worker_that_has_answered_is_replaced_at_once_however_often_it_ends() {
    let app = App::new("app", APP).set(SLOW).set("heap = '32MiB'\nwatchdog = '300ms'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    for round in 0..4 {
        for path in ["/hoard", "/spin"] {
            assert_eq!(supervisor.get("app", "/").await.text(), "fine");
            let worker = supervisor.worker("app").await;
            assert!(supervisor.get("app", path).await.status >= 500, "{round}");
            supervisor.replaced("app", worker).await;
        }
        assert_eq!(supervisor.get("app", "/").await.text(), "fine");
        let worker = supervisor.worker("app").await;
        process::signal(worker, Signal::SIGSEGV);
        supervisor.replaced("app", worker).await;
    }
    assert!(!supervisor.log.lines().iter().any(|line| line.contains("restart delayed")));
}

#[tokio::test]
async fn an_app_that_gets_nothing_but_requests_that_end_it_still_answers_others() {
    let restart = "restart = { initial = '1ms', max = '1ms', crash_loop = 2, slow_retry = '1h' }";
    let app = App::new("app", APP).set(restart).set("heap = '32MiB'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    // It has never answered anything, and each worker gets one more of them.
    for _ in 0..5 {
        assert_eq!(supervisor.get("app", "/hoard").await.status, 500);
    }
    assert_eq!(supervisor.get("app", "/").await.text(), "fine");
}

#[tokio::test]
async fn whoever_is_refused_learns_when_it_is_of_use_to_ask_again() {
    let is_failed = |app: &AppStatus| app.state == "failed";
    let is_backing_off = |app: &AppStatus| app.state == "backing-off";
    let restart =
        "restart = { initial = '20m', max = '20m', jitter = 0, crash_loop = 3, slow_retry = '40m' }";
    let patient = "restart = { crash_loop = 1, slow_retry = '40m' }";
    let supervisor = TestSupervisor::plan()
        .app(App::hello("resting").set(restart).set("queue_timeout = '10ms'"))
        .app(App::hello("failed").set(patient))
        .start()
        .await;
    let first = supervisor.worker("resting").await;
    process::signal(first, Signal::SIGKILL);
    let second = supervisor.replaced("resting", first).await.pid.unwrap();
    process::signal(second, Signal::SIGKILL);
    supervisor.until("resting", "backs off", is_backing_off).await;
    process::signal(supervisor.worker("failed").await, Signal::SIGKILL);
    supervisor.until("failed", "has failed", is_failed).await;
    for (app, least, most) in [("resting", 19 * 60, 20 * 60), ("failed", 39 * 60, 40 * 60)] {
        let reply = supervisor.get(app, "/").await;
        let seconds: u64 = reply.header("retry-after").parse().unwrap();
        assert_eq!(reply.status, 503);
        assert!((least..=most).contains(&seconds), "{app}: {seconds}");
    }
}
