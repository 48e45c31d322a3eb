//! The harness for tests of the data plane: one app on one I/O thread. Its workers are tasks of the test that speak the protocol
//! over a socket, as worker processes do.

use std::fs;
use std::future::poll_fn;
use std::iter::empty;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use nano_protocol::head::split_request_head;
use nano_protocol::message::UPGRADED;
use nano_protocol::{Connection, Incoming, Receiver, Sender, Side};
use tokio::io::{DuplexStream, duplex};
use tokio::net::UnixStream;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use crate::config::{AppSpec, ServerSettings, Sources};
use crate::edge::admission::{Admission, ListenerConnections};
use crate::edge::client::Client;
use crate::edge::client::peer::Peer;
use crate::edge::closing::{Closer, Closing};
use crate::edge::commands::{Notice, UpstreamSpec};
use crate::edge::connection::Connection as ClientConnection;
use crate::edge::descriptors::Descriptors;
use crate::edge::proxy::Proxy;
use crate::edge::proxy::site::Site;
use crate::edge::upstream::Upstream;
use crate::model::ids::AppId;
use crate::telemetry::traffic::Traffic;

/// Size of the buffer between a client and the edge, in bytes: smaller than most heads.
const IN_MEMORY: usize = 100;

/// One app on one I/O thread.
pub(crate) struct Edge {
    pub admission: Rc<Admission>,
    pub upstream: Rc<Upstream>,
    _notices: mpsc::Receiver<Notice>,
    proxy: Rc<Proxy>,
    listener: Rc<ListenerConnections>,
    closing: Closing,
    _closer: Closer,
}

impl Edge {
    /// Creates an app with these lines of configuration, and without a worker.
    pub(crate) fn new(lines: &str) -> Self {
        let spec = spec(lines);
        let routed = UpstreamSpec {
            app: AppId::of_number(1),
            spec: Arc::new(spec),
            traffic: Arc::new(Traffic::new(1)),
        };
        let admission =
            Rc::new(Admission::new(ServerSettings::default(), Descriptors::PLENTY, Arc::default()));
        let (_closer, closing) = Closing::new();
        let (notices, _notices) = mpsc::channel(64);
        let upstream = Rc::new(Upstream::new(&routed, 0, admission.total(), notices));
        let proxy = Rc::new(Proxy::new(Site::new([&upstream].into_iter()), admission.settings()));
        Self { admission, upstream, _notices, proxy, listener: Rc::default(), closing, _closer }
    }

    /// Adds a worker that is ready. It answers with its generation, and with the method, the URL and the body of the request. A request
    /// for `/socket/` and bytes in hexadecimal gets a WebSocket, of whose pieces the worker sends these bytes.
    pub(crate) fn worker(&self, generation: u64) -> Rc<TestWorker> {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (mut connection, handle) = Connection::new(ours, Side::Supervisor);
        self.upstream.attach(generation, handle, Arc::default());
        let upstream = self.upstream.clone();
        tokio::task::spawn_local(async move {
            while let Ok(Some(_)) = connection.next().await {}
            upstream.disconnected(generation);
        });
        let worker = Rc::new(TestWorker {
            generation,
            waits: Notify::new(),
            goes_on: Notify::new(),
            dies: Notify::new(),
        });
        tokio::task::spawn_local(work(worker.clone(), theirs));
        worker
    }

    /// Sends a request on its own connection, and returns the status and the body of the response.
    pub(crate) fn get(&self, target: &str) -> JoinHandle<(u16, String)> {
        let (io, target) = (TokioIo::new(self.connect("http")), target.to_owned());
        tokio::task::spawn_local(async move {
            let (mut client, connection) = http1::handshake(io).await.unwrap();
            tokio::spawn(connection);
            let request = Request::get(target).header("host", "app.example").body(Empty::<Bytes>::new());
            let response = client.send_request(request.unwrap()).await.unwrap();
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            (status, String::from_utf8(body.into()).unwrap())
        })
    }

    /// Begins to close the listening address.
    pub(crate) fn close(&self) {
        self.closing.is_closing.set(true);
    }

    /// Opens a connection that the edge serves, and returns the client's end.
    pub(crate) fn connect(&self, scheme: &'static str) -> DuplexStream {
        let (ours, theirs) = duplex(IN_MEMORY);
        let from = SocketAddr::from(([192, 0, 2, 1], 50_000));
        let slot = self.admission.admit(from.ip(), &self.listener, false).unwrap();
        let closing = self.closing.clone();
        let client = Rc::new(Client::new(&self.admission, slot, &closing.is_closing));
        self.admission.enter(&client);
        let peer = Peer::new(from, SocketAddr::from(([192, 0, 2, 2], 80)), scheme, &self.admission);
        let connection = ClientConnection { proxy: self.proxy.clone(), client, closing };
        tokio::task::spawn_local(connection.serve(theirs, peer));
        ours
    }
}

/// Returns the configuration of an app with these lines.
pub(crate) fn spec(lines: &str) -> AppSpec {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("index.js"), "").unwrap();
    let file = dir.path().join("nano.toml");
    fs::write(&file, format!("[apps.app]\npath = '.'\nport = 1\n{lines}\n")).unwrap();
    let sources = Sources { config: Some(file), ..Sources::default() };
    sources.load_with(|_| Ok(Vec::new())).unwrap().apps.remove(0)
}

/// A worker that is a task of the test.
pub(crate) struct TestWorker {
    generation: u64,
    waits: Notify,
    goes_on: Notify,
    dies: Notify,
}

impl TestWorker {
    /// Waits until the worker has a request for `/wait`, which it does not answer yet.
    pub(crate) async fn has_one_that_waits(&self) {
        self.waits.notified().await;
    }

    /// Makes the worker answer the request for `/wait`.
    pub(crate) fn go_on(&self) {
        self.goes_on.notify_one();
    }

    pub(crate) fn die(&self) {
        self.dies.notify_one();
    }
}

async fn work(worker: Rc<TestWorker>, socket: UnixStream) {
    let (mut connection, _handle) = Connection::new(socket, Side::Worker);
    loop {
        let event = tokio::select! {
            event = connection.next() => event,
            () = worker.dies.notified() => return,
        };
        let Ok(Some(Incoming::Stream { head, sender, receiver })) = event else { return };
        tokio::task::spawn_local(answer(worker.clone(), head.payload, sender, receiver));
    }
}

async fn answer(worker: Rc<TestWorker>, head: Bytes, sender: Sender, receiver: Receiver) {
    let (line, _) = split_request_head(&head).unwrap();
    if line.target == "/wait" {
        worker.waits.notify_one();
        worker.goes_on.notified().await;
    }
    if let Some(digits) = line.target.strip_prefix("/socket/") {
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        let mut pieces: Bytes = (0..digits.len()).step_by(2).map(byte).collect();
        sender.respond(UPGRADED, 0, empty(), false).unwrap();
        let _ = poll_fn(|cx| sender.poll_send(cx, &mut pieces, true)).await;
        while let Some(Ok(_)) = poll_fn(|cx| receiver.poll_chunk(cx)).await {}
        return;
    }
    let mut text =
        format!("{}: {} {}{} ", worker.generation, line.method, line.origin, line.target).into_bytes();
    while let Some(part) = poll_fn(|cx| receiver.poll_part(cx)).await {
        let Ok(part) = part else { return };
        text.extend_from_slice(part.chunk());
    }
    let mut text = Bytes::from(text);
    if sender.respond(200, 0, empty(), false).is_ok() {
        let _ = poll_fn(|cx| sender.poll_send(cx, &mut text, true)).await;
    }
}
