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
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use command_fds::CommandFdExt as _;
use command_fds::FdMapping;
use nano_protocol::{Witness, descriptors};
use nix::sys::signal::Signal;
use tokio::process::{Child, ChildStderr, Command};

use super::cgroup::{Cgroups, Group};
use crate::model::exit_reason::ExitReason;

thread_local! {
    /// Workers that their owners have not let go of.
    static OWNED: RefCell<HashSet<u32>> = RefCell::default();
}

/// Whether a process is a worker whose owner waits for it: nobody else may, or the owner never learns how it ended.
pub(crate) fn is_owned(pid: u32) -> bool {
    OWNED.with_borrow(|owned| owned.contains(&pid))
}

/// A worker process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    /// Process id.
    pub pid: u32,
    child: Child,
    group: Option<Group>,
}

impl Process {
    fn new(child: Child) -> Self {
        let pid = child.id().unwrap_or_default();
        OWNED.with_borrow_mut(|owned| owned.insert(pid));
        Self { pid, child, group: None }
    }

    /// It is in a control group of its own.
    pub(crate) fn is_in(&mut self, group: Option<Group>) {
        self.group = group;
    }

    /// Its control group, if it has one.
    pub(crate) fn group(&self) -> Option<&Group> {
        self.group.as_ref()
    }

    /// What it writes to standard error; to be had once.
    pub(crate) fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Whether it has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends SIGKILL, unless it has ended already.
    pub(crate) fn kill(&mut self) {
        // Fails only if it has ended.
        let _ = self.child.start_kill();
    }

    /// Waits for its end. Nothing is lost if this is dropped and called again.
    ///
    /// # Errors
    /// What the kernel says.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Why it has ended, by its status and its control group; `known` is what the supervisor itself knows and outranks both.
    pub(crate) fn reason(&self, status: ExitStatus, known: Option<ExitReason>) -> ExitReason {
        let is_killed = status.signal() == Some(Signal::SIGKILL as i32);
        let killed = || self.group().filter(|_| is_killed)?.out_of_memory();
        ExitReason::from_status(status, known.or_else(killed))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        OWNED.with_borrow_mut(|owned| owned.remove(&self.pid));
    }
}

/// A process that has been started and not said anything yet.
#[derive(Debug)]
pub(crate) struct Spawned {
    /// To wait for and to kill.
    pub process: Process,
    /// Our end of the control connection.
    pub control: UnixStream,
    /// Our ends of the request connections, one per I/O thread.
    pub requests: Vec<UnixStream>,
    /// What it leaves behind.
    pub witness: Arc<Witness>,
}

/// Starts a worker with one request connection per I/O thread, which makes itself a control group first, where there are any.
///
/// # Errors
/// What the kernel says: no descriptors, no processes, no memory.
pub(crate) fn spawn(io_threads: usize, cgroups: &Cgroups) -> io::Result<Spawned> {
    let mut ours = Vec::with_capacity(1 + io_threads);
    let mut mappings = Vec::with_capacity(1 + io_threads);
    for child_fd in descriptors::FIRST..descriptors::witness(io_threads) {
        // A pair has no path on disk to race on.
        let (our, theirs) = UnixStream::pair()?;
        our.set_nonblocking(true)?;
        ours.push(our);
        mappings.push(FdMapping { parent_fd: theirs.into(), child_fd });
    }
    let (witness, theirs) = Witness::create()?;
    mappings.push(FdMapping { parent_fd: theirs, child_fd: descriptors::witness(io_threads) });
    let mut arguments = vec!["worker".into(), "--connections".into(), io_threads.to_string()];
    if let Some((folder, prefix)) = cgroups.entrance() {
        let parent_fd = folder?.into();
        mappings.push(FdMapping { parent_fd, child_fd: descriptors::cgroups(io_threads) });
        arguments.extend(["--cgroup".into(), prefix.into()]);
    }
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0("nano-supervisor")
        .args(arguments)
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
    Ok(Spawned { process, control, requests: ours.collect(), witness: witness.into() })
}
