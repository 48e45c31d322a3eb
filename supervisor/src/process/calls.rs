//! What a worker asks for outside of it, over streams that it opens. It is not trusted: its calls wait for their turn, so that a flood
//! of them takes no time from others, and one that is not known is refused.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use nano_protocol::{Call, EncodedHead, Head, Receiver, Sender};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::cache::{Cache, Keeping};
use crate::telemetry::traffic::{Limit, Traffic};

/// Calls of one worker that are worked at at once; the others wait.
const AT_ONCE: usize = 4;

/// Longest time that one may take, its body included.
const PATIENCE: Duration = Duration::from_secs(10);

/// One more is due after this long, in the long run.
const INTERVAL: Duration = Duration::from_millis(10);

/// So many may come before that counts: an app of so many modules has one for each when it is translated for the first time.
const BURST: u32 = 2048;

/// The calls of one worker on one connection. Dropping it gives up those that are under way.
#[derive(Debug)]
pub(crate) struct Calls {
    waiting: VecDeque<Asked>,
    running: JoinSet<()>,
    pace: CallPace,
    /// The call that is next is held up by the pace, and was counted.
    is_held: bool,
    /// Where what is to be kept goes, if anywhere.
    cache: Option<Rc<Cache>>,
    traffic: Arc<Traffic>,
}

/// A call that has not had its turn.
#[derive(Debug)]
struct Asked {
    head: EncodedHead,
    sender: Sender,
    receiver: Receiver,
}

impl Calls {
    /// None yet, of a worker of the app that this is counted for. What is to be kept goes to the folder `cache`.
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

    /// The worker has opened a stream. The protocol bounds how many there are at once.
    pub(crate) fn opened(&mut self, head: EncodedHead, sender: Sender, receiver: Receiver) {
        // Those that it has cancelled are no longer among them.
        self.waiting.retain(|call| !call.sender.is_over());
        self.waiting.push_back(Asked { head, sender, receiver });
    }

    /// Whether there is nothing to be [`run`](Self::run).
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// Answers calls as their turn comes. Never ends, and may be dropped at any time.
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
            // Of a worker that speaks another language than this supervisor.
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
            (Some(Call::Keep { .. }), None) | (None, _) => 501,
        };
        // Nothing happens if it was given up meanwhile.
        let _ = sender.respond(status, 0, std::iter::empty(), true);
    }
}

/// How fast calls may follow each other: [`BURST`] of them at once, and then one per [`INTERVAL`].
#[derive(Debug, Default)]
struct CallPace {
    /// When all that were taken would have had their turn, one per interval.
    paid: Option<Instant>,
}

impl CallPace {
    /// When the next one may be taken, unless that is long ago.
    fn due(&self) -> Option<Instant> {
        self.paid?.checked_sub(INTERVAL * (BURST - 1))
    }

    fn take(&mut self, now: Instant) {
        self.paid = Some(self.paid.map_or(now, |paid| paid.max(now)) + INTERVAL);
    }
}
