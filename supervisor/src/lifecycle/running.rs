//! A worker that has been started: the task that watches it, the way to give it orders, and what is left of those that have
//! been replaced.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Shared;
use crate::config::AppSpec;
use crate::registry::AppId;
use crate::routes::Fault;
use crate::worker::handle::Order;
use crate::worker::{ExitReason, Fingerprint, Worker};

/// Orders to one worker that may wait to be carried out.
const ORDERS: usize = 8;

/// The way to give every running worker orders, by app and generation.
#[derive(Debug, Clone, Default)]
pub struct Orders(Rc<RefCell<ByWorker<mpsc::Sender<Order>>>>);

/// By app and generation.
type ByWorker<T> = HashMap<(AppId, u64), T>;

impl Orders {
    /// Passes on what an I/O thread says of a worker, if that still runs.
    pub fn carry_out(&self, fault: Fault) {
        if let Some(orders) = self.0.borrow().get(&(fault.app, fault.generation)) {
            // A full queue holds an order to kill it already.
            let _ = orders.try_send(fault.order);
        }
    }
}

/// A worker that gets the app's requests.
#[derive(Debug)]
pub struct Running {
    /// Which of the app's workers it is.
    pub generation: u64,
    /// Since when it is ready.
    pub ready: Instant,
    pid: u32,
    told: Fingerprint,
    orders: mpsc::Sender<Order>,
    task: JoinHandle<ExitReason>,
}

impl Running {
    /// Waits for its end. Must not be called again after that.
    pub async fn ended(&mut self) -> ExitReason {
        let ended = (&mut self.task).await;
        ended.unwrap_or_else(|error| ExitReason::SpawnFailed(error.to_string()))
    }

    /// Lets it finish what is in flight for this long.
    pub fn drain(&self, limit: Duration) {
        // The queue is only full of orders to kill it.
        let _ = self.orders.try_send(Order::Drain(limit));
    }

    /// Whether it was told all that a worker of this configuration would be told.
    ///
    /// # Errors
    /// What of that cannot be read, for people.
    pub fn was_told(&self, spec: &AppSpec) -> Result<bool, String> {
        Ok(self.told == Fingerprint::of(spec)?)
    }
}

/// The workers of one app: numbers them, and sees those off that were replaced.
#[derive(Debug)]
pub struct Stage {
    app: AppId,
    shared: Rc<Shared>,
    generation: u64,
    retiring: Vec<(mpsc::Sender<Order>, JoinHandle<()>)>,
}

impl Stage {
    /// No worker yet.
    pub fn new(app: AppId, shared: Rc<Shared>) -> Self {
        Self { app, shared, generation: 0, retiring: Vec::new() }
    }

    /// Begins to watch a worker.
    pub fn enter(&mut self, spec: &Arc<AppSpec>, worker: Worker) -> Running {
        self.generation += 1;
        let (app, generation, registry) = (self.app, self.generation, self.shared.registry.clone());
        let (orders, mut received) = mpsc::channel(ORDERS);
        self.shared.orders.0.borrow_mut().insert((app, generation), orders.clone());
        let (pid, told, spec) = (worker.pid, worker.told.clone(), spec.clone());
        let task = tokio::task::spawn_local(async move {
            worker.watch(&spec, &mut received, |stats| registry.record_stats(app, pid, stats)).await
        });
        Running { generation, ready: Instant::now(), pid, told, orders, task }
    }

    /// Tells the I/O threads, once, that a worker has ended.
    pub async fn farewell(&self, running: &Running, reason: &ExitReason) {
        farewell(&self.shared, self.app, running.generation, reason).await;
    }

    /// Lets a worker that gets no further requests finish what is in flight, in a task of its own.
    pub fn retire(&mut self, mut running: Running) {
        let (app, shared) = (self.app, self.shared.clone());
        running.drain(shared.drain_timeout.get());
        self.retiring.retain(|(_, task)| !task.is_finished());
        let orders = running.orders.clone();
        let task = tokio::task::spawn_local(async move {
            let reason = running.ended().await;
            farewell(&shared, app, running.generation, &reason).await;
            shared.registry.retired(app, running.pid, &reason);
        });
        self.retiring.push((orders, task));
    }

    /// Waits for all workers, which may take this long.
    pub async fn end(self, limit: Duration) {
        for (orders, _) in &self.retiring {
            let _ = orders.try_send(Order::Drain(limit));
        }
        for (_, task) in self.retiring {
            let _ = task.await;
        }
    }
}

async fn farewell(shared: &Shared, app: AppId, generation: u64, reason: &ExitReason) {
    if shared.orders.0.borrow_mut().remove(&(app, generation)).is_some() {
        shared.routes.ended(app, generation, &reason.to_string().into()).await;
    }
}
