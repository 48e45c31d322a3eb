//! Corrections of third-party scripts, where they break a standard in a function that cannot be reached from outside the script.
//!
//! What can be corrected from outside is corrected in `js/`. Here a few lines of a script's text are replaced at build time, so
//! that workers pay nothing for it. The versions of the crates are pinned. If a passage is missing in another version, the build
//! fails and names it, and the correction has to be reviewed.

mod cloning;
mod correction;
mod crypto;
mod fetch;
pub(crate) mod node;
mod streams;

use std::collections::BTreeSet;
use std::sync::Arc;

use deno_core::{Extension, ExtensionFileSource};

use self::cloning::CLONING;
use self::correction::Correction;
use self::crypto::CRYPTO;
use self::fetch::FETCH;
use self::node::NODE;
use self::streams::STREAMS;

/// The corrections of scripts that belong to extensions.
const CORRECTIONS: [&[Correction]; 4] = [STREAMS, FETCH, CRYPTO, CLONING];

/// Applies the corrections of a script.
pub(crate) fn correct(specifier: &str, source: &str) -> String {
    let mut source = source.to_owned();
    for Correction { script, why, passage, instead } in CORRECTIONS.into_iter().flatten().chain(NODE) {
        if script == &specifier {
            let found = source.matches(passage).count();
            assert_eq!(
                found, 1,
                "{script} has changed where it is corrected; look whether it still is wrong: {why}"
            );
            source = source.replace(passage, instead);
        }
    }
    source
}

/// Applies the corrections of all extensions.
pub(crate) fn apply(extensions: &mut [Extension]) {
    let scripts: BTreeSet<_> =
        CORRECTIONS.into_iter().flatten().map(|correction| correction.script).collect();
    for script in scripts {
        let file = extensions
            .iter_mut()
            .flat_map(|extension| extension.lazy_loaded_js_files.to_mut())
            .find(|file| file.specifier == script)
            .unwrap_or_else(|| panic!("{script}, which is to be corrected, is gone"));
        let source = file.load().expect("extension source");
        let corrected: Arc<str> = correct(script, source.as_str()).into();
        *file = ExtensionFileSource::new_computed(file.specifier, corrected);
    }
}
