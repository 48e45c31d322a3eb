//! How many workers were started after an app's first, by why.

/// Workers after the first.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Starts {
    /// Whether the last worker has ended unasked, and none was started since.
    is_after_crash: bool,
    after_crash: u64,
    deploys: u64,
    on_purpose: u64,
}

impl Starts {
    /// The last worker has ended unasked, or that no longer matters.
    pub(crate) fn note_crash(&mut self, has_crashed: bool) {
        self.is_after_crash = has_crashed;
    }

    /// Another one is started.
    pub(crate) fn count(&mut self) {
        match std::mem::take(&mut self.is_after_crash) {
            true => self.after_crash += 1,
            false => self.on_purpose += 1,
        }
    }

    /// Another one was started by a deploy or a rollback.
    pub(crate) fn count_deploy(&mut self) {
        self.is_after_crash = false;
        self.deploys += 1;
    }

    /// All of them.
    pub(crate) fn all(&self) -> u64 {
        self.after_crash + self.deploys + self.on_purpose
    }

    /// Those of deploys and rollbacks.
    pub(crate) fn deploys(&self) -> u64 {
        self.deploys
    }

    /// Those that somebody wanted, by a command or a change of the configuration, or because the one before was worn.
    pub(crate) fn on_purpose(&self) -> u64 {
        self.on_purpose
    }
}
