//! The admin listener: health, metrics and the dashboard over HTTP, for probes, Prometheus and browsers.
//!
//! - [`guard`]: authorisation; [`token`]: the bearer token.
//! - [`connections`]: the connection limit, and which connection is closed for a new one.
//! - [`readiness`]: the answers of `/readyz`.
//! - [`files`]: the dashboard's static files, from the folder `dashboard/`.
//!
//! It is off by default. It also serves the control socket's API, which the dashboard uses.

mod answer;
pub(crate) mod connections;
pub(crate) mod files;
pub(crate) mod guard;
pub(crate) mod readiness;
pub(crate) mod token;

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tracing::info;

use crate::config::ServerSettings;
use crate::ops::control::{self, Body};
use crate::ops::operator::Operator;
use crate::telemetry::metrics;
use answer::{forbidden, text, with_type};
use connections::{AdminConnection, Busy, Connections};
use guard::{Access, Guard};

/// Timeout for reading one request head.
const HEAD: Duration = Duration::from_secs(10);

/// Content-Security-Policy of the dashboard: it loads nothing but its own files, and never turns text into markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types 'none'";

#[derive(Debug)]
pub(crate) struct AdminListener {
    listener: StdTcpListener,
    guard: Guard,
}

impl AdminListener {
    /// Binds the configured address, or takes the inherited socket `bound`. None if no admin listener is configured. Without
    /// a configured token, one is generated.
    ///
    /// # Errors
    /// If the address cannot be bound; the text names it. Or if no token can be generated.
    pub(crate) fn bind(settings: &ServerSettings, bound: Option<StdTcpListener>) -> io::Result<Option<Self>> {
        let Some(admin) = &settings.admin else { return Ok(None) };
        let bound = bound.map_or_else(|| StdTcpListener::bind(admin.address), Ok);
        let listener = bound.map_err(|error| {
            let text =
                format!("cannot listen on {} for admin: {error}; fix: choose another address", admin.address);
            io::Error::new(error.kind(), text)
        })?;
        listener.set_nonblocking(true)?;
        info!(address = %listener.local_addr()?, "admin listening");
        let guard = match &admin.token {
            Some(token) => Guard::new(token, true),
            None => Guard::new(&token::of(settings)?, false),
        };
        Ok(Some(Self { listener, guard }))
    }

    /// A duplicate of the listening socket, for a successor.
    ///
    /// # Errors
    /// If no descriptor is left.
    pub(crate) fn socket(&self) -> io::Result<StdTcpListener> {
        self.listener.try_clone()
    }

    /// The bound address.
    ///
    /// # Errors
    /// If the kernel does not report it.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Accepts connections until dropped.
    ///
    /// # Errors
    /// If the socket cannot be registered with the event loop.
    pub(crate) async fn serve(self, operator: Rc<Operator>) -> io::Result<Infallible> {
        let listener = TcpListener::from_std(self.listener)?;
        let (guard, all) = (Rc::new(self.guard), Rc::<Connections>::default());
        loop {
            let Ok((socket, peer)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let (operator, guard) = (operator.clone(), guard.clone());
            let entry = Rc::new(all.enter(peer.ip().to_canonical()));
            tokio::task::spawn_local(async move {
                let service = service_fn(|request| {
                    let response = answer(request, operator.clone(), guard.clone(), entry.clone());
                    async { Ok::<_, Infallible>(response.await) }
                });
                let mut http = hyper::server::conn::http1::Builder::new();
                http.timer(TokioTimer::new()).header_read_timeout(HEAD);
                tokio::select! {
                    // Only the client can cause an error here.
                    _ = http.serve_connection(TokioIo::new(socket), service) => {}
                    () = entry.evicted() => {}
                }
            });
        }
    }
}

/// A response body. Its request counts as active until the body has been sent.
struct AdminBody {
    body: Body,
    _busy: Option<Busy>,
}

impl hyper::body::Body for AdminBody {
    type Data = Bytes;
    type Error = <Body as hyper::body::Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

async fn answer<B>(
    request: Request<B>,
    operator: Rc<Operator>,
    guard: Rc<Guard>,
    entry: Rc<AdminConnection>,
) -> Response<AdminBody> {
    let (method, path) = (request.method(), request.uri().path());
    let page = files::find(path);
    let access = Access::of(method, path, page.is_some());
    let busy = if access == Access::Probe { None } else { entry.begin() };
    let mut response = match page.filter(|_| access == Access::Page) {
        _ if busy.is_none() && access != Access::Probe => {
            text(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once\n")
        }
        Some(_) if let Err(why) = guard.check_host(request.headers()) => forbidden(why),
        Some(file) => with_type(StatusCode::OK, file.kind, Bytes::from_static(file.contents.as_bytes())),
        None => route(&request, access, &operator, &guard).await,
    };
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
    response.map(|body| AdminBody { body, _busy: busy })
}

async fn route<B>(
    request: &Request<B>,
    access: Access,
    operator: &Rc<Operator>,
    guard: &Guard,
) -> Response<Body> {
    let (method, path) = (request.method(), request.uri().path());
    // Probes may send any Host header.
    match path {
        "/healthz" if access == Access::Probe => return text(StatusCode::OK, "ok\n"),
        "/readyz" if access == Access::Probe => return readiness::answer(request, operator),
        _ => {}
    }
    if let Err(why) = guard.check_host(request.headers()) {
        return forbidden(why);
    }
    if !guard.allows(access, request.headers()) {
        let mut response = text(StatusCode::UNAUTHORIZED, "a bearer token is needed\n");
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return response;
    }
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    if path == "/metrics" && is_read {
        return with_type(StatusCode::OK, metrics::CONTENT_TYPE, metrics::render(&operator.sample()).into());
    }
    if !is_read && let Err(why) = guard.check_change(request.headers()) {
        return forbidden(why);
    }
    match access {
        Access::Overview if !guard.has_token(request.headers()) => {
            control::overview(method, request.uri(), operator).await
        }
        _ => control::answer(method, request.uri(), None, operator).await,
    }
}
