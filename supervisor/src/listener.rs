//! Listening sockets: bound once by the main thread, accepted from on every I/O thread.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as StdTcpListener};
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::Poll;
use std::time::Duration;

use hyper::header::{CONNECTION, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto;
use nano_protocol::message::RequestId;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::client::io::ClientIo;
use crate::client::{Client, Overdue, Peer};
use crate::config::{Listen, ServerSettings};
use crate::proxy::Proxy;
use crate::proxy::answer::Refusal;

/// Connections the kernel keeps for us before we accept them.
const BACKLOG: i32 = 4096;

/// Longest HTTP/2 header list that is read at all, in bytes.
const MAX_H2_HEAD: u32 = 256 * 1024;

/// Pause after accept() failed for want of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Binds one address for all I/O threads: one socket each, between which the kernel spreads connections.
///
/// # Errors
/// What the kernel says, most often that the address is in use.
pub fn bind(listen: &Listen, io_threads: usize) -> io::Result<Vec<StdTcpListener>> {
    // Sockets that share a port would also share it with a second supervisor, unnoticed. One that does not share finds
    // out whether the port is free.
    let probe = bind_one(listen.host, listen.port, false)?;
    if io_threads == 1 {
        return Ok(vec![probe]);
    }
    let port = probe.local_addr()?.port();
    drop(probe);
    (0..io_threads).map(|_| bind_one(listen.host, port, true)).collect()
}

fn bind_one(host: Option<IpAddr>, port: u16, share: bool) -> io::Result<StdTcpListener> {
    match host {
        Some(host) => bind_socket(SocketAddr::new(host, port), share),
        // All addresses: IPv6 that takes IPv4 too, or IPv4 alone where the kernel has no IPv6.
        None => bind_socket(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port), share).or_else(|error| {
            match error.raw_os_error() {
                Some(code) if code == nix::errno::Errno::EADDRINUSE as i32 => Err(error),
                Some(code) if code == nix::errno::Errno::EACCES as i32 => Err(error),
                _ => bind_socket(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port), share),
            }
        }),
    }
}

fn bind_socket(address: SocketAddr, share: bool) -> io::Result<StdTcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(share)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// What all listeners of one I/O thread share.
#[derive(Debug)]
pub struct Shared {
    /// Limits and policies, for further connections.
    pub settings: RefCell<Rc<ServerSettings>>,
    /// Ticks since the thread started.
    pub clock: Rc<Cell<u64>>,
    /// Connections now open on this thread.
    pub open: Cell<usize>,
    /// For the sweep.
    pub clients: RefCell<Vec<Weak<Client>>>,
}

impl Shared {
    /// With these settings, and no connection yet.
    pub fn new(settings: Rc<ServerSettings>) -> Self {
        Self {
            settings: RefCell::new(settings),
            clock: Rc::default(),
            open: Cell::new(0),
            clients: RefCell::default(),
        }
    }

    /// Limits and policies.
    pub fn settings(&self) -> Rc<ServerSettings> {
        self.settings.borrow().clone()
    }

    /// Whether this thread has its share of all connections open.
    fn is_full(&self) -> bool {
        let settings = self.settings.borrow();
        self.open.get() >= settings.max_connections.div_ceil(settings.io_threads)
    }
}

/// Runs hyper's tasks on this thread.
#[derive(Debug, Clone, Copy)]
struct LocalExecutor;

impl<F> hyper::rt::Executor<F> for LocalExecutor
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// Whether a listening address goes on, for those who accept from it and for its connections.
#[derive(Debug, Clone)]
pub struct Closing {
    /// Changes when it does not.
    stop: watch::Receiver<()>,
    /// True from then on.
    is_closing: Rc<Cell<bool>>,
}

/// The other end of a [`Closing`].
#[derive(Debug)]
pub struct Closer {
    stop: watch::Sender<()>,
    is_closing: Rc<Cell<bool>>,
}

impl Closing {
    /// One that goes on.
    pub fn new() -> (Closer, Self) {
        let (sender, stop) = watch::channel(());
        let is_closing = Rc::default();
        (Closer { stop: sender, is_closing: Rc::clone(&is_closing) }, Self { stop, is_closing })
    }
}

impl Closer {
    /// Closes it, and waits until every connection has ended. HTTP/2 clients are told at once to send nothing more, others
    /// with their next answer; one that is idle for a moment is closed.
    pub async fn close(self) {
        self.is_closing.set(true);
        let _ = self.stop.send(());
        self.stop.closed().await;
    }
}

/// Accepts until it is told to stop, and then once more what the kernel has accepted for us already: to their clients,
/// those connections are open.
pub async fn accept(listener: TcpListener, proxy: Rc<Proxy>, shared: Rc<Shared>, mut closing: Closing) {
    let template = closing.clone();
    let mut stopping = pin!(closing.stop.changed());
    let mut is_stopping = false;
    let mut is_short = false;
    loop {
        while shared.is_full() && !is_stopping {
            tokio::select! {
                () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                _ = &mut stopping => is_stopping = true,
            }
        }
        let accepted = poll_fn(|cx| {
            is_stopping = is_stopping || stopping.as_mut().poll(cx).is_ready();
            match listener.poll_accept(cx) {
                Poll::Pending if is_stopping => Poll::Ready(None),
                polled => polled.map(Some),
            }
        });
        let Some(accepted) = accepted.await else { return };
        match accepted {
            Ok((socket, peer)) => {
                is_short = false;
                // Answers are written whole: waiting for more would only delay them.
                let _ = socket.set_nodelay(true);
                shared.open.set(shared.open.get() + 1);
                let connection = serve(socket, peer, proxy.clone(), shared.clone(), template.clone());
                let shared = shared.clone();
                tokio::task::spawn_local(async move {
                    connection.await;
                    shared.open.set(shared.open.get() - 1);
                });
            }
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) => {
                // Once per shortage, not once per attempt.
                if !std::mem::replace(&mut is_short, true) {
                    tracing::warn!(%error, "cannot accept connections; clients wait until some have ended");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

async fn serve(
    socket: TcpStream,
    peer: SocketAddr,
    proxy: Rc<Proxy>,
    shared: Rc<Shared>,
    mut closing: Closing,
) {
    let Ok(local) = socket.local_addr() else { return };
    let client = Rc::new(Client::new(&shared.clock, &closing.is_closing));
    shared.clients.borrow_mut().push(Rc::downgrade(&client));
    let peer = Rc::new(Peer::new(peer, local));
    let io = ClientIo::new(socket, client.clone());
    let socket = io.socket();
    let service = {
        let (client, is_closing) = (client.clone(), closing.is_closing.clone());
        service_fn(move |request| {
            if request.version() == hyper::Version::HTTP_2 {
                client.speaks_http2();
            }
            let serving = client.serve();
            let (proxy, peer, is_closing) = (proxy.clone(), peer.clone(), is_closing.clone());
            let client = client.clone();
            async move {
                let is_http1 = request.version() < hyper::Version::HTTP_2;
                let mut response = proxy.answer(request, &peer, serving).await;
                if is_http1 && (is_closing.get() || client.is_unclear()) {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response)
            }
        })
    };
    let builder = builder(&shared.settings());
    let is_closing = closing.is_closing.clone();
    let overdue = {
        let mut connection = pin!(builder.serve_connection(io, service).into_owned());
        let mut stopped = pin!(closing.stop.changed());
        let (mut is_told, mut has_said_goodbye) = (false, false);
        poll_fn(|cx| {
            if let Poll::Ready(why) = client.poll_overdue(cx) {
                return Poll::Ready(Some(why));
            }
            // Once is enough to be woken; what has changed then shows in the cell, at no cost for every request.
            if !std::mem::replace(&mut is_told, true) {
                let _ = stopped.as_mut().poll(cx);
            }
            // hyper would close an idle connection of HTTP/1.1 at once, under the request that may be on its way.
            if is_closing.get() && client.is_http2() && !std::mem::replace(&mut has_said_goodbye, true) {
                connection.as_mut().graceful_shutdown();
            }
            // Errors are the client's: it went away, or it does not speak HTTP and has been told so.
            connection.as_mut().poll(cx).map(|_| None)
        })
        .await
    };
    if overdue == Some(Overdue::Head) {
        socket.last_word(&Refusal::RequestTimedOut.raw_response(RequestId(fastrand::u128(..))));
    }
    if client.leaves_unread() {
        socket.linger().await;
    }
}

fn builder(settings: &ServerSettings) -> auto::Builder<LocalExecutor> {
    let mut builder = auto::Builder::new(LocalExecutor);
    builder
        .http1()
        .timer(TokioTimer::new())
        // The sweep keeps time, see `client`.
        .header_read_timeout(None)
        // Not `pipeline_flush`: with it, hyper buffers without bound for a client that does not read.
        .max_headers(settings.max_headers);
    builder
        .http2()
        .timer(TokioTimer::new())
        // Far above what may be configured, so that the answer to too large a head is ours.
        .max_header_list_size(MAX_H2_HEAD)
        .max_concurrent_streams(256)
        .adaptive_window(true);
    builder
}
