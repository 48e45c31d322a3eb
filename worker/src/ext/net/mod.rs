//! What an app reaches outside of its process, and how: `fetch`, `EventSource`, `WebSocket`.
//!
//! - [`policy`]: which addresses may be reached; [`closed`]: which never.
//! - [`dial`]: the one place where connections are opened, under that policy; [`places`]: how many at once; [`unread`]: bodies
//!   that hold one.
//! - [`connector`], [`client`]: TLS, and HTTP with a pool of connections.
//! - [`fetch_ops`]: `fetch` in Rust; [`coded_body`]: bodies that came, compressed or not, which [`fork`] splits.
//! - [`handshake`], [`websocket`]: WebSockets in Rust.
//! - [`failure`]: what is said when it fails.

pub mod client;
pub mod closed;
pub mod coded_body;
pub mod connector;
pub mod dial;
pub mod failure;
pub mod fetch_ops;
pub mod fork;
pub mod handshake;
pub mod places;
pub mod policy;
pub mod unread;
mod upload;
pub mod websocket;

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use deno_core::{Extension, OpState};
use nano_protocol::message::LogLevel;

use client::Client;
use connector::{Connector, Offer};
use dial::Dialer;
use places::Counts;
use policy::Policy;
use unread::Unread;

use super::in_flight::InFlight;

deno_core::extension!(
    nano_net,
    deps = [deno_webidl, deno_web, deno_fetch],
    ops = [
        fetch_ops::op_fetch_abort,
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

/// The text that belongs to a status.
pub fn usual_text(status: u16) -> Option<&'static str> {
    hyper::StatusCode::from_u16(status).ok()?.canonical_reason()
}

/// An app's way out. What it consists of is made when it is first used.
#[derive(Debug)]
pub struct Network {
    dialer: Dialer,
    client: OnceCell<Client>,
    websockets: OnceCell<Connector>,
}

impl Network {
    /// Puts the way out under this policy, with so many connections at once, where ops find it.
    pub fn install(state: &mut OpState, policy: Policy, max_outbound: u32) {
        let dialer = Dialer::new(policy, max_outbound);
        state.put(Rc::new(Self { dialer, client: OnceCell::new(), websockets: OnceCell::new() }));
    }

    /// What is counted of the app's connections.
    pub fn counts(state: &OpState) -> Counts {
        state.try_borrow::<Rc<Self>>().map(|network| network.dialer.counts()).unwrap_or_default()
    }

    /// A body has come, which holds a connection until it has been read.
    fn watch(&self, body: &Arc<Unread>) {
        self.dialer.places().watch(body);
    }

    /// The body of a fetch that JavaScript calls so, unless it has been read.
    fn find(&self, rid: u32) -> Option<Arc<Unread>> {
        self.dialer.places().find(rid)
    }

    /// Tells the app which bodies were given up so that this connection could be opened.
    fn warn(&self, in_flight: &InFlight) {
        for (request, what) in self.dialer.places().given_up() {
            let max = self.dialer.places().max();
            let message = format!(
                "{what} was cancelled to make room for another connection: nobody had read its body, and the app has all of \
                 its {max} outbound connections open (`max_outbound`). Read every body, or give it up: await \
                 response.body?.cancel()"
            );
            in_flight.log(LogLevel::Warn, request, message);
        }
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
