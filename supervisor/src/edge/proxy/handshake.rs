//! Which requests ask for a WebSocket, and the head of the answer if the app accepts (RFC 6455, 4.2; for HTTP/2, RFC 8441).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use h2::ext::Protocol;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode, Version};
use sha1::{Digest as _, Sha1};

use super::compression::MessageCompression;
use super::headers::is_named_by_connection;
use crate::model::refusal::Refusal;

/// The only version of the protocol.
const VERSION: &[u8] = b"13";

/// What the answer proves to have been computed with.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The bytes of which a client's key consists.
const KEY: usize = 16;

/// A request that asks for a WebSocket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handshake {
    /// The digest that answers the client's key. None over HTTP/2, where there is no key.
    accept: Option<[u8; 20]>,
    /// How messages are compressed. None if they are not.
    pub compression: Option<MessageCompression>,
}

/// Returns whether an app that has made a request asks for a WebSocket. On Workers, any method may.
pub(crate) fn asks_for_socket(headers: &HeaderMap) -> bool {
    only(headers, &UPGRADE).is_some_and(|asked| asked.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

impl Handshake {
    /// Returns the handshake of a request that asks for a WebSocket. None for one that does not: other protocols, and the field
    /// `Upgrade` of HTTP/1.0 or of a request with another method, are ignored.
    ///
    /// # Errors
    /// [`Refusal::WebSocketVersion`], and [`Refusal::Malformed`] for a key that is none.
    pub(crate) fn of(request: &Parts) -> Result<Option<Self>, Refusal> {
        let headers = &request.headers;
        let check_version = || match only(headers, &SEC_WEBSOCKET_VERSION) {
            Some(version) if version.as_bytes() == VERSION => Ok(()),
            _ => Err(Refusal::WebSocketVersion),
        };
        if request.version == Version::HTTP_2 {
            if request.extensions.get::<Protocol>().is_none() {
                return Ok(None);
            }
            check_version()?;
            return Ok(Some(Self { accept: None, compression: MessageCompression::of(headers) }));
        }
        // Most requests have no such field.
        let Some(asked) = headers.get(UPGRADE) else { return Ok(None) };
        let is_asked = asked
            .as_bytes()
            .split(|byte| *byte == b',')
            .any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"));
        if !is_asked
            || request.version != Version::HTTP_11
            || request.method != Method::GET
            || !is_named_by_connection(headers, &UPGRADE)
        {
            return Ok(None);
        }
        check_version()?;
        let key = only(headers, &SEC_WEBSOCKET_KEY).ok_or(Refusal::Malformed)?.as_bytes();
        match STANDARD.decode(key) {
            Ok(bytes) if bytes.len() == KEY => {}
            _ => return Err(Refusal::Malformed),
        }
        let accept = Sha1::new().chain_update(key).chain_update(GUID).finalize().into();
        Ok(Some(Self { accept: Some(accept), compression: MessageCompression::of(headers) }))
    }

    /// Makes the head of an app's answer that of the answer to the client.
    pub(crate) fn answer<B>(self, response: &mut Response<B>) {
        let headers = response.headers_mut();
        // There is no body, and extensions are between the supervisor and the client.
        headers.remove(CONTENT_LENGTH);
        headers.remove(SEC_WEBSOCKET_EXTENSIONS);
        if let Some(agreed) = self.compression {
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, agreed.answer());
        }
        let Some(accept) = self.accept else {
            *response.status_mut() = StatusCode::OK;
            return;
        };
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        let accept = HeaderValue::from_maybe_shared(STANDARD.encode(accept).into_bytes());
        if let Ok(accept) = accept {
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        }
    }
}

/// Returns the value of a field that a request has once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn asked(method: &str, version: Version, fields: &[(&str, &str)]) -> Result<Option<Handshake>, Refusal> {
        let request = Request::builder().method(method).version(version);
        let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Handshake::of(&request.body(()).unwrap().into_parts().0)
    }

    const FIELDS: [(&str, &str); 4] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    #[test]
    fn the_answer_is_that_of_the_standard() {
        let handshake = asked("GET", Version::HTTP_11, &FIELDS).unwrap().unwrap();
        let mut response = Response::new(());
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("5"));
        handshake.answer(&mut response);
        let headers = response.headers();
        assert_eq!(headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!((&headers["connection"], headers.len()), (&HeaderValue::from_static("Upgrade"), 3));
    }

    #[test]
    fn over_http_2_the_answer_has_neither_a_key_nor_a_status_of_its_own() {
        let request = |version: &str| {
            let request =
                Request::builder().version(Version::HTTP_2).header("sec-websocket-version", version);
            request.extension(Protocol::from_static("websocket")).body(()).unwrap().into_parts().0
        };
        let mut response = Response::builder().status(101).body(()).unwrap();
        Handshake::of(&request("13")).unwrap().unwrap().answer(&mut response);
        assert_eq!((response.status(), response.headers().len()), (StatusCode::OK, 0));
        assert_eq!(Handshake::of(&request("8")).unwrap_err(), Refusal::WebSocketVersion);
        assert!(matches!(asked("GET", Version::HTTP_2, &FIELDS), Ok(None)));
    }

    #[test]
    fn only_some_requests_ask() {
        let with = |number: usize, value: &'static str| {
            let mut fields = FIELDS;
            fields[number].1 = value;
            fields
        };
        for (method, version, fields) in [
            ("POST", Version::HTTP_11, FIELDS),
            ("GET", Version::HTTP_10, FIELDS),
            ("GET", Version::HTTP_11, with(0, "keep-alive")),
            ("GET", Version::HTTP_11, with(1, "h2c")),
        ] {
            assert!(matches!(asked(method, version, &fields), Ok(None)), "{method} {version:?} {fields:?}");
        }
        let refused = |fields: &[(&str, &str)]| asked("GET", Version::HTTP_11, fields).unwrap_err();
        assert_eq!(refused(&with(2, "8")), Refusal::WebSocketVersion);
        assert_eq!(refused(&FIELDS[..2]), Refusal::WebSocketVersion);
        assert_eq!(refused(&FIELDS[..3]), Refusal::Malformed);
        assert_eq!(refused(&with(3, "short")), Refusal::Malformed);
        assert_eq!(refused(&[&FIELDS[..], &FIELDS[3..]].concat()), Refusal::Malformed);
        assert!(asked("GET", Version::HTTP_11, &with(1, "h2c, websocket")).unwrap().is_some());
    }
}
