//! WebSockets: messages and the closing handshake, over frames by fastwebsockets.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};

use deno_core::convert::{ByteString, Uint8Array};
use deno_core::{
    AsyncRefCell, CancelFuture as _, CancelHandle, OpState, RcRef, Resource, ResourceId, ToV8, op2,
};
use fastwebsockets::{Frame, OpCode, Role, WebSocket, WebSocketError, WebSocketRead, WebSocketWrite};
use hyper::Uri;
use nano_protocol::socket::{MAX_CLOSE, read_close};
use tokio::io::{ReadHalf, WriteHalf};
use tokio::time::{Duration, sleep, timeout};

use super::failure::Failure;
use super::handshake::{Io, handshake};
use super::network::Network;
use super::socket_share::{CountedIo, Holdings};
use crate::requests::belongings::OfRequest;
use crate::requests::in_flight::in_flight;

/// Timeout for the other side's half of the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// The code that stands for a closing frame without one.
const NO_CODE: u16 = 1005;

/// The reason for closing a WebSocket over which a message comes that is too long.
const TOO_LONG: &str = "message too long";

/// An open WebSocket.
pub(super) struct Socket {
    reader: AsyncRefCell<FrameReader>,
    writer: AsyncRefCell<WebSocketWrite<WriteHalf<CountedIo>>>,
    io: CountedIo,
    holdings: Rc<Holdings>,
}

struct FrameReader {
    frames: WebSocketRead<ReadHalf<CountedIo>>,
    /// The parts received so far of a message in several frames, and its type.
    partial: Option<(OpCode, Vec<u8>)>,
    /// Whether closing frames are answered here, rather than by the app.
    answers_close: bool,
    holdings: Rc<Holdings>,
}

/// Why nothing more is read.
enum ReadFailure {
    Frames(WebSocketError),
    /// The other side breaks a rule: the code to close with, and which one.
    Rule(u16, &'static str),
}

impl From<WebSocketError> for ReadFailure {
    fn from(error: WebSocketError) -> Self {
        Self::Frames(error)
    }
}

impl Resource for Socket {
    fn name(&self) -> Cow<'_, str> {
        "webSocket".into()
    }

    fn close(self: Rc<Self>) {
        self.holdings.end.cancel();
    }
}

/// A handshake in progress. Closing this resource cancels the handshake.
struct Opening(Rc<CancelHandle>);

impl Resource for Opening {
    fn name(&self) -> Cow<'_, str> {
        "webSocketOpening".into()
    }

    fn close(self: Rc<Self>) {
        self.0.cancel();
    }
}

/// The result of a handshake.
#[derive(ToV8)]
pub(crate) struct Opened {
    rid: ResourceId,
    protocol: String,
}

/// A received message or close. Exactly one field is set.
#[derive(Default, ToV8)]
pub(crate) struct Received {
    text: Option<String>,
    bytes: Option<Uint8Array>,
    /// Code and reason of the other side's close frame; the code is 1005 if it has none.
    close: Option<(u32, String)>,
}

/// Creates the resource with which a handshake can be cancelled.
#[op2(fast)]
#[smi]
pub(crate) fn op_websocket_opening(state: &mut OpState) -> ResourceId {
    state.resource_table.add(Opening(CancelHandle::new_rc()))
}

/// Opens a WebSocket to a `ws:` or `wss:` URL.
#[op2]
pub(crate) async fn op_websocket_open(
    state: Rc<RefCell<OpState>>,
    #[smi] opening: ResourceId,
    #[string] url: String,
    #[string] protocols: String,
    #[scoped] headers: Vec<(ByteString, ByteString)>,
) -> Result<Opened, Failure> {
    let invalid = |error: &dyn fmt::Display| Failure::invalid(error.to_string());
    let (connector, cancel) = {
        let state = state.borrow();
        let opening = state.resource_table.get::<Opening>(opening).map_err(|error| invalid(&error))?;
        (state.borrow::<Rc<Network>>().websockets(), opening.0.clone())
    };
    let uri: Uri = url.parse().map_err(|error| invalid(&error))?;
    // Boxed because the future is large and short-lived.
    let handshake = Box::pin(handshake(connector, &uri, &protocols, &headers)).or_cancel(cancel);
    let opened = handshake.await.unwrap_or_else(|_| Err(Failure::invalid("the WebSocket was closed")));
    let opening = state.borrow_mut().resource_table.take_any(opening);
    drop(opening);
    let holdings = {
        let state = state.borrow();
        let (network, in_flight) = (state.borrow::<Rc<Network>>(), in_flight(&state));
        network.warn(&in_flight);
        Holdings::new(network.socket_share(), in_flight, 0)
    };
    let (io, protocol) = opened?;
    let socket = Socket::new(io, holdings, true);
    Ok(Opened { rid: state.borrow_mut().resource_table.add(socket), protocol })
}

/// Waits for the next message, or for the other side to close.
#[op2]
pub(crate) async fn op_websocket_receive(
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
) -> Result<Received, Failure> {
    let socket = state.borrow().resource_table.get::<Socket>(rid);
    let socket = socket.map_err(|error| Failure::invalid(error.to_string()))?;
    let mut reader = RcRef::map(&socket, |socket| &socket.reader).borrow_mut().await;
    let received = reader.next(&socket).or_cancel(socket.holdings.end.clone()).await;
    let (why, close) = match received {
        Ok(Ok(received)) => return Ok(received),
        Ok(Err(broken)) if !socket.holdings.is_given_up() => {
            socket.holdings.received(0);
            (format!("the WebSocket failed: {broken}"), broken.violation())
        }
        Ok(Err(_)) | Err(_) => {
            let (code, why) = (socket.holdings.code.get(), socket.holdings.why.get());
            (why.to_owned(), (code != 0).then_some((code, why)))
        }
    };
    reader.partial = None;
    if let Some((code, reason)) = close {
        // Whoever takes nothing does not hear of it.
        let close = socket.write_frame(Frame::close(code, reason.as_bytes()));
        if timeout(CLOSE_TIMEOUT, close).await.is_ok_and(|written| written.is_ok()) {
            deno_core::unsync::spawn(timeout(CLOSE_TIMEOUT, socket.io.clone().discard()));
        }
    }
    Err(Failure::invalid(why))
}

impl ReadFailure {
    /// Returns the code and the reason for a violation of the other side.
    fn violation(&self) -> Option<(u16, &'static str)> {
        match self {
            Self::Rule(code, why) => Some((*code, why)),
            Self::Frames(WebSocketError::InvalidUTF8) => Some((1007, "text that is not UTF-8")),
            Self::Frames(WebSocketError::FrameTooLarge) => Some((1009, TOO_LONG)),
            Self::Frames(
                WebSocketError::IoError(_)
                | WebSocketError::UnexpectedEOF
                | WebSocketError::ConnectionClosed
                | WebSocketError::SendError(_),
            ) => None,
            Self::Frames(_) => Some((1002, "")),
        }
    }
}

impl fmt::Display for ReadFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frames(WebSocketError::FrameTooLarge) => f.write_str(TOO_LONG),
            Self::Frames(error) => error.fmt(f),
            Self::Rule(_, why) => f.write_str(why),
        }
    }
}

impl FrameReader {
    async fn next(&mut self, socket: &Rc<Socket>) -> Result<Received, ReadFailure> {
        loop {
            let mut reply = |frame| {
                let socket = socket.clone();
                async move { socket.write_frame(frame).await }
            };
            let frame = self.frames.read_frame(&mut reply).await?;
            let (opcode, is_last) = (frame.opcode, frame.fin);
            let payload = Vec::from(frame.payload);
            let received = match opcode {
                OpCode::Text | OpCode::Binary | OpCode::Continuation => {
                    self.join(opcode, is_last, payload)?
                }
                OpCode::Close => {
                    let close = read_close(&payload).map_err(|(code, why)| ReadFailure::Rule(code, why))?;
                    let (code, reason) = close.unwrap_or((NO_CODE, ""));
                    if self.answers_close {
                        socket.write_frame(Frame::close_raw(payload.clone().into())).await?;
                    }
                    Some(Received { close: Some((code.into(), reason.to_owned())), ..Received::default() })
                }
                OpCode::Ping => {
                    socket.write_frame(Frame::pong(payload.into())).await?;
                    None
                }
                OpCode::Pong if payload.len() > MAX_CLOSE => {
                    return Err(ReadFailure::Rule(1002, "control frame that is too long"));
                }
                OpCode::Pong => None,
            };
            let kept = self.partial.as_ref().map_or(0, |(_, message)| message.len());
            self.holdings.received(kept);
            if let Some(received) = received {
                return Ok(received);
            }
        }
    }

    /// Adds a frame to its message. Returns the message when it is complete.
    fn join(
        &mut self,
        opcode: OpCode,
        is_last: bool,
        payload: Vec<u8>,
    ) -> Result<Option<Received>, WebSocketError> {
        let max_message = self.holdings.max_message();
        let (kind, message) = match (self.partial.take(), opcode) {
            (Some((kind, mut message)), OpCode::Continuation) => {
                if message.len() + payload.len() > max_message {
                    return Err(WebSocketError::FrameTooLarge);
                }
                message.extend_from_slice(&payload);
                (kind, message)
            }
            (None, OpCode::Text | OpCode::Binary) => (opcode, payload),
            (Some(_), _) => return Err(WebSocketError::InvalidFragment),
            (None, _) => return Err(WebSocketError::InvalidContinuationFrame),
        };
        if !is_last {
            self.partial = Some((kind, message));
            return Ok(None);
        }
        Ok(Some(if kind == OpCode::Text {
            let text = String::from_utf8(message).map_err(|_| WebSocketError::InvalidUTF8)?;
            Received { text: Some(text), ..Received::default() }
        } else {
            Received { bytes: Some(message.into()), ..Received::default() }
        }))
    }
}

impl Socket {
    /// Adds the WebSocket that a `fetch` of the request with this id has asked for. It ends with that request, and the app answers
    /// its closing frames.
    pub(super) fn fetched(state: &Rc<RefCell<OpState>>, io: Io, request: u32) -> ResourceId {
        let in_flight = in_flight(&state.borrow());
        let holdings =
            Holdings::new(state.borrow().borrow::<Rc<Network>>().socket_share(), in_flight.clone(), request);
        let end = holdings.end.clone();
        let socket = Rc::new(Self::new(io, holdings, false));
        in_flight.opened(request, Rc::downgrade(&socket) as Weak<dyn OfRequest>);
        let rid = state.borrow_mut().resource_table.add_rc(socket);
        let state = state.clone();
        deno_core::unsync::spawn(async move {
            ended(end).await;
            let socket = state.borrow_mut().resource_table.take_any(rid);
            drop(socket);
        });
        rid
    }

    fn new(io: Io, holdings: Rc<Holdings>, answers_close: bool) -> Self {
        let io = CountedIo::new(io, holdings.clone());
        let mut socket = WebSocket::after_handshake(io.clone(), Role::Client);
        // What they contain is checked first, and counted.
        socket.set_auto_close(false);
        socket.set_auto_pong(false);
        // The library refuses what is as long as its limit.
        socket.set_max_message_size(holdings.max_message().saturating_add(1));
        let (frames, writer) = socket.split(tokio::io::split);
        let reader = FrameReader { frames, partial: None, answers_close, holdings: holdings.clone() };
        Self { reader: AsyncRefCell::new(reader), writer: AsyncRefCell::new(writer), io, holdings }
    }

    /// Writes a frame after those written before. Nothing is written after a close frame.
    async fn write_frame(self: &Rc<Self>, frame: Frame<'_>) -> Result<(), WebSocketError> {
        let mut writer = RcRef::map(self, |socket| &socket.writer).borrow_mut().await;
        if writer.is_closed() { Ok(()) } else { writer.write_frame(frame).await }
    }

    /// Writes what was sent before the end also after it, unless the other side takes nothing, or it is given up.
    async fn write_in_time(&self, write: impl Future<Output = ()>) {
        let late = async {
            ended(self.holdings.end.clone()).await;
            if !self.holdings.is_given_up() {
                sleep(CLOSE_TIMEOUT).await;
            }
        };
        tokio::select! { biased; () = write => {} () = late => {} }
    }

    fn send(self: Rc<Self>, opcode: OpCode, payload: Vec<u8>) {
        let length = payload.len();
        self.holdings.sends(length);
        if self.holdings.is_given_up() {
            return;
        }
        // Queue for the writer here rather than in the task, to keep the order of messages.
        let writer = RcRef::map(&self, |socket| &socket.writer).borrow_mut();
        deno_core::unsync::spawn(async move {
            let write = async {
                let mut writer = writer.await;
                // A write error is ignored: the reader reports that the connection is gone.
                if !writer.is_closed() {
                    let _ = writer.write_frame(Frame::new(true, opcode, None, payload.into())).await;
                }
            };
            self.write_in_time(write).await;
            self.holdings.sent(length);
        });
    }
}

impl OfRequest for Socket {
    fn end_with_request(&self) {
        self.holdings.why.set("the WebSocket ended with the request that fetched it, which is over");
        self.holdings.end.cancel();
    }
}

/// Waits for the end of a WebSocket.
async fn ended(end: Rc<CancelHandle>) {
    let _ = std::future::pending::<()>().or_cancel(end).await;
}

/// Sends a text message.
#[op2(fast)]
pub(crate) fn op_websocket_send_text(state: &mut OpState, #[smi] rid: ResourceId, #[string] text: String) {
    if let Ok(socket) = state.resource_table.get::<Socket>(rid) {
        socket.send(OpCode::Text, text.into_bytes());
    }
}

/// Sends a binary message.
#[op2]
pub(crate) fn op_websocket_send_bytes(
    state: &mut OpState,
    #[smi] rid: ResourceId,
    #[anybuffer] bytes: &[u8],
) {
    if let Ok(socket) = state.resource_table.get::<Socket>(rid) {
        socket.send(OpCode::Binary, bytes.to_vec());
    }
}

/// Returns how many bytes wait to be sent.
#[op2(fast)]
#[number]
pub(crate) fn op_websocket_buffered(state: &mut OpState, #[smi] rid: ResourceId) -> u64 {
    state.resource_table.get::<Socket>(rid).map_or(0, |socket| socket.holdings.buffered() as u64)
}

/// Starts the closing handshake, with a code unless it is 0.
#[op2(fast)]
pub(crate) fn op_websocket_close(
    state: &mut OpState,
    #[smi] rid: ResourceId,
    #[smi] code: u16,
    #[string] reason: String,
) {
    let Ok(socket) = state.resource_table.get::<Socket>(rid) else { return };
    let writer = RcRef::map(&socket, |socket| &socket.writer).borrow_mut();
    deno_core::unsync::spawn(async move {
        let write = async {
            let frame = match code {
                0 => Frame::close_raw(Vec::new().into()),
                code => Frame::close(code, reason.as_bytes()),
            };
            let _ = writer.await.write_frame(frame).await;
        };
        socket.write_in_time(write).await;
        let Holdings { end, why, .. } = &*socket.holdings;
        if sleep(CLOSE_TIMEOUT).or_cancel(end.clone()).await.is_ok() {
            why.set("the other side did not take part in closing");
            end.cancel();
        }
    });
}
