//! What happens after a worker ends: the crash report, the decision of the restart policy, and resetting the history when the
//! code changes.

use std::time::Instant;

use tracing::warn;

use super::growth::Growth;
use super::shared::AppsShared;
use super::{AppPhase, AppTask};
use crate::api::crash::Crash;
use crate::apps::budget::Rank;
use crate::apps::crashes::Remains;
use crate::apps::restart::{Decision, End, RestartHistory, Worth};
use crate::config::AppSpec;
use crate::edge::commands::Unavailable;
use crate::model::change_error::ChangeError;
use crate::model::exit_reason::ExitReason;
use crate::model::ids::AppId;
use crate::model::kind::Kind;

impl AppsShared {
    /// Records the unexpected exit of a worker. Puts requests of the kind to blame on probation, and quarantines them if the
    /// app is configured so.
    pub(crate) async fn report(
        &self,
        app: AppId,
        spec: &AppSpec,
        reason: &ExitReason,
        remains: Remains,
    ) -> Crash {
        let name = spec.name.as_str();
        let crash = self.crashes.record(name, reason, remains);
        if let Some(kind) = crash.kind_to_blame() {
            self.io_threads.suspend(app, kind).await;
        }
        if spec.settings.quarantine
            && let Some(kinds) = self.quarantine.crashed(app, &self.crashes.of(Some(name)))
        {
            if let Some(Kind { method, path }) = kinds.last() {
                let text = "such requests have ended workers, and are refused from now on (`quarantine`)";
                warn!(app = name, method, path, "{text}");
            }
            self.io_threads.quarantine(app, kinds).await;
        }
        crash
    }

    /// Ends the quarantine and suspicion of one kind of an app's requests, or of all kinds if `kind` is `None`.
    pub(crate) async fn release(&self, app: AppId, kind: Option<&Kind>) {
        let latest = self.crashes.latest();
        let left = match kind {
            Some(kind) => self.quarantine.release(app, kind, latest),
            None => {
                self.quarantine.release_all(app, latest);
                [].into()
            }
        };
        self.io_threads.quarantine(app, left).await;
    }
}

impl AppTask {
    /// Records the end of a worker, and returns what the restart policy decides.
    pub(super) async fn note_end(&mut self, reason: &ExitReason, remains: Remains) -> Decision {
        let worth = match (reason, remains.worker) {
            (ExitReason::LoadFailed(_), _) => Worth::NotLoaded,
            (_, None) => Worth::NotReady,
            (_, Some(_)) => Worth::Ready {
                lasted: remains.ready,
                has_answered: remains.has_answered,
                // If a limit ended the worker while requests were running, one of them is to blame, even if it is unknown
                // which.
                is_blamed: remains.culprit().is_some()
                    || (is_of_requests(reason) && !remains.lost.is_empty()),
            },
        };
        let (worker, was_full) = (remains.worker, remains.was_full);
        let crash = self.shared.report(self.app, &self.spec, reason, remains).await;
        self.shared.registry.crashed(self.app, worker, reason, &crash);
        if matches!(
            reason,
            ExitReason::OutOfMemory | ExitReason::Memory { .. } | ExitReason::MemoryMax { .. }
        ) {
            self.growth.came_to_limit(was_full);
        }
        let end = End { is_clean: reason.is_clean(), worth };
        let decision = self.history.ended(&self.spec.settings.restart, end, fastrand::f64());
        let was_useful = matches!(decision, Decision::RestartAfter(pause) if pause.is_zero());
        if matches!(worth, Worth::Ready { .. }) {
            self.shared.spares.needed(self.spec.limits.heap);
        }
        self.rank = if was_useful { Rank::Useful } else { Rank::Young };
        decision
    }

    /// Resets what is known of crashes and growth. It applied to other code or another configuration.
    pub(super) async fn reset_history(&mut self) {
        self.history = RestartHistory::default();
        self.growth = Growth::default();
        self.release().await;
    }

    /// Ends the quarantine of all kinds of requests.
    pub(super) async fn release(&self) {
        self.shared.release(self.app, None).await;
    }

    /// Records the end of a worker, and returns the phase that the restart policy asks for.
    pub(super) async fn after(&mut self, reason: &ExitReason, remains: Remains) -> AppPhase {
        let decision = self.note_end(reason, remains).await;
        let registry = &self.shared.registry;
        match decision {
            Decision::Stay => {
                self.answer(&Err(ChangeError::NotRestarted(reason.clone())));
                self.stop().await
            }
            Decision::RestartAfter(pause) if pause.is_zero() => AppPhase::Resting(Instant::now()),
            Decision::RestartAfter(pause) => {
                let until = Instant::now() + pause;
                self.shared.io_threads.resting(self.app, until).await;
                registry.backing_off(self.app, pause);
                AppPhase::Resting(until)
            }
            Decision::GiveUp(pause) => {
                let until = Instant::now() + pause;
                let why = match reason {
                    ExitReason::LoadFailed(text) => Unavailable::NotLoaded(text.as_str().into()),
                    ExitReason::StartTimeout | ExitReason::Unhealthy(_) | ExitReason::SpawnFailed(_) => {
                        Unavailable::NotLoaded(reason.to_string().into())
                    }
                    _ => Unavailable::CrashLoop(reason.to_string().into(), until),
                };
                self.shared.io_threads.unavailable(self.app, why).await;
                registry.failed(self.app, reason, pause);
                self.answer(&Err(ChangeError::Worker(reason.clone())));
                self.shared.tend_spares();
                AppPhase::Resting(until)
            }
        }
    }
}

/// Whether this exit reason is caused by the requests that a worker runs, if it runs any.
fn is_of_requests(reason: &ExitReason) -> bool {
    matches!(
        reason,
        ExitReason::OutOfMemory
            | ExitReason::Memory { .. }
            | ExitReason::MemoryMax { .. }
            | ExitReason::Watchdog
            | ExitReason::CpuTime
    )
}
