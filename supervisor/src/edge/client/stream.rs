//! One answer over HTTP/2. Its client may be slow with it while it takes others: then it is reset alone.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use super::Client;
use super::pace::Pace;

/// What a stream has given its client since it was last polled.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Given {
    /// Whether its body was asked for more at all.
    pub is_asked: bool,
    /// Whether what it gave last has yet to be taken.
    pub waits: bool,
    /// Bytes given.
    pub bytes: usize,
}

/// Runs hyper's task for one stream, until it has ended or its client has fallen too far behind: then h2 resets it.
pub(crate) async fn run(stream: impl Future<Output = ()>, client: Rc<Client>) {
    let mut stream = pin!(stream);
    let mut pace: Option<Rc<Pace>> = None;
    poll_fn(|cx| {
        if let Some(pace) = &pace
            && pace.poll_overdue(cx).is_ready()
        {
            client.crowd.count_reset();
            return Poll::Ready(());
        }
        // The body of the answer is polled within, on this thread, and by nobody else.
        client.given.take();
        if stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let given = client.given.take();
        if given.is_asked {
            if pace.is_none() && given.waits {
                let settings = client.crowd.settings();
                let begun = client.crowd.pace(settings.send_timeout, client.min_rate.get());
                let _ = begun.poll_overdue(cx);
                pace = Some(begun);
            }
            if let Some(pace) = &pace {
                pace.debt.waits(given.waits);
                pace.debt.moved(given.bytes);
            }
        }
        Poll::Pending
    })
    .await;
}
