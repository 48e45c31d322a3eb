//! The states of an app, and the transitions between them.

use serde::{Deserialize, Serialize};

/// The state of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppState {
    /// A worker is being started.
    Starting,
    /// A worker takes requests.
    Ready,
    /// The worker finishes the requests in flight and gets no new ones.
    Draining,
    /// The worker ended without being told to.
    Crashed,
    /// The next worker starts after a pause.
    BackingOff,
    /// The app does not load or crashes in a loop; it is tried again only slowly.
    Failed,
    /// There is no worker, and none will be started.
    Stopped,
}

impl AppState {
    /// Whether an app is in an intended state. One that an operator stopped is.
    pub(crate) fn is_well(self) -> bool {
        matches!(self, Self::Ready | Self::Stopped)
    }

    /// Whether the transition to `next` is allowed.
    pub(crate) fn may_become(self, next: Self) -> bool {
        use AppState::{BackingOff, Crashed, Draining, Failed, Ready, Starting, Stopped};
        match next {
            Starting => matches!(self, Stopped | Draining | Crashed | BackingOff | Failed),
            // Ready to ready: a worker is replaced by one that is ready already.
            Ready => matches!(self, Starting | Ready),
            Draining => matches!(self, Ready | Starting),
            Crashed => matches!(self, Ready | Starting | Draining),
            BackingOff => self == Crashed,
            Failed => matches!(self, Crashed | Starting | Ready | BackingOff | Failed | Stopped | Draining),
            Stopped => self != Stopped,
        }
    }
}

impl AppState {
    /// As people and programs are shown it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::Crashed => "crashed",
            Self::BackingOff => "backing-off",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

impl std::fmt::Display for AppState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::AppState::{self, BackingOff, Crashed, Draining, Failed, Ready, Starting, Stopped};

    #[test]
    fn only_sensible_changes_of_state_are_allowed() {
        let life =
            [Stopped, Starting, Ready, Crashed, BackingOff, Starting, Failed, Starting, Ready, Draining];
        assert!(life.windows(2).all(|step| step[0].may_become(step[1])));
        for (from, to) in [(Stopped, Ready), (BackingOff, Ready), (Ready, Starting), (Failed, Crashed)] {
            assert!(!AppState::may_become(from, to), "{from} -> {to}");
        }
    }
}
