//! The web platform: deno_web with scripts of our own in place of some of its own, and what it leaves out.
//!
//! deno_web serves Node as well, and in places follows Node where the standards say otherwise. A file of `js/platform` listed
//! under the name of one of its scripts is loaded instead of that script, by everything that asks for it.
//!
//! - [`url`]: what `URL` is made of.
//! - [`crypto`]: what deno_crypto leaves out.
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
        "shapes.js",
        "structured_clone.js",
        "url_search_params.js",
    ],
);

/// deno_web as it is here, and what its replaced scripts are made of.
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
