//! Outbound connections: those beyond the limit wait, idle ones make room, and a worker that reaches its limit of
//! descriptors goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::{Request, Response};
use serde_json::json;
use tokio::sync::Notify;

use crate::harness::origin::whole;
use crate::harness::{App, Origin, process};
use crate::{TestSupervisor, until, within};

/// Starts an origin that answers `/held` only when it is notified, and everything else at once.
async fn origin() -> (Origin, Arc<Notify>) {
    let (origin, go, _) = counting_origin().await;
    (origin, go)
}

/// Starts an origin as [`origin`] does, and also returns the greatest number of requests that it has held at once.
async fn counting_origin() -> (Origin, Arc<Notify>, Arc<AtomicUsize>) {
    let (go, now, most) =
        (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)), Arc::<AtomicUsize>::default());
    let (held, peak) = (go.clone(), most.clone());
    let origin = Origin::http(move |request: Request<hyper::body::Incoming>| {
        let (held, now, peak) = (held.clone(), now.clone(), peak.clone());
        async move {
            if request.uri().path() == "/held" {
                peak.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                held.notified().await;
                now.fetch_sub(1, Ordering::Relaxed);
            }
            Response::new(whole("from the origin"))
        }
    })
    .await;
    (origin, go, most)
}

/// Fetches all URLs of the query at once. Answers with the result of each.
const FETCH: &str = "
export default { async fetch(request, env) {
  const urls = new URL(request.url).searchParams.getAll('url');
  const get = async (url) => {
    try {
      if (url.startsWith('ws')) {
        const socket = new WebSocket(url);
        return await new Promise((resolve) => {
          socket.onopen = () => resolve('open');
          socket.onerror = (event) => resolve(`${event.message}`);
        });
      }
      return await (await fetch(url)).text();
    } catch (error) { return `${error.message} [${error.code}]`; }
  };
  return Response.json(await Promise.all(urls.map(get)));
} }";

fn path(urls: &[String]) -> String {
    let urls: Vec<_> = urls.iter().map(|url| format!("url={url}")).collect();
    format!("/?{}", urls.join("&"))
}

#[tokio::test]
async fn outbound_connections_beyond_the_limit_wait_for_a_place() {
    let (origin, go, most) = counting_origin().await;
    let app = App::new("app", FETCH).set("max_outbound = 2");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = supervisor.client("app").await;
    let held = path(&vec![format!("http://{}/held", origin.address); 20]);
    let fetching = tokio::spawn({
        let client = client.clone();
        async move { client.get(&held).await.unwrap() }
    });
    until("two have come", async || (origin.connections() == 2).then_some(())).await;
    // A request that ends makes room for the next one, on its connection or a new one.
    until("all are done", async || {
        go.notify_one();
        fetching.is_finished().then_some(())
    })
    .await;
    assert_eq!(fetching.await.unwrap().json(), json!(vec!["from the origin"; 20]));
    assert_eq!(most.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn connections_that_are_kept_for_later_make_room_for_those_to_other_hosts() {
    let app = App::new("app", FETCH).set("max_outbound = 2");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = supervisor.client("app").await;
    let (busy, go) = origin().await;
    let held = tokio::spawn({
        let (client, path) = (client.clone(), path(&[format!("http://{}/held", busy.address)]));
        async move { client.get(&path).await.unwrap() }
    });
    until("one is under way", async || (busy.connections() == 1).then_some(())).await;
    for _ in 0..5 {
        // Each request goes to another origin, and the pool keeps the connection to it.
        let (origin, _) = origin().await;
        let reply = within(client.get(&path(&[format!("http://{}/", origin.address)]))).await.unwrap();
        assert_eq!(reply.json(), json!(["from the origin"]));
    }
    assert!(!held.is_finished());
    go.notify_one();
    assert_eq!(held.await.unwrap().json(), json!(["from the origin"]));
}

#[tokio::test]
async fn an_outbound_connection_that_finds_no_place_in_time_fails_and_names_the_limit() {
    let (origin, go) = origin().await;
    let app = App::new("app", FETCH).set("max_outbound = 1");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = supervisor.client("app").await;
    let held = tokio::spawn({
        let (client, path) = (client.clone(), path(&[format!("http://{}/held", origin.address)]));
        async move { client.get(&path).await.unwrap() }
    });
    until("one has come", async || (origin.connections() == 1).then_some(())).await;
    let address = origin.address;
    let failed =
        client.get(&path(&[format!("http://{address}/"), format!("ws://{address}/")])).await.unwrap();
    let why = "the app has 1 outbound connections open, which is as many as it may (`max_outbound`), and none was \
               closed within 10 s";
    let failed = failed.json();
    assert_eq!(failed[0], format!("fetch to http://{address} failed: {why} [EBUSY]"));
    assert!(failed[1].as_str().unwrap().contains(why), "{failed}");
    go.notify_one();
    assert_eq!(held.await.unwrap().json(), json!(["from the origin"]));
    assert_eq!(
        client.get(&path(&[format!("http://{address}/")])).await.unwrap().json(),
        json!(["from the origin"])
    );
}

#[tokio::test]
async fn a_worker_without_descriptors_left_fails_what_needs_one_and_lives_on() {
    let (origin, go) = origin().await;
    let app = App::new("app", FETCH).set("max_outbound = 1000\nmax_fds = 64\nrequest_timeout = '1m'");
    let supervisor = TestSupervisor::plan().app(app).app(App::hello("other")).start().await;
    let (client, worker) = (supervisor.client("app").await, supervisor.worker("app").await);
    let urls = vec![format!("http://{}/held", origin.address); 200];
    let fetching = tokio::spawn({
        let (client, path) = (client.clone(), path(&urls));
        async move { client.get(&path).await.unwrap() }
    });
    until("the worker has as many descriptors as it may", async || {
        (process::descriptors(worker).len() >= 60).then_some(())
    })
    .await;
    // The worker still serves requests.
    assert_eq!(client.get("/").await.unwrap().json(), json!([]));
    until("all are answered", async || {
        go.notify_waiters();
        fetching.is_finished().then_some(())
    })
    .await;
    let found = fetching.await.unwrap().json();
    let count = |text: &str| found.as_array().unwrap().iter().filter(|found| **found == *text).count();
    let why = format!(
        "fetch to http://{} failed: the app has as many files and connections open as it may (`max_fds`) [EMFILE]",
        origin.address
    );
    let (answered, failed) = (count("from the origin"), count(&why));
    assert!(answered > 0 && failed >= 100 && answered + failed == 200, "{answered} {failed}: {found}");
    let again = client.get(&path(&[format!("http://{}/", origin.address)])).await.unwrap();
    assert_eq!(again.json(), json!(["from the origin"]));
    assert_eq!(supervisor.worker("app").await, worker);
    assert_eq!(supervisor.get("other", "/").await.status, 200);
}
