//! Caches the code that V8 has compiled between starts. V8 itself checks its version and flags, but only the length of the
//! source, so the key of the cache contains the whole source.

use std::borrow::Cow;
use std::cell::RefCell;

use deno_core::{SourceCodeCacheInfo, v8};
use rustc_hash::FxHashMap;

use super::emit_cache::{EmitCache, Key};

/// Sources shorter than this, in bytes, are not cached: compiling them is faster than reading the cache.
const SHORTEST: usize = 4 * 1024;

/// The keys of sources that were passed to V8, by the name of the script. V8 reports the name of a script that it has compiled,
/// but not the source.
#[derive(Default)]
pub(super) struct CodeCache(RefCell<FxHashMap<String, Key>>);

impl std::fmt::Debug for CodeCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeCache")
    }
}

impl CodeCache {
    /// Returns the cached code of this source. If there is none, the result has no data, so that V8 hands over the code that it
    /// compiles. None if the source is too short to be cached.
    pub(super) fn find(&self, cache: &EmitCache, name: &str, source: &str) -> Option<SourceCodeCacheInfo> {
        if source.len() < SHORTEST {
            return None;
        }
        let key = Key::of(&[v8::V8::get_version(), source]);
        let info = SourceCodeCacheInfo {
            hash: key.short(),
            data: cache.get_bytes(&kept_as(name), &key).map(Cow::Owned),
        };
        self.0.borrow_mut().insert(name.to_owned(), key);
        Some(info)
    }

    /// Caches the code that V8 has compiled.
    pub(super) fn keep(&self, cache: &EmitCache, name: &str, hash: u64, compiled: &[u8]) {
        if let Some(key) = self.0.borrow_mut().remove(name).filter(|key| key.short() == hash) {
            cache.put_bytes(&kept_as(name), &key, compiled);
        }
    }
}

fn kept_as(name: &str) -> String {
    format!("compiled {name}")
}
