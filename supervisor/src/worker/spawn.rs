//! Starts worker processes; the only place that does.
//!
//! A worker is this executable again, with a hidden subcommand, so that both sides always speak the same protocol. It
//! inherits its sockets and nothing else: no environment, no other descriptor, its own process group (a Ctrl-C at the
//! terminal is for the supervisor, which drains). It must be spawned from the main thread: the parent-death signal it
//! asks for fires when the spawning *thread* ends.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io;
use std::os::unix::net::UnixStream;
use std::process::{ExitStatus, Stdio};

use command_fds::CommandFdExt as _;
use command_fds::FdMapping;
use tokio::process::{Child, ChildStderr, Command};

/// The first descriptor handed over: the control connection. Request connections follow.
const FIRST_DESCRIPTOR: i32 = 3;

thread_local! {
    /// Workers that their owners have not let go of.
    static OWNED: RefCell<HashSet<u32>> = RefCell::default();
}

/// Whether a process is a worker whose owner waits for it: nobody else may, or the owner never learns how it ended.
pub fn is_owned(pid: u32) -> bool {
    OWNED.with_borrow(|owned| owned.contains(&pid))
}

/// A worker process; killed when dropped.
#[derive(Debug)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    child: Child,
}

impl Process {
    fn new(child: Child) -> Self {
        let pid = child.id().unwrap_or_default();
        OWNED.with_borrow_mut(|owned| owned.insert(pid));
        Self { pid, child }
    }

    /// What it writes to standard error; to be had once.
    pub fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends SIGKILL, unless it has ended already.
    pub fn kill(&mut self) {
        // Fails only if it has ended.
        let _ = self.child.start_kill();
    }

    /// Waits for its end. Nothing is lost if this is dropped and called again.
    ///
    /// # Errors
    /// What the kernel says.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        OWNED.with_borrow_mut(|owned| owned.remove(&self.pid));
    }
}

/// A process that has been started and not said anything yet.
#[derive(Debug)]
pub struct Spawned {
    /// To wait for and to kill.
    pub process: Process,
    /// Our end of the control connection.
    pub control: UnixStream,
    /// Our ends of the request connections, one per I/O thread.
    pub requests: Vec<UnixStream>,
}

/// Starts a worker with one request connection per I/O thread.
///
/// # Errors
/// What the kernel says: no descriptors, no processes, no memory.
pub fn spawn(io_threads: usize) -> io::Result<Spawned> {
    let mut ours = Vec::with_capacity(1 + io_threads);
    let mut mappings = Vec::with_capacity(1 + io_threads);
    for child_fd in (FIRST_DESCRIPTOR..).take(1 + io_threads) {
        // A pair has no path on disk to race on.
        let (our, theirs) = UnixStream::pair()?;
        our.set_nonblocking(true)?;
        ours.push(our);
        mappings.push(FdMapping { parent_fd: theirs.into(), child_fd });
    }
    #[allow(clippy::disallowed_methods, reason = "this is the one place")]
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0("nano-supervisor")
        .args(["worker", "--connections", &io_threads.to_string()])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    command.fd_mappings(mappings).map_err(io::Error::other)?;
    let process = Process::new(command.spawn()?);
    let mut ours = ours.into_iter();
    let control = ours.next().ok_or_else(|| io::Error::other("no control connection"))?;
    Ok(Spawned { process, control, requests: ours.collect() })
}
