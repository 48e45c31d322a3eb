//! Tracks which folders workers are served from. A folder that is in use must not be deleted.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tokio::sync::Notify;

/// The folders in use, with the number of workers that use each. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folders(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    used: RefCell<HashMap<PathBuf, usize>>,
    released: Notify,
}

impl Folders {
    /// Marks a folder as used by a worker until the returned guard is dropped.
    pub(crate) fn hold(&self, folder: &Path) -> HeldFolder {
        *self.0.used.borrow_mut().entry(folder.to_owned()).or_default() += 1;
        HeldFolder { folders: self.clone(), folder: folder.to_owned() }
    }

    /// Returns whether any worker uses this folder.
    pub(crate) fn is_held(&self, folder: &Path) -> bool {
        self.0.used.borrow().contains_key(folder)
    }

    /// Waits until a folder is no longer in use. A release between two calls is not missed.
    pub(crate) async fn released(&self) {
        self.0.released.notified().await;
    }
}

/// A guard for a worker's use of a folder. The folder is released when it is dropped.
#[derive(Debug)]
pub(crate) struct HeldFolder {
    folders: Folders,
    folder: PathBuf,
}

impl Drop for HeldFolder {
    fn drop(&mut self) {
        let mut used = self.folders.0.used.borrow_mut();
        if let Some(count) = used.get_mut(&self.folder) {
            *count -= 1;
            if *count == 0 {
                used.remove(&self.folder);
                self.folders.0.released.notify_one();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_is_held_until_the_last_worker_has_gone() {
        let (folders, folder) = (Folders::default(), Path::new("/a"));
        let (first, second) = (folders.hold(folder), folders.hold(folder));
        drop(first);
        assert!(folders.is_held(folder) && !folders.is_held(Path::new("/b")));
        drop(second);
        folders.released().await;
        assert!(!folders.is_held(folder));
    }
}
