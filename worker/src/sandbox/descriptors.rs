//! Takes over the descriptors that a worker is started with.

use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

use nano_protocol::{Witness, descriptors};

/// Takes over the inherited sockets and the page of the witness, and closes every other inherited descriptor.
///
/// # Errors
/// The kernel's error, or an error if the descriptors are not sockets.
#[allow(unsafe_code, reason = "descriptors arrive as numbers")]
pub(crate) fn take(connections: u16) -> io::Result<(Vec<UnixStream>, Witness)> {
    let end = descriptors::witness(connections.into());
    // SAFETY: this process has just been started, so nothing in it owns a descriptor above `end` yet.
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
    // SAFETY: as above. The descriptor is closed here; the mapping of the page stays.
    let witness = Witness::open(&unsafe { OwnedFd::from_raw_fd(end) })?;
    Ok((sockets, witness))
}
