//! The control socket: HTTP and JSON over a Unix-domain socket, by which operators see and change what runs.
//!
//! - [`api`]: what can be asked; [`mod@answer`]: its answers.
//! - [`logs`]: the latest lines of the log, and what follows.
//!
//! Only the user who runs the supervisor, and root, can open the socket: it has mode 0600, and the kernel says who is at the
//! other end.

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

/// Longest body of a request, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// A bound control socket; its file is removed when dropped.
#[derive(Debug)]
pub(crate) struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and number of its file: a successor's may be in its place by the time it is to be removed.
    file: Option<(u64, u64)>,
}

impl ControlSocket {
    /// Binds the socket, in place of another supervisor's if this one takes over from it. Without one that nobody asked for,
    /// all else works.
    ///
    /// # Errors
    /// If it was asked for and another supervisor answers there, or the path cannot be used; the text says what to do.
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

    /// Binds `path`, over the file of a supervisor that is gone.
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
        // Bound under a name nobody knows, closed to others, then moved into place: at no time can others open it.
        let temporary = path.with_added_extension(format!("{}.new", std::process::id()));
        let listener = UnixListener::bind(&temporary)?;
        fs::set_permissions(&temporary, fs::Permissions::from_mode(0o600))?;
        fs::rename(&temporary, path)?;
        Ok(Self { listener, path: path.to_owned(), file: identity(path) })
    }

    /// Answers until dropped.
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
                // Errors are the client's.
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

/// Device and number of a file.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Whether the process at the other end runs as our user or as root.
fn is_trusted(socket: &UnixStream) -> bool {
    let is_ours = |uid: u32| uid == 0 || uid == geteuid().as_raw();
    socket.peer_cred().is_ok_and(|peer| is_ours(peer.uid()))
}

/// What is answered: a text, or lines of the log as they come.
pub(crate) type Body = Either<Full<Bytes>, logs::LogLines>;

/// Answers a request of the control socket.
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

/// Answers a request; without a body, those that need one are refused.
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

/// As [`answer()`], for whoever may look, and not read what apps say and are asked.
pub(crate) async fn overview(method: &Method, uri: &Uri, operator: &Rc<Operator>) -> Response<Body> {
    let (status, mut body) = api::answer(method, uri, None, operator).await;
    api::looks::conceal(&mut body);
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
