//! The store of copies in the state folder: one for each app and digest.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::copy::{self, Digest, FolderDigest, Tree};
use super::error::CopyError;
use crate::config::{AppName, make_private_folder};

/// Subfolder of the state folder.
const FOLDER: &str = "deploys";

/// Name of an incomplete copy.
const UNFINISHED: &str = ".unfinished";

#[derive(Debug, Clone)]
pub(crate) struct Store {
    folder: PathBuf,
}

/// The result of [`Store::put`].
#[derive(Debug)]
pub(crate) struct Stored {
    /// Digest and size.
    pub seen: FolderDigest,
    /// Whether it was copied; otherwise the store had it already.
    pub is_new: bool,
}

impl Store {
    /// The store in this state folder.
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self { folder: state_dir.join(FOLDER) }
    }

    /// The path of the copy with this digest.
    pub(crate) fn path(&self, name: &AppName, digest: &Digest) -> PathBuf {
        self.folder.join(name.as_str()).join(digest.as_str())
    }

    /// Copies the folder at `root`, an absolute path without symlinks, unless the store has a copy with the same digest.
    /// Blocks. Must not run more than once at a time.
    ///
    /// # Errors
    /// What cannot be copied. Then nothing is left behind.
    pub(crate) fn put(
        &self,
        name: &AppName,
        root: &Path,
        is_cancelled: &AtomicBool,
    ) -> Result<Stored, CopyError> {
        if self.folder.starts_with(root) {
            let (root, folder) = (root.display(), self.folder.display());
            return Err(CopyError::Folder(format!(
                "{root} holds the state folder ({folder}); fix: deploy the folder of one app"
            )));
        }
        let mut tree = Tree::scan(root, copy::LIMITS, is_cancelled)?;
        let seen = tree.digest(is_cancelled)?;
        if self.path(name, &seen.digest).is_dir() {
            return Ok(Stored { seen, is_new: false });
        }
        let folder = self.folder.join(name.as_str());
        let failed = |error: io::Error| CopyError::unwritable(&folder, error);
        make_private_folder(&folder).map_err(failed)?;
        let unfinished = Unfinished::new(folder.join(UNFINISHED)).map_err(failed)?;
        // The digest of the copy is used: a file may have changed since the first read.
        let seen = tree.copy(&unfinished.0, is_cancelled)?;
        let path = self.path(name, &seen.digest);
        if path.is_dir() {
            return Ok(Stored { seen, is_new: false });
        }
        copy::sync_all_below(&unfinished.0).map_err(failed)?;
        fs::rename(&unfinished.0, &path).map_err(failed)?;
        for folder in [&folder, &self.folder] {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        Ok(Stored { seen, is_new: true })
    }

    /// All copies, including incomplete ones of an interrupted [`Store::put`].
    pub(crate) fn all(&self) -> HashSet<PathBuf> {
        let apps = below(&self.folder);
        apps.iter().flat_map(|app| below(app)).collect()
    }

    /// Deletes these copies, and folders of apps that are empty then. Blocks.
    ///
    /// # Errors
    /// The error of the first copy that cannot be deleted.
    pub(crate) fn delete(&self, copies: &HashSet<PathBuf>) -> io::Result<()> {
        for copy in copies {
            fs::remove_dir_all(copy)?;
        }
        // `remove_dir` fails for folders that are not empty: those stay.
        below(&self.folder).iter().for_each(|app| drop(fs::remove_dir(app)));
        Ok(())
    }
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// An incomplete copy, deleted on drop unless it was renamed to its final path.
struct Unfinished(PathBuf);

impl Unfinished {
    fn new(path: PathBuf) -> io::Result<Self> {
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(Self(path)),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_folder_is_copied_once_and_nothing_is_left_of_a_failure() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        let (app, state, on) = (dir.join("app"), dir.join("state"), AtomicBool::new(false));
        fs::create_dir(&app).unwrap();
        fs::write(app.join("index.js"), "1").unwrap();
        let (store, name) = (Store::new(&state), "blog".parse().unwrap());
        let first = store.put(&name, &app, &on).unwrap();
        let path = store.path(&name, &first.seen.digest);
        assert_eq!((first.is_new, fs::read_to_string(path.join("index.js")).unwrap()), (true, "1".into()));
        assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(!store.put(&name, &app, &on).unwrap().is_new);

        let socket = UnixListener::bind(app.join("x.sock")).unwrap();
        let error = store.put(&name, &app, &on).unwrap_err().to_string();
        assert!(error.contains("x.sock is a socket, which cannot be copied; fix: "), "{error}");
        drop(socket);
        fs::remove_file(app.join("x.sock")).unwrap();
        let error = store.put(&name, &dir, &on).unwrap_err().to_string();
        assert!(error.contains("holds the state folder"), "{error}");
        assert_eq!(store.all(), HashSet::from([path.clone()]));

        // As left behind by a killed supervisor.
        fs::create_dir(path.with_file_name(UNFINISHED)).unwrap();
        fs::write(app.join("index.js"), "2").unwrap();
        let second = store.put(&name, &app, &on).unwrap();
        assert!(second.is_new);
        let second = store.path(&name, &second.seen.digest);
        assert_eq!(store.all(), HashSet::from([path.clone(), second.clone()]));
        store.delete(&HashSet::from([path])).unwrap();
        assert_eq!(store.all(), HashSet::from([second.clone()]));
        store.delete(&HashSet::from([second])).unwrap();
        assert!(!state.join(FOLDER).join("blog").exists());
    }
}
