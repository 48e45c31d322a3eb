//! Watches a worker that serves requests until it has ended: pings, logs, usage, memory limit, drain.

use std::future::pending;
use std::time::Duration;

use nano_protocol::message::{Control, Stats};
use nano_protocol::{Incoming, ProtocolError};
use nix::libc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::cgroup::{Group, GroupCounts};
use super::handle::Worker;
use super::reap::{REAP, reap, reap_or_kill};
use crate::api::usage::Usage;
use crate::config::AppSpec;
use crate::model::exit_reason::ExitReason;
use crate::telemetry::traffic::Limit;

/// Longest time between two pings. The answers show that the worker returns to its event loop.
const PING: Duration = Duration::from_secs(1);

/// How often the usage of a worker is measured.
const LOOK: Duration = Duration::from_millis(500);

/// How often it is measured while the worker is close to one of its limits.
const CLOSE_LOOK: Duration = Duration::from_millis(100);

/// What the supervisor learns about a worker while it runs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Report {
    /// Statistics that the worker reports.
    Stats(Stats),
    /// Usage that the kernel reports.
    Usage(Usage),
    /// When the oldest unanswered ping was sent. `None` if all are answered.
    Unanswered(Option<std::time::Instant>),
}

/// What the owner of a worker may order while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// Finish what is in flight, then exit. The worker is killed after this long.
    Drain(Duration),
    /// Kill the worker, which broke the protocol.
    Kill(ExitReason),
    /// A request connection has closed. Most likely the worker has exited, and its exit status will say why. If it is still
    /// running after a while, it is killed, because it is of no use without that connection.
    Closed,
}

impl Worker {
    /// Watches the worker until it has ended and returns why. Carries out `orders` as they arrive.
    pub(crate) async fn watch(
        mut self,
        spec: &AppSpec,
        orders: &mut tokio::sync::mpsc::Receiver<Order>,
        mut report: impl FnMut(Report),
    ) -> ExitReason {
        let mut answers = Answers::new(spec.limits.hung_timeout, Instant::now());
        let mut pings = interval(answers.period);
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut number, mut held_up) = (0, GroupCounts::default());
        // Since when it owes an answer to a ping.
        let mut unanswered = None;
        let mut is_draining = false;
        // When the worker is killed if it has not ended, and the exit reason in that case.
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
                    self.drain_control().await;
                    self.count_held_up(&mut held_up);
                    let reason = status.map_or_else(
                        |error| ExitReason::SpawnFailed(error.to_string()),
                        |status| self.process.reason(status, None),
                    );
                    return as_told(reason, is_draining);
                }
                event = self.control.next() => match event {
                    Ok(Some(Incoming::Control(Control::Pong(_)))) => {
                        answers.last = Instant::now();
                        unanswered = None;
                        report(Report::Unanswered(None));
                    }
                    Ok(Some(Incoming::Control(Control::Stats(stats)))) => report(Report::Stats(stats)),
                    Ok(Some(Incoming::Control(Control::Log(record)))) => self.output.record(&record),
                    Ok(Some(Incoming::Stream { head, sender, receiver })) => {
                        self.calls.opened(head, sender, receiver);
                    }
                    Ok(Some(Incoming::Control(_))) => {
                        let reason = ExitReason::Protocol("unexpected control frame".into());
                        return reap(self.process, Some(reason)).await;
                    }
                    Ok(None) | Err(ProtocolError::Io(_) | ProtocolError::Disconnected) => {
                        // The worker is exiting; its exit status says why.
                        return as_told(reap_or_kill(self.process, None).await, is_draining);
                    }
                    Err(error) => {
                        return reap(self.process, Some(ExitReason::Protocol(error.to_string()))).await;
                    }
                },
                never = self.calls.run() => match never {},
                _ = pings.tick() => {
                    if answers.are_overdue(Instant::now()) {
                        return reap(self.process, Some(ExitReason::Hung)).await;
                    }
                    self.output.app().catch_up();
                    number += 1;
                    self.send(&Control::Ping(number));
                    let since = unanswered.get_or_insert_with(std::time::Instant::now);
                    report(Report::Unanswered(Some(*since)));
                }
                _ = looks.tick() => {
                    self.count_held_up(&mut held_up);
                    let Some(usage) = Usage::of(self.pid) else { continue };
                    report(Report::Usage(usage));
                    let is_close = self.witness.live() > spec.limits.heap / 3
                        || spec.limits.memory.is_some_and(|limit| usage.memory > limit / 3);
                    if is_close {
                        looks.reset_after(CLOSE_LOOK);
                    }
                    let is_ours = !self.process.group().is_some_and(Group::holds_memory);
                    if let Some(limit) = spec.limits.memory.filter(|limit| is_ours && usage.memory > *limit) {
                        return reap(self.process, Some(ExitReason::Memory { limit, used: usage.memory })).await;
                    }
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

    /// Adds what the control group has refused the worker since the last call to the app's counters.
    fn count_held_up(&self, last: &mut GroupCounts) {
        let Some(group) = self.process.group() else { return };
        let (now, traffic) = (group.counts(), self.output.app().traffic());
        traffic.count_broken(Limit::Pids, now.pids_refused.saturating_sub(last.pids_refused));
        traffic.count_broken(Limit::Cpus, now.throttled.saturating_sub(last.throttled));
        *last = now;
    }

    /// Reads the log records that were still in the socket when the process ended.
    async fn drain_control(&mut self) {
        // Calls among them are ignored: nobody waits for the answers any more.
        while let Ok(Ok(Some(incoming))) = timeout(REAP, self.control.next()).await {
            if let Incoming::Control(Control::Log(record)) = incoming {
                self.output.record(&record);
            }
        }
        self.output.app().conclude();
    }

    fn send(&self, message: &Control) {
        // Cannot fail: these frames are far below the size limit.
        let _ = self.handle.control(message);
    }
}

/// Judges whether a worker answers its pings. Time in which the supervisor itself did not run does not count: what the worker
/// has answered meanwhile was not read.
#[derive(Debug)]
struct Answers {
    hung_timeout: Duration,
    /// The pause between two pings.
    period: Duration,
    /// When the last answer was read, later by the time that does not count.
    last: Instant,
    /// When it was judged last.
    judged: Instant,
}

impl Answers {
    fn new(hung_timeout: Duration, now: Instant) -> Self {
        let period = (hung_timeout / 4).clamp(Duration::from_millis(10), PING);
        Self { hung_timeout, period, last: now, judged: now }
    }

    /// Returns whether the last answer is too old. To be called once per period.
    fn are_overdue(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(std::mem::replace(&mut self.judged, now));
        self.last += passed.saturating_sub(2 * self.period);
        now.saturating_duration_since(self.last) >= self.hung_timeout
    }
}

/// Turns the exit reason of a draining worker into [`ExitReason::Stopped`] if it exited normally or was killed.
fn as_told(reason: ExitReason, is_draining: bool) -> ExitReason {
    match reason {
        ExitReason::Exited | ExitReason::Signal(libc::SIGKILL) if is_draining => ExitReason::Stopped,
        reason => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_overdue_after_its_time_but_not_because_the_supervisor_was_stopped() {
        let (begun, limit) = (Instant::now(), Duration::from_secs(10));
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut answers = Answers::new(limit, begun);
        assert!((1..10).all(|second| !answers.are_overdue(at(second))));
        assert!(answers.are_overdue(at(10)));
        // It answers, and the supervisor is stopped for an hour.
        answers.last = at(10);
        assert!(!answers.are_overdue(at(11)));
        let hour = 11 + 3600;
        assert!(!answers.are_overdue(at(hour)));
        // From then on it has the rest of its time.
        assert!((1..7).all(|second| !answers.are_overdue(at(hour + second))));
        assert!(answers.are_overdue(at(hour + 7)));
    }
}
