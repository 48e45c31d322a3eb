//! The access log: one line per request, written when its response is complete.

use std::net::SocketAddr;
use std::time::Instant;

use hyper::Request;
use nano_protocol::message::RequestId;
use tracing::info;

use crate::config::AppName;

/// What one line says.
#[derive(Debug)]
pub struct Record {
    /// The app that answered, once it is known.
    pub app: Option<AppName>,
    /// The status sent.
    pub status: u16,
    /// Body bytes sent.
    pub bytes: u64,
    /// Whether the response ended before it was complete.
    pub cut_off: bool,
    id: RequestId,
    client: SocketAddr,
    method: String,
    target: String,
    version: hyper::Version,
    begun: Instant,
}

impl Record {
    /// Begins with what the request says.
    pub fn new<B>(request: &Request<B>, client: SocketAddr, id: RequestId) -> Self {
        Self {
            app: None,
            status: 0,
            bytes: 0,
            cut_off: false,
            id,
            client,
            method: request.method().to_string(),
            target: request.uri().path_and_query().map_or_else(|| "*".into(), ToString::to_string),
            version: request.version(),
            begun: Instant::now(),
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let Self { status, bytes, cut_off, .. } = *self;
        info!(
            target: "access",
            app = self.app.as_ref().map(tracing::field::display),
            client = %self.client.ip().to_canonical(),
            method = self.method,
            target = self.target,
            version = ?self.version,
            status,
            bytes,
            cut_off,
            ms = self.begun.elapsed().as_secs_f64() * 1000.0,
            request_id = %self.id,
            "request"
        );
    }
}
