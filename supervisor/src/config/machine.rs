//! The memory and the control group of this machine or container, on which defaults depend.

use std::fs;
use std::path::{Path, PathBuf};

/// Where control groups (cgroup v2) are mounted.
const MOUNT: &str = "sys/fs/cgroup";

/// Returns the folder of this process's own control group, or `None` without control groups of version 2.
pub(crate) fn own_cgroup() -> Option<PathBuf> {
    let root = Path::new("/");
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    root.join(MOUNT).join("cgroup.controllers").is_file().then(|| folder(&root.join(MOUNT), group))
}

/// Returns the folder of a control group.
fn folder(mount: &Path, group: &str) -> PathBuf {
    let folder = mount.join(group.trim_start_matches('/'));
    // In a container, the path of the group may be that on the host, while the mount shows only the group itself.
    if folder.is_dir() { folder } else { mount.to_owned() }
}

/// Returns how much memory this process may use, in bytes: the least of the machine's memory and the limits of its control group
/// and of those above it. Returns `None` if the kernel does not say.
pub(crate) fn memory() -> Option<u64> {
    memory_below(Path::new("/"))
}

fn memory_below(root: &Path) -> Option<u64> {
    let text = |path: &str| fs::read_to_string(root.join(path)).ok();
    let physical = text("proc/meminfo").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok()?.checked_mul(1024)
    });
    let groups = text("proc/self/cgroup").unwrap_or_default();
    let limits = groups.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, group) = (parts.next()?, parts.next()?, parts.next()?);
        let (mount, file) = match controllers {
            // Version 2 has a single hierarchy, and no controllers in this field.
            "" => (MOUNT, "memory.max"),
            "memory" => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => return None,
        };
        let mount = root.join(mount);
        least(&mount, folder(&mount, group), file)
    });
    limits.chain(physical).min()
}

/// Returns the least limit of a group and of those above it, up to the mount.
fn least(mount: &Path, mut group: PathBuf, file: &str) -> Option<u64> {
    let mut least = None;
    loop {
        let limit =
            fs::read_to_string(group.join(file)).ok().and_then(|text| text.trim().parse::<u64>().ok());
        least = [least, limit].into_iter().flatten().min();
        if group == mount || !group.pop() {
            return least;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        memory_below(root.path())
    }

    const PHYSICAL: (&str, &str) = ("proc/meminfo", "MemTotal:        8192 kB\nMemFree: 1 kB\n");

    #[test]
    fn the_least_limit_of_all_groups_counts() {
        assert_eq!(machine(&[]), None);
        assert_eq!(machine(&[PHYSICAL]), Some(8192 * 1024));
        let v2 = ("proc/self/cgroup", "0::/a/b\n");
        let limits = [("sys/fs/cgroup/a/b/memory.max", "max\n"), ("sys/fs/cgroup/a/memory.max", "5000\n")];
        assert_eq!(machine(&[PHYSICAL, v2, limits[0], limits[1]]), Some(5000));
        // In a container, its own group is the root of the mount.
        assert_eq!(machine(&[PHYSICAL, v2, ("sys/fs/cgroup/memory.max", "4000\n")]), Some(4000));
        let v1 = ("proc/self/cgroup", "3:cpu:/x\n4:memory:/x\n0::/\n");
        let limit = ("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "3000\n");
        assert_eq!(machine(&[PHYSICAL, v1, limit]), Some(3000));
        let unlimited = ("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(machine(&[PHYSICAL, v1, unlimited]), Some(8192 * 1024));
    }

    #[test]
    fn this_machine_has_some() {
        assert!(memory().is_some_and(|memory| memory > 1 << 20));
    }
}
