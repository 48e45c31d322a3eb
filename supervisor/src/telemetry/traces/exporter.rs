//! Exports finished spans in batches. Retries as the protocol requires, up to a deadline.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::http::uri::Scheme;
use hyper::{Method, Request, Response, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{info, warn};

use super::{Finished, HUB, QUEUE, SpanHub, otlp};
use crate::config::Traces;

/// Maximum spans of a batch, and how long the first of them may wait for others; as in OpenTelemetry's SDKs.
const BATCH: usize = 512;
const DELAY: Duration = Duration::from_secs(5);

/// Timeouts of one attempt, and of all attempts at one batch.
const ATTEMPT: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);

/// The first pause between two attempts. It doubles each time.
const PAUSE: Duration = Duration::from_secs(1);

/// Maximum size of a collector's response, in bytes.
const LONGEST: usize = 64 * 1024;

/// Controls the exporting task. Lives on the main thread.
#[derive(Debug, Clone)]
pub(crate) struct Exporter {
    to: Rc<Destination>,
    flushes: mpsc::Sender<Flushed>,
}

/// Signalled when all queued spans have been sent or given up.
type Flushed = oneshot::Sender<()>;

/// The current collector.
#[derive(Debug, Default)]
struct Destination {
    collector: RefCell<Option<Collector>>,
    changed: Notify,
}

#[derive(Debug, Clone)]
struct Collector {
    traces: Rc<Traces>,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// A failed attempt.
#[derive(Debug)]
struct ExportError {
    why: String,
    /// The minimum wait before a retry; none if it cannot be retried.
    again: Option<Duration>,
}

impl Exporter {
    /// Starts the exporting task.
    pub(crate) fn start(traces: Option<&Traces>) -> Self {
        let (queue, finished) = mpsc::channel(QUEUE);
        let (flushes, asked) = mpsc::channel(1);
        let exporter = Self { to: Rc::default(), flushes };
        exporter.configure(traces);
        let count = AtomicU64::default;
        if HUB.set(SpanHub { queue, exported: count(), failed: count(), dropped: count() }).is_ok() {
            let to = exporter.to.clone();
            let run = Run { to, finished, asked, flush: None, is_failing: false, is_complaining: false };
            tokio::task::spawn_local(run.run());
        }
        exporter
    }

    /// Changes the collector, or disables exporting.
    pub(crate) fn configure(&self, traces: Option<&Traces>) {
        let mut collector = self.to.collector.borrow_mut();
        if collector.as_ref().map(|collector| &*collector.traces) != traces {
            let new = |traces: &Traces| Collector { traces: Rc::new(traces.clone()), client: client(traces) };
            *collector = traces.map(new);
            self.to.changed.notify_waiters();
        }
    }

    /// Sends all queued spans, for up to `limit`.
    pub(crate) async fn flush(&self, limit: Duration) {
        let (done, is_done) = oneshot::channel();
        let flushed = async {
            let _ = self.flushes.send(done).await;
            let _ = is_done.await;
        };
        let _ = timeout(limit, flushed).await;
    }
}

fn client(traces: &Traces) -> Client<HttpsConnector<HttpConnector>, Full<Bytes>> {
    let mut roots = RootCertStore::empty();
    if traces.url.scheme() == Some(&Scheme::HTTPS) {
        // Without root certificates, attempts fail with an unknown certificate.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().unwrap_or_default());
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider supports the versions that it was built with")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build();
    Client::builder(TokioExecutor::new()).build(connector)
}

/// The exporting task.
#[derive(Debug)]
struct Run {
    to: Rc<Destination>,
    finished: mpsc::Receiver<Finished>,
    asked: mpsc::Receiver<Flushed>,
    /// A pending flush.
    flush: Option<Flushed>,
    /// Whether the last attempt failed, and whether the last response rejected spans. Each is logged once.
    is_failing: bool,
    is_complaining: bool,
}

impl Run {
    async fn run(mut self) {
        loop {
            let batch = self.gather().await;
            if !batch.is_empty() {
                self.send(&batch).await;
            }
            if self.finished.is_empty()
                && let Some(done) = self.flush.take()
            {
                let _ = done.send(());
            }
        }
    }

    /// Collects a batch of spans. Returns early for a flush.
    async fn gather(&mut self) -> Vec<Finished> {
        let (mut batch, mut deadline) = (Vec::new(), None);
        while batch.len() < BATCH && self.flush.is_none() {
            let room = BATCH - batch.len();
            let late = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                _ = self.finished.recv_many(&mut batch, room) => {
                    deadline.get_or_insert_with(|| Instant::now() + DELAY);
                }
                flush = self.asked.recv() => self.flush = flush,
                () = late => break,
            }
        }
        while batch.len() < BATCH
            && let Ok(finished) = self.finished.try_recv()
        {
            batch.push(finished);
        }
        batch
    }

    async fn send(&mut self, batch: &[Finished]) {
        let Some(hub) = HUB.get() else { return };
        let (count, body) = (batch.len() as u64, Bytes::from(otlp::request(batch).encode_to_vec()));
        let (begun, mut pause) = (Instant::now(), PAUSE);
        loop {
            // A reload may have changed it.
            let collector = self.to.collector.borrow().clone();
            let Some(collector) = collector else {
                hub.dropped.fetch_add(count, Ordering::Relaxed);
                return;
            };
            let ExportError { why, again } = match collector.post(body.clone()).await {
                Ok(complaint) => {
                    let rejected = self.handle_response(complaint).min(count);
                    hub.failed.fetch_add(rejected, Ordering::Relaxed);
                    hub.exported.fetch_add(count - rejected, Ordering::Relaxed);
                    return;
                }
                Err(failed) => failed,
            };
            if !std::mem::replace(&mut self.is_failing, true) {
                warn!(url = %collector.traces.url, why, "spans cannot be exported");
            }
            let wait = again.map(|least| least.max(pause.mul_f64(0.5 + fastrand::f64())));
            // A flush ends a wait, for one last attempt.
            let wait =
                wait.filter(|wait| self.flush.is_none() && begun.elapsed().saturating_add(*wait) < PATIENCE);
            let Some(wait) = wait else {
                hub.failed.fetch_add(count, Ordering::Relaxed);
                return;
            };
            tokio::select! {
                () = sleep(wait) => {}
                () = self.to.changed.notified() => {}
                flush = self.asked.recv() => self.flush = flush,
            }
            pause *= 2;
        }
    }

    /// Handles the response to a delivered batch. Returns how many of its spans were rejected.
    fn handle_response(&mut self, complaint: Option<ExportTracePartialSuccess>) -> u64 {
        if std::mem::take(&mut self.is_failing) {
            info!("spans are exported again");
        }
        let was_complaining = std::mem::replace(&mut self.is_complaining, complaint.is_some());
        let Some(complaint) = complaint else { return 0 };
        let rejected = u64::try_from(complaint.rejected_spans).unwrap_or(0);
        if !was_complaining {
            warn!(rejected, why = complaint.error_message, "the collector of spans complains");
        }
        rejected
    }
}

impl Collector {
    /// One attempt. The response may say that some spans were rejected.
    async fn post(&self, body: Bytes) -> Result<Option<ExportTracePartialSuccess>, ExportError> {
        let later = |why: String| ExportError { why, again: Some(Duration::ZERO) };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        request.uri_mut().clone_from(&self.traces.url);
        let headers = request.headers_mut();
        headers.clone_from(&self.traces.headers);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        let name = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(name));
        let answered = async {
            let response = self.client.request(request).await.map_err(|error| later(cause(&error)))?;
            if !response.status().is_success() {
                return Err(refused(&response));
            }
            // The batch is delivered, even if the body cannot be read.
            let body = Limited::new(response.into_body(), LONGEST).collect().await.ok();
            let answer = body.and_then(|body| ExportTraceServiceResponse::decode(body.to_bytes()).ok());
            Ok(answer.unwrap_or_default().partial_success)
        };
        let late = |_| Err(later("it did not answer in time".into()));
        let complaint = timeout(ATTEMPT, answered).await.unwrap_or_else(late)?;
        Ok(complaint.filter(|found| found.rejected_spans > 0 || !found.error_message.is_empty()))
    }
}

/// The error of a response without success.
fn refused<T>(response: &Response<T>) -> ExportError {
    let status = response.status();
    let is_temporary = matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    );
    let again = is_temporary.then(|| retry_after(response.headers(), SystemTime::now()));
    ExportError { why: format!("it answered {status}"), again }
}

/// `Retry-After`, in seconds or as a date; zero if absent or invalid.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Duration {
    let text = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let until = |date: SystemTime| date.duration_since(now).unwrap_or_default();
    let date = || httpdate::parse_http_date(text).map(until);
    text.parse().map(Duration::from_secs).or_else(|_| date()).unwrap_or_default()
}

/// The innermost cause: the most specific message.
fn cause(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_a_collector_wants_to_be_left_alone_is_read() {
        let now = httpdate::parse_http_date("Wed, 25 Nov 2026 12:00:00 GMT").unwrap();
        for (text, seconds) in [
            ("3", 3),
            ("18446744073709551615", u64::MAX),
            ("Wed, 25 Nov 2026 12:00:07 GMT", 7),
            ("Wed, 25 Nov 2026 11:00:00 GMT", 0),
            ("-1", 0),
            ("soon", 0),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
            assert_eq!(retry_after(&headers, now), Duration::from_secs(seconds), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), Duration::ZERO);
    }
}
