//! Information from the kernel about a process.

use std::fs;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Sends a signal.
pub(crate) fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.cast_signed()), signal).expect("signal a process of this test");
}

/// Returns whether a process exists and is no zombie.
pub(crate) fn is_alive(pid: u32) -> bool {
    status(pid, "State").is_some_and(|state| !state.starts_with('Z'))
}

/// Returns whether a process exists, even if only as a zombie.
pub(crate) fn exists(pid: u32) -> bool {
    status(pid, "State").is_some()
}

/// Returns the peak resident memory of a process, in bytes.
pub(crate) fn peak_rss(pid: u32) -> u64 {
    kib(pid, "VmHWM") * 1024
}

fn kib(pid: u32, field: &str) -> u64 {
    let text = status(pid, field).expect("a process that runs");
    text.trim_end_matches(" kB").parse().expect("a number of KiB")
}

fn status(pid: u32, field: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.trim().to_owned())
}

/// Returns the arguments of a process, separated by spaces.
pub(crate) fn command_line(pid: u32) -> String {
    let text = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&text).trim_end_matches('\0').replace('\0', " ")
}

/// Returns the short name of a process, which `ps -e` and `top` show.
pub(crate) fn name(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned()
}

/// Returns the environment that a process was started with.
pub(crate) fn environment(pid: u32) -> String {
    String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/environ")).unwrap_or_default()).into_owned()
}

/// Returns the targets of a process's open descriptors.
pub(crate) fn descriptors(pid: u32) -> Vec<String> {
    let folder = fs::read_dir(format!("/proc/{pid}/fd")).expect("a process that runs");
    let links = folder.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    links.map(|link| link.display().to_string()).collect()
}

/// Returns the children of a process.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    // Not the kernel's lists of children: while one of them ends, these lists may lack others.
    let pids = fs::read_dir("/proc").expect("all processes").flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|child| status(*child, "PPid").is_some_and(|parent| parent == pid.to_string())).collect()
}

/// Returns how long the first thread of a process has run, in ticks of 10 ms. In a worker that is the one of JavaScript.
pub(crate) fn ticks(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/stat")).unwrap_or_default();
    let fields: Vec<_> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let number = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
    number(11).unwrap_or_default() + number(12).unwrap_or_default()
}

/// Returns the names of a process's threads.
pub(crate) fn threads(pid: u32) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("a process that runs").flatten();
    let names = threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).collect()
}

/// Returns the number of open TCP sockets of a process.
pub(crate) fn tcp_sockets(pid: u32) -> usize {
    let tables = ["tcp", "tcp6"]
        .map(|table| fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default());
    let is_tcp = |inode: &str| {
        tables
            .iter()
            .flat_map(|table| table.lines())
            .any(|line| line.split_whitespace().nth(9) == Some(inode))
    };
    let descriptors = descriptors(pid);
    let inodes = descriptors.iter().filter_map(|target| target.strip_prefix("socket:[")?.strip_suffix(']'));
    inodes.filter(|inode| is_tcp(inode)).count()
}

/// Duplicates a socket of a process. Writing to it sends data as that process.
#[allow(unsafe_code, reason = "there is no safe form of these calls")]
pub(crate) fn socket(pid: u32, descriptor: i32) -> UnixStream {
    use nix::libc::{SYS_pidfd_getfd, SYS_pidfd_open, syscall};
    // SAFETY: both calls create descriptors of this process that nothing else owns.
    let socket = unsafe {
        let process = OwnedFd::from_raw_fd(syscall(SYS_pidfd_open, pid, 0) as i32);
        OwnedFd::from_raw_fd(syscall(SYS_pidfd_getfd, process.as_raw_fd(), descriptor, 0) as i32)
    };
    let socket = UnixStream::from(socket);
    socket.set_nonblocking(false).expect("a socket");
    socket
}

/// Raises this process's descriptor limit to its maximum.
pub(crate) fn raise_descriptor_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("the limit");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("a higher limit");
}

/// Returns the id of a process whose arguments end with `end`.
pub(crate) fn with_arguments(end: &str) -> Option<u32> {
    let pids = fs::read_dir("/proc").ok()?.flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.into_iter().find(|pid| command_line(*pid).ends_with(end))
}
