//! Which worker of each app takes events, and which events workers have that they have not answered.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nano_protocol::message::RequestId;
use tokio::sync::{oneshot, watch};

use crate::model::ids::{AppId, WorkerId};
use crate::model::lost_request::LostRequest;
use crate::process::events::Events;

/// Most events of one worker that are kept for reports of its crash although nobody waits for them any more.
const GIVEN_UP: usize = 64;

/// The worker of an app that takes its events.
#[derive(Debug, Clone)]
pub(crate) struct EventTarget {
    pub worker: WorkerId,
    pub events: Events,
    /// Whether the worker has answered something successfully.
    useful: Arc<AtomicBool>,
}

impl EventTarget {
    pub(super) fn new(worker: WorkerId, events: Events, useful: Arc<AtomicBool>) -> Self {
        Self { worker, events, useful }
    }

    /// Records that the worker has handled an event successfully.
    pub(crate) fn was_useful(&self) {
        self.useful.store(true, Ordering::Relaxed);
    }
}

/// An event that a worker has not answered.
#[derive(Debug)]
struct UnderWay {
    request: LostRequest,
    /// Is told why the worker has ended.
    ended: oneshot::Sender<String>,
}

/// The workers that take events, by app. Lives on the main thread.
#[derive(Debug, Default)]
pub(crate) struct EventTargets {
    targets: RefCell<HashMap<AppId, watch::Sender<Option<EventTarget>>>>,
    under_way: RefCell<HashMap<WorkerId, Vec<UnderWay>>>,
}

impl EventTargets {
    /// Sends the app's further events to this worker.
    pub(super) fn enter(&self, target: EventTarget) {
        let (app, _) = target.worker;
        self.targets.borrow_mut().entry(app).or_default().send_replace(Some(target));
    }

    /// Sends no further events to this worker, which ends or has ended.
    pub(crate) fn leave(&self, worker: WorkerId) {
        if let Some(target) = self.targets.borrow().get(&worker.0) {
            target.send_if_modified(|target| {
                let is_this = target.as_ref().is_some_and(|target| target.worker == worker);
                is_this.then(|| *target = None).is_some()
            });
        }
    }

    /// Forgets an app that has ended for good.
    pub(crate) fn forget(&self, app: AppId) {
        self.targets.borrow_mut().remove(&app);
    }

    /// Waits until a worker of the app takes events. Pends forever if the app is forgotten.
    pub(crate) async fn ready(&self, app: AppId) -> EventTarget {
        let mut target = self.targets.borrow_mut().entry(app).or_default().subscribe();
        let found = target.wait_for(Option::is_some).await.ok().and_then(|target| target.clone());
        match found {
            Some(target) => target,
            None => std::future::pending().await,
        }
    }

    /// Records that a worker gets an event. It is lost if the worker ends before the returned guard is asked to [`end`].
    ///
    /// [`end`]: Delivery::end
    pub(crate) fn begin(
        self: &Rc<Self>,
        worker: WorkerId,
        id: RequestId,
        method: &str,
        target: &str,
    ) -> Delivery {
        let (ended, why) = oneshot::channel();
        let request = LostRequest::new(id, method, target);
        let delivery = Delivery { targets: self.clone(), worker, id: request.id.clone(), why };
        self.under_way.borrow_mut().entry(worker).or_default().push(UnderWay { request, ended });
        delivery
    }

    /// Returns the events that are lost with a worker, which has ended because of `why`.
    pub(super) fn ended(&self, worker: WorkerId, why: &str) -> Vec<LostRequest> {
        self.leave(worker);
        let lost = self.under_way.borrow_mut().remove(&worker).unwrap_or_default();
        let tell = |UnderWay { request, ended }| {
            let _ = ended.send(why.to_owned());
            request
        };
        lost.into_iter().map(tell).collect()
    }
}

/// An event that a worker gets.
#[derive(Debug)]
pub(crate) struct Delivery {
    targets: Rc<EventTargets>,
    worker: WorkerId,
    id: String,
    why: oneshot::Receiver<String>,
}

impl Delivery {
    /// Records that the worker has nothing more to do with the event.
    pub(crate) fn end(self) {
        if let Some(under_way) = self.targets.under_way.borrow_mut().get_mut(&self.worker) {
            under_way.retain(|event| event.request.id != self.id);
        }
    }

    /// Records that nobody waits for the event any more, although the worker may go on with it. It matters only if it ends the
    /// worker.
    pub(crate) fn give_up(self) {
        if let Some(under_way) = self.targets.under_way.borrow_mut().get_mut(&self.worker) {
            let this = under_way.iter_mut().find(|event| event.request.id == self.id);
            this.into_iter().for_each(|event| event.request.is_given_up = true);
            if under_way.iter().filter(|event| event.request.is_given_up).count() > GIVEN_UP
                && let Some(oldest) = under_way.iter().position(|event| event.request.is_given_up)
            {
                under_way.remove(oldest);
            }
        }
    }

    /// Waits for the end of the worker, and returns the reason. The event is lost.
    pub(crate) async fn lost(self) -> String {
        self.why.await.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_events_that_were_given_up_the_latest_are_kept() {
        let (targets, worker) = (Rc::new(EventTargets::default()), (AppId::of_number(1), 1));
        let begin =
            |number: usize| targets.begin(worker, RequestId(number as u128), "scheduled", "* * * * *");
        let waiting = begin(0);
        (1..=GIVEN_UP + 2).for_each(|number| begin(number).give_up());
        let lost = targets.ended(worker, "it was killed");
        let ids: Vec<_> = lost.iter().filter(|lost| lost.is_given_up).map(|lost| lost.id.clone()).collect();
        assert_eq!((ids.len(), lost.len()), (GIVEN_UP, GIVEN_UP + 1));
        assert_eq!((&ids[0], &lost[0].id), (&RequestId(3).to_string(), &waiting.id));
    }
}
