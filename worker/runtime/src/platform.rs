//! The web platform: deno_web with some of its scripts replaced by ours, and APIs that it lacks.
//!
//! deno_web also serves Node, and in places follows Node where the standards differ. A file of `js/platform` that is listed under
//! the name of a deno_web script is loaded instead of it, by everything that loads that script.
//!
//! - [`url`]: the parser behind `URL`.
//! - [`crypto`]: what deno_crypto lacks.
//! - [`coding`]: compression of bodies.

pub(crate) mod coding;
pub(crate) mod crypto;
pub(crate) mod url;

use std::borrow::Cow;
use std::sync::Arc;

use deno_core::Extension;
use deno_web::{BlobStore, InMemoryBroadcastChannel};

deno_core::extension!(
    nano_replaced,
    lazy_loaded_js = [
        dir "js/platform",
        "ext:deno_web/00_url.js" = "url.js",
        "ext:deno_web/01_broadcast_channel.js" = "broadcast_channel.js",
        "ext:deno_web/01_dom_exception.js" = "dom_exception.js",
        "ext:deno_web/01_mimesniff.js" = "mime.js",
        "ext:deno_web/01_urlpattern.js" = "url_pattern.js",
        "ext:deno_web/02_event.js" = "events.js",
        "ext:deno_web/02_timers.js" = "timers.js",
        "ext:deno_web/03_abort_signal.js" = "abort_signal.js",
        "ext:deno_web/13_message_port.js" = "message_port.js",
        "ext:deno_web/15_performance.js" = "performance.js",
    ],
);

deno_core::extension!(
    nano_platform,
    deps = [deno_web],
    ops = [url::op_url_change, url::op_url_read, url::op_url_read_relative, url::op_url_text],
    lazy_loaded_js = [
        dir "js/platform",
        "clock.js",
        "error_classes.js",
        "event.js",
        "event_handlers.js",
        "event_types.js",
        "form_data.js",
        "multipart.js",
        "performance_entries.js",
        "performance_observer.js",
        "read_at_least.js",
        "shapes.js",
        "stand_in.js",
        "structured_clone.js",
        "url_search_params.js",
    ],
);

/// Returns deno_web with its replacements, and the extension with the native part of these replacements.
pub(crate) fn extensions() -> [Extension; 2] {
    let deno_web = deno_web::deno_web::init(
        Arc::new(BlobStore::default()),
        None,
        false,
        InMemoryBroadcastChannel::default(),
    );
    [replace(deno_web, nano_replaced::init()), nano_platform::init()]
}

fn replace(mut extension: Extension, by: Extension) -> Extension {
    let files = extension.lazy_loaded_js_files.iter().map(|file| {
        let ours = by.lazy_loaded_js_files.iter().find(|ours| ours.specifier == file.specifier);
        ours.unwrap_or(file).clone()
    });
    extension.lazy_loaded_js_files = Cow::Owned(files.collect());
    extension
}
