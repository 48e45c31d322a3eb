//! Reaps orphaned processes. As PID 1 of a container the supervisor inherits every orphan; unless it reaps them, zombies pile up.

use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use tokio::signal::unix::{SignalKind, signal};

use crate::process::spawn;

/// Reaps ended children that are not workers, each time a child ends. Returns at once unless this process is PID 1.
pub(crate) async fn reap() {
    if std::process::id() != 1 {
        return;
    }
    let Ok(mut ended) = signal(SignalKind::child()) else { return };
    while ended.recv().await.is_some() {
        for orphan in zombies().filter(|pid| !spawn::is_owned(*pid)) {
            let pid = Pid::from_raw(i32::try_from(orphan).unwrap_or(i32::MAX));
            let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
        }
    }
}

/// Returns the children of this process that have exited and have not been waited for.
fn zombies() -> impl Iterator<Item = u32> {
    let children = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok())
        .collect::<Vec<_>>()
        .join(" ");
    let pids: Vec<u32> = children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
    pids.into_iter().filter(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
    })
}
