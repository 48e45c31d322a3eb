//! Builds what operators and metrics see of an app: its status and its counts.

use std::time::{Duration, Instant};

use super::crons::CronRecord;
use super::{AppRecord, milliseconds};
use crate::api::status::{AppStatus, AssetsStatus, Rates};
use crate::model::ids::AppId;
use crate::telemetry::seen::{AppCounts, Gauges};

/// A worker that has not answered a ping for this long is shown as busy: its JavaScript has not returned to the event loop.
const BUSY: Duration = Duration::from_secs(1);

impl AppRecord {
    pub(super) fn seen(&self, app: AppId) -> AppCounts {
        AppCounts { app, totals: self.traffic.totals(), usage: self.workers.usage(), pid: self.pid() }
    }

    pub(super) fn gauges(&self, app: AppId) -> Gauges {
        Gauges {
            name: self.spec.name.to_string(),
            state: self.state,
            in_flight: self.traffic.in_flight(),
            max_in_flight: self.spec.limits.max_in_flight,
            websockets: self.traffic.sockets(),
            max_websockets: self.spec.limits.max_websockets,
            waiting: self.traffic.waiting(),
            buffered: self.traffic.buffered(),
            max_buffered: self.spec.limits.max_buffered,
            max_blocking: self.spec.limits.max_blocking,
            max_outbound: self.spec.limits.max_outbound,
            max_queue: self.spec.limits.max_queue,
            starts: self.starts.all(),
            ends: self.ends.clone(),
            stats: self.workers.stats(),
            assets: self.assets(),
            crons: self.crons.iter().map(CronRecord::gauges).collect(),
            seen: self.seen(app),
        }
    }

    pub(super) fn status(&self, rates: Rates) -> AppStatus {
        let totals = self.traffic.totals();
        let (stats, usage) = (self.workers.stats(), self.workers.usage());
        AppStatus {
            app: self.spec.name.to_string(),
            state: self.state,
            pid: self.pid(),
            uptime_seconds: self.workers.latest().map(|worker| worker.since.elapsed().as_secs()),
            in_flight: self.traffic.in_flight(),
            websockets: self.traffic.sockets(),
            crashes: self.crashes,
            failed_starts: self.failed_starts,
            restarts: self.starts.on_purpose(),
            deploys: self.starts.deploys(),
            last_exit: self.last_exit.as_ref().map(|(reason, _)| reason.to_string()),
            last_exit_at: self
                .last_exit
                .as_ref()
                .map(|(_, at)| humantime::format_rfc3339_millis(*at).to_string()),
            problem: self.problem.as_deref().map(str::to_owned),
            waits_for_turn: self.waits_for_turn,
            retry_in_ms: self.retry.map(|at| milliseconds(at.saturating_duration_since(Instant::now()))),
            busy_ms: self.workers.unanswered().filter(|busy| *busy >= BUSY).map(milliseconds),
            heap_used: stats.heap_used,
            heap_limit: stats.heap_limit,
            memory: usage.memory,
            memory_limit: self.spec.limits.memory,
            rss: usage.rss,
            cpu_seconds: usage.cpu.as_secs_f64(),
            requests: totals.requests(),
            errors: totals.errors(),
            rates,
            listen: self.spec.shown_listen(self.address),
            hosts: self.spec.hosts.iter().map(ToString::to_string).collect(),
            crons: self.crons.iter().map(CronRecord::status).collect(),
            assets: self.assets(),
        }
    }

    fn assets(&self) -> Option<AssetsStatus> {
        let of_bucket = self.spec.bucket.as_ref().map(|bucket| bucket.index());
        let indexes = || self.spec.assets.as_ref().map(|assets| assets.index()).into_iter().chain(of_bucket);
        indexes().next()?;
        Some(AssetsStatus {
            files: indexes().map(|index| index.len()).sum(),
            memory: indexes().map(|index| index.kept()).sum(),
        })
    }
}
