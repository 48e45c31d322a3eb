//! The body of a request as the proxy reads it, whatever its client speaks.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use hyper::body::{Body as _, Frame, Incoming};

use super::windows::Window;

/// The body of a request.
#[derive(Debug)]
pub(crate) enum RequestBody {
    /// A request without a body.
    Empty,
    /// As hyper reads it: hyper holds the client back while nobody asks for more.
    Http1(Incoming),
    /// As h2 reads it: what is read here is given back to the client as window.
    Http2 {
        /// Its frames.
        stream: RecvStream,
        /// How much of that may.
        window: Window,
    },
}

/// The body has not come to its end, or not in a form that is HTTP.
#[derive(Debug, thiserror::Error)]
#[error("the request body was cut off")]
pub(crate) struct Broken;

impl RequestBody {
    /// Whether it is known that nothing more comes.
    pub(crate) fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Http1(body) => body.is_end_stream(),
            Self::Http2 { stream, .. } => stream.is_end_stream(),
        }
    }

    /// The next part of it, or the fields behind it.
    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self {
            Self::Empty => Poll::Ready(None),
            Self::Http1(body) => Pin::new(body).poll_frame(cx).map_err(|_| Broken),
            Self::Http2 { stream, window } => match ready!(stream.poll_data(cx)) {
                Some(Ok(bytes)) => {
                    window.read(bytes.len());
                    let _ = stream.flow_control().release_capacity(bytes.len());
                    Poll::Ready(Some(Ok(Frame::data(bytes))))
                }
                Some(Err(_)) => Poll::Ready(Some(Err(Broken))),
                None => {
                    let trailers = ready!(stream.poll_trailers(cx)).map(|fields| fields.map(Frame::trailers));
                    Poll::Ready(trailers.map_err(|_| Broken).transpose())
                }
            },
        }
    }
}
