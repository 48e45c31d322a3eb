//! How one worker takes the place of another that is well: start before stop.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use super::aftermath::remains;
use super::lifeline::ENDS;
use super::running::Running;
use super::{Action, Life, Outcome, Phase, ended};
use crate::config::{AppSpec, Environment};
use crate::worker::Worker;

impl Life {
    /// Starts the next worker beside this one, which goes when that is ready, and stays if that fails, or if something is asked
    /// for meanwhile that makes it pointless.
    pub(super) async fn roll(
        &mut self,
        mut running: Running,
        spec: Arc<AppSpec>,
        env: Option<Environment>,
        done: oneshot::Sender<Outcome>,
    ) -> Phase {
        let (begun, shared, log) = (Instant::now(), self.shared.clone(), self.log.clone());
        let pointless = || Err("something else was asked for before the new worker was ready".to_owned());
        let supersedes = |action: &Action| spec.development || supersedes(action, &spec);
        if self.commands.waiting().any(supersedes) {
            let _ = done.send(pointless());
            return Phase::Running(running);
        }
        let mut start = std::pin::pin!(Worker::start(&spec, env, &shared.spares, &log));
        let mut is_gone = false;
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
                action = self.commands.look() => if supersedes(action) {
                    let _ = done.send(pointless());
                    return if is_gone { Phase::Starting } else { Phase::Running(running) };
                },
                () = ended(&mut self.ending) => {
                    let _ = done.send(Err(ENDS.into()));
                    return if is_gone { Phase::Ended } else { Phase::Running(running) };
                }
            }
        };
        match started {
            Ok(started) => {
                self.starts += 1;
                self.shared.registry.count_restart(self.app);
                self.configure(spec.clone());
                let next = self.take_over(started, begun).await;
                if !is_gone {
                    self.stage.retire(running);
                }
                let _ = done.send(Ok(true));
                Phase::Running(next)
            }
            Err(failure) => {
                let _ = done.send(Err(failure.reason.to_string()));
                if is_gone {
                    return self.after(&failure.reason, remains(&failure)).await;
                }
                self.shared.registry.kept(self.app, &failure.reason);
                Phase::Running(running)
            }
        }
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
