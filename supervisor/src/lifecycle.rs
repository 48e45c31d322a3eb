//! The life of one app: start a worker, watch it, and after its end start the next.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use crate::config::AppSpec;
use crate::registry::{AppIndex, Registry};
use crate::restart::{Decision, History};
use crate::routes::{Routes, Unavailable};
use crate::worker::handle::Order;
use crate::worker::{ExitReason, Started, Worker};

/// Orders to one worker that may wait to be carried out.
pub const ORDERS: usize = 8;

/// Whether the supervisor is ending, and how long workers may take to drain.
pub type Ending = watch::Receiver<Option<Duration>>;

/// The way to give the app's worker orders, and of which generation that worker is; none while there is no worker.
pub type Orders = Rc<RefCell<Option<(u64, mpsc::Sender<Order>)>>>;

/// One app and what it needs to live.
#[derive(Debug)]
pub struct Lifecycle {
    /// Which app.
    pub app: AppIndex,
    /// Its configuration.
    pub spec: Arc<AppSpec>,
    /// Where its state is kept.
    pub registry: Registry,
    /// Where its workers' connections go.
    pub routes: Routes,
    /// How many connections each worker gets.
    pub io_threads: usize,
    /// The way to give its worker orders.
    pub orders: Orders,
    /// Changes when the supervisor ends.
    pub ending: Ending,
}

/// Whether the app goes on.
enum Next {
    Start,
    End,
}

impl Lifecycle {
    /// Keeps a worker running until the supervisor ends.
    pub async fn run(mut self) {
        let mut history = History::default();
        let mut generation = 0;
        loop {
            generation += 1;
            if generation > 1 {
                self.registry.count_restart(self.app);
            }
            let (reason, ready_for) = self.live(generation).await;
            if self.ending.borrow().is_some() {
                break;
            }
            match self.rest(&reason, ready_for, &mut history).await {
                Next::Start => {}
                Next::End => break,
            }
        }
        self.registry.stopped(self.app);
    }

    /// One worker from start to end: why it ended, and how long it was ready.
    async fn live(&mut self, generation: u64) -> (ExitReason, Duration) {
        self.registry.starting(self.app);
        let begun = Instant::now();
        let started = tokio::select! {
            started = Worker::start(&self.spec, self.io_threads) => started,
            // Dropping the start kills the process.
            _ = self.ending.changed() => return (ExitReason::Stopped, Duration::ZERO),
        };
        let Started { worker, requests } = match started {
            Ok(started) => started,
            Err(failure) => return (failure.reason, Duration::ZERO),
        };
        self.registry.ready(self.app, worker.pid, begun.elapsed());
        self.routes.attach(self.app, generation, requests).await;
        let ready = Instant::now();
        let (orders, mut received) = mpsc::channel(ORDERS);
        *self.orders.borrow_mut() = Some((generation, orders.clone()));
        let reason = {
            let stats = |stats| self.registry.record_stats(self.app, stats);
            let watch = worker.watch(&self.spec, &mut received, stats);
            tokio::pin!(watch);
            tokio::select! {
                reason = &mut watch => reason,
                limit = self.ending.wait_for(Option::is_some) => {
                    let limit = limit.ok().and_then(|limit| *limit).unwrap_or_default();
                    self.registry.draining(self.app);
                    // The queue is only full of orders to kill it.
                    let _ = orders.try_send(Order::Drain(limit));
                    watch.await
                }
            }
        };
        self.orders.borrow_mut().take();
        self.routes.detach(self.app, generation, &reason.to_string().into()).await;
        (reason, ready.elapsed())
    }

    /// Waits as long as the restart policy says.
    async fn rest(&mut self, reason: &ExitReason, ready_for: Duration, history: &mut History) -> Next {
        let policy = &self.spec.restart;
        let decision = match reason {
            // Trying again at once would fail again: nothing has changed.
            ExitReason::LoadFailed(_) => Decision::GiveUp(policy.slow_retry),
            _ => history.crashed(policy, Instant::now(), ready_for, fastrand::f64()),
        };
        self.registry.crashed(self.app, reason);
        let pause = match decision {
            Decision::RestartAfter(pause) if pause.is_zero() => return Next::Start,
            Decision::RestartAfter(pause) => {
                self.registry.backing_off(self.app, pause);
                pause
            }
            Decision::GiveUp(pause) => {
                let why = match reason {
                    ExitReason::LoadFailed(text) => Unavailable::NotLoaded(text.as_str().into()),
                    ExitReason::StartTimeout | ExitReason::SpawnFailed(_) => {
                        Unavailable::NotLoaded(reason.to_string().into())
                    }
                    _ => Unavailable::CrashLoop(reason.to_string().into()),
                };
                self.registry.failed(self.app, reason, pause);
                self.routes.unavailable(self.app, why).await;
                pause
            }
        };
        tokio::select! {
            () = sleep(pause) => Next::Start,
            _ = self.ending.wait_for(Option::is_some) => Next::End,
        }
    }
}
