//! Where a connection leads from and to, and what is remembered of the client that has last asked on it.

use std::net::SocketAddr;
use std::rc::Rc;

use nano_protocol::Budget;

use crate::edge::crowd::Crowd;
use crate::model::ids::AppId;
use crate::model::shares::{ClientKey, Known};

/// Where a connection leads from and to.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Where the connection comes from: a client, or a proxy.
    pub address: SocketAddr,
    /// Its IP address as text, which every request carries on.
    pub ip: String,
    /// The address it connected to.
    pub local: SocketAddr,
    /// How much its client holds of the app that it has last asked.
    pub held: Known<AppId>,
    /// What bodies of the client that has last asked may hold.
    buffers: Known<(), Budget>,
    crowd: Rc<Crowd>,
}

impl Peer {
    /// What is known of an accepted connection.
    pub(crate) fn new(address: SocketAddr, local: SocketAddr, crowd: &Rc<Crowd>) -> Self {
        Self {
            address,
            ip: address.ip().to_canonical().to_string(),
            local,
            held: Known::default(),
            buffers: Known::default(),
            crowd: crowd.clone(),
        }
    }

    /// What bodies of a client that asks may hold.
    pub(crate) fn buffers(&self, client: ClientKey) -> Rc<Budget> {
        self.buffers.get((), client, || self.crowd.buffers(client))
    }
}
