//! What an app reaches outside of its process, and how: `fetch`, `EventSource`, `WebSocket`.
//!
//! - [`policy`]: which addresses may be reached; [`closed`]: which never; [`forms`]: which are one.
//! - [`dial`]: the one place where connections are opened, under that policy; [`places`]: how many at once; [`unread`]: bodies
//!   that hold one.
//! - [`connector`], [`client`]: TLS, and HTTP with a pool of connections.
//! - [`fetch_ops`]: `fetch` in Rust; [`coded_body`]: bodies that came, compressed or not, which [`fork`] splits.
//! - [`handshake`], [`websocket`]: WebSockets in Rust.
//! - [`network`]: all of that, as an app has it.
//! - [`failure`]: what is said when it fails.

pub(crate) mod client;
pub(crate) mod closed;
pub(crate) mod coded_body;
pub(crate) mod connector;
pub(crate) mod dial;
pub(crate) mod failure;
pub(crate) mod fetch_ops;
pub(crate) mod fork;
pub(crate) mod forms;
pub(crate) mod handshake;
pub(crate) mod network;
pub(crate) mod places;
pub(crate) mod policy;
pub(crate) mod unread;
mod upload;
pub(crate) mod websocket;

use deno_core::Extension;

deno_core::extension!(
    nano_net,
    deps = [deno_webidl, deno_web, deno_fetch],
    ops = [
        coded_body::op_body_fork,
        coded_body::op_body_move,
        fetch_ops::op_fetch_abort,
        websocket::op_websocket_buffered,
        websocket::op_websocket_close,
        websocket::op_websocket_open,
        websocket::op_websocket_opening,
        websocket::op_websocket_receive,
        websocket::op_websocket_send_bytes,
        websocket::op_websocket_send_text,
    ],
    lazy_loaded_js = [
        dir "js/net",
        "blob_urls.js",
        "body_streams.js",
        "event_source.js",
        "fetch.js",
        "integrity.js",
        "request_init.js",
        "websocket.js",
    ],
);

deno_core::extension!(deno_net, lazy_loaded_js = [dir "js/net", "ext:deno_net/02_tls.js" = "tls_stub.js"]);

/// The text that belongs to a status.
pub(crate) fn usual_text(status: u16) -> Option<&'static str> {
    hyper::StatusCode::from_u16(status).ok()?.canonical_reason()
}

/// What stands in for deno_net.
pub(crate) fn tls_extension() -> Extension {
    deno_net::init()
}

/// deno_fetch, with what sends requests replaced.
pub(crate) fn fetch_extension() -> Extension {
    let mut extension = deno_fetch::deno_fetch::init(deno_fetch::Options::default());
    for op in extension.ops.to_mut() {
        match op.name {
            "op_fetch" => *op = fetch_ops::op_fetch(),
            "op_fetch_send" => *op = fetch_ops::op_fetch_send(),
            _ => {}
        }
    }
    extension
}
