//! Turns events into the requests that the app's handler gets.

use bytes::{Bytes, BytesMut};
use nano_protocol::message::{HttpVersion, RequestLine};
use nano_protocol::{EncodedHead, Event, Head, HeadKind, ProtocolError, codec};

/// The connection number of events. It is not the number of any request connection.
pub(crate) const CONNECTION: usize = usize::MAX;

/// Returns the encoded head of the request that a stream carries, or that stands for its event.
///
/// # Errors
/// [`ProtocolError`] if the head does not decode, or is of a kind that a worker does not accept.
pub(crate) fn request(head: EncodedHead) -> Result<Bytes, ProtocolError> {
    match head.kind {
        HeadKind::Request => Ok(head.payload),
        HeadKind::Event => match head.decode()?.0 {
            Head::Event(Event::Health { id, path }) => {
                let (origin, version) = ("http://localhost", HttpVersion::Http11);
                let line = RequestLine { id, method: "GET", origin, target: path, version };
                let fields: [(&[u8], &[u8]); 2] =
                    [(b"host", b"localhost"), (b"user-agent", b"nano-supervisor health check")];
                let mut payload = BytesMut::new();
                // Zero, as the stream knows the window of its answer already.
                Head::Request(line).encode(0, &mut payload)?;
                codec::encode_headers(fields.len(), fields.into_iter(), &mut payload)?;
                Ok(payload.freeze())
            }
            _ => Err(ProtocolError::Unexpected("event head")),
        },
        HeadKind::Call => Err(ProtocolError::Unexpected("call head")),
    }
}

#[cfg(test)]
mod tests {
    use nano_protocol::head::split_request_head;
    use nano_protocol::message::RequestId;

    use super::*;

    #[test]
    fn a_health_check_is_a_get() {
        let mut payload = BytesMut::new();
        let event = Event::Health { id: RequestId(7), path: "/up?full" };
        Head::Event(event).encode(1, &mut payload).unwrap();
        codec::encode_headers(0, std::iter::empty(), &mut payload).unwrap();
        let head = EncodedHead { kind: HeadKind::Event, payload: payload.freeze() };
        let request = request(head).unwrap();
        let (line, fields) = split_request_head(&request).unwrap();
        assert_eq!((line.id, line.method, line.target), (RequestId(7), "GET", "/up?full"));
        let fields: Vec<_> = fields.iter().unwrap().map(|field| field.unwrap().0.to_vec()).collect();
        assert_eq!(fields, [b"host".to_vec(), b"user-agent".to_vec()]);
    }
}
