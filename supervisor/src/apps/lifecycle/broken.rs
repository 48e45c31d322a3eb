//! Handles an app whose files are broken, as reported by whoever watches them. Clients get that error in place of an older
//! answer.

use std::time::Instant;

use tokio::sync::oneshot::Sender;

use super::{AppPhase, AppTask, Outcome, UNTIL_TOLD};
use crate::edge::commands::Unavailable;

impl AppTask {
    /// Refuses every request with the reason `why`, until another command arrives.
    pub(super) async fn broken(&mut self, why: String, done: Sender<Outcome>) -> AppPhase {
        self.waiting.push(done);
        self.shared.registry.broken(self.app, &why);
        self.shared.io_threads.unavailable(self.app, Unavailable::NotLoaded(why.into())).await;
        self.answer(&Ok(true));
        AppPhase::Resting(Instant::now() + UNTIL_TOLD)
    }
}
