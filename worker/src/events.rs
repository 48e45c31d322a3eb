//! What streams ask of the app: to answer a request, or to handle an event, which has a request's head as well so that it is
//! named, measured and blamed like one.

use bytes::{Bytes, BytesMut};
use nano_protocol::head::{NO_CRON, SCHEDULED};
use nano_protocol::message::{Entrypoint, HttpVersion, RequestId, RequestLine};
use nano_protocol::{EncodedHead, Event, Head, HeadKind, ProtocolError, Receiver, Sender, codec};
use nano_runtime::{InFlight, Request};

/// A stream that has arrived and was not passed to JavaScript yet.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// The number of the connection that it came over.
    pub(crate) connection: usize,
    /// The id of its request in JavaScript.
    pub(crate) id: u32,
    /// Which of the functions of the app it is for.
    pub(crate) addressee: Addressee,
}

/// Which of the functions of the app something is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Addressee {
    /// The default `fetch` handler.
    Fetch,
    /// An entrypoint, or the default one with props: another app has asked.
    Entrypoint(Box<Addressed>),
    /// The `scheduled` handler.
    Scheduled(Box<Scheduled>),
}

/// The entrypoint that a request of another app is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Addressed {
    /// Empty for the default one.
    pub(crate) name: String,
    /// As JSON text; empty for the app's own.
    pub(crate) props: String,
    /// Whether the request opens a session of calls.
    pub(crate) is_call: bool,
}

/// The scheduled run that a request stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scheduled {
    pub(crate) cron: String,
    /// When it was due, in milliseconds since 1970.
    pub(crate) time: i64,
}

impl Arrived {
    /// Puts the request that a stream carries, or that stands for its event, among those in flight.
    ///
    /// # Errors
    /// [`ProtocolError`] if the head does not decode, or is of a kind that a worker does not accept.
    pub(crate) fn new(
        connection: usize,
        head: EncodedHead,
        sender: Sender,
        receiver: Receiver,
        in_flight: &InFlight,
    ) -> Result<Self, ProtocolError> {
        let (head, scheduled) = request(head)?;
        let request = Request::new(head, sender, receiver)?;
        let addressee = match scheduled {
            Some(scheduled) => Addressee::Scheduled(scheduled),
            None => request.entrypoint().map_or(Addressee::Fetch, |Entrypoint { name, props, is_call }| {
                let (name, props) = (name.to_owned(), props.to_owned());
                Addressee::Entrypoint(Box::new(Addressed { name, props, is_call }))
            }),
        };
        let id = in_flight.insert(request);
        Ok(Self { connection, id, addressee })
    }
}

/// Returns the encoded head of the request that a stream carries, or that stands for its event.
fn request(head: EncodedHead) -> Result<(Bytes, Option<Box<Scheduled>>), ProtocolError> {
    match head.kind {
        HeadKind::Request => Ok((head.payload, None)),
        HeadKind::Event => match head.decode()?.0 {
            Head::Event(Event::Health { id, path }) => {
                let fields: [(&[u8], &[u8]); 2] =
                    [(b"host", b"localhost"), (b"user-agent", b"nano-supervisor health check")];
                Ok((encoded(id, "GET", path, &fields)?, None))
            }
            Head::Event(Event::Scheduled { id, cron, time }) => {
                let name = if cron.is_empty() { NO_CRON } else { cron };
                let scheduled = Scheduled { cron: cron.to_owned(), time };
                Ok((encoded(id, SCHEDULED, name, &[])?, Some(Box::new(scheduled))))
            }
            _ => Err(ProtocolError::Unexpected("event head")),
        },
        HeadKind::Call => Err(ProtocolError::Unexpected("call head")),
        HeadKind::Fetch => Err(ProtocolError::Unexpected("fetch head")),
    }
}

fn encoded(
    id: RequestId,
    method: &str,
    target: &str,
    fields: &[(&[u8], &[u8])],
) -> Result<Bytes, ProtocolError> {
    let (origin, version) = ("http://localhost", HttpVersion::Http11);
    let line = RequestLine { id, method, origin, target, version, depth: 0, entrypoint: None };
    let mut payload = BytesMut::new();
    // Zero, as the stream knows the window of its answer already.
    Head::Request(line).encode(0, &mut payload)?;
    codec::encode_headers(fields.len(), fields.iter().copied(), &mut payload)?;
    Ok(payload.freeze())
}

#[cfg(test)]
mod tests {
    use nano_protocol::head::split_request_head;

    use super::*;

    fn of_event(event: Event<'_>) -> (Bytes, Option<Box<Scheduled>>) {
        let mut payload = BytesMut::new();
        Head::Event(event).encode(1, &mut payload).unwrap();
        codec::encode_headers(0, std::iter::empty(), &mut payload).unwrap();
        request(EncodedHead { kind: HeadKind::Event, payload: payload.freeze() }).unwrap()
    }

    #[test]
    fn a_health_check_is_a_get() {
        let (request, scheduled) = of_event(Event::Health { id: RequestId(7), path: "/up?full" });
        let (line, fields) = split_request_head(&request).unwrap();
        assert_eq!((line.id, line.method, line.target), (RequestId(7), "GET", "/up?full"));
        let fields: Vec<_> = fields.iter().unwrap().map(|field| field.unwrap().0.to_vec()).collect();
        assert_eq!(fields, [b"host".to_vec(), b"user-agent".to_vec()]);
        assert_eq!(scheduled, None);
    }

    #[test]
    fn a_scheduled_run_is_named_by_its_cron() {
        for (cron, name) in [("*/5 * * * *", "*/5 * * * *"), ("", "-")] {
            let (request, scheduled) = of_event(Event::Scheduled { id: RequestId(7), cron, time: -1 });
            let line = split_request_head(&request).unwrap().0;
            assert_eq!((line.id, line.method, line.target), (RequestId(7), "scheduled", name));
            assert_eq!(scheduled, Some(Box::new(Scheduled { cron: cron.to_owned(), time: -1 })));
        }
    }
}
