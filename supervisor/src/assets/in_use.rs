//! What is known of the files of all apps, as long as somebody uses it. Configurations are read often, at each deploy of any app for one,
//! and files seldom change: those that have not are neither read nor held in memory a second time.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::index::AssetIndex;

/// The files of an app that are in use.
pub(super) trait Files: PartialEq {
    /// Returns whose they are, if the app has a usable name.
    fn app(&self) -> Option<&str>;

    fn index(&self) -> &AssetIndex;

    /// Returns what is left out or ignored, for people.
    fn notes(&self) -> &[String];
}

/// All files of one kind that are in use.
pub(super) struct InUse<T>(Mutex<Vec<Weak<T>>>);

/// What was in use of a folder or an app, the latest last.
pub(super) struct Before<T>(Vec<Arc<T>>);

impl<T: Files> InUse<T> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Returns what is in use of the files of this folder, or of this app.
    pub(super) fn before(&self, app: Option<&str>, folder: &Path) -> Before<T> {
        let in_use = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_meant =
            |files: &Arc<T>| files.index().folder() == folder || (app.is_some() && files.app() == app);
        Before(in_use.iter().filter_map(Weak::upgrade).filter(is_meant).collect())
    }

    /// Returns what was in use if it is the same. Otherwise this is, until the last reference to it is dropped.
    pub(super) fn enter(&self, files: T, before: Before<T>) -> Arc<T> {
        let same = before.0.into_iter().find(|known| **known == files && known.notes() == files.notes());
        same.unwrap_or_else(|| {
            let files = Arc::new(files);
            let mut in_use = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            in_use.retain(|files| files.strong_count() > 0);
            in_use.push(Arc::downgrade(&files));
            files
        })
    }
}

impl<T: Files> Before<T> {
    /// Returns what was read of the folder, or of another one of the app, such as that of its last deploy.
    pub(super) fn index(&self, folder: &Path) -> Option<&AssetIndex> {
        let of_folder = self.0.iter().rev().find(|files| files.index().folder() == folder);
        of_folder.or(self.0.last()).map(|files| files.index())
    }
}
