//! The HTTP client: one pool of connections for everything an app fetches.

use std::error::Error;
use std::io;

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder};
use bytes::Bytes;
use deno_core::futures::TryStreamExt as _;
use deno_error::JsErrorBox;
use deno_fetch::{BodyDecoded, ReqBody, ResBody};
use http_body_util::{BodyDataStream, BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue, RANGE};
use hyper::{HeaderMap, Request, Response, Uri};
use hyper_util::client::legacy::{self, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::io::AsyncRead;
use tokio_util::io::{ReaderStream, StreamReader};

use super::connector::{Connector, Offer};
use super::dial::Dialer;
use super::failure::{Failure, causes, explain, origin};
use super::places::{Use, holding};

/// Idle connections that are kept per host.
const IDLE_CONNECTIONS: usize = 32;

/// Longest header that is accepted over HTTP/2; what browsers take.
const MAX_HEADER: u32 = 256 * 1024;

/// Sends requests.
#[derive(Debug, Clone)]
pub struct Client {
    pool: legacy::Client<Connector, ReqBody>,
}

impl Client {
    /// A client of one app.
    pub fn new(dialer: Dialer) -> Self {
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

    /// Sends a request. The body of the response is decompressed unless the request asks for a range or for no
    /// compression.
    ///
    /// # Errors
    /// Why there is no response.
    pub async fn send(self, mut request: Request<ReqBody>) -> Result<Response<ResBody>, Failure> {
        let uri = request.uri().clone();
        let decodes = accept_compressed(request.headers_mut());
        let again = copy(&request);
        let send = async |request| self.pool.request(request).await;
        let (mut sent, mut held) = holding(request, send).await;
        if let (Err(error), Some(again)) = (&sent, again)
            && may_repeat(again.method().is_idempotent(), error)
        {
            (sent, held) = holding(again, send).await;
        }
        let response = sent.map_err(|error| Failure::of("fetch", &uri, &error))?;
        Ok(if decodes { decode(response, &uri, held) } else { response.map(|body| raw(body, &uri, held)) })
    }
}

/// The same request once more, unless its body is a stream.
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

/// Whether the server cannot have acted on the request, or acting on it twice is as good as once. A kept connection may
/// be closed by the server just when the next request leaves.
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

/// Offers compression if the app does not say what it takes. Returns whether to decompress.
fn accept_compressed(headers: &mut HeaderMap) -> bool {
    if headers.contains_key(RANGE) {
        // A part of compressed bytes cannot be decompressed.
        headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
        return false;
    }
    let accepted = headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("gzip, br"));
    !accepted.as_bytes().eq_ignore_ascii_case(b"identity")
}

fn decode(mut response: Response<Incoming>, uri: &Uri, held: Option<Use>) -> Response<ResBody> {
    let is_empty = response.headers().get(CONTENT_LENGTH).is_some_and(|length| length == "0");
    let coding =
        response.headers().get(CONTENT_ENCODING).map(|coding| coding.as_bytes().to_ascii_lowercase());
    let coding = coding.as_deref().filter(|_| !is_empty).map(<[u8]>::trim_ascii);
    if !matches!(coding, Some(b"gzip" | b"x-gzip" | b"br" | b"deflate")) {
        return response.map(|body| raw(body, uri, held));
    }
    // The header fields stay as they are; this mark tells that they describe what was sent, not what is read.
    response.extensions_mut().insert(BodyDecoded);
    let (parts, body) = response.into_parts();
    let reader = StreamReader::new(BodyDataStream::new(raw(body, uri, held)).map_err(io::Error::other));
    let body = match coding {
        Some(b"br") => decoded(BrotliDecoder::new(reader), uri),
        Some(b"deflate") => decoded(ZlibDecoder::new(reader), uri),
        _ => {
            let mut decoder = GzipDecoder::new(reader);
            decoder.multiple_members(true);
            decoded(decoder, uri)
        }
    };
    Response::from_parts(parts, body)
}

fn decoded(reader: impl AsyncRead + Send + Sync + 'static, uri: &Uri) -> ResBody {
    let origin = origin(uri);
    let stream = ReaderStream::new(reader).map_ok(Frame::data).map_err(move |error| {
        match causes(&error).find_map(|cause| cause.downcast_ref::<JsErrorBox>()) {
            Some(broken) => JsErrorBox::type_error(broken.to_string()),
            None => {
                JsErrorBox::type_error(format!("the response from {origin} cannot be decompressed: {error}"))
            }
        }
    });
    StreamBody::new(stream).boxed()
}

fn raw(body: Incoming, uri: &Uri, held: Option<Use>) -> ResBody {
    let origin = origin(uri);
    body.map_err(move |error| {
        // Held as long as the body is.
        let _ = &held;
        JsErrorBox::type_error(format!("the response from {origin} broke off: {}", explain(&error).1))
    })
    .boxed()
}

/// A body that is there already.
pub fn whole(bytes: Bytes) -> ResBody {
    http_body_util::Full::new(bytes).map_err(|never| match never {}).boxed()
}

#[cfg(test)]
mod tests;
