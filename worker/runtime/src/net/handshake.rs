//! The opening handshake of a WebSocket, as in RFC 6455, section 4.1: of `new WebSocket()`, and of a `fetch` that asks a server
//! for one.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use deno_core::convert::ByteString;
use deno_fetch::{ReqBody, ResBody};
use http_body_util::Empty;
use hyper::body::{Body, Incoming};
use hyper::header::{
    CONNECTION, HOST, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{HeaderMap, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Duration, timeout};
use tower_service::Service as _;

use super::client::raw;
use super::connector::Connector;
use super::failure::Failure;
use super::places::{Line, line_of};

/// Timeout for the server's response to the upgrade request.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// What the frames of a WebSocket go over: a connection that has been upgraded, or a stream of the supervisor.
pub(crate) type Io = Box<dyn SocketIo>;

/// What can carry frames.
pub(crate) trait SocketIo: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> SocketIo for T {}

/// A response, and the WebSocket that it begins, if it does.
pub(crate) type Answer = (Response<ResBody>, Option<Io>);

/// Opens a connection and upgrades it to a WebSocket. Returns it with the subprotocol that the server has selected.
///
/// # Errors
/// Fails if the connection cannot be opened or upgraded, with the reason.
pub(crate) async fn handshake(
    connector: Connector,
    uri: &Uri,
    protocols: &str,
    headers: &[(ByteString, ByteString)],
) -> Result<(Io, String), Failure> {
    let failed = |error: &(dyn std::error::Error + 'static)| Failure::of("WebSocket", uri, error);
    let refused = |why: String| Failure::because("WebSocket", uri, "EPROTO", &why);
    let key = fastwebsockets::handshake::generate_key();
    let request = upgrade_request(uri, &key, protocols, headers)?;
    let (response, _) = exchange(connector, "WebSocket", uri, request).await?;
    let status = response.status();
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(format!("the server answered {status} and did not switch to WebSocket")));
    }
    let protocol =
        check_answer(response.headers(), &key, protocols).map_err(|why| refused(why.to_owned()))?;
    let upgraded = hyper::upgrade::on(response).await.map_err(|error| failed(&error))?;
    Ok((Box::new(TokioIo::new(upgraded)), protocol))
}

/// Returns whether a fetch asks for a WebSocket: of a server with the method GET, and of another app without a body.
pub(crate) fn asks_for_socket(fields: &HeaderMap) -> bool {
    let asked = fields.get(UPGRADE).map(HeaderValue::as_bytes);
    asked.is_some_and(|asked| asked.eq_ignore_ascii_case(b"websocket"))
}

/// Sends a fetch that asks a server for a WebSocket, over a connection of its own.
///
/// # Errors
/// Fails if there is no response, or if it is not that of a server of WebSockets, with the reason.
pub(crate) async fn fetch_socket(
    connector: Connector,
    mut request: Request<ReqBody>,
) -> Result<Answer, Failure> {
    let uri = request.uri().clone();
    let key = fastwebsockets::handshake::generate_key();
    let fields = request.headers_mut();
    let protocols = fields.get(SEC_WEBSOCKET_PROTOCOL).and_then(|value| value.to_str().ok());
    let protocols = protocols.unwrap_or_default().to_owned();
    let host = uri.authority().map_or("", |authority| authority.as_str());
    set_fields(fields, host, &key)?;
    *request.uri_mut() = origin_form(&uri)?;
    let (mut response, line) = exchange(connector, "fetch", &uri, request).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        check_answer(response.headers(), &key, &protocols)
            .map_err(|why| Failure::because("fetch", &uri, "EPROTO", why))?;
        let upgraded = hyper::upgrade::on(&mut response).await;
        let upgraded =
            upgraded.map_err(|error| Failure::invalid(format!("the connection failed: {error}")))?;
        return Ok((response.map(|body| raw(body, &uri, None)), Some(Box::new(TokioIo::new(upgraded)))));
    }
    // The response of a server that refuses is one like others: if nobody reads it, it makes room for other connections.
    let held = line.map(|line| line.hold());
    if let Some(held) = &held {
        response.extensions_mut().insert(held.line());
    }
    Ok((response.map(|body| raw(body, &uri, held)), None))
}

/// Sends a request over a connection of its own, which may be upgraded. Returns the connection with the response.
async fn exchange<B>(
    mut connector: Connector,
    what: &str,
    uri: &Uri,
    request: Request<B>,
) -> Result<(Response<Incoming>, Option<Arc<Line>>), Failure>
where
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let failed = |error: &(dyn std::error::Error + 'static)| Failure::of(what, uri, error);
    let target = match uri.scheme_str() {
        Some("ws" | "wss") => {
            uri.to_string().replacen("ws", "http", 1).parse().map_err(|error| failed(&error))?
        }
        _ => uri.clone(),
    };
    let stream = connector.call(target).await.map_err(|error| failed(&*error))?;
    let line = line_of(&stream);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(stream).await.map_err(|error| failed(&error))?;
    tokio::spawn(connection.with_upgrades());
    let answer = timeout(HANDSHAKE_TIMEOUT, sender.send_request(request)).await;
    let late = |_| format!("no answer within {} s", HANDSHAKE_TIMEOUT.as_secs());
    let answer = answer.map_err(|error| Failure::because(what, uri, "EPROTO", &late(error)))?;
    Ok((answer.map_err(|error| failed(&error))?, line))
}

fn upgrade_request(
    uri: &Uri,
    key: &str,
    protocols: &str,
    headers: &[(ByteString, ByteString)],
) -> Result<Request<Empty<Bytes>>, Failure> {
    let invalid = |name: &str| Failure::invalid(format!("header field {name:?} cannot be sent"));
    let mut fields = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name).map_err(|_| invalid(&String::from_utf8_lossy(name)))?;
        fields.append(&name, HeaderValue::from_bytes(value).map_err(|_| invalid(name.as_str()))?);
    }
    set_fields(&mut fields, uri.authority().map_or("", |authority| authority.as_str()), key)?;
    fields.remove(SEC_WEBSOCKET_PROTOCOL);
    if !protocols.is_empty() {
        let protocols = HeaderValue::from_str(protocols).map_err(|_| invalid("sec-websocket-protocol"))?;
        fields.insert(SEC_WEBSOCKET_PROTOCOL, protocols);
    }
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = origin_form(uri)?;
    *request.headers_mut() = fields;
    Ok(request)
}

/// Sets the fields by which a request asks for a WebSocket.
fn set_fields(fields: &mut HeaderMap, host: &str, key: &str) -> Result<(), Failure> {
    let own = [
        (HOST, host),
        (UPGRADE, "websocket"),
        (CONNECTION, "Upgrade"),
        (SEC_WEBSOCKET_KEY, key),
        (SEC_WEBSOCKET_VERSION, "13"),
    ];
    for (name, value) in own {
        let invalid = |_| Failure::invalid(format!("header field {:?} cannot be sent", name.as_str()));
        fields.insert(&name, HeaderValue::from_str(value).map_err(invalid)?);
    }
    fields.remove(SEC_WEBSOCKET_EXTENSIONS);
    Ok(())
}

/// Returns the target of a request for this URL.
fn origin_form(uri: &Uri) -> Result<Uri, Failure> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    target.parse().map_err(|_| Failure::invalid(format!("{uri} cannot be requested")))
}

/// Checks that the response completes the upgrade. Returns the subprotocol that the server has selected.
fn check_answer(headers: &HeaderMap, key: &str, asked: &str) -> Result<String, &'static str> {
    let value = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let has = |name, token: &str| value(name).split(',').any(|item| item.trim().eq_ignore_ascii_case(token));
    if !has(UPGRADE, "websocket") || !has(CONNECTION, "upgrade") {
        return Err("the server's answer does not switch to WebSocket");
    }
    let digest =
        Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    if value(SEC_WEBSOCKET_ACCEPT) != STANDARD.encode(digest) {
        return Err("the server's Sec-WebSocket-Accept does not fit the key");
    }
    if headers.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
        return Err("the server uses extensions that were not asked for");
    }
    let protocol = value(SEC_WEBSOCKET_PROTOCOL);
    if !protocol.is_empty() && !asked.split(',').any(|offered| offered.trim() == protocol) {
        return Err("the server picked a protocol that was not offered");
    }
    Ok(protocol.to_owned())
}
