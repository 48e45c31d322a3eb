//! The test harness: starts real supervisors, workers and sockets.

pub(crate) mod checks;
pub(crate) mod client;
mod folder;
mod load;
mod log;
pub(crate) mod npm;
pub(crate) mod origin;
pub(crate) mod process;
pub(crate) mod raw;
pub(crate) mod schema;
mod supervisor;
pub(crate) mod talker;
mod terminal;
pub(crate) mod workerd;

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

pub(crate) use client::Client;
pub(crate) use folder::{Folder, crashes, folder, run};
pub(crate) use load::Load;
pub(crate) use log::Log;
pub(crate) use origin::Origin;
pub(crate) use raw::Raw;
pub(crate) use supervisor::{App, EXECUTABLE, TestSupervisor, executable};
pub(crate) use terminal::Terminal;

/// The deadline of every wait. Far longer than anything takes: only a failing test reaches it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The polling interval for conditions that raise no event.
const POLL: Duration = Duration::from_millis(5);

/// Returns a loopback address with a port that is free now.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Waits for a future, and panics at the deadline.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("it comes before the deadline")
}

/// Polls `find` until it returns a value.
///
/// # Panics
/// At the deadline. The message names `what`.
pub(crate) async fn until<T>(what: &str, mut find: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = find().await {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "waited in vain until {what}");
        tokio::time::sleep(POLL).await;
    }
}
