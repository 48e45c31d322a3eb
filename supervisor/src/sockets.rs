//! Which listening sockets there are, and which apps are behind each. All are bound before anything is accepted.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use tracing::info;

use crate::config::AppSpec;
use crate::listener;
use crate::registry::{AppIndex, Registry};

/// A listening socket of one I/O thread, and the apps that share it.
#[derive(Debug)]
pub struct SharedSocket {
    /// In the order of the configuration.
    pub apps: Vec<AppIndex>,
    /// Bound, and not blocking.
    pub socket: TcpListener,
}

/// Binds every address, and enters in `registry` what the kernel made of port 0. The result is one list per I/O thread.
///
/// # Errors
/// What the kernel says, with the address, an app that wants it, and what to do.
pub fn bind(
    specs: &[Arc<AppSpec>],
    io_threads: usize,
    registry: &Registry,
) -> io::Result<Vec<Vec<SharedSocket>>> {
    let mut threads: Vec<Vec<_>> = (0..io_threads).map(|_| Vec::new()).collect();
    for apps in groups(specs) {
        let Some(first) = apps.first().map(|app| &specs[app.0]) else { continue };
        let sockets = listener::bind(&first.listen, io_threads).map_err(|error| {
            let (listen, app, hint) = (&first.listen, &first.name, hint(error.kind()));
            io::Error::new(error.kind(), format!("cannot listen on {listen} for app {app}: {error}{hint}"))
        })?;
        if let Some(address) = sockets.first().and_then(|socket| socket.local_addr().ok()) {
            apps.iter().for_each(|app| registry.listening(*app, address));
            let names: Vec<_> = apps.iter().map(|app| specs[app.0].name.as_str()).collect();
            info!(%address, apps = names.join(","), "listening");
        }
        for (thread, socket) in threads.iter_mut().zip(sockets) {
            thread.push(SharedSocket { apps: apps.clone(), socket });
        }
    }
    Ok(threads)
}

/// The apps that share a socket are those with the same address. Only with port 0 may two of them serve every host; the
/// second gets a socket, and thereby a port, of its own.
fn groups(specs: &[Arc<AppSpec>]) -> Vec<Vec<AppIndex>> {
    let mut groups: Vec<Vec<AppIndex>> = Vec::new();
    for (index, spec) in specs.iter().enumerate() {
        let serves_all = |app: &AppIndex| specs[app.0].hosts.is_empty();
        let group = groups.iter_mut().find(|group| {
            let is_same = group.first().is_some_and(|first| specs[first.0].listen == spec.listen);
            is_same && !(spec.hosts.is_empty() && group.iter().any(serves_all))
        });
        match group {
            Some(group) => group.push(AppIndex(index)),
            None => groups.push(vec![AppIndex(index)]),
        }
    }
    groups
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
