//! The source text of every script; third-party scripts are corrected. Only the build uses it. Scripts that the startup snapshot
//! has not consumed are shipped beside it.

mod corrections;
mod library;
mod workerd;

use std::collections::BTreeMap;

use deno_core::Extension;

use crate::node;

/// Returns the extensions with the corrected scripts, from which the snapshot is made.
///
/// # Panics
/// If a script has changed where it is corrected.
pub fn corrected_extensions() -> Vec<Extension> {
    let mut extensions = crate::extensions();
    corrections::apply(&mut extensions);
    extensions
}

/// Returns the text of every script by its specifier, including Node's library.
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
    scripts.extend(workerd::scripts());
    scripts.extend(node::MODULES.iter().map(|(module, script)| {
        let load = "__bootstrap.core.loadExtScript(\"ext:nano_node/builtins.js\")";
        ((*script).to_owned(), format!("(function () {{ return {load}.namespace({module:?}); }})()"))
    }));
    scripts
}
