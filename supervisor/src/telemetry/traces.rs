//! Spans of requests and scheduled runs, exported to a collector over OTLP/HTTP: <https://opentelemetry.io/docs/specs/otlp/#otlphttp>.
//!
//! An I/O thread puts finished requests into a bounded queue and never waits. The [`exporter`] on the main thread sends them
//! in batches, which [`otlp`] encodes.

mod exporter;
mod otlp;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;

pub(crate) use exporter::Exporter;

use crate::telemetry::record::{RequestRecord, RunRecord};

/// Capacity of the span queue, as in OpenTelemetry's SDKs.
const QUEUE: usize = 2048;

/// Global, like the log's, so that a record can be finished anywhere.
static HUB: OnceLock<SpanHub> = OnceLock::new();

#[derive(Debug)]
struct SpanHub {
    queue: mpsc::Sender<Finished>,
    exported: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

/// What is over and has a span.
#[derive(Debug)]
enum Finished {
    Request(FinishedRequest),
    Run(Box<RunRecord>),
}

/// A request whose response is complete.
#[derive(Debug)]
struct FinishedRequest {
    record: Box<RequestRecord>,
    ended: SystemTime,
    took: Duration,
}

/// Outcomes of spans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SpanCounts {
    /// Accepted by a collector.
    pub exported: u64,
    /// Refused by a collector, or not delivered in time.
    pub failed: u64,
    /// Dropped, because they came faster than they could be sent.
    pub dropped: u64,
}

/// Queues the span of a request, if it has one and the queue has room. Never waits.
pub(crate) fn finish(record: Box<RequestRecord>) {
    let Some(hub) = HUB.get().filter(|_| record.span.is_some()) else { return };
    let (ended, took) = (SystemTime::now(), record.begun.elapsed());
    hub.queue(Finished::Request(FinishedRequest { record, ended, took }));
}

/// Queues the span of a scheduled run, if the queue has room. Never waits.
pub(crate) fn finish_run(run: RunRecord) {
    if let Some(hub) = HUB.get() {
        hub.queue(Finished::Run(Box::new(run)));
    }
}

impl SpanHub {
    fn queue(&self, finished: Finished) {
        if self.queue.try_send(finished).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The outcomes so far.
pub(crate) fn counts() -> SpanCounts {
    let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
    HUB.get().map_or_else(SpanCounts::default, |hub| SpanCounts {
        exported: get(&hub.exported),
        failed: get(&hub.failed),
        dropped: get(&hub.dropped),
    })
}
