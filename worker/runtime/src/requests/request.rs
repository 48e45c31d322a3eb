//! One request in flight.

use bytes::Bytes;
use deno_error::JsErrorBox;
use nano_protocol::message::{Entrypoint, RequestId};
use nano_protocol::{ProtocolError, Receiver, Sender};

use super::head::{Called, RequestHead};

/// One request until it is answered.
#[derive(Debug)]
pub struct Request {
    /// The id by which logs name it.
    pub(crate) id: RequestId,
    /// Its method and path, as shown to people.
    pub(super) called: Called,
    pub(crate) head: RequestHead,
    /// Whether the request was complete with its head.
    is_bare: bool,
    /// Whether its client asks for a WebSocket, which takes the place of a body.
    pub(super) asks_for_socket: bool,
    /// Sends the answer.
    pub sender: Sender,
    /// Receives the request body, and reports cancellation.
    pub(crate) receiver: Receiver,
}

impl Request {
    /// Wraps what the connection delivered.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] if the head does not decode.
    pub fn new(head: Bytes, sender: Sender, receiver: Receiver) -> Result<Self, ProtocolError> {
        let (id, called, head) = RequestHead::new(head)?;
        let mut asks_for_socket = false;
        if !receiver.is_received() {
            // The supervisor passes this field on only then.
            let _ = head.headers(|name, _| asks_for_socket |= name == UPGRADE);
        }
        let is_bare = receiver.is_received() || asks_for_socket;
        Ok(Self { id, called, head, is_bare, asks_for_socket, sender, receiver })
    }

    /// Returns for which entrypoint another app has made the request; none for the default one without props.
    pub fn entrypoint(&self) -> Option<Entrypoint<'_>> {
        // Decoded again only if there is one.
        self.called.is_addressed.then(|| self.head.line().ok()?.entrypoint).flatten()
    }

    /// Returns whether the request has a body, which may be empty. As on Workers, a request with a `Content-Length` has a body,
    /// but an empty one does not count for GET and HEAD.
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

    /// Returns the length of the body, if the header states it. The body has exactly this length: the supervisor passes on no
    /// other.
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

    /// Returns whether the client has gone before the response was complete.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.sender.is_over() && !self.sender.is_complete()
    }
}

const UPGRADE: &[u8] = b"upgrade";
const CONTENT_LENGTH: &[u8] = b"content-length";
