//! The limit of open descriptors of a worker (`max_fds`). The supervisor sets it, because a spare does not know its app, and a
//! worker is not trusted to set it.

use std::io;
use std::mem::MaybeUninit;

use nix::errno::Errno;
use nix::libc;
use nix::unistd::Pid;

/// How many descriptors a worker needs at least to load an app, beside its connections to the supervisor.
const LEAST: u64 = 64;

/// Limits the process to `max` open descriptors, of which `connections` are connections to the supervisor.
///
/// If the kernel refuses, the old limit stays. It refuses only if the process has exited.
pub(super) fn limit(pid: u32, max: u64, connections: usize) {
    let max = max.max(LEAST + connections as u64);
    if let Err(error) = set(Pid::from_raw(pid.cast_signed()), max) {
        tracing::debug!(pid, %error, "the limit of descriptors is not set");
    }
}

/// Sets the soft and the hard limit; the hard limit is never raised.
#[allow(unsafe_code, reason = "nix has no prlimit")]
fn set(process: Pid, max: u64) -> io::Result<()> {
    let resource = libc::RLIMIT_NOFILE;
    let mut before = MaybeUninit::<libc::rlimit>::uninit();
    // SAFETY: the kernel writes one `rlimit` to `before` and reads none.
    let asked = unsafe { libc::prlimit(process.as_raw(), resource, std::ptr::null(), before.as_mut_ptr()) };
    Errno::result(asked)?;
    // SAFETY: the call has succeeded, so it is written.
    let max = max.min(unsafe { before.assume_init() }.rlim_max);
    let limit = libc::rlimit { rlim_cur: max, rlim_max: max };
    // SAFETY: the kernel reads one `rlimit` from `limit` and writes none.
    let set = unsafe { libc::prlimit(process.as_raw(), resource, &raw const limit, std::ptr::null_mut()) };
    Errno::result(set)?;
    Ok(())
}
