//! The `heap` limit applies to live memory, not to the space that V8 leaves empty between live objects.

use crate::TestSupervisor;
use crate::harness::{App, crashes};

/// Keeps arrays of 64 KiB. Three of them fit into a page of V8's heap, and leave a quarter of it empty.
const CACHE: &str = "
const kept = [];
export default { async fetch(request) {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === '/buffer') {
    try { return new Response(new ArrayBuffer(2 ** 40).byteLength); } catch ({ name }) { return new Response(name); }
  }
  const most = Number(searchParams.get('mib')) * 16;
  while (kept.length < most) kept.push(new Array(8192).fill(kept.length));
  return new Response(kept.length);
} }";

#[tokio::test]
async fn as_much_may_be_alive_as_the_limit_says_and_not_more() {
    let app = App::new("app", CACHE).set("heap = '64MiB'\nmemory = '512MiB'\nrecycle = { growth = false }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let worker = supervisor.worker("app").await;
    for mib in [30, 50, 55] {
        let reply = supervisor.get("app", &format!("/?mib={mib}")).await;
        assert_eq!(reply.text(), (mib * 16).to_string());
    }
    assert_eq!(supervisor.worker("app").await, worker);
    let reply = supervisor.get("app", "/?mib=70").await;
    assert_eq!(reply.status, 500);
    supervisor.replaced("app", worker).await;
    let crash = &crashes(&supervisor, "app")[0];
    assert_eq!((&crash["cause"], &crash["culprit"]["target"]), (&"out_of_memory".into(), &"/?mib=70".into()));
}

#[tokio::test]
async fn a_buffer_that_cannot_be_had_is_an_error_of_the_app_and_ends_no_worker() {
    let supervisor = TestSupervisor::plan().app(App::new("app", CACHE).set("heap = '64MiB'")).start().await;
    let worker = supervisor.worker("app").await;
    for _ in 0..3 {
        assert_eq!(supervisor.get("app", "/buffer").await.text(), "RangeError");
    }
    assert_eq!(supervisor.worker("app").await, worker);
}
