//! TCP connections of an app, plain or TLS, as `connect()` of `cloudflare:sockets` opens them. JavaScript owns each one. It ends
//! at the latest with the request that has opened it. Nothing is read before somebody asks for it, and a write waits until
//! the kernel has taken all of it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use deno_core::{AsyncResult, BufMutView, BufView, JsBuffer, OpState, Resource, ResourceId, op2, v8};
use deno_error::{AdditionalProperties, JsErrorBox, JsErrorClass};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::dial::Dialer;
use super::failure::{CONNECT_TIMEOUT, DialError, explain};
use super::network::Network;
use super::places::Dialed;
use crate::requests::belongings::OfRequest;
use crate::requests::in_flight::{in_flight, running_request};

/// Maximum number of bytes read at once for readers without a buffer of their own.
const READ: usize = 64 * 1024;

/// How Workers say that a connection could not be opened. The reason follows.
const UNCONNECTED: &str = "proxy request failed, cannot connect to the specified address";

enum Stream {
    Plain(TokioIo<Dialed>),
    Tls(Box<TlsStream<TokioIo<Dialed>>>),
}

/// What both kinds of connections can do.
trait Duplex: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

impl Stream {
    fn io(&mut self) -> Pin<&mut dyn Duplex> {
        let io: &mut dyn Duplex = match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream,
        };
        Pin::new(io)
    }
}

/// Why nothing can be read or written, with a code as those of Node.js.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub(crate) struct TcpFailure {
    class: &'static str,
    message: Cow<'static, str>,
    code: &'static str,
}

impl JsErrorClass for TcpFailure {
    fn get_class(&self) -> Cow<'static, str> {
        self.class.into()
    }

    fn get_message(&self) -> Cow<'static, str> {
        self.message.clone()
    }

    fn get_additional_properties(&self) -> AdditionalProperties {
        Box::new((!self.code.is_empty()).then(|| ("code".into(), self.code.into())).into_iter())
    }

    fn get_ref(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        self
    }
}

impl TcpFailure {
    fn of_use(why: &'static str) -> Self {
        Self { class: "TypeError", message: why.into(), code: "" }
    }

    fn unconnected(error: &(dyn std::error::Error + 'static)) -> Self {
        let (code, detail) = explain(error);
        Self { class: "Error", message: format!("{UNCONNECTED}: {detail}").into(), code }
    }

    fn lost(error: &std::io::Error) -> Self {
        let (code, _) = explain(error);
        Self { class: "Error", message: "Network connection lost.".into(), code }
    }
}

enum TcpPhase {
    /// Nothing has come of it yet.
    Connecting,
    Open(Stream),
    /// It has ended, or was moved.
    Over(TcpFailure),
}

struct TcpState {
    phase: TcpPhase,
    /// Whether reading has failed, once it has come to an end.
    has_failed: Option<bool>,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Waits for the end of what can be read.
    watcher: Option<Waker>,
}

struct Tcp {
    state: RefCell<TcpState>,
    /// A description for messages, such as "the connection to localhost:5432".
    what: String,
}

impl Tcp {
    fn new(what: String) -> Rc<Self> {
        let state = TcpState {
            phase: TcpPhase::Connecting,
            has_failed: None,
            reader: None,
            writer: None,
            watcher: None,
        };
        Rc::new(Self { state: RefCell::new(state), what })
    }

    fn wake(&self) {
        let mut state = self.state.borrow_mut();
        let wakers = [state.reader.take(), state.writer.take(), state.watcher.take()];
        drop(state);
        for waker in wakers.into_iter().flatten() {
            waker.wake();
        }
    }

    /// Ends the connection, unless it has ended. Returns it.
    fn end(&self, why: TcpFailure) -> Option<Stream> {
        let mut state = self.state.borrow_mut();
        if let TcpPhase::Over(_) = state.phase {
            return None;
        }
        let before = std::mem::replace(&mut state.phase, TcpPhase::Over(why));
        drop(state);
        self.wake();
        match before {
            TcpPhase::Open(stream) => Some(stream),
            TcpPhase::Connecting | TcpPhase::Over(_) => None,
        }
    }

    /// Begins to use the connection, unless it has ended meanwhile.
    fn open(&self, stream: Stream) {
        let mut state = self.state.borrow_mut();
        if let TcpPhase::Connecting = state.phase {
            state.phase = TcpPhase::Open(stream);
            drop(state);
            self.wake();
        }
    }

    fn over(&self) -> Option<TcpFailure> {
        match &self.state.borrow().phase {
            TcpPhase::Over(why) => Some(why.clone()),
            TcpPhase::Connecting | TcpPhase::Open(_) => None,
        }
    }

    /// Reads some bytes; none at the end.
    fn poll_read(&self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<Result<usize, TcpFailure>> {
        let mut state = self.state.borrow_mut();
        state.reader = Some(cx.waker().clone());
        let mut buffer = ReadBuf::new(into);
        let polled = match &mut state.phase {
            TcpPhase::Connecting => return Poll::Pending,
            TcpPhase::Over(why) => return Poll::Ready(Err(why.clone())),
            TcpPhase::Open(stream) => stream.io().poll_read(cx, &mut buffer),
        };
        let Poll::Ready(read) = polled else { return Poll::Pending };
        let read = read.map(|()| buffer.filled().len()).map_err(|error| TcpFailure::lost(&error));
        if matches!(read, Ok(1..)) {
            return Poll::Ready(read);
        }
        state.has_failed = Some(read.is_err());
        let watcher = state.watcher.take();
        drop(state);
        if let Err(error) = &read {
            drop(self.end(error.clone()));
        }
        if let Some(watcher) = watcher {
            watcher.wake();
        }
        Poll::Ready(read)
    }

    /// Writes some of the bytes, once there is a connection.
    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, TcpFailure>> {
        self.poll_writer(cx, |stream, cx| stream.io().poll_write(cx, bytes))
    }

    fn poll_writer<T>(
        &self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Stream, &mut Context<'_>) -> Poll<std::io::Result<T>>,
    ) -> Poll<Result<T, TcpFailure>> {
        let mut state = self.state.borrow_mut();
        state.writer = Some(cx.waker().clone());
        match &mut state.phase {
            TcpPhase::Connecting => Poll::Pending,
            TcpPhase::Over(why) => Poll::Ready(Err(why.clone())),
            TcpPhase::Open(stream) => poll(stream, cx).map_err(|error| TcpFailure::lost(&error)),
        }
    }

    async fn write(&self, mut bytes: &[u8]) -> Result<(), TcpFailure> {
        // Also with no bytes, so that nothing is written before there is a connection.
        loop {
            let written = poll_fn(|cx| self.poll_write(cx, bytes)).await?;
            bytes = &bytes[written..];
            if bytes.is_empty() {
                break;
            }
            if written == 0 {
                return Err(TcpFailure::lost(&std::io::ErrorKind::WriteZero.into()));
            }
        }
        poll_fn(|cx| self.poll_writer(cx, |stream, cx| stream.io().poll_flush(cx))).await
    }
}

impl OfRequest for Tcp {
    fn end_with_request(&self) {
        let message = format!(
            "{} ended with the request that opened it, which is over: open one for each request, or use it within \
             waitUntil()",
            self.what
        );
        drop(self.end(TcpFailure { class: "Error", message: message.into(), code: "ECONNABORTED" }));
    }
}

/// A connection, owned by JavaScript.
pub(crate) struct TcpConnection(Rc<Tcp>);

untraced!(TcpConnection, c"TcpConnection");

impl fmt::Debug for TcpConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TcpConnection").field(&self.0.what).finish()
    }
}

impl Drop for Tcp {
    fn drop(&mut self) {
        if let Some(watcher) = self.state.get_mut().watcher.take() {
            watcher.wake();
        }
    }
}

const CLOSED: TcpFailure =
    TcpFailure { class: "TypeError", message: Cow::Borrowed("This socket has been closed."), code: "" };

/// What a connection gives, for a stream.
struct TcpReader(Rc<Tcp>);

impl Resource for TcpReader {
    fn name(&self) -> Cow<'_, str> {
        "tcp".into()
    }

    fn read(self: Rc<Self>, limit: usize) -> AsyncResult<BufView> {
        Box::pin(async move {
            let mut bytes = vec![0; limit.min(READ)];
            let read = poll_fn(|cx| self.0.poll_read(cx, &mut bytes)).await.map_err(JsErrorBox::from_err)?;
            bytes.truncate(read);
            Ok(bytes.into())
        })
    }

    fn read_byob(self: Rc<Self>, mut buffer: BufMutView) -> AsyncResult<(usize, BufMutView)> {
        Box::pin(async move {
            let read = poll_fn(|cx| self.0.poll_read(cx, &mut buffer)).await.map_err(JsErrorBox::from_err)?;
            Ok((read, buffer))
        })
    }
}

/// Creates a connection that `op_tcp_connect` opens. It belongs to the request for which JavaScript runs.
#[op2]
#[cppgc]
pub(crate) fn op_tcp_new(
    scope: &mut v8::PinScope<'_, '_>,
    state: &mut OpState,
    #[string] address: &str,
) -> TcpConnection {
    let tcp = Tcp::new(format!("the connection to {address}"));
    let of = running_request(scope).unwrap_or_default();
    in_flight(state).opened(of, Rc::downgrade(&tcp) as Weak<dyn OfRequest>);
    TcpConnection(tcp)
}

/// Opens a connection, with TLS if there is a name for the certificate. Returns the address of the other side.
#[op2]
#[string]
pub(crate) async fn op_tcp_connect(
    state: Rc<RefCell<OpState>>,
    #[cppgc] connection: &TcpConnection,
    #[string] host: String,
    #[smi] port: u16,
    is_tls: bool,
) -> Result<String, TcpFailure> {
    let tcp = connection.0.clone();
    let network = state.borrow().borrow::<Rc<Network>>().clone();
    let config = is_tls.then(|| network.tls());
    // Boxed because the future is large and short-lived.
    let connecting = Box::pin(connect(network.dialer().clone(), host, port, config));
    let connected = unless_over(&tcp, connecting).await;
    network.warn(&in_flight(&state.borrow()));
    let (stream, peer) = connected.inspect_err(|error| drop(tcp.end(error.clone())))?;
    tcp.open(stream);
    Ok(peer)
}

/// Waits for a connection, unless it is closed before.
async fn unless_over<T>(
    tcp: &Tcp,
    mut connecting: Pin<Box<impl Future<Output = Result<T, TcpFailure>>>>,
) -> Result<T, TcpFailure> {
    poll_fn(|cx| {
        if let Some(why) = tcp.over() {
            return Poll::Ready(Err(why));
        }
        // Reads and writes that wait have wakers of their own.
        tcp.state.borrow_mut().watcher = Some(cx.waker().clone());
        connecting.as_mut().poll(cx)
    })
    .await
}

async fn connect(
    dialer: Dialer,
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
) -> Result<(Stream, String), TcpFailure> {
    let failed = |error: DialError| TcpFailure::unconnected(&error);
    let slot = dialer.slot().await.map_err(failed)?;
    let connecting = async {
        let (dialed, peer) = slot.dial(&host, port).await.map_err(failed)?;
        let stream = Stream::Plain(TokioIo::new(dialed));
        let stream = match tls {
            Some(config) => secure(stream, &host, config).await?,
            None => stream,
        };
        Ok((stream, peer.to_string()))
    };
    timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or_else(|_| Err(failed(DialError::TimedOut)))
}

/// Begins with TLS on a connection.
async fn secure(stream: Stream, host: &str, config: Arc<ClientConfig>) -> Result<Stream, TcpFailure> {
    let Stream::Plain(stream) = stream else {
        return Err(TcpFailure::of_use("Cannot startTls on a TLS socket."));
    };
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|_| {
        TcpFailure::of_use("the name for the certificate is neither a host name nor an address")
    })?;
    let secured = TlsConnector::from(config).connect(name, stream).await;
    Ok(Stream::Tls(Box::new(secured.map_err(|error| TcpFailure::unconnected(&error))?)))
}

/// Moves a connection to another one, which uses it with TLS.
#[op2]
pub(crate) async fn op_tcp_start_tls(
    state: Rc<RefCell<OpState>>,
    #[cppgc] from: &TcpConnection,
    #[cppgc] to: &TcpConnection,
    #[string] name: String,
) -> Result<(), TcpFailure> {
    let (from, to) = (from.0.clone(), to.0.clone());
    let config = state.borrow().borrow::<Rc<Network>>().tls();
    let moved =
        from.end(TcpFailure::of_use("This socket has been upgraded: use the one that startTls() returned."));
    let Some(stream) = moved else {
        let why = from.over().unwrap_or(CLOSED);
        drop(to.end(why.clone()));
        return Err(why);
    };
    let securing = Box::pin(async {
        let secured = timeout(CONNECT_TIMEOUT, secure(stream, &name, config)).await;
        secured.unwrap_or_else(|_| Err(TcpFailure::unconnected(&DialError::TimedOut)))
    });
    let stream = unless_over(&to, securing).await.inspect_err(|error| drop(to.end(error.clone())))?;
    to.open(stream);
    Ok(())
}

/// Creates the resource from which a stream reads.
#[op2(fast)]
#[smi]
pub(crate) fn op_tcp_reader(state: &mut OpState, #[cppgc] connection: &TcpConnection) -> ResourceId {
    state.resource_table.add(TcpReader(connection.0.clone()))
}

/// Waits until nothing more can be read. Returns whether reading has failed. Fails if the connection ended before.
#[op2]
pub(crate) async fn op_tcp_read_to_end(#[cppgc] connection: &TcpConnection) -> Result<bool, TcpFailure> {
    // Does not keep the connection: whoever uses it does.
    let tcp = Rc::downgrade(&connection.0);
    poll_fn(|cx| {
        let Some(tcp) = tcp.upgrade() else { return Poll::Ready(Err(CLOSED)) };
        let mut state = tcp.state.borrow_mut();
        match (&state.phase, state.has_failed) {
            (_, Some(has_failed)) => Poll::Ready(Ok(has_failed)),
            (TcpPhase::Over(why), None) => Poll::Ready(Err(why.clone())),
            _ => {
                state.watcher = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    })
    .await
}

/// Writes bytes. Resolves when the kernel has taken all of them.
#[op2]
pub(crate) async fn op_tcp_write(
    #[cppgc] connection: &TcpConnection,
    #[buffer] bytes: JsBuffer,
) -> Result<(), TcpFailure> {
    let tcp = connection.0.clone();
    tcp.write(&bytes).await
}

/// Ends what is sent. The other side may go on.
#[op2]
pub(crate) async fn op_tcp_shutdown(#[cppgc] connection: &TcpConnection) -> Result<(), TcpFailure> {
    let tcp = connection.0.clone();
    poll_fn(|cx| tcp.poll_writer(cx, |stream, cx| stream.io().poll_shutdown(cx))).await
}

/// Closes both directions at once. Bytes that were not read are lost.
#[op2(fast)]
pub(crate) fn op_tcp_close(#[cppgc] connection: &TcpConnection) {
    if let Some(mut stream) = connection.0.end(CLOSED) {
        // The other side is told of the end, if there is room for it.
        let cx = &mut Context::from_waker(Waker::noop());
        let _ = stream.io().poll_shutdown(cx);
    }
}

#[cfg(test)]
mod tests;
