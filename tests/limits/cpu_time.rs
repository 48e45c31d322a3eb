//! CPU time of requests: what counts, which request it is charged to, and which request is blamed for JavaScript that
//! was terminated.

use http_body_util::Empty;
use serde_json::json;

use super::has;
use crate::harness::{App, Client, crashes};
use crate::{TestSupervisor, until};

/// Uses CPU time, or none, in the way that the path names.
const BUSY: &str = "
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const burn = (ms) => { const begun = performance.now(); while (performance.now() - begun < ms); };
const burnOn = async () => { while (true) { burn(10); await sleep(1); } };
export default { async fetch(request, env, ctx) {
  switch (new URL(request.url).pathname) {
    case '/loop': while (true) {}
    case '/timers': await burnOn();
    case '/microtasks': while (true) await null;
    case '/regexp': /^(a+)+$/.test('a'.repeat(40) + 'b'); return new Response('matched');
    case '/answered': ctx.waitUntil(burnOn()); return new Response('answered');
    case '/spin-later': await sleep(1); while (true) {}
    case '/spin-microtask': await null; while (true) {}
    case '/wait': console.log('waits', request.url); return new Promise(() => {});
    case '/sleep': for (let i = 0; i < 10; i++) await sleep(50); return new Response('rested');
  }
  return new Response('fine');
} }";

const OVER: &str = "the request used more CPU time than `cpu_time` allows";

async fn busy(settings: &str) -> TestSupervisor {
    let app = App::new("app", BUSY).set(settings);
    TestSupervisor::plan().app(app).app(App::hello("neighbour")).start().await
}

/// Sends a request. Returns the status and error code of the answer, and the request's id.
async fn ask(client: &Client, path: &str) -> (u16, String, String) {
    let request =
        client.request("GET", path).header("accept", "application/json").body(Empty::new()).unwrap();
    let reply = client.send(request).await.unwrap();
    let code = reply.json()["error"]["code"].as_str().unwrap_or_default().to_owned();
    (reply.status, code, reply.header("x-request-id").to_owned())
}

#[tokio::test]
async fn a_request_that_uses_up_its_cpu_time_is_answered_503_and_the_worker_is_replaced() {
    let supervisor = busy("cpu_time = '200ms'\nwatchdog = '20s'\nhung_timeout = '1m'").await;
    let client = supervisor.client("app").await;
    for path in ["/loop", "/timers", "/microtasks", "/regexp"] {
        let before = supervisor.worker("app").await;
        let (status, code, id) = ask(&client, path).await;
        assert_eq!((status, &*code), (503, "cpu_time"), "{path}");
        let after = supervisor.replaced("app", before).await;
        assert_eq!(after.last_exit.as_deref(), Some("CPU time: a request used more than `cpu_time` allows"));
        let is_told = |record: &serde_json::Value| {
            has(record, &json!({ "level": "ERROR", "app": "app", "message": OVER, "request_id": id }))
        };
        until(&format!("the log says so of {path}"), async || {
            supervisor.log.records().iter().any(is_told).then_some(())
        })
        .await;
        assert_eq!(client.get("/").await.unwrap().text(), "fine");
    }
    assert_eq!(supervisor.app("neighbour").await.crashes, 0);
}

#[tokio::test]
async fn what_v8_does_not_look_up_from_is_charged_and_ended_too() {
    const DEAF: &str = "
      const text = 'a'.repeat(1 << 21), sought = 'a'.repeat(1 << 20) + 'b';
      export default { async fetch(request) {
        const { pathname, search } = new URL(request.url);
        if (search === '?later') await new Promise((done) => setTimeout(done, 1));
        switch (pathname) {
          // V8 would make two loops of this, and check for interrupts in neither.
          case '/literal': for (;;) [3, 2, 1].sort((one, other) => one - other);
          case '/array': for (;;) if (new Array(32).length > 32) return;
          case '/url': while (request.url.includes('/url'));
          // One call of native code, which takes minutes.
          case '/native': return new Response(text.lastIndexOf(sought));
        }
        return new Response('fine');
      } }";
    let spent = App::new("spent", DEAF).set("cpu_time = '200ms'\nwatchdog = '20s'\nhung_timeout = '1m'");
    let stuck = App::new("stuck", DEAF).set("watchdog = '300ms'");
    let supervisor = TestSupervisor::plan().app(spent).app(stuck).start().await;
    for (app, answer) in [("spent", (503, "cpu_time")), ("stuck", (504, "watchdog"))] {
        let client = supervisor.client(app).await;
        for path in ["/literal", "/array", "/url", "/native"] {
            for target in [path.to_owned(), format!("{path}?later")] {
                let worker = supervisor.worker(app).await;
                let (status, code, id) = ask(&client, &target).await;
                assert_eq!((status, &*code), answer, "{target}");
                supervisor.replaced(app, worker).await;
                let crash = &crashes(&supervisor, app)[0];
                let culprit = json!({ "id": id, "method": "GET", "target": target });
                assert_eq!(crash["cause"], answer.1);
                assert!(has(&crash["culprit"], &culprit), "{crash}");
                assert_eq!(client.get("/").await.unwrap().text(), "fine");
            }
        }
    }
}

#[tokio::test]
async fn a_loop_with_a_literal_in_it_is_blamed_on_its_request_and_not_on_those_that_wait() {
    const APP: &str = "export default { async fetch(request) {
        if (request.url.endsWith('/wait')) { console.log('waits'); return new Promise(() => {}); }
        await new Promise((done) => setTimeout(done, 1));
        for (;;) [3, 2, 1].sort((one, other) => one - other);
      } }";
    let app = App::new("app", APP).set("cpu_time = '200ms'\nwatchdog = '20s'\nhung_timeout = '1m'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = supervisor.client("app").await;
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { ask(&client, "/wait").await }
    });
    // The worker has begun it: otherwise the next one would get it.
    supervisor.log.line_with("waits").await;
    let (status, code, _) = ask(&client, "/loop").await;
    assert_eq!((status, &*code), (503, "cpu_time"));
    let (status, code, _) = waiting.await.unwrap();
    assert_eq!((status, &*code), (500, "worker_died"));
}

#[tokio::test]
async fn waiting_costs_no_cpu_time_and_each_request_has_its_own() {
    let supervisor = busy("cpu_time = '100ms'").await;
    let (client, worker) = (supervisor.client("app").await, supervisor.worker("app").await);
    // The first request also pays for what V8 compiles, so it is sent before the others.
    client.get("/").await.unwrap();
    let rest: Vec<_> = (0..10)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.get("/sleep").await.unwrap() })
        })
        .collect();
    for _ in 0..1000 {
        assert_eq!(client.get("/").await.unwrap().text(), "fine");
    }
    for rested in rest {
        assert_eq!(rested.await.unwrap().text(), "rested");
    }
    assert_eq!(supervisor.worker("app").await, worker);
}

#[tokio::test]
async fn what_a_request_does_after_its_response_counts_and_others_fail_with_the_worker() {
    let supervisor = busy("cpu_time = '200ms'").await;
    let (client, before) = (supervisor.client("app").await, supervisor.worker("app").await);
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { ask(&client, "/wait").await }
    });
    supervisor.log.line_with("waits").await;
    let answered = client.get("/answered").await.unwrap();
    assert_eq!(answered.text(), "answered");
    let (status, code, _) = waiting.await.unwrap();
    assert_eq!((status, &*code), (500, "worker_died"));
    let record = supervisor.log.record_with(OVER).await;
    assert_eq!(record["request_id"], answered.header("x-request-id"));
    supervisor.replaced("app", before).await;
}

#[tokio::test]
async fn a_spin_after_an_await_is_blamed_on_its_own_request() {
    let supervisor = busy("watchdog = '300ms'").await;
    let client = supervisor.client("app").await;
    for path in ["/spin-later", "/spin-microtask"] {
        let before = supervisor.worker("app").await;
        let waits = format!("/wait?{}", &path[1..]);
        let waiting = tokio::spawn({
            let (client, waits) = (client.clone(), waits.clone());
            async move { ask(&client, &waits).await }
        });
        supervisor.log.line_with(&waits).await;
        let (status, code, id) = ask(&client, path).await;
        assert_eq!((status, &*code), (504, "watchdog"), "{path}");
        let (status, code, _) = waiting.await.unwrap();
        assert_eq!((status, &*code), (500, "worker_died"), "{path}");
        supervisor.replaced("app", before).await;
        let is_told = |record: &serde_json::Value| {
            record["request_id"] == *id && record["message"].as_str().unwrap().contains("`watchdog`")
        };
        until(&format!("the log says so of {path}"), async || {
            supervisor.log.records().iter().any(is_told).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_body_that_is_encoded_without_end_is_charged_to_its_request_and_others_are_answered_meanwhile() {
    const BOMB: &str = "
      import { gzipSync } from 'node:zlib';
      // A gzip stream may consist of many members, so few bytes can decompress to very many.
      const member = gzipSync(new Uint8Array(1 << 20));
      const bytes = Buffer.concat(Array(3000).fill(member));
      const headers = { 'content-encoding': 'gzip', 'cache-control': 'max-age=600' };
      let begun = 0;
      export default { async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === '/') return new Response(`${begun}`);
        await caches.default.put('http://bomb/', new Response(bytes, { headers, encodeBody: 'manual' }));
        const { body } = await caches.default.match('http://bomb/');
        begun++;
        return new Response(body, { headers: { 'content-encoding': 'br' } });
      } }";
    let app = App::new("app", BOMB).set("cpu_time = '5s'\nwatchdog = '20s'\nhung_timeout = '1m'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let (client, worker) = (supervisor.client("app").await, supervisor.worker("app").await);
    let bomb = tokio::spawn({
        let client = client.clone();
        async move { client.get("/bomb").await }
    });
    // Only the worker that encodes the body answers 1. The one that replaces it answers 0.
    let is_begun = async || (client.get("/").await.ok()?.text() == "1").then_some(());
    until("others are answered meanwhile", is_begun).await;
    let _ = bomb.await;
    let after = supervisor.replaced("app", worker).await;
    assert_eq!(after.last_exit.as_deref(), Some("CPU time: a request used more than `cpu_time` allows"));
}
