//! WebSockets: messages and the closing handshake, over frames by fastwebsockets.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use deno_core::convert::{ByteString, Uint8Array};
use deno_core::{
    AsyncRefCell, CancelFuture as _, CancelHandle, OpState, RcRef, Resource, ResourceId, ToV8, op2,
};
use fastwebsockets::{Frame, OpCode, Role, WebSocket, WebSocketError, WebSocketRead, WebSocketWrite};
use hyper::Uri;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::time::{Duration, sleep};

use super::failure::Failure;
use super::handshake::{Io, handshake};
use super::network::Network;
use crate::requests::belongings::OfRequest;
use crate::requests::in_flight::in_flight;

/// Maximum size of a received message, in however many frames.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// Maximum number of bytes that wait to be sent. Without a limit, a peer that reads nothing would cost unbounded memory.
const MAX_BUFFERED: usize = 64 * 1024 * 1024;

/// Timeout for the other side's half of the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// An open WebSocket.
pub(super) struct Socket {
    reader: AsyncRefCell<FrameReader>,
    writer: AsyncRefCell<WebSocketWrite<WriteHalf<Io>>>,
    /// Payload bytes sent by JavaScript and not yet accepted by the kernel.
    buffered: Cell<usize>,
    /// Cancels the wait for the next message.
    end: Rc<CancelHandle>,
    why: Cell<&'static str>,
}

struct FrameReader {
    frames: WebSocketRead<ReadHalf<Io>>,
    /// The parts received so far of a message in several frames, and its type.
    partial: Option<(OpCode, Vec<u8>)>,
}

impl Resource for Socket {
    fn name(&self) -> Cow<'_, str> {
        "webSocket".into()
    }

    fn close(self: Rc<Self>) {
        self.end.cancel();
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
    let invalid = |error: &dyn std::fmt::Display| Failure::invalid(error.to_string());
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
    {
        let state = state.borrow();
        state.borrow::<Rc<Network>>().warn(&in_flight(&state));
    }
    let (io, protocol) = opened?;
    let socket = Socket::new(WebSocket::after_handshake(io, Role::Client));
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
    let received = reader.next(&socket).or_cancel(socket.end.clone()).await;
    match received {
        Ok(Ok(received)) => Ok(received),
        Ok(Err(error)) => {
            if let Some(code) = violation(&error) {
                let _ = socket.write_frame(Frame::close(code, &[])).await;
            }
            Err(Failure::invalid(format!("the WebSocket failed: {error}")))
        }
        Err(_) => Err(Failure::invalid(socket.why.get())),
    }
}

/// Returns the close code for a protocol violation of the other side.
fn violation(error: &WebSocketError) -> Option<u16> {
    match error {
        WebSocketError::InvalidUTF8 => Some(1007),
        WebSocketError::FrameTooLarge => Some(1009),
        WebSocketError::IoError(_)
        | WebSocketError::UnexpectedEOF
        | WebSocketError::ConnectionClosed
        | WebSocketError::SendError(_) => None,
        _ => Some(1002),
    }
}

impl FrameReader {
    async fn next(&mut self, socket: &Rc<Socket>) -> Result<Received, WebSocketError> {
        loop {
            let mut reply = |frame| {
                let socket = socket.clone();
                async move { socket.write_frame(frame).await }
            };
            let frame = self.frames.read_frame(&mut reply).await?;
            let (opcode, is_last) = (frame.opcode, frame.fin);
            let payload = Vec::from(frame.payload);
            match opcode {
                OpCode::Text | OpCode::Binary | OpCode::Continuation => {
                    if let Some(received) = self.join(opcode, is_last, payload)? {
                        return Ok(received);
                    }
                }
                OpCode::Close => {
                    let (code, reason) = match payload.split_at_checked(2) {
                        Some((code, reason)) => (u16::from_be_bytes([code[0], code[1]]), reason),
                        None => (1005, &[][..]),
                    };
                    let reason = String::from_utf8_lossy(reason).into_owned();
                    return Ok(Received { close: Some((code.into(), reason)), ..Received::default() });
                }
                OpCode::Ping | OpCode::Pong => {}
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
        let (kind, message) = match (self.partial.take(), opcode) {
            (Some((kind, mut message)), OpCode::Continuation) => {
                if message.len() + payload.len() > MAX_MESSAGE {
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
        let mut socket = WebSocket::after_handshake(io, Role::Client);
        socket.set_auto_close(false);
        let socket = Rc::new(Self::new(socket));
        let (end, what) = (socket.end.clone(), Rc::downgrade(&socket) as Weak<dyn OfRequest>);
        in_flight(&state.borrow()).opened(request, what);
        let rid = state.borrow_mut().resource_table.add_rc(socket);
        let state = state.clone();
        deno_core::unsync::spawn(async move {
            ended(end).await;
            let socket = state.borrow_mut().resource_table.take_any(rid);
            drop(socket);
        });
        rid
    }

    fn new(mut socket: WebSocket<Io>) -> Self {
        socket.set_max_message_size(MAX_MESSAGE);
        let (frames, writer) = socket.split(tokio::io::split);
        Self {
            reader: AsyncRefCell::new(FrameReader { frames, partial: None }),
            writer: AsyncRefCell::new(writer),
            buffered: Cell::new(0),
            end: CancelHandle::new_rc(),
            why: Cell::new("the WebSocket was closed"),
        }
    }

    /// Writes a frame after those written before. Nothing is written after a close frame.
    async fn write_frame(self: &Rc<Self>, frame: Frame<'_>) -> Result<(), WebSocketError> {
        let mut writer = RcRef::map(self, |socket| &socket.writer).borrow_mut().await;
        if writer.is_closed() { Ok(()) } else { writer.write_frame(frame).await }
    }

    /// Writes what was sent before the end also after it, unless the other side takes nothing.
    async fn write_in_time(&self, write: impl Future<Output = ()>) {
        let late = async {
            ended(self.end.clone()).await;
            sleep(CLOSE_TIMEOUT).await;
        };
        tokio::select! { biased; () = write => {} () = late => {} }
    }

    fn send(self: Rc<Self>, opcode: OpCode, payload: Vec<u8>) {
        let length = payload.len();
        self.buffered.set(self.buffered.get() + length);
        if self.buffered.get() > MAX_BUFFERED {
            self.why.set("more than 64 MiB wait to be sent: the other side takes nothing");
            self.end.cancel();
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
            self.buffered.set(self.buffered.get() - length);
        });
    }
}

impl OfRequest for Socket {
    fn end_with_request(&self) {
        self.why.set("the WebSocket ended with the request that fetched it, which is over");
        self.end.cancel();
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
    state.resource_table.get::<Socket>(rid).map_or(0, |socket| socket.buffered.get() as u64)
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
        if sleep(CLOSE_TIMEOUT).or_cancel(socket.end.clone()).await.is_ok() {
            socket.why.set("the other side did not take part in closing");
            socket.end.cancel();
        }
    });
}
