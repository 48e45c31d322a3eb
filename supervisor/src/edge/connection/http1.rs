//! Serves HTTP/1 connections with hyper.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};

use super::answering::Answering;
use super::discard::{Discarded, DiscardedBody};
use super::io::{ClientIo, Transport};
use super::websocket::carry;
use crate::config::ServerSettings;
use crate::edge::admission::longest_head;
use crate::edge::closing::Closing;
use crate::model::overdue::Overdue;

/// The smallest buffer that hyper accepts.
const LEAST_BUFFER: usize = 8 * 1024;

/// Serves a connection until it ends, and the WebSocket that it may become. Returns the reason if we have closed it. When the listener closes, the connection
/// ends with its next response, or is closed by the sweep. hyper's own shutdown would close it at once, although a
/// request may already be on its way.
pub(crate) async fn serve<T: Transport>(
    io: ClientIo<T>,
    answering: Rc<Answering>,
    closing: &mut Closing,
) -> Option<Overdue> {
    let client = answering.client.clone();
    let discarded = Discarded::default();
    let to_discard = discarded.clone();
    let opened = Rc::new(RefCell::new(None));
    let to_open = opened.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let request = DiscardedBody::wrap(request, &answering.client, &to_discard);
        let (client, to_open) = (answering.client.clone(), to_open.clone());
        answering.answer(request, move |mut response| {
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                to_open.replace(response.body_mut().take_socket());
            } else if client.is_last() {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        })
    });
    let mut connection = builder(&client.admission().settings()).serve_connection(TokioIo::new(io), service);
    let overdue = poll_fn(|cx| match client.poll_overdue(cx) {
        Poll::Ready(why) => Poll::Ready(Some(why)),
        // Errors are the client's: it has disconnected, or it does not speak HTTP and was told so.
        Poll::Pending => {
            discarded.poll(cx);
            Pin::new(&mut connection).poll(cx).map(|_| None)
        }
    })
    .await;
    match opened.take() {
        // hyper has written the head of the answer, and reads no further.
        Some(opened) if overdue.is_none() => {
            let parts = connection.into_parts();
            carry::carry(parts.io.into_inner(), parts.read_buf, opened, &client, closing).await.0
        }
        _ => overdue,
    }
}

fn builder(settings: &ServerSettings) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // The sweep in `admission` enforces the time limits.
        .header_read_timeout(None)
        // The proxy checks heads up to this size. For larger ones, `io` replaces hyper's response. The size also limits
        // what is buffered of a response for a client that does not read.
        .max_buf_size(longest_head(settings).max(LEAST_BUFFER))
        // `pipeline_flush` stays off: with it, hyper buffers without limit for a client that does not read.
        .max_headers(settings.max_headers);
    builder
}
