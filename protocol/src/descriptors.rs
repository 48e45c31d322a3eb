//! The descriptors that a worker is started with, by number: its control connection, its request connections, the page that it
//! leaves behind, and the folder of the control groups, if there is one.

use std::os::fd::RawFd;

/// Its control connection, which its request connections follow.
pub const FIRST: RawFd = 3;

/// The page that a worker with so many request connections leaves behind.
pub fn witness(connections: usize) -> RawFd {
    FIRST + 1 + connections as RawFd
}

/// The folder in which it makes its control group.
pub fn cgroups(connections: usize) -> RawFd {
    witness(connections) + 1
}
