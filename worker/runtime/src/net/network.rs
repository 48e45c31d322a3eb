//! The network state of one app, as ops find it in op state.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use deno_core::OpState;
use nano_protocol::message::LogLevel;
use rustls::ClientConfig;

use super::client::Client;
use super::connector::{Connector, Offer, roots, tls_config};
use super::dial::Dialer;
use super::places::Counts;
use super::policy::Policy;
use super::socket_share::SocketShare;
use super::unread::Unread;
use crate::requests::in_flight::InFlight;

/// The network state of an app. Its parts are created on first use.
#[derive(Debug)]
pub struct Network {
    dialer: Dialer,
    client: OnceCell<Client>,
    websockets: OnceCell<Connector>,
    tls: OnceCell<Arc<ClientConfig>>,
    sockets: Rc<SocketShare>,
}

impl Network {
    /// Puts the network state into op state, with this policy, this limit of open connections, and what WebSockets may hold.
    pub fn install(state: &mut OpState, policy: Policy, max_outbound: u32, sockets: Rc<SocketShare>) {
        let dialer = Dialer::new(policy, max_outbound);
        state.put(Rc::new(Self {
            dialer,
            client: OnceCell::new(),
            websockets: OnceCell::new(),
            tls: OnceCell::new(),
            sockets,
        }));
    }

    /// Returns the connection counters of the app.
    pub fn counts(state: &OpState) -> Counts {
        state.try_borrow::<Rc<Self>>().map(|network| network.dialer.counts()).unwrap_or_default()
    }

    /// Registers a response body, which holds a connection until it has been read.
    pub(super) fn watch(&self, body: &Arc<Unread>) {
        self.dialer.places().watch(body);
    }

    /// Returns the response body with this resource id, unless it has been read.
    pub(super) fn find(&self, rid: u32) -> Option<Arc<Unread>> {
        self.dialer.places().find(rid)
    }

    /// Warns in the app's log about bodies that were cancelled so that another connection could be opened.
    pub(super) fn warn(&self, in_flight: &InFlight) {
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

    pub(super) fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// Returns how connections use TLS that are not for HTTP.
    pub(super) fn tls(&self) -> Arc<ClientConfig> {
        self.tls.get_or_init(|| Arc::new(tls_config(Offer::Nothing, roots()))).clone()
    }

    pub(super) fn client(&self) -> Client {
        self.client.get_or_init(|| Client::new(self.dialer.clone())).clone()
    }

    pub(super) fn socket_share(&self) -> &Rc<SocketShare> {
        &self.sockets
    }

    pub(super) fn websockets(&self) -> Connector {
        self.websockets.get_or_init(|| Connector::new(self.dialer.clone(), Offer::Http1)).clone()
    }
}
