//! The cost of a crash is as low as possible and falls only on the requests in flight in that worker.

use nano_supervisor::api::AppState;
use nano_supervisor::api::status::AppStatus;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::harness::{App, Load, crashes, process, run};
use crate::limits::has;
use crate::{TestSupervisor, until};

/// Fails in the way that the path names, and works otherwise.
const APP: &str = "
const kept = [];
export default { async fetch(request) {
  switch (new URL(request.url).pathname) {
    case '/hoard': for (;;) kept.push(new Array(10000).fill(kept.length));
    case '/hoard-later': await new Promise((done) => setTimeout(done, 1)); for (;;) kept.push(new Array(10000).fill(kept.length));
    case '/spin': await 0; for (;;);
    case '/native': return new Response('a'.repeat(1 << 21).lastIndexOf('a'.repeat(1 << 20) + 'b'));
    case '/die': for (;;);
    case '/wait': console.log('waits', request.url); return new Promise(() => {});
    case '/length': return new Response((await request.text()).length);
  }
  return new Response('fine');
} }";

/// Back-off so long that a test notices if it has to wait for it.
const SLOW: &str = "restart = { initial = '1h', max = '1h', crash_loop = 2, slow_retry = '1h' }";

#[tokio::test]
async fn a_worker_that_has_answered_is_replaced_at_once_however_often_it_ends() {
    let app = App::new("app", APP).set(SLOW).set("heap = '32MiB'\nwatchdog = '300ms'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    for round in 0..4 {
        for path in ["/hoard", "/spin", "/native"] {
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
    // The requests that end workers are on probation: they wait and let others go first.
    let app = App::new("app", APP).set(restart).set("heap = '32MiB'\nqueue_timeout = '1m'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    // The app has never answered a request, and each worker gets another request that ends it.
    for path in ["/hoard", "/hoard-later"] {
        for _ in 0..5 {
            assert_eq!(supervisor.get("app", path).await.status, 500);
        }
    }
    // The same with all of them at once.
    let client = supervisor.client("app").await;
    let burst: Vec<_> = (0..5)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.get("/hoard").await.unwrap().status })
        })
        .collect();
    assert_eq!(supervisor.get("app", "/").await.text(), "fine");
    for killing in burst {
        assert_eq!(killing.await.unwrap(), 500);
    }
    assert_eq!(supervisor.get("app", "/").await.text(), "fine");
}

#[tokio::test]
async fn whoever_is_refused_learns_when_it_is_of_use_to_ask_again() {
    let is_failed = |app: &AppStatus| app.state == AppState::Failed;
    let is_backing_off = |app: &AppStatus| app.state == AppState::BackingOff;
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

#[tokio::test]
async fn whoever_has_ended_a_worker_is_named_and_nobody_else_is() {
    let app = App::new("app", APP).set("watchdog = '2s'");
    let supervisor = TestSupervisor::plan()
        .app(app)
        .app(App::new("later", APP).set("heap = '32MiB'"))
        .app(App::new("slow", APP))
        .start()
        .await;
    for (app, path, cause) in [
        ("later", "/hoard?x=1", "out_of_memory"),
        ("later", "/hoard-later", "out_of_memory"),
        ("app", "/spin", "watchdog"),
        ("slow", "/die", "signal"),
    ] {
        let (worker, client) = (supervisor.worker(app).await, supervisor.client(app).await);
        let waits = format!("/wait?{cause}{}", path.replace(['/', '?'], "-"));
        let innocent = tokio::spawn({
            let waits = waits.clone();
            async move { client.get(&waits).await.unwrap() }
        });
        supervisor.log.line_with(&waits).await;
        let reply = if path == "/die" {
            let client = supervisor.client(app).await;
            let before = process::ticks(worker);
            let dying = tokio::spawn(async move { client.get("/die").await.unwrap() });
            until("it is at work", async || (process::ticks(worker) > before + 10).then_some(())).await;
            process::signal(worker, Signal::SIGSEGV);
            dying.await.unwrap()
        } else {
            supervisor.get(app, path).await
        };
        supervisor.replaced(app, worker).await;
        let innocent = innocent.await.unwrap();
        assert_eq!(innocent.status, 500);
        let crash = &crashes(&supervisor, app)[0];
        let id = reply.header("x-request-id");
        assert_eq!(crash["cause"], cause);
        assert_eq!(crash["culprit"], json!({ "id": id, "method": "GET", "target": path }), "{crash}");
        let id = innocent.header("x-request-id");
        assert_eq!(crash["requests"], json!([{ "id": id, "method": "GET", "target": waits }]));
        let told = json!({ "message": "worker ended", "app": app, "request_id": reply.header("x-request-id"),
            "method": "GET", "path": path.split('?').next() });
        until("the log names it", async || {
            supervisor.log.records().iter().any(|line| has(line, &told)).then_some(())
        })
        .await;
    }
    // If several requests could be to blame, none is suspected.
    let (worker, client) = (supervisor.worker("app").await, supervisor.client("app").await);
    let innocent = tokio::spawn(async move { client.get("/wait?idle").await.unwrap() });
    supervisor.log.line_with("/wait?idle").await;
    process::signal(worker, Signal::SIGSEGV);
    assert_eq!(innocent.await.unwrap().status, 500);
    supervisor.replaced("app", worker).await;
    let crash = &crashes(&supervisor, "app")[0];
    assert_eq!((&crash["culprit"], crash["requests"].as_array().unwrap().len()), (&Value::Null, 1));
}

#[tokio::test]
async fn requests_that_a_worker_has_not_begun_with_are_answered_by_the_next_bodies_included() {
    let app = App::new("app", APP).set("watchdog = '2s'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = supervisor.client("app").await;
    let worker = supervisor.worker("app").await;
    let before = process::ticks(worker);
    let spinning = tokio::spawn(async move { client.get("/spin").await.unwrap().status });
    until("it is at work", async || (process::ticks(worker) > before + 10).then_some(())).await;
    let client = supervisor.client("app").await;
    // More than a stream carries before the worker reads its body.
    let body = "x".repeat(300_000);
    let innocents: Vec<_> = (0..10)
        .map(|number| {
            let (client, body) = (client.clone(), body.clone());
            tokio::spawn(async move {
                if number % 2 == 0 { client.get("/").await } else { client.post("/length", body).await }
            })
        })
        .collect();
    let texts: Vec<_> =
        all(innocents).await.into_iter().map(|reply| reply.unwrap().text().to_owned()).collect();
    assert_eq!(spinning.await.unwrap(), 504);
    assert_eq!(texts, ["fine", "300000"].repeat(5));
    assert_eq!(crashes(&supervisor, "app")[0]["requests"], json!([]));
}

async fn all<T>(tasks: Vec<tokio::task::JoinHandle<T>>) -> Vec<T> {
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

#[tokio::test]
async fn of_a_request_with_a_long_target_only_its_beginning_is_kept() {
    let app = App::new("app", APP).set("watchdog = '300ms'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let path = format!("/spin?{}", "x".repeat(8000));
    let worker = supervisor.worker("app").await;
    assert_eq!(supervisor.get("app", &path).await.status, 504);
    supervisor.replaced("app", worker).await;
    let kept = crashes(&supervisor, "app")[0]["culprit"]["target"].as_str().unwrap().to_owned();
    assert!(kept.len() < 300 && kept.starts_with("/spin?x") && kept.ends_with("..."), "{kept}");
}

/// Leaks memory over time, independent of the number of requests.
const LEAKS: &str = "
const kept = [];
let begun, passed = 0, leaked = 0;
export default { fetch(request, env) {
  // A pause of the machine does not count.
  begun ??= Date.now();
  passed += Math.min(Date.now() - begun, 50);
  begun = Date.now();
  const due = passed / 1000 * env.MIB_PER_SECOND;
  for (; leaked < due; leaked += 0.25) {
    kept.push(env.OUTSIDE ? new Uint8Array(1 << 18).fill(1) : new Array(1 << 15).fill(leaked));
  }
  return new Response('fine');
} }";

#[tokio::test]
async fn a_worker_that_leaks_is_replaced_before_its_limit_and_nobody_notices() {
    let supervisor = TestSupervisor::plan()
        .app(App::new("inside", LEAKS).set("heap = '64MiB'\nenv.MIB_PER_SECOND = 4"))
        .app(
            App::new("outside", LEAKS)
                .set("heap = '32MiB'\nmemory = '96MiB'\nenv.MIB_PER_SECOND = 6\nenv.OUTSIDE = true"),
        )
        .start()
        .await;
    // So slowly that the next worker has seconds to start before this one comes to its limit.
    let loads = [
        ("inside", "its heap has grown", Load::on(supervisor.address("inside").await).await),
        ("outside", "its memory has grown", Load::on(supervisor.address("outside").await).await),
    ];
    for (app, what, load) in loads {
        supervisor.until(app, "was replaced twice", |app| app.restarts >= 2).await;
        supervisor.log.line_with(what).await;
        assert_eq!(load.seen().await.into_keys().collect::<Vec<_>>(), ["fine"]);
        assert_eq!(crashes(&supervisor, app), json!([]));
    }
}

#[tokio::test]
async fn a_worker_that_leaks_faster_than_v8_collects_is_replaced_all_the_same() {
    let app = App::new("app", LEAKS).set("heap = '384MiB'\nenv.MIB_PER_SECOND = 60");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = supervisor.client("app").await;
    until("the worker was replaced", async || {
        for _ in 0..100 {
            assert_eq!(client.get("/").await.unwrap().text(), "fine");
        }
        (supervisor.app("app").await.restarts > 0).then_some(())
    })
    .await;
    supervisor.log.line_with("its heap has grown").await;
    assert_eq!(crashes(&supervisor, "app"), json!([]));
}

/// Kills workers, of whose ends the supervisor learns at the same time.
fn kill_at_once(supervisor: &TestSupervisor, workers: &[u32]) {
    supervisor.signal(Signal::SIGSTOP);
    workers.iter().for_each(|worker| process::signal(*worker, Signal::SIGKILL));
    supervisor.signal(Signal::SIGCONT);
}

#[tokio::test]
async fn there_are_as_many_spares_as_were_needed_at_once() {
    let names: Vec<_> = (0..4).map(|number| format!("app{number}")).collect();
    let plan = names.iter().fold(TestSupervisor::plan(), |plan, name| plan.app(App::hello(name)));
    let supervisor = plan.start().await;
    until("there is one", async || (supervisor.spares().await.len() == 1).then_some(())).await;
    let mut workers = Vec::new();
    for name in &names {
        workers.push(supervisor.worker(name).await);
    }
    kill_at_once(&supervisor, &workers);
    until("there are more", async || (supervisor.spares().await.len() > 1).then_some(())).await;
}

#[tokio::test]
async fn a_worker_whose_growth_is_nobodys_concern_comes_to_its_limit() {
    let app = App::new("app", LEAKS).set("heap = '32MiB'\nmemory = '64MiB'\nrecycle = { growth = false }");
    let app = app.set("env.MIB_PER_SECOND = 32\nenv.OUTSIDE = true");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let load = Load::on(supervisor.address("app").await).await;
    let app = supervisor.until("app", "has crashed", |app| app.crashes > 0).await;
    drop(load);
    assert_eq!(app.restarts, 0);
}

#[tokio::test]
async fn a_worker_that_is_merely_large_stays() {
    // Most of the heap is in use from the start, and each request allocates and frees much.
    let large = "
const kept = Array.from({ length: 120 }, (_, index) => new Array(1 << 15).fill(index));
export default { fetch: () => new Response(String(new Array(1 << 15).fill(kept.length).length)) };";
    let supervisor = TestSupervisor::plan().app(App::new("app", large).set("heap = '64MiB'")).start().await;
    let worker = supervisor.worker("app").await;
    let load = Load::on(supervisor.address("app").await).await;
    load.more(2000).await;
    assert_eq!(load.seen().await.into_keys().collect::<Vec<_>>(), ["32768"]);
    assert_eq!(supervisor.worker("app").await, worker);
}

#[tokio::test]
async fn requests_that_end_workers_again_and_again_are_refused_until_they_are_released() {
    let app = App::new("app", APP).set("watchdog = '300ms'\nquarantine = true");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let command = |arguments: &[&str]| {
        let socket = supervisor.socket().to_str().unwrap().to_owned();
        run(supervisor.folder(), &[arguments, &["--control", &socket]].concat())
    };
    let spin = async |query: &str| {
        let worker = supervisor.worker("app").await;
        assert_eq!(supervisor.get("app", &format!("/spin?{query}")).await.status, 504);
        supervisor.replaced("app", worker).await;
    };
    for round in 0..2 {
        spin("1").await;
        assert_eq!(
            command(&["quarantine", "app"]).1,
            "suspected: GET /spin (ended the worker at the last crash)\n"
        );
        spin("2").await;
        let client = supervisor.client("app").await;
        let request = client.request("GET", "/spin").header("accept", "application/json");
        let refused =
            client.send(request.body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap()).await.unwrap();
        assert_eq!((refused.status, &refused.json()["error"]["code"]), (503, &json!("quarantined")));
        assert_eq!(supervisor.get("app", "/").await.text(), "fine");
        let listed = command(&["quarantine", "app"]).1;
        assert_eq!(listed, "refused: GET /spin (ended the worker at 2 of the last 2 crashes)\n");
        if round == 0 {
            let (code, _, errors) = command(&["quarantine", "app", "--release", "GET", "/other"]);
            assert!(code == 1 && errors.contains("GET /other is neither refused nor suspected"), "{errors}");
            assert_eq!(command(&["quarantine", "app", "--release", "GET", "/spin"]).0, 0);
        } else {
            // A restart clears the quarantine, because the code of the app may have changed.
            assert_eq!(command(&["restart", "app", "--rolling"]).0, 0);
        }
        assert_eq!(command(&["quarantine", "app"]).1, "no request is suspected or refused\n");
    }
    spin("3").await;
}

#[tokio::test]
async fn replacements_that_nobody_has_asked_for_wait_for_their_turn_too() {
    let names = ["a", "b", "c"];
    let app = |name| App::hello(name).set("recycle = { requests = 1 }");
    let plan = names.iter().fold(TestSupervisor::plan(), |plan, name| plan.app(app(name)));
    let supervisor = plan.set("max_starts_per_second = 1").start().await;
    until("one waits for its turn", async || {
        for name in names {
            assert_eq!(supervisor.get(name, "/").await.status, 200);
        }
        supervisor.status().await.into_iter().find(|app| app.waits_for_turn)
    })
    .await;
}

#[tokio::test]
async fn starts_that_nobody_has_asked_for_wait_for_their_turn() {
    let names: Vec<_> = (0..5).map(|number| format!("app{number}")).collect();
    let plan = names.iter().fold(TestSupervisor::plan(), |plan, name| plan.app(App::hello(name)));
    let supervisor = plan.app(App::hello("other")).set("max_starts_per_second = 1").start().await;
    let mut workers = Vec::new();
    for name in &names {
        assert_eq!(supervisor.get(name, "/").await.status, 200);
        workers.push(supervisor.worker(name).await);
    }
    // `max_starts_per_second` is 1, and two starts may happen at once.
    kill_at_once(&supervisor, &workers);
    let waits = async || supervisor.status().await.into_iter().find(|app| app.waits_for_turn);
    until("an app waits for its turn", waits).await;
    supervisor.log.line_with("the next start waits for its turn (`max_starts_per_second`)").await;
    // A start that an operator asks for does not wait for its turn. Requests wait for their app.
    let socket = supervisor.socket().to_str().unwrap();
    assert_eq!(run(supervisor.folder(), &["restart", "other", "--control", socket]).0, 0);
    for name in &names {
        assert_eq!(supervisor.get(name, "/").await.text(), format!("hello from {name}"));
    }
    assert!(waits().await.is_none());
}
