//! Continuous load in the background, and the results of all requests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::task::JoinHandle;

use super::client::BodyError;
use super::{Client, until};

/// The number of concurrent clients: half of them speak HTTP/1.1, half HTTP/2.
const CLIENTS: usize = 8;

/// Running load on one address.
#[derive(Debug)]
pub(crate) struct Load {
    answered: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    /// The task of each client. Returns whether the client speaks HTTP/2, and what it has seen.
    clients: Vec<JoinHandle<(bool, Seen)>>,
}

/// How often each result occurred: a body, or a description of anything else.
pub(crate) type Seen = BTreeMap<String, usize>;

impl Load {
    /// Starts the load, and waits for the first responses.
    pub(crate) async fn on(address: SocketAddr) -> Self {
        let (answered, over) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let clients = (0..CLIENTS).map(|number| {
            let is_http2 = number % 2 == 0;
            let run = run(Client::new(address, is_http2), is_http2, answered.clone(), over.clone());
            tokio::spawn(async move { (is_http2, run.await) })
        });
        let load = Self { clients: clients.collect(), answered, over };
        load.more(CLIENTS).await;
        load
    }

    /// Waits for `count` further responses.
    pub(crate) async fn more(&self, count: usize) {
        let now = self.answered.load(Ordering::Relaxed);
        let more = async || (self.answered.load(Ordering::Relaxed) >= now + count).then_some(());
        until("more requests are answered", more).await;
    }

    /// Stops the load, and returns the results.
    pub(crate) async fn seen(self) -> Seen {
        self.over.store(true, Ordering::Relaxed);
        let mut all = Seen::new();
        for client in self.clients {
            let (is_http2, seen) = client.await.expect("a client");
            for (text, count) in seen {
                let is_failure = text.starts_with("failed: ");
                let text = if is_failure { format!("{text} (HTTP/2: {is_http2})") } else { text };
                *all.entry(text).or_default() += count;
            }
        }
        all
    }
}

/// Returns whether the server refused this request with a graceful GOAWAY, or the connection ended after one before the
/// request was written. HTTP/2 clients then send the request over another connection (RFC 9113, 6.8). hyper leaves that
/// to its users.
fn is_unprocessed(error: &BodyError) -> bool {
    let text = format!("{error:?}");
    text.contains("GoAway(b\"\", NO_ERROR, Remote)")
        || text.contains("hyper::Error(Canceled, \"connection closed\")")
}

async fn run(client: Client, is_http2: bool, answered: Arc<AtomicUsize>, over: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::new();
    while !over.load(Ordering::Relaxed) {
        let text = match client.get("/").await {
            Err(error) if is_http2 && is_unprocessed(&error) => continue,
            Ok(reply) if reply.status == 200 => reply.text().to_owned(),
            Ok(reply) => format!("{}: {}", reply.status, reply.text()),
            Err(error) => format!("failed: {error:?}"),
        };
        *seen.entry(text).or_default() += 1;
        answered.fetch_add(1, Ordering::Relaxed);
    }
    seen
}
