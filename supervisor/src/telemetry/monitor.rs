//! Samples the counters of every app, and derives rates and the history for the dashboard.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::api::status::Rates;
use crate::model::ids::AppId;
use crate::telemetry::histogram::Snapshot;
use crate::telemetry::seen::AppCounts;

/// The sampling interval.
pub(crate) const LOOK: Duration = Duration::from_secs(1);

/// Seconds of history that are kept.
const HISTORY: usize = 120;

/// The window over which the rates of a status are averaged.
const RATE: Duration = Duration::from_secs(10);

/// Samples between two snapshots of the latency histogram. Those of the last minute are kept.
const LATENCY_EVERY: u64 = 10;
const LATENCIES: usize = 6;

/// What an app did in one second, for the curves of the dashboard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Second {
    /// Responses.
    pub requests: u64,
    /// Responses of class 5xx.
    pub errors: u64,
    /// 99th percentile of the time to the response head, in milliseconds; none without a request.
    pub p99_ms: Option<f64>,
    pub memory: u64,
    /// CPU time of the worker, in percent of one core.
    pub cpu_percent: f64,
}

/// What an app did in the seconds since a client's last request.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seconds {
    /// The number of the next second, to send with the next request.
    pub next: u64,
    /// Oldest first, as far as the history goes.
    pub seconds: Vec<Second>,
}

/// Remembers the last minutes of every app. Lives on the main thread.
#[derive(Debug, Default)]
pub(crate) struct Monitor(RefCell<BTreeMap<AppId, RateHistory>>);

#[derive(Debug)]
struct RateHistory {
    looks: u64,
    /// Oldest first.
    seen: VecDeque<CountsAt>,
    seconds: VecDeque<Second>,
    /// Oldest first. The first one is about a minute old.
    latencies: VecDeque<Snapshot>,
    latest: Snapshot,
}

#[derive(Debug, Clone, Copy)]
struct CountsAt {
    at: Instant,
    requests: u64,
    errors: u64,
    pid: Option<u32>,
    cpu: Duration,
}

impl Monitor {
    /// Samples every app. Call once in every [`LOOK`].
    pub(crate) fn look(&self, now: Instant, apps: Vec<AppCounts>) {
        let mut histories = self.0.borrow_mut();
        histories.retain(|app, _| apps.iter().any(|seen| seen.app == *app));
        for seen in apps {
            histories.entry(seen.app).or_insert_with(RateHistory::new).look(now, seen);
        }
    }

    /// The current rates of an app.
    pub(crate) fn rates(&self, app: AppId) -> Rates {
        self.0.borrow().get(&app).map(RateHistory::rates).unwrap_or_default()
    }

    /// What an app did in each second, from the number `from` on. An unknown number, as from another supervisor, gives the
    /// whole history.
    pub(crate) fn seconds(&self, app: AppId, from: u64) -> Seconds {
        self.0.borrow().get(&app).map(|history| history.seconds(from)).unwrap_or_default()
    }
}

impl RateHistory {
    fn new() -> Self {
        Self {
            looks: 0,
            seen: VecDeque::new(),
            seconds: VecDeque::new(),
            latencies: VecDeque::from([Snapshot::default()]),
            latest: Snapshot::default(),
        }
    }

    fn look(&mut self, now: Instant, AppCounts { totals, usage, pid, .. }: AppCounts) {
        let look =
            CountsAt { at: now, requests: totals.requests(), errors: totals.errors(), pid, cpu: usage.cpu };
        if let Some(last) = self.seen.back() {
            let p99 = totals.total.since(&self.latest).quantile(0.99);
            let cpu = if last.pid == pid { usage.cpu.saturating_sub(last.cpu) } else { Duration::ZERO };
            let seconds = now.duration_since(last.at).as_secs_f64();
            let percent = if seconds > 0.0 { 100.0 * cpu.as_secs_f64() / seconds } else { 0.0 };
            push(
                &mut self.seconds,
                HISTORY,
                Second {
                    requests: look.requests.saturating_sub(last.requests),
                    errors: look.errors.saturating_sub(last.errors),
                    p99_ms: p99.map(millis),
                    memory: usage.memory,
                    cpu_percent: (percent * 10.0).round() / 10.0,
                },
            );
        }
        self.latest = totals.total;
        self.looks += 1;
        if self.looks.is_multiple_of(LATENCY_EVERY) {
            push(&mut self.latencies, LATENCIES, self.latest.clone());
        }
        self.seen.push_back(look);
        while self.seen.get(1).is_some_and(|second| now.duration_since(second.at) >= RATE) {
            self.seen.pop_front();
        }
    }

    fn seconds(&self, from: u64) -> Seconds {
        let next = self.looks.saturating_sub(1);
        let first = next - self.seconds.len() as u64;
        let gone = if from > next { 0 } else { from.saturating_sub(first) };
        let gone = usize::try_from(gone).unwrap_or(usize::MAX);
        Seconds { next, seconds: self.seconds.iter().skip(gone).copied().collect() }
    }

    fn rates(&self) -> Rates {
        let (Some(first), Some(last)) = (self.seen.front(), self.seen.back()) else {
            return Rates::default();
        };
        let seconds = last.at.duration_since(first.at).as_secs_f64();
        let rate = |more: f64| if seconds > 0.0 { more / seconds } else { 0.0 };
        let recent = self.latencies.front().map(|before| self.latest.since(before)).unwrap_or_default();
        let same = self.seen.iter().find(|look| look.pid == last.pid).unwrap_or(last);
        let cpu = last.cpu.saturating_sub(same.cpu).as_secs_f64();
        let cpu_seconds = last.at.duration_since(same.at).as_secs_f64();
        Rates {
            requests_per_second: rate(last.requests.saturating_sub(first.requests) as f64),
            errors_per_second: rate(last.errors.saturating_sub(first.errors) as f64),
            p50_ms: recent.quantile(0.5).map(millis),
            p99_ms: recent.quantile(0.99).map(millis),
            cpu_percent: if cpu_seconds > 0.0 { 100.0 * cpu / cpu_seconds } else { 0.0 },
        }
    }
}

fn push<T>(queue: &mut VecDeque<T>, most: usize, value: T) {
    if queue.len() == most {
        queue.pop_front();
    }
    queue.push_back(value);
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::usage::Usage;
    use crate::telemetry::traffic::Traffic;

    #[test]
    fn rates_are_those_of_the_last_seconds() {
        let (mut history, traffic, begun) = (RateHistory::new(), Traffic::new(1), Instant::now());
        let counts = traffic.of_thread(0).unwrap();
        let app = AppId::default();
        let mut look = |second: u64, pid, cpu_ms| {
            let usage = Usage { memory: 7, cpu: Duration::from_millis(cpu_ms), ..Usage::default() };
            let seen = AppCounts { app, totals: traffic.totals(), usage, pid: Some(pid) };
            history.look(begun + Duration::from_secs(second), seen);
            history.rates()
        };
        assert_eq!(look(0, 1, 500), Rates::default());
        for second in 1..=200 {
            for _ in 0..30 {
                counts.response(if second % 2 == 0 { 200 } else { 500 });
                counts.answered(Duration::ZERO, Duration::from_millis(if second <= 100 { 100 } else { 10 }));
            }
            let rates = look(second, 1, 500 + second * 250);
            assert!((rates.requests_per_second - 30.0).abs() < 0.1 && (rates.cpu_percent - 25.0).abs() < 0.1);
        }
        let rates = look(201, 2, 40);
        assert!((rates.errors_per_second - 15.0).abs() < 4.0, "{rates:?}");
        // The slow requests are more than a minute old.
        assert!(rates.p99_ms.unwrap() < 12.0, "{rates:?}");
        // The CPU time of a new process starts at zero.
        assert!(rates.cpu_percent.abs() < 0.1, "{rates:?}");
        assert_eq!(history.seconds.len(), HISTORY);
        assert_eq!((history.seconds[0].requests, history.seconds[0].cpu_percent), (30, 25.0));
        let numbers = |from| {
            let Seconds { next, seconds } = history.seconds(from);
            (next, seconds.len())
        };
        assert_eq!(numbers(0), (201, HISTORY));
        assert_eq!(numbers(199), (201, 2));
        assert_eq!(numbers(201), (201, 0));
        assert_eq!(numbers(202), (201, HISTORY), "of another supervisor");
    }
}
