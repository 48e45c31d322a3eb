//! How many descriptors a worker may have open (`max_fds`). Set from outside: a spare does not know its app, and a worker is
//! not trusted to set it.

use std::io;
use std::mem::MaybeUninit;

use nix::errno::Errno;
use nix::libc;
use nix::unistd::Pid;

/// Least number beside the connections to the supervisor with which a worker loads an app.
const LEAST: u64 = 64;

/// From now on the process may have `max` descriptors open, of which `connections` are the supervisor's.
///
/// It goes on with the limit it has if the kernel refuses, which it does only if the process has ended.
pub(super) fn limit(pid: u32, max: u64, connections: usize) {
    let max = max.max(LEAST + connections as u64);
    if let Err(error) = set(Pid::from_raw(pid.cast_signed()), max) {
        tracing::debug!(pid, %error, "the limit of descriptors is not set");
    }
}

/// Sets the soft limit and the hard one, which is never raised.
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
