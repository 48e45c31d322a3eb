//! Creates the control group of a worker.

use std::fs;
use std::io;
use std::os::fd::RawFd;

/// Creates a control group below an open one, and moves this process into it. The worker does that itself, because the kernel may
/// take its time for it, and before anything else, because what the process has used before is not counted in the group.
///
/// # Errors
/// The kernel's error if the group cannot be created or entered.
pub(crate) fn enter(folder: RawFd, prefix: &str) -> io::Result<()> {
    let group = format!("/proc/self/fd/{folder}/{prefix}{}", std::process::id());
    match fs::create_dir(&group) {
        // Left by an earlier worker with the same process id. It is replaced, as it still has the counts of that worker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_dir(&group)?;
            fs::create_dir(&group)?;
        }
        made => made?,
    }
    fs::write(format!("{group}/cgroup.procs"), "0")
}
