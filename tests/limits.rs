//! The limits of one app, each reached for real. An app that breaks one is told, and no other app is affected.
//!
//! - [`blocking`]: cryptographic calls, and the threads they run on.
//! - [`buffers`]: memory of buffered bodies.
//! - [`cgroups`]: limits that the kernel enforces on workers.
//! - [`cpu_time`]: CPU time of a request, and who is blamed for it.
//! - [`frames`]: frames of a worker that have no effect.
//! - [`heap`]: live memory in V8's heap.
//! - [`outbound`]: outbound connections and descriptors.

mod blocking;
mod buffers;
mod cgroups;
mod cpu_time;
mod frames;
mod heap;
mod outbound;

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::OpenOptionsExt as _;

use http_body_util::{BodyExt as _, Empty};
use nano_supervisor::api::AppState;
use serde_json::{Value, json};

use crate::admin::metrics;
use crate::harness::{App, Client, free_address, run};
use crate::{TestSupervisor, until, within};

/// Returns whether a record of the log has these fields.
pub(crate) fn has(record: &Value, fields: &Value) -> bool {
    fields.as_object().unwrap().iter().all(|(name, value)| record[name] == *value)
}

#[tokio::test]
async fn work_after_the_response_keeps_a_draining_worker_for_so_long_and_no_longer() {
    let index = "export default { fetch(request, env, ctx) {
      ctx.waitUntil(new Promise(() => {}));
      return new Response('answered');
    } }";
    let app = App::new("app", index).set("wait_until_timeout = '200ms'");
    let supervisor = TestSupervisor::plan().app(app).set("drain_timeout = '1h'").start().await;
    let reply = supervisor.get("app", "/").await;
    assert_eq!(reply.text(), "answered");
    let text =
        "waitUntil took longer than `wait_until_timeout` after the response; it no longer keeps the worker";
    let record = supervisor.log.record_with(text).await;
    let expected =
        json!({ "level": "WARN", "app": "app", "message": text, "request_id": reply.header("x-request-id") });
    assert!(has(&record, &expected), "{record}");
    // Another request, which is in flight when the worker is told to end.
    supervisor.get("app", "/").await;
    let socket = supervisor.socket().to_str().unwrap();
    let (code, _, errors) = run(supervisor.folder(), &["stop", "app", "--control", socket]);
    assert_eq!((code, &*errors), (0, ""));
    assert_eq!(supervisor.app("app").await.state, AppState::Stopped);
}

#[tokio::test]
async fn more_requests_than_may_wait_for_a_worker_are_refused() {
    let slow = App::new("slow", "await new Promise((resolve) => setTimeout(resolve, 3_600_000));")
        .set("max_queue = 2\nqueue_timeout = '1h'\nstart_timeout = '1h'");
    let supervisor = TestSupervisor::plan().app(slow).app(App::hello("other")).launch().await;
    let client = supervisor.client("slow").await;
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.get("/").await })
        })
        .collect();
    supervisor.in_flight("slow", 2).await;
    let request = client.request("GET", "/").header("accept", "application/json").body(Empty::new()).unwrap();
    let refused = client.send(request).await.unwrap();
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (503, &json!("queue_full")));
    assert_eq!(refused.header("retry-after"), "1");
    assert!(waiting.iter().all(|request| !request.is_finished()));
    assert_eq!(supervisor.get("other", "/").await.status, 200);
    // A slot that was released can be taken again.
    for request in waiting {
        request.abort();
    }
    supervisor.in_flight("slow", 0).await;
    let again = tokio::spawn(async move { client.get("/").await });
    supervisor.in_flight("slow", 1).await;
    assert!(!again.is_finished());
    again.abort();
}

/// Answers with the number of bytes in the query, in the way that the path names.
const BYTES: &str = "
const bytes = (count) => new Uint8Array(count).fill(120);
const stream = (count) => new ReadableStream({
  start() { this.left = count; },
  pull(controller) {
    const part = Math.min(this.left, 10_000);
    if (part === 0) return controller.close();
    this.left -= part;
    controller.enqueue(bytes(part));
  },
});
export default { fetch(request) {
  const { pathname, search } = new URL(request.url);
  const count = Number(search.slice(1));
  switch (pathname) {
    case '/whole': return new Response(bytes(count));
    case '/stream': return new Response(stream(count));
    case '/declared': return new Response(stream(count).pipeThrough(new FixedLengthStream(count)));
  }
} }";

#[tokio::test]
async fn a_response_longer_than_it_may_be_is_refused_or_cut_off() {
    let (app, other) = (App::new("app", BYTES).set("max_response = '64KiB'"), App::new("other", BYTES));
    let supervisor = TestSupervisor::plan().app(app).app(other).start().await;
    let (address, worker) = (supervisor.address("app").await, supervisor.worker("app").await);
    for http2 in [false, true] {
        let client = Client::new(address, http2);
        for path in ["/whole", "/stream", "/declared"] {
            let fits = client.get(&format!("{path}?65536")).await.unwrap();
            assert_eq!((fits.status, fits.body.len()), (200, 65536), "{path}");
        }
        let mut ids = BTreeSet::new();
        for path in ["/whole", "/declared"] {
            let request =
                client.request("GET", &format!("{path}?65537")).header("accept", "application/json");
            let refused = client.send(request.body(Empty::new()).unwrap()).await.unwrap();
            let code = &refused.json()["error"]["code"];
            assert_eq!((refused.status, code), (500, &json!("response_too_large")), "{path}");
            ids.insert(refused.header("x-request-id").to_owned());
        }
        let request = client.request("GET", "/stream?10000000").body(Empty::new()).unwrap();
        let response = client.begin(request).await.unwrap();
        assert_eq!(response.status(), 200);
        ids.insert(response.headers()["x-request-id"].to_str().unwrap().to_owned());
        let (mut body, mut length) = (response.into_body(), 0);
        let end = loop {
            match within(body.frame()).await.expect("an end that is no end") {
                Ok(frame) => length += frame.into_data().unwrap().len(),
                Err(error) => break error,
            }
        };
        assert!(length <= 65536, "{length}: {end}");
        for id in ids {
            let is_told = |record: &Value| {
                let text = record["message"].as_str().unwrap_or_default();
                has(record, &json!({ "level": "WARN", "app": "app", "request_id": id }))
                    && text.ends_with("it is longer than 65536 bytes (`max_response`)")
            };
            until("the log says so", async || supervisor.log.records().iter().any(is_told).then_some(()))
                .await;
        }
        let unlimited = supervisor.get("other", "/stream?10000000").await;
        assert_eq!((unlimited.status, unlimited.body.len()), (200, 10_000_000));
    }
    assert_eq!(supervisor.worker("app").await, worker);
}

#[tokio::test]
async fn an_app_that_floods_the_log_loses_lines_is_told_how_many_and_costs_others_none() {
    let talking = |text: &str| {
        format!(
            "export default {{ fetch(request) {{
               const count = Number(new URL(request.url).search.slice(1));
               for (let i = 0; i < count; i++) console.log(`{text} ${{i}}`);
               return new Response('said');
             }} }}"
        )
    };
    let loud = App::new("loud", &talking("a line of the loud app")).set("log_rate = '128KiB'");
    let quiet = App::new("quiet", &talking("a line of the quiet app"));
    let supervisor = TestSupervisor::plan().app(loud).app(quiet).start().await;
    let (loud, quiet) = (supervisor.client("loud").await, supervisor.client("quiet").await);
    for _ in 0..10 {
        let (flooded, said) = tokio::join!(loud.get("/?2000"), quiet.get("/?5"));
        assert_eq!((flooded.unwrap().status, said.unwrap().status), (200, 200));
    }
    let count = |app: &str, text: &str| {
        let records = supervisor.log.records();
        let is_one = |record: &&Value| {
            record["app"] == app && record["message"].as_str().is_some_and(|message| message.contains(text))
        };
        records.into_iter().filter(|record| is_one(&record)).collect::<Vec<_>>()
    };
    until("each line has arrived or is counted", async || {
        let arrived = count("loud", "a line of the loud app").len();
        let notices = count("loud", " log lines: the app logs more than it may (`log_rate`)");
        let dropped = notices.iter().map(|record| {
            let text = record["message"].as_str().unwrap();
            text.strip_prefix("dropped ").unwrap().split(' ').next().unwrap().parse::<usize>().unwrap()
        });
        (arrived + dropped.sum::<usize>() == 20_000 && arrived < 20_000).then_some(())
    })
    .await;
    until("the quiet app's lines are there", async || {
        (count("quiet", "a line of the quiet app").len() == 50).then_some(())
    })
    .await;
    // The limit allows lines again.
    loud.get("/?1").await.unwrap();
    assert!(count("quiet", "dropped").is_empty());
}

#[tokio::test]
async fn an_app_that_floods_a_log_that_nobody_reads_costs_others_none_of_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("log");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // The pipe needs an open reader, which does not read yet.
    let idle = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(&pipe).unwrap();
    let talking = "export default { fetch(request) {
      const [count, text] = new URL(request.url).search.slice(1).split(',');
      for (let i = 0; i < Number(count); i++) console.log(`${text} ${i}.`);
      return new Response('said');
    } }";
    let admin = free_address();
    let supervisor = TestSupervisor::plan()
        .app(App::new("loud", talking).set("log_rate = '1GiB'"))
        .app(App::new("quiet", talking))
        .set(&format!("log_file = '{}'\nadmin = '{admin}'", pipe.display()))
        .start()
        .await;
    let (loud, admin) = (supervisor.client("loud").await, Client::afresh(admin));
    until("lines are dropped", async || {
        loud.get("/?1000,loud").await.unwrap();
        (metrics(&admin).await["nano_log_lines_dropped_total"] > 1000.0).then_some(())
    })
    .await;
    assert_eq!(supervisor.get("quiet", "/?50,quiet").await.text(), "said");
    // Now the pipe is read.
    let lines = tokio::task::spawn_blocking(move || {
        let mut lines = BufReader::new(File::open(&pipe).unwrap()).lines();
        drop(idle);
        let mut quiet = Vec::new();
        while quiet.len() < 50 {
            let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            if line["app"] == "quiet" && line["message"].as_str().unwrap().starts_with("quiet ") {
                quiet.push(line["message"].as_str().unwrap().to_owned());
            }
        }
        // Lost lines are reported with the next line that can be written.
        loop {
            let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            let message = line["message"].as_str().unwrap();
            if message.ends_with(" log lines: they came faster than they could be written") {
                assert_eq!(line["app"], "loud");
                return quiet;
            }
        }
    });
    until("all is read", async || {
        loud.get("/?1,loud").await.unwrap();
        lines.is_finished().then_some(())
    })
    .await;
    let expected: Vec<_> = (0..50).map(|number| format!("quiet {number}.")).collect();
    assert_eq!(lines.await.unwrap(), expected);
}
