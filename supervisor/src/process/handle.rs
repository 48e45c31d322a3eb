//! Starts a worker: from a booted process to one that is ready for requests.

use std::os::unix::net::UnixStream as StdUnixStream;
use std::rc::Rc;
use std::sync::Arc;

use nano_protocol::message::{Control, Load, Loaded};
use nano_protocol::{Connection, Handle, Handlers, ProtocolError, Witness};
use tokio::time::timeout;

use super::calls::Calls;
use super::events::Events;
use super::fingerprint::Fingerprint;
use super::output::Output;
use super::reap::reap;
use super::spare::{Spare, Spares, next_control};
use super::spawn::Process;
use super::{descriptors, health, load};
use crate::config::{AppSpec, Environment};
use crate::model::exit_reason::ExitReason;
use crate::telemetry::log::app::AppLog;

/// A running worker process.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Process id.
    pub pid: u32,
    /// The fingerprint of the configuration that it runs with.
    pub told: Fingerprint,
    /// The environment variables that it runs with.
    pub env: Environment,
    pub(super) process: Process,
    pub(super) control: Connection,
    pub(super) handle: Handle,
    /// Its calls to the supervisor.
    pub(super) calls: Calls,
    pub output: Rc<Output>,
    pub handlers: Handlers,
    /// The names of the app's entrypoints besides the default one. A worker is not trusted with them.
    pub entrypoints: Vec<String>,
    /// The page of shared memory that outlives it.
    pub witness: Arc<Witness>,
}

/// A worker that is ready, and the connections for the I/O threads.
#[derive(Debug)]
pub(crate) struct Started {
    pub worker: Worker,
    /// One per I/O thread, in order. The handshake is done.
    pub requests: Vec<StdUnixStream>,
}

/// A worker that did not become ready.
#[derive(Debug)]
pub(crate) struct StartFailure {
    pub reason: ExitReason,
    /// Process id, if there was a process.
    pub pid: Option<u32>,
    /// The last lines that it printed, oldest first.
    pub lines: Vec<String>,
}

impl Worker {
    /// Loads the app in a spare, or in a new process if there is no spare, within the app's start timeout. If `env` is `None`,
    /// the variables are read from their files. Log lines go to `log`.
    ///
    /// # Errors
    /// Returns a [`StartFailure`]. The process has been reaped by then.
    pub(crate) async fn start(
        spec: &AppSpec,
        env: Option<Environment>,
        spares: &Spares,
        log: &Rc<AppLog>,
    ) -> Result<Started, StartFailure> {
        let failed = |reason| StartFailure { reason, pid: None, lines: Vec::new() };
        let env = env.map_or_else(|| spec.env.load(), Ok);
        let env = env.map_err(|errors| failed(ExitReason::LoadFailed(errors.lines())))?;
        let mut message = load::message(spec, env.clone());
        let told = Fingerprint::new(&message, &spec.limits);
        // Set after the fingerprint was taken: it is the same for every worker of this supervisor.
        message.closed = spares.closed();
        load::add_version(&mut message);
        let mut spare = spares.take(spec.limits.heap).map_err(failed)?;
        let output = Rc::new(Output::new(log));
        let mut calls = Calls::new(message.emit_cache.as_deref(), output.app().traffic().clone());
        spare.assign(&output);
        let pid = spare.process.pid;
        let failed = |reason| StartFailure { reason, pid: Some(pid), lines: output.last_lines() };
        descriptors::limit(spare.process.pid, spec.limits.max_fds, spare.requests.len());
        let mut unhealthy = String::new();
        let prepared = timeout(spec.limits.start_timeout, async {
            spare.shake_hands().await?;
            let group = spares.cgroups().of(spare.process.pid);
            if let Some(group) = &group {
                group.limit(&spec.limits);
            }
            spare.process.is_in(group);
            let loaded = load_app(&mut spare, &output, &mut calls, message).await?;
            if let (Loaded::Ready(..), Some(path)) = (&loaded, &spec.settings.health_path) {
                unhealthy = "it did not answer".into();
                health::check(&mut spare, &output, &mut calls, path, &mut unhealthy).await?;
            }
            Ok(loaded)
        })
        .await;
        let reason = match prepared {
            Ok(Ok(Loaded::Ready(handlers, entrypoints))) => {
                let Spare { process, control, handle, requests, witness, .. } = spare;
                let sockets = requests.into_iter().map(|(connection, _)| connection.into_socket());
                match sockets.collect() {
                    Ok(requests) => {
                        let worker = Self {
                            pid,
                            told,
                            env,
                            process,
                            control,
                            handle,
                            calls,
                            output,
                            handlers,
                            entrypoints,
                            witness,
                        };
                        return Ok(Started { worker, requests });
                    }
                    Err(error) => {
                        let reason = ExitReason::Protocol(ProtocolError::to_string(&error));
                        return Err(failed(reap(process, Some(reason)).await));
                    }
                }
            }
            Ok(Ok(Loaded::Failed(reason))) => Some(ExitReason::LoadFailed(reason)),
            // The exit code says more than the broken connection.
            Ok(Err(ProtocolError::Disconnected | ProtocolError::Io(_))) => None,
            Ok(Err(error)) => Some(ExitReason::Protocol(error.to_string())),
            Err(_) if unhealthy.is_empty() => Some(ExitReason::StartTimeout),
            Err(_) => Some(ExitReason::Unhealthy(unhealthy)),
        };
        Err(failed(reap(spare.process, reason).await))
    }

    /// Returns a sender of events to it.
    pub(crate) fn events(&self) -> Events {
        Events::new(self.handle.clone())
    }
}

async fn load_app(
    spare: &mut Spare,
    output: &Output,
    calls: &mut Calls,
    message: Load,
) -> Result<Loaded, ProtocolError> {
    spare.handle.control(&Control::Load(message.into()))?;
    match next_control(&mut spare.control, output, calls).await? {
        Control::Loaded(loaded) => Ok(loaded),
        _ => Err(ProtocolError::Unexpected("answer to load")),
    }
}
