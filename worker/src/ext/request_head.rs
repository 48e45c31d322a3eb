//! The head of a request: what there is to know of it beside its body.

use bytes::Bytes;
use deno_error::JsErrorBox;
use nano_protocol::limits::MAX_LOG_PATH;
use nano_protocol::message::{RequestId, RequestLine, RequestName};
use nano_protocol::{ProtocolError, connection};

/// The encoded head, as it came from the supervisor.
#[derive(Debug, Clone)]
pub struct RequestHead(Bytes);

impl RequestHead {
    /// Wraps what the connection delivered; names the request in logs.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] if it does not decode.
    pub fn new(head: Bytes) -> Result<(RequestId, Self), ProtocolError> {
        let id = connection::split_request_head(&head)?.0.id;
        Ok((id, Self(head)))
    }

    /// Decodes the request line; cheap, because it borrows.
    pub fn line(&self) -> Result<RequestLine<'_>, JsErrorBox> {
        Ok(connection::split_request_head(&self.0).map_err(broken)?.0)
    }

    /// Calls `each` with the name and value of every header field, in order.
    pub fn headers(&self, mut each: impl FnMut(&[u8], &[u8])) -> Result<(), JsErrorBox> {
        let (_, block) = connection::split_request_head(&self.0).map_err(broken)?;
        for field in block.iter().map_err(broken)? {
            let (name, value) = field.map_err(broken)?;
            each(name, value);
        }
        Ok(())
    }

    /// What people call the request.
    pub fn called(&self) -> Option<RequestName> {
        let line = self.line().ok()?;
        // What follows the path may be somebody's secret.
        let path = line.target.split('?').next().unwrap_or_default();
        let path = path[..path.floor_char_boundary(MAX_LOG_PATH)].to_owned();
        Some(RequestName { method: line.method.to_owned(), path })
    }
}

fn broken(error: ProtocolError) -> JsErrorBox {
    JsErrorBox::generic(error.to_string())
}
