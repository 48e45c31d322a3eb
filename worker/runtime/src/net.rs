//! Outbound network access of an app: `fetch`, `EventSource`, `WebSocket`, `connect()`.
//!
//! - [`policy`]: which addresses an app may reach; [`closed`]: the supervisor's own, which it never may; [`forms`]: different
//!   spellings of one address.
//! - [`dial`]: the only place that opens connections, and that applies the policy; [`places`]: the limit of open connections;
//!   [`unread`]: response bodies that hold a connection open.
//! - [`connector`], [`client`]: TLS, and an HTTP client with a connection pool.
//! - [`fetch_ops`]: the ops of `fetch`; [`coded_body`]: received bodies, compressed or not; [`fork`]: splits such a body in two.
//! - [`names`]: looks up names, for `node:dns`.
//! - [`tcp`]: plain connections, for `connect()` of `cloudflare:sockets`.
//! - [`handshake`], [`websocket`]: WebSockets; [`socket_share`]: what these may hold.
//! - [`bindings`]: fetches from other apps and from the app's own static files; [`session`]: calls of other apps,
//!   [`session_limits`]: how much these may have, and [`serialized`]: what V8 may read of them.
//! - [`network`]: the network state of one app, as ops find it.
//! - [`failure`]: error messages and codes.

pub(crate) mod bindings;
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
pub(crate) mod names;
pub(crate) mod network;
pub(crate) mod places;
pub(crate) mod policy;
mod serialized;
pub(crate) mod session;
pub(crate) mod session_limits;
pub(crate) mod socket_share;
pub(crate) mod tcp;
pub(crate) mod unread;
mod upload;
pub(crate) mod websocket;

use deno_core::Extension;

deno_core::extension!(
    nano_net,
    deps = [deno_webidl, deno_web, deno_fetch],
    ops = [
        coded_body::op_body_fork,
        coded_body::op_body_keep_coding,
        coded_body::op_body_move,
        fetch_ops::op_fetch_abort,
        names::op_dns_lookup,
        names::op_dns_query,
        tcp::op_tcp_close,
        tcp::op_tcp_connect,
        tcp::op_tcp_new,
        tcp::op_tcp_read_to_end,
        tcp::op_tcp_reader,
        tcp::op_tcp_shutdown,
        tcp::op_tcp_start_tls,
        tcp::op_tcp_write,
        session::op_session_accept,
        session::op_session_full,
        session::op_session_next,
        session::op_session_open,
        session::op_session_send,
        session::op_session_thrown,
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
        "socket.js",
        "websocket.js",
    ],
);

deno_core::extension!(deno_net, lazy_loaded_js = [dir "js/net", "ext:deno_net/02_tls.js" = "tls_stub.js"]);

/// Returns the standard reason phrase of a status.
pub(crate) fn usual_text(status: u16) -> Option<&'static str> {
    hyper::StatusCode::from_u16(status).ok()?.canonical_reason()
}

/// Returns the extension that replaces deno_net.
pub(crate) fn tls_extension() -> Extension {
    deno_net::init()
}

/// Returns deno_fetch, with the ops that send requests replaced by ours.
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
