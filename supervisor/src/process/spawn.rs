//! Starts worker processes. No other module does.
//!
//! A worker is this executable, started with a hidden subcommand, so both sides always speak the same version of the protocol. It
//! inherits its sockets and nothing else: no environment and no other descriptors. It has its own process group, so that Ctrl-C
//! at the terminal reaches only the supervisor, which drains. It must be spawned from the main thread, because the parent-death
//! signal that it asks for fires when the spawning *thread* ends.

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
    /// The workers whose [`Process`] has not been dropped.
    static OWNED: RefCell<HashSet<u32>> = RefCell::default();
}

/// Returns whether a process is a worker that its owner waits for. Nobody else may wait for it, or the owner never learns how it
/// ended.
pub(crate) fn is_owned(pid: u32) -> bool {
    OWNED.with_borrow(|owned| owned.contains(&pid))
}

/// A worker process. It is killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
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

    /// Sets the control group that the process is in.
    pub(crate) fn is_in(&mut self, group: Option<Group>) {
        self.group = group;
    }

    /// Returns the control group of the process, if it has its own.
    pub(crate) fn group(&self) -> Option<&Group> {
        self.group.as_ref()
    }

    /// Takes the reading end of its standard error. Returns `None` when called again.
    pub(crate) fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Returns whether the process is still running.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends SIGKILL if the process is still running.
    pub(crate) fn kill(&mut self) {
        // Fails only if the process has ended.
        let _ = self.child.start_kill();
    }

    /// Waits until the process exits. Cancel-safe: the future can be dropped and the method called again.
    ///
    /// # Errors
    /// Fails if the kernel cannot wait for the process.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Returns why the process ended, according to its exit status and its control group. `known` is a reason that the supervisor
    /// knows itself; it takes precedence over both.
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

/// A process that has been started. It has not sent anything yet.
#[derive(Debug)]
pub(crate) struct Spawned {
    pub process: Process,
    /// The supervisor's end of the control connection.
    pub control: UnixStream,
    /// The supervisor's ends of the request connections, one per I/O thread.
    pub requests: Vec<UnixStream>,
    /// The page of shared memory that stays readable after the process has ended.
    pub witness: Arc<Witness>,
}

/// Starts a worker with one request connection per I/O thread. If control groups are available, the worker first creates and
/// enters one of its own.
///
/// # Errors
/// Fails if the kernel is out of descriptors, processes or memory.
pub(crate) fn spawn(io_threads: usize, cgroups: &Cgroups) -> io::Result<Spawned> {
    let mut ours = Vec::with_capacity(1 + io_threads);
    let mut mappings = Vec::with_capacity(1 + io_threads);
    for child_fd in descriptors::FIRST..descriptors::witness(io_threads) {
        // A socket pair has no path on disk that something else could race for.
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
