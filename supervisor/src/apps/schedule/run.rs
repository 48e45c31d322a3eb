//! One run of a `scheduled` handler: waits for a worker, sends the event, and says how it ended.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use nano_protocol::head::{NO_CRON, SCHEDULED};
use nano_protocol::message::RequestId;
use tokio::time::{Instant as Deadline, timeout, timeout_at};
use tracing::{info, warn};

use crate::api::schedule::RunReport;
use crate::apps::lifecycle::shared::AppsShared;
use crate::config::AppSpec;
use crate::model::ids::AppId;
use crate::model::kind::Kind;
use crate::model::run_outcome::RunOutcome;
use crate::process::events::{Ended, Unanswered};
use crate::telemetry::record::RunRecord;
use crate::telemetry::trace_context::TraceContext;
use crate::telemetry::traces;

/// How long a run waits for a worker of its app.
const PATIENCE: Duration = Duration::from_secs(60);

/// A run that is to begin.
pub(super) struct ScheduledRun<'a> {
    pub(super) shared: &'a Rc<AppsShared>,
    pub(super) app: AppId,
    pub(super) spec: Arc<AppSpec>,
    /// The cron expression that the handler gets.
    pub(super) cron: &'a str,
    pub(super) due: SystemTime,
    /// The probability with which its span is recorded.
    pub(super) sample: Option<f64>,
}

/// How a run has ended.
struct RunEnd {
    outcome: RunOutcome,
    has_no_retry: bool,
    why: Option<String>,
}

impl RunEnd {
    fn because(outcome: RunOutcome, why: impl Into<String>) -> Self {
        Self { outcome, has_no_retry: false, why: Some(why.into()).filter(|why| !why.is_empty()) }
    }
}

impl ScheduledRun<'_> {
    /// Runs the handler, and records how that ended.
    pub(super) async fn run(self) -> RunReport {
        let (id, began, began_at) = (RequestId(fastrand::u128(1..)), Instant::now(), SystemTime::now());
        let registry = &self.shared.registry;
        registry.run_began(self.app, self.cron, began_at);
        let RunEnd { outcome, has_no_retry, why } = self.end(id).await;
        let took = began.elapsed();
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let (app, cron, why_shown) = (&self.spec.name, self.cron, why.as_deref());
        match outcome {
            RunOutcome::Ok => info!(%app, request_id = %id, cron, %outcome, ms, "scheduled run"),
            _ => warn!(%app, request_id = %id, cron, %outcome, why = why_shown, ms, "scheduled run"),
        }
        if let Some(context) = self.sample.map(|sample| TraceContext::root(fastrand::f64() < sample))
            && context.is_sampled()
        {
            traces::finish_run(RunRecord {
                app: app.clone(),
                context,
                id,
                cron: cron.to_owned(),
                due: self.due,
                outcome,
                began: began_at,
                took,
            });
        }
        let shown = |time| humantime::format_rfc3339_millis(time).to_string();
        let report = RunReport {
            id: id.to_string(),
            cron: cron.to_owned(),
            scheduled_at: shown(self.due),
            began_at: shown(began_at),
            ms,
            outcome,
            no_retry: has_no_retry,
            why,
        };
        registry.run_ended(self.app, report.clone(), began_at);
        report
    }

    /// Has a worker run the handler, and another one if the first has ended before it began.
    async fn end(&self, id: RequestId) -> RunEnd {
        let name = if self.cron.is_empty() { NO_CRON } else { self.cron };
        let kind = Kind::of(SCHEDULED, name);
        let patience = Deadline::now() + PATIENCE;
        loop {
            if self.shared.quarantine.refused(self.app).contains(&kind) {
                let why = "such runs have ended workers; fix: see `quarantine`";
                return RunEnd::because(RunOutcome::Quarantined, why);
            }
            let Ok(target) = timeout_at(patience, self.shared.events.ready(self.app)).await else {
                let state = self.shared.registry.state(self.app).map(|state| state.to_string());
                let why = format!(
                    "no worker was ready for {}s: the app is {}",
                    PATIENCE.as_secs(),
                    state.unwrap_or_default()
                );
                return RunEnd::because(RunOutcome::NoWorker, why);
            };
            let delivery = self.shared.events.begin(target.worker, id, SCHEDULED, name);
            let limit = self.spec.limits.scheduled_timeout;
            let answer = timeout(limit, target.events.scheduled(id, self.cron, milliseconds(self.due))).await;
            match answer {
                Ok(Ok(Ended { is_ok, has_no_retry })) => {
                    delivery.end();
                    if is_ok {
                        target.was_useful();
                    }
                    let outcome = if is_ok { RunOutcome::Ok } else { RunOutcome::Exception };
                    return RunEnd { outcome, has_no_retry, why: None };
                }
                Ok(Err(Unanswered::Unreached)) => {
                    delivery.end();
                    self.shared.events.leave(target.worker);
                }
                Ok(Err(Unanswered::Died)) => {
                    return RunEnd::because(RunOutcome::Crashed, delivery.lost().await);
                }
                Ok(Err(Unanswered::Fatal(error))) => {
                    return RunEnd::because(RunOutcome::Crashed, error.message);
                }
                Ok(Err(Unanswered::Refused(why))) => {
                    delivery.end();
                    return RunEnd::because(RunOutcome::Exception, why);
                }
                Err(_) => {
                    delivery.give_up();
                    let limit = humantime::format_duration(limit);
                    let why = format!(
                        "the handler and its background work had not settled after {limit} (`scheduled_timeout`)"
                    );
                    return RunEnd::because(RunOutcome::TimedOut, why);
                }
            }
        }
    }
}

/// Returns the milliseconds since 1970.
fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use super::*;
    use crate::apps::lifecycle::turns::Turns;
    use crate::apps::registry::Registry;
    use crate::config::Sources;
    use crate::edge::commands::IoThreads;
    use crate::process::{Cgroups, Spares};
    use crate::telemetry::traffic::Traffic;

    #[tokio::test(start_paused = true)]
    async fn a_run_waits_for_a_worker_for_a_minute() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("index.js"), "").unwrap();
        let file = dir.path().join("nano.toml");
        fs::write(&file, "[apps.a]\npath = '.'\nport = 1\ncrons = ['* * * * *']").unwrap();
        let sources = Sources { config: Some(file), ..Sources::default() };
        let spec = Arc::new(sources.load_with(|_| Ok(Vec::new())).unwrap().apps.remove(0));
        let registry = Registry::default();
        let app = registry.add(spec.clone(), Arc::new(Traffic::new(0)));
        registry.set_crons(app, &spec.crons);
        let shared = Rc::new(AppsShared {
            turns: Turns::new(1, registry.clone()),
            registry,
            io_threads: IoThreads::new(0).0,
            orders: Default::default(),
            events: Rc::default(),
            crashes: Default::default(),
            spares: Spares::new(0, Cgroups::none()),
            quarantine: Default::default(),
            folders: Default::default(),
            drain_timeout: Cell::default(),
        });
        let (cron, due, began) = (spec.crons[0].as_str(), SystemTime::now(), Deadline::now());
        let run =
            ScheduledRun { shared: &shared, app, spec: spec.clone(), cron, due, sample: None }.run().await;
        assert_eq!((run.outcome, began.elapsed().as_secs()), (RunOutcome::NoWorker, 60));
        assert_eq!(run.why.as_deref(), Some("no worker was ready for 60s: the app is stopped"));
    }
}
