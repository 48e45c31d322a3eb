//! The response body as hyper polls it.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{HeaderName, HeaderValue};
use nano_protocol::codec::HeaderBlock;
use nano_protocol::message::{RequestId, RequestLine};
use nano_protocol::{Chunk, Failure, Receiver};
use tracing::error;

use super::announced::Announced;
use super::part::{Part, Untaken};
use super::recorded::Recorded;
use super::response_limit::ResponseLimit;
use crate::edge::client::serving::Serving;
use crate::edge::upstream::{Place, Upstream};
use crate::model::lost_request::LostRequest;
use crate::telemetry::traffic::TrafficCounts;

/// Bytes that an HTTP/2 client is given at once: that it takes these in time shows how fast it is.
const PART: usize = 16 * 1024;

/// A response body, and what ends with it.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    content: Content,
    /// Has come of it, and has not been given to the client.
    rest: Chunk,
    /// The stream has failed, and hyper is told so next.
    is_failing: bool,
    /// Bytes that the client has been given.
    given: u64,
    /// What a client of HTTP/2 may not have let come of these. The answer is under way until it has.
    untaken: Option<Rc<Untaken>>,
    limit: Option<Box<ResponseLimit>>,
    /// Which request a stream answers.
    source: Option<Box<Source>>,
    /// What the head of a stream says of its length. hyper would take a worker's word for it.
    announced: Option<Announced>,
    /// Given back when the body is complete or the client has gone.
    tail: Option<Tail>,
}

/// A request whose answer still comes.
#[derive(Debug)]
struct Source {
    /// Which of the app's workers has it.
    generation: u64,
    method: String,
    target: String,
}

#[derive(Debug)]
enum Content {
    Empty,
    Full(Chunk),
    Stream(Receiver),
    /// It is longer than it may be, or not as long as was announced.
    Failed,
}

/// What ends with the response.
#[derive(Debug)]
pub(crate) struct Tail {
    /// Names the request in the log.
    pub id: RequestId,
    /// The request's place among those in flight.
    pub _place: Option<Place>,
    /// The app that answers, once it is known.
    pub upstream: Option<Rc<Upstream>>,
    /// The connection is busy with it.
    pub serving: Serving,
    /// What is remembered of the request, if anything is.
    pub record: Recorded,
}

/// The worker ended, or its stream failed, in the middle of the body: hyper must cut the connection, so that nobody
/// takes what has come for the whole.
#[derive(Debug, thiserror::Error)]
#[error("the response was cut off")]
pub(crate) struct CutOff;

impl ResponseBody {
    fn new(content: Content) -> Self {
        Self {
            content,
            rest: Chunk::default(),
            is_failing: false,
            given: 0,
            untaken: None,
            limit: None,
            source: None,
            announced: None,
            tail: None,
        }
    }

    /// No body.
    pub(crate) fn empty() -> Self {
        Self::new(Content::Empty)
    }

    /// These bytes.
    pub(crate) fn full(bytes: Bytes) -> Self {
        Self::new(Content::Full(bytes.into()))
    }

    /// The body of a worker's response. If all of it is here, hyper need not be told of a stream.
    pub(crate) fn from_worker(receiver: Receiver) -> Self {
        let has_trailers = |receiver: &Receiver| !receiver.trailers().as_bytes().is_empty();
        let content = match receiver.is_received().then(|| receiver.try_part()) {
            Some(None) if !has_trailers(&receiver) => Content::Empty,
            Some(Some(chunk)) if receiver.is_done() && !has_trailers(&receiver) => Content::Full(chunk),
            Some(Some(chunk)) => Content::Stream(receiver.put_back(chunk)),
            _ => Content::Stream(receiver),
        };
        Self::new(content)
    }

    /// Bounds what is passed on of a stream.
    pub(crate) fn limit(&mut self, limit: ResponseLimit) {
        if matches!(self.content, Content::Stream(_)) {
            self.limit = Some(Box::new(limit));
        }
    }

    /// Holds a stream to the length that its head announces.
    pub(crate) fn announce(&mut self, length: u64) {
        if matches!(self.content, Content::Stream(_)) {
            self.announced = Some(Announced::new(length));
        }
    }

    /// Remembers which request a stream answers: if its worker ends before that is complete, the report of the crash names it.
    pub(crate) fn comes_from(&mut self, generation: u64, line: &RequestLine<'_>) {
        if matches!(self.content, Content::Stream(_)) {
            let (method, target) = (line.method.to_owned(), line.target.to_owned());
            self.source = Some(Box::new(Source { generation, method, target }));
        }
    }

    /// The worker has given up on the stream.
    fn is_lost(&mut self, failure: &Failure) {
        let has_ended = match failure {
            Failure::Closed { .. } => true,
            Failure::Worker(error) => error.kind.is_fatal(),
            Failure::Over => false,
        };
        if has_ended
            && let Some(Source { generation, method, target }) = self.source.as_deref()
            && let Some(Tail { id, upstream: Some(upstream), .. }) = &self.tail
        {
            upstream.lost(*generation, LostRequest::new(*id, method, target));
        }
    }

    /// Ties what ends with the response to its body.
    pub(crate) fn attach(&mut self, tail: Tail) {
        self.tail = Some(tail);
    }

    fn count(&mut self, bytes: usize) {
        let Some(tail) = &mut self.tail else { return };
        if let Some(upstream) = &tail.upstream {
            upstream.count(|counts| counts.sent(bytes));
        }
        if let Some(record) = tail.record.get() {
            record.bytes += bytes as u64;
        }
    }

    /// It cannot be a complete answer any more. hyper drops what it has not written yet when a body fails, so it is told next
    /// time only, after a turn to write.
    fn fail(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Frame<Chunk>, CutOff>>> {
        self.cut_off();
        self.content = Content::Failed;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// The worker has not kept to the length that it announced.
    fn is_not_as_announced(&self, why: &str) {
        let upstream = self.tail.as_ref().and_then(|tail| Some((tail.upstream.as_ref()?, tail.id)));
        if let Some((upstream, id)) = upstream {
            error!(app = %upstream.spec().name, request_id = %id, "response cut off: {why}");
        }
    }

    /// The next part of what has come.
    fn part(&mut self) -> Part {
        let serving = self.tail.as_ref().map(|tail| &tail.serving);
        let http2 = serving.filter(|serving| serving.is_http2());
        let chunk = match http2 {
            Some(_) if self.rest.len() > PART => self.rest.split_to(PART),
            _ => std::mem::take(&mut self.rest),
        };
        self.given += chunk.len() as u64;
        if let Some(serving) = serving {
            serving.gave(chunk.len());
        }
        match http2 {
            Some(serving) if !serving.lets_come(self.given) => {
                self.untaken.get_or_insert_default().part(chunk)
            }
            _ => Part::new(chunk),
        }
    }

    /// Ready when the client has let everything come that it was given.
    fn poll_taken(&self, cx: &Context<'_>) -> Poll<()> {
        let Some(untaken) = &self.untaken else { return Poll::Ready(()) };
        let polled = untaken.poll_empty(cx);
        if polled.is_pending()
            && let Some(tail) = &self.tail
        {
            tail.serving.waits();
        }
        polled
    }

    fn cut_off(&mut self) {
        let Some(tail) = &mut self.tail else { return };
        if let Some(upstream) = &tail.upstream {
            upstream.count(TrafficCounts::cut_off);
        }
        if let Some(record) = tail.record.get() {
            record.cut_off = true;
        }
    }
}

impl Body for ResponseBody {
    type Data = Part;
    type Error = CutOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Part>, CutOff>>> {
        let this = &mut *self;
        if let Some(tail) = &this.tail {
            tail.serving.asked();
        }
        if this.rest.is_empty() {
            match ready!(this.poll_content(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame.map_data(Part::new)))),
                },
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return this.poll_taken(cx).map(|()| None),
            }
        }
        Poll::Ready(Some(Ok(Frame::data(this.part()))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
            && self.untaken.as_ref().is_none_or(|untaken| untaken.is_empty())
            && match &self.content {
                Content::Empty => true,
                Content::Failed => false,
                Content::Full(bytes) => bytes.is_empty(),
                Content::Stream(receiver) => {
                    receiver.is_done()
                        && receiver.trailers().as_bytes().is_empty()
                        && self.announced.as_ref().is_none_or(Announced::is_complete)
                }
            }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Empty => SizeHint::with_exact(self.rest.len() as u64),
            Content::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Stream(_) | Content::Failed => SizeHint::default(),
        }
    }
}

impl ResponseBody {
    fn poll_content(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Chunk>, CutOff>>> {
        let this = self;
        let chunk = match &mut this.content {
            Content::Empty => return Poll::Ready(None),
            Content::Failed => return Poll::Ready(Some(Err(CutOff))),
            Content::Full(bytes) => std::mem::take(bytes),
            Content::Stream(receiver) => match receiver.poll_part(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(chunk))) => {
                    if let Some(limit) = &mut this.limit
                        && !limit.takes(chunk.len())
                    {
                        return this.fail(cx);
                    }
                    let chunk = match &mut this.announced {
                        None => chunk,
                        Some(announced) => match announced.take(chunk, receiver.is_done()) {
                            Ok(chunk) => chunk,
                            Err(why) => {
                                this.is_not_as_announced(&why);
                                return this.fail(cx);
                            }
                        },
                    };
                    if chunk.is_empty() {
                        // The last part waits for the end, which hyper need not know.
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    this.count(chunk.len());
                    return Poll::Ready(Some(Ok(Frame::data(chunk))));
                }
                Poll::Ready(Some(Err(failure))) if !this.is_failing => {
                    this.is_lost(&failure);
                    // hyper drops what it has not written yet when a body fails; this gives it a turn to write.
                    this.is_failing = true;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(Some(Err(_))) => {
                    this.cut_off();
                    return Poll::Ready(Some(Err(CutOff)));
                }
                Poll::Ready(None) => {
                    match this.announced.as_mut().map_or(Ok(None), Announced::end) {
                        Ok(None) => {}
                        Ok(Some(last)) => {
                            this.count(last.len());
                            return Poll::Ready(Some(Ok(Frame::data(last))));
                        }
                        Err(why) => {
                            this.is_not_as_announced(&why);
                            return this.fail(cx);
                        }
                    }
                    let trailers = decode(&receiver.trailers());
                    this.content = Content::Empty;
                    return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
                }
            },
        };
        this.content = Content::Empty;
        this.count(chunk.len());
        Poll::Ready((!chunk.is_empty()).then(|| Ok(Frame::data(chunk))))
    }
}

/// Trailer fields that are valid HTTP; the others are dropped.
fn decode(block: &HeaderBlock) -> Option<HeaderMap> {
    let mut trailers = HeaderMap::new();
    for field in block.iter().ok()? {
        let (name, value) = field.ok()?;
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            trailers.append(name, value);
        }
    }
    (!trailers.is_empty()).then_some(trailers)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::iter::empty;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use bytes::Buf as _;
    use hyper::body::Body as _;
    use nano_protocol::codec::HeaderBlock;
    use nano_protocol::message::{HttpVersion, RequestId, RequestLine};
    use nano_protocol::{Connection, Event, Side};
    use tokio::net::UnixStream;

    use super::{Bytes, ResponseBody};

    const LINE: RequestLine<'static> = RequestLine {
        id: RequestId(1),
        method: "GET",
        origin: "http://x",
        target: "/",
        version: HttpVersion::Http11,
    };

    /// What a client gets of a body that a worker announces as so long and then sends in these parts, and whether it is
    /// complete.
    async fn passed(length: u64, parts: &[&'static str]) -> (String, bool) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (mut supervisor, handle) = Connection::new(ours, Side::Supervisor);
        let (mut worker, _) = Connection::new(theirs, Side::Worker);
        let (_, receiver) = handle.open(&LINE, 0, empty(), true).unwrap();
        let sender = poll_fn(|cx| {
            assert!(supervisor.poll_next(cx).is_pending());
            match worker.poll_next(cx) {
                Poll::Ready(Ok(Some(Event::Request { sender, .. }))) => Poll::Ready(sender),
                _ => Poll::Pending,
            }
        })
        .await;
        sender.respond(200, 0, empty(), false).unwrap();
        poll_fn(|cx| {
            assert!(worker.poll_next(cx).is_pending() && supervisor.poll_next(cx).is_pending());
            receiver.poll_head(cx)
        })
        .await
        .unwrap();
        let mut body = ResponseBody::from_worker(receiver);
        body.announce(length);
        for part in parts {
            let mut part = Bytes::from_static(part.as_bytes());
            assert!(sender.poll_send(&mut Context::from_waker(Waker::noop()), &mut part, false).is_ready());
        }
        sender.end(&HeaderBlock::default()).unwrap();
        let mut got = String::new();
        loop {
            let frame = poll_fn(|cx| {
                assert!(worker.poll_next(cx).is_pending() && supervisor.poll_next(cx).is_pending());
                if body.is_end_stream() { Poll::Ready(None) } else { Pin::new(&mut body).poll_frame(cx) }
            })
            .await;
            match frame {
                Some(Ok(frame)) => {
                    got.push_str(std::str::from_utf8(frame.data_ref().unwrap().chunk()).unwrap());
                }
                Some(Err(_)) => return (got, false),
                None => return (got, true),
            }
        }
    }

    #[tokio::test]
    async fn a_worker_that_breaks_its_own_length_gives_no_complete_answer() {
        assert_eq!(passed(6, &["0123", "45"]).await, ("012345".to_owned(), true));
        for parts in
            [&["0123"][..], &["0123", "456"], &["0123", "45", "6"], &["012345", "6"], &["0123456"], &[]]
        {
            let (got, is_complete) = passed(6, parts).await;
            // What would complete it is not passed on.
            assert!(got.len() < 6 && "012345".starts_with(&got) && !is_complete, "{parts:?}: {got}");
        }
        assert_eq!(passed(0, &["0"]).await, (String::new(), false));
    }
}
