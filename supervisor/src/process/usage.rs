//! The memory and CPU time of a process, as counted by the kernel.

use std::fs;
use std::time::Duration;

use nix::unistd::{SysconfVar, sysconf};

use crate::api::usage::Usage;

impl Usage {
    /// Reads the usage of a running process. Returns `None` if there is no such process.
    pub fn of(pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Self::parse(&status, &stat, ticks_per_second())
    }

    fn parse(status: &str, stat: &str, ticks_per_second: u64) -> Option<Self> {
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse::<u64>().ok()
        };
        // These fields are missing for a zombie, which has no memory.
        let memory = kib("RssAnon:").unwrap_or(0) + kib("RssShmem:").unwrap_or(0);
        let rss = kib("VmRSS:").unwrap_or(0);
        // The name is in parentheses and may contain anything. User and system time are fields 14 and 15, see proc(5).
        let (_, fields) = stat.rsplit_once(')')?;
        let ticks: u64 =
            fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        let cpu = Duration::from_millis(ticks * 1000 / ticks_per_second.max(1));
        Some(Self { memory: memory * 1024, rss: rss * 1024, cpu })
    }
}

fn ticks_per_second() -> u64 {
    sysconf(SysconfVar::CLK_TCK).ok().flatten().and_then(|ticks| u64::try_from(ticks).ok()).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read() {
        let status =
            "Name:\tx\nVmRSS:\t   5000 kB\nRssAnon:\t    1000 kB\nRssFile:\t 3900 kB\nRssShmem:\t 100 kB\n";
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 9 0 0 0 250 50 0 0 20 0 9 0 1 1 1";
        let expected = Usage { memory: 1100 * 1024, rss: 5000 * 1024, cpu: Duration::from_secs(3) };
        assert_eq!(Usage::parse(status, stat, 100), Some(expected));
        assert_eq!(Usage::parse("", "7 (x) Z 1 7 7 0 -1 4194560 9 0 0 0 0 0", 100), Some(Usage::default()));
        assert_eq!(Usage::parse("", "", 100), None);
    }

    #[test]
    fn this_process_uses_something() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.memory > 0 && usage.rss >= usage.memory, "{usage:?}");
        assert_eq!(Usage::of(u32::MAX), None);
    }
}
