//! The web platform: deno_web with scripts of our own in place of some of its own.
//!
//! deno_web serves Node as well, and in places follows Node where the standards say otherwise. A file of `js/web` listed
//! under the name of one of its scripts is loaded instead of that script, by everything that asks for it.

use std::borrow::Cow;
use std::sync::Arc;

use deno_core::Extension;
use deno_web::{BlobStore, InMemoryBroadcastChannel};

deno_core::extension!(
    nano_replaced,
    lazy_loaded_js = [
        dir "src/ext/js/web",
        "ext:deno_web/02_event.js" = "events.js",
        "ext:deno_web/15_performance.js" = "performance.js",
    ],
);

deno_core::extension!(
    nano_web,
    deps = [deno_web],
    lazy_loaded_js = [
        dir "src/ext/js/web",
        "clock.js",
        "event.js",
        "event_handlers.js",
        "event_types.js",
        "performance_entries.js",
        "performance_observer.js",
    ],
);

/// deno_web as it is here, and what its replaced scripts are made of.
pub fn extensions() -> [Extension; 2] {
    let deno_web = deno_web::deno_web::init(
        Arc::new(BlobStore::default()),
        None,
        false,
        InMemoryBroadcastChannel::default(),
    );
    [replace(deno_web, nano_replaced::init()), nano_web::init()]
}

fn replace(mut extension: Extension, by: Extension) -> Extension {
    let files = extension.lazy_loaded_js_files.iter().map(|file| {
        let ours = by.lazy_loaded_js_files.iter().find(|ours| ours.specifier == file.specifier);
        ours.unwrap_or(file).clone()
    });
    extension.lazy_loaded_js_files = Cow::Owned(files.collect());
    extension
}
