//! The HTTP client: one connection pool for everything an app fetches.

use std::error::Error;
use std::io;

use deno_error::JsErrorBox;
use deno_fetch::{ReqBody, ResBody};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{ACCEPT_ENCODING, HeaderValue, RANGE};
use hyper::{HeaderMap, Request, Response, Uri};
use hyper_util::client::legacy::{self, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::connector::{Connector, Offer};
use super::dial::Dialer;
use super::failure::{Failure, causes, explain, origin};
use super::places::{Use, holding};

/// Maximum number of idle connections kept per host.
const IDLE_CONNECTIONS: usize = 32;

/// Maximum size of the header accepted over HTTP/2; the same as in browsers.
const MAX_HEADER: u32 = 256 * 1024;

/// An HTTP client with a connection pool.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pool: legacy::Client<Connector, ReqBody>,
}

impl Client {
    /// Creates the client of one app.
    pub(crate) fn new(dialer: Dialer) -> Self {
        Self::over(Connector::new(dialer, Offer::Http2))
    }

    fn over(connector: Connector) -> Self {
        let pool = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .http2_max_header_list_size(MAX_HEADER)
            .build(connector);
        Self { pool }
    }

    /// Sends a request. The body of the response is as the server sent it; the connection that it uses is an extension of the
    /// response.
    ///
    /// # Errors
    /// Fails if there is no response, with the reason.
    pub(crate) async fn send(self, mut request: Request<ReqBody>) -> Result<Response<ResBody>, Failure> {
        let uri = request.uri().clone();
        accept_compressed(request.headers_mut());
        let again = copy(&request);
        let send = async |request| self.pool.request(request).await;
        let (mut sent, mut held) = holding(request, send).await;
        if let (Err(error), Some(again)) = (&sent, again)
            && may_repeat(again.method().is_idempotent(), error)
        {
            (sent, held) = holding(again, send).await;
        }
        let mut response = sent.map_err(|error| Failure::of("fetch", &uri, &error))?;
        if let Some(held) = &held {
            response.extensions_mut().insert(held.line());
        }
        Ok(response.map(|body| raw(body, &uri, held)))
    }
}

/// Copies the request, so that it can be sent again. Returns `None` if its body is a stream.
fn copy(request: &Request<ReqBody>) -> Option<Request<ReqBody>> {
    let body = match request.body() {
        ReqBody::Full(body) => ReqBody::Full(body.clone()),
        ReqBody::Empty(body) => ReqBody::Empty(*body),
        ReqBody::Streaming(_) => return None,
    };
    let mut copy = Request::new(body);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

/// Returns whether a failed request may be sent again: either the server cannot have processed it, or it is idempotent. The
/// server may close an idle connection just when the next request is sent on it.
fn may_repeat(idempotent: bool, error: &ClientError) -> bool {
    if let Some(error) = causes(error).find_map(|cause| cause.downcast_ref::<h2::Error>())
        && error.is_remote()
        && (error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR)
            || error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM))
    {
        return true;
    }
    let cut_off = |cause: &(dyn Error + 'static)| {
        cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message)
            || cause.downcast_ref::<io::Error>().is_some_and(|error| {
                matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
            })
    };
    idempotent && !error.is_connect() && causes(error).any(cut_off)
}

/// Offers compression if the app has not set `Accept-Encoding`.
fn accept_compressed(headers: &mut HeaderMap) {
    // A range of compressed bytes cannot be decompressed.
    let codings = if headers.contains_key(RANGE) { "identity" } else { "gzip, br" };
    headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static(codings));
}

/// Returns the body of a response, for what JavaScript reads it with.
pub(super) fn raw(body: Incoming, uri: &Uri, held: Option<Use>) -> ResBody {
    let origin = origin(uri);
    body.map_err(move |error| {
        // Keeps the connection in use as long as the body exists.
        let _ = &held;
        JsErrorBox::type_error(format!("the response from {origin} broke off: {}", explain(&error).1))
    })
    .boxed()
}

#[cfg(test)]
mod tests;
