//! Rolls a worker that is well: starts the next one before stopping it.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use super::lifeline::ENDS;
use super::running::RunningWorker;
use super::{Action, AppPhase, AppTask, Outcome, ended};
use crate::apps::crashes::Remains;
use crate::config::{AppSpec, Environment};
use crate::model::change_error::ChangeError;
use crate::process::Worker;

impl AppTask {
    /// Starts the next worker while this one keeps running, and retires this one when the next is ready. This one stays if the
    /// start fails, or if a command makes the start pointless.
    pub(super) async fn roll(
        &mut self,
        mut running: RunningWorker,
        spec: Arc<AppSpec>,
        env: Option<Environment>,
        done: oneshot::Sender<Outcome>,
    ) -> AppPhase {
        let (mut begun, shared, log) = (Instant::now(), self.shared.clone(), self.log.clone());
        let (mut is_gone, is_reconfigured) = (false, *spec != *self.spec);
        let supersedes = |action: &Action| match action {
            // This starts the next worker again, with the configuration that is being applied.
            Action::Roll if is_reconfigured => false,
            action => spec.settings.development || supersedes(action, &spec),
        };
        // The new configuration still applies if the start is given up, unless a later command brings another one.
        let is_another = |action: &Action| matches!(action, Action::Configure(_) | Action::Adopt(_));
        if self.commands.waiting().any(supersedes) {
            let holds = is_reconfigured && !self.commands.waiting().any(is_another);
            self.superseded([done], holds.then_some(spec));
            return AppPhase::Running(running);
        }
        let mut waiting = vec![done];
        let mut start = pin!(Worker::start(&spec, env, &shared.spares, &log));
        let started = loop {
            tokio::select! {
                started = &mut start => break started,
                reason = running.ended(), if !is_gone => {
                    // Whatever ended it, requests wait for the next worker, which is already starting.
                    is_gone = true;
                    let remains = self.stage.report_end(&running, &reason).await;
                    let _ = self.note_end(&reason, remains).await;
                    self.shared.registry.starting(self.app);
                }
                action = self.commands.look() => match action {
                    // The files may have changed since the start began.
                    Action::Roll if is_reconfigured => {
                        waiting.extend(self.commands.take_last().map(|command| command.done));
                        start.set(Worker::start(&spec, None, &shared.spares, &log));
                        begun = Instant::now();
                    }
                    action if supersedes(action) => {
                        let holds = is_reconfigured && !is_another(action);
                        self.superseded(waiting, holds.then(|| spec.clone()));
                        return if is_gone { AppPhase::Starting } else { AppPhase::Running(running) };
                    }
                    Action::Start if !is_gone => {
                        answer(self.commands.take_last().map(|command| command.done), &Ok(false));
                    }
                    _ => {}
                },
                () = ended(&mut self.ending) => {
                    answer(waiting, &Err(ENDS));
                    return if is_gone { AppPhase::Ended } else { AppPhase::Running(running) };
                }
            }
        };
        match started {
            Ok(started) => {
                self.starts += 1;
                self.shared.registry.count_restart(self.app);
                self.configure(spec.clone());
                let replaces = (!is_gone).then_some(running.generation);
                let next = self.put_in_service(started, begun, replaces).await;
                if !is_gone {
                    self.stage.retire(running);
                }
                answer(waiting, &Ok(true));
                AppPhase::Running(next)
            }
            Err(failure) => {
                answer(waiting, &Err(ChangeError::Worker(failure.reason.clone())));
                if is_gone {
                    return self.after(&failure.reason, Remains::of_start(&failure)).await;
                }
                self.shared.registry.kept(self.app, &failure.reason);
                AppPhase::Running(running)
            }
        }
    }

    /// Gives up the next worker, because a later command makes it pointless. That command is carried out with the configuration
    /// `spec`, if there is one.
    fn superseded(
        &mut self,
        waiting: impl IntoIterator<Item = oneshot::Sender<Outcome>>,
        spec: Option<Arc<AppSpec>>,
    ) {
        let Some(spec) = spec.filter(|spec| !spec.settings.development) else {
            return answer(waiting, &Err(ChangeError::Superseded));
        };
        self.configure(spec);
        self.reads_env = true;
        answer(waiting, &Ok(false));
    }
}

/// Whether this command makes the worker that is being started with `spec` pointless.
fn supersedes(action: &Action, spec: &AppSpec) -> bool {
    match action {
        Action::Stop | Action::Restart | Action::Roll | Action::Break(_) | Action::Adopt(_) => true,
        Action::Configure(other) => **other != *spec,
        Action::Start => false,
    }
}

fn answer(waiting: impl IntoIterator<Item = oneshot::Sender<Outcome>>, outcome: &Outcome) {
    for done in waiting {
        let _ = done.send(outcome.clone());
    }
}
