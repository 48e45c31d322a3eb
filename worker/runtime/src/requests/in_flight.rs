//! The requests that JavaScript may ask about, by id.

use std::cell::{Cell, OnceCell, RefCell};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Weak;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use deno_core::{OpState, v8};
use deno_error::JsErrorBox;
use nano_protocol::Witness;
use nano_protocol::message::{LogLevel, LogRecord, RequestId, RequestName, StreamError};
use rustc_hash::FxHashMap;

use super::background::Background;
use super::head::{Called, RequestHead};
use super::request::Request;

/// A request whose head can be read: it has not been answered, or has work that is not done.
#[derive(Debug)]
pub(crate) enum Readable {
    /// It has not been answered.
    InFlight(Rc<Request>),
    /// It has been, and what it gave to `waitUntil` goes on.
    Answered(RequestHead),
}

impl Deref for Readable {
    type Target = RequestHead;

    fn deref(&self) -> &RequestHead {
        match self {
            Self::InFlight(request) => &request.head,
            Self::Answered(head) => head,
        }
    }
}

fn over() -> JsErrorBox {
    JsErrorBox::type_error(
        "the request is over: it can be read until it is answered, and in work of waitUntil()",
    )
}

/// Where console output and uncaught errors go.
pub trait LogSink {
    /// Takes one record; must not block.
    fn log(&self, record: LogRecord);
    /// Says how many records were dropped, once there is room again.
    fn report_dropped(&self);
}

/// The body of a response that a request has fetched.
pub(crate) trait FetchedBody {
    /// Gives it up with its request, unless somebody waits for its bytes. Says whether there was anything to give up.
    fn end_unless_awaited(&self) -> bool;
    /// Gives it up with its request. Says whether there was anything to give up.
    fn end_with_request(&self) -> bool;
}

/// Requests whose names are remembered after they were answered, for what they still log (`waitUntil`, timers).
const REMEMBERED: usize = 1024;

/// What is remembered of a request.
#[derive(Clone, Copy)]
struct Named {
    /// As JavaScript calls it; zero for none.
    id: u32,
    name: RequestId,
    called: Called,
}

impl Named {
    const NONE: Self = Self { id: 0, name: RequestId(0), called: Called::NONE };
}

/// What came of the fetches of one request.
#[derive(Default)]
struct Fetched {
    bodies: Vec<Weak<dyn FetchedBody>>,
    /// Nobody waits for the answer any more.
    is_cancelled: bool,
}

/// All requests under way in this worker.
pub struct InFlight {
    requests: RefCell<FxHashMap<u32, Rc<Request>>>,
    /// The ids of these, put together by exclusive or: where there is one, it is that.
    folded: Cell<u32>,
    /// Bodies that did not fit into their stream's credit at once.
    unsent: RefCell<Vec<(Rc<Request>, Bytes)>>,
    last: Cell<u32>,
    /// The latest ids and their names, each at its id modulo [`REMEMBERED`].
    names: RefCell<Vec<Named>>,
    answered: Cell<u64>,
    /// `waitUntil` promises that are not settled.
    pub(crate) background: Background,
    /// What came of the fetches of each request, by id: it ends with the request.
    fetched: RefCell<FxHashMap<u32, Fetched>>,
    /// Requests with such bodies that are over, or nearly so.
    ending: RefCell<Vec<u32>>,
    /// Such bodies that nobody had read.
    unread: Cell<u64>,
    /// Uncaught errors since start.
    uncaught: Cell<u32>,
    /// The request of the first of them; zero is none.
    uncaught_of: Cell<u32>,
    /// Whether JavaScript was interrupted for good.
    is_torn: OnceCell<Box<dyn Fn() -> bool>>,
    sink: Rc<dyn LogSink>,
}

impl std::fmt::Debug for InFlight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InFlight").field("requests", &self.requests).finish_non_exhaustive()
    }
}

impl InFlight {
    /// No requests yet.
    pub fn new(sink: Rc<dyn LogSink>) -> Self {
        Self {
            requests: RefCell::default(),
            folded: Cell::new(0),
            unsent: RefCell::default(),
            last: Cell::new(0),
            names: RefCell::default(),
            answered: Cell::new(0),
            background: Background::new(),
            fetched: RefCell::default(),
            ending: RefCell::default(),
            unread: Cell::new(0),
            uncaught: Cell::new(0),
            uncaught_of: Cell::new(0),
            is_torn: OnceCell::new(),
            sink,
        }
    }

    /// Has this asked whether JavaScript was interrupted for good.
    pub fn watch(&self, is_torn: impl Fn() -> bool + 'static) {
        let _ = self.is_torn.set(Box::new(is_torn));
    }

    /// Whether JavaScript was interrupted for good. What fails from then on, such as native code that was interrupted, fails for
    /// that.
    pub(crate) fn is_torn(&self) -> bool {
        self.is_torn.get().is_some_and(|is_torn| is_torn())
    }

    /// Takes in a request and names it for JavaScript. Ids are never zero and never used twice while in flight.
    pub fn insert(&self, request: Request) -> u32 {
        let mut requests = self.requests.borrow_mut();
        let mut id = self.last.get();
        loop {
            // JavaScript's small integers end at 2^30.
            id = if id >= 0x3fff_ffff { 1 } else { id + 1 };
            if !requests.contains_key(&id) {
                break;
            }
        }
        self.last.set(id);
        let mut names = self.names.borrow_mut();
        let at = id as usize % REMEMBERED;
        if at >= names.len() {
            // Most workers never see that many, or not for long.
            names.resize(at + 1, Named::NONE);
        }
        names[at] = Named { id, name: request.id, called: request.called };
        requests.insert(id, Rc::new(request));
        self.folded.set(self.folded.get() ^ id);
        id
    }

    /// The request JavaScript calls `id`.
    pub(crate) fn get(&self, id: u32) -> Result<Rc<Request>, JsErrorBox> {
        self.find(id).ok_or_else(over)
    }

    /// The head of the request that JavaScript calls `id`, as long as anything may run that belongs to it.
    pub(crate) fn head(&self, id: u32) -> Result<Readable, JsErrorBox> {
        let request = self.find(id).map(Readable::InFlight);
        request.or_else(|| self.background.head_of(id).map(Readable::Answered)).ok_or_else(over)
    }

    /// As [`InFlight::get`], for callers that have another answer.
    pub(crate) fn find(&self, id: u32) -> Option<Rc<Request>> {
        self.requests.borrow().get(&id).cloned()
    }

    /// Takes a request out, to answer it.
    pub fn answer(&self, id: u32) -> Option<Rc<Request>> {
        let request = self.requests.borrow_mut().remove(&id)?;
        self.folded.set(self.folded.get() ^ id);
        self.ends(id, request.is_cancelled());
        self.answered.set(self.answered.get() + 1);
        Some(request)
    }

    /// Requests not yet answered and not given up by the supervisor.
    pub fn count(&self) -> usize {
        self.requests.borrow().len()
    }

    /// The request that is under way, if there is one and no other work that was left by any.
    pub fn only(&self) -> Option<RequestId> {
        let is_only = self.count() == 1 && self.background.is_empty();
        is_only.then(|| self.name(self.folded.get())).flatten()
    }

    /// Requests answered since start.
    pub fn answered(&self) -> u64 {
        self.answered.get()
    }

    /// Whether nothing is under way: no request, no body, no `waitUntil`.
    pub fn is_idle(&self) -> bool {
        self.requests.borrow().is_empty() && self.unsent.borrow().is_empty() && self.background.is_empty()
    }

    /// Forgets requests that the supervisor has given up and whose handler may never settle.
    pub fn sweep(&self) {
        self.requests.borrow_mut().retain(|id, request| {
            let is_over = request.sender.is_over();
            if is_over {
                self.folded.set(self.folded.get() ^ id);
                self.ends(*id, request.is_cancelled());
            }
            !is_over
        });
    }

    /// Sends the rest of a body as credit comes in.
    pub(crate) fn send_later(&self, request: Rc<Request>, body: Bytes) {
        self.unsent.borrow_mut().push((request, body));
    }

    /// Sends on what of bodies was kept for later, as far as credit allows.
    pub fn poll_unsent(&self, cx: &mut Context<'_>) {
        self.unsent
            .borrow_mut()
            .retain_mut(|(request, body)| matches!(request.sender.poll_send(cx, body, true), Poll::Pending));
    }

    /// How long after the response `waitUntil` keeps the worker.
    pub fn set_wait_until_timeout(&self, timeout: Duration) {
        self.background.set_timeout(timeout);
    }

    /// Works of `waitUntil` that took too long, since start.
    pub fn late_background(&self) -> u64 {
        self.background.late()
    }

    /// Begins work that keeps the worker, of the request that JavaScript calls `id`. Returns the number with which it ends.
    pub(crate) fn begin_background(&self, id: u32) -> u32 {
        let request = self.find(id);
        let head = self.head(id).ok().map(|head| head.clone());
        self.background.begin(id, request.map(|request| Rc::downgrade(&request)).unwrap_or_default(), head)
    }

    /// Work that keeps the worker is done.
    pub(crate) fn end_background(&self, number: u32) {
        if let Some(id) = self.background.end(number) {
            self.ends(id, false);
        }
    }

    /// A request has fetched this.
    pub(crate) fn fetched(&self, id: u32, body: Weak<dyn FetchedBody>) {
        // What came to work that nothing keeps alive goes its own way.
        if !self.is_under_way(id) {
            return;
        }
        let mut fetched = self.fetched.borrow_mut();
        let bodies = &mut fetched.entry(id).or_default().bodies;
        if bodies.len() == bodies.capacity() {
            bodies.retain(|body| body.strong_count() > 0);
        }
        bodies.push(body);
    }

    fn is_under_way(&self, id: u32) -> bool {
        self.requests.borrow().contains_key(&id) || self.background.is_of(id)
    }

    fn ends(&self, id: u32, is_cancelled: bool) {
        if let Some(fetched) = self.fetched.borrow_mut().get_mut(&id) {
            fetched.is_cancelled |= is_cancelled;
            self.ending.borrow_mut().push(id);
        }
    }

    /// How many bodies that nobody had read were given up with their requests.
    pub fn unread_over(&self) -> u64 {
        self.unread.get()
    }

    /// At the end of a tick, when all has run that could: gives up the bodies that requests have fetched and left, where nobody
    /// waits for their bytes at this moment. What waits for them on behalf of a client that has gone is nobody.
    pub fn end_fetched(&self) {
        let ending = std::mem::take(&mut *self.ending.borrow_mut());
        for id in ending {
            if self.is_under_way(id) {
                continue;
            }
            let fetched = self.fetched.borrow_mut().remove(&id).unwrap_or_default();
            for body in fetched.bodies.iter().filter_map(Weak::upgrade) {
                let is_given_up =
                    if fetched.is_cancelled { body.end_with_request() } else { body.end_unless_awaited() };
                self.unread.set(self.unread.get() + u64::from(is_given_up));
            }
        }
    }

    /// Gives up work that keeps the worker for too long.
    pub fn poll_background(&self, cx: &mut Context<'_>) {
        if self.background.is_empty() {
            return;
        }
        self.background.poll(cx, |id| {
            let message = "waitUntil took longer than `wait_until_timeout` after the response; it no longer keeps \
                           the worker";
            self.log(LogLevel::Warn, id, message.to_owned());
            self.ends(id, false);
        });
    }

    /// Records an uncaught error outside a handler, of this request; zero is none.
    pub fn add_uncaught(&self, request: u32) {
        if self.uncaught.get() == 0 {
            self.uncaught_of.set(request);
        }
        self.uncaught.set(self.uncaught.get() + 1);
    }

    /// Uncaught errors since start.
    pub fn uncaught(&self) -> u32 {
        self.uncaught.get()
    }

    /// The request whose error was the first of them, if it was that of one.
    pub fn uncaught_of(&self) -> Option<u32> {
        Some(self.uncaught_of.get()).filter(|request| *request != 0)
    }

    /// The name of the request that JavaScript calls `id`, which may have been answered; zero is none.
    pub fn name(&self, id: u32) -> Option<RequestId> {
        let remembered = self.remembered(id, |named| named.name);
        remembered.or_else(|| self.find(id).map(|request| request.id))
    }

    fn remembered<T>(&self, id: u32, what: impl FnOnce(&Named) -> T) -> Option<T> {
        let names = self.names.borrow();
        names.get(id as usize % REMEMBERED).filter(|named| id != 0 && named.id == id).map(what)
    }

    /// What people call the request that JavaScript calls `id`, which may have been answered.
    fn called(&self, id: u32) -> Option<RequestName> {
        let head = self.head(id).ok().and_then(|head| head.called());
        head.or_else(|| self.remembered(id, |named| named.called.name()))
    }

    /// Leaves behind what people call the request that JavaScript calls `id`: if it was answered, or its client has gone,
    /// nobody else may know that any more.
    pub fn testify(&self, witness: &Witness, id: u32) {
        if let Some(name) = self.name(id)
            && let Some(called) = self.called(id)
        {
            witness.names(name, &called, self.find(id).is_none());
        }
    }

    /// Logs on behalf of the request that JavaScript calls `id`; zero is none.
    pub fn log(&self, level: LogLevel, id: u32, message: String) {
        let request = match level {
            LogLevel::Debug | LogLevel::Info => None,
            LogLevel::Warn | LogLevel::Error => self.called(id),
        };
        self.sink.log(LogRecord { level, request_id: self.name(id), request, message });
    }

    /// Logs an error of a request that may have been answered already, or of none.
    pub fn log_error(&self, request: Option<&Request>, message: String) {
        let request_id = request.map(|request| request.id);
        let request = request.and_then(|request| request.head.called());
        self.sink.log(LogRecord { level: LogLevel::Error, request_id, request, message });
    }

    /// At the end of a tick: says how many log records were dropped, once there is room again.
    pub fn report_dropped(&self) {
        self.sink.report_dropped();
    }

    /// Gives up on every request but these.
    pub fn fail_all(&self, error: &StreamError, but: &[(usize, u32)]) {
        for (id, request) in &*self.requests.borrow() {
            if !but.iter().any(|(_, spared)| spared == id) {
                request.sender.fail(error);
            }
        }
    }
}

/// The worker's requests, from op state.
pub(crate) fn in_flight(state: &OpState) -> Rc<InFlight> {
    state.borrow::<Rc<InFlight>>().clone()
}

/// The request that JavaScript runs for, as its async context tells.
pub fn running_request(scope: &mut v8::PinScope<'_, '_>) -> Option<u32> {
    let context = scope.get_continuation_preserved_embedder_data();
    let context = v8::Local::<v8::Object>::try_from(context).ok()?;
    let key = v8::String::new(scope, "request")?;
    context.get(scope, key.into())?.uint32_value(scope).filter(|id| *id != 0)
}
