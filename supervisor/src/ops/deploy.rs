//! Deploys: apps that are served from copies of folders. They survive a restart of the supervisor.
//!
//! - [`copy`]: scans, hashes and copies a folder.
//! - [`store`]: the copies in the state folder.
//! - [`state`]: which app is served from which copy, and its earlier deploys.
//!
//! A state folder belongs to one supervisor at a time. [`crate::ops::operator`] switches an app from one folder to another.

pub(crate) mod copy;
pub(crate) mod error;
pub(crate) mod state;
pub(crate) mod store;

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Mutex, MutexGuard};
use tracing::warn;

use crate::config::{AppName, BrokenState, Deployed, Flaw, StateDir, make_private_folder};
use crate::model::change_error::ChangeError;
use error::NoDeploys;
use state::DeployState;
use store::{Store, Stored};

/// The lock file of a state folder.
const LOCK: &str = "lock";

/// The deploys, or why they are not available, for people.
pub(crate) type Available = Result<Deploys, NoDeploys>;

/// The deploys of a state folder. Lives on the main thread.
#[derive(Debug)]
pub(crate) struct Deploys {
    folder: PathBuf,
    store: Store,
    state: RefCell<DeployState>,
    /// Locked while copies are created or deleted.
    copying: Mutex<()>,
    /// Whether there may be unused copies.
    may_have_unused: Cell<bool>,
    /// The lock file. The kernel unlocks it when this process ends, in whatever way.
    lock: File,
    /// Whether the lock was released for a successor.
    is_released: Cell<bool>,
}

impl Deploys {
    /// Opens and locks a state folder. If the default folder cannot be used, the inner result says why.
    ///
    /// # Errors
    /// If a configured folder cannot be used, or if its contents are invalid.
    pub(crate) fn open(dir: Option<&StateDir>) -> Result<Available, BrokenState> {
        let Some(StateDir { path, is_asked_for }) = dir else {
            return Ok(Err(NoDeploys::NoFolder));
        };
        let lock = match lock(path) {
            Ok(lock) => lock,
            Err(error) if *is_asked_for => {
                let fix = "stop the other supervisor, or name another folder with `state_dir`";
                let flaw = Flaw::new(format!("cannot be used: {error}"), fix);
                return Err(BrokenState { place: path.display().to_string(), flaw });
            }
            Err(error) => return Ok(Err(NoDeploys::Unusable { path: path.clone(), error })),
        };
        let broken = |what: String, fix: &str| BrokenState {
            place: path.join(state::FILE).display().to_string(),
            flaw: Flaw::new(what, fix),
        };
        let fix = "mend it, or move it away and deploy again";
        let state = DeployState::read(path).map_err(|what| broken(what.to_string(), fix))?;
        let store = Store::new(path);
        Ok(Ok(Self {
            folder: path.clone(),
            store,
            state: RefCell::new(state),
            copying: Mutex::default(),
            may_have_unused: Cell::new(true),
            lock,
            is_released: Cell::new(false),
        }))
    }

    /// A copy of the current state.
    pub(crate) fn state(&self) -> DeployState {
        self.state.borrow().clone()
    }

    /// The apps of a state, as the configuration takes them.
    pub(crate) fn deployed(&self, state: &DeployState) -> Vec<Deployed> {
        let file = self.folder.join(state::FILE);
        let deployed = state.apps.iter().map(|(name, entry)| Deployed {
            name: name.clone(),
            path: self.store.path(name, &entry.current.digest),
            site: entry.site.clone(),
            place: format!("{}: {name}", file.display()),
        });
        deployed.collect()
    }

    /// Whether the copy exists that this state serves the app from.
    pub(crate) fn has_copy(&self, state: &DeployState, name: &AppName) -> bool {
        state.apps.get(name).is_some_and(|entry| self.store.path(name, &entry.current.digest).is_dir())
    }

    /// Locks the store against other tasks that create or delete copies.
    ///
    /// # Errors
    /// If a successor has taken over.
    pub(crate) async fn hold(&self) -> Result<MutexGuard<'_, ()>, ChangeError> {
        let held = self.copying.lock().await;
        if self.is_released.get() {
            return Err(ChangeError::Ending(
                "another supervisor has taken over from this one; fix: try again",
            ));
        }
        Ok(held)
    }

    /// Releases the folder for a successor. Nothing can be deployed while the guard lives, nor afterwards unless
    /// [`Self::reacquire`] succeeds.
    ///
    /// # Errors
    /// As [`Self::hold`].
    pub(crate) async fn release(&self) -> Result<MutexGuard<'_, ()>, ChangeError> {
        let held = self.hold().await?;
        self.lock.unlock().map_err(|error| ChangeError::System(error.to_string()))?;
        self.is_released.set(true);
        Ok(held)
    }

    /// Locks the folder again after [`Self::release`], unless another supervisor holds it.
    pub(crate) fn reacquire(&self) {
        if self.is_released.get() && self.lock.try_lock().is_ok() {
            self.is_released.set(false);
        }
    }

    /// Copies a folder into the store, on a blocking thread. If the future is dropped, the copy is cancelled and removed.
    ///
    /// # Errors
    /// What cannot be copied.
    pub(crate) async fn copy(
        &self,
        _held: &MutexGuard<'_, ()>,
        name: &AppName,
        root: &Path,
    ) -> Result<Stored, ChangeError> {
        let cancel = Cancel::default();
        let (store, name, root, is_cancelled) =
            (self.store.clone(), name.clone(), root.to_owned(), cancel.0.clone());
        // Whatever the outcome, an earlier copy may be unused now.
        self.may_have_unused.set(true);
        let copied = tokio::task::spawn_blocking(move || store.put(&name, &root, &is_cancelled)).await;
        Ok(copied.map_err(|error| ChangeError::System(error.to_string()))??)
    }

    /// Writes `next` to disk, and makes it the current state.
    ///
    /// # Errors
    /// If it cannot be written. Then nothing has changed.
    pub(crate) async fn commit(&self, next: DeployState) -> Result<(), ChangeError> {
        let (folder, written) = (self.folder.clone(), next.clone());
        let done = tokio::task::spawn_blocking(move || written.write(&folder)).await;
        let done = done.map_err(io::Error::other).flatten();
        done.map_err(|error| unwritable(&self.folder.join(state::FILE), &error))?;
        *self.state.borrow_mut() = next;
        self.may_have_unused.set(true);
        Ok(())
    }

    /// Deletes copies that no deploy refers to. Those that a worker still uses are kept until a later call.
    pub(crate) async fn delete_unused(&self, _held: &MutexGuard<'_, ()>, is_used: impl Fn(&Path) -> bool) {
        if !self.may_have_unused.replace(false) {
            return;
        }
        let mut kept = HashSet::new();
        for (name, entry) in &self.state.borrow().apps {
            kept.extend(entry.deploys().map(|deploy| self.store.path(name, &deploy.digest)));
        }
        let (used, unused): (HashSet<_>, HashSet<_>) =
            self.store.all().into_iter().filter(|copy| !kept.contains(copy)).partition(|copy| is_used(copy));
        self.may_have_unused.set(!used.is_empty());
        let store = self.store.clone();
        let done = tokio::task::spawn_blocking(move || store.delete(&unused)).await;
        if let Err(error) = done.map_err(io::Error::other).flatten() {
            warn!(%error, folder = %self.folder.display(), "deploys that nobody needs cannot be deleted");
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> ChangeError {
    ChangeError::System(format!("cannot write {}: {error}", path.display()))
}

/// Creates and locks the folder.
fn lock(folder: &Path) -> io::Result<File> {
    make_private_folder(folder)?;
    let file = File::options().create(true).append(true).open(folder.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::other("another supervisor uses it")),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Cancels a copy on drop.
#[derive(Default)]
struct Cancel(Arc<AtomicBool>);

impl Drop for Cancel {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
