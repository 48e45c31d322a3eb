//! An HTTP client without automatic retries.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::body::{Body, Incoming};
use hyper::ext::ReasonPhrase;
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;

/// The error of a request or body.
pub(crate) type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// A complete response.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The reason phrase; empty in HTTP/2.
    pub(crate) reason: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// Returns the body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of text")
    }

    /// Parses the body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }

    /// Returns a header field, or an empty string if it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A client of one address.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    address: SocketAddr,
    client: legacy::Client<HttpConnector, BoxBody<Bytes, BodyError>>,
}

impl Client {
    /// Creates a client that speaks HTTP/1.1, or HTTP/2 with prior knowledge.
    pub(crate) fn new(address: SocketAddr, http2: bool) -> Self {
        Self::keeping(usize::MAX, address, http2)
    }

    /// Creates a client that opens a connection for each request, for servers that close kept ones after a few seconds: the admin
    /// listener and workerd. A test that does something else for that long would send its next request as the connection is closed.
    pub(crate) fn afresh(address: SocketAddr) -> Self {
        Self::keeping(0, address, false)
    }

    fn keeping(connections: usize, address: SocketAddr, http2: bool) -> Self {
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder.retry_canceled_requests(false).http2_only(http2).pool_max_idle_per_host(connections);
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self { address, client: builder.build(connector) }
    }

    /// Begins to build a request to this address.
    pub(crate) fn request(&self, method: &str, path: &str) -> hyper::http::request::Builder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        Request::builder().method(method).uri(format!("http://{}{path}", self.address))
    }

    /// Sends a request and returns at the response head.
    pub(crate) async fn begin<B>(&self, request: Request<B>) -> Result<Response<Incoming>, BodyError>
    where
        B: Body<Data = Bytes> + Send + Sync + 'static,
        B::Error: Into<BodyError>,
    {
        let request = request.map(|body| body.map_err(Into::into).boxed());
        Ok(self.client.request(request).await?)
    }

    /// Sends a request and reads the whole response.
    pub(crate) async fn send<B>(&self, request: Request<B>) -> Result<Reply, BodyError>
    where
        B: Body<Data = Bytes> + Send + Sync + 'static,
        B::Error: Into<BodyError>,
    {
        let (parts, body) = self.begin(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        // hyper only keeps a reason phrase that is not the standard one.
        let reason = match parts.extensions.get::<ReasonPhrase>() {
            Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
            None => parts.status.canonical_reason().unwrap_or_default().to_owned(),
        };
        Ok(Reply { status: parts.status.as_u16(), reason, headers: parts.headers, body })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Reply, BodyError> {
        self.send(self.request("GET", path).body(Full::default()).expect("a request")).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Bytes>) -> Result<Reply, BodyError> {
        self.send(self.request("POST", path).body(Full::new(body.into())).expect("a request")).await
    }
}
