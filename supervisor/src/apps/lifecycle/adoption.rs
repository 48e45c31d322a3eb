//! Workers that somebody else has started for an app, to see whether they become ready before the app hears of them.

use tokio::sync::oneshot::Sender;

use super::lifeline::{Adoption, Outcome};
use super::running::RunningWorker;
use super::{AppPhase, AppTask};

impl AppTask {
    /// Goes on with a worker that somebody else has started, whom `done` tells, in place of another one if that is named.
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
        self.begin_anew().await;
        self.configure(spec);
        let running = self.take_over(started, begun, replaces).await;
        self.answer(&Ok(true));
        running
    }

    /// As [`Self::adopt`], where no worker is or is about to be.
    pub(super) async fn adopt_idle(&mut self, adoption: Adoption, done: Option<Sender<Outcome>>) -> AppPhase {
        self.shared.registry.starting(self.app);
        AppPhase::Running(self.adopt(adoption, None, done).await)
    }
}
