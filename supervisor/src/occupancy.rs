//! How much is taken of what all clients share, and who was turned away. Each I/O thread writes its own counts, with every tick
//! or where something rare happens; the main thread reads them for the metrics, and says when there is little left.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::warn;

use crate::client::Overdue;
use crate::routes::ListenerId;
use crate::traffic::{add, get};

/// From this part of a limit on, in percent, it is said that it is near.
const NEAR: u64 = 80;

/// How often that is said of one limit at most.
const EVERY: Duration = Duration::from_secs(60);

const REASONS: usize = Overdue::ALL.len();

/// What is counted where it happens.
#[derive(Debug, Clone, Copy)]
pub enum Event {
    /// A connection was ended.
    Ended(Overdue),
    /// A connection was not let in, because its client has many and there is little room.
    Refused,
    /// A stream was reset, because its client did not take the answer.
    Reset,
}

/// The counts of one I/O thread.
#[derive(Debug, Default)]
pub struct ThreadCounts {
    open: AtomicU64,
    heads: AtomicU64,
    refused: AtomicU64,
    reset: AtomicU64,
    ended: [AtomicU64; REASONS],
    doors: Mutex<Vec<(ListenerId, usize)>>,
}

impl ThreadCounts {
    /// Something has happened.
    pub fn count(&self, event: Event) {
        match event {
            Event::Ended(why) => add(&self.ended[why as usize], 1),
            Event::Refused => add(&self.refused, 1),
            Event::Reset => add(&self.reset, 1),
        }
    }

    /// What there is now.
    pub fn publish(&self, open: usize, heads: usize, doors: impl FnOnce() -> Vec<(ListenerId, usize)>) {
        set(&self.open, open);
        set(&self.heads, heads);
        // Held by the other side for as long as it takes to copy it.
        if let Ok(mut published) = self.doors.try_lock() {
            *published = doors();
        }
    }
}

fn set(count: &AtomicU64, value: usize) {
    count.store(value as u64, std::sync::atomic::Ordering::Relaxed);
}

/// The counts of all I/O threads.
#[derive(Debug, Clone)]
pub struct Occupancy(Arc<[Arc<ThreadCounts>]>);

/// Their sums at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Connections.
    pub connections: u64,
    /// Bytes of unfinished heads.
    pub heads: u64,
    /// Connections by listening address.
    pub doors: BTreeMap<ListenerId, u64>,
    /// Connections that were not let in.
    pub refused: u64,
    /// Streams that were reset.
    pub reset: u64,
    /// Connections that were ended, in the order of [`Overdue::ALL`].
    pub ended: [u64; REASONS],
}

/// What is taken, beside what there may be.
#[derive(Debug, Clone)]
pub struct Occupied {
    /// What is taken.
    pub taken: Taken,
    /// Connections by listening address.
    pub doors: Vec<(String, u64)>,
    /// Connections there may be.
    pub max_connections: u64,
    /// Bytes of unfinished heads there may be.
    pub max_heads: u64,
}

impl Occupancy {
    /// Nothing yet.
    pub fn new(io_threads: usize) -> Self {
        Self((0..io_threads).map(|_| Arc::default()).collect())
    }

    /// The counts of one thread.
    pub fn of_thread(&self, index: usize) -> Arc<ThreadCounts> {
        self.0.get(index).cloned().unwrap_or_default()
    }

    /// What is taken now.
    pub fn taken(&self) -> Taken {
        let mut taken = Taken::default();
        for counts in self.0.iter() {
            taken.connections += get(&counts.open);
            taken.heads += get(&counts.heads);
            taken.refused += get(&counts.refused);
            taken.reset += get(&counts.reset);
            for (sum, count) in taken.ended.iter_mut().zip(&counts.ended) {
                *sum += get(count);
            }
            for (id, open) in &*counts.doors.lock().unwrap_or_else(PoisonError::into_inner) {
                *taken.doors.entry(*id).or_default() += *open as u64;
            }
        }
        taken
    }
}

/// Says when a limit is near, and no more often than it helps.
#[derive(Debug, Default)]
pub struct Nearness(BTreeMap<String, Instant>);

impl Nearness {
    /// Looks at what is taken of one limit: `field` sets it, and `whose` it is.
    pub fn look(&mut self, now: Instant, field: &str, whose: &str, taken: u64, limit: u64) {
        if self.is_to_be_said(now, field, whose, taken, limit) {
            say(field, whose, taken, limit);
        }
    }

    fn is_to_be_said(&mut self, now: Instant, field: &str, whose: &str, taken: u64, limit: u64) -> bool {
        // A limit of one or two is near whenever there is anything.
        if limit < 5 || taken.saturating_mul(100) < limit.saturating_mul(NEAR) {
            return false;
        }
        let name = format!("{field} {whose}");
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
    use super::*;

    #[test]
    fn the_counts_of_all_threads_add_up() {
        let occupancy = Occupancy::new(2);
        for thread in 0..2 {
            let counts = occupancy.of_thread(thread);
            counts.publish(3, 100, || vec![(ListenerId(1), 2), (ListenerId(thread as u32 + 2), 1)]);
            counts.count(Event::Ended(Overdue::Shed));
            counts.count(Event::Refused);
        }
        occupancy.of_thread(1).count(Event::Reset);
        let taken = occupancy.taken();
        let doors = BTreeMap::from([(ListenerId(1), 4), (ListenerId(2), 1), (ListenerId(3), 1)]);
        let expected =
            Taken { connections: 6, heads: 200, doors, refused: 2, reset: 1, ended: [0, 0, 0, 2, 0] };
        assert_eq!(taken, expected);
    }

    #[test]
    fn every_reason_has_its_number() {
        assert!(Overdue::ALL.iter().enumerate().all(|(number, (why, _))| *why as usize == number));
    }

    #[test]
    fn a_limit_that_is_near_is_named_once_in_a_minute() {
        let (mut nearness, begun) = (Nearness::default(), Instant::now());
        let mut look = |second, whose: &str, taken| {
            nearness.is_to_be_said(begun + Duration::from_secs(second), "f", whose, taken, 10)
        };
        assert!(!look(0, "a", 7));
        assert!(look(0, "a", 8) && look(0, "b", 10));
        assert!(!look(59, "a", 10));
        assert!(look(60, "a", 10));
        assert!(!nearness.is_to_be_said(begun, "f", "c", 4, 4));
    }
}
