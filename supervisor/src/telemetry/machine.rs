//! Memory and CPU usage of the whole machine or container.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::api::status::MachineStatus;
use crate::config::{machine_memory, own_cgroup};

/// CPU usage is averaged over at least this long.
const SPAN: Duration = Duration::from_secs(1);

/// Remembers the last sample. Lives on the main thread.
#[derive(Debug, Default)]
pub(crate) struct Machine(RefCell<MachineSeen>);

#[derive(Debug, Default)]
struct MachineSeen {
    cpu: Option<(Instant, Cpu)>,
    percent: Option<f64>,
}

/// CPU time since boot, in kernel ticks.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cpu {
    busy: u64,
    all: u64,
}

impl Machine {
    /// The current usage.
    pub(crate) fn status(&self) -> MachineStatus {
        let limit = machine_memory();
        let read = |path: &str| fs::read_to_string(path).ok();
        let now = read("/proc/stat").and_then(|text| Cpu::parse(&text));
        MachineStatus {
            memory: limit
                .and_then(|limit| memory_in_use(&read("/proc/meminfo")?, limit, own_cgroup().as_deref())),
            memory_limit: limit,
            cpu_percent: self.0.borrow_mut().look(Instant::now(), now),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

impl MachineSeen {
    fn look(&mut self, now: Instant, cpu: Option<Cpu>) -> Option<f64> {
        let cpu = cpu?;
        match self.cpu {
            Some((then, before)) if now.duration_since(then) >= SPAN => {
                self.percent = cpu.percent_since(before);
                self.cpu = Some((now, cpu));
            }
            Some(_) => {}
            None => self.cpu = Some((now, cpu)),
        }
        self.percent
    }
}

impl Cpu {
    fn parse(stat: &str) -> Option<Self> {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        // User, nice, system, idle, iowait, irq, softirq, steal. Guest time is part of user time, see proc_stat(5).
        let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|field| field.parse().ok()).collect();
        let all = ticks.iter().sum();
        Some(Self { busy: all - ticks.get(3)? - ticks.get(4)?, all })
    }

    fn percent_since(self, before: Self) -> Option<f64> {
        let all = self.all.checked_sub(before.all).filter(|all| *all > 0)?;
        // The kernel's iowait may decrease by a tick.
        let busy = self.busy.saturating_sub(before.busy).min(all);
        Some((1000.0 * busy as f64 / all as f64).round() / 10.0)
    }
}

/// Memory in use: of the machine, or of the control group if that has a lower limit.
fn memory_in_use(meminfo: &str, limit: u64, group: Option<&Path>) -> Option<u64> {
    let bytes = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok()?.checked_mul(1024)
    };
    let total = bytes("MemTotal:")?;
    if limit >= total {
        return total.checked_sub(bytes("MemAvailable:")?);
    }
    let read = |file: &str| fs::read_to_string(group?.join(file)).ok();
    let current: u64 = read("memory.current")?.trim().parse().ok()?;
    let stat = read("memory.stat").unwrap_or_default();
    let cache = stat.lines().find_map(|line| line.strip_prefix("inactive_file ")?.parse().ok());
    Some(current.saturating_sub(cache.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_that_between_two_looks() {
        let cpu = |text: &str| Cpu::parse(text).unwrap();
        let first = cpu("cpu  100 0 50 800 50 0 0 0 7 7\ncpu0 1 2 3 4\n");
        assert_eq!(first, Cpu { busy: 150, all: 1000 });
        let second = cpu("cpu  130 0 70 900 50 0 0 50 7 7\n");
        assert_eq!(second.percent_since(first), Some(50.0));
        assert_eq!(first.percent_since(first), None);
        assert_eq!(Cpu::parse("intr 1"), None);
        let (mut seen, begun) = (MachineSeen::default(), Instant::now());
        assert_eq!(seen.look(begun, Some(first)), None);
        assert_eq!(seen.look(begun + SPAN, Some(second)), Some(50.0));
        assert_eq!(seen.look(begun + SPAN, Some(first)), Some(50.0), "too soon to tell anything new");
    }

    #[test]
    fn memory_is_that_of_whoever_sets_the_limit() {
        let meminfo = "MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    400 kB\n";
        assert_eq!(memory_in_use(meminfo, 1000 * 1024, None), Some(600 * 1024));
        let group = tempfile::tempdir().unwrap();
        assert_eq!(memory_in_use(meminfo, 1024, Some(group.path())), None);
        fs::write(group.path().join("memory.current"), "5000\n").unwrap();
        fs::write(group.path().join("memory.stat"), "anon 1\ninactive_file 2000\n").unwrap();
        assert_eq!(memory_in_use(meminfo, 1024, Some(group.path())), Some(3000));
        assert_eq!(memory_in_use("", 1024, None), None);
    }

    #[test]
    fn this_machine_uses_something() {
        let status = Machine::default().status();
        assert!(
            status.memory > Some(0) && status.memory <= status.memory_limit && status.cores > 0,
            "{status:?}"
        );
    }
}
