//! WebSockets that clients have open: what arrives over them is kept here until the event loop passes it to JavaScript, and what
//! the app sends until credit allows it.
//!
//! A WebSocket is work of the request that it began with. As long as it is open, the head of that request can be read, and logs name
//! it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use nano_protocol::codec::HeaderBlock;
use nano_protocol::message::{LogLevel, StreamError, StreamErrorKind, UPGRADED};
use nano_protocol::socket::{PieceKind, Pieces};
use rustc_hash::FxHashMap;

use super::in_flight::InFlight;
use super::request::Request;
use super::unsent_pieces::UnsentPieces;

/// Events of one WebSocket that wait for JavaScript before no more of it is read.
const WAITING: usize = 16;

/// The code of a closing frame without one.
const NO_CODE: u16 = 1005;

/// The code with which a WebSocket is closed whose message finds no room.
const TRY_AGAIN_LATER: u16 = 1013;

/// Something that JavaScript gets to know of a WebSocket.
#[derive(Debug, PartialEq, Eq)]
pub enum SocketEvent {
    /// A text message, in UTF-8.
    Text(Vec<u8>),
    /// A message of any bytes.
    Binary(Vec<u8>),
    /// The client has closed, with this code and this reason.
    Closed(u16, String),
    /// The client has broken a rule: which one.
    Failed(String),
    /// The client has gone without closing.
    Lost,
}

impl SocketEvent {
    /// Returns the length of a message.
    fn length(&self) -> usize {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes.len(),
            Self::Closed(..) | Self::Failed(_) | Self::Lost => 0,
        }
    }
}

/// One WebSocket.
struct ClientSocket {
    request: Rc<Request>,
    in_flight: Rc<InFlight>,
    /// The number of the work that it is.
    work: u32,
    /// Whether the app takes messages.
    is_accepted: Cell<bool>,
    /// Events that JavaScript has not got yet.
    waiting: Cell<usize>,
    /// Wakes the task that reads.
    reader: RefCell<Option<Waker>>,
    /// Pieces that wait for credit.
    unsent: RefCell<UnsentPieces>,
    /// Their length.
    unsent_bytes: Cell<usize>,
    /// Whether a task sends them.
    is_sending: Cell<bool>,
    /// Bytes of the message that arrives.
    incomplete: Cell<usize>,
    /// Whether that message finds no room.
    is_given_up: Cell<bool>,
    /// Whether the app has closed, so that nothing follows.
    has_closed: Cell<bool>,
}

/// All WebSockets of this worker.
#[derive(Default)]
pub struct Sockets {
    open: RefCell<FxHashMap<u32, Rc<ClientSocket>>>,
    events: RefCell<VecDeque<(u32, SocketEvent)>>,
    /// Bytes of messages that are here: not complete, not with JavaScript yet, or not sent.
    held: Cell<usize>,
    /// Most of them.
    most: Cell<usize>,
    /// Wakes the event loop.
    waker: RefCell<Option<Waker>>,
}

impl std::fmt::Debug for Sockets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sockets").field("open", &self.open.borrow().len()).finish_non_exhaustive()
    }
}

impl Sockets {
    /// Sets how many bytes of messages may be here.
    pub fn set_most(&self, bytes: usize) {
        self.most.set(bytes);
    }

    /// Returns how many bytes of messages are here.
    pub fn held(&self) -> usize {
        self.held.get()
    }

    /// Opens the WebSocket that the request with this id asks for. The fields are those of the answer. Returns false if it does not
    /// ask for one, and has then not been answered.
    pub(crate) fn open<'a>(
        self: &Rc<Self>,
        in_flight: &Rc<InFlight>,
        id: u32,
        count: usize,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> bool {
        let Some(request) = in_flight.find(id) else {
            // Its client has gone long before the answer. JavaScript hears of that as of others, and forgets it.
            self.adds(id, SocketEvent::Lost);
            return true;
        };
        if !request.asks_for_socket {
            return false;
        }
        let work = in_flight.begin_socket(id);
        in_flight.answer(id);
        if request.sender.respond(UPGRADED, count, fields, false).is_err() {
            let message =
                "Uncaught RangeError: the headers of the returned Response are too large".to_owned();
            request.sender.fail(&StreamError::new(StreamErrorKind::NotAResponse, message));
        }
        let socket = Rc::new(ClientSocket {
            request,
            in_flight: in_flight.clone(),
            work,
            is_accepted: Cell::new(false),
            waiting: Cell::new(0),
            reader: RefCell::default(),
            unsent: RefCell::default(),
            unsent_bytes: Cell::new(0),
            is_sending: Cell::new(false),
            incomplete: Cell::new(0),
            is_given_up: Cell::new(false),
            has_closed: Cell::new(false),
        });
        self.open.borrow_mut().insert(id, socket.clone());
        let sockets = self.clone();
        deno_core::unsync::spawn(async move {
            sockets.read(id, &socket).await;
            poll_fn(|cx| socket.request.receiver.poll_over(cx)).await;
            socket.has_room(1).await;
            sockets.open.borrow_mut().remove(&id);
            socket.in_flight.end_background(socket.work);
        });
        true
    }

    /// Begins to take the messages of a client.
    pub(crate) fn accept(&self, id: u32) {
        if let Some(socket) = self.find(id) {
            socket.is_accepted.set(true);
            socket.wake_reader();
        }
    }

    /// Returns how many bytes of a WebSocket's messages have not been sent.
    pub(crate) fn unsent(&self, id: u32) -> usize {
        self.find(id).map_or(0, |socket| socket.unsent_bytes.get())
    }

    /// Sends a message.
    pub(crate) fn send(self: &Rc<Self>, id: u32, kind: PieceKind, message: Vec<u8>) {
        if let Some(socket) = self.find(id) {
            self.queue(&socket, kind, message);
            self.make_room();
        }
    }

    /// Begins the closing handshake of a WebSocket, unless it has begun already.
    pub(crate) fn close(self: &Rc<Self>, id: u32, code: u16, reason: &str) {
        if let Some(socket) = self.find(id) {
            self.end(&socket, code, reason);
        }
    }

    fn end(self: &Rc<Self>, socket: &Rc<ClientSocket>, code: u16, reason: &str) {
        let contents =
            if code == NO_CODE { Vec::new() } else { [&code.to_be_bytes(), reason.as_bytes()].concat() };
        self.queue(socket, PieceKind::Close, contents);
    }

    /// Sends a piece, or keeps it until credit allows that.
    fn queue(self: &Rc<Self>, socket: &Rc<ClientSocket>, kind: PieceKind, contents: Vec<u8>) {
        if socket.has_closed.get() || socket.request.sender.is_over() {
            return;
        }
        socket.has_closed.set(kind == PieceKind::Close);
        let length = socket.unsent.borrow_mut().add(kind, contents);
        socket.unsent_bytes.set(socket.unsent_bytes.get() + length);
        self.hold(length);
        if socket.is_sending.get()
            || self.poll_send(socket, &mut Context::from_waker(Waker::noop())).is_ready()
        {
            return;
        }
        socket.is_sending.set(true);
        let (sockets, socket) = (self.clone(), socket.clone());
        deno_core::unsync::spawn(async move {
            poll_fn(|cx| sockets.poll_send(&socket, cx)).await;
            socket.is_sending.set(false);
        });
    }

    /// Sends what waits. Ready when nothing does.
    fn poll_send(&self, socket: &ClientSocket, cx: &mut Context<'_>) -> Poll<()> {
        let mut unsent = socket.unsent.borrow_mut();
        while let Some(piece) = unsent.first() {
            let before = piece.len();
            let polled = socket.request.sender.poll_send(cx, piece, false);
            let sent = match &polled {
                Poll::Ready(Err(_)) => socket.unsent_bytes.get(),
                Poll::Ready(Ok(())) | Poll::Pending => before - piece.len(),
            };
            socket.unsent_bytes.set(socket.unsent_bytes.get() - sent);
            self.release(sent);
            match polled {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => unsent.remove_first(),
                Poll::Ready(Err(_)) => unsent.clear(),
            }
        }
        if socket.has_closed.get() {
            let _ = socket.request.sender.end(&HeaderBlock::default());
        }
        Poll::Ready(())
    }

    /// Ends the WebSockets that hold most while all together hold too much: their clients send messages that are not complete, or do not
    /// take what is sent to them.
    fn make_room(&self) {
        while self.held.get() > self.most.get() {
            let open = self.open.borrow();
            let most = open.values().max_by_key(|socket| socket.held());
            let Some(most) = most.filter(|socket| socket.held() > 0) else { return };
            if most.incomplete.get() > most.unsent_bytes.get() {
                most.is_given_up.set(true);
                self.release(most.incomplete.replace(0));
                most.wake_reader();
                continue;
            }
            let message = "its client does not take what is sent to it (`max_websocket_buffered`)".to_owned();
            most.warn(&message);
            most.request.sender.fail(&StreamError::new(StreamErrorKind::BodyFailed, message));
            most.unsent.borrow_mut().clear();
            self.release(most.unsent_bytes.replace(0));
        }
    }

    /// Reads messages until there are no more.
    async fn read(self: &Rc<Self>, id: u32, socket: &Rc<ClientSocket>) {
        let receiver = &socket.request.receiver;
        let is_open = poll_fn(|cx| {
            if socket.is_accepted.get() {
                return Poll::Ready(true);
            }
            *socket.reader.borrow_mut() = Some(cx.waker().clone());
            receiver.poll_over(cx).map(|_| false)
        });
        if !is_open.await {
            // JavaScript forgets it.
            return self.arrives(id, socket, SocketEvent::Lost);
        }
        let (mut pieces, mut message) =
            (Pieces::default(), IncompleteMessage { sockets: self, socket, bytes: Vec::new() });
        loop {
            let chunk = poll_fn(|cx| {
                if socket.is_given_up.get() {
                    return Poll::Ready(None);
                }
                *socket.reader.borrow_mut() = Some(cx.waker().clone());
                receiver.poll_chunk(cx)
            });
            let chunk = chunk.await;
            if socket.is_given_up.get() {
                return self.closes_without_room(id, socket);
            }
            let Some(Ok(mut chunk)) = chunk else {
                return self.arrives(id, socket, SocketEvent::Lost);
            };
            loop {
                let part = match pieces.next(&mut chunk) {
                    Ok(Some(part)) => part,
                    Ok(None) => break,
                    Err(_) => return self.arrives(id, socket, SocketEvent::Lost),
                };
                if part.is_first {
                    message.give();
                }
                message.take(&chunk.split_to(part.length));
                if socket.is_given_up.get() {
                    return self.closes_without_room(id, socket);
                }
                if !part.is_last {
                    continue;
                }
                let event = event(part.kind, message.give());
                let is_end = !matches!(event, SocketEvent::Text(_) | SocketEvent::Binary(_));
                if matches!(event, SocketEvent::Failed(_)) {
                    // Nobody gets it any more, but it ends the stream.
                    self.end(socket, NO_CODE, "");
                }
                self.arrives(id, socket, event);
                if is_end {
                    return;
                }
                socket.has_room(WAITING).await;
            }
        }
    }

    fn closes_without_room(self: &Rc<Self>, id: u32, socket: &Rc<ClientSocket>) {
        let why = "too many messages wait (`max_websocket_buffered`)";
        socket.warn(why);
        self.end(socket, TRY_AGAIN_LATER, why);
        self.arrives(id, socket, SocketEvent::Failed(why.to_owned()));
    }

    fn arrives(&self, id: u32, socket: &ClientSocket, event: SocketEvent) {
        socket.waiting.set(socket.waiting.get() + 1);
        self.adds(id, event);
    }

    fn adds(&self, id: u32, event: SocketEvent) {
        self.hold(event.length());
        self.events.borrow_mut().push_back((id, event));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Returns the next event for JavaScript, with the id of its WebSocket.
    pub fn next(&self) -> Option<(u32, SocketEvent)> {
        let (id, event) = self.events.borrow_mut().pop_front()?;
        self.release(event.length());
        if let Some(socket) = self.find(id) {
            socket.waiting.set(socket.waiting.get() - 1);
            socket.wake_reader();
        }
        Some((id, event))
    }

    /// Returns whether events wait. Otherwise the next one wakes the task.
    pub fn has_events(&self, cx: &Context<'_>) -> bool {
        if !self.events.borrow().is_empty() {
            return true;
        }
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        false
    }

    fn find(&self, id: u32) -> Option<Rc<ClientSocket>> {
        self.open.borrow().get(&id).cloned()
    }

    fn hold(&self, bytes: usize) {
        self.held.set(self.held.get() + bytes);
    }

    fn release(&self, bytes: usize) {
        self.held.set(self.held.get() - bytes);
    }
}

impl ClientSocket {
    fn held(&self) -> usize {
        self.unsent_bytes.get() + self.incomplete.get()
    }

    /// Waits until fewer than this many events wait.
    async fn has_room(&self, events: usize) {
        poll_fn(|cx| {
            if self.waiting.get() < events {
                return Poll::Ready(());
            }
            *self.reader.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Logs why it was ended by nobody's wish.
    fn warn(&self, why: &str) {
        self.in_flight.log_of(LogLevel::Warn, &self.request, format!("a WebSocket was closed: {why}"));
    }

    fn wake_reader(&self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }
}

/// A message that is not complete.
struct IncompleteMessage<'a> {
    sockets: &'a Sockets,
    socket: &'a ClientSocket,
    bytes: Vec<u8>,
}

impl IncompleteMessage<'_> {
    /// Adds bytes. If all together hold too much then, the WebSocket that holds most is given up, which may be this one.
    fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.sockets.hold(bytes.len());
        self.socket.incomplete.set(self.socket.incomplete.get() + bytes.len());
        self.sockets.make_room();
    }

    /// Gives the message away, which is no longer counted here.
    fn give(&mut self) -> Vec<u8> {
        self.sockets.release(self.socket.incomplete.replace(0));
        std::mem::take(&mut self.bytes)
    }
}

impl Drop for IncompleteMessage<'_> {
    fn drop(&mut self) {
        self.sockets.release(self.socket.incomplete.replace(0));
    }
}

fn event(kind: PieceKind, contents: Vec<u8>) -> SocketEvent {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match (kind, &contents[..]) {
        (PieceKind::Text, _) => SocketEvent::Text(contents),
        (PieceKind::Binary, _) => SocketEvent::Binary(contents),
        (PieceKind::Close, [high, low, reason @ ..]) => {
            SocketEvent::Closed(u16::from_be_bytes([*high, *low]), text(reason))
        }
        (PieceKind::Close, _) => SocketEvent::Closed(NO_CODE, String::new()),
        (PieceKind::Failed, why) => SocketEvent::Failed(text(why)),
    }
}
