//! Counts how many workers were started after an app's first, by reason.

/// How many workers were started after the first, by reason.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Starts {
    /// Whether the last worker exited unexpectedly and no other was started since.
    is_after_crash: bool,
    after_crash: u64,
    deploys: u64,
    on_purpose: u64,
}

impl Starts {
    /// Records whether the next start follows a crash.
    pub(crate) fn note_crash(&mut self, has_crashed: bool) {
        self.is_after_crash = has_crashed;
    }

    /// Counts the start of another worker.
    pub(crate) fn count(&mut self) {
        match std::mem::take(&mut self.is_after_crash) {
            true => self.after_crash += 1,
            false => self.on_purpose += 1,
        }
    }

    /// Counts the start of another worker by a deploy or a rollback.
    pub(crate) fn count_deploy(&mut self) {
        self.is_after_crash = false;
        self.deploys += 1;
    }

    /// Returns the number of all starts.
    pub(crate) fn all(&self) -> u64 {
        self.after_crash + self.deploys + self.on_purpose
    }

    /// Returns the number of starts by deploys and rollbacks.
    pub(crate) fn deploys(&self) -> u64 {
        self.deploys
    }

    /// Returns the number of starts by a command, a change of the configuration, or recycling.
    pub(crate) fn on_purpose(&self) -> u64 {
        self.on_purpose
    }
}
