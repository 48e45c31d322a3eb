//! Discards the rest of a request body that was not read to its end, so that the HTTP/1 connection can be used for the
//! next request. hyper would close the connection without having announced it.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::Request;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::EXPECT;
use tokio::time::{Sleep, sleep};

use crate::edge::client::Client;
use crate::edge::client::serving::Unread;

/// How long the rest of a body may take. After that, the connection is closed.
const LONGEST: Duration = Duration::from_secs(2);

/// The body that a connection discards, if there is one. HTTP/1 has one request at a time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Discarded(Rc<RefCell<Option<Rest>>>);

#[derive(Debug)]
struct Rest {
    incoming: Incoming,
    unread: Unread,
    deadline: Pin<Box<Sleep>>,
}

impl Discarded {
    /// Reads on. A connection calls this whenever it is polled.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) {
        let mut discarded = self.0.borrow_mut();
        let Some(rest) = &mut *discarded else { return };
        let end = loop {
            match Pin::new(&mut rest.incoming).poll_frame(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(end) => break end,
                Poll::Pending if rest.deadline.as_mut().poll(cx).is_pending() => return,
                // hyper closes the connection when it notices that the body was dropped.
                Poll::Pending => {
                    *discarded = None;
                    return;
                }
            }
        };
        if end.is_none() {
            rest.unread.discarded();
        }
        *discarded = None;
    }
}

/// A request body that is discarded when it is dropped before its end.
#[derive(Debug)]
pub(crate) struct DiscardedBody {
    /// `None` if there is no body, or if it is over.
    incoming: Option<(Incoming, Unread)>,
    client: Rc<Client>,
    discarded: Discarded,
}

impl DiscardedBody {
    /// Wraps the body of a request, so that it is discarded on this connection if nobody reads it.
    pub(crate) fn wrap(
        request: Request<Incoming>,
        client: &Rc<Client>,
        discarded: &Discarded,
    ) -> Request<Self> {
        let awaits_continue = request.headers().contains_key(EXPECT);
        request.map(|incoming| {
            let has_body = !incoming.is_end_stream();
            let incoming = has_body.then(|| (incoming, Unread::new(client, awaits_continue)));
            Self { incoming, client: client.clone(), discarded: discarded.clone() }
        })
    }
}

impl Body for DiscardedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some((incoming, unread)) = &mut self.incoming else { return Poll::Ready(None) };
        unread.begin();
        let polled = Pin::new(incoming).poll_frame(cx);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.incoming = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(|(incoming, _)| incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), |(incoming, _)| incoming.size_hint())
    }
}

impl Drop for DiscardedBody {
    fn drop(&mut self) {
        if let Some((incoming, unread)) = self.incoming.take()
            && !incoming.is_end_stream()
            // A connection that is announced to end with the response needs no more input.
            && !self.client.is_last()
        {
            let deadline = Box::pin(sleep(LONGEST));
            *self.discarded.0.borrow_mut() = Some(Rest { incoming, unread, deadline });
            self.client.wake();
        }
    }
}
