//! Decides which listening addresses are needed, and which apps share each.

use std::io;
use std::net::{SocketAddr, TcpListener};

use crate::config::{AppSpec, Listen};
use crate::edge::listener;
use crate::model::ids::{AppId, ListenerId};

/// An address that the I/O threads listen on.
#[derive(Debug, Clone)]
pub(crate) struct Listening {
    /// Its id for the I/O threads.
    pub id: ListenerId,
    /// The address as configured.
    pub listen: Listen,
    /// The actual address, which differs from the configured one for port 0.
    pub address: SocketAddr,
    /// The apps that share it.
    pub apps: Vec<AppId>,
}

/// An address that apps need, whether or not it is bound already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    /// The listener that is already bound to it.
    pub bound: Option<ListenerId>,
    /// The address as configured.
    pub listen: Listen,
    /// The apps that share it; never empty.
    pub apps: Vec<AppId>,
    serves_all: bool,
}

/// Returns the addresses that these apps need. An app that already listens keeps its socket. Apps with the same address share
/// one. Two apps may only both serve every host if their port is 0: then the second gets a socket, and thus a port, of its own.
pub(crate) fn assign(bound: &[Listening], apps: &[(AppId, &AppSpec)]) -> Vec<Slot> {
    let mut slots: Vec<Slot> =
        bound.iter().map(|bound| Slot::new(Some(bound.id), bound.listen.clone())).collect();
    let stays = |app: AppId, spec: &AppSpec| {
        bound
            .iter()
            .position(|bound| spec.listen.as_ref() == Some(&bound.listen) && bound.apps.contains(&app))
    };
    for (app, spec) in apps {
        if let Some(slot) = stays(*app, spec).and_then(|at| slots.get_mut(at)) {
            slot.add(*app, spec);
        }
    }
    for (app, spec) in apps {
        // An app that cannot be run may have no address.
        let Some(listen) = spec.listen.as_ref().filter(|_| stays(*app, spec).is_none()) else { continue };
        let room = |slot: &&mut Slot| slot.listen == *listen && !(slot.serves_all && spec.hosts.is_empty());
        // With port 0, an app never joins a socket that is already bound.
        let is_shared = |slot: &&mut Slot| listen.port != 0 || slot.bound.is_none();
        if let Some(slot) = slots.iter_mut().filter(is_shared).find(room) {
            slot.add(*app, spec);
        } else {
            let mut slot = Slot::new(None, listen.clone());
            slot.add(*app, spec);
            slots.push(slot);
        }
    }
    slots.retain(|slot| !slot.apps.is_empty());
    slots
}

impl Slot {
    fn new(bound: Option<ListenerId>, listen: Listen) -> Self {
        Self { bound, listen, apps: Vec::new(), serves_all: false }
    }

    fn add(&mut self, app: AppId, spec: &AppSpec) {
        self.apps.push(app);
        self.serves_all |= spec.hosts.is_empty();
    }
}

/// Binds an address, with one socket for each I/O thread. `app` names the apps that want it.
///
/// # Errors
/// Fails with the error of the kernel, together with the address, the app, and how to fix it.
pub(crate) fn bind(
    listen: &Listen,
    app: &str,
    io_threads: usize,
) -> io::Result<(SocketAddr, Vec<TcpListener>)> {
    let sockets = listener::bind(listen, io_threads).map_err(|error| {
        let hint = hint(error.kind());
        io::Error::new(error.kind(), format!("cannot listen on {listen} for app {app}: {error}{hint}"))
    })?;
    bound(sockets)
}

/// Returns sockets together with the address that they are bound to.
///
/// # Errors
/// Fails if there are no sockets.
pub(crate) fn bound(sockets: Vec<TcpListener>) -> io::Result<(SocketAddr, Vec<TcpListener>)> {
    let first = sockets.first().ok_or_else(|| io::Error::other("there is no I/O thread"))?;
    Ok((first.local_addr()?, sockets))
}

fn hint(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::AddrInUse => "; fix: stop what uses it, or choose another port",
        io::ErrorKind::PermissionDenied => {
            "; fix: choose a port above 1023, or give the executable the capability to bind it"
        }
        io::ErrorKind::AddrNotAvailable => "; fix: choose an address of this machine",
        _ => "",
    }
}
