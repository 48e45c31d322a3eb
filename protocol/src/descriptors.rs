//! The numbers of the file descriptors that a worker is started with: its control connection, its request connections, the
//! page of its [`Witness`](crate::Witness), and the folder of the control groups, if there is one.

use std::os::fd::RawFd;

/// The control connection. The request connections follow it.
pub const FIRST: RawFd = 3;

/// Returns the descriptor of the witness page, in a worker with this many request connections.
pub fn witness(connections: usize) -> RawFd {
    FIRST + 1 + connections as RawFd
}

/// Returns the descriptor of the folder in which the worker creates its control group.
pub fn cgroups(connections: usize) -> RawFd {
    witness(connections) + 1
}
