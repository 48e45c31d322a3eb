//! The time up to which each cron was looked after, in the state folder, so that a run which is missed while no supervisor runs
//! is made up.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tracing::warn;

/// File name in the state folder.
const FILE: &str = "crons.json";

/// The time at which each cron of each app was last due, or at which it was new, in seconds since 1970: by app, then by expression.
pub(crate) type LastDue = BTreeMap<String, BTreeMap<String, u64>>;

/// The file as JSON. An object, so that it may get further fields.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct LastDueFile {
    last_due: LastDue,
}

/// The times, and the file for them, if there is a state folder.
#[derive(Debug, Default)]
pub(super) struct LastDueStore {
    folder: Option<PathBuf>,
    known: RefCell<LastDue>,
    /// How many times were set.
    changes: Cell<u64>,
    /// How many changes are in the file. Held while it is written, so that the latest times are in it at the end.
    written: Mutex<u64>,
    has_failed: Cell<bool>,
}

impl LastDueStore {
    /// Reads the file in the state folder, if there is one.
    pub(super) fn open(folder: Option<PathBuf>) -> Self {
        let known = folder.as_deref().map(read).unwrap_or_default();
        Self { folder, known: RefCell::new(known), ..Self::default() }
    }

    /// Returns when a cron was last due, if that is known.
    pub(super) fn last(&self, app: &str, cron: &str) -> Option<SystemTime> {
        let seconds = *self.known.borrow().get(app)?.get(cron)?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    }

    pub(super) fn all(&self) -> LastDue {
        self.known.borrow().clone()
    }

    /// Takes over the times of the predecessor.
    pub(super) fn inherit(&self, before: LastDue) {
        let mut known = self.known.borrow_mut();
        for (app, crons) in before {
            known.entry(app).or_default().extend(crons);
        }
    }

    /// Forgets the crons for which `is_kept`, which gets the app and the expression, is false.
    pub(super) fn retain(&self, is_kept: impl Fn(&str, &str) -> bool) {
        let mut known = self.known.borrow_mut();
        known.retain(|app, crons| {
            crons.retain(|cron, _| is_kept(app, cron));
            !crons.is_empty()
        });
    }

    /// Sets when a cron was last due, and writes the file.
    pub(super) async fn set(&self, app: &str, cron: &str, time: SystemTime) {
        let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        self.known.borrow_mut().entry(app.to_owned()).or_default().insert(cron.to_owned(), seconds);
        let change = self.changes.get() + 1;
        self.changes.set(change);
        let Some(folder) = self.folder.clone() else { return };
        let mut written = self.written.lock().await;
        // Of many crons that are due at the same time, one writes for all that have waited.
        if *written >= change {
            return;
        }
        *written = self.changes.get();
        let contents = LastDueFile { last_due: self.all() };
        let result = tokio::task::spawn_blocking(move || write(&folder, &contents)).await;
        let error = result.map_err(io::Error::other).and_then(|written| written).err();
        // One line when it begins to fail is enough.
        let had_failed = self.has_failed.replace(error.is_some());
        if let Some(error) = error.filter(|_| !had_failed) {
            let text =
                "cannot write when crons were due; runs that are missed during a restart are not made up";
            warn!(file = FILE, %error, "{text}");
        }
    }
}

fn read(folder: &Path) -> LastDue {
    let path = folder.join(FILE);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return LastDue::default(),
        Err(error) => {
            warn!(file = %path.display(), %error, "cannot read when crons were due");
            return LastDue::default();
        }
    };
    match serde_json::from_slice::<LastDueFile>(&text) {
        Ok(written) => written.last_due,
        Err(error) => {
            warn!(file = %path.display(), %error, "cannot read when crons were due");
            LastDue::default()
        }
    }
}

/// Replaces the file. A reader finds the old or the new contents.
fn write(folder: &Path, written: &LastDueFile) -> io::Result<()> {
    let temporary = folder.join(format!("{FILE}.new"));
    fs::write(&temporary, serde_json::to_vec_pretty(written)?)?;
    fs::rename(temporary, folder.join(FILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_due_outlives_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let open = || LastDueStore::open(Some(folder.path().to_owned()));
        let store = open();
        assert_eq!(store.last("app", "* * * * *"), None);
        store.set("app", "* * * * *", time).await;
        store.set("app", "0 * * * *", time + Duration::from_secs(60)).await;
        store.set("other", "* * * * *", time).await;
        let next = open();
        assert_eq!(next.last("app", "* * * * *"), Some(time));
        assert_eq!(next.last("app", "0 * * * *"), Some(time + Duration::from_secs(60)));
        assert_eq!(next.last("app", "1 * * * *"), None);
        next.retain(|app, cron| (app, cron) == ("app", "0 * * * *"));
        assert_eq!((next.last("app", "* * * * *"), next.all().len()), (None, 1));
        next.inherit(store.all());
        assert_eq!(next.last("app", "* * * * *"), Some(time));
        // Each returns once its own time is in the file, whichever of them has written it.
        let set = async |cron| {
            store.set("many", cron, time).await;
            assert_eq!(open().last("many", cron), Some(time));
        };
        tokio::join!(set("1 * * * *"), set("2 * * * *"), set("3 * * * *"));
        // A broken file is as good as none.
        fs::write(folder.path().join(FILE), "{").unwrap();
        assert_eq!(open().all(), LastDue::default());
    }
}
