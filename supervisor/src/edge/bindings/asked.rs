//! The head of a request that a worker makes, checked: a worker is not trusted.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Uri};
use nano_protocol::Fetch;
use nano_protocol::codec::HeaderBlock;

/// A request of a worker, without its body.
#[derive(Debug)]
pub(super) struct AskedRequest {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
}

impl AskedRequest {
    /// Checks what a worker sent.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(super) fn new(fetch: &Fetch<'_>, fields: &HeaderBlock) -> Result<Self, &'static str> {
        let method =
            Method::from_bytes(fetch.method.as_bytes()).map_err(|_| "has a method that is no token")?;
        let uri = Uri::try_from([fetch.origin, fetch.target].concat()).map_err(|_| "has a malformed URL")?;
        let origin = uri.scheme_str().zip(uri.authority()).map(|(scheme, host)| format!("{scheme}://{host}"));
        let is_whole = matches!(uri.scheme_str(), Some("http" | "https"))
            && origin.as_deref() == Some(fetch.origin)
            && fetch.target.starts_with('/');
        if !is_whole {
            return Err("has a malformed URL");
        }
        let mut headers = HeaderMap::new();
        for field in fields.iter().map_err(|_| "has a malformed header")? {
            let (name, value) = field.map_err(|_| "has a malformed header")?;
            let name = HeaderName::from_bytes(name).map_err(|_| "has a malformed header")?;
            let value = HeaderValue::from_bytes(value).map_err(|_| "has a malformed header")?;
            headers.append(name, value);
        }
        Ok(Self { method, uri, headers })
    }

    /// Returns it as a request for a server that knows its own name.
    pub(super) fn into_parts(self) -> Parts {
        let mut request = Request::new(());
        *request.method_mut() = self.method;
        // It has a path, as was checked.
        *request.uri_mut() = self.uri.path_and_query().cloned().map(Uri::from).unwrap_or_default();
        *request.headers_mut() = self.headers;
        request.into_parts().0
    }

    /// Returns the host of its URL, without a port.
    pub(super) fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use nano_protocol::codec::encode_headers;
    use nano_protocol::message::RequestId;

    use super::*;

    fn asked(
        method: &str,
        origin: &str,
        target: &str,
        fields: &[(&[u8], &[u8])],
    ) -> Result<String, &'static str> {
        let mut block = BytesMut::new();
        encode_headers(fields.len(), fields.iter().copied(), &mut block).unwrap();
        let fetch =
            Fetch { binding: "B", request: RequestId(1), depth: 1, method, origin, target, is_call: false };
        let asked = AskedRequest::new(&fetch, &HeaderBlock::new(block.freeze()))?;
        Ok(format!("{} {} {} {}", asked.method, asked.uri, asked.host(), asked.headers.len()))
    }

    #[test]
    fn what_is_no_request_is_refused() {
        assert_eq!(
            asked("GET", "http://a.b:81", "/x?y", &[(b"a", b"1")]),
            Ok("GET http://a.b:81/x?y a.b 1".into())
        );
        for (origin, target) in [
            ("", "/"),
            ("ftp://a", "/"),
            ("http://", "/"),
            ("http://a/a", "/"),
            ("http://a", ""),
            ("http://a", "b"),
        ] {
            assert_eq!(asked("GET", origin, target, &[]), Err("has a malformed URL"), "{origin} {target}");
        }
        assert_eq!(asked("G T", "http://a", "/", &[]), Err("has a method that is no token"));
        for (name, value) in [(&b"a b"[..], &b""[..]), (b"a", b"x\r\ny: z"), (b"", b"")] {
            assert_eq!(asked("GET", "http://a", "/", &[(name, value)]), Err("has a malformed header"));
        }
    }
}
