//! The control socket: an HTTP and JSON API over a Unix-domain socket, for operators.
//!
//! - [`api`]: its routes; [`mod@answer`]: its responses.
//! - [`logs`]: the latest lines of the log, and new ones as they come.
//!
//! Only the user who runs the supervisor, and root, can use the socket: it has mode 0600, and peer credentials are checked.

pub(crate) mod answer;
pub(crate) mod api;
pub(crate) mod logs;

use std::convert::Infallible;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Either, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use nix::unistd::geteuid;
use serde_json::Value;
use tokio::net::{UnixListener, UnixStream};
use tracing::warn;

use crate::config::{ControlPath, usual_control_path};
use crate::ops::operator::Operator;

/// Maximum size of a request body, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// A bound control socket; its file is removed when dropped.
#[derive(Debug)]
pub(crate) struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode of its file. By the time it is removed, a successor's socket may have replaced it.
    file: Option<(u64, u64)>,
}

impl ControlSocket {
    /// Binds the socket; with `takes_over`, in place of the predecessor's. If the default path cannot be bound, a warning is
    /// logged and there is no control socket.
    ///
    /// # Errors
    /// If a configured path cannot be used, or another supervisor answers there; the text names the fix.
    pub(crate) fn open(control: &ControlPath, takes_over: bool) -> io::Result<Option<Self>> {
        match control {
            ControlPath::Off => Ok(None),
            ControlPath::At(path) => Self::bind(path, takes_over).map(Some),
            ControlPath::Usual => {
                let path = usual_control_path(|name| std::env::var_os(name));
                let bound = Self::bind_path(&path, takes_over);
                if let Err(error) = &bound {
                    let path = path.display();
                    warn!(%path, %error, "no control socket: `status` and the like cannot reach this supervisor; fix: set one with --control");
                }
                Ok(bound.ok())
            }
        }
    }

    /// Binds `path`. The socket file of a supervisor that has ended is replaced.
    fn bind(path: &Path, takes_over: bool) -> io::Result<Self> {
        Self::bind_path(path, takes_over).map_err(|error| {
            let hint = match error.kind() {
                io::ErrorKind::AddrInUse => "stop it, or choose another path",
                io::ErrorKind::NotFound => "create the folder first",
                _ => "choose a path in a folder where this user may write, such as one below /run",
            };
            io::Error::new(error.kind(), format!("control socket {}: {error}; fix: {hint}", path.display()))
        })
    }

    fn bind_path(path: &Path, takes_over: bool) -> io::Result<Self> {
        if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
            if !takes_over && StdUnixStream::connect(path).is_ok() {
                return Err(io::Error::new(io::ErrorKind::AddrInUse, "another supervisor uses it"));
            }
            if !takes_over {
                fs::remove_file(path)?;
            }
        }
        // Bound under a temporary name, restricted, then renamed: at no time can other users open it under `path`.
        let temporary = path.with_added_extension(format!("{}.new", std::process::id()));
        let listener = UnixListener::bind(&temporary)?;
        fs::set_permissions(&temporary, fs::Permissions::from_mode(0o600))?;
        fs::rename(&temporary, path)?;
        Ok(Self { listener, path: path.to_owned(), file: identity(path) })
    }

    /// Accepts connections until dropped.
    pub(crate) async fn serve(self, operator: Rc<Operator>) {
        loop {
            let Ok((socket, _)) = self.listener.accept().await else {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            };
            if !is_trusted(&socket) {
                continue;
            }
            let operator = operator.clone();
            tokio::task::spawn_local(async move {
                let service = service_fn(|request| {
                    let response = respond(request, operator.clone());
                    async { Ok::<_, Infallible>(response.await) }
                });
                let http = hyper::server::conn::http1::Builder::new();
                // Only the client can cause an error here.
                let _ = http.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        if self.file.is_some() && identity(&self.path) == self.file {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Device and inode of a file.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Whether the peer runs as this user or as root.
fn is_trusted(socket: &UnixStream) -> bool {
    let is_ours = |uid: u32| uid == 0 || uid == geteuid().as_raw();
    socket.peer_cred().is_ok_and(|peer| is_ours(peer.uid()))
}

/// A response body: complete, or a stream of log lines.
pub(crate) type Body = Either<Full<Bytes>, logs::LogLines>;

async fn respond(request: Request<Incoming>, operator: Rc<Operator>) -> Response<Body> {
    let (head, body) = request.into_parts();
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => answer(&head.method, &head.uri, Some(body.to_bytes()), &operator).await,
        Err(error) => {
            let (status, body) = answer::malformed(&*error);
            with_type(status, text(&body), "application/json")
        }
    }
}

/// Answers a request. `body` is `None` on the admin listener; routes that need one are refused there.
pub(crate) async fn answer(
    method: &Method,
    uri: &Uri,
    body: Option<Bytes>,
    operator: &Rc<Operator>,
) -> Response<Body> {
    if uri.path() != logs::PATH {
        let (status, body) = api::answer(method, uri, body, operator).await;
        return with_type(status, text(&body), "application/json");
    }
    match logs::answer(method, uri.query().unwrap_or_default(), operator) {
        Ok(lines) => with_type(StatusCode::OK, Either::Right(lines), "application/x-ndjson"),
        Err((status, body)) => with_type(status, text(&body), "application/json"),
    }
}

/// As [`answer()`], but without what apps have printed or been asked: for clients without the token.
pub(crate) async fn overview(method: &Method, uri: &Uri, operator: &Rc<Operator>) -> Response<Body> {
    let (status, mut body) = api::answer(method, uri, None, operator).await;
    api::monitoring::redact(&mut body);
    with_type(status, text(&body), "application/json")
}

fn with_type(status: StatusCode, body: Body, kind: &'static str) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn text(body: &Value) -> Body {
    Either::Left(Full::new(Bytes::from(format!("{body}\n"))))
}
