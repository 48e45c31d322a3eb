//! What an app reaches outside of its process, and how: `fetch`, `EventSource`, `WebSocket`.
//!
//! - [`policy`]: which addresses may be reached.
//! - [`dial`]: the one place where connections are opened, under that policy; [`places`]: how many at once.
//! - [`connector`], [`client`]: TLS, and HTTP with a pool of connections.
//! - [`fetch_ops`]: `fetch` in Rust.
//! - [`handshake`], [`websocket`]: WebSockets in Rust.
//! - [`failure`]: what is said when it fails.

pub mod client;
pub mod connector;
pub mod dial;
pub mod failure;
pub mod fetch_ops;
pub mod handshake;
pub mod places;
pub mod policy;
pub mod websocket;

use std::cell::OnceCell;
use std::rc::Rc;

use deno_core::{Extension, OpState};
use nano_protocol::message::NetRules;

use client::Client;
use connector::{Connector, Offer};
use dial::Dialer;
use places::Counts;
use policy::Policy;

deno_core::extension!(
    nano_net,
    deps = [deno_webidl, deno_web, deno_fetch],
    ops = [
        websocket::op_websocket_buffered,
        websocket::op_websocket_close,
        websocket::op_websocket_open,
        websocket::op_websocket_opening,
        websocket::op_websocket_receive,
        websocket::op_websocket_send_bytes,
        websocket::op_websocket_send_text,
    ],
    lazy_loaded_js = [dir "src/ext/js", "event_source.js", "websocket.js"],
);

/// An app's way out. What it consists of is made when it is first used.
#[derive(Debug)]
pub struct Network {
    dialer: Dialer,
    client: OnceCell<Client>,
    websockets: OnceCell<Connector>,
}

impl Network {
    /// Puts the way out under these rules, with so many connections at once, where ops find it.
    pub fn install(state: &mut OpState, rules: NetRules, max_outbound: u32) {
        let dialer = Dialer::new(Policy::new(rules), max_outbound);
        state.put(Rc::new(Self { dialer, client: OnceCell::new(), websockets: OnceCell::new() }));
    }

    /// What is counted of the app's connections.
    pub fn counts(state: &OpState) -> Counts {
        state.try_borrow::<Rc<Self>>().map(|network| network.dialer.counts()).unwrap_or_default()
    }

    fn client(&self) -> Client {
        self.client.get_or_init(|| Client::new(self.dialer.clone())).clone()
    }

    fn websockets(&self) -> Connector {
        self.websockets.get_or_init(|| Connector::new(self.dialer.clone(), Offer::Http1)).clone()
    }
}

/// deno_fetch, with what sends requests replaced.
pub fn fetch_extension() -> Extension {
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
