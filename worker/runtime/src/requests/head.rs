//! The head of a request: everything known about it except its body.

use bytes::Bytes;
use deno_error::JsErrorBox;
use nano_protocol::limits::MAX_LOG_PATH;
use nano_protocol::message::{RequestId, RequestLine, RequestName};
use nano_protocol::{ProtocolError, head};

/// Maximum number of bytes remembered of method and path together.
const REMEMBERED: usize = 124;

/// Suffix of a path that is remembered only in part. It cannot be part of a path, because paths contain no spaces.
const CUT: &str = " ...";

/// The method, path and depth of a request, truncated so that they can be remembered for many requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Called {
    /// Length of the method, in bytes of `text`.
    method: u8,
    /// Length of method and path together; the path follows the method directly.
    length: u8,
    is_cut: bool,
    /// How many fetches of apps lead from the request of a client to it.
    pub(super) depth: u8,
    /// Whether the head names an entrypoint.
    pub(super) is_addressed: bool,
    text: [u8; REMEMBERED],
}

impl Called {
    /// Placeholder for slots that no request has used yet.
    pub(crate) const NONE: Self =
        Self { method: 0, length: 0, is_cut: false, depth: 0, is_addressed: false, text: [0; REMEMBERED] };

    fn of(line: &RequestLine<'_>) -> Self {
        let (method, path) = (line.method, path(line));
        let mut called = Self::NONE;
        let method = &method.as_bytes()[..method.len().min(REMEMBERED)];
        let path_length = path.floor_char_boundary(REMEMBERED - method.len());
        let length = method.len() + path_length;
        called.text[..method.len()].copy_from_slice(method);
        called.text[method.len()..length].copy_from_slice(&path.as_bytes()[..path_length]);
        called.is_cut = path_length < path.len();
        called.depth = line.depth;
        called.is_addressed = line.entrypoint.is_some();
        // Neither exceeds `REMEMBERED`, so both fit in a `u8`.
        (called.method, called.length) = (method.len() as u8, length as u8);
        called
    }

    /// Returns method and path in the form shown to people.
    pub(crate) fn name(&self) -> RequestName {
        let (method, path) = self.text[..usize::from(self.length)].split_at(usize::from(self.method));
        let mut path = String::from_utf8_lossy(path).into_owned();
        if self.is_cut {
            path.push_str(CUT);
        }
        RequestName { method: String::from_utf8_lossy(method).into_owned(), path }
    }
}

/// Returns the path without the query, which may contain secrets.
fn path<'a>(line: &RequestLine<'a>) -> &'a str {
    line.target.split('?').next().unwrap_or_default()
}

/// The encoded head, as received from the supervisor.
#[derive(Debug, Clone)]
pub(crate) struct RequestHead(Bytes);

impl RequestHead {
    /// Wraps the bytes that the connection delivered. Also returns what names the request in logs.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] if they do not decode.
    pub(crate) fn new(head: Bytes) -> Result<(RequestId, Called, Self), ProtocolError> {
        let line = head::split_request_head(&head)?.0;
        let (id, called) = (line.id, Called::of(&line));
        Ok((id, called, Self(head)))
    }

    /// Decodes the request line. This is cheap, because the result borrows.
    pub(crate) fn line(&self) -> Result<RequestLine<'_>, JsErrorBox> {
        Ok(head::split_request_head(&self.0).map_err(broken)?.0)
    }

    /// Calls `each` with the name and value of every header field, in order.
    pub(crate) fn headers(&self, mut each: impl FnMut(&[u8], &[u8])) -> Result<(), JsErrorBox> {
        let (_, block) = head::split_request_head(&self.0).map_err(broken)?;
        for field in block.iter().map_err(broken)? {
            let (name, value) = field.map_err(broken)?;
            each(name, value);
        }
        Ok(())
    }

    /// Returns method and path in the form shown to people.
    pub(crate) fn called(&self) -> Option<RequestName> {
        let line = self.line().ok()?;
        let cut = |text: &str| text[..text.floor_char_boundary(MAX_LOG_PATH)].to_owned();
        Some(RequestName { method: cut(line.method), path: cut(path(&line)) })
    }
}

fn broken(error: ProtocolError) -> JsErrorBox {
    JsErrorBox::generic(error.to_string())
}
