//! The health check of a new worker: it gets requests once it answers `health_path` with 2xx.

use std::future::poll_fn;
use std::time::Duration;

use nano_protocol::message::{Control, HttpVersion, RequestId, RequestLine};
use nano_protocol::{Event, Failure, Handle, ProtocolError};
use tokio::time::sleep;

use super::output::Output;
use super::spare::Spare;

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(100);

/// Asks until the answer is 2xx; `last` is what it was otherwise, for people. Never ends if that does not come.
pub(super) async fn check(
    spare: &mut Spare,
    output: &Output,
    path: &str,
    last: &mut String,
) -> Result<(), ProtocolError> {
    let Spare { control, requests, .. } = spare;
    // `check` gives workers no request connection.
    let Some((connection, handle)) = requests.first_mut() else { return Ok(()) };
    let ask = async {
        loop {
            match ask(handle, path).await? {
                Ok(status) if (200..300).contains(&status) => return Ok(()),
                Ok(status) => *last = format!("it answered {status}"),
                Err(Failure::Worker(error)) => *last = error.message,
                Err(failure) => *last = failure.to_string(),
            }
            sleep(PAUSE).await;
        }
    };
    tokio::pin!(ask);
    loop {
        tokio::select! {
            asked = &mut ask => return asked,
            event = control.next() => match event? {
                Some(Event::Control(Control::Log(record))) => output.record(&record),
                Some(_) => return Err(ProtocolError::Unexpected("frame before the first request")),
                None => return Err(ProtocolError::Torn),
            },
            event = connection.next() => match event? {
                Some(_) => return Err(ProtocolError::Unexpected("control frame on a request connection")),
                None => return Err(ProtocolError::Torn),
            },
        }
    }
}

/// The status of one answer, whose body is read to its end: nothing of it may be under way afterwards.
async fn ask(handle: &Handle, path: &str) -> Result<Result<u16, Failure>, ProtocolError> {
    let id = RequestId(fastrand::u128(..));
    let (origin, version) = ("http://localhost", HttpVersion::Http11);
    let line = RequestLine { id, method: "GET", origin, target: path, version };
    let fields: [(&[u8], &[u8]); 2] =
        [(b"host", b"localhost"), (b"user-agent", b"nano-supervisor health check")];
    let (_sender, receiver) = handle.open(&line, fields.len(), fields.into_iter(), true)?;
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
