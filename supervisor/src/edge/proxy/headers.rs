//! Checks of request and response heads: limits, framing, target, hop-by-hop fields (RFC 9110, 7.6.1).

use bytes::Bytes;
use hyper::ext::ReasonPhrase;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use nano_protocol::message::{REASON, RequestId};
use nano_protocol::{ProtocolError, ResponseHead};

use super::body::ResponseBody;
use crate::config::ServerSettings;
use crate::model::refusal::Refusal;

/// Identifies a request in responses, for the app, and in logs.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Returns whether a field concerns one connection only.
pub(crate) fn is_hop_by_hop(name: &HeaderName) -> bool {
    *name == header::CONNECTION
        || *name == header::TRANSFER_ENCODING
        || *name == header::UPGRADE
        || *name == header::TE
        || *name == header::TRAILER
        || *name == header::PROXY_AUTHENTICATE
        || *name == header::PROXY_AUTHORIZATION
        || *name == KEEP_ALIVE
        || *name == PROXY_CONNECTION
}

/// Returns whether a `Connection` field declares `name` a hop-by-hop field.
pub(crate) fn is_named_by_connection(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(header::CONNECTION).iter().any(|value| {
        value
            .to_str()
            .is_ok_and(|list| list.split(',').any(|token| token.trim().eq_ignore_ascii_case(name.as_str())))
    })
}

/// Checks the sizes of a request head against the configured limits. HTTP/2 may split a cookie into several fields, which count
/// as one.
///
/// # Errors
/// [`Refusal::UriTooLong`], [`Refusal::HeadersTooLarge`].
pub(crate) fn check_limits(request: &Parts, settings: &ServerSettings) -> Result<(), Refusal> {
    let target = request.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > settings.max_uri {
        return Err(Refusal::UriTooLong);
    }
    let headers = &request.headers;
    let (mut size, mut cookies) = (0, 0);
    for (name, value) in headers {
        cookies += usize::from(*name == header::COOKIE);
        // The size on the wire: name, colon, space, value, line end. A further piece of a cookie has a separator instead of a
        // name.
        size +=
            value.len() + if *name == header::COOKIE && cookies > 1 { 2 } else { name.as_str().len() + 4 };
    }
    let count = headers.len() - cookies.saturating_sub(1);
    if size > settings.max_header || count > settings.max_headers {
        return Err(Refusal::HeadersTooLarge);
    }
    Ok(())
}

/// Returns path and query, as sent. An asterisk becomes `/`: it asks about the server as a whole, whose URL has no path (RFC
/// 9112, 3.3).
///
/// # Errors
/// [`Refusal::Malformed`] for a target that only CONNECT or OPTIONS may have, and for a scheme other than `http` and `https`.
pub(crate) fn target(request: &Parts) -> Result<&str, Refusal> {
    let target = request.uri.path_and_query().ok_or(Refusal::Malformed)?.as_str();
    let is_http = matches!(request.uri.scheme_str(), None | Some("http" | "https"));
    match target {
        "*" if request.method == Method::OPTIONS => Ok("/"),
        _ if is_http && target.starts_with(['/', '?']) => Ok(target),
        _ => Err(Refusal::Malformed),
    }
}

/// Returns whether a body has the transfer coding `chunked`. Different servers read other codings, or several of them, in
/// different ways, and none forwards them in a form that its app could read (RFC 9112, 6.1).
///
/// # Errors
/// [`Refusal::Malformed`] for any other transfer coding than a single `chunked`.
pub(crate) fn is_chunked(headers: &HeaderMap) -> Result<bool, Refusal> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(false),
        (Some(only), None) if only.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(true),
        _ => Err(Refusal::Malformed),
    }
}

/// Checks the announced length of a body against the app's limit, before any of the body is read.
///
/// # Errors
/// [`Refusal::BodyTooLarge`].
pub(crate) fn check_length(headers: &HeaderMap, max_body: u64) -> Result<(), Refusal> {
    if length(headers).is_some_and(|length| length > max_body) { Err(Refusal::BodyTooLarge) } else { Ok(()) }
}

/// Returns the length of the body that `Content-Length` announces.
pub(crate) fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Why a worker's response cannot be sent as HTTP.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidResponse {
    #[error("status {0}")]
    Status(u16),
    #[error(transparent)]
    Encoding(#[from] ProtocolError),
    #[error("reason phrase")]
    Reason,
    #[error("header name")]
    Name,
    #[error("value of header {0}")]
    Value(HeaderName),
    #[error("content-length")]
    Length,
    #[error("content-length is not the length of the body")]
    OtherLength,
}

/// Checks a worker's response head, which is not trusted: status, reason phrase, names, values, content length.
///
/// # Errors
/// The first [`InvalidResponse`] that is found.
pub(crate) fn response(head: &ResponseHead) -> Result<Response<ResponseBody>, InvalidResponse> {
    let status = StatusCode::from_u16(head.status).ok().filter(|status| status.as_u16() >= 200);
    with_status(head, status.ok_or(InvalidResponse::Status(head.status))?)
}

/// Checks the head with which a worker accepts a WebSocket, as [`response`] does.
///
/// # Errors
/// The first [`InvalidResponse`] that is found.
pub(crate) fn switching(head: &ResponseHead) -> Result<Response<ResponseBody>, InvalidResponse> {
    with_status(head, StatusCode::SWITCHING_PROTOCOLS)
}

fn with_status(head: &ResponseHead, status: StatusCode) -> Result<Response<ResponseBody>, InvalidResponse> {
    let mut response = Response::new(ResponseBody::empty());
    *response.status_mut() = status;
    let fields = head.headers.iter()?;
    let (mut reason, mut connection) = (None, Vec::new());
    let headers = response.headers_mut();
    headers.reserve(fields.remaining() + 2);
    for field in fields {
        let (name, value) = field?;
        if name == REASON {
            let text = head.headers.as_bytes().slice_ref(value);
            reason = Some(ReasonPhrase::try_from(text).map_err(|_| InvalidResponse::Reason)?);
            continue;
        }
        let name = HeaderName::from_bytes(name).map_err(|_| InvalidResponse::Name)?;
        let value = HeaderValue::from_maybe_shared(head.headers.as_bytes().slice_ref(value))
            .map_err(|_| InvalidResponse::Value(name.clone()))?;
        if is_hop_by_hop(&name) || name == X_REQUEST_ID {
            if name == header::CONNECTION {
                connection.push(value);
            }
            continue;
        }
        if name == header::CONTENT_LENGTH {
            let is_number = !value.is_empty() && value.as_bytes().iter().all(u8::is_ascii_digit);
            if !is_number || headers.contains_key(header::CONTENT_LENGTH) {
                return Err(InvalidResponse::Length);
            }
        }
        headers.append(name, value);
    }
    // The app may pass on a response from an upstream of its own. The fields that `Connection` names there concern that
    // connection, and are removed. The length stays, because it is that of the body that is sent here.
    for value in &connection {
        for name in value.to_str().unwrap_or_default().split(',').map(str::trim) {
            if !name.eq_ignore_ascii_case(header::CONTENT_LENGTH.as_str()) {
                headers.remove(name);
            }
        }
    }
    // For a status without a standard reason phrase, hyper would send a text of its own.
    let reason =
        reason.or_else(|| status.canonical_reason().is_none().then(|| ReasonPhrase::from_static(b"")));
    if let Some(reason) = reason {
        response.extensions_mut().insert(reason);
    }
    Ok(response)
}

pub(crate) fn request_id_value(id: RequestId) -> HeaderValue {
    let digits = Bytes::copy_from_slice(&id.hex());
    HeaderValue::from_maybe_shared(digits).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

/// Returns the id that a trusted proxy in front has set: 32 hexadecimal digits, with or without the dashes of a UUID.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<RequestId> {
    let text = headers.get(X_REQUEST_ID)?.to_str().ok()?.replace('-', "");
    (text.len() == 32).then_some(())?;
    u128::from_str_radix(&text, 16).ok().map(RequestId)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use hyper::ext::ReasonPhrase;
    use nano_protocol::codec::{HeaderBlock, encode_headers};

    use super::{InvalidResponse, REASON, ResponseHead, response};

    fn head(fields: &[(&[u8], &[u8])]) -> ResponseHead {
        let mut block = BytesMut::new();
        encode_headers(fields.len(), fields.iter().copied(), &mut block).unwrap();
        ResponseHead { status: 299, headers: HeaderBlock::new(block.freeze()), end: true }
    }

    #[test]
    fn the_text_of_a_status_is_passed_on_if_it_can_stand_in_a_status_line() {
        let passed = response(&head(&[(REASON, b"Fine Indeed"), (b"x-own", b"1")])).unwrap();
        let reason = passed.extensions().get::<ReasonPhrase>().unwrap();
        assert_eq!((reason.as_bytes(), passed.headers().len()), (&b"Fine Indeed"[..], 1));
        let passed = response(&head(&[])).unwrap();
        assert_eq!(passed.extensions().get::<ReasonPhrase>().unwrap().as_bytes(), b"");
        for text in [&b"a\r\nx-own: 1"[..], b"\n", b"\0", b"\x7f"] {
            let invalid = response(&head(&[(REASON, text)])).unwrap_err();
            assert!(matches!(invalid, InvalidResponse::Reason), "{text:?}: {invalid}");
        }
        // No other name that begins with a colon is accepted.
        let invalid = response(&head(&[(b":status", b"200")])).unwrap_err();
        assert!(matches!(invalid, InvalidResponse::Name), "{invalid}");
    }
}
