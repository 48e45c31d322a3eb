//! The control group that a worker makes for itself.

use std::fs;
use std::io;
use std::os::fd::RawFd;

/// Makes a control group below an open one, and moves this process there. Done here, and before anything else: whatever has
/// been used until then is not counted there, and the kernel may take its time.
///
/// # Errors
/// What the kernel says.
pub(crate) fn enter(folder: RawFd, prefix: &str) -> io::Result<()> {
    let group = format!("/proc/self/fd/{folder}/{prefix}{}", std::process::id());
    match fs::create_dir(&group) {
        // Left by a worker that had the same process id, with what has happened to that.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_dir(&group)?;
            fs::create_dir(&group)?;
        }
        made => made?,
    }
    fs::write(format!("{group}/cgroup.procs"), "0")
}
