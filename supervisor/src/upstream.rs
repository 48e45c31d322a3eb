//! One I/O thread's view of an app: its connection to the app's worker, or the wait for one.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nano_protocol::Handle;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::config::AppSpec;
use crate::proxy::answer::Refusal;
use crate::proxy::refused::Refused;
use crate::registry::AppIndex;
use crate::routes::Unavailable;

/// An app as one I/O thread sees it.
#[derive(Debug)]
pub struct Upstream {
    /// The app.
    pub app: AppIndex,
    /// Its configuration.
    pub spec: Arc<AppSpec>,
    /// Requests of this app in flight or waiting, on all I/O threads.
    in_flight: Arc<AtomicUsize>,
    link: RefCell<Link>,
    generation: Cell<u64>,
    /// The last worker that has ended, and why.
    ended: RefCell<Option<(u64, Arc<str>)>>,
    changed: Notify,
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
    /// No worker yet. `in_flight` is shared by all I/O threads.
    pub fn new(app: AppIndex, spec: Arc<AppSpec>, in_flight: Arc<AtomicUsize>) -> Self {
        Self {
            app,
            spec,
            in_flight,
            link: RefCell::new(Link::Waiting),
            generation: Cell::new(0),
            ended: RefCell::default(),
            changed: Notify::new(),
        }
    }

    /// A worker is ready.
    pub fn attach(&self, generation: u64, handle: Handle) {
        self.generation.set(generation);
        *self.link.borrow_mut() = Link::Ready(handle);
        self.changed.notify_waiters();
    }

    /// A worker takes no more requests; requests wait for the next one. Nothing happens if that is already there.
    pub fn detach(&self, generation: u64) {
        if self.generation.get() == generation && matches!(*self.link.borrow(), Link::Ready(_)) {
            *self.link.borrow_mut() = Link::Waiting;
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
        *self.link.borrow_mut() = Link::Unavailable(why);
        self.changed.notify_waiters();
    }

    /// Takes a place among the app's requests in flight.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] if all are taken.
    pub fn enter(&self) -> Result<Place, Refusal> {
        let place = Place(self.in_flight.clone());
        if self.in_flight.fetch_add(1, Ordering::Relaxed) >= self.spec.limits.max_in_flight {
            return Err(Refusal::Overloaded);
        }
        Ok(place)
    }

    /// The connection to the app's worker; waits for one up to the queueing deadline.
    ///
    /// # Errors
    /// [`Refused`] if there is none by then, or if waiting is in vain.
    pub async fn handle(&self) -> Result<Handle, Refused> {
        if let Some(found) = self.now() {
            return found;
        }
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if let Some(found) = self.now() {
                    return found;
                }
                changed.await;
            }
        };
        timeout(self.spec.limits.queue_timeout, wait).await.unwrap_or_else(|_| Err(self.no_worker()))
    }

    fn no_worker(&self) -> Refused {
        let limit = humantime::format_duration(self.spec.limits.queue_timeout);
        let last = self.ended.borrow();
        let last =
            last.as_ref().map_or_else(String::new, |(_, why)| format!("; the last one has ended: {why}"));
        Refused::because(
            Refusal::NoWorker,
            format!("no worker was ready within {limit} (`queue_timeout`){last}"),
        )
    }

    fn now(&self) -> Option<Result<Handle, Refused>> {
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
        }
    }
}

/// One request's place among those in flight; given back when dropped.
#[derive(Debug)]
pub struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// All apps, as one I/O thread sees them, by index.
pub type Upstreams = Rc<Vec<Rc<Upstream>>>;
