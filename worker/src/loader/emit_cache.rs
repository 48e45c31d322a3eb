//! What was made of an app's sources, kept in a folder between starts. Whatever is wrong with the folder or a file in it, the
//! app runs as without.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

const DIGEST: usize = 32;

/// One file per source file and purpose, so that the folder does not grow with every change of a source. Each begins with
/// the digest of what it was made of and the digest of its own contents.
#[derive(Debug)]
pub(super) struct EmitCache {
    folder: PathBuf,
}

/// What something is made of.
pub(super) struct Key([u8; DIGEST]);

impl Key {
    /// Of these texts in this order.
    pub(super) fn of(parts: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }

    /// A part of it, for those who have room for no more.
    pub(super) fn short(&self) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0[..8]);
        u64::from_le_bytes(bytes)
    }
}

impl EmitCache {
    /// In this folder, which is made when there is something to keep.
    pub(super) fn new(folder: &str) -> Self {
        Self { folder: folder.into() }
    }

    /// What was kept for `name`, if it was made of the same.
    pub(super) fn get<T: DeserializeOwned>(&self, name: &str, key: &Key) -> Option<T> {
        serde_json::from_slice(&self.get_bytes(name, key)?).ok()
    }

    /// As [`Self::get`], for bytes.
    pub(super) fn get_bytes(&self, name: &str, key: &Key) -> Option<Vec<u8>> {
        let mut file = fs::read(self.path(name)).ok()?;
        let (made_of, rest) = file.split_at_checked(DIGEST)?;
        let (digest, contents) = rest.split_at_checked(DIGEST)?;
        if made_of != key.0 || digest != Sha256::digest(contents).as_slice() {
            return None;
        }
        file.drain(..2 * DIGEST);
        Some(file)
    }

    /// Keeps `value` for `name`, in place of what was kept before.
    pub(super) fn put<T: Serialize>(&self, name: &str, key: &Key, value: &T) {
        if let Ok(contents) = serde_json::to_vec(value) {
            self.put_bytes(name, key, &contents);
        }
    }

    /// As [`Self::put`], for bytes.
    pub(super) fn put_bytes(&self, name: &str, key: &Key, contents: &[u8]) {
        let mut file = Vec::with_capacity(2 * DIGEST + contents.len());
        file.extend_from_slice(&key.0);
        file.extend_from_slice(&Sha256::digest(contents));
        file.extend_from_slice(contents);
        // Without it the next start does the work again, and nothing else.
        let _ = self.write(&self.path(name), &file);
    }

    /// Readers see the old file or the new one, never a part.
    fn write(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let draft = path.with_extension(format!("{}.tmp", std::process::id()));
        let written = fs::write(&draft, contents).and_then(|()| fs::rename(&draft, path));
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
        written
    }

    fn path(&self, name: &str) -> PathBuf {
        let digest = Sha256::digest(name);
        let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(hex)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn cache() -> (tempfile::TempDir, EmitCache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = EmitCache::new(folder.path().join("a/b").to_str().unwrap());
        (folder, cache)
    }

    #[test]
    fn what_is_kept_comes_back_if_it_was_made_of_the_same() {
        let (_folder, cache) = cache();
        let key = Key::of(&["source", "options"]);
        assert_eq!(cache.get::<String>("name", &key), None);
        cache.put("name", &key, &"kept");
        assert_eq!(cache.get::<String>("name", &key), Some("kept".into()));
        assert_eq!(cache.get::<String>("other", &key), None);
        assert_eq!(cache.get::<String>("name", &Key::of(&["sourceo", "ptions"])), None);
        cache.put("name", &Key::of(&["changed"]), &"new");
        assert_eq!(fs::read_dir(&cache.folder).unwrap().count(), 1);
        assert_eq!(fs::metadata(&cache.folder).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn damage_is_noticed() {
        let (_folder, cache) = cache();
        let key = Key::of(&["source"]);
        cache.put("name", &key, &"kept");
        let path = cache.path("name");
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(cache.get::<String>("name", &key), None, "{length}");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&path, damaged).unwrap();
            assert_eq!(cache.get::<String>("name", &key), None, "{at}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_keeps_nothing() {
        let (folder, cache) = cache();
        fs::write(folder.path().join("a"), "a file").unwrap();
        let key = Key::of(&[]);
        cache.put("name", &key, &"lost");
        assert_eq!(cache.get::<String>("name", &key), None);
    }
}
