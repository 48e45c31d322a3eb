//! One client connection from its first byte to its last: hyper speaks HTTP over it, within limits that follow from ours.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use hyper::header::{CONNECTION, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto;
use nano_protocol::message::RequestId;
use tokio::net::TcpStream;

use super::io::{ClientIo, ClientSocket};
use super::windows::Windows;
use super::{Client, Overdue, Peer, stream};
use crate::config::ServerSettings;
use crate::listener::Closing;
use crate::proxy::Proxy;
use crate::proxy::answer::Refusal;

/// What a head may have beyond the limits of its parts: method, version, an absolute target, spaces.
pub const REST_OF_HEAD: usize = 4 * 1024;

/// What a header field counts beyond its name and value in HTTP/2 (RFC 9113, 10.5.1).
const H2_FIELD: usize = 32;

/// The least buffer that hyper takes.
const LEAST_BUFFER: usize = 8 * 1024;

/// Streams of one connection at once.
const H2_STREAMS: u32 = 128;

/// What h2 keeps of one answer for a client that does not take it.
const H2_SEND_BUFFER: usize = 64 * 1024;

/// A connection that was let in.
#[derive(Debug)]
pub struct Connection {
    /// Who answers.
    pub proxy: Rc<Proxy>,
    /// Its state.
    pub client: Rc<Client>,
    /// Whether the address it came through goes on.
    pub closing: Closing,
}

/// Runs hyper's tasks on this thread: the streams of one connection.
#[derive(Debug, Clone)]
struct Executor(Rc<Client>);

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future<Output = ()> + 'static,
{
    fn execute(&self, stream: F) {
        tokio::task::spawn_local(stream::run(stream, self.0.clone()));
    }
}

impl Connection {
    /// Serves it to its end.
    pub async fn serve(self, socket: TcpStream, peer: SocketAddr) {
        let Self { proxy, client, mut closing } = self;
        let Ok(local) = socket.local_addr() else { return };
        let peer = Rc::new(Peer::new(peer, local, &client.crowd));
        let io = ClientIo::new(socket, client.clone());
        let socket = io.socket();
        let opening = poll_fn(|cx| match client.poll_overdue(cx) {
            Poll::Ready(why) => Poll::Ready(Err(why)),
            Poll::Pending => socket.poll_may_be_http2(cx).map(Ok),
        });
        let may_be_http2 = match opening.await {
            Ok(may_be) => may_be,
            Err(why) => return end(&client, socket, Some(why)).await,
        };
        let windows = may_be_http2.then(|| client.crowd.windows(client.seat()));
        let service = {
            let (client, is_closing) = (client.clone(), closing.is_closing.clone());
            service_fn(move |request| {
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
        let builder = builder(&client.crowd.settings(), client.clone(), windows.as_ref());
        let is_closing = closing.is_closing.clone();
        let overdue = {
            let mut connection = pin!(builder.serve_connection(io, service).into_owned());
            let mut stopped = pin!(closing.stop.changed());
            let (mut is_told, mut has_said_goodbye) = (false, false);
            poll_fn(|cx| {
                let overdue = client.poll_overdue(cx);
                if overdue.is_ready() && !client.is_http2() {
                    return overdue.map(Some);
                }
                // Once is enough to be woken; what has changed then shows in the cell, at no cost for every request.
                if !std::mem::replace(&mut is_told, true) {
                    let _ = stopped.as_mut().poll(cx);
                }
                // hyper would close an idle connection of HTTP/1.1 at once, under the request that may be on its way.
                let is_over = is_closing.get() || overdue.is_ready();
                if is_over && client.is_http2() && !std::mem::replace(&mut has_said_goodbye, true) {
                    connection.as_mut().graceful_shutdown();
                }
                // Errors are the client's: it went away, or it does not speak HTTP and has been told so.
                let polled = connection.as_mut().poll(cx).map(|_| None);
                // A client of HTTP/2 has been told that nothing more is taken, and which of its requests were.
                if overdue.is_ready() { overdue.map(Some) } else { polled }
            })
            .await
        };
        drop(windows);
        end(&client, socket, overdue).await;
    }
}

/// Ends it, for this reason if it was not its client's.
async fn end(client: &Client, socket: ClientSocket, overdue: Option<Overdue>) {
    client.crowd.count_end(overdue);
    if overdue == Some(Overdue::Head) && !client.is_http2() {
        socket.last_word(&Refusal::RequestTimedOut.raw_response(RequestId(fastrand::u128(..))));
    }
    if client.leaves_unread() && overdue != Some(Overdue::Shed) {
        socket.linger(client).await;
    }
}

/// hyper with our limits; `windows` are those of a client that may speak HTTP/2.
fn builder(
    settings: &ServerSettings,
    client: Rc<Client>,
    windows: Option<&Windows>,
) -> auto::Builder<Executor> {
    let (stream, connection) = windows.map(Windows::sizes).unwrap_or_default();
    let head = settings.max_uri + settings.max_header + REST_OF_HEAD;
    let h2_head = head + H2_FIELD * settings.max_headers;
    let mut builder = auto::Builder::new(Executor(client));
    builder
        .http1()
        .timer(TokioTimer::new())
        // The sweep keeps time, see `crowd`.
        .header_read_timeout(None)
        // The answer to a head that is no more than this is ours, and so is that to one beyond, see `io`. An answer, too, is
        // kept up to this for a client that does not take it.
        .max_buf_size(head.max(LEAST_BUFFER))
        // Not `pipeline_flush`: with it, hyper buffers without bound for a client that does not read.
        .max_headers(settings.max_headers);
    builder
        .http2()
        .timer(TokioTimer::new())
        // Above what is configured, so that the answer to too large a head is ours, unless it is far too large.
        .max_header_list_size(u32::try_from(2 * h2_head).unwrap_or(u32::MAX))
        .max_concurrent_streams(H2_STREAMS)
        .initial_stream_window_size(stream)
        .initial_connection_window_size(connection)
        .max_send_buf_size(H2_SEND_BUFFER);
    builder
}
