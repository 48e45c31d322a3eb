//! Traffic counters of an app, written by the I/O threads and read by the main thread. Each thread has its own, so that
//! counting is a plain addition. Rare events, such as a broken limit, share one atomic counter.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use nano_protocol::Budget;
use strum::VariantArray;

use crate::model::rate_limits::RateLimits;
use crate::model::refusal::Refusal;
use crate::telemetry::counter::{add, get};
use crate::telemetry::histogram::{Histogram, Snapshot};

/// Reasons for which the supervisor answers in place of the app.
pub(crate) const REFUSALS: usize = Refusal::VARIANTS.len();

/// The limits of an app whose breaking the supervisor counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub(crate) enum Limit {
    /// `cpu_time`: workers that were replaced.
    CpuTime,
    /// `max_queue`: requests that were refused.
    Queue,
    /// `max_response`: responses that were refused or cut off.
    Response,
    /// `log_rate`: log lines that were dropped.
    LogRate,
    /// `max_pids`: processes and threads that were refused.
    Pids,
    /// `max_cpus`: periods of 100 ms in which a worker was held up.
    Cpus,
    /// `max_starts_per_second`: starts that had to wait for their turn.
    Starts,
    /// `max_in_flight_per_client`: requests that were refused.
    InFlightPerClient,
    /// `scheduled_timeout`: scheduled runs that were given up.
    Scheduled,
    /// `max_websockets`: WebSockets that were refused.
    WebSockets,
    /// Compressed messages over WebSockets that were refused since too many had not arrived as a whole.
    Inflating,
    /// Keys of rate limits that were not counted, because too many others were. No field says how many are.
    RateLimitKeys,
    /// Calls of workers that came faster than they may, and had to wait. No field says how fast that is.
    Calls,
}

impl Limit {
    const COUNT: usize = Self::VARIANTS.len();

    /// The name of the setting, or of what has none.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CpuTime => "cpu_time",
            Self::Queue => "max_queue",
            Self::Response => "max_response",
            Self::LogRate => "log_rate",
            Self::Pids => "max_pids",
            Self::Cpus => "max_cpus",
            Self::Starts => "max_starts_per_second",
            Self::InFlightPerClient => "max_in_flight_per_client",
            Self::Scheduled => "scheduled_timeout",
            Self::WebSockets => "max_websockets",
            Self::Inflating => "inflating",
            Self::RateLimitKeys => "rate_limit_keys",
            Self::Calls => "calls",
        }
    }
}

/// The counters of one app.
#[derive(Debug)]
pub(crate) struct Traffic {
    in_flight: AtomicUsize,
    sockets: AtomicUsize,
    waiting: AtomicUsize,
    broken: [AtomicU64; Limit::COUNT],
    threads: Box<[TrafficCounts]>,
    /// Buffered bytes of each thread: of bodies, and of WebSockets.
    budgets: Box<[OnceLock<[Arc<Budget>; 2]>]>,
    /// What the app counts itself.
    pub(crate) rate_limits: RateLimits,
}

/// The counters of one I/O thread, their only writer.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct TrafficCounts {
    responses: [AtomicU64; CLASSES],
    refusals: [AtomicU64; REFUSALS],
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    cut_off: AtomicU64,
    stalls: AtomicU64,
    fetches: AtomicU64,
    messages_in: AtomicU64,
    messages_out: AtomicU64,
    total: Histogram,
    queue: Histogram,
    worker: Histogram,
}

/// Status classes: 1xx to 5xx.
const CLASSES: usize = 5;

/// Sums over all threads at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    /// Responses by the first digit of their status, from 1 on.
    pub responses: [u64; CLASSES],
    /// Answers of the supervisor in place of the app, by the number of their reason.
    pub refusals: [u64; REFUSALS],
    /// How often each [`Limit`] was broken, by its number.
    pub broken: [u64; Limit::COUNT],
    /// Bytes of request bodies.
    pub bytes_in: u64,
    /// Bytes of response bodies.
    pub bytes_out: u64,
    /// Responses that ended before they were complete.
    pub cut_off: u64,
    /// How often a request body had to wait because the worker did not read.
    pub stalls: u64,
    /// What its workers have fetched from their bindings.
    pub fetches: u64,
    /// Messages that clients have sent over WebSockets.
    pub messages_in: u64,
    /// Messages that the app has sent over WebSockets.
    pub messages_out: u64,
    /// From the arrival of a request to its response head.
    pub total: Snapshot,
    /// From the arrival of a request until a worker took it.
    pub queue: Snapshot,
    /// From then to the response head.
    pub worker: Snapshot,
}

impl Totals {
    /// The number of responses.
    pub(crate) fn requests(&self) -> u64 {
        self.responses.iter().sum()
    }

    /// The number of responses of class 5xx.
    pub(crate) fn errors(&self) -> u64 {
        self.responses[CLASSES - 1]
    }
}

impl Traffic {
    pub(crate) fn new(io_threads: usize) -> Self {
        let threads = (0..io_threads).map(|_| TrafficCounts::default()).collect();
        Self {
            in_flight: AtomicUsize::new(0),
            sockets: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            broken: Default::default(),
            budgets: (0..io_threads).map(|_| OnceLock::new()).collect(),
            threads,
            rate_limits: RateLimits::default(),
        }
    }

    /// One thread's share of a limit in bytes.
    pub(crate) fn share(&self, bytes: u64) -> usize {
        usize::try_from(bytes).unwrap_or(usize::MAX) / self.threads.len().max(1)
    }

    /// Registers the budgets of a thread, when it starts.
    pub(crate) fn hold(&self, thread: usize, budgets: [Arc<Budget>; 2]) {
        if let Some(slot) = self.budgets.get(thread) {
            let _ = slot.set(budgets);
        }
    }

    /// Buffered body bytes: of responses that clients have not read yet, and of requests that the worker has not read yet.
    pub(crate) fn buffered(&self) -> u64 {
        self.budgets.iter().filter_map(OnceLock::get).flatten().map(|budget| budget.held() as u64).sum()
    }

    /// Requests in flight or waiting, on all I/O threads.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// The number of I/O threads.
    pub(crate) fn threads(&self) -> usize {
        self.threads.len()
    }

    /// Counts a request as in flight, unless `max` are already.
    pub(crate) fn enter(&self, max: usize) -> bool {
        let is_free = self.in_flight.fetch_add(1, Ordering::Relaxed) < max;
        if !is_free {
            self.leave();
        }
        is_free
    }

    /// A request is no longer in flight.
    pub(crate) fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// WebSockets that are open, on all I/O threads.
    pub(crate) fn sockets(&self) -> usize {
        self.sockets.load(Ordering::Relaxed)
    }

    /// Counts a WebSocket as open, unless `max` are already.
    pub(crate) fn open_socket(&self, max: usize) -> bool {
        let is_free = self.sockets.fetch_add(1, Ordering::Relaxed) < max;
        if !is_free {
            self.close_socket();
        }
        is_free
    }

    /// A WebSocket is no longer open.
    pub(crate) fn close_socket(&self) {
        self.sockets.fetch_sub(1, Ordering::Relaxed);
    }

    /// Requests that wait for a worker, on all I/O threads.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Counts a request as waiting for a worker, unless `max` are already. Dropping the guard ends the wait.
    pub(crate) fn wait(&self, max: usize) -> Option<Waiting<'_>> {
        let waiting = Waiting(self);
        // If it is one too many, dropping the guard uncounts it at once.
        (self.waiting.fetch_add(1, Ordering::Relaxed) < max).then_some(waiting)
    }

    /// How often a limit was broken since the app was added.
    #[cfg(test)]
    pub(crate) fn broken(&self, limit: Limit) -> u64 {
        self.broken[limit as usize].load(Ordering::Relaxed)
    }

    /// Counts that a limit was broken this many times.
    pub(crate) fn count_broken(&self, limit: Limit, times: u64) {
        self.broken[limit as usize].fetch_add(times, Ordering::Relaxed);
    }

    /// The counters of one thread; none if there is no such thread.
    pub(crate) fn of_thread(&self, thread: usize) -> Option<&TrafficCounts> {
        self.threads.get(thread)
    }

    /// The current sums.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for (total, count) in totals.broken.iter_mut().zip(&self.broken) {
            *total = get(count);
        }
        for counts in &self.threads {
            for (total, count) in totals.refusals.iter_mut().zip(&counts.refusals) {
                *total += get(count);
            }
            for (total, count) in totals.responses.iter_mut().zip(&counts.responses) {
                *total += get(count);
            }
            totals.bytes_in += get(&counts.bytes_in);
            totals.bytes_out += get(&counts.bytes_out);
            totals.cut_off += get(&counts.cut_off);
            totals.stalls += get(&counts.stalls);
            totals.fetches += get(&counts.fetches);
            totals.messages_in += get(&counts.messages_in);
            totals.messages_out += get(&counts.messages_out);
            totals.total.add(&counts.total);
            totals.queue.add(&counts.queue);
            totals.worker.add(&counts.worker);
        }
        totals
    }
}

impl TrafficCounts {
    /// Counts a response with this status.
    pub(crate) fn response(&self, status: u16) {
        let class = usize::from(status / 100).clamp(1, CLASSES) - 1;
        add(&self.responses[class], 1);
    }

    /// Counts a refusal, by the number of its reason.
    pub(crate) fn refused(&self, reason: usize) {
        if let Some(count) = self.refusals.get(reason) {
            add(count, 1);
        }
    }

    /// Counts a response head of a worker: how long the request waited for the worker, and how long the worker took.
    pub(crate) fn answered(&self, queue: Duration, worker: Duration) {
        self.total.record(queue + worker);
        self.queue.record(queue);
        self.worker.record(worker);
    }

    /// Counts bytes of a request body.
    pub(crate) fn received(&self, bytes: usize) {
        add(&self.bytes_in, bytes as u64);
    }

    /// Counts bytes of a response body.
    pub(crate) fn sent(&self, bytes: usize) {
        add(&self.bytes_out, bytes as u64);
    }

    /// Counts something that a worker fetches from a binding.
    pub(crate) fn fetched(&self) {
        add(&self.fetches, 1);
    }

    /// Counts bytes that a client has sent over a WebSocket, and a message if it ends with them.
    pub(crate) fn received_message(&self, bytes: usize, is_last: bool) {
        self.received(bytes);
        add(&self.messages_in, u64::from(is_last));
    }

    /// Counts bytes that the app has sent over a WebSocket, and a message if it ends with them.
    pub(crate) fn sent_message(&self, bytes: usize, is_last: bool) {
        self.sent(bytes);
        add(&self.messages_out, u64::from(is_last));
    }

    /// Counts a response that ended before it was complete.
    pub(crate) fn cut_off(&self) {
        add(&self.cut_off, 1);
    }

    /// Counts a request body that has to wait for its worker.
    pub(crate) fn stalled(&self) {
        add(&self.stalls, 1);
    }
}

/// A request that waits for a worker, until this is dropped.
#[derive(Debug)]
pub(crate) struct Waiting<'a>(&'a Traffic);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_all_threads_add_up() {
        let traffic = Traffic::new(2);
        for (thread, status) in [(0, 200), (1, 204), (1, 404), (0, 503), (0, 99), (0, 700)] {
            traffic.of_thread(thread).unwrap().response(status);
        }
        let counts = traffic.of_thread(1).unwrap();
        counts.answered(Duration::from_millis(1), Duration::from_millis(2));
        counts.sent(7);
        counts.received(3);
        let totals = traffic.totals();
        assert_eq!(totals.responses, [1, 2, 0, 1, 2]);
        assert_eq!((totals.requests(), totals.errors(), totals.bytes_in, totals.bytes_out), (6, 2, 3, 7));
        assert_eq!((totals.total.count(), totals.total.sum()), (1, Duration::from_millis(3)));
        assert!(traffic.of_thread(2).is_none());
    }

    #[test]
    fn places_are_limited_and_given_back() {
        let traffic = Traffic::new(1);
        assert!(traffic.enter(2) && traffic.enter(2) && !traffic.enter(2));
        assert_eq!(traffic.in_flight(), 2);
        traffic.leave();
        assert!(traffic.enter(2));
    }

    #[test]
    fn places_of_those_who_wait_are_given_back() {
        let traffic = Traffic::new(0);
        let first = traffic.wait(1).unwrap();
        assert!(traffic.wait(1).is_none() && traffic.waiting() == 1);
        drop(first);
        assert!(traffic.wait(1).is_some() && traffic.waiting() == 0);
        assert!(traffic.wait(0).is_none());
    }

    #[test]
    fn each_limit_has_a_count_of_its_own() {
        let traffic = Traffic::new(0);
        traffic.count_broken(Limit::LogRate, 3);
        traffic.count_broken(Limit::CpuTime, 1);
        let broken = Limit::VARIANTS.iter().map(|limit| (*limit, traffic.broken(*limit)));
        let broken: Vec<_> = broken.filter(|(_, times)| *times > 0).collect();
        assert_eq!(broken, [(Limit::CpuTime, 1), (Limit::LogRate, 3)]);
    }
}
