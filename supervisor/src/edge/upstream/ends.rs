//! Remembers how the workers of an app have ended, and which requests were lost with them, until the main thread asks for these.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::edge::commands::Fate;
use crate::model::lost_request::LostRequest;

/// Most ends of workers that are kept. They are needed until the requests that were lost with the worker have been answered.
const ENDED: usize = 16;

/// Most requests of one worker that are kept until it is known how it ended: this many that were lost, and this many that were
/// given up.
const LOST: usize = 64;

/// How the workers of an app have ended, and their losses.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// The latest ends, the oldest first.
    ended: RefCell<VecDeque<(u64, Fate)>>,
    /// The losses of every worker for which the main thread has not asked yet, however many there are.
    losses: RefCell<Vec<Losses>>,
}

/// The requests of one worker that may have to be named in the report of its crash.
#[derive(Debug)]
struct Losses {
    generation: u64,
    /// Requests that were lost with the worker, or have ended it.
    lost: Vec<LostRequest>,
    /// The latest requests whose answers nobody waits for any more. The worker may still be processing them.
    given_up: VecDeque<LostRequest>,
}

impl Ends {
    /// Begins to record the losses of a worker.
    pub(crate) fn attached(&self, generation: u64) {
        let losses = Losses { generation, lost: Vec::new(), given_up: VecDeque::new() };
        self.losses.borrow_mut().push(losses);
    }

    /// Records how a worker ended.
    pub(crate) fn ended(&self, generation: u64, fate: Fate) {
        let mut ended = self.ended.borrow_mut();
        if ended.len() >= ENDED {
            ended.pop_front();
        }
        ended.push_back((generation, fate));
    }

    /// Returns how a worker ended, if it has.
    pub(crate) fn fate(&self, generation: u64) -> Option<Fate> {
        self.ended.borrow().iter().find(|(with, _)| *with == generation).map(|(_, fate)| fate.clone())
    }

    /// Returns why the last worker ended, as text for people.
    pub(crate) fn last(&self) -> Option<Arc<str>> {
        self.ended.borrow().back().map(|(_, fate)| fate.why.clone())
    }

    /// Records a request that was lost with a worker, or has ended it. Returns the request if the main thread has already taken
    /// the losses of that worker.
    pub(crate) fn lost(&self, generation: u64, request: LostRequest) -> Option<LostRequest> {
        let mut losses = self.losses.borrow_mut();
        let Some(losses) = losses.iter_mut().find(|losses| losses.generation == generation) else {
            return Some(request);
        };
        if losses.lost.len() < LOST {
            losses.lost.push(request);
        }
        None
    }

    /// Records a request whose answer nobody waits for any more.
    pub(crate) fn gave_up(&self, generation: u64, request: LostRequest) {
        let mut losses = self.losses.borrow_mut();
        if let Some(losses) = losses.iter_mut().find(|losses| losses.generation == generation) {
            if losses.given_up.len() >= LOST {
                losses.given_up.pop_front();
            }
            losses.given_up.push_back(LostRequest { is_given_up: true, ..request });
        }
    }

    /// Takes the requests that were lost with a worker, followed by those that were given up while it was still processing them.
    pub(crate) fn take(&self, generation: u64) -> Vec<LostRequest> {
        let mut losses = self.losses.borrow_mut();
        let taken = losses.extract_if(.., |losses| losses.generation == generation);
        taken.flat_map(|losses| losses.lost.into_iter().chain(losses.given_up)).collect()
    }
}

#[cfg(test)]
mod tests {
    use nano_protocol::message::RequestId;

    use super::*;

    fn request(number: u128) -> LostRequest {
        LostRequest::new(RequestId(number), "GET", "/")
    }

    fn ids(requests: &[LostRequest]) -> Vec<u128> {
        requests.iter().map(|request| u128::from_str_radix(&request.id, 16).unwrap()).collect()
    }

    #[test]
    fn what_is_lost_with_a_worker_is_told_with_its_own_end_whichever_ends_first() {
        let ends = Ends::default();
        (1..=3).for_each(|generation| ends.attached(generation));
        ends.gave_up(1, request(10));
        assert!(ends.lost(3, request(30)).is_none() && ends.lost(1, request(11)).is_none());
        ends.ended(3, Fate { why: "first".into(), culprit: None });
        assert_eq!(ids(&ends.take(3)), [30]);
        // A loss that is found later is returned, so that the caller can add it to the report.
        assert_eq!(ids(&[ends.lost(3, request(31)).unwrap()]), [31]);
        assert!(ends.lost(2, request(20)).is_none() && ends.fate(2).is_none());
        assert_eq!(
            (ids(&ends.take(1)), ids(&ends.take(2)), ids(&ends.take(2))),
            (vec![11, 10], vec![20], vec![])
        );
        ends.gave_up(1, request(12));
        assert_eq!(
            (ends.take(1).len(), &*ends.last().unwrap(), &*ends.fate(3).unwrap().why),
            (0, "first", "first")
        );
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let ends = Ends::default();
        ends.attached(1);
        for number in 0..1000 {
            ends.lost(1, request(number));
            ends.gave_up(1, request(1000 + number));
            ends.ended(number as u64, Fate { why: "".into(), culprit: None });
        }
        let (lost, fates) = (ids(&ends.take(1)), ends.ended.borrow().len());
        assert_eq!((lost.len(), lost[LOST - 1], lost[LOST], fates), (2 * LOST, 63, 2000 - 64, ENDED));
    }
}
