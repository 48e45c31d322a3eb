//! `WebSocket` against a real server: messages both ways, closing from both sides, and errors.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, Role, WebSocket};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use sha1::{Digest as _, Sha1};
use tokio::io::AsyncWriteExt as _;

use crate::harness::Origin;
use crate::harness::origin::{Answer, whole};
use crate::outbound::{checks, results};

type Socket = WebSocket<TokioIo<Upgraded>>;

/// Upgrades to WebSocket and does what the path names. `heads` collects the heads of the requests.
pub(crate) async fn serve(mut request: Request<Incoming>, heads: Arc<Mutex<Vec<String>>>) -> Answer {
    let value =
        |name: &str| request.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let (key, protocols) = (value("sec-websocket-key"), value("sec-websocket-protocol"));
    heads.lock().unwrap().push(format!(
        "{} {} {} {}",
        request.uri(),
        value("authorization"),
        value("x-own"),
        value("sec-websocket-version")
    ));
    let path = request.uri().path().to_owned();
    let status = if path == "/not-found" { 404 } else { 101 };
    let digest = Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    let accept = base64::engine::general_purpose::STANDARD.encode(digest);
    let mut response = Response::builder().status(status).header("connection", "keep-alive, Upgrade");
    response = response.header("upgrade", "WebSocket");
    response = response.header("sec-websocket-accept", if path == "/wrong-key" { "wrong" } else { &accept });
    if path == "/unasked" {
        response = response.header("sec-websocket-protocol", "unasked");
    } else if let Some(last) = protocols.split(", ").last().filter(|last| !last.is_empty()) {
        response = response.header("sec-websocket-protocol", last);
    }
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        if let Ok(upgraded) = upgrade.await {
            let socket = WebSocket::after_handshake(TokioIo::new(upgraded), Role::Server);
            match path.strip_prefix("/hostile/") {
                Some(how) => {
                    let end = break_a_rule(how, socket).await;
                    heads.lock().unwrap().push(format!("closed {end}"));
                }
                None => talk(&path, socket).await,
            }
        }
    });
    response.body(whole("")).unwrap()
}

async fn talk(path: &str, mut socket: Socket) {
    let text = |part: &'static str| Payload::Borrowed(part.as_bytes());
    let frame = |is_last, opcode, payload| Frame::new(is_last, opcode, None, payload);
    let frames = match path {
        "/echo" => return echo(socket).await,
        "/fragments" => vec![
            frame(false, OpCode::Text, text("Gr")),
            frame(true, OpCode::Ping, text("between")),
            // The frame ends in the middle of a character.
            frame(false, OpCode::Continuation, Payload::Borrowed(&[0xc3])),
            frame(true, OpCode::Continuation, Payload::Borrowed(&[0xbc, b'n'])),
            frame(false, OpCode::Binary, Payload::Borrowed(&[1])),
            frame(true, OpCode::Continuation, Payload::Borrowed(&[2])),
            Frame::close(4001, "of the server ü".as_bytes()),
        ],
        "/greeting" => vec![frame(true, OpCode::Text, text("welcome")), Frame::close(4001, b"enough")],
        "/close" => vec![Frame::close_raw(Vec::new().into())],
        "/not-utf8" => vec![frame(true, OpCode::Text, Payload::Borrowed(&[0xff]))],
        "/not-utf8-in-parts" => vec![
            frame(false, OpCode::Text, Payload::Borrowed(&[0xc3])),
            frame(true, OpCode::Continuation, text("x")),
        ],
        "/continuation" => vec![frame(true, OpCode::Continuation, text("of nothing"))],
        "/drop" => vec![frame(true, OpCode::Text, text("last"))],
        _ => vec![],
    };
    for frame in frames {
        if socket.write_frame(frame).await.is_err() {
            return;
        }
    }
    if path != "/drop" {
        // Reads the client's replies until it closes.
        while socket.read_frame().await.is_ok_and(|frame| frame.opcode != OpCode::Close) {}
    }
}

/// Does what no server should. Returns the code and the reason with which the client closes.
async fn break_a_rule(how: &str, mut socket: Socket) -> String {
    let part = |is_last, opcode, length: usize| Frame::new(is_last, opcode, None, vec![7; length].into());
    let mib = 1 << 20;
    let frames = match how {
        "longest" | "too-long" => {
            let mut frames = vec![part(false, OpCode::Binary, mib)];
            frames.extend((1..32).map(|_| part(false, OpCode::Continuation, mib)));
            frames.push(part(true, OpCode::Continuation, usize::from(how == "too-long")));
            if how == "longest" {
                frames.push(Frame::close(1000, b""));
            }
            frames
        }
        "begun" => vec![part(false, OpCode::Binary, 20 * mib)],
        "part" => vec![part(false, OpCode::Binary, 200 * 1024)],
        _ => vec![],
    };
    for frame in frames {
        if socket.write_frame(frame).await.is_err() {
            return "by a reset".to_owned();
        }
    }
    let long = [&3000_u16.to_be_bytes()[..], &[b'x'; 130]].concat();
    let bytes = match how {
        "part" => [&[0x80, 127, 0, 0, 0, 0, 0, 4, 0, 0][..], &[7; 200 * 1024]].concat(),
        "huge" => vec![0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 0, 7, 7, 7],
        "close/0" => vec![0x88, 1, 3],
        "close/1" => vec![0x88, 2, 3, 0xe7],
        "close/2" => vec![0x88, 3, 3, 0xe8, 0xff],
        "close/3" => vec![0x88, 2, 3, 0xed],
        "close/4" => [&[0x88, 126, 0, 132][..], &long].concat(),
        _ => vec![],
    };
    let mut io = socket.into_inner();
    if io.write_all(&bytes).await.is_err() {
        return "by a reset".to_owned();
    }
    if how == "deaf" {
        std::future::pending::<()>().await;
    }
    let mut socket = WebSocket::after_handshake(io, Role::Server);
    loop {
        match socket.read_frame().await {
            Ok(frame) if frame.opcode == OpCode::Close => {
                let (code, reason) = frame.payload.split_at_checked(2).unwrap_or_default();
                let code = code.iter().fold(0, |code, byte| code << 8 | u32::from(*byte));
                return format!("{code} {}", String::from_utf8_lossy(reason));
            }
            Ok(_) => {}
            Err(error) => return format!("without a frame: {error}"),
        }
    }
}

/// Echoes every message. On `close CODE REASON`, closes the connection.
async fn echo(socket: Socket) {
    let mut socket = FragmentCollector::new(socket);
    while let Ok(frame) = socket.read_frame().await {
        let text = String::from_utf8_lossy(&frame.payload).into_owned();
        let answer = match (frame.opcode, text.strip_prefix("close ").and_then(|rest| rest.split_once(' '))) {
            (OpCode::Close, _) => return,
            (OpCode::Text, Some((code, reason))) => Frame::close(code.parse().unwrap(), reason.as_bytes()),
            (opcode @ (OpCode::Text | OpCode::Binary), _) => Frame::new(true, opcode, None, frame.payload),
            _ => continue,
        };
        if socket.write_frame(answer).await.is_err() {
            return;
        }
    }
}

/// Functions for the checks: `story` returns what happens to a socket as a list.
const HELPERS: &str = "
    _: function () {
      globalThis.tell = ({ type, data, code, reason, wasClean, message }) => {
        if (type === 'message') return typeof data === 'string' ? data : [data.constructor.name, data.size ?? data.byteLength];
        if (type === 'close') return `close ${code} ${reason} ${wasClean}`;
        return type === 'error' ? `error ${message}` : type;
      };
      // Ends with the close event.
      globalThis.story = (url, act = () => {}, ...init) => new Promise((resolve) => {
        const socket = new WebSocket(url, ...init), events = [];
        for (const type of ['open', 'message', 'error', 'close']) {
          socket.addEventListener(type, (event) => {
            events.push(tell(event));
            act(event, socket);
            if (type === 'close') resolve(events);
          });
        }
      });
    },";

#[tokio::test]
async fn messages_go_both_ways() {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = heads.clone();
    let origin = Origin::http(move |request| serve(request, seen.clone())).await;
    let functions = "
      async kinds(origin) {
        const sent = ['text ü', '', new Uint8Array([1, 2, 3]), new Uint8Array([1, 2, 3]).subarray(1), new ArrayBuffer(4),
          new DataView(new ArrayBuffer(5)), new Blob(['blob']), 'after the blob', 5, null, 'x'.repeat(100_000)];
        const events = await story(`${origin}/echo`, ({ type, data }, socket) => {
          if (type === 'open') for (const message of sent) socket.send(message);
          if (data?.length === 100_000) socket.close(3000, 'done');
        });
        return events.map((event) => event.length === 100_000 ? 'long' : event);
      },
      async buffers(origin) {
        const bytes = await new Promise((resolve) => {
          const socket = new WebSocket(`${origin}/echo`);
          socket.binaryType = 'arraybuffer';
          socket.binaryType = 'nonsense';
          socket.onopen = () => socket.send(new Uint8Array([7, 8]));
          socket.onmessage = ({ data, origin: from }) => { resolve([[...new Uint8Array(data)], from.slice(0, 15), socket.binaryType]); socket.close() };
        });
        return bytes;
      },
      async changed(origin) {
        // What is sent is what it was when it was sent.
        const bytes = new Uint8Array([1]), events = [];
        await story(`${origin}/echo`, ({ type, data }, socket) => {
          if (type === 'open') {
            socket.binaryType = 'arraybuffer';
            socket.send(new Blob(['A']));
            socket.send(bytes);
            bytes[0] = 2;
            socket.send('last');
            socket.close();
          }
          if (type === 'message') events.push(typeof data === 'string' ? data : new Uint8Array(data)[0]);
        });
        return events;
      },
      async states(origin) {
        const socket = new WebSocket(`${origin}/echo`, ['a', 'b']);
        const states = [[socket.readyState, socket.protocol, socket.extensions, socket.bufferedAmount]];
        const told = [(() => { try { socket.send('early') } catch (error) { return error.name } })()];
        await new Promise((resolve) => socket.onopen = resolve);
        states.push([socket.readyState, socket.protocol, socket.url === `${origin}/echo`.replace('http', 'ws')]);
        socket.send('four');
        told.push(socket.bufferedAmount === 4);
        await new Promise((resolve) => socket.onmessage = resolve);
        told.push(socket.bufferedAmount);
        socket.close();
        states.push(socket.readyState);
        socket.send('too late');
        told.push(socket.bufferedAmount);
        const event = await new Promise((resolve) => socket.onclose = resolve);
        states.push(socket.readyState, event instanceof CloseEvent, event.isTrusted);
        socket.close();
        socket.send('later');
        return [states, told, socket.bufferedAmount];
      },
      async handshake(origin) {
        const secret = origin.replace('//', '//user:pa%20ss@');
        const first = await story(`${secret}/echo?query`, ({ type }, socket) => type === 'open' && socket.close());
        return [first, await story(`${origin}/echo`, ({ type }, socket) => type === 'open' && socket.close(),
          { headers: { 'x-own': 'own', 'sec-websocket-version': '8' }, protocols: ['p'] })];
      },
      async fragments(origin) { return story(`${origin}/fragments`) }";
    let found =
        results(checks(&format!("http://{}", origin.address), &format!("{HELPERS}{functions}"))).await;
    let ws = format!("ws://{}", origin.address)[..15].to_owned();
    assert_eq!(
        found,
        json!({
            "kinds": [
                "open", "text ü", "", ["Blob", 3], ["Blob", 2], ["Blob", 4], ["Blob", 5], ["Blob", 4], "after the blob",
                "5", "null", "long", "close 3000 done true"
            ],
            "buffers": [[7, 8], ws, "arraybuffer"],
            "changed": [],
            "states": [
                [[0, "", "", 0], [1, "b", true], 2, 3, true, true],
                ["InvalidStateError", true, 0, 8], 13
            ],
            "handshake": [["open", "close 1005  true"], ["open", "close 1005  true"]],
            "fragments": ["open", "Grün", ["Blob", 2], "close 4001 of the server ü true"],
        })
    );
    let heads = heads.lock().unwrap();
    assert!(heads.contains(&"/echo?query Basic dXNlcjpwYSBzcw==  13".to_owned()), "{heads:?}");
    assert!(heads.contains(&"/echo  own 13".to_owned()), "{heads:?}");
}

#[tokio::test]
async fn a_socket_closes_or_fails_and_says_why() {
    let origin = Origin::http(|request| serve(request, Arc::default())).await;
    let functions = "
      async byServer(origin) {
        return story(`${origin}/echo`, ({ type }, socket) => type === 'open' && socket.send('close 4321 enough'));
      },
      async withoutCode(origin) { return story(`${origin}/close`) },
      async reasonOnly(origin) {
        return story(`${origin}/echo`, ({ type }, socket) => type === 'open' && socket.close(undefined, 'reason'));
      },
      async early(origin) {
        const socket = new WebSocket(`${origin}/echo`), events = [];
        socket.onopen = socket.onerror = ({ type }) => events.push(type);
        const closed = new Promise((resolve) => socket.onclose = resolve);
        socket.close();
        const { code, wasClean } = await closed;
        return [...events, code, wasClean, socket.readyState];
      },
      async dropped(origin) { return story(`${origin}/drop`) },
      async notUtf8(origin) { return story(`${origin}/not-utf8`) },
      async notUtf8InParts(origin) { return story(`${origin}/not-utf8-in-parts`) },
      async continuation(origin) { return story(`${origin}/continuation`) },
      async notFound(origin) { return story(`${origin}/not-found`) },
      async wrongKey(origin) { return story(`${origin}/wrong-key`) },
      async unasked(origin) { return story(`${origin}/unasked`) },
      async refused() { return story('ws://169.254.169.254/') },
      async nobody() { return story('ws://no-such-host.invalid/') },
      async handler(origin) {
        // What a handler throws is reported and ends nothing.
        return story(`${origin}/echo`, ({ type, data }, socket) => {
          if (type === 'open') socket.send('hi');
          if (data === 'hi') { socket.close(); throw new Error('in a handler') }
        });
      },
      async urls(origin) {
        const failures = [];
        for (const url of ['path', 'ftp://x/', 'ws://x/#fragment', 'ws://x/#', 'ws://']) {
          try { new WebSocket(url); failures.push(url) } catch ({ name }) { failures.push(name) }
        }
        return failures;
      },
      async protocols(origin) {
        const failures = [];
        for (const protocols of ['', 'a b', ['a', 'a'], ['a', 'A']]) {
          try { new WebSocket(origin, protocols).close(); failures.push('none') } catch ({ name }) { failures.push(name) }
        }
        return failures;
      },
      async codes(origin) {
        const socket = new WebSocket(`${origin}/echo`), failures = [];
        const closed = new Promise((resolve) => socket.onclose = resolve);
        for (const args of [[999], [1001], [2999], [5000], [1000, 'x'.repeat(124)], [1000, 'ü'.repeat(62)], [1000, 'fine']]) {
          try { socket.close(...args); failures.push('none') } catch ({ name }) { failures.push(name) }
        }
        await closed;
        return failures;
      },
      idl() {
        const constants = (target) => ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'].map((name) => {
          const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(target, name);
          return `${value} ${writable} ${enumerable} ${configurable}`;
        });
        const failures = [];
        for (const bad of [() => WebSocket('ws://x'), () => new WebSocket(), () => WebSocket.prototype.url,
          () => WebSocket.prototype.send.call({}, 'x'), () => WebSocket.prototype.close.call(null)]) {
          try { bad(); failures.push('none') } catch (error) { failures.push(error.constructor.name) }
        }
        return [String(new Set([...constants(WebSocket), ...constants(WebSocket.prototype)]).size), failures,
          WebSocket.length, WebSocket.name, Object.prototype.toString.call(WebSocket.prototype),
          Object.keys(WebSocket.prototype).sort().join(), 'onmessage' in WebSocket.prototype];
      }";
    let found =
        results(checks(&format!("http://{}", origin.address), &format!("{HELPERS}{functions}"))).await;
    let ws = format!("ws://{}", origin.address);
    let failed = |url: &str, why: &str| {
        json!([format!("error TypeError: WebSocket to {url} {why}"), "close 1006  false"])
    };
    let broken = |why: &str| {
        json!(["open", format!("error TypeError: the WebSocket failed: {why}"), "close 1006  false"])
    };
    assert_eq!(
        found,
        json!({
            "byServer": ["open", "close 4321 enough true"],
            "withoutCode": ["open", "close 1005  true"],
            "reasonOnly": ["open", "close 1000 reason true"],
            "early": ["error", 1006, false, 3],
            "dropped": [
                "open", "last", "error TypeError: the WebSocket failed: Unexpected EOF", "close 1006  false"
            ],
            "notUtf8": broken("Invalid UTF-8"),
            "notUtf8InParts": broken("Invalid UTF-8"),
            "continuation": broken("Invalid continuation frame"),
            "notFound": failed(&ws, "failed: the server answered 404 Not Found and did not switch to WebSocket"),
            "wrongKey": failed(&ws, "failed: the server's Sec-WebSocket-Accept does not fit the key"),
            "unasked": failed(&ws, "failed: the server picked a protocol that was not offered"),
            "refused": failed(
                "ws://169.254.169.254",
                "was refused: 169.254.169.254 is link-local, which apps may not reach; allow it with allow_net"
            ),
            "nobody": failed(
                "ws://no-such-host.invalid",
                "failed: the name no-such-host.invalid cannot be resolved (Name or service not known)"
            ),
            "handler": ["open", "hi", "close 1005  true"],
            "urls": ["SyntaxError", "SyntaxError", "SyntaxError", "SyntaxError", "SyntaxError"],
            "protocols": ["SyntaxError", "SyntaxError", "SyntaxError", "SyntaxError"],
            "codes": [
                "InvalidAccessError", "InvalidAccessError", "InvalidAccessError", "InvalidAccessError", "SyntaxError",
                "SyntaxError", "none"
            ],
            "idl": [
                "4", ["TypeError", "TypeError", "TypeError", "TypeError", "TypeError"], 1, "WebSocket", "[object WebSocket]",
                "CLOSED,CLOSING,CONNECTING,OPEN,READY_STATE_CLOSED,READY_STATE_CLOSING,READY_STATE_CONNECTING,READY_STATE_OPEN,\
                 accept,binaryType,bufferedAmount,close,deserializeAttachment,extensions,onclose,onerror,onmessage,onopen,\
                 protocol,readyState,send,serializeAttachment,url",
                true
            ],
        })
    );
}
