//! Adopts workers that were started outside the app's task. They are started there to see whether they become ready before the
//! app is changed.

use tokio::sync::oneshot::Sender;

use super::lifeline::{Adoption, Outcome};
use super::running::RunningWorker;
use super::{AppPhase, AppTask};

impl AppTask {
    /// Continues with a worker that was started elsewhere, and reports the outcome to `done`. The worker replaces the one of
    /// the generation `replaces`, if given.
    pub(super) async fn adopt(
        &mut self,
        adoption: Adoption,
        replaces: Option<u64>,
        done: Option<Sender<Outcome>>,
    ) -> RunningWorker {
        let Adoption { spec, started, begun } = adoption;
        self.waiting.extend(done);
        self.starts += 1;
        if self.starts > 1 {
            self.shared.registry.count_deploy(self.app);
        }
        self.reset_history().await;
        self.configure(spec);
        let running = self.put_in_service(started, begun, replaces).await;
        self.answer(&Ok(true));
        running
    }

    /// Does the same as [`Self::adopt`] when no worker runs or is being replaced.
    pub(super) async fn adopt_idle(&mut self, adoption: Adoption, done: Option<Sender<Outcome>>) -> AppPhase {
        self.shared.registry.starting(self.app);
        AppPhase::Running(self.adopt(adoption, None, done).await)
    }
}
