//! Measures the memory and the CPU time that this process uses.

use std::fs;
use std::time::Duration;

use nano_runtime::time_of;
use nix::libc;

/// Returns the resident memory of this process that no file backs, in bytes. The supervisor counts it in the same way.
pub(crate) fn memory() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = statm.split_whitespace().skip(1).map_while(|field| field.parse::<u64>().ok());
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten()?;
    let (resident, of_files) = (pages.next()?, pages.next()?);
    Some(resident.saturating_sub(of_files) * u64::try_from(page).ok()?)
}

/// Returns the CPU time of all threads of this process.
pub(crate) fn cpu_time() -> Duration {
    time_of(libc::CLOCK_PROCESS_CPUTIME_ID)
}
