//! The way to give running workers orders.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use tokio::sync::mpsc;

use crate::model::ids::WorkerId;
use crate::process::Order;

/// Orders to one worker that may wait to be carried out.
const ORDERS: usize = 8;

/// The way to give every running worker orders, by app and generation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Orders(Rc<RefCell<HashMap<WorkerId, mpsc::Sender<Order>>>>);

impl Orders {
    /// Gives a worker an order, if it still runs.
    pub(crate) fn give(&self, worker: WorkerId, order: Order) {
        if let Some(orders) = self.0.borrow().get(&worker) {
            // A full queue holds an order to kill it already.
            let _ = orders.try_send(order);
        }
    }

    /// A queue for the orders to a worker that begins to run.
    pub(super) fn enter(&self, worker: WorkerId) -> (mpsc::Sender<Order>, mpsc::Receiver<Order>) {
        let (orders, received) = mpsc::channel(ORDERS);
        self.0.borrow_mut().insert(worker, orders.clone());
        (orders, received)
    }

    /// The worker runs no more; whether it did.
    pub(super) fn leave(&self, worker: WorkerId) -> bool {
        self.0.borrow_mut().remove(&worker).is_some()
    }
}
