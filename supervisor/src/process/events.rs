//! Sends events to a worker, over its control connection.

use std::future::poll_fn;
use std::iter::empty;

use nano_protocol::head::NO_RETRY;
use nano_protocol::message::{RequestId, StreamError};
use nano_protocol::{Event, Failure, Handle, Head, ProtocolError};

/// Sends events to one worker. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Events(Handle);

/// How the `scheduled` handler of an app has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Whether neither it nor its background work has thrown.
    pub is_ok: bool,
    /// Whether it has called `noRetry`.
    pub has_no_retry: bool,
}

/// Why a worker has not answered an event.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// It has ended before it began with the event.
    Unreached,
    /// It has ended while it was at the event.
    Died,
    /// The event has ended it, as it reports.
    Fatal(StreamError),
    /// It takes no event, or has not kept to the protocol.
    Refused(String),
}

impl Events {
    /// Takes the sender of a worker's control connection.
    pub(super) fn new(control: Handle) -> Self {
        Self(control)
    }

    /// Has the app's `scheduled` handler run, and waits for its end. `time` is in milliseconds since 1970. Dropping the future
    /// gives the run up.
    ///
    /// # Errors
    /// Fails with the reason why it is not known how the handler has ended.
    pub(crate) async fn scheduled(&self, id: RequestId, cron: &str, time: i64) -> Result<Ended, Unanswered> {
        let event = Event::Scheduled { id, cron, time };
        let (_sender, receiver) = self.0.open(&Head::Event(event), 0, empty(), true)?;
        let head = poll_fn(|cx| receiver.poll_head(cx)).await?;
        while let Some(chunk) = poll_fn(|cx| receiver.poll_chunk(cx)).await {
            chunk?;
        }
        let fields = head.headers.iter().map_err(|error| Unanswered::Refused(error.to_string()))?;
        let has_no_retry = fields.filter_map(Result::ok).any(|(name, _)| name == NO_RETRY);
        Ok(Ended { is_ok: head.status == 200, has_no_retry })
    }
}

impl From<ProtocolError> for Unanswered {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::Disconnected => Self::Unreached,
            error => Self::Refused(error.to_string()),
        }
    }
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Closed { reached: false } => Self::Unreached,
            Failure::Closed { reached: true } | Failure::Over => Self::Died,
            Failure::Peer(error) if error.kind.is_fatal() => Self::Fatal(error),
            Failure::Peer(error) => Self::Refused(error.message),
        }
    }
}
