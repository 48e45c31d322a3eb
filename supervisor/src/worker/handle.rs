//! Load, ping, logs, drain: a worker's life over its control connection.

use std::future::pending;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::time::Duration;

use nano_protocol::message::{Control, Load, Loaded, Stats};
use nano_protocol::{Connection, Event, Handle, ProtocolError};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::exit_reason::ExitReason;
use super::fingerprint::Fingerprint;
use super::load;
use super::spare::{Spare, Spares};
use super::spawn::Process;
use crate::config::AppSpec;
use crate::log;

/// How long a killed process may take to be reaped, and a draining one to say its last words.
const REAP: Duration = Duration::from_secs(5);

/// A running worker process.
#[derive(Debug)]
pub struct Worker {
    /// Process id.
    pub pid: u32,
    /// What it was told.
    pub told: Fingerprint,
    process: Process,
    control: Connection,
    handle: Handle,
    hung_timeout: Duration,
}

/// A worker that is ready, and the connections for the I/O threads.
#[derive(Debug)]
pub struct Started {
    /// The process.
    pub worker: Worker,
    /// One per I/O thread, in order; the handshake is done.
    pub requests: Vec<StdUnixStream>,
}

/// A worker that did not become ready.
#[derive(Debug)]
pub struct StartFailure {
    /// Why.
    pub reason: ExitReason,
}

/// What the owner of a worker may ask while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Finish what is in flight, then exit; killed after this long.
    Drain(Duration),
    /// It broke the protocol: kill it.
    Kill(ExitReason),
    /// A request connection has ended, most likely because the worker has: its exit status will say why. If it lives on,
    /// it is of no use.
    Closed,
}

impl Worker {
    /// Has a spare load the app, or a process that is started for it if there is none; all within the app's start timeout.
    ///
    /// # Errors
    /// [`StartFailure`]; the process is gone by then.
    pub async fn start(spec: &AppSpec, spares: &Spares) -> Result<Started, StartFailure> {
        let failed = |reason| StartFailure { reason };
        let message = load::message(spec).map_err(|text| failed(ExitReason::LoadFailed(text)))?;
        let told = Fingerprint::new(&message, spec.limits.heap);
        let mut spare = spares.take(spec.limits.heap).map_err(failed)?;
        spare.assign(&spec.name);
        let prepared = timeout(spec.limits.start_timeout, async {
            spare.shake_hands().await?;
            load_app(&mut spare, spec, message).await
        })
        .await;
        let reason = match prepared {
            Ok(Ok(Loaded::Ready)) => {
                let Spare { process, control, handle, requests, .. } = spare;
                let sockets = requests.into_iter().map(|(connection, _)| connection.into_socket());
                match sockets.collect() {
                    Ok(requests) => {
                        let hung_timeout = spec.limits.hung_timeout;
                        let worker = Self { pid: process.pid, told, process, control, handle, hung_timeout };
                        return Ok(Started { worker, requests });
                    }
                    Err(error) => {
                        let reason = ExitReason::Protocol(ProtocolError::to_string(&error));
                        return Err(failed(reap(process, Some(reason)).await));
                    }
                }
            }
            Ok(Ok(Loaded::Failed(reason))) => Some(ExitReason::LoadFailed(reason)),
            // Its own exit code says more than the connection that broke.
            Ok(Err(ProtocolError::Torn | ProtocolError::Io(_))) => None,
            Ok(Err(error)) => Some(ExitReason::Protocol(error.to_string())),
            Err(_) => Some(ExitReason::StartTimeout),
        };
        Err(failed(reap(spare.process, reason).await))
    }

    /// Watches over the worker until it has ended; says why. `orders` are carried out as they come.
    pub async fn watch(
        mut self,
        spec: &AppSpec,
        orders: &mut tokio::sync::mpsc::Receiver<Order>,
        mut on_stats: impl FnMut(Stats),
    ) -> ExitReason {
        let mut pings = interval((self.hung_timeout / 4).max(Duration::from_millis(10)));
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut number = 0;
        let mut last_answer = Instant::now();
        let mut is_draining = false;
        // When it is killed at the latest, and what that then means.
        let mut deadline: Option<(Instant, ExitReason)> = None;
        loop {
            let overdue = async {
                match &deadline {
                    Some((at, reason)) => {
                        tokio::time::sleep_until(*at).await;
                        reason.clone()
                    }
                    None => pending().await,
                }
            };
            tokio::select! {
                status = self.process.wait() => {
                    let known = is_draining.then_some(ExitReason::Stopped);
                    self.drain_control(spec).await;
                    return status.map_or_else(
                        |error| ExitReason::SpawnFailed(error.to_string()),
                        |status| ExitReason::from_status(status, known),
                    );
                }
                event = self.control.next() => match event {
                    Ok(Some(Event::Control(Control::Pong(_)))) => last_answer = Instant::now(),
                    Ok(Some(Event::Control(Control::Stats(stats)))) => on_stats(stats),
                    Ok(Some(Event::Control(Control::Log(record)))) => log::app_record(&spec.name, &record),
                    Ok(Some(_)) => {
                        let reason = ExitReason::Protocol("unexpected control frame".into());
                        return reap(self.process, Some(reason)).await;
                    }
                    Ok(None) | Err(ProtocolError::Io(_) | ProtocolError::Torn) => {
                        // It is on its way out; its exit status says why.
                        let known = is_draining.then_some(ExitReason::Stopped);
                        return reap_or_kill(self.process, known).await;
                    }
                    Err(error) => {
                        return reap(self.process, Some(ExitReason::Protocol(error.to_string()))).await;
                    }
                },
                _ = pings.tick() => {
                    if last_answer.elapsed() >= self.hung_timeout {
                        return reap(self.process, Some(ExitReason::Hung)).await;
                    }
                    number += 1;
                    self.send(&Control::Ping(number));
                }
                order = orders.recv() => match order {
                    Some(Order::Drain(limit)) => {
                        self.send(&Control::Drain);
                        is_draining = true;
                        deadline = Some((Instant::now() + limit, ExitReason::Stopped));
                    }
                    Some(Order::Closed) => {
                        let reason = || ExitReason::Protocol("it closed a request connection".into());
                        deadline.get_or_insert_with(|| (Instant::now() + REAP, reason()));
                    }
                    Some(Order::Kill(reason)) => return reap(self.process, Some(reason)).await,
                    None => return reap(self.process, Some(ExitReason::Stopped)).await,
                },
                reason = overdue => return reap(self.process, Some(reason)).await,
            }
        }
    }

    /// Log records that were still on their way when the process ended.
    async fn drain_control(&mut self, spec: &AppSpec) {
        while let Ok(Ok(Some(Event::Control(message)))) = timeout(REAP, self.control.next()).await {
            if let Control::Log(record) = message {
                log::app_record(&spec.name, &record);
            }
        }
    }

    fn send(&self, message: &Control) {
        // Cannot fail: these frames are far below their limits.
        let _ = self.handle.control(message);
    }
}

async fn load_app(spare: &mut Spare, spec: &AppSpec, message: Load) -> Result<Loaded, ProtocolError> {
    spare.handle.control(&Control::Load(message))?;
    loop {
        match spare.control.next().await? {
            Some(Event::Control(Control::Loaded(loaded))) => return Ok(loaded),
            Some(Event::Control(Control::Log(record))) => log::app_record(&spec.name, &record),
            Some(_) => return Err(ProtocolError::Unexpected("answer to load")),
            None => return Err(ProtocolError::Torn),
        }
    }
}

/// Kills the process unless it has ended, and waits for it.
async fn reap(mut process: Process, known: Option<ExitReason>) -> ExitReason {
    if known.is_some() {
        process.kill();
    }
    reap_or_kill(process, known).await
}

/// Waits for a process that is ending by itself, and kills it if it does not.
async fn reap_or_kill(mut process: Process, known: Option<ExitReason>) -> ExitReason {
    let status = match timeout(REAP, process.wait()).await {
        Ok(status) => status,
        Err(_) => {
            process.kill();
            process.wait().await
        }
    };
    match status {
        Ok(status) => ExitReason::from_status(status, known),
        Err(error) => known.unwrap_or_else(|| ExitReason::SpawnFailed(error.to_string())),
    }
}
