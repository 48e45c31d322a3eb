//! The response body as hyper polls it.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{HeaderName, HeaderValue};
use nano_protocol::codec::HeaderBlock;
use nano_protocol::{Chunk, Receiver};

use super::recorded::Recorded;
use super::response_limit::ResponseLimit;
use crate::client::Serving;
use crate::traffic::Counts;
use crate::upstream::{Place, Upstream};

/// A response body, and what ends with it.
#[derive(Debug)]
pub struct ResponseBody {
    content: Content,
    /// The stream has failed, and hyper is told so next.
    is_failing: bool,
    limit: Option<Box<ResponseLimit>>,
    /// Given back when the body is complete or the client has gone.
    tail: Option<Tail>,
}

#[derive(Debug)]
enum Content {
    Empty,
    Full(Chunk),
    Stream(Receiver),
    /// It is longer than it may be.
    Failed,
}

/// What ends with the response.
#[derive(Debug)]
pub struct Tail {
    /// The request's place among those in flight.
    pub _place: Option<Place>,
    /// The app that answers, once it is known.
    pub upstream: Option<Rc<Upstream>>,
    /// The connection is busy with it.
    pub _serving: Serving,
    /// What is remembered of the request, if anything is.
    pub record: Recorded,
}

/// The worker ended, or its stream failed, in the middle of the body: hyper must cut the connection, so that nobody
/// takes what has come for the whole.
#[derive(Debug, thiserror::Error)]
#[error("the response was cut off")]
pub struct CutOff;

impl ResponseBody {
    fn new(content: Content) -> Self {
        Self { content, is_failing: false, limit: None, tail: None }
    }

    /// No body.
    pub fn empty() -> Self {
        Self::new(Content::Empty)
    }

    /// These bytes.
    pub fn full(bytes: Bytes) -> Self {
        Self::new(Content::Full(bytes.into()))
    }

    /// The body of a worker's response. If all of it is here, hyper need not be told of a stream.
    pub fn from_worker(receiver: Receiver) -> Self {
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
    pub fn limit(&mut self, limit: ResponseLimit) {
        if matches!(self.content, Content::Stream(_)) {
            self.limit = Some(Box::new(limit));
        }
    }

    /// Ties what ends with the response to its body.
    pub fn attach(&mut self, tail: Tail) {
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

    fn cut_off(&mut self) {
        let Some(tail) = &mut self.tail else { return };
        if let Some(upstream) = &tail.upstream {
            upstream.count(Counts::cut_off);
        }
        if let Some(record) = tail.record.get() {
            record.cut_off = true;
        }
    }
}

impl Body for ResponseBody {
    type Data = Chunk;
    type Error = CutOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Chunk>, CutOff>>> {
        let this = &mut *self;
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
                        this.cut_off();
                        this.content = Content::Failed;
                        // As below: first a turn to write.
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    this.count(chunk.len());
                    return Poll::Ready(Some(Ok(Frame::data(chunk))));
                }
                Poll::Ready(Some(Err(_))) if !this.is_failing => {
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

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Empty => true,
            Content::Failed => false,
            Content::Full(bytes) => bytes.is_empty(),
            Content::Stream(receiver) => receiver.is_done() && receiver.trailers().as_bytes().is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Empty => SizeHint::with_exact(0),
            Content::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Stream(_) | Content::Failed => SizeHint::default(),
        }
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
