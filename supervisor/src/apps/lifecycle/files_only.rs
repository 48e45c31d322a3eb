//! An app of static files alone. It has no worker: the I/O threads answer all its requests.

use super::{Action, AppCommand, AppPhase, AppTask, ended};

impl AppTask {
    /// Makes the app ready, although it has no worker.
    pub(super) async fn serve_files(&mut self) -> AppPhase {
        self.shared.registry.starting(self.app);
        // Also ends an earlier stop.
        self.shared.io_threads.files_only(self.app, &self.spec).await;
        self.shared.registry.ready_without_worker(self.app);
        self.shared.tend_spares();
        self.answer(&Ok(true));
        AppPhase::FilesOnly
    }

    /// Waits for a command that stops the app or gives it code.
    pub(super) async fn files_only(&mut self) -> AppPhase {
        tokio::select! {
            () = ended(&mut self.ending) => AppPhase::Ended,
            AppCommand { action, done } = self.commands.next() => match action {
                Action::Stop => self.stop_without_worker(done).await,
                Action::Configure(spec) => {
                    let has_worker = spec.has_worker() || spec.fault.is_some();
                    self.configure_idle(spec, done).await;
                    if !has_worker {
                        return AppPhase::FilesOnly;
                    }
                    self.shared.registry.stopped(self.app);
                    AppPhase::Starting
                }
                Action::Adopt(adoption) => AppPhase::Running(self.adopt(*adoption, None, Some(done)).await),
                Action::Break(why) => self.broken(why, done).await,
                // There is nothing to start.
                Action::Start | Action::Restart | Action::Roll => {
                    let _ = done.send(Ok(false));
                    AppPhase::FilesOnly
                }
            },
        }
    }
}
