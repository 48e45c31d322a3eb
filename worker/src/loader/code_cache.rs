//! What V8 has compiled, kept between starts. V8 itself checks its version and flags, and of the source only the length, so
//! what is kept is found by the whole source.

use std::borrow::Cow;
use std::cell::RefCell;

use deno_core::{SourceCodeCacheInfo, v8};
use rustc_hash::FxHashMap;

use super::emit_cache::{EmitCache, Key};

/// Sources shorter than this, in bytes, are compiled faster than read.
const SHORTEST: usize = 4 * 1024;

/// The keys of what V8 was given, by the name of the script: V8 says which script it has compiled, and not of what.
#[derive(Default)]
pub(super) struct CodeCache(RefCell<FxHashMap<String, Key>>);

impl std::fmt::Debug for CodeCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeCache")
    }
}

impl CodeCache {
    /// What was kept for this source; without contents if V8 is to say what it compiles. None if that is not worth it.
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

    /// Keeps what V8 has compiled.
    pub(super) fn keep(&self, cache: &EmitCache, name: &str, hash: u64, compiled: &[u8]) {
        if let Some(key) = self.0.borrow_mut().remove(name).filter(|key| key.short() == hash) {
            cache.put_bytes(&kept_as(name), &key, compiled);
        }
    }
}

fn kept_as(name: &str) -> String {
    format!("compiled {name}")
}
