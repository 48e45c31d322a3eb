//! The client of the control socket, with which the command line talks to a running supervisor.

use std::io;
use std::path::Path;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{HOST, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::status::Status;
use crate::model::change_error::ErrorKind;

/// Longest response body that is read, in bytes.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// Why a request to a supervisor failed.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No supervisor was reached at the socket, or the answer was not one of a supervisor.
    #[error("{0}")]
    Unreachable(#[from] io::Error),
    /// The supervisor refused.
    #[error("{error}")]
    Refused {
        /// Who can mend it.
        kind: ErrorKind,
        /// What is wrong, and the fix.
        error: String,
    },
}

/// The body of every error response.
#[derive(Deserialize)]
struct ErrorBody {
    /// Earlier supervisors do not say it.
    #[serde(default)]
    kind: ErrorKind,
    error: String,
}

/// Asks the supervisor behind `socket` for its status.
///
/// # Errors
/// If no supervisor answers there.
pub async fn status(socket: &Path) -> Result<Status, AskError> {
    ask(socket, Method::GET, "/v1/status", None).await
}

/// Sends a request to the supervisor behind `socket`, with `body` as JSON if there is one, and decodes the JSON response.
///
/// # Errors
/// If no supervisor answers there, or if it refuses.
pub async fn ask<T: DeserializeOwned>(
    socket: &Path,
    method: Method,
    path: &str,
    body: Option<&serde_json::Value>,
) -> Result<T, AskError> {
    let body = send(socket, method, path, body).await?;
    Ok(serde_json::from_slice(&whole(body).await?).map_err(io::Error::other)?)
}

/// Requests lines from the supervisor behind `socket`, and calls `each` with every line as it comes, without its line end.
/// Stops when `each` returns `false`.
///
/// # Errors
/// If no supervisor answers there, if it refuses, or if the connection ends within the response.
pub async fn lines(socket: &Path, path: &str, mut each: impl FnMut(&str) -> bool) -> Result<(), AskError> {
    let mut body = send(socket, Method::GET, path, None).await?;
    let mut pending = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| io::Error::other("it has ended"))?;
        pending.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
        let complete = pending.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if !String::from_utf8_lossy(&pending[..complete]).lines().all(&mut each) {
            break;
        }
        pending.drain(..complete);
    }
    Ok(())
}

/// Sends a request and returns the response body. An error response is an error.
async fn send(
    socket: &Path,
    method: Method,
    path: &str,
    body: Option<&serde_json::Value>,
) -> Result<Incoming, AskError> {
    let socket = UnixStream::connect(socket).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.map_err(io::Error::other)?;
    tokio::spawn(connection);
    let mut request =
        Request::new(Full::new(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default()));
    *request.method_mut() = method;
    *request.uri_mut() = path.parse::<Uri>().map_err(io::Error::other)?;
    request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    if response.status().is_success() {
        return Ok(response.into_body());
    }
    let ErrorBody { kind, error } =
        serde_json::from_slice(&whole(response.into_body()).await?).map_err(io::Error::other)?;
    Err(AskError::Refused { kind, error })
}

async fn whole(body: Incoming) -> Result<Bytes, AskError> {
    let body = Limited::new(body, MAX_ANSWER);
    Ok(body.collect().await.map_err(io::Error::other)?.to_bytes())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::UnixListener;

    use super::*;

    #[tokio::test]
    async fn what_supervisors_of_other_versions_refuse_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("control.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        for (body, expected) in [
            (r#"{"error":"why"}"#, ErrorKind::Unknown),
            (r#"{"error":"why","kind":"from_the_future"}"#, ErrorKind::Unknown),
            (r#"{"error":"why","kind":"not_found"}"#, ErrorKind::NotFound),
        ] {
            let answer = async {
                let (mut client, _) = listener.accept().await.unwrap();
                assert!(client.read(&mut [0; 1024]).await.unwrap() > 0);
                let head = format!("HTTP/1.1 409 Conflict\r\ncontent-length: {}\r\n\r\n", body.len());
                client.write_all((head + body).as_bytes()).await.unwrap();
                client
            };
            let (asked, _client) = tokio::join!(status(&socket), answer);
            match asked {
                Err(AskError::Refused { kind, error }) => assert_eq!((kind, &*error), (expected, "why")),
                other => panic!("{body}: {other:?}"),
            }
        }
    }
}
