//! The same program under workerd.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::harness::talker::{self, PING, TEXT, Talker};
use crate::harness::workerd::Both;
use crate::harness::{Client, Raw, free_address, until};

/// `/probe` says how a pair behaves within the app. Other paths open a WebSocket by their query; `/events` returns what has
/// happened to it.
pub(super) const PROGRAM: &str = r#"
const t = (f) => { try { return String(f()); } catch (e) { return e.name + ": " + e.message; } };
const name = (f) => { try { f(); return "fine"; } catch (e) { return e.name; } };
let events = [];
const log = (who, ws) => { for (const k of ["open","message","close","error"]) ws.addEventListener(k, (e) => events.push([who, k,
  k === "message" ? (typeof e.data === "string" ? e.data : e.data?.constructor?.name + ":" + (e.data?.byteLength ?? e.data?.size))
  : k === "close" ? [e.code, e.reason, e.wasClean] : e.message ?? "", ws.readyState])); };
const show = (ws) => JSON.stringify({ rs: ws.readyState, url: ws.url, protocol: ws.protocol, ext: ws.extensions, bt: ws.binaryType, ba: ws.bufferedAmount });
const accepted = () => { const ws = new WebSocketPair()[0]; ws.accept(); return ws; };
async function probe() {
  const out = {};
  const p = new WebSocketPair();
  out.pairKeys = Object.keys(p).join(); out.tag = Object.prototype.toString.call(p); out.iter = [...p].length;
  out.call = name(() => WebSocketPair());
  const descriptor = Object.getOwnPropertyDescriptor(p, "0");
  out.descriptor = JSON.stringify([descriptor.enumerable, "value" in descriptor]);
  out.constants = [WebSocket.READY_STATE_CONNECTING, WebSocket.READY_STATE_OPEN, WebSocket.READY_STATE_CLOSING, WebSocket.READY_STATE_CLOSED,
    p[0].READY_STATE_OPEN, WebSocket.OPEN].join();
  const [a, b] = Object.values(p);
  out.same = p[0] === a; out.inst = a instanceof WebSocket; out.show = show(a);
  out.sendEarly = t(() => a.send("x")); out.closeEarly = t(() => a.close(1000, "x"));
  out.respWithout = name(() => new Response(null, { status: 101 }));
  out.respNo101 = t(() => new Response(null, { webSocket: b }));
  out.resp200 = t(() => new Response(null, { status: 200, webSocket: b }));
  out.respBody = name(() => new Response("x", { status: 101, webSocket: b }));
  out.respBadWs = name(() => new Response(null, { status: 101, webSocket: {} }));
  out.respNullWs = t(() => new Response(null, { status: 200, webSocket: null }).webSocket);
  out.respUndef = t(() => new Response(null, { status: 200, webSocket: undefined }).webSocket);
  const r = new Response(null, { status: 101, webSocket: b, headers: { "x-a": "b" } });
  out.resp = [r.status, r.statusText, r.webSocket === b, r.ok, r.body].join();
  out.respCopy = t(() => { const q = new Response(null, r); return [q.status, q.webSocket === b].join(); });
  out.respClone = t(() => r.clone());
  out.respJson = name(() => Response.json({}, {status: 101, webSocket: b}));
  out.respPlain = t(() => new Response("x").webSocket);
  log("a", a); log("b", b);
  out.accept = t(() => a.accept()); out.accept2 = t(() => a.accept());
  out.acceptBad = name(() => new WebSocketPair()[0].accept(5));
  out.acceptOpt = t(() => new WebSocketPair()[0].accept({ allowHalfOpen: true }));
  out.show2 = show(a);
  out.send = t(() => a.send("one")); out.sendBuf = t(() => a.send(new Uint8Array([1,2,3]))); out.sendNum = t(() => a.send(5)); out.sendUndef = name(() => a.send());
  out.sendObj = t(() => a.send({})); out.sendBlob = t(() => a.send(new Blob(["x"])));
  out.sendDV = t(() => a.send(new DataView(new ArrayBuffer(2))));
  out.bt = t(() => { a.binaryType = "nope"; return a.binaryType; }); out.bt2 = t(() => { b.binaryType = "arraybuffer"; return b.binaryType; });
  b.accept();
  await scheduler.wait(100);
  for (const c of [999, 1000, 1001, 1004, 1005, 1006, 1007, 1015, 1016, 2999, 3000, 4999, 5000, 0, -1, 1000.5, NaN, "1000", null, undefined]) out["code" + String(c)] = t(() => accepted().close(c));
  out.reasonOnly = t(() => accepted().close(undefined, "x")); out.reason123 = t(() => accepted().close(1000, "x".repeat(123)));
  out.reason124 = t(() => accepted().close(1000, "x".repeat(124))); out.reasonU = t(() => accepted().close(1000, "é".repeat(62)));
  out.close = t(() => b.close(3001, "bye")); out.rsb = b.readyState; out.sendAfter = t(() => b.send("x")); out.closeAfter = t(() => b.close());
  await scheduler.wait(100);
  out.rsa = a.readyState; out.rsb2 = b.readyState; out.sendAfterRecv = t(() => a.send("y")); out.aclose = t(() => a.close(1000));
  await scheduler.wait(100);
  out.rs3 = [a.readyState, b.readyState].join();
  out.ser = t(() => a.serializeAttachment({ x: 1 })); out.des = t(() => JSON.stringify(a.deserializeAttachment())); out.desb = t(() => b.deserializeAttachment());
  out.serBig = name(() => a.serializeAttachment("x".repeat(20000)));
  out.newWs = t(() => new WebSocket("ws://127.0.0.1:1/").accept());
  const h = new WebSocketPair(); log("h0", h[0]); log("h1", h[1]); h[0].accept({ allowHalfOpen: true }); h[1].accept({ allowHalfOpen: true });
  h[1].close(1000, "half"); await scheduler.wait(100);
  out.half = [h[0].readyState, h[1].readyState, t(() => h[0].send("late"))].join(); await scheduler.wait(100);
  h[0].close(4000, "now"); await scheduler.wait(100); out.half2 = [h[0].readyState, h[1].readyState].join();
  const d = new WebSocketPair(); log("d0", d[0]); d[0].accept(); d[1].accept();
  d[0].addEventListener("message", () => { throw new Error("listener"); });
  d[1].send("t1"); d[1].send("t2"); await scheduler.wait(100);
  return { out, events: events.splice(0) };
}
export default { async fetch(request) {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === "/probe") return Response.json(await probe());
  if (pathname === "/events") return Response.json(events);
  const { 0: client, 1: server } = new WebSocketPair();
  events = [];
  log("s", server);
  // What it does when it has ended.
  for (const k of ["close", "error"]) server.addEventListener(k, () => events.push(["s", k, t(() => server.send("late")), t(() => server.close())]));
  const has = (key) => searchParams.has(key);
  if (has("ab")) server.binaryType = "arraybuffer";
  if (!has("noaccept")) server.accept(has("half") ? { allowHalfOpen: true } : undefined);
  if (has("early")) { server.send("early1"); server.send("early2"); }
  if (has("head")) server.send(JSON.stringify([request.method, request.url, request.body,
    ["connection", "upgrade", "sec-websocket-key", "sec-websocket-version", "x-own"].map((name) => request.headers.get(name))]));
  if (has("later")) setTimeout(async () => server.send(request.headers.get("x-own") + request.url), 20);
  if (has("throw")) server.addEventListener("message", () => { throw new Error("boom"); });
  if (has("echo")) server.addEventListener("message", (e) => {
    if (e.data === "close") server.close(4001, "asked"); else if (e.data === "close0") server.close(); else server.send(e.data);
  });
  const headers = new Headers();
  if (has("proto")) headers.set("sec-websocket-protocol", searchParams.get("proto"));
  if (has("own")) { headers.set("x-own", "1"); headers.append("set-cookie", "a=b"); headers.set("content-length", "5"); headers.set("upgrade", "foo"); }
  if (has("twice")) { new Response(null, { status: 101, webSocket: server }); return new Response(null, { status: 101, webSocket: server }); }
  return new Response(null, { status: 101, webSocket: client, headers });
} };
"#;

async fn serve() -> Option<(Both, [SocketAddr; 2])> {
    let both = Both::serve(PROGRAM, free_address()).await?;
    let addresses = both.addresses();
    Some((both, addresses))
}

/// An error that workerd reports once more after both sides have closed. It is no part of the comparison.
fn without_echoes(events: &mut Value) {
    let events = events.as_array_mut().unwrap();
    events.retain(|event| event[2] != "Uncaught Error: Network connection lost.");
}

#[tokio::test]
async fn a_pair_within_an_app_behaves_as_on_workers() {
    let Some((both, _)) = serve().await else { return };
    let [mut ours, mut theirs] = both.send("GET", "/probe", &[], "").await.map(|reply| reply.unwrap().json());
    without_echoes(&mut ours["events"]);
    without_echoes(&mut theirs["events"]);
    assert!(ours["out"].as_object().unwrap().len() > 60);
    for (name, theirs) in theirs["out"].as_object().unwrap() {
        assert_eq!(&ours["out"][name], theirs, "{name}");
    }
    assert_eq!(ours["events"], theirs["events"]);
}

/// Does what the steps say. Returns what the client hears.
fn follow(address: SocketAddr, path: &str, steps: &[&str]) -> Vec<String> {
    let fields = "Sec-WebSocket-Protocol: chat, other\r\nX-Own: 7\r\n";
    let mut talker = Talker::over(Raw::connect(address), path, fields);
    let mut heard = Vec::new();
    for step in steps {
        let (what, rest) = step.split_once(' ').unwrap_or((step, ""));
        match what {
            "text" => _ = talker.send(TEXT, rest),
            "binary" => _ = talker.send(talker::BINARY, rest),
            "ping" => _ = talker.send(PING, rest),
            "part" => _ = talker.send(0x01, rest),
            "rest" => _ = talker.send(0x80, rest),
            "bare" => _ = talker.send(talker::CLOSE, ""),
            "close" => {
                let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                talker.close(code.parse().unwrap(), reason);
            }
            "hears" => heard.push(talker.hears()),
            other => panic!("{other}"),
        }
    }
    if path.contains("own") || path.contains("proto") {
        let names = [
            "sec-websocket-protocol:",
            "set-cookie:",
            "x-own:",
            "content-length:",
            "upgrade:",
            "connection:",
        ];
        let mut fields: Vec<_> = talker.head.lines().map(str::to_lowercase).collect();
        fields.retain(|line| names.iter().any(|name| line.starts_with(name)));
        fields.sort();
        heard.extend(fields);
    }
    heard
}

#[tokio::test]
async fn a_client_and_an_app_hear_of_each_other_as_on_workers() {
    let Some((_both, addresses)) = serve().await else { return };
    // What the app hears ends with a closing frame or an error, unless it does not listen.
    for (path, steps) in [
        ("/?echo", &["text hi", "hears", "binary bin", "hears", "close 1000 done", "hears", "hears"][..]),
        ("/?echo&ab", &["binary bin", "hears", "ping p", "hears", "bare", "hears", "hears"]),
        ("/?echo", &["part a", "ping within", "hears", "rest b", "hears", "close 4999 x", "hears", "hears"]),
        ("/?echo&half", &["text a", "hears", "close 1000"]),
        ("/?echo", &["text a", "hears"]),
        ("/?echo", &["text close", "hears", "close 4001 asked", "hears"]),
        ("/?echo", &["text close", "hears"]),
        ("/?echo", &["text close0", "hears", "text more", "bare"]),
        ("/?early", &["hears", "hears", "close 1001", "hears", "hears"]),
        ("/?head&later", &["hears", "hears", "close 1000", "hears"]),
        ("/?throw", &["text a", "text b"]),
        ("/?echo&own&proto=chat", &["close 3000", "hears"]),
        ("/?echo&proto=other", &["close 3000 \u{fc}", "hears"]),
    ] {
        let mut seen = Vec::new();
        for address in addresses {
            let heard = follow(address, path, steps);
            let client = Client::new(address, false);
            let events = until("the app has heard of the end", async || {
                let mut events = client.get("/events").await.unwrap().json();
                if events.as_array().unwrap().iter().any(|event| event[1] == "close") {
                    // workerd may report an error when it is over.
                    events.as_array_mut().unwrap().retain(|event| event[1] != "error");
                }
                let kind = events.as_array().unwrap().last()?[1].clone();
                (kind == "close" || kind == "error").then_some(events)
            })
            .await;
            // workerd says in its URLs what the client has called it.
            let heard: Vec<_> =
                heard.into_iter().map(|text| text.replace(&address.to_string(), "app.example")).collect();
            seen.push(json!([heard, events]));
        }
        assert_eq!(seen[0], seen[1], "{path} {steps:?}");
    }
}

#[tokio::test]
async fn a_request_that_asks_for_no_websocket_gets_none() {
    let Some((both, addresses)) = serve().await else { return };
    let statuses = |replies: [_; 2]| {
        replies.map(|reply: Result<crate::harness::client::Reply, _>| reply.unwrap().status)
    };
    assert_eq!(statuses(both.send("GET", "/", &[], "").await), [500, 500]);
    let versionless = [("connection", "upgrade"), ("upgrade", "websocket")];
    assert_eq!(statuses(both.send("GET", "/", &versionless, "").await), [426, 426]);
    // A WebSocket that is accepted cannot be returned. workerd answers before it finds that out.
    let mut raw = Raw::connect(addresses[0]);
    assert!(raw.send(talker::handshake("/?twice", "")).up_to("\r\n").starts_with("HTTP/1.1 500"));
}
