//! The other side of the control socket: what the command line asks of a running supervisor.

use std::io;
use std::path::Path;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{HOST, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::api::Status;

/// Longest answer that is read, in bytes.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// Why a supervisor did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It was not reached, or it is no supervisor.
    #[error("{0}")]
    Unreachable(#[from] io::Error),
    /// It says why.
    #[error("{0}")]
    Refused(String),
}

/// The body of every answer that is an error.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Asks the supervisor behind `socket` for its status.
///
/// # Errors
/// If none answers there.
pub async fn status(socket: &Path) -> Result<Status, AskError> {
    ask(socket, Method::GET, "/v1/status", None).await
}

/// Asks the supervisor behind `socket` for something, with a body of JSON if there is one.
///
/// # Errors
/// If none answers there, or if it refuses.
pub async fn ask<T: DeserializeOwned>(
    socket: &Path,
    method: Method,
    path: &str,
    body: Option<&serde_json::Value>,
) -> Result<T, AskError> {
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
    let is_fine = response.status().is_success();
    let body = Limited::new(response.into_body(), MAX_ANSWER);
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    if is_fine {
        return Ok(serde_json::from_slice(&body).map_err(io::Error::other)?);
    }
    let refusal: Refusal = serde_json::from_slice(&body).map_err(io::Error::other)?;
    Err(AskError::Refused(refusal.error))
}
