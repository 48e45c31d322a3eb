//! The control socket: HTTP and JSON over a Unix-domain socket, for `status` and `health`.
//!
//! `GET /v1/status` answers with a [`Status`]. Only the user who runs the supervisor can open the socket (mode 0600).

use std::convert::Infallible;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::{UnixListener, UnixStream};

use crate::registry::{AppStatus, Registry};

/// Path of the status document.
const STATUS: &str = "/v1/status";

/// Longest status document a client reads, in bytes.
const MAX_STATUS: usize = 16 * 1024 * 1024;

/// What `GET /v1/status` answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Status {
    /// Version of the supervisor.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// Every app.
    pub apps: Vec<AppStatus>,
}

/// A bound control socket; its file is removed when dropped.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl ControlSocket {
    /// Binds `path`, over the file of a supervisor that is gone.
    ///
    /// # Errors
    /// If another supervisor answers there, or the path cannot be used; the text says what to do.
    pub fn bind(path: &Path) -> io::Result<Self> {
        Self::bind_path(path).map_err(|error| {
            let hint = match error.kind() {
                io::ErrorKind::AddrInUse => "stop it, or choose another path",
                io::ErrorKind::NotFound => "create the folder first",
                _ => "choose a path in a folder where this user may write, such as one below /run",
            };
            io::Error::new(error.kind(), format!("control socket {}: {error}; fix: {hint}", path.display()))
        })
    }

    fn bind_path(path: &Path) -> io::Result<Self> {
        if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
            if StdUnixStream::connect(path).is_ok() {
                return Err(io::Error::new(io::ErrorKind::AddrInUse, "another supervisor uses it"));
            }
            fs::remove_file(path)?;
        }
        // Bound under a name nobody knows, closed to others, then moved into place: at no time can others open it.
        let temporary = path.with_added_extension(format!("{}.new", std::process::id()));
        let listener = UnixListener::bind(&temporary)?;
        fs::set_permissions(&temporary, fs::Permissions::from_mode(0o600))?;
        fs::rename(&temporary, path)?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Answers until dropped.
    pub async fn serve(self, registry: Registry) {
        loop {
            let Ok((socket, _)) = self.listener.accept().await else {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            };
            let registry = registry.clone();
            tokio::task::spawn_local(async move {
                let service = service_fn(|request| {
                    let response = answer(&request, &registry);
                    async { Ok::<_, Infallible>(response) }
                });
                let http = hyper::server::conn::http1::Builder::new();
                // Errors are the client's.
                let _ = http.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn answer<B>(request: &Request<B>, registry: &Registry) -> Response<Full<Bytes>> {
    let (status, body) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, STATUS) => {
            let status = Status {
                version: env!("CARGO_PKG_VERSION").into(),
                pid: std::process::id(),
                apps: registry.status(),
            };
            (StatusCode::OK, serde_json::to_string(&status).unwrap_or_default())
        }
        (_, STATUS) => (StatusCode::METHOD_NOT_ALLOWED, r#"{"error":"use GET"}"#.into()),
        _ => (StatusCode::NOT_FOUND, format!(r#"{{"error":"there is only {STATUS}"}}"#)),
    };
    let mut response = Response::new(Full::new(Bytes::from(body + "\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Asks the supervisor behind `path` for its status.
///
/// # Errors
/// If none answers there.
pub async fn status(path: &Path) -> io::Result<Status> {
    let socket = UnixStream::connect(path).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.map_err(io::Error::other)?;
    tokio::spawn(connection);
    let mut request = Request::new(Empty::<Bytes>::new());
    *request.uri_mut() = hyper::Uri::from_static(STATUS);
    request.headers_mut().insert(hyper::header::HOST, HeaderValue::from_static("localhost"));
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    let body = http_body_util::Limited::new(response.into_body(), MAX_STATUS);
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    serde_json::from_slice(&body).map_err(io::Error::other)
}
