//! Control groups (cgroup v2). If one is delegated to the supervisor, the kernel enforces the limits of every worker.
//! <https://docs.kernel.org/admin-guide/cgroup-v2.html>
//!
//! ```text
//! OWN/supervisor    this process: a group that enables controllers for its children may have no processes itself
//! OWN/worker-PID    one for each worker, entered before it has an app: memory charged earlier would stay with the old group
//! ```

use std::cell::Cell;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use nix::unistd::geteuid;
use tracing::{debug, info, warn};

use crate::api::status::CgroupStatus;
use crate::config::{self, AppLimits};
use crate::model::exit_reason::ExitReason;

/// The controllers that are enabled where they are available.
const CONTROLLERS: [&str; 3] = ["memory", "pids", "cpu"];

/// The group of the supervisor. systemd's `DelegateSubgroup=supervisor` puts it there from the start.
const SUPERVISOR: &str = "supervisor";

/// Prefix of the names of workers' groups.
const WORKER: &str = "worker-";

/// The period of `cpu.max`, in microseconds.
const PERIOD: u64 = 100_000;

/// The control group delegated to this supervisor, if there is one.
#[derive(Debug, Clone)]
pub(crate) struct Cgroups(Rc<Result<Own, NoCgroups>>);

/// Why workers have no control groups. The text is shown by `status`.
#[derive(Debug, thiserror::Error)]
enum NoCgroups {
    #[error("`cgroups = false`")]
    Off,
    #[error("cgroup v2 is not mounted at /sys/fs/cgroup")]
    NotMounted,
    #[error("{} is not delegated; fix: `Delegate=yes` in the unit", .0.display())]
    NotDelegated(PathBuf),
    #[error("none of {} is delegated to {}", CONTROLLERS.join(", "), .0.display())]
    NoControllers(PathBuf),
    #[error("there are other processes in {}", .0.display())]
    OtherProcesses(PathBuf),
    #[error("{}: {error}", path.display())]
    System {
        path: PathBuf,
        #[source]
        error: io::Error,
    },
}

#[derive(Debug)]
struct Own {
    path: PathBuf,
    controllers: Vec<String>,
}

impl Cgroups {
    /// Takes this process's own group, and moves this process to a group below it.
    pub(crate) fn take(is_wanted: bool) -> Self {
        let cgroups = if is_wanted { Self(Rc::new(Own::take())) } else { Self::none() };
        // A supervisor that was killed leaves groups behind.
        cgroups.tidy();
        let state = cgroups.status();
        match &state.path {
            Some(_) => info!(control_groups = %state, "the kernel holds workers to their limits"),
            // `status` shows it as well.
            None => debug!(control_groups = %state, "the kernel does not hold workers to their limits"),
        }
        cgroups
    }

    /// No control groups, as with `cgroups = false`.
    pub(crate) fn none() -> Self {
        Self(Rc::new(Err(NoCgroups::Off)))
    }

    pub(crate) fn status(&self) -> CgroupStatus {
        match &*self.0 {
            Ok(own) => CgroupStatus {
                path: Some(own.path.display().to_string()),
                controllers: own.controllers.clone(),
                why_not: None,
            },
            Err(why) => CgroupStatus { path: None, controllers: Vec::new(), why_not: Some(why.to_string()) },
        }
    }

    /// Passed to a new worker, which creates its own group: the parent group's folder, and the prefix of the name.
    pub(crate) fn entrance(&self) -> Option<(io::Result<File>, &'static str)> {
        self.0.as_ref().as_ref().ok().map(|own| (File::open(&own.path), WORKER))
    }

    /// The group that a worker entered, without limits yet. `None` without control groups.
    pub(crate) fn of(&self, pid: u32) -> Option<Group> {
        let own = self.0.as_ref().as_ref().ok()?;
        let path = own.path.join(format!("{WORKER}{pid}"));
        let processes = read(&path, "cgroup.procs").unwrap_or_default();
        let has_entered = processes.trim() == pid.to_string();
        if !has_entered {
            warn!(pid, "the worker has no control group of its own: its limits are held without one");
        }
        has_entered.then(|| Group { path, memory: Cell::new(None), cgroups: self.clone() })
    }

    /// Removes the groups of workers that have exited. Call it periodically: a group can outlive its process for a moment.
    pub(crate) fn tidy(&self) {
        if let Ok(own) = &*self.0 {
            own.tidy(Path::new("/proc"));
        }
    }
}

impl Own {
    fn take() -> Result<Self, NoCgroups> {
        let found = config::own_cgroup().ok_or(NoCgroups::NotMounted)?;
        // The subgroup is there already after an upgrade, or if systemd made it.
        let path = match found.file_name() {
            Some(name) if name == SUPERVISOR => found.parent().map(Path::to_owned).unwrap_or(found),
            _ => found,
        };
        if is_left_to_systemd(&path) {
            return Err(NoCgroups::NotDelegated(path));
        }
        Self::divide(path, std::process::id())
    }

    fn divide(path: PathBuf, pid: u32) -> Result<Self, NoCgroups> {
        let failed = |error: io::Error| NoCgroups::System { path: path.clone(), error };
        let offered = read(&path, "cgroup.controllers").map_err(failed)?;
        let controllers: Vec<_> = CONTROLLERS
            .iter()
            .filter(|name| offered.split_whitespace().any(|offer| offer == **name))
            .collect();
        if controllers.is_empty() {
            return Err(NoCgroups::NoControllers(path));
        }
        let others = read(&path, "cgroup.procs").map_err(failed)?;
        if others.split_whitespace().any(|other| other != pid.to_string()) {
            return Err(NoCgroups::OtherProcesses(path));
        }
        let supervisor = path.join(SUPERVISOR);
        if !supervisor.is_dir() {
            fs::create_dir(&supervisor).map_err(failed)?;
        }
        let enabled = write(&supervisor, "cgroup.procs", &pid.to_string()).and_then(|()| {
            controllers
                .iter()
                .try_for_each(|name| write(&path, "cgroup.subtree_control", &format!("+{name}")))
        });
        if let Err(error) = enabled {
            // Roll back. A controller that was enabled already does no harm.
            let _ = write(&path, "cgroup.procs", &pid.to_string());
            let _ = fs::remove_dir(&supervisor);
            return Err(failed(error));
        }
        let controllers = controllers.into_iter().map(|name| (*name).to_owned()).collect();
        Ok(Self { path, controllers })
    }

    fn tidy(&self, processes: &Path) {
        for group in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let name = group.file_name();
            let pid = name.to_str().and_then(|name| name.strip_prefix(WORKER));
            // The process is checked, not whether the group is empty: a worker that just made its group is not in it yet.
            if pid.is_some_and(|pid| !processes.join(pid).exists()) {
                let _ = fs::remove_dir(group.path());
            }
        }
    }
}

/// Returns whether systemd manages the group and has not delegated it. Its manual asks everybody to leave such groups alone.
/// Without root, only delegated groups are writable, so there is nothing to check.
fn is_left_to_systemd(path: &Path) -> bool {
    let is_delegated = |name| xattr::get(path, name).ok().flatten().is_some_and(|value| value == b"1");
    geteuid().is_root()
        && sd_notify::booted().unwrap_or(false)
        && !is_delegated("trusted.delegate")
        && !is_delegated("user.delegate")
}

/// The group of one worker.
#[derive(Debug)]
pub(crate) struct Group {
    path: PathBuf,
    /// The memory limit that the kernel enforces, in bytes.
    memory: Cell<Option<u64>>,
    cgroups: Cgroups,
}

/// The kernel's counters of a group since it was created.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct GroupCounts {
    /// Processes and threads refused by `pids.max`.
    pub pids_refused: u64,
    /// Periods of 100 ms in which the group was throttled.
    pub throttled: u64,
}

impl Group {
    /// Sets the app's limits on the group.
    pub(crate) fn limit(&self, limits: &AppLimits) {
        let Ok(own) = &*self.cgroups.0 else { return };
        let or_max = |limit: Option<u64>| limit.map_or_else(|| "max".to_owned(), |limit| limit.to_string());
        let cpu = limits.max_cpus.map(|thousandths| u64::from(thousandths) * PERIOD / 1000);
        let files = [
            ("memory", "memory.max", or_max(limits.memory)),
            // Swapped memory would be beyond the limit too, and slow.
            ("memory", "memory.swap.max", if limits.memory.is_some() { "0" } else { "max" }.to_owned()),
            ("pids", "pids.max", limits.max_pids.to_string()),
            ("cpu", "cpu.max", format!("{} {PERIOD}", or_max(cpu))),
        ];
        for (controller, file, text) in files {
            let is_there = own.controllers.iter().any(|name| name == controller);
            match if is_there { write(&self.path, file, &text) } else { Ok(()) } {
                // The file is missing in kernels built without swap.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => warn!(path = %self.path.display(), %error, file, "the limit is not set"),
                Ok(()) if file == "memory.max" && is_there => self.memory.set(limits.memory),
                Ok(()) => {}
            }
        }
    }

    /// Returns whether the kernel enforces the memory limit, so that the supervisor need not.
    pub(crate) fn holds_memory(&self) -> bool {
        self.memory.get().is_some()
    }

    /// The exit reason if the kernel's OOM killer ended the worker.
    pub(crate) fn out_of_memory(&self) -> Option<ExitReason> {
        let events = read(&self.path, "memory.events").ok()?;
        if count(&events, "oom_kill") == 0 {
            return None;
        }
        // Without an OOM event of this group, a group above it was full and the kernel chose this worker.
        let limit = self.memory.get().filter(|_| count(&events, "oom") > 0);
        Some(limit.map_or(ExitReason::MachineMemory, |limit| ExitReason::MemoryMax { limit }))
    }

    pub(crate) fn counts(&self) -> GroupCounts {
        let text = |file| read(&self.path, file).unwrap_or_default();
        GroupCounts {
            pids_refused: count(&text("pids.events"), "max"),
            throttled: count(&text("cpu.stat"), "nr_throttled"),
        }
    }
}

fn read(group: &Path, file: &str) -> io::Result<String> {
    fs::read_to_string(group.join(file))
}

fn write(group: &Path, file: &str, text: &str) -> io::Result<()> {
    fs::OpenOptions::new()
        .write(true)
        .open(group.join(file))
        .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()))
}

/// Reads a value from a flat keyed file: each line is a name and a number.
fn count(text: &str, name: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that looks like a group, as far as files can.
    fn group(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn a_group_that_cannot_be_divided_is_left_as_it_is() {
        let why = |files: &[(&str, &str)]| {
            let folder = group(files);
            let why = Own::divide(folder.path().to_owned(), 7).unwrap_err().to_string();
            assert!(!folder.path().join(SUPERVISOR).exists());
            why.replace(folder.path().to_str().unwrap(), "OWN")
        };
        assert_eq!(why(&[]), "OWN: No such file or directory (os error 2)");
        let nothing = ("cgroup.controllers", "hugetlb io\n");
        assert_eq!(why(&[nothing]), "none of memory, pids, cpu is delegated to OWN");
        let offered = ("cgroup.controllers", "cpuset cpu memory\n");
        assert_eq!(why(&[offered, ("cgroup.procs", "7\n8\n")]), "there are other processes in OWN");
        // In a real control group, the kernel would create this file.
        assert_eq!(why(&[offered, ("cgroup.procs", "7\n")]), "OWN: No such file or directory (os error 2)");
    }

    #[test]
    fn groups_go_once_their_process_is_gone() {
        let (folder, processes) = (group(&[]), group(&[("2", ""), ("x", "")]));
        for name in ["worker-1", "worker-2", "other", "1"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let own = Own { path: folder.path().to_owned(), controllers: Vec::new() };
        own.tidy(processes.path());
        let left = ["worker-1", "worker-2", "other", "1"].map(|name| folder.path().join(name).exists());
        assert_eq!(left, [false, true, true, true]);
    }

    #[test]
    fn the_kernels_files_are_read() {
        let events = "low 0\nhigh 0\nmax 12\noom 3\noom_kill 1\noom_group_kill 0\n";
        assert_eq!([count(events, "oom"), count(events, "oom_kill"), count(events, "max")], [3, 1, 12]);
        assert_eq!([count("", "max"), count("max x", "max")], [0, 0]);
    }

    #[test]
    fn whose_memory_was_full_is_told_apart() {
        let found = |events: &str, limit| {
            let folder = group(&[("memory.events", events)]);
            let group =
                Group { path: folder.path().to_owned(), memory: Cell::new(limit), cgroups: Cgroups::none() };
            group.out_of_memory()
        };
        assert_eq!(found("oom 0\noom_kill 0\n", Some(5)), None);
        assert_eq!(found("oom 1\noom_kill 1\n", Some(5)), Some(ExitReason::MemoryMax { limit: 5 }));
        assert_eq!(found("oom 0\noom_kill 1\n", Some(5)), Some(ExitReason::MachineMemory));
        assert_eq!(found("oom 1\noom_kill 1\n", None), Some(ExitReason::MachineMemory));
    }

    #[test]
    fn the_state_is_one_line() {
        assert_eq!(Cgroups::none().status().to_string(), "none: `cgroups = false`");
        let status = CgroupStatus {
            path: Some("/sys/fs/cgroup/x".into()),
            controllers: vec!["memory".into(), "cpu".into()],
            why_not: None,
        };
        assert_eq!(status.to_string(), "memory, cpu in /sys/fs/cgroup/x");
    }
}
