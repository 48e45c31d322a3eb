//! The requests that JavaScript may ask about, by id.

use std::cell::{Cell, OnceCell, RefCell};
use std::ops::Deref;
use std::rc::{self, Rc};
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
use super::belongings::{Belongings, FetchedBody, OfRequest};
use super::files::{Files, KeptFiles};
use super::head::{Called, RequestHead};
use super::request::Request;

/// A request whose head can be read: it has not been answered, or its `waitUntil` work goes on.
#[derive(Debug)]
pub(crate) enum Readable {
    /// Not answered yet.
    InFlight(Rc<Request>),
    /// Answered, but its `waitUntil` work goes on.
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

/// The destination of console output and uncaught errors.
pub trait LogSink {
    /// Takes one record. Must not block.
    fn log(&self, record: LogRecord);
    /// Reports how many records were dropped, once there is room again.
    fn report_dropped(&self);
}

/// Number of requests whose names are remembered after they were answered, for later log records (`waitUntil`, timers).
const REMEMBERED: usize = 1024;

/// The remembered name of a request.
#[derive(Clone, Copy)]
struct Named {
    /// Its id in JavaScript; zero for an unused entry.
    id: u32,
    name: RequestId,
    called: Called,
}

impl Named {
    const NONE: Self = Self { id: 0, name: RequestId(0), called: Called::NONE };
}

/// The responses to the fetches of one request.
#[derive(Default)]
struct Fetched {
    bodies: Vec<Weak<dyn FetchedBody>>,
    /// Whether the client has gone, so that nobody waits for the answer.
    is_cancelled: bool,
}

/// All requests in flight in this worker.
pub struct InFlight {
    requests: RefCell<FxHashMap<u32, Rc<Request>>>,
    /// The exclusive or of their ids. If there is exactly one request, this is its id.
    folded: Cell<u32>,
    /// The rest of bodies that exceeded their stream's credit.
    unsent: RefCell<Vec<(Rc<Request>, Bytes)>>,
    last: Cell<u32>,
    /// The latest ids and their names, each stored at its id modulo [`REMEMBERED`].
    names: RefCell<Vec<Named>>,
    answered: Cell<u64>,
    /// `waitUntil` promises that have not settled.
    pub(crate) background: Background,
    /// The fetched responses of each request, by id. They end with the request.
    fetched: RefCell<FxHashMap<u32, Fetched>>,
    /// Requests with fetched bodies that were answered or given up, or whose `waitUntil` work ended. [`InFlight::end_fetched`]
    /// checks them.
    ending: RefCell<Vec<u32>>,
    /// Number of fetched bodies that were ended unread.
    unread: Cell<u64>,
    /// The connections that they have opened.
    belongings: Belongings,
    /// The files that they have written.
    files: Files,
    /// Uncaught errors since start.
    uncaught: Cell<u32>,
    /// The request of the first uncaught error; zero for none.
    uncaught_of: Cell<u32>,
    /// Whether JavaScript was terminated.
    is_torn: OnceCell<Box<dyn Fn() -> bool>>,
    sink: Rc<dyn LogSink>,
}

impl std::fmt::Debug for InFlight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InFlight").field("requests", &self.requests).finish_non_exhaustive()
    }
}

impl InFlight {
    /// Creates an empty set. Log records go to `sink`.
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
            belongings: Belongings::default(),
            files: Files::new(),
            uncaught: Cell::new(0),
            uncaught_of: Cell::new(0),
            is_torn: OnceCell::new(),
            sink,
        }
    }

    /// Sets the function that tells whether JavaScript was terminated.
    pub fn watch(&self, is_torn: impl Fn() -> bool + 'static) {
        let _ = self.is_torn.set(Box::new(is_torn));
    }

    /// Returns whether JavaScript was terminated. Failures after that, such as those of interrupted native code, are a
    /// consequence of it.
    pub(crate) fn is_torn(&self) -> bool {
        self.is_torn.get().is_some_and(|is_torn| is_torn())
    }

    /// Adds a request and returns its id for JavaScript. Ids are never zero and never reused while the request is in flight or has work
    /// left, as a WebSocket has for days.
    pub fn insert(&self, request: Request) -> u32 {
        let mut requests = self.requests.borrow_mut();
        let mut id = self.last.get();
        loop {
            // JavaScript's small integers end at 2^30.
            id = if id >= 0x3fff_ffff { 1 } else { id + 1 };
            if !requests.contains_key(&id) && !self.background.is_of(id) {
                break;
            }
        }
        self.last.set(id);
        let mut names = self.names.borrow_mut();
        let at = id as usize % REMEMBERED;
        if at >= names.len() {
            // Grown on demand: most workers never see that many requests, or only late.
            names.resize(at + 1, Named::NONE);
        }
        names[at] = Named { id, name: request.id, called: request.called };
        requests.insert(id, Rc::new(request));
        self.folded.set(self.folded.get() ^ id);
        id
    }

    /// Returns the request with this id.
    pub(crate) fn get(&self, id: u32) -> Result<Rc<Request>, JsErrorBox> {
        self.find(id).ok_or_else(over)
    }

    /// Returns the head of the request with this id, as long as any work of the request may run.
    pub(crate) fn head(&self, id: u32) -> Result<Readable, JsErrorBox> {
        let request = self.find(id).map(Readable::InFlight);
        request.or_else(|| self.background.head_of(id).map(Readable::Answered)).ok_or_else(over)
    }

    /// Returns the request with this id, like [`InFlight::get`], for callers that have a fallback.
    pub(crate) fn find(&self, id: u32) -> Option<Rc<Request>> {
        self.requests.borrow().get(&id).cloned()
    }

    /// Removes a request in order to answer it.
    pub fn answer(&self, id: u32) -> Option<Rc<Request>> {
        let request = self.requests.borrow_mut().remove(&id)?;
        self.folded.set(self.folded.get() ^ id);
        self.ends(id, request.is_cancelled());
        self.answered.set(self.answered.get() + 1);
        Some(request)
    }

    /// Returns the number of requests that are neither answered nor given up by the supervisor.
    pub fn count(&self) -> usize {
        self.requests.borrow().len()
    }

    /// Returns the only request in flight. Returns `None` if there are several, or if `waitUntil` work of any request goes on.
    pub fn only(&self) -> Option<RequestId> {
        let is_only = self.count() == 1 && self.background.is_empty();
        is_only.then(|| self.name(self.folded.get())).flatten()
    }

    /// Returns the number of requests answered since start.
    pub fn answered(&self) -> u64 {
        self.answered.get()
    }

    /// Returns whether nothing is in flight: no request, no body, no `waitUntil` work.
    pub fn is_idle(&self) -> bool {
        self.requests.borrow().is_empty() && self.unsent.borrow().is_empty() && self.background.is_empty()
    }

    /// Removes requests that the supervisor has given up. Their handlers may never settle.
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

    /// Keeps the rest of a body, to be sent as credit arrives.
    pub(crate) fn send_later(&self, request: Rc<Request>, body: Bytes) {
        self.unsent.borrow_mut().push((request, body));
    }

    /// Sends the kept bodies as far as credit allows.
    pub fn poll_unsent(&self, cx: &mut Context<'_>) {
        self.unsent
            .borrow_mut()
            .retain_mut(|(request, body)| matches!(request.sender.poll_send(cx, body, true), Poll::Pending));
    }

    /// Sets how long after the response `waitUntil` keeps the worker alive.
    pub fn set_wait_until_timeout(&self, timeout: Duration) {
        self.background.set_timeout(timeout);
    }

    /// Returns the number of `waitUntil` works that exceeded the timeout since start.
    pub fn late_background(&self) -> u64 {
        self.background.late()
    }

    /// Registers work of the request with this id that keeps the worker alive. Returns a number to pass to `end_background`.
    pub(crate) fn begin_background(&self, id: u32) -> u32 {
        self.begin_work(id, false)
    }

    /// Registers the WebSocket that the request with this id is to become, as [`InFlight::begin_background`] does.
    pub(crate) fn begin_socket(&self, id: u32) -> u32 {
        self.begin_work(id, true)
    }

    fn begin_work(&self, id: u32, lasts: bool) -> u32 {
        let request = self.find(id);
        let head = self.head(id).ok().map(|head| head.clone());
        self.background.begin(
            id,
            request.map(|request| Rc::downgrade(&request)).unwrap_or_default(),
            head,
            lasts,
        )
    }

    /// Removes work that has settled.
    pub(crate) fn end_background(&self, number: u32) {
        if let Some(id) = self.background.end(number) {
            self.ends(id, false);
        }
    }

    /// Records the body of a response that the request with this id has fetched.
    pub(crate) fn fetched(&self, id: u32, body: Weak<dyn FetchedBody>) {
        // Responses fetched by work that outlives its request, such as timers, are not ended with a request.
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

    /// Returns how many fetched bodies were ended unread because their request was over.
    pub fn unread_over(&self) -> u64 {
        self.unread.get()
    }

    /// Ends the fetched bodies of requests that are over, unless a reader waits for the bytes at this moment. If the client has
    /// gone, its request's readers do not count. Called at the end of a tick, when all JavaScript that could run has run.
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

    /// Records what the request with this id has opened. Without a request, it lasts as long as the app keeps it.
    pub(crate) fn opened(&self, id: u32, what: rc::Weak<dyn OfRequest>) {
        if self.is_under_way(id) {
            let request = self.find(id).map(|request| Rc::downgrade(&request)).unwrap_or_default();
            self.belongings.add(id, request, what);
        }
    }

    /// Sets how many bytes the files of all requests may have.
    pub fn set_max_tmp(&self, bytes: u64) {
        self.files.set_max(bytes);
    }

    /// Returns the number of writes to files that were refused since start.
    pub fn tmp_refused(&self) -> u64 {
        self.files.refused()
    }

    /// Ends the files that the app has written while it was loaded.
    pub fn end_loading(&self) {
        self.files.end_loading();
    }

    /// Returns the files of the request with this id; zero for those of the app while it is loaded.
    pub(crate) fn files_of(&self, id: u32) -> KeptFiles {
        self.files.of(id, self.is_under_way(id))
    }

    /// Keeps the files of the request with this id until it is over.
    pub(crate) fn keep_files(&self, id: u32, store: v8::Global<v8::Value>) {
        let request = self.find(id).map(|request| Rc::downgrade(&request));
        self.files.keep(id, request.unwrap_or_default(), store);
    }

    /// Lets the files of the request with this id have more bytes: `most`, or else `least`. Returns how many more.
    pub(crate) fn grow_files(&self, id: u32, least: u32, most: u32) -> u32 {
        self.files.grow(id, least, most)
    }

    /// Records that the files of the request with this id have so many bytes less.
    pub(crate) fn shrink_files(&self, id: u32, by: u32) {
        self.files.shrink(id, by);
    }

    /// Ends the files and connections of requests that are over. Called at the end of a tick.
    pub fn end_belongings(&self) {
        self.files.end_over(|id| self.background.is_of(id));
        self.belongings.end_over(|id| self.background.is_of(id));
    }

    /// Gives up work that keeps the worker alive for longer than the timeout.
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

    /// Counts an uncaught error outside a handler. `request` is the id of the request that it belongs to; zero for none.
    pub fn add_uncaught(&self, request: u32) {
        if self.uncaught.get() == 0 {
            self.uncaught_of.set(request);
        }
        self.uncaught.set(self.uncaught.get() + 1);
    }

    /// Returns the number of uncaught errors since start.
    pub fn uncaught(&self) -> u32 {
        self.uncaught.get()
    }

    /// Returns the id of the request that caused the first uncaught error, if a request did.
    pub fn uncaught_of(&self) -> Option<u32> {
        Some(self.uncaught_of.get()).filter(|request| *request != 0)
    }

    /// Returns the name of the request with this id, which may have been answered; zero is none.
    pub fn name(&self, id: u32) -> Option<RequestId> {
        let remembered = self.remembered(id, |named| named.name);
        remembered.or_else(|| self.head(id).ok()?.line().ok().map(|line| line.id))
    }

    /// Returns how many fetches of apps lead from the request of a client to the request with this id, which may have been answered.
    pub(crate) fn depth(&self, id: u32) -> u8 {
        let remembered = self.remembered(id, |named| named.called.depth);
        remembered.or_else(|| Some(self.head(id).ok()?.line().ok()?.depth)).unwrap_or_default()
    }

    fn remembered<T>(&self, id: u32, what: impl FnOnce(&Named) -> T) -> Option<T> {
        let names = self.names.borrow();
        names.get(id as usize % REMEMBERED).filter(|named| id != 0 && named.id == id).map(what)
    }

    /// Returns method and path of the request with this id, which may have been answered.
    fn called(&self, id: u32) -> Option<RequestName> {
        let head = self.head(id).ok().and_then(|head| head.called());
        head.or_else(|| self.remembered(id, |named| named.called.name()))
    }

    /// Writes method and path of the request with this id to the witness. If the request was answered, or its client has gone,
    /// only the worker still knows them.
    pub fn record_culprit(&self, witness: &Witness, id: u32) {
        if let Some(name) = self.name(id)
            && let Some(called) = self.called(id)
        {
            witness.names(name, &called, self.find(id).is_none());
        }
    }

    /// Logs on behalf of the request with this id; zero for none.
    pub fn log(&self, level: LogLevel, id: u32, message: String) {
        let request = match level {
            LogLevel::Debug | LogLevel::Info => None,
            LogLevel::Warn | LogLevel::Error => self.called(id),
        };
        self.sink.log(LogRecord { level, request_id: self.name(id), request, message });
    }

    /// Logs an error of a request that may have been answered already, or of none.
    pub fn log_error(&self, request: Option<&Request>, message: String) {
        match request {
            Some(request) => self.log_of(LogLevel::Error, request, message),
            None => {
                self.sink.log(LogRecord { level: LogLevel::Error, request_id: None, request: None, message })
            }
        }
    }

    /// Logs on behalf of a request that may have been answered already.
    pub(crate) fn log_of(&self, level: LogLevel, request: &Request, message: String) {
        let (request_id, request) = (Some(request.id), request.head.called());
        self.sink.log(LogRecord { level, request_id, request, message });
    }

    /// Reports how many log records were dropped, once there is room again. Called at the end of a tick.
    pub fn report_dropped(&self) {
        self.sink.report_dropped();
    }

    /// Fails every request except those whose ids are `spared`.
    pub fn fail_all(&self, error: &StreamError, spared: impl Fn(u32) -> bool) {
        for (id, request) in &*self.requests.borrow() {
            if !spared(*id) {
                request.sender.fail(error);
            }
        }
    }
}

/// Returns the worker's requests from op state.
pub(crate) fn in_flight(state: &OpState) -> Rc<InFlight> {
    state.borrow::<Rc<InFlight>>().clone()
}

/// Returns the id of the request that JavaScript currently runs for, from its async context.
pub fn running_request(scope: &mut v8::PinScope<'_, '_>) -> Option<u32> {
    let context = scope.get_continuation_preserved_embedder_data();
    let context = v8::Local::<v8::Object>::try_from(context).ok()?;
    let key = v8::String::new(scope, "request")?;
    context.get(scope, key.into())?.uint32_value(scope).filter(|id| *id != 0)
}
