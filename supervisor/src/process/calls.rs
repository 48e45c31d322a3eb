//! The calls of a worker: what it asks the supervisor for, over streams that it opens. A worker is not trusted. Its calls are
//! limited in rate and number, so that a flood of them takes no time from others, and unknown calls are refused.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use nano_protocol::{Call, EncodedHead, Head, HeadKind, Receiver, Sender};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::cache::{Cache, Keeping};
use crate::telemetry::traffic::{Limit, Traffic};

/// How many calls of one worker are answered at the same time. The others wait.
const AT_ONCE: usize = 4;

/// Timeout of one call, including its body.
const PATIENCE: Duration = Duration::from_secs(10);

/// The sustained rate of calls: one per interval.
const INTERVAL: Duration = Duration::from_millis(10);

/// How many calls may come in a burst before the rate applies. An app has one call per module when it is translated for the first
/// time.
const BURST: u32 = 2048;

/// The calls of one worker on one connection. Calls that are running are cancelled when this is dropped.
#[derive(Debug)]
pub(crate) struct Calls {
    waiting: VecDeque<Asked>,
    running: JoinSet<()>,
    pace: CallPace,
    /// Whether the next call has been delayed by the rate limit, and has been counted as such.
    is_held: bool,
    /// Where the worker's compiled files are kept, if anywhere.
    cache: Option<Rc<Cache>>,
    traffic: Arc<Traffic>,
}

/// A call that waits for its turn.
#[derive(Debug)]
struct Asked {
    head: EncodedHead,
    sender: Sender,
    receiver: Receiver,
}

impl Calls {
    /// Creates an empty queue. `cache` is the folder in which the worker's files are kept; `traffic` counts calls that exceed a
    /// limit.
    pub(crate) fn new(cache: Option<&str>, traffic: Arc<Traffic>) -> Self {
        Self {
            waiting: VecDeque::new(),
            running: JoinSet::new(),
            pace: CallPace::default(),
            is_held: false,
            cache: cache.map(|folder| Rc::new(Cache::new(folder))),
            traffic,
        }
    }

    /// Queues a stream that the worker has opened. The protocol limits how many can be open at once.
    pub(crate) fn opened(&mut self, head: EncodedHead, sender: Sender, receiver: Receiver) {
        if head.kind != HeadKind::Call {
            // What is dropped here fails. Fetches are for request connections.
            return;
        }
        // Calls that the worker has cancelled are no longer open.
        self.waiting.retain(|call| !call.sender.is_over());
        self.waiting.push_back(Asked { head, sender, receiver });
    }

    /// Returns whether there is nothing to [`run`](Self::run).
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// Answers calls in order. Never returns, and may be dropped at any time.
    pub(crate) async fn run(&mut self) -> Infallible {
        loop {
            if self.waiting.is_empty() || self.running.len() >= AT_ONCE {
                if self.running.join_next().await.is_none() {
                    pending::<()>().await;
                }
                continue;
            }
            let due = self.pace.due();
            if due.is_some_and(|due| due > Instant::now()) && !std::mem::replace(&mut self.is_held, true) {
                self.traffic.count_broken(Limit::Calls, 1);
            }
            if let Some(due) = due {
                sleep_until(due).await;
            }
            let Some(call) = self.waiting.pop_front() else { continue };
            self.is_held = false;
            self.pace.take(Instant::now());
            self.running.spawn_local(call.answer(self.cache.clone()));
        }
    }
}

impl Asked {
    async fn answer(self, cache: Option<Rc<Cache>>) {
        let Self { head, sender, receiver } = self;
        let call = match head.decode() {
            Ok((Head::Call(call), _)) => Some(call),
            // The worker speaks a different version of the protocol.
            _ => None,
        };
        let status = match (call, cache) {
            (Some(Call::Keep { name }), Some(cache)) => {
                match timeout(PATIENCE, cache.keep(name, &receiver)).await {
                    Ok(Keeping::Yes) => 204,
                    Ok(Keeping::TooLarge) => 413,
                    Ok(Keeping::No) => 507,
                    Err(_) => 408,
                }
            }
            (Some(Call::Keep { .. }), None) | (Some(Call::Stay) | None, _) => 501,
        };
        // Has no effect if the worker has cancelled the call meanwhile.
        let _ = sender.respond(status, 0, std::iter::empty(), true);
    }
}

/// The rate limit of calls: a burst of [`BURST`], then one per [`INTERVAL`].
#[derive(Debug, Default)]
struct CallPace {
    /// When the calls taken so far would all have been due at one per interval.
    paid: Option<Instant>,
}

impl CallPace {
    /// Returns when the next call may be taken, or `None` if nothing delays it.
    fn due(&self) -> Option<Instant> {
        self.paid?.checked_sub(INTERVAL * (BURST - 1))
    }

    fn take(&mut self, now: Instant) {
        self.paid = Some(self.paid.map_or(now, |paid| paid.max(now)) + INTERVAL);
    }
}
