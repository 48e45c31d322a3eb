//! Crash isolation: whatever happens to one app, its neighbour is not affected, and the app recovers without help.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nano_supervisor::api::AppState;

use nix::sys::signal::Signal;
use tokio::task::JoinHandle;

use crate::harness::{App, Client, process};
use crate::{TestSupervisor, until};

/// Fails in the way that the path names, and works otherwise.
const VICTIM: &str = "
let kept = [];
export default { async fetch(request) {
  switch (new URL(request.url).pathname) {
    case '/spin': while (true) {}
    case '/spin-later': await new Promise((resolve) => setTimeout(resolve, 1)); while (true) {}
    case '/spin-microtasks': { const spin = () => Promise.resolve().then(spin); await spin(); }
    case '/hoard': while (true) kept.push(new Array(10000).fill(kept.length));
    case '/hoard-later': await 0; while (true) kept.push({ text: 'x'.repeat(10000) + kept.length });
    case '/recurse': { const recurse = () => recurse() + 1; return new Response(recurse()); }
    case '/regexp': /^(a+)+$/.test('a'.repeat(40) + 'b'); return new Response('matched');
    case '/throw': throw new Error('thrown');
    case '/reject': Promise.reject(new Error('rejected')); return new Response('answered');
    case '/timer': setTimeout(() => { throw new Error('in a timer'); }, 0); return new Response('answered');
    case '/wait': console.log('waits'); return new Promise(() => {});
    case '/stream': return new Response(new ReadableStream({
      start(controller) { controller.enqueue(new TextEncoder().encode('part')); },
    }));
    case '/spin-in-stream': return new Response(new ReadableStream({
      start(controller) { controller.enqueue(new TextEncoder().encode('part')); },
      async pull() { await new Promise((resolve) => setTimeout(resolve, 50)); while (true) {} },
    }));
  }
  return new Response('fine');
} }";

/// A victim, and a neighbour that gets requests all the time.
struct Street {
    supervisor: TestSupervisor,
    neighbour: u32,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    load: Vec<JoinHandle<()>>,
}

impl Street {
    async fn new() -> Self {
        Self::with(App::new("victim", VICTIM).set("heap = '48MiB'")).await
    }

    /// Starts a victim that may run for a moment at a time.
    async fn guarded() -> Self {
        Self::with(App::new("victim", VICTIM).set("watchdog = '300ms'")).await
    }

    async fn with(victim: App) -> Self {
        let supervisor = TestSupervisor::plan().app(victim).app(App::hello("neighbour")).start().await;
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let client = supervisor.client("neighbour").await;
        let load =
            (0..4).map(|_| tokio::spawn(visit(client.clone(), stop.clone(), answered.clone()))).collect();
        let neighbour = supervisor.worker("neighbour").await;
        let street = Self { supervisor, neighbour, stop, answered, load };
        street.more_visits().await;
        street
    }

    /// Waits until the neighbour has answered 100 more requests.
    async fn more_visits(&self) {
        let goal = self.answered.load(Ordering::Relaxed) + 100;
        let enough = async || (self.answered.load(Ordering::Relaxed) >= goal).then_some(());
        until("the neighbour has had more visits", enough).await;
    }

    /// Sends a request to the victim. Returns the status, or zero if there was no answer.
    async fn attack(&self, path: &str) -> u16 {
        let client = self.supervisor.client("victim").await;
        client.get(path).await.map_or(0, |reply| reply.status)
    }

    /// Waits until the victim answers again and checks that the neighbour was not affected.
    async fn assert_recovered(self) {
        let client = self.supervisor.client("victim").await;
        let fine = async || client.get("/").await.ok().filter(|reply| reply.status == 200).map(|_| ());
        until("the victim is fine again", fine).await;
        assert_eq!(self.supervisor.app("victim").await.state, AppState::Ready);
        self.assert_neighbour_is_well().await;
    }

    async fn assert_neighbour_is_well(self) {
        self.more_visits().await;
        self.stop.store(true, Ordering::Relaxed);
        for visitor in self.load {
            // A visit that failed has panicked in its task.
            visitor.await.unwrap();
        }
        let neighbour = self.supervisor.app("neighbour").await;
        assert_eq!((neighbour.pid, neighbour.crashes, neighbour.restarts), (Some(self.neighbour), 0, 0));
        assert_eq!((neighbour.state, neighbour.last_exit), (AppState::Ready, None));
    }
}

async fn visit(client: Client, stop: Arc<AtomicBool>, answered: Arc<AtomicUsize>) {
    while !stop.load(Ordering::Relaxed) {
        let reply = client.get("/").await.expect("the neighbour answers");
        assert_eq!((reply.status, reply.text()), (200, "hello from neighbour"));
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

async fn survives_signal(signal: Signal) {
    let street = Street::new().await;
    let before = street.supervisor.worker("victim").await;
    let client = street.supervisor.client("victim").await;
    let waiting = tokio::spawn(async move { client.get("/wait").await.unwrap().status });
    // Wait until the worker has begun the request: otherwise the next worker would get it.
    street.supervisor.log.line_with("waits").await;
    process::signal(before, signal);
    assert_eq!(waiting.await.unwrap(), 500);
    let after = street.supervisor.replaced("victim", before).await;
    assert_eq!((after.crashes, after.restarts), (1, 0));
    assert_eq!(after.last_exit, Some(format!("killed by {signal}")));
    // A request sent meanwhile waits for the new worker.
    assert_eq!(street.attack("/").await, 200);
    street.assert_recovered().await;
}

#[tokio::test]
async fn sigkill() {
    survives_signal(Signal::SIGKILL).await;
}

#[tokio::test]
async fn sigsegv() {
    survives_signal(Signal::SIGSEGV).await;
}

#[tokio::test]
async fn sigabrt() {
    survives_signal(Signal::SIGABRT).await;
}

#[tokio::test]
async fn a_stopped_worker_is_found_hung_and_replaced() {
    let victim = App::new("victim", VICTIM).set("watchdog = '1s'\nhung_timeout = '3s'");
    let street = Street::with(victim).await;
    let before = street.supervisor.worker("victim").await;
    process::signal(before, Signal::SIGSTOP);
    // The stopped worker had not begun the request, so the next worker gets it.
    assert_eq!(street.attack("/").await, 200);
    let after = street.supervisor.replaced("victim", before).await;
    assert_eq!(after.last_exit.as_deref(), Some("hung: no answer to a ping in time"));
    assert!(!process::is_alive(before));
    street.assert_recovered().await;
}

async fn survives_spinning(path: &str) {
    let street = Street::guarded().await;
    let before = street.supervisor.worker("victim").await;
    assert_eq!(street.attack(path).await, 504);
    let after = street.supervisor.replaced("victim", before).await;
    let reason = "watchdog: JavaScript did not return to the event loop in time";
    assert_eq!(after.last_exit.as_deref(), Some(reason));
    street.assert_recovered().await;
}

#[tokio::test]
async fn an_endless_loop() {
    survives_spinning("/spin").await;
}

#[tokio::test]
async fn an_endless_loop_after_a_timer() {
    survives_spinning("/spin-later").await;
}

#[tokio::test]
async fn endless_microtasks() {
    survives_spinning("/spin-microtasks").await;
}

#[tokio::test]
async fn a_regular_expression_that_backtracks_forever() {
    survives_spinning("/regexp").await;
}

async fn survives_hoarding(path: &str) {
    let street = Street::with(App::new("victim", VICTIM).set("heap = '48MiB'")).await;
    let before = street.supervisor.worker("victim").await;
    assert_eq!(street.attack(path).await, 500);
    let after = street.supervisor.replaced("victim", before).await;
    assert_eq!(after.last_exit.as_deref(), Some("out of memory: the V8 heap reached its limit"));
    street.assert_recovered().await;
}

#[tokio::test]
async fn heap_exhaustion() {
    survives_hoarding("/hoard").await;
}

#[tokio::test]
async fn heap_exhaustion_after_an_await() {
    survives_hoarding("/hoard-later").await;
}

#[tokio::test]
async fn what_javascript_can_survive_costs_no_worker() {
    let street = Street::new().await;
    let before = street.supervisor.worker("victim").await;
    assert_eq!(street.attack("/recurse").await, 500);
    assert_eq!(street.attack("/throw").await, 500);
    assert_eq!(street.attack("/reject").await, 200);
    assert_eq!(street.attack("/timer").await, 200);
    street.supervisor.log.record_with("RangeError: Maximum call stack size exceeded").await;
    street.supervisor.log.record_with("Uncaught (in promise) Error: rejected").await;
    street.supervisor.log.record_with("Error: in a timer").await;
    assert_eq!(street.attack("/").await, 200);
    assert_eq!(street.supervisor.worker("victim").await, before);
    street.assert_recovered().await;
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_streamed_response() {
    use http_body_util::BodyExt as _;
    for path in ["/stream", "/spin-in-stream"] {
        let street = Street::guarded().await;
        let before = street.supervisor.worker("victim").await;
        let client = street.supervisor.client("victim").await;
        let request = client.request("GET", path).body(http_body_util::Empty::new()).unwrap();
        let mut body = client.begin(request).await.unwrap().into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "part");
        if path == "/stream" {
            process::signal(before, Signal::SIGKILL);
        }
        assert!(body.frame().await.expect("an end that is no end").is_err());
        street.supervisor.replaced("victim", before).await;
        street.assert_recovered().await;
    }
}

#[tokio::test]
async fn a_throw_at_the_top_level() {
    let street = Street::with(App::new("victim", "throw new Error('at the top');")).await;
    let victim = street.supervisor.app("victim").await;
    assert_eq!(victim.state, AppState::Failed);
    let reason = victim.last_exit.unwrap();
    assert!(
        reason.contains("Error: at the top\n    at index.js:1:7\n    1 | throw new Error('at the top');"),
        "{reason}"
    );
    assert_eq!(street.attack("/").await, 500);
    street.assert_neighbour_is_well().await;
}

#[tokio::test]
async fn a_crash_loop_fails_and_is_tried_again_slowly() {
    let restart = "restart = { initial = '1ms', max = '5ms', crash_loop = 3, slow_retry = '5s' }";
    let street = Street::with(App::new("victim", VICTIM).set(restart)).await;
    let mut last = 0;
    for _ in 0..3 {
        let victim = street.supervisor.replaced("victim", last).await;
        last = victim.pid.unwrap();
        process::signal(last, Signal::SIGKILL);
    }
    let is_failed = |app: &nano_supervisor::api::status::AppStatus| app.state == AppState::Failed;
    let failed = street.supervisor.until("victim", "has failed", is_failed).await;
    assert_eq!((failed.crashes, failed.restarts, failed.pid), (3, 0, None));
    assert_eq!(street.attack("/").await, 503);
    street.supervisor.log.record_with("app failed").await;
    // The app recovers with time alone.
    street.supervisor.replaced("victim", last).await;
    street.assert_recovered().await;
}

#[tokio::test]
async fn an_app_that_crashes_while_it_loads_is_no_busy_loop() {
    let app = App::new("victim", "while (true) {}")
        .set("watchdog = '50ms'\nrestart = { crash_loop = 2, slow_retry = '1h' }");
    let street = Street::with(app).await;
    let is_failed = |app: &nano_supervisor::api::status::AppStatus| app.state == AppState::Failed;
    let failed = street.supervisor.until("victim", "has failed", is_failed).await;
    assert!(failed.failed_starts <= 2 && failed.crashes == 0, "{failed:?}");
    assert_eq!(street.attack("/").await, 500);
    street.assert_neighbour_is_well().await;
}

#[tokio::test]
async fn whatever_was_interrupted_it_is_the_limit_that_is_to_blame() {
    // Native code that is interrupted throws as if it had failed by itself.
    let source = "export default { async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === '/clone') for (;;) structuredClone({ a: [1, 2, 3] });
        // V8 does not look in there whether it is to end.
        if (pathname === '/deaf') ('a'.repeat(1 << 21)).lastIndexOf('a'.repeat(1 << 20) + 'b');
        if (pathname === '/catch') for (;;) try { for (;;) structuredClone({ a: 1 }); } catch {}
        return new Response('fine');
    } }";
    let supervisor =
        TestSupervisor::plan().app(App::new("app", source).set("watchdog = '500ms'")).start().await;
    for _ in 0..5 {
        for path in ["/clone", "/deaf", "/catch"] {
            let worker = supervisor.worker("app").await;
            let reply = supervisor.get("app", path).await;
            assert_eq!(
                reply.text(),
                "504 Gateway Timeout\nThe app was interrupted: it kept running too long.\n"
            );
            supervisor.replaced("app", worker).await;
            assert_eq!(supervisor.get("app", "/").await.text(), "fine");
        }
    }
    assert!(!supervisor.log.lines().iter().any(|line| line.contains("deserialize")));
}
