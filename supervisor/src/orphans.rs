//! As PID 1 of a container, the supervisor inherits every orphan and must reap it, or zombies pile up.

use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use tokio::signal::unix::{SignalKind, signal};

use crate::registry::Registry;

/// Reaps children that are no workers, whenever a child has ended. Does nothing unless this process is PID 1.
pub async fn reap(registry: Registry) {
    if std::process::id() != 1 {
        return;
    }
    let Ok(mut ended) = signal(SignalKind::child()) else { return };
    while ended.recv().await.is_some() {
        let workers = registry.pids();
        for orphan in zombies().filter(|pid| !workers.contains(pid)) {
            // A worker that is only just starting is not in the registry; it is alive, so it is no zombie either. One
            // that has ended is waited for through its own handle, which takes an already reaped child as ended.
            let pid = Pid::from_raw(i32::try_from(orphan).unwrap_or(i32::MAX));
            let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
        }
    }
}

/// Children of this process that have ended and have not been waited for.
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
