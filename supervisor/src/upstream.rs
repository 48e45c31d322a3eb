//! One I/O thread's view of an app: its connection to the app's worker, or the wait for one.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use nano_protocol::Handle;
use nano_protocol::message::RequestLine;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use crate::config::AppSpec;
use crate::crashes::LostRequest;
use crate::proxy::answer::Refusal;
use crate::proxy::refused::Refused;
use crate::registry::AppId;
use crate::routes::{Notice, RoutedApp, Unavailable};
use crate::traffic::{Counts, Limit, Traffic};

/// An app as one I/O thread sees it.
#[derive(Debug)]
pub struct Upstream {
    /// The app.
    pub app: AppId,
    spec: RefCell<Rc<AppSpec>>,
    traffic: Arc<Traffic>,
    /// Which I/O thread this is.
    thread: usize,
    link: RefCell<Link>,
    generation: Cell<u64>,
    /// The last worker that has ended, and why.
    ended: RefCell<Option<(u64, Arc<str>)>>,
    changed: Notify,
    notices: mpsc::Sender<Notice>,
}

/// How long an answer about a worker that has died waits for why; its exit status is read within a few milliseconds.
const AUTOPSY: Duration = Duration::from_secs(2);

/// Where requests go.
#[derive(Debug)]
enum Link {
    /// To this worker.
    Ready(Handle),
    /// They wait for the next worker.
    Waiting,
    /// They are refused.
    Unavailable(Unavailable),
}

impl Upstream {
    /// No worker yet.
    pub fn new(routed: &RoutedApp, thread: usize, notices: mpsc::Sender<Notice>) -> Self {
        Self {
            app: routed.app,
            // A copy for this thread: counting references is cheaper where no other thread does.
            spec: RefCell::new(Rc::new(AppSpec::clone(&routed.spec))),
            traffic: routed.traffic.clone(),
            thread,
            link: RefCell::new(Link::Waiting),
            generation: Cell::new(0),
            ended: RefCell::default(),
            changed: Notify::new(),
            notices,
        }
    }

    /// What this thread counts of the app.
    pub fn count(&self, count: impl FnOnce(&Counts)) {
        if let Some(counts) = self.traffic.of_thread(self.thread) {
            count(counts);
        }
    }

    /// Its configuration.
    pub fn spec(&self) -> Rc<AppSpec> {
        self.spec.borrow().clone()
    }

    /// The configuration of further requests.
    pub fn configure(&self, spec: &AppSpec) {
        if **self.spec.borrow() != *spec {
            *self.spec.borrow_mut() = Rc::new(spec.clone());
        }
    }

    /// A worker is ready. One that was there before finishes what is in flight.
    pub fn attach(&self, generation: u64, handle: Handle) {
        self.generation.set(generation);
        self.relink(Link::Ready(handle));
        self.changed.notify_waiters();
    }

    /// A worker takes no more requests; requests wait for the next one. Nothing happens if that is already there.
    pub fn detach(&self, generation: u64) {
        if self.generation.get() == generation && matches!(*self.link.borrow(), Link::Ready(_)) {
            self.relink(Link::Waiting);
        }
    }

    fn relink(&self, link: Link) {
        if let Link::Ready(before) = self.link.replace(link) {
            before.finish();
        }
    }

    /// A worker has ended.
    pub fn ended(&self, generation: u64, why: Arc<str>) {
        self.detach(generation);
        *self.ended.borrow_mut() = Some((generation, why));
        self.changed.notify_waiters();
    }

    /// Which of the app's workers is the latest.
    pub fn generation(&self) -> u64 {
        self.generation.get()
    }

    /// A request went down with the worker of this generation. The report of its crash names it.
    pub fn lost(&self, generation: u64, line: &RequestLine<'_>) {
        let request = LostRequest::new(line.id, line.method, line.target);
        // If the main thread is that busy, the report names fewer.
        let _ = self.notices.try_send(Notice::Lost((self.app, generation), request));
    }

    /// Why a worker has ended that lets go of its connections; waits until that is known.
    pub async fn why_ended(&self, generation: u64) -> Arc<str> {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if let Some((last, why)) = &*self.ended.borrow()
                    && *last >= generation
                {
                    return why.clone();
                }
                changed.await;
            }
        };
        timeout(AUTOPSY, wait).await.unwrap_or_else(|_| "the worker let go of the request".into())
    }

    /// Waiting is in vain.
    pub fn unavailable(&self, why: Unavailable) {
        self.relink(Link::Unavailable(why));
        self.changed.notify_waiters();
    }

    /// Takes a place among the app's requests in flight.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] if all are taken.
    pub fn enter(&self, spec: &AppSpec) -> Result<Place, Refusal> {
        if self.traffic.enter(spec.limits.max_in_flight) {
            Ok(Place(self.traffic.clone()))
        } else {
            Err(Refusal::Overloaded)
        }
    }

    /// The connection to the app's worker; waits for one up to the queueing deadline.
    ///
    /// # Errors
    /// [`Refused`] if there is none by then, if waiting is in vain, or if too many wait already.
    pub async fn handle(&self, spec: &AppSpec) -> Result<Handle, Refused> {
        if let Some(found) = self.now() {
            return found;
        }
        let Some(_waiting) = self.traffic.wait(spec.limits.max_queue) else {
            self.traffic.count_broken(Limit::Queue, 1);
            let max = spec.limits.max_queue;
            let why = format!("{max} requests wait for a worker already (`max_queue`)");
            return Err(Refused::because(Refusal::QueueFull, why));
        };
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if let Some(found) = self.now() {
                    return found;
                }
                changed.await;
            }
        };
        timeout(spec.limits.queue_timeout, wait).await.unwrap_or_else(|_| Err(self.no_worker(spec)))
    }

    /// What is counted of it.
    pub fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    fn no_worker(&self, spec: &AppSpec) -> Refused {
        let limit = humantime::format_duration(spec.limits.queue_timeout);
        let last = self.ended.borrow();
        let last =
            last.as_ref().map_or_else(String::new, |(_, why)| format!("; the last one has ended: {why}"));
        Refused::because(
            Refusal::NoWorker,
            format!("no worker was ready within {limit} (`queue_timeout`){last}"),
        )
    }

    /// The connection to the app's worker, or why there is none for long; none if there may soon be one.
    pub fn now(&self) -> Option<Result<Handle, Refused>> {
        match &*self.link.borrow() {
            Link::Ready(handle) if !handle.is_closed() => Some(Ok(handle.clone())),
            // It has just died, and the main thread is about to say so.
            Link::Ready(_) | Link::Waiting => None,
            Link::Unavailable(Unavailable::NotLoaded(why)) => {
                Some(Err(Refused::because(Refusal::NotLoaded, why.clone())))
            }
            Link::Unavailable(Unavailable::CrashLoop(why)) => {
                Some(Err(Refused::because(Refusal::CrashLoop, why.clone())))
            }
            Link::Unavailable(Unavailable::Stopped) => Some(Err(Refusal::Stopped.into())),
        }
    }
}

/// One request's place among those in flight; given back when dropped.
#[derive(Debug)]
pub struct Place(Arc<Traffic>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.leave();
    }
}
