//! WebSockets over HTTP/2 (RFC 8441): each is a stream of a connection that carries others.

use std::net::SocketAddr;

use bytes::Bytes;
use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, Role, WebSocket};
use h2::client::SendRequest;
use h2::ext::Protocol;
use hyper::{Method, Request, Response};
use nix::sys::signal::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpStream;

use super::ECHO;
use crate::admin::metrics;
use crate::harness::talker::{self, BINARY, TEXT};
use crate::harness::{App, Client, free_address, process, within};
use crate::{TestSupervisor, until};

type Socket = FragmentCollector<DuplexStream>;

/// Connects, and waits until the server has said what it supports.
async fn connect(address: SocketAddr) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.unwrap();
    // So that one stream does not hold up the others.
    let mut builder = h2::client::Builder::new();
    builder.initial_connection_window_size(1 << 20);
    let (client, connection) = within(builder.handshake(stream)).await.unwrap();
    tokio::spawn(connection);
    let client = within(client.ready()).await.unwrap();
    until("the settings of the server arrive", async || {
        client.is_extended_connect_protocol_enabled().then_some(())
    })
    .await;
    client
}

fn ask(path: &str, fields: &[(&str, &str)]) -> Request<()> {
    let request = Request::builder().method(Method::CONNECT).uri(format!("http://app.example{path}"));
    let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.extension(Protocol::from_static("websocket")).body(()).unwrap()
}

const VERSION: (&str, &str) = ("sec-websocket-version", "13");

/// Returns the answer to a request, and what is sent to the server on its stream.
async fn request(
    client: &SendRequest<Bytes>,
    request: Request<()>,
) -> (Response<h2::RecvStream>, h2::SendStream<Bytes>) {
    let mut client = within(client.clone().ready()).await.unwrap();
    let (answer, outgoing) = client.send_request(request, false).unwrap();
    (within(answer).await.unwrap(), outgoing)
}

/// Returns the body of an answer.
async fn text(answer: Response<h2::RecvStream>) -> String {
    let (mut body, mut text) = (answer.into_body(), Vec::new());
    while let Some(bytes) = within(body.data()).await {
        text.extend(bytes.unwrap());
    }
    String::from_utf8(text).unwrap()
}

/// Serves an app with these settings of the server. Returns a client of the app and one of the metrics as well.
async fn serve(app: &str, settings: &str) -> (TestSupervisor, SendRequest<Bytes>, Client) {
    let admin = free_address();
    let plan = TestSupervisor::plan().set(&format!("admin = '{admin}'\n{settings}"));
    let supervisor = plan.app(App::new("app", app)).start().await;
    let client = connect(supervisor.address("app").await).await;
    (supervisor, client, Client::afresh(admin))
}

/// Sends as the server takes it, and ends the stream.
async fn send_all(mut outgoing: h2::SendStream<Bytes>, mut bytes: Bytes) {
    while !bytes.is_empty() {
        outgoing.reserve_capacity(bytes.len());
        let Some(Ok(capacity)) = std::future::poll_fn(|cx| outgoing.poll_capacity(cx)).await else { return };
        let part = bytes.split_to(capacity.min(bytes.len()));
        if outgoing.send_data(part, bytes.is_empty()).is_err() {
            return;
        }
    }
}

/// Opens a WebSocket.
async fn open(client: &SendRequest<Bytes>, path: &str) -> Socket {
    let (answer, mut outgoing) = request(client, ask(path, &[VERSION])).await;
    assert_eq!(answer.status(), 200);
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (mut from_us, mut to_us) = tokio::io::split(theirs);
    let mut incoming = answer.into_body();
    tokio::spawn(async move {
        while let Some(Ok(bytes)) = incoming.data().await {
            let length = bytes.len();
            if to_us.write_all(&bytes).await.is_err() {
                break;
            }
            let _ = incoming.flow_control().release_capacity(length);
        }
        let _ = to_us.shutdown().await;
    });
    tokio::spawn(async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from_us.read(&mut buffer).await {
            let mut part = Bytes::copy_from_slice(&buffer[..length]);
            while !part.is_empty() {
                outgoing.reserve_capacity(part.len());
                let Some(Ok(capacity)) = std::future::poll_fn(|cx| outgoing.poll_capacity(cx)).await else {
                    return;
                };
                if outgoing.send_data(part.split_to(capacity.min(part.len())), false).is_err() {
                    return;
                }
            }
        }
        // The client has gone.
        outgoing.send_reset(h2::Reason::CANCEL);
    });
    let mut socket = WebSocket::after_handshake(ours, Role::Client);
    socket.set_auto_close(false);
    FragmentCollector::new(socket)
}

async fn send(socket: &mut Socket, text: &str) {
    let frame = Frame::text(Payload::Borrowed(text.as_bytes()));
    within(socket.write_frame(frame)).await.unwrap();
}

/// Returns the next message, or the closing frame, in words.
async fn hears(socket: &mut Socket) -> String {
    let frame = within(socket.read_frame()).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match frame.opcode {
        OpCode::Close => format!(
            "close {} {}",
            u16::from_be_bytes([frame.payload[0], frame.payload[1]]),
            text(&frame.payload[2..])
        ),
        OpCode::Text => format!("text {}", text(&frame.payload)),
        other => format!("{other:?} of {} bytes", frame.payload.len()),
    }
}

#[tokio::test]
async fn websockets_and_requests_share_a_connection() {
    let supervisor = TestSupervisor::with(ECHO).await;
    let client = connect(supervisor.address("app").await).await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(open(&client, "/").await);
    }
    for (number, socket) in sockets.iter_mut().enumerate() {
        send(socket, &format!("number {number}")).await;
    }
    for (number, socket) in sockets.iter_mut().enumerate() {
        assert_eq!(hears(socket).await, format!("text number {number}"));
    }
    let get = Request::get("http://app.example/").body(()).unwrap();
    assert_eq!(text(request(&client, get).await.0).await, "plain");
    // Longer than all windows.
    let long = vec![7; 3 << 20];
    let socket = &mut sockets[3];
    within(socket.write_frame(Frame::binary(Payload::Borrowed(&long)))).await.unwrap();
    let frame = within(socket.read_frame()).await.unwrap();
    assert!(frame.opcode == OpCode::Binary && *frame.payload == *long);
    // Both sides close.
    send(socket, "close 4567 enough").await;
    assert_eq!(hears(socket).await, "close 4567 enough");
    within(socket.write_frame(Frame::close(4567, b""))).await.unwrap();
    supervisor.log.line_with("closed 4567").await;
    assert!(within(socket.read_frame()).await.is_err());
    within(sockets[4].write_frame(Frame::close(3000, b"bye"))).await.unwrap();
    assert_eq!(hears(&mut sockets[4]).await, "close 3000 bye");
    // A client that goes.
    sockets.truncate(4);
    supervisor.log.line_with("closed 1006 WebSocket disconnected without sending Close frame.").await;
    let worker = supervisor.worker("app").await;
    process::signal(worker, Signal::SIGKILL);
    for socket in &mut sockets[..3] {
        assert_eq!(hears(socket).await, "close 1012 the app's worker has ended");
    }
    supervisor.replaced("app", worker).await;
    let mut socket = open(&client, "/").await;
    send(&mut socket, "again").await;
    assert_eq!(hears(&mut socket).await, "text again");
    // The address is closed.
    process::signal(supervisor.pid(), Signal::SIGTERM);
    assert_eq!(hears(&mut socket).await, "close 1001 the server is going away");
}

#[tokio::test]
async fn a_handshake_over_http_2_is_answered_by_its_rules() {
    let app = "export default { fetch(request) {
      const { headers, method, url } = request;
      if (url.endsWith('/told')) return Response.json([method, headers.get('connection'), headers.get('upgrade'), headers.get('sec-websocket-protocol')], { status: 201 });
      const { 0: client, 1: server } = new WebSocketPair();
      server.accept();
      return new Response(null, { status: 101, webSocket: client, headers: { 'sec-websocket-protocol': 'chat', 'x-own': '1', upgrade: 'x' } });
    } }";
    let app = App::new("app", app).set("max_websockets = 1");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = connect(supervisor.address("app").await).await;
    let protocol = ("sec-websocket-protocol", "chat, other");
    let (answer, _) = request(&client, ask("/told", &[VERSION, protocol])).await;
    assert_eq!(answer.status(), 201);
    assert_eq!(text(answer).await, r#"["GET","Upgrade","websocket","chat, other"]"#);
    let offer = ("sec-websocket-extensions", "permessage-deflate");
    let (answer, _outgoing) = request(&client, ask("/", &[VERSION, protocol, offer])).await;
    assert_eq!(answer.status(), 200);
    let field = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap());
    assert_eq!([field("sec-websocket-protocol"), field("x-own")], [Some("chat"), Some("1")]);
    assert!(field("sec-websocket-extensions").unwrap().starts_with("permessage-deflate"));
    for name in ["connection", "upgrade", "sec-websocket-accept", "content-length"] {
        assert_eq!(field(name), None, "{name}");
    }
    assert!(field("x-request-id").is_some());
    for (fields, status) in [(&[VERSION][..], 503), (&[("sec-websocket-version", "8")], 426), (&[], 426)] {
        assert_eq!(request(&client, ask("/", fields)).await.0.status(), status, "{fields:?}");
    }
    let mut other = ask("/", &[VERSION]);
    other.extensions_mut().insert(Protocol::from_static("connect-udp"));
    assert_eq!(request(&client, other).await.0.status(), 405);
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_one_websocket_gets_the_others() {
    let app = "export default { fetch(request) {
      const { 0: client, 1: server } = new WebSocketPair();
      server.accept();
      server.addEventListener('message', ({ data }) => { server.send(new Uint8Array(Number(data))); });
      server.addEventListener('close', ({ code }) => console.log(`closed ${code}`));
      return new Response(null, { status: 101, webSocket: client });
    } }";
    let (supervisor, client, admin) = serve(app, "send_timeout = '1s'").await;
    let mut fast = open(&client, "/").await;
    let (_slow, mut outgoing) = request(&client, ask("/", &[VERSION])).await;
    let before = process::peak_rss(supervisor.pid());
    // None of the answer is read.
    outgoing.send_data(talker::frame(TEXT, b"30000000").into(), false).unwrap();
    send(&mut fast, "1000").await;
    assert_eq!(hears(&mut fast).await, "Binary of 1000 bytes");
    supervisor.log.line_with("closed 1006").await;
    let after = process::peak_rss(supervisor.pid());
    assert!(after < before + (8 << 20), "{before} {after}");
    send(&mut fast, "2000").await;
    assert_eq!(hears(&mut fast).await, "Binary of 2000 bytes");
    assert_eq!(metrics(&admin).await["nano_streams_reset_total"], 1.0);
}

#[tokio::test]
async fn many_short_messages_that_an_app_does_not_take_leave_the_connection_alone() {
    let app = "const held = []; export default { fetch(request) {
      if (request.url.endsWith('/accept')) { held.pop().accept(); return new Response('accepted'); }
      const { 0: client, 1: server } = new WebSocketPair();
      held.push(server);
      let messages = 0;
      server.addEventListener('message', ({ data }) => { messages++; if (data === 'last') server.send(String(messages)); });
      return new Response(null, { status: 101, webSocket: client });
    } }";
    let (_supervisor, client, admin) = serve(app, "").await;
    let (mut answer, mut outgoing) = request(&client, ask("/", &[VERSION])).await;
    // More than the worker takes before the app does.
    let mut long = Bytes::from(talker::frame(BINARY, &[7; 140 * 1024]));
    while !long.is_empty() {
        outgoing.reserve_capacity(long.len());
        let capacity = within(std::future::poll_fn(|cx| outgoing.poll_capacity(cx))).await.unwrap().unwrap();
        outgoing.send_data(long.split_to(capacity.min(long.len())), false).unwrap();
    }
    until("the client has to wait", async || {
        (metrics(&admin).await["nano_credit_stalls_total{app=\"app\"}"] > 0.0).then_some(())
    })
    .await;
    // Each is a frame of HTTP/2.
    for _ in 0..2000 {
        outgoing.send_data(talker::frame(TEXT, b"x").into(), false).unwrap();
    }
    outgoing.send_data(talker::frame(TEXT, b"last").into(), false).unwrap();
    // Behind them, on the same connection.
    let get = Request::get("http://app.example/accept").body(()).unwrap();
    assert_eq!(text(request(&client, get).await.0).await, "accepted");
    let frame = within(answer.body_mut().data()).await.unwrap().unwrap();
    assert_eq!(frame, &b"\x81\x042002"[..]);
}

#[tokio::test]
async fn websockets_that_an_app_does_not_take_hold_up_no_request_of_their_connection() {
    let app = "const held = []; export default { async fetch(request) {
      if (request.method === 'POST') return new Response(String((await request.arrayBuffer()).byteLength));
      const { 0: client, 1: server } = new WebSocketPair();
      held.push(server);
      return new Response(null, { status: 101, webSocket: client });
    } }";
    let (_supervisor, client, admin) = serve(app, "").await;
    let mut answers = Vec::new();
    for _ in 0..4 {
        let (answer, outgoing) = request(&client, ask("/", &[VERSION])).await;
        answers.push(answer);
        tokio::spawn(send_all(outgoing, talker::frame(BINARY, &[7; 1 << 20]).into()));
    }
    until("the WebSockets have to wait", async || {
        (metrics(&admin).await["nano_credit_stalls_total{app=\"app\"}"] >= 4.0).then_some(())
    })
    .await;
    let post = Request::post("http://app.example/").body(()).unwrap();
    let mut sender = within(client.clone().ready()).await.unwrap();
    let (answer, outgoing) = sender.send_request(post, false).unwrap();
    tokio::spawn(send_all(outgoing, vec![7; 300_000].into()));
    assert_eq!(text(within(answer).await.unwrap()).await, "300000");
}
