//! WebSockets that apps open with `fetch`, and pass on to their clients.

use std::sync::{Arc, Mutex};

use hyper::Response;
use serde_json::{Value, json};

use crate::admin::metrics;
use crate::harness::origin::whole;
use crate::harness::talker::{self, BINARY, TEXT, Talker};
use crate::harness::workerd::Both;
use crate::harness::{App, Client, Origin, Raw, free_address};
use crate::{TestSupervisor, until, websocket};

/// An app that tells what comes of a WebSocket that it fetches from `to`, or passes it on. What it is to send is in `send`, part by part
/// for each message that has come.
const PROGRAM: &str = r#"
const t = (f) => { try { return String(f()); } catch (e) { return `${e.name}: ${e.message}`; } };
export default { async fetch(request, env) {
  const { pathname, searchParams } = new URL(request.url);
  const url = env.UP + searchParams.get("to");
  if (pathname === "/pass") return fetch(url, request);
  const headers = { upgrade: searchParams.get("upgrade") ?? "websocket", "x-own": "7" };
  if (searchParams.has("proto")) headers["sec-websocket-protocol"] = searchParams.get("proto");
  const response = await fetch(url, { headers });
  const ws = response.webSocket;
  if (pathname === "/accepted") { ws.accept(); return response; }
  if (pathname === "/anew") return new Response(null, { status: 101, webSocket: ws, headers: { "x-anew": "1" } });
  const names = ["upgrade", "connection", "sec-websocket-protocol"];
  const seen = [response.status, response.ok, response.body === null, names.map((name) => response.headers.get(name)), response.webSocket === ws];
  if (!ws) return Response.json({ seen, text: await response.text() });
  seen.push(ws instanceof WebSocket, ws.readyState, ws.url, ws.protocol, ws.extensions, t(() => ws.send("early")), t(() => ws.close()), t(() => response.clone()));
  const events = [], send = (searchParams.get("send") ?? "").split("|");
  ws.binaryType = "arraybuffer";
  const next = () => {
    const what = send.shift();
    if (!what) return;
    if (what.startsWith("end")) events.push(t(() => ws.close(...JSON.parse(what.slice(3)))), ws.readyState, t(() => ws.send("late")));
    else ws.send(what.startsWith("binary") ? new TextEncoder().encode(what) : what);
  };
  const ended = new Promise((resolve) => {
    ws.addEventListener("message", ({ data }) => {
      events.push(typeof data === "string" ? data : [data.constructor.name, data.byteLength]);
      next();
    });
    ws.addEventListener("close", ({ code, reason, wasClean }) => { events.push(["close", code, reason, wasClean, ws.readyState]); resolve(); });
    ws.addEventListener("error", () => events.push("error"));
  });
  ws.accept();
  next();
  await ended;
  return Response.json({ seen, events });
} };
"#;

async fn serve() -> (Origin, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = heads.clone();
    let origin = Origin::http(move |request| websocket::serve(request, seen.clone())).await;
    (origin, heads)
}

#[tokio::test]
async fn a_fetched_websocket_behaves_as_on_workers() {
    let (origin, heads) = serve().await;
    let Some(both) = Both::serve(PROGRAM, origin.address).await else { return };
    for query in [
        "to=/echo&send=a|binary b|end[3000,%22bye%22]",
        "to=/echo&proto=chat&send=a|end[]",
        "to=/echo&send=a|b|close 4001 of the server",
        "to=/echo&upgrade=WebSocket&send=end[1000]",
        "to=/fragments",
        "to=/close",
        "to=/drop",
        "to=/not-found",
    ] {
        let [ours, theirs] =
            both.send("GET", &format!("/story?{}", query.replace(' ', "%20")), &[], "").await;
        let mut told: Vec<Value> = [ours, theirs].into_iter().map(|reply| reply.unwrap().json()).collect();
        for told in &mut told {
            // workerd may report an error when it is over.
            if let Some(events) = told["events"].as_array_mut() {
                events.retain(|event| event != "error");
            }
        }
        assert_eq!(told[0], told[1], "{query}");
        assert!(told[0]["seen"].as_array().unwrap().len() > 4);
    }
    let heads = heads.lock().unwrap();
    assert!(heads.iter().all(|head| head.ends_with("  7 13")), "{heads:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetched_websocket_is_passed_on_as_on_workers() {
    let (origin, _heads) = serve().await;
    let Some(both) = Both::serve(PROGRAM, origin.address).await else { return };
    for path in ["/pass?to=/echo", "/anew?to=/echo"] {
        for address in both.addresses() {
            let mut talker = Talker::open(address, path);
            assert_eq!(talker.head.to_lowercase().contains("x-anew: 1"), path.starts_with("/anew"));
            assert_eq!(talker.send(TEXT, "a").hears(), "text a", "{path}");
            let long = vec![7; 300_000];
            assert!(talker.send(BINARY, &long).message() == Some((2, long)), "{path}");
            assert_eq!(
                talker.send(TEXT, "close 4001 of the server").hears(),
                "close 4001 of the server",
                "{path}"
            );
            let mut talker = Talker::open(address, path);
            assert_eq!(talker.send(TEXT, "a").hears(), "text a", "{path}");
            assert_eq!(talker.close(3000, "bye").hears(), "close 3000 bye", "{path}");
        }
    }
    // What the server sends before anybody listens is not lost.
    for address in both.addresses() {
        let mut talker = Talker::open(address, "/pass?to=/greeting");
        assert_eq!([talker.hears(), talker.hears()], ["text welcome", "close 4001 enough"]);
        // A server that refuses is passed on as well.
        let mut raw = Raw::connect(address);
        let head = raw.send(talker::handshake("/pass?to=/not-found", "")).up_to("\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    }
    let mut raw = Raw::connect(both.addresses()[0]);
    let head = raw.send(talker::handshake("/accepted?to=/echo", "")).up_to("\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 500"), "{head}");
}

#[tokio::test]
async fn a_fetched_websocket_keeps_to_the_rules_of_outbound_connections() {
    let (origin, _heads) = serve().await;
    let app = format!(
        "const held = []; export default {{ async fetch(request) {{
          const url = 'http://{}';
          if (request.url.endsWith('/limit')) {{
            const open = async () => {{ const {{ webSocket }} = await fetch(url + '/echo', {{ headers: {{ Upgrade: 'websocket' }} }}); webSocket.accept(); held.push(webSocket); }};
            for (let i = 0; i < 2; i++) await open();
            held.pop().close();
            await open();
            return new Response('open');
          }}
          const tell = (path) => fetch(url + path, {{ headers: {{ Upgrade: 'websocket' }} }}).then((response) => response.status, String);
          return Response.json([await tell('/wrong-key'), await tell('/unasked')]);
        }} }}",
        origin.address
    );
    let denied = App::new("denied", &app).set("deny_net = ['127.0.0.1']");
    let open = App::new("open", &app).set("max_outbound = 2");
    let supervisor = TestSupervisor::plan().app(denied).app(open).start().await;
    let told = supervisor.get("denied", "/").await.text().to_owned();
    assert!(told.contains("was refused") && !told.contains("101"), "{told}");
    let told: Value = serde_json::from_str(supervisor.get("open", "/").await.text()).unwrap();
    let to = format!("TypeError: fetch to http://{} failed: the server", origin.address);
    assert_eq!(
        told,
        json!([
            format!("{to}'s Sec-WebSocket-Accept does not fit the key"),
            format!("{to} picked a protocol that was not offered"),
        ])
    );
    assert_eq!(supervisor.get("open", "/limit").await.text(), "open");
}

#[tokio::test]
async fn what_an_app_has_fetched_and_forgotten_holds_no_connection() {
    let (origin, _heads) = serve().await;
    let refusing =
        Origin::http(|_| async { Response::builder().status(404).body(whole("no sockets here")).unwrap() })
            .await;
    let app = format!(
        "const ask = (to) => fetch(`http://${{to}}`, {{ headers: {{ Upgrade: 'websocket' }} }});
        export default {{ async fetch(request) {{
          const {{ pathname }} = new URL(request.url);
          if (pathname === '/refused') {{
            const kept = [];
            for (let i = 0; i < 5; i++) kept.push(await ask('{}/'));
            return new Response(kept.map(({{ status }}) => status).join());
          }}
          const {{ webSocket }} = await ask('{}/echo');
          if (pathname === '/accepted') {{ webSocket.accept(); webSocket.send('a'); }}
          return new Response(String(webSocket.readyState));
        }} }}",
        refusing.address, origin.address
    );
    let app = App::new("app", &app).set("max_outbound = 2");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    assert_eq!(supervisor.get("app", "/refused").await.text(), "404,404,404,404,404");
    for path in ["/accepted", "/never-accepted"] {
        for _ in 0..5 {
            assert_eq!(supervisor.get("app", path).await.text(), "1", "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_client_or_a_server_reaches_the_other_one() {
    let (origin, _heads) = serve().await;
    let admin = free_address();
    let app = App::new("app", PROGRAM).set(&format!("env = {{ UP = 'http://{}' }}", origin.address));
    let supervisor = TestSupervisor::plan().set(&format!("admin = '{admin}'")).app(app).start().await;
    let address = supervisor.address("app").await;
    let mut talker = Talker::open(address, "/pass?to=/drop");
    assert_eq!(talker.hears(), "text last");
    assert_eq!(talker.hears(), "close 1011 ");
    let admin = Client::afresh(admin);
    let outbound = async || metrics(&admin).await["nano_worker_outbound_connections{app=\"app\"}"];
    let mut talker = Talker::open(address, "/pass?to=/echo");
    assert_eq!(talker.send(TEXT, "a").hears(), "text a");
    drop(talker);
    until("the connection to the server has ended", async || (outbound().await == 0.0).then_some(())).await;
}
