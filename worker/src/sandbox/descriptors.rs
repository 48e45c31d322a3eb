//! The descriptors that a worker is started with.

use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

use nano_protocol::{Witness, descriptors};

/// Takes over the inherited sockets and the page that it leaves behind, and closes whatever else may have been inherited.
///
/// # Errors
/// What the kernel says, or that these are no sockets.
#[allow(unsafe_code, reason = "descriptors arrive as numbers")]
pub(crate) fn take(connections: u16) -> io::Result<(Vec<UnixStream>, Witness)> {
    let end = descriptors::witness(connections.into());
    // SAFETY: nothing in this process owns a descriptor above `end` yet: it has just been started.
    let closed = unsafe { nix::libc::close_range(end as u32 + 1, u32::MAX, 0) };
    nix::errno::Errno::result(closed)?;
    let sockets = (descriptors::FIRST..end)
        .map(|descriptor| {
            nix::sys::socket::getsockname::<nix::sys::socket::UnixAddr>(descriptor).map_err(|_| {
                io::Error::other("it is started by the supervisor, never by hand (no sockets inherited)")
            })?;
            // SAFETY: the supervisor passed these descriptors to this process, and each is taken once.
            let socket = unsafe { UnixStream::from_raw_fd(descriptor) };
            socket.set_nonblocking(true)?;
            Ok(socket)
        })
        .collect::<io::Result<_>>()?;
    // SAFETY: as above; it is closed here, and the page stays.
    let witness = Witness::open(&unsafe { OwnedFd::from_raw_fd(end) })?;
    Ok((sockets, witness))
}
