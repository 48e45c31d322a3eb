//! The request body on its way from the client into a stream.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::body::Body;
use nano_protocol::Sender;
use nano_protocol::codec::HeaderBlock;
use nano_protocol::limits::STREAM_WINDOW;

use crate::edge::client::serving::Reading;
use crate::edge::pace::Pace;
use crate::edge::upstream::Upstream;
use crate::model::refusal::Refusal;
use crate::telemetry::traffic::TrafficCounts;

/// The body of a request, whatever its client speaks.
pub(crate) trait RequestBody: Body<Data = Bytes> + Unpin + 'static {}

impl<B: Body<Data = Bytes> + Unpin + 'static> RequestBody for B {}

/// How a body ends.
#[derive(Debug)]
enum End {
    Plain,
    Trailers,
}

/// A request body, of which some may have been read and not have reached a worker.
#[derive(Debug)]
pub(crate) struct Upload<B> {
    incoming: B,
    reading: Reading,
    /// Read, and not yet in a stream.
    unsent: VecDeque<Bytes>,
    /// In a stream that the worker has not begun with: if it fails, the next worker must get them, too. At most what a stream
    /// may carry before its reader reads.
    held: VecDeque<Bytes>,
    held_bytes: usize,
    /// How the body has ended, if it has.
    end: Option<End>,
    /// Some of it was not held any more.
    is_begun: bool,
    /// Bytes that may still come.
    left: u64,
    /// The app it is for.
    upstream: Rc<Upstream>,
    /// The worker does not read on.
    is_stalled: bool,
    /// Bytes that have come since they were last looked at.
    came: usize,
}

impl<B: RequestBody> Upload<B> {
    /// A body of at most `max_body` bytes.
    pub(crate) fn new(incoming: B, reading: Reading, max_body: u64, upstream: Rc<Upstream>) -> Self {
        Self {
            incoming,
            reading,
            unsent: VecDeque::new(),
            held: VecDeque::new(),
            held_bytes: 0,
            end: None,
            is_begun: false,
            left: max_body,
            upstream,
            is_stalled: false,
            came: 0,
        }
    }

    /// Moves into `sender` what is there now; if that is not all, goes on in a task of its own.
    pub(crate) async fn start(self, sender: Sender) -> Progress<B> {
        let progress = Progress(Rc::new(Shared::new(self)));
        let mut run = Box::pin(run(Progress(progress.0.clone()), sender));
        if poll_once(run.as_mut()).await.is_none() {
            tokio::task::spawn_local(run);
        }
        progress
    }

    /// How far its client is behind, from now on.
    fn pace(&self) -> Rc<Pace> {
        let spec = self.upstream.spec();
        self.reading.pace(spec.limits.request_timeout, spec.limits.min_rate)
    }

    /// Goes on until everything is in the stream.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        sender: &Sender,
        moved: &Cell<Option<Instant>>,
    ) -> Poll<Result<(), Refusal>> {
        loop {
            // Where hyper knows that these are the last bytes, the end rides on them.
            let is_read = self.end.is_none() && self.incoming.is_end_stream();
            while let [chunk, later @ ..] = self.unsent.make_contiguous() {
                let is_last = is_read && later.is_empty();
                let polled = sender.poll_send(cx, chunk, is_last);
                if polled.is_pending() && !std::mem::replace(&mut self.is_stalled, true) {
                    self.upstream.count(TrafficCounts::stalled);
                }
                if ready!(polled).is_err() {
                    return Poll::Ready(Ok(()));
                }
                self.is_stalled = false;
                if sender.is_complete() {
                    self.reading.done();
                    return Poll::Ready(Ok(()));
                }
                self.unsent.pop_front();
                moved.set(Some(Instant::now()));
            }
            if let Some(end) = &self.end {
                match end {
                    End::Plain => self.reading.done(),
                    End::Trailers => self.reading.done_with_trailers(),
                }
                let _ = sender.end(&HeaderBlock::default());
                return Poll::Ready(Ok(()));
            }
            // What the worker has no room for is not read from the client.
            if sender.poll_room(cx).is_pending() {
                if !std::mem::replace(&mut self.is_stalled, true) {
                    self.upstream.count(TrafficCounts::stalled);
                }
                return Poll::Pending;
            }
            self.is_stalled = false;
            match ready!(Pin::new(&mut self.incoming).poll_frame(cx)) {
                None => self.end = Some(End::Plain),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        self.upstream.count(|counts| counts.received(data.len()));
                        self.came += data.len();
                        self.left = self.left.checked_sub(data.len() as u64).ok_or(Refusal::BodyTooLarge)?;
                        // A worker that has room for more than the first window has read of it, whatever else it says.
                        self.is_begun |= self.held_bytes >= STREAM_WINDOW || sender.is_reached();
                        if self.is_begun {
                            self.held.clear();
                        } else {
                            self.held_bytes += data.len();
                            self.held.push_back(data.clone());
                        }
                        self.unsent.push_back(data);
                    }
                    // Apps cannot see trailer fields, so none cross. Some that hold no field are no trailer fields.
                    Err(frame) if frame.trailers_ref().is_some_and(HeaderMap::is_empty) => {
                        return Poll::Ready(Err(Refusal::Malformed));
                    }
                    Err(_) => self.end = Some(End::Trailers),
                },
                Some(Err(_)) => return Poll::Ready(Err(Refusal::Malformed)),
            }
        }
    }
}

async fn run<B: RequestBody>(progress: Progress<B>, sender: Sender) {
    let shared = &*progress.0;
    let mut pace: Option<Rc<Pace>> = None;
    let done = poll_fn(|cx| {
        if pace.as_ref().is_some_and(|pace| pace.poll_overdue(cx).is_ready()) {
            return Poll::Ready(Err(Refusal::RequestTimedOut));
        }
        // Over: the response is complete, so nobody reads the rest; or it failed, and the rest may be taken back.
        let mut upload = shared.upload.borrow_mut();
        let Some(upload) = upload.as_mut().filter(|_| sender.poll_over(cx).is_pending()) else {
            return Poll::Ready(Ok(()));
        };
        let polled = upload.poll(cx, &sender, &shared.moved);
        let is_late = polled.is_pending() && !upload.is_stalled;
        shared.is_client_late.set(is_late);
        if is_late && pace.is_none() {
            let begun = upload.pace();
            let _ = begun.poll_overdue(cx);
            pace = Some(begun);
        }
        if let Some(pace) = &pace {
            pace.debt.waits(is_late);
            pace.debt.moved(std::mem::take(&mut upload.came));
        }
        polled
    })
    .await;
    shared.is_client_late.set(false);
    if let Err(why) = done {
        shared.fault.set(Some(why));
        sender.cancel();
    }
}

/// What the request that waits for its response can learn of its body.
#[derive(Debug)]
pub(crate) struct Progress<B>(Rc<Shared<B>>);

#[derive(Debug)]
struct Shared<B> {
    upload: RefCell<Option<Upload<B>>>,
    fault: Cell<Option<Refusal>>,
    moved: Cell<Option<Instant>>,
    is_client_late: Cell<bool>,
}

impl<B> Shared<B> {
    fn new(upload: Upload<B>) -> Self {
        let upload = RefCell::new(Some(upload));
        Self { upload, fault: Cell::new(None), moved: Cell::new(None), is_client_late: Cell::new(false) }
    }
}

impl<B> Progress<B> {
    /// The answer to why the body was given up, if it was.
    pub(crate) fn fault(&self) -> Option<Refusal> {
        self.0.fault.get()
    }

    /// When part of the body last went into the stream.
    pub(crate) fn moved(&self) -> Option<Instant> {
        self.0.moved.get()
    }

    /// Whether more of the body is wanted, and it is the client that does not send it.
    pub(crate) fn is_client_late(&self) -> bool {
        self.0.is_client_late.get()
    }

    /// The whole body for another worker, if this one has not begun with the request.
    pub(crate) fn take_back(&self) -> Option<Upload<B>> {
        let mut upload = self.0.upload.borrow_mut().take().filter(|upload| !upload.is_begun)?;
        // Still held: the next worker may go the same way.
        upload.unsent = upload.held.clone();
        Some(upload)
    }
}

/// Polls a future once.
async fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
