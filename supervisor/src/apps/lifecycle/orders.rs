//! Sends orders to running workers.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use tokio::sync::mpsc;

use crate::model::ids::WorkerId;
use crate::process::Order;

/// How many orders to one worker may be queued.
const ORDERS: usize = 8;

/// The queues of orders to all running workers, by app and generation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Orders(Rc<RefCell<HashMap<WorkerId, mpsc::Sender<Order>>>>);

impl Orders {
    /// Sends an order to a worker, if it still runs.
    pub(crate) fn give(&self, worker: WorkerId, order: Order) {
        if let Some(orders) = self.0.borrow().get(&worker) {
            // If the queue is full, it already holds an order to kill the worker.
            let _ = orders.try_send(order);
        }
    }

    /// Creates the queue of orders for a worker that begins to run.
    pub(super) fn enter(&self, worker: WorkerId) -> (mpsc::Sender<Order>, mpsc::Receiver<Order>) {
        let (orders, received) = mpsc::channel(ORDERS);
        self.0.borrow_mut().insert(worker, orders.clone());
        (orders, received)
    }

    /// Removes the queue of a worker that has ended. Returns whether there was one.
    pub(super) fn leave(&self, worker: WorkerId) -> bool {
        self.0.borrow_mut().remove(&worker).is_some()
    }
}
