//! Deploys: apps served from copies of folders, which outlive a restart of the supervisor.
//!
//! - [`copy`]: a folder's contents, their digest, and a copy of them.
//! - [`store`]: the copies in the state folder.
//! - [`state`]: which app is served from which copy, and was before.
//!
//! A state folder belongs to one supervisor at a time. How an app is switched from one folder to another is in
//! [`crate::ops::operator`].

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
use state::DeployState;
use store::{Store, Stored};

/// The file by which a supervisor holds a state folder.
const LOCK: &str = "lock";

/// The deploys of a state folder, or why there is none, for people.
pub(crate) type Available = Result<Deploys, String>;

/// The deploys of a state folder. Lives on the main thread.
#[derive(Debug)]
pub(crate) struct Deploys {
    folder: PathBuf,
    store: Store,
    state: RefCell<DeployState>,
    /// Held while copies are made or deleted.
    copying: Mutex<()>,
    /// Whether there may be copies that nobody needs.
    is_untidy: Cell<bool>,
    /// Unlocked by the kernel when this process ends, however it does.
    lock: File,
    /// Whether another supervisor may hold the folder now.
    is_let_go: Cell<bool>,
}

impl Deploys {
    /// Opens a state folder. One that nobody has asked for may be impossible.
    ///
    /// # Errors
    /// If it was asked for and cannot be used, or if what is in it is broken.
    pub(crate) fn open(dir: Option<&StateDir>) -> Result<Available, BrokenState> {
        let Some(StateDir { path, is_asked_for }) = dir else {
            return Ok(Err("there is no folder for them".into()));
        };
        let lock = match lock(path) {
            Ok(lock) => lock,
            Err(error) if *is_asked_for => {
                let fix = "stop the other supervisor, or name another folder with `state_dir`";
                let flaw = Flaw::new(format!("cannot be used: {error}"), fix);
                return Err(BrokenState { place: path.display().to_string(), flaw });
            }
            Err(error) => return Ok(Err(format!("{} cannot be used: {error}", path.display()))),
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
            is_untidy: Cell::new(true),
            lock,
            is_let_go: Cell::new(false),
        }))
    }

    /// What is deployed.
    pub(crate) fn state(&self) -> DeployState {
        self.state.borrow().clone()
    }

    /// The apps of a state, for the configuration.
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

    /// Whether the copy is there that an app of this state is served from.
    pub(crate) fn has_copy(&self, state: &DeployState, name: &AppName) -> bool {
        state.apps.get(name).is_some_and(|entry| self.store.path(name, &entry.current.digest).is_dir())
    }

    /// Waits until nobody makes or deletes copies; while the guard lives, nobody else does.
    ///
    /// # Errors
    /// If another supervisor has taken over.
    pub(crate) async fn hold(&self) -> Result<MutexGuard<'_, ()>, ChangeError> {
        let held = self.copying.lock().await;
        if self.is_let_go.get() {
            return Err(ChangeError::Ending(
                "another supervisor has taken over from this one; fix: try again",
            ));
        }
        Ok(held)
    }

    /// Lets another supervisor hold the folder. Nothing is deployed while the guard lives, and after it unless
    /// [`Self::take_back`] was called.
    ///
    /// # Errors
    /// As of [`Self::hold`].
    pub(crate) async fn let_go(&self) -> Result<MutexGuard<'_, ()>, ChangeError> {
        let held = self.hold().await?;
        self.lock.unlock().map_err(|error| ChangeError::System(error.to_string()))?;
        self.is_let_go.set(true);
        Ok(held)
    }

    /// Holds the folder again, if nobody else does.
    pub(crate) fn take_back(&self) {
        if self.is_let_go.get() && self.lock.try_lock().is_ok() {
            self.is_let_go.set(false);
        }
    }

    /// Copies a folder, on a thread of its own. What is dropped before it is done leaves nothing behind.
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
        // Whatever comes of it, an earlier copy may not be needed any more.
        self.is_untidy.set(true);
        let copied = tokio::task::spawn_blocking(move || store.put(&name, &root, &is_cancelled)).await;
        Ok(copied.map_err(|error| ChangeError::System(error.to_string()))??)
    }

    /// Makes `next` what is deployed.
    ///
    /// # Errors
    /// If it cannot be written; then nothing has changed.
    pub(crate) async fn commit(&self, next: DeployState) -> Result<(), ChangeError> {
        let (folder, written) = (self.folder.clone(), next.clone());
        let done = tokio::task::spawn_blocking(move || written.write(&folder)).await;
        let done = done.map_err(io::Error::other).flatten();
        done.map_err(|error| unwritable(&self.folder.join(state::FILE), &error))?;
        *self.state.borrow_mut() = next;
        self.is_untidy.set(true);
        Ok(())
    }

    /// Deletes the copies that no deploy names and no worker uses. Those that a worker uses still are left for the next time.
    pub(crate) async fn tidy(&self, _held: &MutexGuard<'_, ()>, is_used: impl Fn(&Path) -> bool) {
        if !self.is_untidy.replace(false) {
            return;
        }
        let mut kept = HashSet::new();
        for (name, entry) in &self.state.borrow().apps {
            kept.extend(entry.deploys().map(|deploy| self.store.path(name, &deploy.digest)));
        }
        let (used, unused): (HashSet<_>, HashSet<_>) =
            self.store.all().into_iter().filter(|copy| !kept.contains(copy)).partition(|copy| is_used(copy));
        self.is_untidy.set(!used.is_empty());
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

/// Makes the folder, and holds it.
fn lock(folder: &Path) -> io::Result<File> {
    make_private_folder(folder)?;
    let file = File::options().create(true).append(true).open(folder.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::other("another supervisor uses it")),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Ends a copy when dropped.
#[derive(Default)]
struct Cancel(Arc<AtomicBool>);

impl Drop for Cancel {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
