//! The header fields that are sent to the app: those of the client that are forwarded, and those in which the supervisor
//! describes the client.

use std::borrow::Cow;

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use nano_protocol::limits;
use nano_protocol::message::RequestId;

use super::headers::{X_REQUEST_ID, is_hop_by_hop, is_named_by_connection};
use super::host::Authority;
use crate::config::MAX_HEADERS;
use crate::edge::client::peer::Peer;
use crate::edge::forwarded_for::{Asker, X_FORWARDED_FOR};
use crate::telemetry::record::{Span, TRACEPARENT, TRACESTATE};
use crate::telemetry::trace_context;

/// The number of fields that are added to every request.
const OWN: usize = 6;
/// The number of fields that are added only to some requests.
const SOMETIMES: usize = 6;

/// The greatest number of fields that a client may send, and those that are added, must fit into the protocol's limit.
const _: () = assert!(MAX_HEADERS + OWN + SOMETIMES <= limits::MAX_HEADERS);

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const CF_CONNECTING_IP: HeaderName = HeaderName::from_static("cf-connecting-ip");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// Fields besides `Forwarded` in which proxies describe the client. Apps on Workers or behind a proxy identify the client by
/// them. They are dropped unless the peer is trusted, since anybody can forge them.
const SAID_BY_PROXIES: [&str; 7] = [
    "x-real-ip",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "x-envoy-external-address",
    "fastly-client-ip",
];

/// Prefixes of further such fields.
const SAID_BY_PROXIES_BELOW: [&str; 3] = ["cf-", "x-forwarded-", "x-amzn-tls-"];

/// The one field with the prefix `cf-` that browsers send: the token of a solved challenge (Turnstile), which an app has verified
/// elsewhere.
const SAID_BY_CLIENTS: &str = "cf-turnstile-response";

/// Returns whether only a trusted proxy may send this field.
fn is_said_by_proxies(name: &HeaderName) -> bool {
    let name = name.as_str();
    // The first letter rules out most names.
    match name.as_bytes().first() {
        Some(b'c' | b'f' | b't' | b'x') => {
            let is_below = SAID_BY_PROXIES_BELOW.iter().any(|below| name.starts_with(below));
            is_below && name != SAID_BY_CLIENTS || name == "forwarded" || SAID_BY_PROXIES.contains(&name)
        }
        _ => false,
    }
}

/// The fields that the supervisor adds to a request or replaces, and what decides which others are forwarded.
#[derive(Debug)]
pub(crate) struct Forwarding<'a> {
    origin: Cow<'a, str>,
    /// Whether an app has made the request. It may say of the client what it likes.
    is_of_app: bool,
    authority: &'a str,
    /// `X-Forwarded-For`: every hop from the client to here.
    hops: Cow<'a, [u8]>,
    /// `Forwarded` (RFC 7239), if a trusted proxy has sent it.
    forwarded: Option<Vec<u8>>,
    /// The client's address.
    client: Cow<'a, str>,
    proto: &'static str,
    host: Cow<'a, [u8]>,
    /// The joined cookie, if the client sent it in several fields.
    cookie: Option<Vec<u8>>,
    id: [u8; 32],
    /// Whether `Host` must be added (HTTP/2 has `:authority`) or replaced.
    replace_host: bool,
    /// Whether the app learns that the request asks for a WebSocket.
    upgrades: bool,
    /// Whether the peer is a trusted proxy.
    is_proxied: bool,
    /// The `traceparent` of the span that is the parent of the app's own, if there is one, and whether the client's `tracestate`
    /// belongs to its trace.
    trace: Option<([u8; trace_context::LENGTH], bool)>,
}

impl<'a> Forwarding<'a> {
    /// Decides what to add to a request with these `headers` from `peer`.
    pub(crate) fn new(
        headers: &'a HeaderMap,
        host: &'a Authority<'a>,
        peer: &'a Peer,
        asker: Asker,
        id: RequestId,
        span: Option<&Span>,
    ) -> Self {
        let said = |name: &HeaderName| if asker.is_proxied { list(headers, name) } else { None };
        let proto = match said(&X_FORWARDED_PROTO) {
            // The first value describes the client's own connection.
            Some(all) if first(&all).eq_ignore_ascii_case(b"https") => "https",
            _ => peer.scheme,
        };
        let hops = match said(&X_FORWARDED_FOR) {
            Some(before) => [&before, &b", "[..], peer.ip.as_bytes()].concat().into(),
            None => peer.ip.as_bytes().into(),
        };
        let client = match asker.address == peer.address.ip().to_canonical() {
            true => peer.ip.as_str().into(),
            false => asker.address.to_string().into(),
        };
        let forwarded = said(&header::FORWARDED).map(|before| {
            [&before, format!(", for={};proto={}", forwarded_node(&peer.ip), peer.scheme).as_bytes()].concat()
        });
        let sent = headers.get(header::HOST).map(HeaderValue::as_bytes);
        Self {
            origin: host.origin(proto).into(),
            is_of_app: false,
            authority: host.authority(),
            hops,
            forwarded,
            client,
            proto,
            host: said(&X_FORWARDED_HOST).unwrap_or_else(|| host.authority().as_bytes().into()),
            cookie: cookie(headers),
            id: id.hex(),
            replace_host: sent != Some(host.authority().as_bytes()),
            upgrades: false,
            is_proxied: asker.is_proxied,
            trace: span.map(|span| (span.context.to_bytes(), span.parent.is_some())),
        }
    }

    /// Adds to a request that an app has made what goes on through all apps: its id and its trace. `origin` is that of its URL.
    pub(crate) fn of_app(origin: &'a str, id: RequestId, span: Option<&Span>) -> Self {
        Self {
            origin: origin.into(),
            is_of_app: true,
            authority: "",
            hops: (&b""[..]).into(),
            forwarded: None,
            client: "".into(),
            proto: "",
            host: (&b""[..]).into(),
            cookie: None,
            id: id.hex(),
            replace_host: false,
            upgrades: false,
            is_proxied: true,
            trace: span.map(|span| (span.context.to_bytes(), span.parent.is_some())),
        }
    }

    /// Lets the app know that the request asks for a WebSocket.
    pub(crate) fn upgrades(&mut self) {
        self.upgrades = true;
    }

    /// Returns scheme and authority of the URL that the app sees, in the form of URLs.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Calls `open` with the number of fields to forward, and with the fields.
    pub(crate) fn with<'b, T>(
        &'b self,
        headers: &'b HeaderMap,
        open: impl FnOnce(usize, &mut dyn Iterator<Item = (&'b [u8], &'b [u8])>) -> T,
    ) -> T {
        let has_connection = headers.contains_key(header::CONNECTION);
        let crosses = |name: &HeaderName| {
            let is_of_client = *name == X_FORWARDED_FOR
                || *name == X_FORWARDED_HOST
                || *name == X_FORWARDED_PROTO
                || *name == CF_CONNECTING_IP
                || *name == X_REAL_IP;
            let is_replaced = (is_of_client && !self.is_of_app)
                || *name == X_REQUEST_ID
                || (self.replace_host && *name == header::HOST)
                || (self.cookie.is_some() && *name == header::COOKIE)
                || (self.forwarded.is_some() && *name == header::FORWARDED)
                || *name == header::EXPECT;
            let is_of_trace = self.trace.is_some_and(|(_, keeps_state)| {
                *name == TRACEPARENT || (*name == TRACESTATE && !keeps_state)
            });
            let is_a_lie = !self.is_proxied && is_said_by_proxies(name);
            // `Host` is forwarded even if `Connection` names it.
            let is_named = has_connection && *name != header::HOST && is_named_by_connection(headers, name);
            !(is_replaced || is_a_lie || is_of_trace || is_named || is_hop_by_hop(name))
        };
        let own: [(&[u8], &[u8]); OWN] = [
            (b"x-forwarded-for", &self.hops[..]),
            (b"x-forwarded-host", &self.host[..]),
            (b"x-forwarded-proto", self.proto.as_bytes()),
            (b"cf-connecting-ip", self.client.as_bytes()),
            (b"x-real-ip", self.client.as_bytes()),
            (b"x-request-id", &self.id[..]),
        ];
        // The last one is the id.
        let own = if self.is_of_app { &own[OWN - 1..] } else { &own[..] };
        let host = self.replace_host.then(|| (&b"host"[..], self.authority.as_bytes()));
        let forwarded = self.forwarded.as_ref().map(|hops| (&b"forwarded"[..], &hops[..]));
        let cookie = self.cookie.as_ref().map(|cookie| (&b"cookie"[..], &cookie[..]));
        let trace = self.trace.as_ref().map(|(trace, _)| (&b"traceparent"[..], &trace[..]));
        let upgrade = |name: &'static [u8], value: &'static [u8]| self.upgrades.then_some((name, value));
        // Apps do not need it, and on Workers there is none.
        let connection = upgrade(b"connection", b"Upgrade").filter(|_| !self.is_of_app);
        let protocol = upgrade(b"upgrade", b"websocket");
        let sometimes: [_; SOMETIMES] = [host, cookie, forwarded, trace, connection, protocol];
        let count = headers.iter().filter(|(name, _)| crosses(name)).count()
            + own.len()
            + sometimes.iter().flatten().count();
        let crossing = headers
            .iter()
            .filter(|(name, _)| crosses(name))
            .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        open(count, &mut sometimes.into_iter().flatten().chain(crossing).chain(own.iter().copied()))
    }
}

/// Returns all values of one field, joined to one list.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Cow<'a, [u8]>> {
    let mut lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let mut all = Cow::from(lines.next()?);
    for line in lines {
        let all = all.to_mut();
        all.extend_from_slice(b", ");
        all.extend_from_slice(line);
    }
    Some(all)
}

fn first(list: &[u8]) -> &[u8] {
    list.split(|byte| *byte == b',').next().unwrap_or_default().trim_ascii()
}

/// Formats an address for `Forwarded` (RFC 7239, 6).
fn forwarded_node(ip: &str) -> Cow<'_, str> {
    if ip.contains(':') { format!("\"[{ip}]\"").into() } else { ip.into() }
}

/// Joins the cookie of a request that has several cookie fields. Returns `None` for a single field. RFC 9113 (8.2.3) asks for
/// this separator in HTTP/2. In the other versions it is the only one with which the result is still a list of cookies.
fn cookie(headers: &HeaderMap) -> Option<Vec<u8>> {
    let mut lines = headers.get_all(header::COOKIE).iter();
    let (first, second) = (lines.next()?, lines.next()?);
    let mut all = first.as_bytes().to_vec();
    for line in std::iter::once(second).chain(lines) {
        all.extend_from_slice(b"; ");
        all.extend_from_slice(line.as_bytes());
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_proxies_may_say_is_known() {
        let is_said = |name: &'static str| is_said_by_proxies(&HeaderName::from_static(name));
        for name in [
            "forwarded",
            "x-forwarded-port",
            "x-real-ip",
            "true-client-ip",
            "cf-ray",
            "cf-ipcountry",
            "cf-visitor",
            "cf-worker",
            "cf-connecting-ipv6",
            "x-amzn-tls-version",
            "fastly-client-ip",
        ] {
            assert!(is_said(name), "{name}");
        }
        for name in [
            "cookie",
            "x-forwarded",
            "x-custom",
            "cf-turnstile-response",
            "content-type",
            "via",
            "from",
            "te",
        ] {
            assert!(!is_said(name), "{name}");
        }
    }
}
