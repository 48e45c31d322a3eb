//! Sends finished spans in batches, tries again where the protocol says so, and gives up in time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::{info, warn};

use super::{Finished, HUB, Hub, QUEUE, otlp};
use crate::config::Traces;

/// Most spans in one message, and how long the first of them may wait for others, as OpenTelemetry's SDKs have it.
const BATCH: usize = 512;
const DELAY: Duration = Duration::from_secs(5);

/// How long one attempt may take, and all attempts at one batch.
const ATTEMPT: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);

/// The first pause between two attempts; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_secs(1);

/// Longest answer of a collector that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// Sends spans. Lives on the main thread.
#[derive(Debug, Clone)]
pub struct Exporter {
    to: Rc<RefCell<Option<Collector>>>,
    flushes: mpsc::Sender<oneshot::Sender<()>>,
}

/// Where they go.
#[derive(Debug, Clone)]
struct Collector {
    traces: Rc<Traces>,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Why one attempt has failed.
struct Failed {
    why: String,
    /// Whether another attempt may work, and not before when.
    again: Option<Duration>,
}

impl Exporter {
    /// Begins to send, in a task of its own.
    pub fn start(traces: Option<&Traces>) -> Self {
        let (queue, finished) = mpsc::channel(QUEUE);
        let (flushes, asked) = mpsc::channel(1);
        let exporter = Self { to: Rc::default(), flushes };
        exporter.configure(traces);
        let count = AtomicU64::default;
        if HUB.set(Hub { queue, exported: count(), failed: count(), dropped: count() }).is_ok() {
            tokio::task::spawn_local(
                Run { to: exporter.to.clone(), is_failing: Cell::new(false) }.run(finished, asked),
            );
        }
        exporter
    }

    /// Sends to another place from now on, or nowhere.
    pub fn configure(&self, traces: Option<&Traces>) {
        let mut to = self.to.borrow_mut();
        if to.as_ref().map(|collector| &*collector.traces) != traces {
            *to = traces.map(|traces| Collector { traces: Rc::new(traces.clone()), client: client() });
        }
    }

    /// Sends what there is, for up to so long.
    pub async fn flush(&self, limit: Duration) {
        let (done, is_done) = oneshot::channel();
        let flushed = async {
            let _ = self.flushes.send(done).await;
            let _ = is_done.await;
        };
        let _ = timeout(limit, flushed).await;
    }
}

fn client() -> Client<HttpsConnector<HttpConnector>, Full<Bytes>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().unwrap_or_default());
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider supports the versions that it was built with")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build();
    Client::builder(TokioExecutor::new()).build(connector)
}

/// The task that sends.
struct Run {
    to: Rc<RefCell<Option<Collector>>>,
    /// Whether the last attempt has failed: that is said once.
    is_failing: Cell<bool>,
}

impl Run {
    async fn run(
        self,
        mut finished: mpsc::Receiver<Finished>,
        mut asked: mpsc::Receiver<oneshot::Sender<()>>,
    ) {
        loop {
            tokio::select! {
                Some(first) = finished.recv() => {
                    let mut batch = vec![first];
                    let flush = gather(&mut batch, &mut finished, &mut asked).await;
                    self.send(batch).await;
                    if let Some(done) = flush {
                        self.flush(&mut finished, done).await;
                    }
                }
                Some(done) = asked.recv() => self.flush(&mut finished, done).await,
                else => return,
            }
        }
    }

    async fn flush(&self, finished: &mut mpsc::Receiver<Finished>, done: oneshot::Sender<()>) {
        while !finished.is_empty() {
            let mut batch = Vec::new();
            finished.recv_many(&mut batch, BATCH).await;
            self.send(batch).await;
        }
        let _ = done.send(());
    }

    /// Sends a batch, or gives it up.
    async fn send(&self, batch: Vec<Finished>) {
        let Some(hub) = HUB.get() else { return };
        let count = batch.len() as u64;
        let body = Bytes::from(otlp::request(&batch).encode_to_vec());
        drop(batch);
        let (begun, mut pause) = (Instant::now(), PAUSE);
        loop {
            // Another one may have been configured.
            let collector = self.to.borrow().clone();
            let Some(collector) = collector else {
                hub.dropped.fetch_add(count, Ordering::Relaxed);
                return;
            };
            let Failed { why, again } = match collector.post(body.clone()).await {
                Ok(rejected) => {
                    hub.failed.fetch_add(rejected.min(count), Ordering::Relaxed);
                    hub.exported.fetch_add(count.saturating_sub(rejected), Ordering::Relaxed);
                    if self.is_failing.replace(false) {
                        info!("spans are exported again");
                    }
                    return;
                }
                Err(failed) => failed,
            };
            if !self.is_failing.replace(true) {
                warn!(url = %collector.traces.url, why, "spans cannot be exported");
            }
            let wait = again.map(|least| least.max(pause.mul_f64(0.5 + fastrand::f64())));
            match wait.filter(|wait| begun.elapsed() + *wait < PATIENCE) {
                Some(wait) => sleep(wait).await,
                None => {
                    hub.failed.fetch_add(count, Ordering::Relaxed);
                    return;
                }
            }
            pause *= 2;
        }
    }
}

/// Waits for others, up to a batch of them, unless somebody asks for all there is.
async fn gather(
    batch: &mut Vec<Finished>,
    finished: &mut mpsc::Receiver<Finished>,
    asked: &mut mpsc::Receiver<oneshot::Sender<()>>,
) -> Option<oneshot::Sender<()>> {
    let deadline = Instant::now() + DELAY;
    while batch.len() < BATCH {
        let room = BATCH - batch.len();
        tokio::select! {
            more = timeout_at(deadline, finished.recv_many(batch, room)) => if !more.is_ok_and(|more| more > 0) {
                return None;
            },
            Some(done) = asked.recv() => return Some(done),
        }
    }
    None
}

impl Collector {
    /// One attempt; how many spans the collector has rejected for good.
    async fn post(&self, body: Bytes) -> Result<u64, Failed> {
        let for_good = |why: String| Failed { why, again: None };
        let mut request = Request::post(&self.traces.url)
            .body(Full::new(body))
            .map_err(|error| for_good(error.to_string()))?;
        let headers = request.headers_mut();
        headers.clone_from(&self.traces.headers);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        headers
            .entry(USER_AGENT)
            .or_insert(HeaderValue::from_static(concat!("nano-supervisor/", env!("CARGO_PKG_VERSION"))));
        let later = |why: String| Failed { why, again: Some(Duration::ZERO) };
        let answered = async {
            let response = self.client.request(request).await.map_err(|error| later(cause(&error)))?;
            let (head, body) = response.into_parts();
            let body =
                Limited::new(body, LONGEST).collect().await.map_err(|error| later(error.to_string()))?;
            Ok((head, body.to_bytes()))
        };
        let (head, body) = timeout(ATTEMPT, answered)
            .await
            .unwrap_or_else(|_| Err(later("it did not answer in time".into())))?;
        if head.status.is_success() {
            return Ok(rejected(&body));
        }
        let again = matches!(
            head.status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        );
        Err(Failed {
            why: format!("it answered {}", head.status),
            again: again.then(|| retry_after(&head.headers)),
        })
    }
}

/// How many of the spans it did not take, although it has answered 200.
fn rejected(body: &[u8]) -> u64 {
    let answer = ExportTraceServiceResponse::decode(body).unwrap_or_default();
    let Some(partial) = answer.partial_success else { return 0 };
    let rejected = u64::try_from(partial.rejected_spans).unwrap_or(0);
    if rejected > 0 || !partial.error_message.is_empty() {
        warn!(rejected, why = partial.error_message, "the collector of spans complains");
    }
    rejected
}

fn retry_after(headers: &HeaderMap) -> Duration {
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(0))
}

/// The innermost cause, which says most.
fn cause(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
