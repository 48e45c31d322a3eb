//! The health check of a new worker. The worker gets requests once its app answers `health_path` with 2xx.

use std::future::poll_fn;
use std::iter::empty;
use std::time::Duration;

use nano_protocol::message::{Control, RequestId};
use nano_protocol::{Event, Failure, Handle, Head, ProtocolError};
use tokio::time::sleep;

use super::calls::Calls;
use super::output::Output;
use super::spare::{Spare, next_control};

/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(100);

/// Repeats the check until the response is 2xx. Has no timeout of its own. `last` describes the last response that was not 2xx.
pub(super) async fn check(
    spare: &mut Spare,
    output: &Output,
    calls: &mut Calls,
    path: &str,
    last: &mut String,
) -> Result<(), ProtocolError> {
    let Spare { control, handle, .. } = spare;
    let ask = async {
        loop {
            match ask(handle, path).await? {
                Ok(status) if (200..300).contains(&status) => return Ok(()),
                Ok(status) => *last = format!("it answered {status}"),
                Err(Failure::Peer(error)) => *last = error.message,
                Err(failure) => *last = failure.to_string(),
            }
            sleep(PAUSE).await;
        }
    };
    tokio::pin!(ask);
    loop {
        tokio::select! {
            asked = &mut ask => return asked,
            message = next_control(control, output, calls) => match message? {
                // Statistics after a garbage collection.
                Control::Stats(_) => {}
                _ => return Err(ProtocolError::Unexpected("frame before the first request")),
            },
        }
    }
}

/// Sends one request and returns the status. The response body is read to its end, so that nothing is in flight afterwards.
async fn ask(handle: &Handle, path: &str) -> Result<Result<u16, Failure>, ProtocolError> {
    let event = Event::Health { id: RequestId(fastrand::u128(..)), path };
    let (_sender, receiver) = handle.open(&Head::Event(event), 0, empty(), true)?;
    let head = match poll_fn(|cx| receiver.poll_head(cx)).await {
        Ok(head) => head,
        Err(failure) => return Ok(Err(failure)),
    };
    while let Some(chunk) = poll_fn(|cx| receiver.poll_chunk(cx)).await {
        if let Err(failure) = chunk {
            return Ok(Err(failure));
        }
    }
    Ok(Ok(head.status))
}
