//! Why a folder cannot be copied, and what is wrong with the record of deploys.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::Flaw;
use crate::model::change_error::ChangeError;

/// Why a folder cannot be copied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// Something in it cannot be part of a deploy, or there is too much of it. Who deploys it can mend that.
    #[error("{0}")]
    Folder(String),
    /// Something in it cannot be read.
    #[error("cannot read {}: {error}; fix: make it readable for the supervisor's user, and deploy again", path.display())]
    Unreadable {
        /// What.
        path: PathBuf,
        /// What the kernel says.
        error: io::Error,
    },
    /// The copy cannot be written.
    #[error("cannot write {}: {error}; fix: make room or give the right to write there", path.display())]
    Unwritable {
        /// What.
        path: PathBuf,
        /// What the kernel says.
        error: io::Error,
    },
    /// Nobody waits for it any more.
    #[error("the supervisor is about to end")]
    Cancelled,
}

impl CopyError {
    pub(super) fn unreadable(path: &Path, error: io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), error }
    }

    pub(super) fn unwritable(path: &Path, error: io::Error) -> Self {
        Self::Unwritable { path: path.to_owned(), error }
    }
}

impl From<CopyError> for ChangeError {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Folder(what) => Self::Invalid(what),
            CopyError::Unreadable { .. } => Self::Invalid(error.to_string()),
            CopyError::Unwritable { .. } => Self::System(error.to_string()),
            CopyError::Cancelled => Self::Ending("the supervisor is about to end"),
        }
    }
}

/// What is wrong with the file that says what is deployed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// The kernel does not give it.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It is not JSON of this form.
    #[error("{0}")]
    Malformed(#[from] serde_json::Error),
    /// Another version of the executable has written it.
    #[error("has version {found}, and this executable knows only {known}")]
    Version {
        /// What it has.
        found: u32,
        /// What this one writes.
        known: u32,
    },
    /// A name in it is none.
    #[error("{}", .0.what())]
    Name(Flaw),
    /// Something is wrong with an app in it.
    #[error("app {0:?}: {1}")]
    App(String, String),
}
