//! The admin listener: health, metrics and the dashboard over HTTP, for probes, Prometheus and browsers.
//!
//! - [`guard`]: who may ask for what.
//! - [`files`]: the dashboard, from the folder `dashboard/`.
//!
//! It is off by default, and answers the control socket's API as well, for the dashboard.

pub mod files;
pub mod guard;

use std::convert::Infallible;
use std::io;
use std::net::TcpListener as StdTcpListener;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tracing::info;

use crate::config::Admin;
use crate::control::{self, Body};
use crate::metrics;
use crate::operator::Operator;
use crate::registry::State;
use guard::Guard;

/// Connections at once; further ones are closed.
const CONNECTIONS: usize = 256;

/// For one request head.
const HEAD: Duration = Duration::from_secs(10);

/// What the page may load: only what comes with it. Nor may a text ever become markup in it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types 'none'";

/// A bound admin listener.
#[derive(Debug)]
pub struct AdminListener {
    listener: StdTcpListener,
    guard: Guard,
}

impl AdminListener {
    /// Binds it, unless it is bound already.
    ///
    /// # Errors
    /// What the kernel says, with the address.
    pub fn bind(admin: &Admin, bound: Option<StdTcpListener>) -> io::Result<Self> {
        let bound = bound.map_or_else(|| StdTcpListener::bind(admin.address), Ok);
        let listener = bound.map_err(|error| {
            let text =
                format!("cannot listen on {} for admin: {error}; fix: choose another address", admin.address);
            io::Error::new(error.kind(), text)
        })?;
        listener.set_nonblocking(true)?;
        info!(address = %listener.local_addr()?, token = admin.token.is_some(), "admin listening");
        Ok(Self { listener, guard: Guard::new(admin.token.as_deref()) })
    }

    /// Its socket, for a successor.
    ///
    /// # Errors
    /// If there are no descriptors left.
    pub fn socket(&self) -> io::Result<StdTcpListener> {
        self.listener.try_clone()
    }

    /// Answers until dropped.
    ///
    /// # Errors
    /// If the socket cannot be watched.
    pub async fn serve(self, operator: Rc<Operator>) -> io::Result<Infallible> {
        let listener = TcpListener::from_std(self.listener)?;
        let (guard, open) = (Rc::new(self.guard), Rc::new(()));
        loop {
            let Ok((socket, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            if Rc::strong_count(&open) > CONNECTIONS {
                continue;
            }
            let (operator, guard, place) = (operator.clone(), guard.clone(), open.clone());
            tokio::task::spawn_local(async move {
                let service = service_fn(|request| {
                    let response = answer(request, operator.clone(), guard.clone());
                    async { Ok::<_, Infallible>(response.await) }
                });
                let mut http = hyper::server::conn::http1::Builder::new();
                http.timer(TokioTimer::new()).header_read_timeout(HEAD);
                // Errors are the client's.
                let _ = http.serve_connection(TokioIo::new(socket), service).await;
                drop(place);
            });
        }
    }
}

async fn answer<B>(request: Request<B>, operator: Rc<Operator>, guard: Rc<Guard>) -> Response<Body> {
    let mut response = route(&request, &operator, &guard).await;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

async fn route<B>(request: &Request<B>, operator: &Rc<Operator>, guard: &Guard) -> Response<Body> {
    let (method, path) = (request.method(), request.uri().path());
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    // Probes carry no token, and learn nothing but yes or no.
    match path {
        "/healthz" if is_read => return text(StatusCode::OK, "ok\n"),
        "/readyz" if is_read => return ready(operator),
        _ => {}
    }
    if let Err(why) = guard.check_host(request.headers()) {
        return text(StatusCode::FORBIDDEN, &format!("{why}\n"));
    }
    // The page itself is in the executable for everyone to read.
    if let Some(file) = files::find(path).filter(|_| is_read) {
        return with_type(StatusCode::OK, file.kind, Bytes::from_static(file.contents.as_bytes()));
    }
    if !guard.knows_token(request.headers()) {
        let mut response = text(StatusCode::UNAUTHORIZED, "a bearer token is needed\n");
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return response;
    }
    if path == "/metrics" && is_read {
        return with_type(StatusCode::OK, metrics::CONTENT_TYPE, metrics::render(&operator.sample()).into());
    }
    if !is_read && let Err(why) = guard.check_change(request.headers()) {
        return text(StatusCode::FORBIDDEN, &format!("{why}\n"));
    }
    control::answer(method, request.uri(), None, operator).await
}

/// Whether every app that is to run does.
fn ready(operator: &Operator) -> Response<Body> {
    let is_down = |state: State| !matches!(state, State::Ready | State::Stopped);
    if operator.states().into_iter().any(is_down) {
        return text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n");
    }
    text(StatusCode::OK, "ready\n")
}

fn text(status: StatusCode, text: &str) -> Response<Body> {
    with_type(status, "text/plain; charset=utf-8", Bytes::copy_from_slice(text.as_bytes()))
}

fn with_type(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::new(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
