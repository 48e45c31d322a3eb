//! What tests of the data plane share: one app on one I/O thread, whose workers are tasks of the test that speak the protocol
//! over a socket, as processes do.

use std::fs;
use std::future::poll_fn;
use std::iter::empty;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use nano_protocol::connection::split_request_head;
use nano_protocol::{Connection, Event, Receiver, Sender, Side};
use tokio::io::{DuplexStream, duplex};
use tokio::net::UnixStream;
use tokio::sync::mpsc;

use crate::config::{ServerSettings, Sources};
use crate::edge::client::Client;
use crate::edge::client::peer::Peer;
use crate::edge::closing::Closing;
use crate::edge::commands::{Notice, RoutedApp};
use crate::edge::connection::Connection as ClientConnection;
use crate::edge::crowd::{Crowd, Door};
use crate::edge::proxy::Proxy;
use crate::edge::proxy::site::Site;
use crate::edge::upstream::Upstream;
use crate::model::ids::AppId;
use crate::telemetry::traffic::Traffic;

/// Bytes that are in memory between a client and the edge at once: fewer than most heads have.
const IN_MEMORY: usize = 100;

/// One app on one I/O thread.
pub(crate) struct Edge {
    pub crowd: Rc<Crowd>,
    pub upstream: Rc<Upstream>,
    _notices: mpsc::Receiver<Notice>,
    proxy: Rc<Proxy>,
    door: Rc<Door>,
}

impl Edge {
    /// An app with these lines of configuration, and no worker.
    pub(crate) fn new(lines: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("index.js"), "").unwrap();
        let file = dir.path().join("nano.toml");
        fs::write(&file, format!("[apps.app]\npath = '.'\nport = 1\n{lines}\n")).unwrap();
        let sources = Sources { config: Some(file), ..Sources::default() };
        let spec = sources.load_with(|_| Ok(Vec::new())).unwrap().apps.remove(0);
        let routed =
            RoutedApp { app: AppId::of_number(1), spec: Arc::new(spec), traffic: Arc::new(Traffic::new(1)) };
        let crowd = Rc::new(Crowd::new(ServerSettings::default(), usize::MAX, Arc::default()));
        let (notices, _notices) = mpsc::channel(64);
        let upstream = Rc::new(Upstream::new(&routed, 0, crowd.total(), notices));
        let proxy = Rc::new(Proxy::new(Site::new([&upstream].into_iter()), crowd.settings()));
        Self { crowd, upstream, _notices, proxy, door: Rc::default() }
    }

    /// The worker of this generation is ready. It answers with its name, and with what it was asked and sent.
    pub(crate) fn worker(&self, generation: u64) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (mut connection, handle) = Connection::new(ours, Side::Supervisor);
        self.upstream.attach(generation, handle);
        let upstream = self.upstream.clone();
        tokio::task::spawn_local(async move {
            while let Ok(Some(_)) = connection.next().await {}
            upstream.disconnected(generation);
        });
        tokio::task::spawn_local(work(generation, theirs));
    }

    /// A client's end of a connection that the edge serves.
    pub(crate) fn connect(&self) -> DuplexStream {
        let (ours, theirs) = duplex(IN_MEMORY);
        let from = SocketAddr::from(([192, 0, 2, 1], 50_000));
        let seat = self.crowd.admit(from.ip(), &self.door, false).unwrap();
        let (closer, closing) = Closing::new();
        let client = Rc::new(Client::new(&self.crowd, seat, &closing.is_closing));
        self.crowd.enter(&client);
        let peer = Peer::new(from, SocketAddr::from(([192, 0, 2, 2], 80)), &self.crowd);
        let connection = ClientConnection { proxy: self.proxy.clone(), client, closing };
        tokio::task::spawn_local(async move {
            connection.serve(theirs, peer).await;
            drop(closer);
        });
        ours
    }
}

async fn work(name: u64, socket: UnixStream) {
    let (mut connection, _handle) = Connection::new(socket, Side::Worker);
    while let Ok(Some(Event::Request { head, sender, receiver })) = connection.next().await {
        tokio::task::spawn_local(answer(name, head, sender, receiver));
    }
}

async fn answer(name: u64, head: Bytes, sender: Sender, receiver: Receiver) {
    let (line, _) = split_request_head(&head).unwrap();
    let mut text = format!("{name}: {} {} ", line.method, line.target).into_bytes();
    while let Some(part) = poll_fn(|cx| receiver.poll_part(cx)).await {
        let Ok(part) = part else { return };
        text.extend_from_slice(part.chunk());
    }
    let mut text = Bytes::from(text);
    if sender.respond(200, 0, empty(), false).is_ok() {
        let _ = poll_fn(|cx| sender.poll_send(cx, &mut text, true)).await;
    }
}
