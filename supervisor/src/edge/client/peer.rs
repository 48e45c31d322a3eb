//! The addresses of a connection, and cached counts of the client that has last sent a request on it.

use std::net::SocketAddr;
use std::rc::Rc;

use nano_protocol::Budget;

use crate::edge::crowd::Crowd;
use crate::model::ids::AppId;
use crate::model::shares::{ClientKey, Known};

/// The two ends of a connection.
#[derive(Debug)]
pub(crate) struct Peer {
    /// The remote address: that of a client, or of a proxy.
    pub address: SocketAddr,
    /// Its IP address as text, which is forwarded with every request.
    pub ip: String,
    /// The local address it connected to.
    pub local: SocketAddr,
    /// The scheme of URLs on this connection.
    pub scheme: &'static str,
    /// The count of requests of its last client in flight at its last app.
    pub held: Known<AppId>,
    /// The budget of bodies of its last client.
    buffers: Known<(), Budget>,
    crowd: Rc<Crowd>,
}

impl Peer {
    pub(crate) fn new(
        address: SocketAddr,
        local: SocketAddr,
        scheme: &'static str,
        crowd: &Rc<Crowd>,
    ) -> Self {
        Self {
            address,
            ip: address.ip().to_canonical().to_string(),
            local,
            scheme,
            held: Known::default(),
            buffers: Known::default(),
            crowd: crowd.clone(),
        }
    }

    /// The budget of bodies of a client.
    pub(crate) fn buffers(&self, client: ClientKey) -> Rc<Budget> {
        self.buffers.get((), client, || self.crowd.buffers(client))
    }
}
