//! The two addresses of a connection, and cached counters of the client that sent its last request.

use std::net::SocketAddr;
use std::rc::Rc;

use nano_protocol::Budget;

use crate::edge::admission::Admission;
use crate::model::ids::AppId;
use crate::model::shares::{ClientKey, Holding, Known};

/// The two ends of a connection.
#[derive(Debug)]
pub(crate) struct Peer {
    /// The remote address: the client's, or that of a proxy.
    pub address: SocketAddr,
    /// The remote IP address as text, which is forwarded with every request.
    pub ip: String,
    /// The local address that the client connected to.
    pub local: SocketAddr,
    /// The scheme of URLs on this connection.
    pub scheme: &'static str,
    /// Cached counter of the requests in flight of the last client at the last app.
    pub held: Known<AppId>,
    /// Cached budget for buffered bodies of the last client.
    buffers: Known<(), Budget>,
    admission: Rc<Admission>,
}

impl Peer {
    pub(crate) fn new(
        address: SocketAddr,
        local: SocketAddr,
        scheme: &'static str,
        admission: &Rc<Admission>,
    ) -> Self {
        Self {
            address,
            ip: address.ip().to_canonical().to_string(),
            local,
            scheme,
            held: Known::default(),
            buffers: Known::default(),
            admission: admission.clone(),
        }
    }

    /// Returns the budget for buffered bodies of a client.
    pub(crate) fn buffers(&self, client: ClientKey) -> Rc<Budget> {
        self.buffers.get((), client, || self.admission.buffers(client))
    }

    /// Takes a descriptor for a static file that is read for a client. `None` if there is none left for it.
    pub(crate) fn read_file(&self, client: ClientKey) -> Option<[Holding; 2]> {
        self.admission.read_file(client)
    }
}
