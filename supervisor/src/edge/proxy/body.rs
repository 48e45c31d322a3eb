//! The response body, as polled by hyper and by the HTTP/2 server.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use nano_protocol::message::{RequestId, RequestLine, StreamError, Thrown};
use nano_protocol::{Chunk, Failure, Receiver};
use tracing::error;

use super::announced::{Announced, LengthError};
use super::file_window::FileWindow;
use super::opened::OpenedSocket;
use super::part::{BodyPart, Untaken};
use super::recorded::Recorded;
use super::response_limit::ResponseLimit;
use super::trailers::trailers;
use crate::assets::reader::AssetReader;
use crate::edge::client::serving::Serving;
use crate::edge::upstream::{InFlight, Upstream};
use crate::model::lost_request::LostRequest;
use crate::telemetry::traffic::TrafficCounts;

/// Most bytes that are passed to an HTTP/2 client at once. How fast the client takes such parts shows its pace.
const PART: usize = 16 * 1024;

/// A response body, and what is released when it ends.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    content: Payload,
    /// Received from the worker, and not passed on yet.
    rest: Chunk,
    /// Whether the stream has failed. If so, the next poll returns the error.
    is_failing: bool,
    /// Bytes passed on.
    given: u64,
    /// Counts the parts that h2 holds because an HTTP/2 client's windows do not allow them yet. The response is in progress until
    /// h2 has sent them.
    untaken: Option<Rc<Untaken>>,
    limit: Option<Box<ResponseLimit>>,
    /// The request that a streamed body answers.
    source: Option<Box<SourceRequest>>,
    /// The length that the head of a streamed body announces. hyper does not check it.
    announced: Option<Announced>,
    /// What the app has thrown in the middle of the body.
    thrown: Option<Box<Thrown>>,
    /// The WebSocket that the response begins, which has no body.
    pub socket: Option<Box<OpenedSocket>>,
    /// Dropped when the body is complete, or the client has disconnected.
    tail: Option<Tail>,
}

/// A request whose response is not complete.
#[derive(Debug)]
struct SourceRequest {
    generation: u64,
    method: String,
    target: String,
}

#[derive(Debug)]
enum Payload {
    Empty,
    Full(Chunk),
    Stream(Receiver),
    File {
        reader: Box<AssetReader>,
        _window: FileWindow,
    },
    /// The body is too long, or not as long as announced.
    Failed,
}

/// What is released when the response ends.
#[derive(Debug)]
pub(crate) struct Tail {
    /// Names the request in the log.
    pub id: RequestId,
    /// The request's slot among those in flight.
    pub _place: Option<InFlight>,
    /// The app that answers, once it is known.
    pub upstream: Option<Rc<Upstream>>,
    /// The request on its client's connection. `None` if an app has made it.
    pub serving: Option<Serving>,
    pub record: Recorded,
}

/// The worker has ended, or its stream has failed, in the middle of the body. The connection or stream to the client must be cut,
/// so that the client does not take the part for the whole.
#[derive(Debug, thiserror::Error)]
#[error("the response was cut off")]
pub(crate) struct CutOff;

impl ResponseBody {
    fn new(content: Payload) -> Self {
        Self {
            content,
            rest: Chunk::default(),
            is_failing: false,
            given: 0,
            untaken: None,
            limit: None,
            source: None,
            announced: None,
            thrown: None,
            socket: None,
            tail: None,
        }
    }

    pub(crate) fn empty() -> Self {
        Self::new(Payload::Empty)
    }

    pub(crate) fn full(bytes: Bytes) -> Self {
        Self::new(Payload::Full(bytes.into()))
    }

    /// Creates the body of a worker's response. A body that was received whole is not treated as a stream.
    pub(crate) fn from_worker(receiver: Receiver) -> Self {
        let has_trailers = |receiver: &Receiver| !receiver.trailers().as_bytes().is_empty();
        let content = match receiver.is_received().then(|| receiver.try_part()) {
            Some(None) if !has_trailers(&receiver) => Payload::Empty,
            Some(Some(chunk)) if receiver.is_done() && !has_trailers(&receiver) => Payload::Full(chunk),
            Some(Some(chunk)) => Payload::Stream(receiver.put_back(chunk)),
            _ => Payload::Stream(receiver),
        };
        Self::new(content)
    }

    /// Creates a body that is read from a file.
    pub(crate) fn from_file(reader: AssetReader, window: FileWindow) -> Self {
        Self::new(Payload::File { reader: Box::new(reader), _window: window })
    }

    /// Takes out the WebSocket that the response begins, and what is released when it ends.
    pub(crate) fn take_socket(&mut self) -> Option<(OpenedSocket, Tail)> {
        Some((*self.socket.take()?, self.tail.take()?))
    }

    /// Limits how much of a streamed body is passed on.
    pub(crate) fn limit(&mut self, limit: ResponseLimit) {
        if matches!(self.content, Payload::Stream(_)) {
            self.limit = Some(Box::new(limit));
        }
    }

    /// Checks a streamed body against the length that its head announces.
    pub(crate) fn announce(&mut self, length: u64) {
        if matches!(self.content, Payload::Stream(_)) {
            self.announced = Some(Announced::new(length));
        }
    }

    /// Remembers which request a streamed body answers. If the worker ends before the body is complete, the report of its crash
    /// names the request.
    pub(crate) fn comes_from(&mut self, generation: u64, line: &RequestLine<'_>) {
        if matches!(self.content, Payload::Stream(_)) {
            let (method, target) = (line.method.to_owned(), line.target.to_owned());
            self.source = Some(Box::new(SourceRequest { generation, method, target }));
        }
    }

    /// Reports a request that was lost with its worker.
    fn is_lost(&mut self, failure: &Failure) {
        let has_ended = match failure {
            Failure::Closed { .. } => true,
            Failure::Peer(error) => error.kind.is_fatal(),
            Failure::Over => false,
        };
        if has_ended
            && let Some(SourceRequest { generation, method, target }) = self.source.as_deref()
            && let Some(Tail { id, upstream: Some(upstream), .. }) = &self.tail
        {
            upstream.lost(*generation, LostRequest::new(*id, method, target));
        }
    }

    /// Returns what the app has thrown, if the body was cut off for that.
    pub(crate) fn thrown(&mut self) -> Option<Box<Thrown>> {
        self.thrown.take()
    }

    /// Attaches what is released when the response ends.
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

    /// Makes the next poll fail the body. When a body fails, hyper drops what it has not written yet, so it first gets a turn to
    /// write.
    fn fail(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Frame<Chunk>, CutOff>>> {
        self.cut_off();
        self.content = Payload::Failed;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Logs that the body is not as long as the worker announced.
    fn is_not_as_announced(&self, why: LengthError) {
        let upstream = self.tail.as_ref().and_then(|tail| Some((tail.upstream.as_ref()?, tail.id)));
        if let Some((upstream, id)) = upstream {
            error!(app = %upstream.spec().name, request_id = %id, "response cut off: {why}");
        }
    }

    /// Logs that the rest of a file cannot be read.
    fn is_unreadable(&self, error: &std::io::Error) {
        let upstream = self.tail.as_ref().and_then(|tail| Some((tail.upstream.as_ref()?, tail.id)));
        if let Some((upstream, id)) = upstream {
            error!(app = %upstream.spec().name, request_id = %id, %error, "response cut off: its file cannot be read");
        }
    }

    /// Returns the next part of what was received.
    fn part(&mut self) -> BodyPart {
        let serving = self.tail.as_ref().and_then(|tail| tail.serving.as_ref());
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
            _ => BodyPart::new(chunk),
        }
    }

    /// Waits until h2 holds no part that the client's windows do not allow.
    fn poll_taken(&self, cx: &Context<'_>) -> Poll<()> {
        let Some(untaken) = &self.untaken else { return Poll::Ready(()) };
        let polled = untaken.poll_empty(cx);
        if polled.is_pending()
            && let Some(Tail { serving: Some(serving), .. }) = &self.tail
        {
            serving.waits();
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
    type Data = BodyPart;
    type Error = CutOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<BodyPart>, CutOff>>> {
        let this = &mut *self;
        if let Some(Tail { serving: Some(serving), .. }) = &this.tail {
            serving.asked();
        }
        if this.rest.is_empty() {
            match ready!(this.poll_content(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame.map_data(BodyPart::new)))),
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
                Payload::Empty => true,
                Payload::Failed => false,
                Payload::Full(bytes) => bytes.is_empty(),
                Payload::File { reader, .. } => reader.left() == 0,
                Payload::Stream(receiver) => {
                    receiver.is_done()
                        && receiver.trailers().as_bytes().is_empty()
                        && self.announced.as_ref().is_none_or(Announced::is_complete)
                }
            }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Payload::Empty => SizeHint::with_exact(self.rest.len() as u64),
            Payload::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Payload::File { reader, .. } => SizeHint::with_exact(reader.left() + self.rest.len() as u64),
            Payload::Stream(_) | Payload::Failed => SizeHint::default(),
        }
    }
}

impl ResponseBody {
    fn poll_content(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Chunk>, CutOff>>> {
        let this = self;
        let chunk = match &mut this.content {
            Payload::Empty => return Poll::Ready(None),
            Payload::Failed => return Poll::Ready(Some(Err(CutOff))),
            Payload::Full(bytes) => std::mem::take(bytes),
            Payload::File { reader, .. } => match ready!(reader.poll_piece(cx)) {
                Some(Ok(bytes)) => {
                    this.count(bytes.len());
                    return Poll::Ready(Some(Ok(Frame::data(bytes.into()))));
                }
                Some(Err(error)) => {
                    let is_first = reader.report();
                    if is_first {
                        this.is_unreadable(&error);
                    }
                    return this.fail(cx);
                }
                None => {
                    this.content = Payload::Empty;
                    return Poll::Ready(None);
                }
            },
            Payload::Stream(receiver) => match receiver.poll_part(cx) {
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
                                this.is_not_as_announced(why);
                                return this.fail(cx);
                            }
                        },
                    };
                    if chunk.is_empty() {
                        // The last part is held back until the end.
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    this.count(chunk.len());
                    return Poll::Ready(Some(Ok(Frame::data(chunk))));
                }
                Poll::Ready(Some(Err(failure))) if !this.is_failing => {
                    this.is_lost(&failure);
                    if let Failure::Peer(StreamError { thrown: Some(thrown), .. }) = failure {
                        this.thrown = Some(thrown);
                    }
                    // When a body fails, hyper drops what it has not written yet, so it first gets a turn to write.
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
                            this.is_not_as_announced(why);
                            return this.fail(cx);
                        }
                    }
                    let trailers = trailers(&receiver.trailers());
                    this.content = Payload::Empty;
                    return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
                }
            },
        };
        this.content = Payload::Empty;
        this.count(chunk.len());
        Poll::Ready((!chunk.is_empty()).then(|| Ok(Frame::data(chunk))))
    }
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
    use nano_protocol::{Connection, Head, Incoming, Side};
    use tokio::net::UnixStream;

    use super::{Bytes, ResponseBody};

    const LINE: RequestLine<'static> = RequestLine {
        id: RequestId(1),
        method: "GET",
        origin: "http://x",
        target: "/",
        version: HttpVersion::Http11,
        depth: 0,
        entrypoint: None,
    };

    /// Returns what a client gets of a body that a worker announces with this length and sends in these parts, and whether the
    /// body is complete for the client.
    async fn passed(length: u64, parts: &[&'static str]) -> (String, bool) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (mut supervisor, handle) = Connection::new(ours, Side::Supervisor);
        let (mut worker, _) = Connection::new(theirs, Side::Worker);
        let (_, receiver) = handle.open(&Head::Request(LINE), 0, empty(), true).unwrap();
        let sender = poll_fn(|cx| {
            assert!(supervisor.poll_next(cx).is_pending());
            match worker.poll_next(cx) {
                Poll::Ready(Ok(Some(Incoming::Stream { sender, .. }))) => Poll::Ready(sender),
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
            // The part that would complete the body is not passed on.
            assert!(got.len() < 6 && "012345".starts_with(&got) && !is_complete, "{parts:?}: {got}");
        }
        assert_eq!(passed(0, &["0"]).await, (String::new(), false));
    }
}
