//! What of a head crosses: limits, hop-by-hop fields (RFC 9110, 7.6.1), forwarding fields, host.

use std::borrow::Cow;
use std::net::SocketAddr;

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode, Version};
use nano_protocol::ResponseHead;
use nano_protocol::message::RequestId;

use super::answer::Refusal;
use super::body::ResponseBody;
use crate::config::{ForwardedPolicy, ServerSettings};
use crate::record::{Span, TRACEPARENT, TRACESTATE};
use crate::trace_context;

/// Names a request in answers, in what the app sees, and in logs.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Fields that concern one connection only.
fn is_hop_by_hop(name: &HeaderName) -> bool {
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

/// Whether a `Connection` field names `name` as one more hop-by-hop field.
fn is_named_by_connection(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(header::CONNECTION).iter().any(|value| {
        value
            .to_str()
            .is_ok_and(|list| list.split(',').any(|token| token.trim().eq_ignore_ascii_case(name.as_str())))
    })
}

/// Holds the request against the configured sizes.
///
/// # Errors
/// [`Refusal::UriTooLong`], [`Refusal::HeadersTooLarge`].
pub fn check_limits(request: &Parts, settings: &ServerSettings) -> Result<(), Refusal> {
    let target = request.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > settings.max_uri {
        return Err(Refusal::UriTooLong);
    }
    let headers = &request.headers;
    // As on the wire: name, colon, space, value, line end.
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if size > settings.max_header || headers.len() > settings.max_headers {
        return Err(Refusal::HeadersTooLarge);
    }
    Ok(())
}

/// Holds an announced body length against the app's limit, before any of the body is read.
///
/// # Errors
/// [`Refusal::BodyTooLarge`].
pub fn check_length(headers: &HeaderMap, max_body: u64) -> Result<(), Refusal> {
    if length(headers).is_some_and(|length| length > max_body) { Err(Refusal::BodyTooLarge) } else { Ok(()) }
}

/// The body length that the header announces.
pub fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The authority a request is for.
#[derive(Debug)]
pub struct Host<'a>(Cow<'a, str>);

impl Host<'_> {
    /// Host and port, as sent.
    pub fn authority(&self) -> &str {
        &self.0
    }

    /// The host without the port; IPv6 addresses keep their brackets.
    pub fn name(&self) -> &str {
        match self.0.rfind(':') {
            Some(colon) if !self.0[colon..].contains(']') => &self.0[..colon],
            _ => &self.0,
        }
    }
}

/// Finds the authority: from the request target if that is absolute (RFC 9112, 3.2.2), else from `Host`. A request
/// without either is only valid in HTTP/1.0, where the local address stands in.
///
/// # Errors
/// [`Refusal::Malformed`] for a missing, repeated or invalid host.
pub fn host(request: &Parts, local: SocketAddr) -> Result<Host<'_>, Refusal> {
    let mut fields = request.headers.get_all(header::HOST).iter();
    let (field, more) = (fields.next(), fields.next());
    if more.is_some() {
        return Err(Refusal::Malformed);
    }
    let here = || Ok(Host(local.to_string().into()));
    let sent = match (request.uri.authority(), field) {
        (Some(authority), _) => authority.as_str(),
        (None, Some(field)) => field.to_str().map_err(|_| Refusal::Malformed)?,
        (None, None) if request.version <= Version::HTTP_10 => return here(),
        (None, None) => return Err(Refusal::Malformed),
    };
    if sent.is_empty() && request.uri.authority().is_none() {
        return here();
    }
    let is_host_char = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]%!$&'()*+,;=".contains(&byte);
    if sent.is_empty() || !sent.bytes().all(is_host_char) {
        return Err(Refusal::Malformed);
    }
    Ok(Host(sent.into()))
}

/// The fields the supervisor adds on the way to the app.
#[derive(Debug)]
pub struct Forwarding<'a> {
    origin: String,
    client: Cow<'a, str>,
    proto: &'static str,
    host: &'a str,
    id: [u8; 32],
    /// Whether `Host` has to be added (HTTP/2 sends `:authority`) or corrected.
    replace_host: bool,
    policy: ForwardedPolicy,
    /// The span that the app's own are below, if there is one, and whether the client's `tracestate` goes with it.
    trace: Option<([u8; trace_context::LENGTH], bool)>,
}

impl<'a> Forwarding<'a> {
    /// Decides what to add to a request with these `headers`.
    pub fn new(
        headers: &'a HeaderMap,
        host: &'a Host<'a>,
        client: &'a str,
        policy: ForwardedPolicy,
        id: RequestId,
        span: Option<&Span>,
    ) -> Self {
        let trusted = |name: &HeaderName| match policy {
            ForwardedPolicy::Append => headers.get(name).and_then(|value| value.to_str().ok()),
            ForwardedPolicy::Replace => None,
        };
        let proto = match trusted(&X_FORWARDED_PROTO) {
            Some("https") => "https",
            _ => "http",
        };
        let client = match trusted(&X_FORWARDED_FOR) {
            Some(before) => format!("{before}, {client}").into(),
            None => client.into(),
        };
        let sent = headers.get(header::HOST).map(HeaderValue::as_bytes);
        Self {
            origin: [proto, "://", host.authority()].concat(),
            client,
            proto,
            host: trusted(&X_FORWARDED_HOST).unwrap_or(host.authority()),
            id: id.hex(),
            replace_host: sent != Some(host.authority().as_bytes()),
            policy,
            trace: span.map(|span| (span.context.to_bytes(), span.parent.is_some())),
        }
    }

    /// Scheme and authority of the URL that the app sees.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Calls `open` with the number of fields to forward, and with the fields.
    pub fn with<'b, T>(
        &'b self,
        headers: &'b HeaderMap,
        open: impl FnOnce(usize, &mut dyn Iterator<Item = (&'b [u8], &'b [u8])>) -> T,
    ) -> T {
        let has_connection = headers.contains_key(header::CONNECTION);
        let crosses = |name: &HeaderName| {
            let replaced = *name == X_FORWARDED_FOR
                || *name == X_FORWARDED_HOST
                || *name == X_FORWARDED_PROTO
                || *name == X_REQUEST_ID
                || (self.replace_host && *name == header::HOST)
                || *name == header::EXPECT;
            let is_of_trace = self.trace.is_some_and(|(_, keeps_state)| {
                *name == TRACEPARENT || (*name == TRACESTATE && !keeps_state)
            });
            let dropped = self.policy == ForwardedPolicy::Replace && *name == header::FORWARDED;
            let is_named = has_connection && is_named_by_connection(headers, name);
            !(replaced || dropped || is_of_trace || is_named || is_hop_by_hop(name))
        };
        let own = [
            (&b"x-forwarded-for"[..], self.client.as_bytes()),
            (b"x-forwarded-host", self.host.as_bytes()),
            (b"x-forwarded-proto", self.proto.as_bytes()),
            (b"x-request-id", &self.id[..]),
        ];
        let host = self.replace_host.then(|| (&b"host"[..], self.authority().as_bytes()));
        let trace = self.trace.as_ref().map(|(trace, _)| (&b"traceparent"[..], &trace[..]));
        let count = headers.iter().filter(|(name, _)| crosses(name)).count()
            + own.len()
            + usize::from(host.is_some())
            + usize::from(trace.is_some());
        let forwarded = headers
            .iter()
            .filter(|(name, _)| crosses(name))
            .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        open(count, &mut host.into_iter().chain(forwarded).chain(own).chain(trace))
    }

    fn authority(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_, authority)| authority)
    }
}

/// Checks a worker's response head, which is not trusted: status, names, values, content length.
///
/// # Errors
/// What is wrong with it.
pub fn response(head: &ResponseHead) -> Result<Response<ResponseBody>, Cow<'static, str>> {
    let status = StatusCode::from_u16(head.status).ok().filter(|status| status.as_u16() >= 200);
    let status = status.ok_or_else(|| Cow::from(format!("status {}", head.status)))?;
    let mut response = Response::new(ResponseBody::empty());
    *response.status_mut() = status;
    let fields = head.headers.iter().map_err(|error| error.to_string())?;
    let headers = response.headers_mut();
    headers.reserve(fields.remaining() + 2);
    for field in fields {
        let (name, value) = field.map_err(|error| error.to_string())?;
        let name = HeaderName::from_bytes(name).map_err(|_| "header name")?;
        let value = HeaderValue::from_maybe_shared(head.headers.as_bytes().slice_ref(value))
            .map_err(|_| format!("value of header {name}"))?;
        if is_hop_by_hop(&name) || name == X_REQUEST_ID {
            continue;
        }
        if name == header::CONTENT_LENGTH {
            let is_number = !value.is_empty() && value.as_bytes().iter().all(u8::is_ascii_digit);
            if !is_number || headers.contains_key(header::CONTENT_LENGTH) {
                return Err("content-length".into());
            }
        }
        headers.append(name, value);
    }
    Ok(response)
}

/// The request id as a header value.
pub fn request_id_value(id: RequestId) -> HeaderValue {
    let digits = Bytes::copy_from_slice(&id.hex());
    HeaderValue::from_maybe_shared(digits).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

/// The id a trusted proxy in front has given: 32 hexadecimal digits, with or without the dashes of a UUID.
pub fn request_id(headers: &HeaderMap) -> Option<RequestId> {
    let text = headers.get(X_REQUEST_ID)?.to_str().ok()?.replace('-', "");
    (text.len() == 32).then_some(())?;
    u128::from_str_radix(&text, 16).ok().map(RequestId)
}
