//! Spans of requests, sent over OTLP/HTTP to whoever collects them: <https://opentelemetry.io/docs/specs/otlp/#otlphttp>.
//!
//! An I/O thread puts what it knows of a request into a bounded queue and never waits; the [`exporter`] on the main thread
//! sends what has come in batches, which [`otlp`] encodes.

mod exporter;
mod otlp;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;

pub(crate) use exporter::Exporter;

use crate::telemetry::record::RequestRecord;

/// Spans that may wait to be sent, as OpenTelemetry's SDKs have it.
const QUEUE: usize = 2048;

/// There is one, as of the log, so that whatever holds a record can finish it.
static HUB: OnceLock<SpanHub> = OnceLock::new();

#[derive(Debug)]
struct SpanHub {
    queue: mpsc::Sender<Finished>,
    exported: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

/// A request whose response is complete.
#[derive(Debug)]
struct Finished {
    record: Box<RequestRecord>,
    ended: SystemTime,
    took: Duration,
}

/// What has become of spans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SpanCounts {
    /// Taken by a collector.
    pub exported: u64,
    /// Refused by a collector, or not delivered in time.
    pub failed: u64,
    /// Not sent, because they came faster than they could be.
    pub dropped: u64,
}

/// Has the span of a request sent, if it has one and there is room. Never waits.
pub(crate) fn finish(record: Box<RequestRecord>) {
    let Some(hub) = HUB.get().filter(|_| record.span.is_some()) else { return };
    let (ended, took) = (SystemTime::now(), record.begun.elapsed());
    if hub.queue.try_send(Finished { record, ended, took }).is_err() {
        hub.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// What has become of spans so far.
pub(crate) fn counts() -> SpanCounts {
    let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
    HUB.get().map_or_else(SpanCounts::default, |hub| SpanCounts {
        exported: get(&hub.exported),
        failed: get(&hub.failed),
        dropped: get(&hub.dropped),
    })
}
