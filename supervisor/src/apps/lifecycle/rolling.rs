//! How one worker takes the place of another that is well: start before stop.

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
    /// Starts the next worker beside this one, which goes when that is ready, and stays if that fails, or if something is asked
    /// for meanwhile that makes it pointless.
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
            // Starts again, under the configuration that is on its way.
            Action::Roll if is_reconfigured => false,
            action => spec.settings.development || supersedes(action, &spec),
        };
        // The configuration that it was to have holds all the same, unless there is another.
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
                    // Whatever it died of, its successor is on its way; requests wait for that.
                    is_gone = true;
                    let remains = self.stage.farewell(&running, &reason).await;
                    let _ = self.note_end(&reason, remains).await;
                    self.shared.registry.starting(self.app);
                }
                action = self.commands.look() => match action {
                    // Its files may have changed since.
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
                let next = self.take_over(started, begun, replaces).await;
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

    /// Nobody needs the next worker. What comes is carried out under this configuration, if any.
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

/// Whether nobody needs the worker that is about to live by `spec` when this is done.
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
