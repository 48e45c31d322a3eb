//! Usage of the limits that all clients share, and counts of refused connections. Each I/O thread writes its own counts, with
//! every tick or at a rare event. The main thread reads them for the metrics, and logs a warning when a limit is near.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nano_protocol::Budget;
use strum::VariantArray as _;
use tracing::warn;

use crate::model::ids::ListenerId;
use crate::model::overdue::Overdue;
use crate::model::shares::{ClientKey, Holders};
use crate::telemetry::counter::{add, get};

/// A limit is near from this percentage on.
const NEAR: u64 = 80;

/// The warning for one limit is logged at most once in this time.
const EVERY: Duration = Duration::from_secs(60);

const REASONS: usize = Overdue::VARIANTS.len();

/// Rare events, counted when they happen.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    /// A connection was closed for this reason.
    Ended(Overdue),
    /// A connection was refused, because few are left and its client has many.
    Refused,
    /// A stream was reset, because the client did not read the response.
    Reset,
    /// A client was not read from until the next tick, because it had sent too many frames that are no requests.
    HeldUp,
}

/// The counts of one I/O thread.
#[derive(Debug, Default)]
pub(crate) struct ThreadCounts {
    open: AtomicU64,
    heads: AtomicU64,
    refused: AtomicU64,
    reset: AtomicU64,
    held_up: AtomicU64,
    ended: [AtomicU64; REASONS],
    published: Mutex<Published>,
}

/// Counts of an I/O thread that are not single numbers.
#[derive(Debug, Default)]
pub(crate) struct Published {
    /// Connections by listener.
    pub listeners: Vec<(ListenerId, usize)>,
    /// The client with the most buffered body bytes, and how many.
    heaviest: Option<(ClientKey, u64)>,
    /// Clients that have used up their share of buffered body bytes.
    spent: u64,
}

impl Published {
    /// Reads how many body bytes each client has buffered.
    pub(crate) fn look_at(&mut self, buffers: &Holders<Budget>) {
        (self.heaviest, self.spent) = (None, 0);
        buffers.each(|client, budget| {
            let held = budget.held() as u64;
            if held > self.heaviest.map_or(0, |(_, most)| most) {
                self.heaviest = Some((client, held));
            }
            self.spent += u64::from(budget.is_spent());
        });
    }
}

impl ThreadCounts {
    /// Counts an event.
    pub(crate) fn count(&self, event: Event) {
        match event {
            Event::Ended(why) => add(&self.ended[why as usize], 1),
            Event::Refused => add(&self.refused, 1),
            Event::Reset => add(&self.reset, 1),
            Event::HeldUp => add(&self.held_up, 1),
        }
    }

    /// Publishes the current values.
    pub(crate) fn publish(&self, open: usize, heads: usize, rest: impl FnOnce(&mut Published)) {
        set(&self.open, open);
        set(&self.heads, heads);
        // The reader holds the lock only while it copies. If it is taken, the next tick publishes.
        if let Ok(mut published) = self.published.try_lock() {
            rest(&mut published);
        }
    }
}

fn set(count: &AtomicU64, value: usize) {
    count.store(value as u64, std::sync::atomic::Ordering::Relaxed);
}

/// The counts of all I/O threads.
#[derive(Debug, Clone)]
pub(crate) struct Occupancy(Arc<[Arc<ThreadCounts>]>);

/// Sums over all I/O threads at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Connections.
    pub connections: u64,
    /// Bytes of unfinished heads.
    pub heads: u64,
    /// Connections by listener.
    pub listeners: BTreeMap<ListenerId, u64>,
    /// The client with the most buffered body bytes on one thread, and that number times the number of threads: each thread
    /// has its part of a client's limit.
    pub heaviest: Option<(ClientKey, u64)>,
    /// Clients that have used up their share of buffered body bytes, summed over threads.
    pub spent: u64,
    /// Refused connections.
    pub refused: u64,
    /// Reset streams.
    pub reset: u64,
    /// How often reading from a client was paused.
    pub held_up: u64,
    /// Closed connections by reason, each at the number of its [`Overdue`].
    pub ended: [u64; REASONS],
}

/// Usage, with the limits.
#[derive(Debug, Clone)]
pub(crate) struct Occupied {
    /// Usage.
    pub taken: Taken,
    /// Connections by listener.
    pub listeners: Vec<(String, u64)>,
    /// Limit of connections.
    pub max_connections: u64,
    /// Limit of bytes of unfinished heads.
    pub max_heads: u64,
    /// Limit of buffered body bytes of one client.
    pub max_per_client: u64,
}

impl Occupancy {
    pub(crate) fn new(io_threads: usize) -> Self {
        Self((0..io_threads).map(|_| Arc::default()).collect())
    }

    pub(crate) fn of_thread(&self, index: usize) -> Arc<ThreadCounts> {
        self.0.get(index).cloned().unwrap_or_default()
    }

    /// The current usage.
    pub(crate) fn taken(&self) -> Taken {
        let mut taken = Taken::default();
        for counts in self.0.iter() {
            taken.connections += get(&counts.open);
            taken.heads += get(&counts.heads);
            taken.refused += get(&counts.refused);
            taken.reset += get(&counts.reset);
            taken.held_up += get(&counts.held_up);
            for (sum, count) in taken.ended.iter_mut().zip(&counts.ended) {
                *sum += get(count);
            }
            let published = counts.published.lock().unwrap_or_else(PoisonError::into_inner);
            for (id, open) in &published.listeners {
                *taken.listeners.entry(*id).or_default() += *open as u64;
            }
            taken.spent += published.spent;
            let scaled = published.heaviest.map(|(client, held)| (client, held * self.0.len() as u64));
            taken.heaviest = taken.heaviest.into_iter().chain(scaled).max_by_key(|(_, held)| *held);
        }
        taken
    }
}

/// Logs a warning when a limit is near, at most once in [`EVERY`].
#[derive(Debug, Default)]
pub(crate) struct Nearness(BTreeMap<String, Instant>);

impl Nearness {
    /// Checks one limit. `field` is its setting, `owner` the app whose setting it is or empty, `whose` what uses it.
    pub(crate) fn look(
        &mut self,
        now: Instant,
        field: &str,
        owner: &str,
        whose: &str,
        taken: u64,
        limit: u64,
    ) {
        if self.is_to_be_said(now, field, owner, taken, limit) {
            say(field, whose, taken, limit);
        }
    }

    fn is_to_be_said(&mut self, now: Instant, field: &str, owner: &str, taken: u64, limit: u64) -> bool {
        // A very small limit is near as soon as anything uses it.
        if limit < 5 || taken.saturating_mul(100) < limit.saturating_mul(NEAR) {
            return false;
        }
        let name = format!("{field} {owner}");
        if self.0.get(&name).is_some_and(|last| now.duration_since(*last) < EVERY) {
            return false;
        }
        self.0.retain(|_, last| now.duration_since(*last) < EVERY);
        self.0.insert(name, now);
        true
    }
}

fn say(field: &str, whose: impl Display, taken: u64, limit: u64) {
    warn!(limit = field, "{whose}: {taken} of {limit} are taken (`{field}`)");
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn the_counts_of_all_threads_add_up() {
        let occupancy = Occupancy::new(2);
        for thread in 0..2 {
            let counts = occupancy.of_thread(thread);
            let buffers = Holders::default();
            for (client, held) in [("192.0.2.1", 5), ("192.0.2.2", 6 + thread), ("192.0.2.3", 8 - 8 * thread)]
            {
                let client = client.parse::<IpAddr>().unwrap().into();
                buffers.of_with(client, || Budget::new(1 << 20, None)).hold(0, held);
            }
            counts.publish(3, 100, |published| {
                published.listeners = vec![(ListenerId(1), 2), (ListenerId(thread as u32 + 2), 1)];
                published.look_at(&buffers);
            });
            counts.count(Event::Ended(Overdue::Shed));
            counts.count(Event::Refused);
        }
        occupancy.of_thread(1).count(Event::Reset);
        let taken = occupancy.taken();
        let listeners = BTreeMap::from([(ListenerId(1), 4), (ListenerId(2), 1), (ListenerId(3), 1)]);
        // The first thread's value, times two threads.
        let heaviest = Some(("192.0.2.3".parse::<IpAddr>().unwrap().into(), 16));
        let expected = Taken {
            heaviest,
            spent: 0,
            connections: 6,
            heads: 200,
            listeners,
            refused: 2,
            reset: 1,
            held_up: 0,
            ended: [0, 0, 0, 2, 0],
        };
        assert_eq!(taken, expected);
    }

    #[test]
    fn a_limit_that_is_near_is_named_once_in_a_minute() {
        let (mut nearness, begun) = (Nearness::default(), Instant::now());
        let mut look = |second, owner: &str, taken| {
            nearness.is_to_be_said(begun + Duration::from_secs(second), "f", owner, taken, 10)
        };
        assert!(!look(0, "a", 7));
        assert!(look(0, "a", 8) && look(0, "b", 10));
        assert!(!look(59, "a", 10));
        assert!(look(60, "a", 10));
        assert!(!nearness.is_to_be_said(begun, "f", "c", 4, 4));
    }
}
