//! Watches the client's pace with one response over HTTP/2. If the client reads it too slowly, only this stream is
//! reset.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use crate::edge::client::Client;
use crate::edge::pace::Pace;

/// Runs the task of one stream until it ends, or drops it when the client has fallen too far behind. h2 then resets the
/// stream.
pub(crate) async fn run(stream: impl Future<Output = ()>, client: Rc<Client>) {
    let mut stream = pin!(stream);
    let mut pace: Option<Rc<Pace>> = None;
    poll_fn(|cx| {
        if let Some(pace) = &pace
            && pace.poll_overdue(cx).is_ready()
        {
            client.admission().count_reset();
            return Poll::Ready(());
        }
        // The response body is polled only within this task, so everything that it reports from here on belongs to this
        // stream.
        client.take_given();
        if stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let given = client.take_given();
        if given.is_asked {
            if pace.is_none() && given.waits {
                let settings = client.admission().settings();
                let begun = client.admission().pace(settings.send_timeout, client.min_rate());
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
