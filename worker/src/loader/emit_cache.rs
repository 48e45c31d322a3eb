//! The cache of what was generated from an app's sources, in a folder that is kept between starts. If anything is wrong with the
//! folder or a file in it, the app runs as without a cache.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

const DIGEST: usize = 32;

/// The cache. It has one file per source file and purpose, so the folder does not grow with every change of a source. Each file
/// begins with the digest of its inputs and the digest of its contents. The worker reads the files; the supervisor writes them.
pub(crate) struct EmitCache {
    folder: PathBuf,
    keep: Box<dyn Fn(u128, Vec<u8>)>,
}

impl std::fmt::Debug for EmitCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmitCache").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// The digest of the inputs from which a cached value was generated.
pub(super) struct Key([u8; DIGEST]);

impl Key {
    /// Returns the key of these texts in this order.
    pub(super) fn of(parts: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }

    /// Returns the first 64 bits of the digest, for V8's interface, which takes no more.
    pub(super) fn short(&self) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0[..8]);
        u64::from_le_bytes(bytes)
    }
}

impl EmitCache {
    /// Reads from this folder. `keep` has a file written there: it replaces the file with the same name, completely or not at
    /// all.
    pub(crate) fn new(folder: &str, keep: impl Fn(u128, Vec<u8>) + 'static) -> Self {
        Self { folder: folder.into(), keep: Box::new(keep) }
    }

    /// Returns the cached value of `name`, if it was generated from the inputs of `key`.
    pub(super) fn get<T: DeserializeOwned>(&self, name: &str, key: &Key) -> Option<T> {
        serde_json::from_slice(&self.get_bytes(name, key)?).ok()
    }

    /// Returns cached bytes, as [`Self::get`] does values.
    pub(super) fn get_bytes(&self, name: &str, key: &Key) -> Option<Vec<u8>> {
        let mut file = fs::read(path(&self.folder, file_name(name))).ok()?;
        let (made_of, rest) = file.split_at_checked(DIGEST)?;
        let (digest, contents) = rest.split_at_checked(DIGEST)?;
        if made_of != key.0 || digest != Sha256::digest(contents).as_slice() {
            return None;
        }
        file.drain(..2 * DIGEST);
        Some(file)
    }

    /// Caches `value` under `name`, and replaces what was cached there before.
    pub(super) fn put<T: Serialize>(&self, name: &str, key: &Key, value: &T) {
        if let Ok(contents) = serde_json::to_vec(value) {
            self.put_bytes(name, key, &contents);
        }
    }

    /// Caches bytes, as [`Self::put`] does values.
    pub(super) fn put_bytes(&self, name: &str, key: &Key, contents: &[u8]) {
        let mut file = Vec::with_capacity(2 * DIGEST + contents.len());
        file.extend_from_slice(&key.0);
        file.extend_from_slice(&Sha256::digest(contents));
        file.extend_from_slice(contents);
        // If this fails, the next start only has to do the work again.
        (self.keep)(file_name(name), file);
    }
}

/// Returns the number that names the file of `name`.
fn file_name(name: &str) -> u128 {
    let digest = Sha256::digest(name);
    digest.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// Returns the path at which the supervisor stores the file with this number.
fn path(folder: &Path, name: u128) -> PathBuf {
    folder.join(format!("{name:032x}"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Returns a cache that writes its files itself, at once.
    pub(in crate::loader) fn at(folder: &Path) -> EmitCache {
        let goal = folder.to_owned();
        EmitCache::new(folder.to_str().unwrap(), move |name, contents| {
            let _ = fs::create_dir_all(&goal).and_then(|()| fs::write(path(&goal, name), contents));
        })
    }

    #[test]
    fn what_is_kept_comes_back_if_it_was_made_of_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let cache = at(folder.path());
        let key = Key::of(&["source", "options"]);
        assert_eq!(cache.get::<String>("name", &key), None);
        cache.put("name", &key, &"kept");
        assert_eq!(cache.get::<String>("name", &key), Some("kept".into()));
        assert_eq!(cache.get::<String>("other", &key), None);
        assert_eq!(cache.get::<String>("name", &Key::of(&["sourceo", "ptions"])), None);
        cache.put("name", &Key::of(&["changed"]), &"new");
        assert_eq!(fs::read_dir(&cache.folder).unwrap().count(), 1);
    }

    #[test]
    fn damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = at(folder.path());
        let key = Key::of(&["source"]);
        cache.put("name", &key, &"kept");
        let path = path(folder.path(), file_name("name"));
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
    fn a_folder_that_is_none_keeps_nothing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "a file").unwrap();
        let cache = at(&folder.path().join("a"));
        let key = Key::of(&[]);
        cache.put("name", &key, &"lost");
        assert_eq!(cache.get::<String>("name", &key), None);
    }
}
