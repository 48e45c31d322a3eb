//! Serves HTTP/1 connections, with hyper.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};

use super::answering::Answering;
use super::io::{ClientIo, Transport};
use crate::config::ServerSettings;
use crate::edge::crowd::longest_head;
use crate::model::overdue::Overdue;

/// The least buffer that hyper takes.
const LEAST_BUFFER: usize = 8 * 1024;

/// Serves a connection until it ends; returns the reason if we have closed it. When the listener closes, the
/// connection ends with its next response, or by the sweep: hyper's own shutdown would close it at once, while a
/// request may be on its way.
pub(crate) async fn serve<T: Transport>(io: ClientIo<T>, answering: Rc<Answering>) -> Option<Overdue> {
    let client = answering.client.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (answering, answer) = (answering.clone(), answering.answer(request));
        async move {
            let mut response = answer.await;
            if answering.is_closing.get() || answering.client.is_unclear() {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection =
        pin!(builder(&client.crowd().settings()).serve_connection(TokioIo::new(io), service));
    poll_fn(|cx| match client.poll_overdue(cx) {
        Poll::Ready(why) => Poll::Ready(Some(why)),
        // Errors are the client's: it has disconnected, or it does not speak HTTP and was told so.
        Poll::Pending => connection.as_mut().poll(cx).map(|_| None),
    })
    .await
}

fn builder(settings: &ServerSettings) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // Time limits are kept by the sweep, see `crowd`.
        .header_read_timeout(None)
        // Heads up to this size are judged by the proxy; the response to larger ones is replaced in `io`. This also
        // bounds what is buffered of a response for a client that does not read.
        .max_buf_size(longest_head(settings).max(LEAST_BUFFER))
        // Not `pipeline_flush`: with it, hyper buffers without bound for a client that does not read.
        .max_headers(settings.max_headers);
    builder
}
