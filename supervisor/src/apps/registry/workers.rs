//! The ready workers of one app: usually one. While it is being replaced there are two, of which the old one drains.

use std::time::{Duration, Instant};

use nano_protocol::message::Stats;

use crate::api::usage::Usage;

/// A worker that has become ready.
#[derive(Debug)]
pub(super) struct ReadyWorker {
    /// The number of the worker among the workers of its app.
    pub generation: u64,
    pub pid: u32,
    /// When it became ready.
    pub since: Instant,
    /// Since when it has not answered a ping.
    pub unanswered: Option<Instant>,
    /// The stats that it reported last.
    pub stats: Stats,
    /// The usage that was measured last.
    pub usage: Usage,
    standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It represents the app: its values are part of the app's status.
    Serving,
    /// Another worker has taken its place.
    Replaced,
    /// It has ended, and no other has taken its place yet.
    Ended,
}

/// All workers of an app that have become ready, oldest first. A worker that has ended is kept until the next one is ready.
#[derive(Debug, Default)]
pub(super) struct Workers(Vec<ReadyWorker>);

impl Workers {
    /// Adds a worker that has become ready. It replaces the worker of the generation `replaces`, if given.
    pub(super) fn ready(&mut self, generation: u64, pid: u32, replaces: Option<u64>) {
        self.0.retain(|worker| worker.standing != Standing::Ended);
        if let Some(replaced) = replaces.and_then(|replaced| self.get(replaced)) {
            replaced.standing = Standing::Replaced;
        }
        self.0.push(ReadyWorker {
            generation,
            pid,
            since: Instant::now(),
            unanswered: None,
            stats: Stats::default(),
            usage: Usage::default(),
            standing: Standing::Serving,
        });
    }

    /// Returns the worker of this generation.
    pub(super) fn get(&mut self, generation: u64) -> Option<&mut ReadyWorker> {
        self.0.iter_mut().find(|worker| worker.generation == generation)
    }

    /// Returns the latest worker that is not replaced.
    pub(super) fn latest(&self) -> Option<&ReadyWorker> {
        self.reported().last()
    }

    /// Records the end of a worker that was told to drain. Returns whether it stays part of the app's status, because no other
    /// has taken its place.
    pub(super) fn retired(&mut self, generation: u64) -> bool {
        let is_alone = self.reported().all(|worker| worker.generation == generation);
        match self.get(generation) {
            Some(worker) if is_alone && worker.standing == Standing::Serving => {
                worker.standing = Standing::Ended;
                true
            }
            _ => {
                self.0.retain(|worker| worker.generation != generation);
                false
            }
        }
    }

    /// Removes a worker that exited unexpectedly. Returns its process id, if it had become ready.
    pub(super) fn crashed(&mut self, generation: u64) -> Option<u32> {
        let crashed = self.0.extract_if(.., |worker| worker.generation == generation).next();
        crashed.map(|worker| worker.pid)
    }

    /// Records that the app has no worker for new requests. Those that still drain count as replaced.
    pub(super) fn gone(&mut self) {
        self.0.retain(|worker| worker.standing != Standing::Ended);
        self.0.iter_mut().for_each(|worker| worker.standing = Standing::Replaced);
    }

    /// Returns the longest time for which a worker has not answered a ping.
    pub(super) fn unanswered(&self) -> Option<Duration> {
        self.reported().filter_map(|worker| worker.unanswered).map(|since| since.elapsed()).max()
    }

    /// Returns the sum of the usage of all workers that are not replaced.
    pub(super) fn usage(&self) -> Usage {
        self.reported().fold(Usage::default(), |sum, worker| {
            let Usage { memory, rss, cpu } = worker.usage;
            Usage { memory: sum.memory + memory, rss: sum.rss + rss, cpu: sum.cpu + cpu }
        })
    }

    /// Returns the sum of the stats of all workers that are not replaced.
    pub(super) fn stats(&self) -> Stats {
        self.reported().fold(Stats::default(), |sum, worker| add(sum, worker.stats))
    }

    fn reported(&self) -> impl Iterator<Item = &ReadyWorker> {
        self.0.iter().filter(|worker| worker.standing != Standing::Replaced)
    }
}

fn add(sum: Stats, stats: Stats) -> Stats {
    let Stats {
        heap_used,
        heap_limit,
        external,
        in_flight,
        requests,
        late_background,
        outbound,
        outbound_refused,
        no_descriptor,
        unread_over,
        unread_room,
        blocking,
        blocking_refused,
        fetches_refused,
        tmp_refused,
        session_calls,
        session_stubs,
        session_bytes,
    } = stats;
    Stats {
        heap_used: sum.heap_used + heap_used,
        heap_limit: sum.heap_limit + heap_limit,
        external: sum.external + external,
        in_flight: sum.in_flight + in_flight,
        requests: sum.requests + requests,
        late_background: sum.late_background + late_background,
        outbound: sum.outbound + outbound,
        outbound_refused: sum.outbound_refused + outbound_refused,
        no_descriptor: sum.no_descriptor + no_descriptor,
        unread_over: sum.unread_over + unread_over,
        unread_room: sum.unread_room + unread_room,
        blocking: sum.blocking + blocking,
        blocking_refused: sum.blocking_refused + blocking_refused,
        fetches_refused: sum.fetches_refused + fetches_refused,
        tmp_refused: sum.tmp_refused + tmp_refused,
        session_calls: sum.session_calls + session_calls,
        session_stubs: sum.session_stubs + session_stubs,
        session_bytes: sum.session_bytes + session_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a worker report `number` requests in flight and use as many bytes of memory.
    fn says(workers: &mut Workers, generation: u64, number: u32) {
        if let Some(worker) = workers.get(generation) {
            worker.stats.in_flight = number;
            worker.usage.memory = u64::from(number);
        }
    }

    fn reported(workers: &Workers) -> (Option<u32>, u32, u64) {
        (workers.latest().map(|worker| worker.pid), workers.stats().in_flight, workers.usage().memory)
    }

    #[test]
    fn while_one_is_replaced_there_are_two_and_the_new_one_is_told_of() {
        let mut workers = Workers::default();
        assert_eq!(reported(&workers), (None, 0, 0));
        workers.ready(1, 101, None);
        says(&mut workers, 1, 5);
        workers.ready(2, 102, Some(1));
        assert_eq!((reported(&workers), workers.0.len()), ((Some(102), 0, 0), 2));
        says(&mut workers, 1, 7);
        says(&mut workers, 2, 1);
        assert_eq!(reported(&workers), (Some(102), 1, 1));
        // The new worker ends while the old one still drains, and is replaced in turn.
        assert_eq!((workers.crashed(2), reported(&workers)), (Some(102), (None, 0, 0)));
        workers.ready(3, 103, None);
        assert!(!workers.retired(1) && workers.crashed(1).is_none());
        assert_eq!((reported(&workers), workers.0.len()), ((Some(103), 0, 0), 1));
    }

    #[test]
    fn the_last_one_is_told_of_until_the_next_is_ready_or_there_is_to_be_none() {
        for is_next in [true, false] {
            let mut workers = Workers::default();
            workers.ready(1, 101, None);
            says(&mut workers, 1, 5);
            assert!(workers.retired(1));
            assert_eq!(reported(&workers), (Some(101), 5, 5));
            if is_next {
                workers.ready(2, 102, None)
            } else {
                workers.gone()
            }
            assert_eq!(
                (reported(&workers).0, workers.0.len()),
                (is_next.then_some(102), usize::from(is_next))
            );
        }
        // The app has no worker for new requests, but one may still drain.
        let mut workers = Workers::default();
        workers.ready(1, 101, None);
        workers.gone();
        assert_eq!((reported(&workers), workers.0.len()), ((None, 0, 0), 1));
        assert!(!workers.retired(1) && workers.0.is_empty());
    }

    #[test]
    fn several_that_serve_are_told_of_together() {
        let mut workers = Workers::default();
        for generation in 1..=3 {
            workers.ready(generation, 100 + generation as u32, None);
            says(&mut workers, generation, 10 + generation as u32);
        }
        assert_eq!(reported(&workers), (Some(103), 36, 36));
        assert!(workers.unanswered().is_none());
        workers.get(2).unwrap().unanswered = Some(Instant::now());
        assert!(workers.unanswered().is_some());
        workers.ready(4, 104, Some(2));
        assert!(workers.unanswered().is_none());
        says(&mut workers, 4, 1);
        assert_eq!((reported(&workers), workers.0.len()), ((Some(104), 25, 25), 4));
        assert!(!workers.retired(2) && !workers.retired(3));
        assert_eq!((reported(&workers), workers.0.len()), ((Some(104), 12, 12), 2));
    }
}
