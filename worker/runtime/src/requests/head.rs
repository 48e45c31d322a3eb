//! The head of a request: what there is to know of it beside its body.

use bytes::Bytes;
use deno_error::JsErrorBox;
use nano_protocol::limits::MAX_LOG_PATH;
use nano_protocol::message::{RequestId, RequestLine, RequestName};
use nano_protocol::{ProtocolError, head};

/// Most bytes of what is remembered of method and path together.
const REMEMBERED: usize = 124;

/// At the end of a path that is remembered in part; none has a blank by itself.
const CUT: &str = " ...";

/// What people call a request, short enough to be remembered of many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Called {
    /// How many bytes of `text` are the method.
    method: u8,
    /// How many are method and path, which follow each other.
    length: u8,
    is_cut: bool,
    text: [u8; REMEMBERED],
}

impl Called {
    /// Fills places that no request has had yet.
    pub(crate) const NONE: Self = Self { method: 0, length: 0, is_cut: false, text: [0; REMEMBERED] };

    fn of(line: &RequestLine<'_>) -> Self {
        let (method, path) = (line.method, path(line));
        let mut called = Self::NONE;
        let method = &method.as_bytes()[..method.len().min(REMEMBERED)];
        let path_length = path.floor_char_boundary(REMEMBERED - method.len());
        let length = method.len() + path_length;
        called.text[..method.len()].copy_from_slice(method);
        called.text[method.len()..length].copy_from_slice(&path.as_bytes()[..path_length]);
        called.is_cut = path_length < path.len();
        // Neither is more than `REMEMBERED`.
        (called.method, called.length) = (method.len() as u8, length as u8);
        called
    }

    /// As people are told it.
    pub(crate) fn name(&self) -> RequestName {
        let (method, path) = self.text[..usize::from(self.length)].split_at(usize::from(self.method));
        let mut path = String::from_utf8_lossy(path).into_owned();
        if self.is_cut {
            path.push_str(CUT);
        }
        RequestName { method: String::from_utf8_lossy(method).into_owned(), path }
    }
}

/// What follows the path may be somebody's secret.
fn path<'a>(line: &RequestLine<'a>) -> &'a str {
    line.target.split('?').next().unwrap_or_default()
}

/// The encoded head, as it came from the supervisor.
#[derive(Debug, Clone)]
pub(crate) struct RequestHead(Bytes);

impl RequestHead {
    /// Wraps what the connection delivered; names the request in logs.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] if it does not decode.
    pub(crate) fn new(head: Bytes) -> Result<(RequestId, Called, Self), ProtocolError> {
        let line = head::split_request_head(&head)?.0;
        let (id, called) = (line.id, Called::of(&line));
        Ok((id, called, Self(head)))
    }

    /// Decodes the request line; cheap, because it borrows.
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

    /// What people call the request.
    pub(crate) fn called(&self) -> Option<RequestName> {
        let line = self.line().ok()?;
        let path = path(&line);
        let path = path[..path.floor_char_boundary(MAX_LOG_PATH)].to_owned();
        Some(RequestName { method: line.method.to_owned(), path })
    }
}

fn broken(error: ProtocolError) -> JsErrorBox {
    JsErrorBox::generic(error.to_string())
}
