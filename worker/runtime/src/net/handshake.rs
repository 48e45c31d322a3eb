//! The opening handshake of a WebSocket, as in RFC 6455, section 4.1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use deno_core::convert::ByteString;
use http_body_util::Empty;
use hyper::header::{
    CONNECTION, HOST, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::upgrade::Upgraded;
use hyper::{HeaderMap, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use sha1::{Digest as _, Sha1};
use tokio::time::{Duration, timeout};
use tower_service::Service as _;

use super::connector::Connector;
use super::failure::Failure;

/// Timeout for the server's response to the upgrade request.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection that has been upgraded.
pub(crate) type Io = TokioIo<Upgraded>;

/// Opens a connection and upgrades it to a WebSocket. Returns it with the subprotocol that the server has selected.
///
/// # Errors
/// Fails if the connection cannot be opened or upgraded, with the reason.
pub(crate) async fn handshake(
    mut connector: Connector,
    uri: &Uri,
    protocols: &str,
    headers: &[(ByteString, ByteString)],
) -> Result<(Io, String), Failure> {
    let failed = |error: &(dyn std::error::Error + 'static)| Failure::of("WebSocket", uri, error);
    let refused = |why: String| Failure::because("WebSocket", uri, "EPROTO", &why);
    let key = fastwebsockets::handshake::generate_key();
    let request = upgrade_request(uri, &key, protocols, headers)?;
    let target = uri.to_string().replacen("ws", "http", 1);
    let target = target.parse().map_err(|error| failed(&error))?;
    let stream = connector.call(target).await.map_err(|error| failed(&*error))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(stream).await.map_err(|error| failed(&error))?;
    tokio::spawn(connection.with_upgrades());
    let answer = timeout(HANDSHAKE_TIMEOUT, sender.send_request(request)).await;
    let answer =
        answer.map_err(|_| refused(format!("no answer within {} s", HANDSHAKE_TIMEOUT.as_secs())))?;
    let response = answer.map_err(|error| failed(&error))?;
    let status = response.status();
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(format!("the server answered {status} and did not switch to WebSocket")));
    }
    let protocol =
        check_answer(response.headers(), &key, protocols).map_err(|why| refused(why.to_owned()))?;
    let upgraded = hyper::upgrade::on(response).await.map_err(|error| failed(&error))?;
    Ok((TokioIo::new(upgraded), protocol))
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
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let own = [
        (HOST, host),
        (UPGRADE, "websocket"),
        (CONNECTION, "Upgrade"),
        (SEC_WEBSOCKET_KEY, key),
        (SEC_WEBSOCKET_VERSION, "13"),
        (SEC_WEBSOCKET_PROTOCOL, protocols),
    ];
    for (name, value) in own {
        fields.insert(&name, HeaderValue::from_str(value).map_err(|_| invalid(name.as_str()))?);
    }
    if protocols.is_empty() {
        fields.remove(SEC_WEBSOCKET_PROTOCOL);
    }
    fields.remove(SEC_WEBSOCKET_EXTENSIONS);
    let mut request = Request::new(Empty::new());
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    *request.uri_mut() =
        target.parse().map_err(|_| Failure::invalid(format!("{uri} cannot be requested")))?;
    *request.headers_mut() = fields;
    Ok(request)
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
    if !protocol.is_empty() && !asked.split(", ").any(|offered| offered == protocol) {
        return Err("the server picked a protocol that was not offered");
    }
    Ok(protocol.to_owned())
}
