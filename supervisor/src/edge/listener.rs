//! Listening sockets: bound once by the main thread, accepted from on every I/O thread.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as StdTcpListener};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use crate::config::Listen;
use crate::edge::admission::{Admission, AdmissionError, ListenerConnections};
use crate::edge::client::Client;
use crate::edge::client::peer::Peer;
use crate::edge::closing::Closing;
use crate::edge::connection::Connection;
use crate::edge::proxy::Proxy;

/// Most connections that the kernel queues before they are accepted.
const BACKLOG: i32 = 4096;

/// Pause after accept() has failed for lack of descriptors or memory, and between attempts to admit a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Binds one address for all I/O threads: one socket each, among which the kernel distributes connections.
///
/// # Errors
/// Fails if the kernel refuses the address, usually because it is in use.
pub(crate) fn bind(listen: &Listen, io_threads: usize) -> io::Result<Vec<StdTcpListener>> {
    // With SO_REUSEPORT, a second supervisor could bind the same port unnoticed. A socket without it tells whether
    // the port is free.
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
        // All addresses: a dual-stack IPv6 socket, or IPv4 alone where the kernel has no IPv6.
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

/// What the accept loop and the connections of one listening address share.
#[derive(Debug)]
pub(crate) struct ListenerShared {
    pub proxy: Rc<Proxy>,
    pub admission: Rc<Admission>,
    pub connections: Rc<ListenerConnections>,
    /// Whether the address is being closed.
    pub closing: Closing,
}

/// Accepts connections until it is told to stop. Then it still accepts those in the backlog, because their clients see them as
/// open already.
pub(crate) async fn accept(listener: TcpListener, shared: ListenerShared) {
    let ListenerShared { proxy, admission, connections, closing } = shared;
    let mut stop = closing.stop.clone();
    let mut stopping = pin!(stop.changed());
    let mut is_stopping = false;
    let mut is_short = false;
    loop {
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
                let slot = loop {
                    match admission.admit(peer.ip(), &connections, is_stopping) {
                        Err(AdmissionError::Wait) => tokio::select! {
                            () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                            _ = &mut stopping, if !is_stopping => is_stopping = true,
                        },
                        turned => break turned,
                    }
                };
                if let (Ok(slot), Ok(local)) = (slot, socket.local_addr()) {
                    // Responses are written whole, so Nagle's algorithm would only delay them.
                    let _ = socket.set_nodelay(true);
                    let client = Rc::new(Client::new(&admission, slot, &closing.is_closing));
                    admission.enter(&client);
                    let connection = Connection { proxy: proxy.clone(), client, closing: closing.clone() };
                    tokio::task::spawn_local(
                        connection.serve(socket, Peer::new(peer, local, "http", &admission)),
                    );
                }
            }
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) => {
                // Logged once per shortage, not once per attempt.
                if !std::mem::replace(&mut is_short, true) {
                    tracing::warn!(%error, "cannot accept connections; idle ones are closed, and clients wait until some have ended");
                }
                admission.shed_any();
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
