//! How the workers of an app have ended, and which requests went down with them, until the main thread is told.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::edge::commands::Fate;
use crate::model::lost_request::LostRequest;

/// Ends of workers that are remembered until the requests that went down with them have been answered.
const ENDED: usize = 16;

/// Requests of one worker that are remembered until it is known how it ended, of those that were lost, and of those that were
/// given up.
const LOST: usize = 64;

/// How workers have ended.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// The last of them.
    ended: RefCell<VecDeque<(u64, Fate)>>,
    /// Of workers of which the main thread was not told yet, however many there are.
    losses: RefCell<Vec<Losses>>,
}

/// The requests of one worker that may have to be named in the report of its crash.
#[derive(Debug)]
struct Losses {
    generation: u64,
    /// They went down with it.
    lost: Vec<LostRequest>,
    /// Nobody waits for them any more, and it may still be at work on them; the latest.
    given_up: VecDeque<LostRequest>,
}

impl Ends {
    /// There is this worker, which will have to end.
    pub(crate) fn attached(&self, generation: u64) {
        let losses = Losses { generation, lost: Vec::new(), given_up: VecDeque::new() };
        self.losses.borrow_mut().push(losses);
    }

    /// It has ended.
    pub(crate) fn ended(&self, generation: u64, fate: Fate) {
        let mut ended = self.ended.borrow_mut();
        if ended.len() >= ENDED {
            ended.pop_front();
        }
        ended.push_back((generation, fate));
    }

    /// How it has ended, if it has.
    pub(crate) fn fate(&self, generation: u64) -> Option<Fate> {
        self.ended.borrow().iter().find(|(with, _)| *with == generation).map(|(_, fate)| fate.clone())
    }

    /// How the last one has ended, for people.
    pub(crate) fn last(&self) -> Option<Arc<str>> {
        self.ended.borrow().back().map(|(_, fate)| fate.why.clone())
    }

    /// A request went down with a worker, or has brought it down. Given back if the main thread has been told which did.
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

    /// Nobody waits for the answer of a worker to a request any more.
    pub(crate) fn gave_up(&self, generation: u64, request: LostRequest) {
        let mut losses = self.losses.borrow_mut();
        if let Some(losses) = losses.iter_mut().find(|losses| losses.generation == generation) {
            if losses.given_up.len() >= LOST {
                losses.given_up.pop_front();
            }
            losses.given_up.push_back(LostRequest { is_given_up: true, ..request });
        }
    }

    /// The requests that went down with a worker, for the main thread; then those that it was still at work on.
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
        // One that comes to light later is for whoever has the report.
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
