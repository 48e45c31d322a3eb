//! What WebSockets may hold that an app has opened to servers, and what becomes of one whose server breaks a rule.

use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::harness::talker::{TEXT, Talker};
use crate::harness::workerd::Both;
use crate::harness::{App, Origin, Raw};
use crate::{TestSupervisor, until, websocket};

/// An app that opens WebSockets, as many as `many` says, by `fetch` or by `new`, and keeps them. It tells the end of each at `/ends`.
/// At `/echo`, it says whether another one works.
const APP: &str = r#"
const kept = [], ends = [];
const open = async (url, by, listen) => {
  if (by === "new") {
    const ws = new WebSocket(url.replace("http", "ws"));
    listen(ws);
    await new Promise((resolve) => { ws.onopen = resolve; });
    return ws;
  }
  const { webSocket } = await fetch(url, { headers: { Upgrade: "websocket" } });
  listen(webSocket);
  webSocket.accept();
  return webSocket;
};
export default { async fetch(request, env) {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === "/ends") return Response.json(ends);
  if (pathname === "/external") return Response.json(process.memoryUsage().external);
  if (pathname === "/pass") return fetch(env.UP + searchParams.get("to"), request);
  if (pathname === "/echo") {
    const { promise, resolve } = Promise.withResolvers();
    const ws = await open(`${env.UP}/echo`, "fetch", (ws) => {
      ws.addEventListener("message", ({ data }) => resolve(data));
      ws.addEventListener("close", ({ code }) => resolve(String(code)));
    });
    ws.send("it works");
    const text = await promise;
    ws.close();
    return new Response(text);
  }
  let told;
  const all = [];
  for (let left = Number(searchParams.get("many") ?? 1); left > 0; left--) {
    const { promise: ended, resolve } = Promise.withResolvers();
    const ws = await open(env.UP + searchParams.get("to"), searchParams.get("by"), (ws) => {
      ws.addEventListener("close", ({ code, reason, wasClean }) => { ends.push(code); resolve([code, reason, wasClean]); });
      ws.addEventListener("message", ({ data }) => { told = data.length ?? data.size; });
    });
    for (let sends = Number(searchParams.get("sends") ?? 0); sends > 0; sends--) ws.send(new Uint8Array(65536));
    kept.push(ws);
    all.push(ended);
  }
  // What a request has fetched ends with it.
  const { readable, writable } = new TransformStream();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  Promise.all(all.map(async (ended) => writer.write(encoder.encode(`${JSON.stringify([await ended, told])}\n`)))).then(() => writer.close()).catch(() => {});
  return new Response(readable);
} };
"#;

/// Serves WebSockets. What clients say at their end is collected.
async fn serve() -> (Origin, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (origin, told) = (seen.clone(), seen);
    let origin = Origin::http(move |request| websocket::serve(request, origin.clone())).await;
    (origin, told)
}

/// Returns what servers have heard at the ends of their WebSockets, once there are so many.
async fn heard(told: &Mutex<Vec<String>>, many: usize) -> Vec<String> {
    until(&format!("{many} servers have heard of the end"), async || {
        let told = told.lock().unwrap();
        let ends: Vec<String> =
            told.iter().filter_map(|told| Some(told.strip_prefix("closed ")?.to_owned())).collect();
        (ends.len() >= many).then_some(ends)
    })
    .await
}

fn app(origin: &Origin) -> App {
    App::new("app", APP).set(&format!("env = {{ UP = 'http://{}' }}", origin.address))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_server_may_be_as_long_as_the_limit_as_on_workers() {
    let (origin, told) = serve().await;
    let Some(both) = Both::serve(APP, origin.address).await else { return };
    for (to, code) in
        [("/hostile/longest", None), ("/hostile/too-long", Some("1009")), ("/hostile/huge", Some("1009"))]
    {
        told.lock().unwrap().clear();
        let [ours, theirs] = both.send("GET", &format!("/?to={to}"), &[], "").await;
        let ours = ours.unwrap().text().to_owned();
        assert_eq!(ours.contains(&(32 << 20).to_string()), code.is_none(), "{ours}");
        if code.is_none() {
            assert_eq!(ours, theirs.unwrap().text(), "{to}");
        }
        if let Some(code) = code {
            // What the app hears of it differs.
            assert!(ours.starts_with("[[1006,"), "{ours}");
            let ends = heard(&told, 2).await;
            assert!(ends.iter().all(|end| end.starts_with(code)), "{to}: {ends:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_servers_that_are_not_complete_hold_no_more_than_they_may() {
    for by in ["fetch", "new"] {
        let (origin, told) = serve().await;
        let app = app(&origin).set("max_websocket_message = '512KiB'\nmax_websocket_buffered = '1MiB'");
        let supervisor = TestSupervisor::plan().app(app).start().await;
        let (worker, client) = (supervisor.worker("app").await, supervisor.client("app").await);
        let mut raw = Raw::connect(supervisor.address("app").await);
        // Of each, 400 KiB arrive: a frame and the beginning of the next one.
        raw.send(format!("GET /?to=/hostile/part&many=4&by={by} HTTP/1.1\r\nhost: a\r\n\r\n"));
        let ends = heard(&told, 2).await;
        assert_eq!(ends, ["1013 too many messages wait (`max_websocket_buffered`)"; 2], "{by}");
        supervisor
            .log
            .line_with("a WebSocket that the app has opened was closed: too many messages wait")
            .await;
        until("the app hears of both", async || {
            let ends = client.get("/ends").await.unwrap().json();
            (ends == json!([1006, 1006])).then_some(())
        })
        .await;
        assert_eq!(client.get("/echo").await.unwrap().text(), "it works");
        assert_eq!(supervisor.worker("app").await, worker);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_does_not_take_ends_its_websocket_and_no_other() {
    for by in ["fetch", "new"] {
        let (origin, _told) = serve().await;
        let app = app(&origin).set("max_websocket_message = '512KiB'\nmax_websocket_buffered = '1MiB'");
        let supervisor = TestSupervisor::plan().app(app).start().await;
        let worker = supervisor.worker("app").await;
        let ended = supervisor.get("app", &format!("/?to=/hostile/deaf&sends=200&by={by}")).await;
        assert_eq!(
            ended.text().trim(),
            r#"[[1006,"",false],null]"#.replace("\"\"", &closing_reason(by)),
            "{by}"
        );
        supervisor.log.line_with("the other side does not take what is sent to it").await;
        assert_eq!(supervisor.get("app", "/echo").await.text(), "it works");
        assert_eq!(supervisor.worker("app").await, worker);
    }
}

/// The reason that the app reads when a WebSocket is lost.
fn closing_reason(by: &str) -> String {
    match by {
        "new" => "\"\"".to_owned(),
        _ => "\"WebSocket disconnected without sending Close frame.\"".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closing_frame_of_a_server_that_breaks_a_rule_reaches_no_client() {
    let (origin, told) = serve().await;
    let supervisor = TestSupervisor::plan().app(app(&origin)).start().await;
    let address = supervisor.address("app").await;
    for (number, end) in [
        "1002 half a code",
        "1002 code of a closing frame",
        "1007 reason that is not UTF-8",
        "1002 code of a closing frame",
        "1002 control frame that is too long",
    ]
    .into_iter()
    .enumerate()
    {
        told.lock().unwrap().clear();
        let mut talker = Talker::open(address, &format!("/pass?to=/hostile/close/{number}"));
        assert_eq!(talker.hears(), "close 1011 ", "{end}");
        assert_eq!(heard(&told, 1).await, [end]);
        told.lock().unwrap().clear();
        let ended = supervisor.get("app", &format!("/?by=new&to=/hostile/close/{number}")).await;
        assert_eq!(ended.text().trim(), r#"[[1006,"",false],null]"#, "{end}");
        assert_eq!(heard(&told, 1).await, [end]);
    }
    let mut talker = Talker::open(address, "/pass?to=/echo");
    assert_eq!(talker.send(TEXT, "a").hears(), "text a");
}

#[tokio::test(flavor = "multi_thread")]
async fn v8_knows_what_a_message_holds_that_is_not_complete() {
    let (origin, _told) = serve().await;
    let supervisor = TestSupervisor::plan().app(app(&origin)).start().await;
    let client = supervisor.client("app").await;
    let external = async || client.get("/external").await.unwrap().json().as_u64().unwrap();
    let mut raw = Raw::connect(supervisor.address("app").await);
    raw.send("GET /?to=/hostile/begun HTTP/1.1\r\nhost: a\r\n\r\n");
    let begun = 20 << 20;
    until("V8 has been told", async || (external().await >= begun).then_some(())).await;
    drop(raw);
    until("V8 has been told of the end", async || (external().await < begun).then_some(())).await;
}
