//! The text of every script, of which those that are not ours are corrected. Only the build needs it: what the startup snapshot
//! has not consumed travels beside it.

mod corrections;
mod library;

use std::collections::BTreeMap;

use deno_core::Extension;

use crate::node;

/// The extensions with the scripts of which the snapshot is made.
///
/// # Panics
/// If a script has changed where it is corrected.
pub fn corrected_extensions() -> Vec<Extension> {
    let mut extensions = crate::extensions();
    corrections::apply(&mut extensions);
    extensions
}

/// The text of every script by its specifier, Node's library included.
///
/// # Panics
/// If a script cannot be read, or has changed where it is corrected.
pub fn all() -> BTreeMap<String, String> {
    let mut scripts = BTreeMap::new();
    for extension in corrected_extensions() {
        for file in extension.lazy_loaded_js_files.iter() {
            let source = file.load().expect("extension source").as_str().to_owned();
            scripts.insert(file.specifier.to_owned(), source);
        }
    }
    scripts.extend(library::scripts(&scripts.keys().cloned().collect()));
    scripts.extend(node::MODULES.iter().map(|(module, script)| {
        let load = "__bootstrap.core.loadExtScript(\"ext:nano_node/builtins.js\")";
        ((*script).to_owned(), format!("(function () {{ return {load}.namespace({module:?}); }})()"))
    }));
    scripts
}
