//! The test harness: starts real supervisors, workers and sockets.

pub(crate) mod checks;
pub(crate) mod client;
pub(crate) mod databases;
mod folder;
mod load;
mod log;
pub(crate) mod lone_worker;
pub(crate) mod miniflare;
pub(crate) mod npm;
pub(crate) mod origin;
pub(crate) mod process;
pub(crate) mod raw;
pub(crate) mod schema;
mod supervisor;
pub(crate) mod talker;
mod terminal;
pub(crate) mod workerd;
pub(crate) mod wrangler;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};
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
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The polling interval for conditions that raise no event.
const POLL: Duration = Duration::from_millis(5);

/// The ports of [`free_address`]: below those that the kernel gives to connections and to listeners that ask for none.
const PORTS: u16 = 12_000;
const PORTS_COUNT: u16 = 20_000;

/// Returns a loopback address whose port is free, and stays so until the test binds it: neither the kernel nor another test
/// takes it.
pub(crate) fn free_address() -> SocketAddr {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    // Other runs of these tests begin elsewhere.
    let first = std::process::id().wrapping_mul(97) % u32::from(PORTS_COUNT);
    loop {
        let number = (first + u32::from(TAKEN.fetch_add(1, Ordering::Relaxed))) % u32::from(PORTS_COUNT);
        let port = PORTS + u16::try_from(number).expect("a port");
        let is_free = [Ipv4Addr::UNSPECIFIED, Ipv4Addr::LOCALHOST]
            .into_iter()
            .all(|address| TcpListener::bind((address, port)).is_ok());
        if is_free {
            return (Ipv4Addr::LOCALHOST, port).into();
        }
    }
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
