//! Errors of copying a folder, and of reading `apps.json`.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::Flaw;
use crate::model::change_error::ChangeError;

/// Why a supervisor keeps no deploys.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoDeploys {
    /// The configuration was not read as far as its state folder.
    #[error("none were asked for")]
    NotAsked,
    /// The supervisor is one of `dev`, which serves the folder itself.
    #[error("`dev` keeps none")]
    Dev,
    /// The configuration turns them off, or the system has no usual place for them.
    #[error("there is no folder for them")]
    NoFolder,
    /// The usual folder cannot be used.
    #[error("{} cannot be used: {error}", path.display())]
    Unusable {
        path: PathBuf,
        /// Why it cannot be created or locked.
        #[source]
        error: io::Error,
    },
}

/// Why a folder cannot be copied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// Its contents cannot be deployed, or exceed a limit. The deployer can fix that.
    #[error("{0}")]
    Folder(String),
    /// A file or folder in it cannot be read.
    #[error("cannot read {}: {error}; fix: make it readable for the supervisor's user, and deploy again", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    /// The copy cannot be written.
    #[error("cannot write {}: {error}; fix: make room or give the right to write there", path.display())]
    Unwritable { path: PathBuf, error: io::Error },
    /// The caller no longer waits for the copy.
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

/// Why `apps.json` cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It is not JSON, or its structure is unknown.
    #[error("{0}")]
    Malformed(#[from] serde_json::Error),
    /// It has an unknown format version.
    #[error("has version {found}, and this executable knows only {known}")]
    Version {
        /// Its version.
        found: u32,
        /// The version that this executable writes.
        known: u32,
    },
    /// It contains an invalid app name.
    #[error("{}", .0.what())]
    Name(Flaw),
    /// An app in it is invalid: name and reason.
    #[error("app {0:?}: {1}")]
    App(String, #[source] EntryError),
}

/// Text that is no digest.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no digest (64 hexadecimal digits)")]
pub(crate) struct DigestError(pub(super) String);

/// What is wrong with one app in the record of deploys.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EntryError {
    /// A host cannot be read.
    #[error("{0}")]
    Host(Flaw),
    /// A digest cannot be read.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// A time cannot be read.
    #[error("{0:?} is no time such as 2026-01-31T12:00:00Z")]
    Time(String),
}
