//! Why a change that was asked for has not come about, and who can mend that.

use std::io;

use super::exit_reason::ExitReason;

/// Why a change that was asked for has not come about. The text is for people, and names the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChangeError {
    /// The order itself cannot be carried out: a path, a host or a value in it is wrong. Its sender can mend it.
    #[error("{0}")]
    Invalid(String),
    /// There is no app, deploy or kind of request of that name.
    #[error("{0}")]
    NotFound(String),
    /// It does not fit what there is now, such as an address that another app has.
    #[error("{0}")]
    Conflict(String),
    /// The configuration is wrong. Its author can mend it.
    #[error("{0}")]
    Config(String),
    /// The new worker has ended or was ended before it was ready, most often because of the app's code.
    #[error("{0}")]
    Worker(ExitReason),
    /// The app's worker has ended, and its policy wants no other.
    #[error("{0}; `restart` wants no other worker")]
    NotRestarted(ExitReason),
    /// A later order has taken the place of this one.
    #[error("something else was asked for before the new worker was ready")]
    Superseded,
    /// The app or the supervisor is about to end. Another supervisor may carry it out.
    #[error("{0}")]
    Ending(&'static str),
    /// The system is in the way: a disk, a right, the kernel.
    #[error("{0}")]
    System(String),
}

impl ChangeError {
    /// A socket could not be bound: it is taken, or the system refuses it.
    pub(crate) fn bind(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable => Self::Conflict(error.to_string()),
            _ => Self::System(error.to_string()),
        }
    }

    /// What it is for programs.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Conflict(_) => ErrorKind::Conflict,
            Self::Config(_) => ErrorKind::Config,
            Self::Worker(ExitReason::SpawnFailed(_)) | Self::System(_) => ErrorKind::System,
            Self::Worker(_) | Self::NotRestarted(_) => ErrorKind::App,
            Self::Superseded => ErrorKind::Superseded,
            Self::Ending(_) => ErrorKind::Ending,
        }
    }
}

/// The kinds of errors that the control API answers, by who can mend them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The request is wrong (400).
    Invalid,
    /// It may be asked for over the control socket only (403).
    Forbidden,
    /// There is no such path, app, deploy or kind of request (404).
    NotFound,
    /// The path takes another method (405).
    Method,
    /// It does not fit what there is now (409).
    Conflict,
    /// The configuration is wrong (409).
    Config,
    /// The app cannot be run (409).
    App,
    /// A later order has taken its place (409).
    Superseded,
    /// The app or the supervisor is about to end (409).
    Ending,
    /// The system is in the way (500).
    System,
    /// A supervisor of another version says something else, or nothing.
    #[default]
    #[serde(other)]
    Unknown,
}
