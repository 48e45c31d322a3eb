//! An app whose files are broken, as somebody knows who follows them: its clients are told, in place of an older answer.

use std::time::{Duration, Instant};

use tokio::sync::oneshot::Sender;

use super::{AppPhase, AppTask, Outcome};
use crate::edge::commands::Unavailable;

/// Until when it is left alone unless it is told otherwise: until then somebody will have saved a file.
const UNTIL_TOLD: Duration = Duration::from_secs(365 * 24 * 3600);

impl AppTask {
    /// Has every request refused with what is wrong, until the app is told to do something.
    pub(super) async fn broken(&mut self, why: String, done: Sender<Outcome>) -> AppPhase {
        self.waiting.push(done);
        self.shared.registry.broken(self.app, &why);
        self.shared.io_threads.unavailable(self.app, Unavailable::NotLoaded(why.into())).await;
        self.answer(&Ok(true));
        AppPhase::Resting(Instant::now() + UNTIL_TOLD)
    }
}
