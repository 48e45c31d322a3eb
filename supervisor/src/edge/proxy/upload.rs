//! Moves a request body from the client into a stream.

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

/// The body of a request, over any version of HTTP.
pub(crate) trait RequestBody: Body<Data = Bytes> + Unpin + 'static {}

impl<B: Body<Data = Bytes> + Unpin + 'static> RequestBody for B {}

/// How a body ends.
#[derive(Debug)]
enum BodyEnd {
    Plain,
    Trailers,
}

/// A request body. It can be sent to another worker as long as the first one has not begun with the request.
#[derive(Debug)]
pub(crate) struct Upload<B> {
    incoming: B,
    /// How its client reads on. `None` if an app sends it.
    reading: Option<Reading>,
    /// Read from the client, and not sent yet.
    unsent: VecDeque<Bytes>,
    /// Sent to a worker that has not begun with the request. If that worker fails, the next one must get these bytes as well. At
    /// most the first window of a stream.
    held: VecDeque<Bytes>,
    held_bytes: usize,
    end: Option<BodyEnd>,
    /// Whether the worker has begun with the request, so that `held` is not kept any more.
    is_begun: bool,
    /// Bytes that the client may still send.
    left: u64,
    upstream: Rc<Upstream>,
    /// Whether the worker has no room for more.
    is_stalled: bool,
    /// Bytes received since the pace was last updated.
    came: usize,
}

impl<B: RequestBody> Upload<B> {
    /// Creates the upload of a body of at most `max_body` bytes.
    pub(crate) fn new(incoming: B, reading: Option<Reading>, max_body: u64, upstream: Rc<Upstream>) -> Self {
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

    /// Sends what has been received. If that is not the whole body, continues in a task of its own.
    pub(crate) async fn start(self, sender: Sender) -> Progress<B> {
        let progress = Progress(Rc::new(Transfer::new(self)));
        let mut run = Box::pin(run(Progress(progress.0.clone()), sender));
        if poll_once(run.as_mut()).await.is_none() {
            tokio::task::spawn_local(run);
        }
        progress
    }

    /// Starts to watch the client's pace.
    fn pace(&self) -> Option<Rc<Pace>> {
        let spec = self.upstream.spec();
        self.reading.as_ref().map(|reading| reading.pace(spec.limits.request_timeout, spec.limits.min_rate))
    }

    fn done(&self) {
        self.reading.iter().for_each(Reading::done);
    }

    /// Sends until the body is complete.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        sender: &Sender,
        moved: &Cell<Option<Instant>>,
    ) -> Poll<Result<(), Refusal>> {
        loop {
            // If these are known to be the last bytes, the end is marked on their frame.
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
                    self.done();
                    return Poll::Ready(Ok(()));
                }
                self.unsent.pop_front();
                moved.set(Some(Instant::now()));
            }
            if let Some(end) = &self.end {
                match end {
                    BodyEnd::Plain => self.done(),
                    BodyEnd::Trailers => self.reading.iter().for_each(Reading::done_with_trailers),
                }
                let _ = sender.end(&HeaderBlock::default());
                return Poll::Ready(Ok(()));
            }
            // While the worker has no room, nothing is read from the client.
            if sender.poll_room(cx).is_pending() {
                if !std::mem::replace(&mut self.is_stalled, true) {
                    self.upstream.count(TrafficCounts::stalled);
                }
                return Poll::Pending;
            }
            self.is_stalled = false;
            match ready!(Pin::new(&mut self.incoming).poll_frame(cx)) {
                None => self.end = Some(BodyEnd::Plain),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        self.upstream.count(|counts| counts.received(data.len()));
                        self.came += data.len();
                        self.left = self.left.checked_sub(data.len() as u64).ok_or(Refusal::BodyTooLarge)?;
                        // A worker that has granted more than the first window has read some of the body.
                        self.is_begun |= self.held_bytes >= STREAM_WINDOW || sender.is_reached();
                        if self.is_begun {
                            self.held.clear();
                        } else {
                            self.held_bytes += data.len();
                            self.held.push_back(data.clone());
                        }
                        self.unsent.push_back(data);
                    }
                    // Trailer fields are not forwarded, since apps cannot see them. A trailer section without fields
                    // is malformed.
                    Err(frame) if frame.trailers_ref().is_some_and(HeaderMap::is_empty) => {
                        return Poll::Ready(Err(Refusal::Malformed));
                    }
                    Err(_) => self.end = Some(BodyEnd::Trailers),
                },
                Some(Err(_)) => return Poll::Ready(Err(Refusal::Malformed)),
            }
        }
    }
}

async fn run<B: RequestBody>(progress: Progress<B>, sender: Sender) {
    let transfer = &*progress.0;
    let mut pace: Option<Rc<Pace>> = None;
    let done = poll_fn(|cx| {
        if pace.as_ref().is_some_and(|pace| pace.poll_overdue(cx).is_ready()) {
            return Poll::Ready(Err(Refusal::RequestTimedOut));
        }
        // If the stream is over, either the response is complete and the rest of the body is not needed, or the stream has failed
        // and the body may be taken back.
        let mut upload = transfer.upload.borrow_mut();
        let Some(upload) = upload.as_mut().filter(|_| sender.poll_over(cx).is_pending()) else {
            return Poll::Ready(Ok(()));
        };
        let polled = upload.poll(cx, &sender, &transfer.moved);
        let is_late = polled.is_pending() && !upload.is_stalled;
        transfer.is_client_late.set(is_late);
        if is_late && pace.is_none() {
            pace = upload.pace();
            let _ = pace.as_ref().map(|begun| begun.poll_overdue(cx));
        }
        if let Some(pace) = &pace {
            pace.debt.waits(is_late);
            pace.debt.moved(std::mem::take(&mut upload.came));
        }
        polled
    })
    .await;
    transfer.is_client_late.set(false);
    if let Err(why) = done {
        transfer.fault.set(Some(why));
        sender.cancel();
    }
}

/// The progress of an upload, for the request that waits for its response.
#[derive(Debug)]
pub(crate) struct Progress<B>(Rc<Transfer<B>>);

#[derive(Debug)]
struct Transfer<B> {
    upload: RefCell<Option<Upload<B>>>,
    fault: Cell<Option<Refusal>>,
    moved: Cell<Option<Instant>>,
    is_client_late: Cell<bool>,
}

impl<B> Transfer<B> {
    fn new(upload: Upload<B>) -> Self {
        let upload = RefCell::new(Some(upload));
        Self { upload, fault: Cell::new(None), moved: Cell::new(None), is_client_late: Cell::new(false) }
    }
}

impl<B> Progress<B> {
    /// Returns why the body was given up, if it was.
    pub(crate) fn fault(&self) -> Option<Refusal> {
        self.0.fault.get()
    }

    /// Returns when a part of the body was last sent.
    pub(crate) fn moved(&self) -> Option<Instant> {
        self.0.moved.get()
    }

    /// Returns whether the upload waits for the client to send more of the body.
    pub(crate) fn is_client_late(&self) -> bool {
        self.0.is_client_late.get()
    }

    /// Takes the whole body back for another worker, if this one has not begun with the request.
    pub(crate) fn take_back(&self) -> Option<Upload<B>> {
        let mut upload = self.0.upload.borrow_mut().take().filter(|upload| !upload.is_begun)?;
        // It stays in `held` as well, since the next worker may end in the same way.
        upload.unsent = upload.held.clone();
        Some(upload)
    }
}

/// Polls a future once. Returns `None` if it is pending.
async fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
