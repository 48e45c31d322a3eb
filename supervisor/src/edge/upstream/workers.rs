//! The connections of one I/O thread to the workers of an app, and the choice of the worker for the next request.
//!
//! Usually there is one worker. While it is replaced there are two, and the old one finishes the requests that it has.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use nano_protocol::Handle;
use tokio::sync::Notify;

use crate::config::AppSpec;

/// The connection to one worker.
#[derive(Debug)]
pub(crate) struct Link {
    /// Which of the app's workers it is.
    pub generation: u64,
    /// Where requests are sent.
    pub handle: Handle,
    /// When it became ready.
    pub since: Instant,
    /// The configuration that it runs by: the latest before another worker took its place.
    spec: RefCell<Rc<AppSpec>>,
    stage: Cell<LinkStage>,
    /// Wakes those who wait until it takes no further requests.
    finishing: Notify,
    /// Whether it has answered a request successfully, as far as this thread knows.
    is_useful: Cell<bool>,
    /// The same for the main thread: set when `is_useful` becomes true.
    useful: Arc<AtomicBool>,
}

/// Whether a worker takes requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkStage {
    Ready,
    /// It takes no requests for now, although it is healthy.
    Held,
    /// It takes no further requests, and its connection ends with the last one in flight.
    Finishing,
}

impl Link {
    /// Creates the link to a worker that is ready now. `useful` becomes true once it has answered a request successfully.
    pub(crate) fn new(
        generation: u64,
        handle: Handle,
        useful: Arc<AtomicBool>,
        spec: Rc<AppSpec>,
    ) -> Rc<Self> {
        Rc::new(Self {
            generation,
            handle,
            since: Instant::now(),
            spec: RefCell::new(spec),
            stage: Cell::new(LinkStage::Ready),
            finishing: Notify::new(),
            is_useful: Cell::new(false),
            useful,
        })
    }

    pub(crate) fn spec(&self) -> Rc<AppSpec> {
        self.spec.borrow().clone()
    }

    /// Records that the worker has answered a request with this status.
    pub(crate) fn answered(&self, status: u16) {
        if status < 500 && !self.is_useful.replace(true) {
            self.useful.store(true, Ordering::Relaxed);
        }
    }

    /// Returns whether the worker takes requests. One that has just died does not, even before the main thread reports its end.
    fn is_ready(&self) -> bool {
        self.stage.get() == LinkStage::Ready && !self.handle.is_closed()
    }

    /// Waits until it takes no further requests, because it has ended or is to end.
    pub(crate) async fn finishes(&self) {
        let mut finishing = pin!(self.finishing.notified());
        finishing.as_mut().enable();
        if self.stage.get() != LinkStage::Finishing {
            finishing.await;
        }
    }

    fn finish(&self) {
        if self.stage.replace(LinkStage::Finishing) != LinkStage::Finishing {
            self.handle.finish();
            self.finishing.notify_waiters();
        }
    }
}

/// All workers whose connections have not ended, in the order in which they became ready.
#[derive(Debug, Default)]
pub(crate) struct Links(RefCell<Vec<Rc<Link>>>);

impl Links {
    /// Adds a worker that is ready.
    pub(crate) fn attach(&self, link: Rc<Link>) {
        self.0.borrow_mut().push(link);
    }

    /// Replaces the configuration of all workers that take further requests. Others finish what they have by their own.
    pub(crate) fn configure(&self, spec: &Rc<AppSpec>) {
        let links = self.0.borrow();
        let going_on = links.iter().filter(|link| link.stage.get() != LinkStage::Finishing);
        going_on.for_each(|link| *link.spec.borrow_mut() = spec.clone());
    }

    /// Returns the worker for the next request: of those that are ready, the one with the fewest requests in flight from this
    /// thread.
    pub(crate) fn choose(&self) -> Option<Rc<Link>> {
        let links = self.0.borrow();
        let mut ready = links.iter().filter(|link| link.is_ready());
        let first = ready.next()?;
        // If only one is ready, no counts are compared.
        let chosen = ready.fold(first, |least, next| {
            if next.handle.own_streams() < least.handle.own_streams() { next } else { least }
        });
        Some(chosen.clone())
    }

    /// Stops sending requests to a worker. It finishes those that it has.
    pub(crate) fn retire(&self, generation: u64) {
        self.each(generation, Link::finish);
    }

    /// Stops sending requests to all workers.
    pub(crate) fn retire_all(&self) {
        self.0.borrow().iter().for_each(|link| link.finish());
    }

    /// Pauses or resumes sending requests to a worker.
    pub(crate) fn hold(&self, generation: u64, holds: bool) {
        self.each(generation, |link| {
            if link.stage.get() != LinkStage::Finishing {
                link.stage.set(if holds { LinkStage::Held } else { LinkStage::Ready });
            }
        });
    }

    /// Removes a worker whose connection has ended.
    pub(crate) fn disconnected(&self, generation: u64) {
        self.0.borrow_mut().retain(|link| link.generation != generation);
    }

    /// Returns whether the connection to a worker has not ended.
    pub(crate) fn is_connected(&self, generation: u64) -> bool {
        self.0.borrow().iter().any(|link| link.generation == generation)
    }

    fn each(&self, generation: u64, act: impl Fn(&Link)) {
        self.0.borrow().iter().filter(|link| link.generation == generation).for_each(|link| act(link));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::iter::empty;

    use nano_protocol::message::{HttpVersion, RequestId, RequestLine};
    use nano_protocol::{Connection, Head, Receiver, Sender, Side};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use tokio::net::UnixStream;
    use tokio::runtime::Builder;

    use super::*;
    use crate::edge::testing::spec;

    const LINE: RequestLine<'static> = RequestLine {
        id: RequestId(1),
        method: "GET",
        origin: "http://x",
        target: "/",
        version: HttpVersion::Http11,
        depth: 0,
        entrypoint: None,
    };

    /// A worker with the state that the test expects. Dropping its connection means that it has died.
    struct Known {
        handle: Handle,
        stage: LinkStage,
        connection: Option<Connection>,
        _peer: UnixStream,
        streams: Vec<(Sender, Receiver)>,
    }

    impl Known {
        fn is_ready(&self) -> bool {
            self.stage == LinkStage::Ready && self.connection.is_some()
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Attach,
        Send,
        Hold(u64, bool),
        Retire(u64),
        Die(u64),
        Disconnect(u64),
        RetireAll,
    }

    fn step() -> impl Strategy<Value = Step> {
        let generation = 0u64..3;
        prop_oneof![
            3 => Just(Step::Attach),
            8 => Just(Step::Send),
            2 => (generation.clone(), any::<bool>()).prop_map(|(back, holds)| Step::Hold(back, holds)),
            2 => generation.clone().prop_map(Step::Retire),
            1 => generation.clone().prop_map(Step::Die),
            1 => generation.prop_map(Step::Disconnect),
            1 => Just(Step::RetireAll),
        ]
    }

    fn check(workers: &Links, known: &BTreeMap<u64, Known>) -> Result<(), TestCaseError> {
        let least =
            known.values().filter(|worker| worker.is_ready()).map(|worker| worker.streams.len()).min();
        let chosen = workers.choose();
        prop_assert_eq!(chosen.is_some(), least.is_some());
        if let Some(chosen) = chosen {
            let worker = &known[&chosen.generation];
            prop_assert!(worker.is_ready() && Some(worker.streams.len()) == least);
        }
        for (generation, worker) in known {
            prop_assert!(workers.is_connected(*generation));
            prop_assert_eq!(worker.handle.is_finishing(), worker.stage == LinkStage::Finishing);
        }
        prop_assert_eq!(workers.0.borrow().len(), known.len());
        Ok(())
    }

    proptest! {
        #[test]
        fn of_any_workers_the_least_busy_that_is_ready_gets_the_next_request(steps in vec(step(), 0..40)) {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let _entered = runtime.enter();
            let (workers, mut known, mut last) = (Links::default(), BTreeMap::<u64, Known>::new(), 0);
            let spec = Rc::new(spec(""));
            for step in steps {
                match step {
                    Step::Attach => {
                        last += 1;
                        let (ours, peer) = UnixStream::pair().unwrap();
                        let (connection, handle) = Connection::new(ours, Side::Supervisor);
                        workers.attach(Link::new(last, handle.clone(), Arc::default(), spec.clone()));
                        let connection = Some(connection);
                        let (stage, streams) = (LinkStage::Ready, Vec::new());
                        known.insert(last, Known { handle, stage, connection, _peer: peer, streams });
                    }
                    Step::Send => if let Some(chosen) = workers.choose() {
                        let stream = chosen.handle.open(&Head::Request(LINE), 0, empty(), true).unwrap();
                        known.get_mut(&chosen.generation).unwrap().streams.push(stream);
                    },
                    Step::Hold(back, holds) => {
                        workers.hold(last.saturating_sub(back), holds);
                        let worker = known.get_mut(&last.saturating_sub(back));
                        if let Some(worker) = worker.filter(|worker| worker.stage != LinkStage::Finishing) {
                            worker.stage = if holds { LinkStage::Held } else { LinkStage::Ready };
                        }
                    }
                    Step::Retire(back) => {
                        workers.retire(last.saturating_sub(back));
                        if let Some(worker) = known.get_mut(&last.saturating_sub(back)) {
                            worker.stage = LinkStage::Finishing;
                        }
                    }
                    Step::RetireAll => {
                        workers.retire_all();
                        known.values_mut().for_each(|worker| worker.stage = LinkStage::Finishing);
                    }
                    Step::Die(back) => if let Some(worker) = known.get_mut(&last.saturating_sub(back)) {
                        worker.connection = None;
                    },
                    Step::Disconnect(back) => {
                        workers.disconnected(last.saturating_sub(back));
                        known.remove(&last.saturating_sub(back));
                    }
                }
                check(&workers, &known)?;
            }
        }
    }

    #[test]
    fn a_worker_is_useful_once_it_has_answered_well() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let _entered = runtime.enter();
        let useful = [(); 2].map(|()| Arc::<AtomicBool>::default());
        let links = [0, 1].map(|number: usize| {
            let (_, handle) = Connection::new(UnixStream::pair().unwrap().0, Side::Supervisor);
            Link::new(number as u64, handle, useful[number].clone(), Rc::new(spec("")))
        });
        links[1].answered(500);
        assert!(!useful[1].load(Ordering::Relaxed));
        links[1].answered(404);
        assert!(useful[1].load(Ordering::Relaxed) && !useful[0].load(Ordering::Relaxed));
    }
}
