//! What the main thread tells the I/O threads, and what they tell it.

use std::os::unix::net::UnixStream;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::registry::AppIndex;
use crate::worker::handle::Order;

/// Commands queued for one I/O thread at most; the main thread waits when it is full.
const QUEUE: usize = 256;

/// From the main thread to one I/O thread.
#[derive(Debug)]
pub enum Command {
    /// A worker is ready: requests for `app` go here.
    Attach {
        /// The app.
        app: AppIndex,
        /// Which of the app's workers this is.
        generation: u64,
        /// The handshake is done.
        socket: UnixStream,
    },
    /// This worker is gone: wait for the next one.
    Detach {
        /// The app.
        app: AppIndex,
        /// Which of the app's workers.
        generation: u64,
        /// Why, for people.
        why: Arc<str>,
    },
    /// Waiting is in vain for now.
    Unavailable {
        /// The app.
        app: AppIndex,
        /// What to answer.
        why: Unavailable,
    },
    /// Accept nothing new, finish what is in flight, then end the thread.
    Drain,
}

/// Why an app has no worker and none is to be expected soon; the text is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unavailable {
    /// It does not load.
    NotLoaded(Arc<str>),
    /// It crashes in a loop.
    CrashLoop(Arc<str>),
}

/// From an I/O thread to the main thread: this worker broke the protocol.
#[derive(Debug)]
pub struct Fault {
    /// The app.
    pub app: AppIndex,
    /// Which of the app's workers.
    pub generation: u64,
    /// What is to be done about it.
    pub order: Order,
}

/// The main thread's side of the queues to all I/O threads.
#[derive(Debug, Clone)]
pub struct Routes {
    threads: Vec<mpsc::Sender<Command>>,
}

impl Routes {
    /// Queues for this many I/O threads, and their receiving ends.
    pub fn new(io_threads: usize) -> (Self, Vec<mpsc::Receiver<Command>>) {
        let (threads, receivers) = (0..io_threads).map(|_| mpsc::channel(QUEUE)).unzip();
        (Self { threads }, receivers)
    }

    /// Hands a worker's connections to the I/O threads, one each.
    pub async fn attach(&self, app: AppIndex, generation: u64, sockets: Vec<UnixStream>) {
        for (thread, socket) in self.threads.iter().zip(sockets) {
            // A thread that has ended needs no worker.
            let _ = thread.send(Command::Attach { app, generation, socket }).await;
        }
    }

    /// Takes a worker away from all I/O threads.
    pub async fn detach(&self, app: AppIndex, generation: u64, why: &Arc<str>) {
        for thread in &self.threads {
            let _ = thread.send(Command::Detach { app, generation, why: why.clone() }).await;
        }
    }

    /// Tells all I/O threads that waiting for a worker is in vain.
    pub async fn unavailable(&self, app: AppIndex, why: Unavailable) {
        for thread in &self.threads {
            let _ = thread.send(Command::Unavailable { app, why: why.clone() }).await;
        }
    }

    /// Tells all I/O threads to finish.
    pub async fn drain(&self) {
        for thread in &self.threads {
            let _ = thread.send(Command::Drain).await;
        }
    }
}
