//! Calls that keep the request connections open while an app that can fetch from bindings has work left: the supervisor ends a
//! connection to a worker that is replaced after its last request, but `waitUntil` work may still fetch. Their answers say since
//! when the supervisor accepts fetches.

use std::iter::empty;
use std::task::Context;

use nano_protocol::codec::HeaderBlock;
use nano_protocol::{Call, Handle, Head, Receiver, Sender};

/// One call per connection.
#[derive(Debug, Default)]
pub(crate) struct Stays(Vec<Stay>);

#[derive(Debug)]
struct Stay {
    /// The number of its connection among those of requests.
    connection: usize,
    sender: Sender,
    receiver: Receiver,
    is_answered: bool,
}

impl Stays {
    /// Keeps these connections open.
    pub(crate) fn open(connections: &[Handle]) -> Self {
        let open = |(connection, handle): (usize, &Handle)| {
            // One that has ended already needs none.
            let (sender, receiver) = handle.open(&Head::Call(Call::Stay), 0, empty(), false).ok()?;
            Some(Stay { connection, sender, receiver, is_answered: false })
        };
        Self(connections.iter().enumerate().filter_map(open).collect())
    }

    /// Calls `accepted` with the number of each connection on which the supervisor accepts fetches since the last call.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, accepted: impl Fn(usize)) {
        for stay in self.0.iter_mut().filter(|stay| !stay.is_answered) {
            let polled = stay.receiver.poll_head(cx);
            stay.is_answered = polled.is_ready();
            if matches!(polled, std::task::Poll::Ready(Ok(_))) {
                accepted(stay.connection);
            }
        }
    }

    /// Lets the connections end.
    pub(crate) fn end(&self) {
        for stay in &self.0 {
            let _ = stay.sender.end(&HeaderBlock::default());
        }
    }
}
