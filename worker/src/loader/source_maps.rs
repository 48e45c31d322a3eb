//! Source maps: those of translated modules, and those that bundlers write beside their output.

use std::cell::RefCell;

use deno_core::ModuleSpecifier;
use rustc_hash::FxHashMap;

use super::root::Root;

/// Largest map that is read from the app's folder, in bytes.
const MAX_MAP: usize = 32 * 1024 * 1024;

/// The maps of translated modules, by URL.
#[derive(Debug, Default)]
pub(super) struct SourceMaps(RefCell<FxHashMap<String, String>>);

impl SourceMaps {
    pub(super) fn add(&self, url: &ModuleSpecifier, map: String) {
        self.0.borrow_mut().insert(url.as_str().to_owned(), map);
    }

    pub(super) fn of(&self, url: &str) -> Option<Vec<u8>> {
        self.0.borrow().get(url).map(|map| map.as_bytes().to_vec())
    }
}

/// Reads the source map that a module names in its last line.
pub(super) fn external(root: &Root, url: &str) -> Option<Vec<u8>> {
    let path = ModuleSpecifier::parse(url).ok()?.to_file_path().ok()?;
    root.bytes(&path).ok().filter(|map| map.len() <= MAX_MAP)
}
