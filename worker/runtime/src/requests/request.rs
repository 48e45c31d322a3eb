//! One request that is under way.

use bytes::Bytes;
use deno_error::JsErrorBox;
use nano_protocol::message::RequestId;
use nano_protocol::{ProtocolError, Receiver, Sender};

use super::head::{Called, RequestHead};

/// One request until it is answered.
#[derive(Debug)]
pub struct Request {
    /// Names it in logs.
    pub(crate) id: RequestId,
    /// What people call it.
    pub(super) called: Called,
    /// What there is to know of it.
    pub(crate) head: RequestHead,
    /// Whether its head was all of it.
    is_bare: bool,
    /// For the response.
    pub sender: Sender,
    /// For the request body, and to learn of a cancel.
    pub(crate) receiver: Receiver,
}

impl Request {
    /// Wraps what the connection delivered.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] if the head does not decode.
    pub fn new(head: Bytes, sender: Sender, receiver: Receiver) -> Result<Self, ProtocolError> {
        let (id, called, head) = RequestHead::new(head)?;
        let is_bare = receiver.is_received();
        Ok(Self { id, called, head, is_bare, sender, receiver })
    }

    /// Whether there is a body, if only an empty one. As on Workers, what announces a length has one; but to GET and HEAD
    /// nothing is nothing.
    pub(crate) fn has_body(&self, is_get: bool) -> Result<bool, JsErrorBox> {
        if !self.is_bare {
            return Ok(true);
        }
        let mut announces = false;
        if !is_get {
            self.head.headers(|name, _| announces |= name == CONTENT_LENGTH)?;
        }
        Ok(announces)
    }

    /// How many bytes its body has, if the header says so. What came does hold to it: the supervisor passes on no other.
    pub(crate) fn body_length(&self) -> Option<u64> {
        let (mut length, mut fields) = (None, 0);
        let read = self.head.headers(|name, value| {
            if name == CONTENT_LENGTH {
                length = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
                fields += 1;
            }
        });
        length.filter(|_| fields == 1 && read.is_ok())
    }

    /// Whether nobody waits for the answer any more, of which something is missing.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.sender.is_over() && !self.sender.is_complete()
    }
}

const CONTENT_LENGTH: &[u8] = b"content-length";
