//! Limits per client: whatever one client holds, the others get answers, from this app and from its neighbours.
//!
//! - [`streams`]: HTTP/2, where one connection carries many requests. [`windows`]: how much an HTTP/2 client may send
//!   before it is read.

mod streams;
mod windows;

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::admin::metrics;
use crate::harness::{App, Client, Raw, free_address, raw};
use crate::{TestSupervisor, until};

/// The client that holds all it can get. Other clients use 127.0.0.1.
const GREEDY: [u8; 4] = [127, 0, 0, 66];

const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
const LAST: &str = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

/// Answers at once, with the length of the body, never, or by echoing the body as it arrives.
const APP: &str = "export default { async fetch(request) {
  switch (new URL(request.url).pathname) {
    case '/never': await new Promise(() => {});
    case '/length': return new Response(String((await request.arrayBuffer()).byteLength));
    case '/echo': return new Response(request.body);
  }
  return new Response('hello from app');
} }";

/// Checks that both apps answer new connections.
async fn all_is_well(supervisor: &TestSupervisor) {
    for name in ["app", "neighbour"] {
        let answer = raw::exchange(supervisor.address(name).await, LAST);
        assert!(answer.ends_with(&format!("hello from {name}")), "{answer}");
    }
}

/// Starts two apps on one I/O thread. Returns them with a client for their metrics.
async fn two_apps(app: App, server: &str) -> (TestSupervisor, Client) {
    let admin = free_address();
    let plan = TestSupervisor::plan().app(app).app(App::hello("neighbour"));
    let supervisor = plan.set(&format!("io_threads = 1\nadmin = '{admin}'\n{server}")).start().await;
    (supervisor, Client::afresh(admin))
}

#[tokio::test]
async fn a_client_with_many_idle_connections_loses_some_and_nobody_else_notices() {
    // None of the connections is ended for another reason.
    let server = "max_connections = 256\nheader_read_timeout = '1h'\nidle_timeout = '1h'";
    let app = App::new("app", APP).set("request_timeout = '1h'");
    let (supervisor, admin) = two_apps(app, server).await;
    let address = supervisor.address("app").await;
    let mut under_way = Raw::from(GREEDY, address);
    under_way.send("POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n12");
    supervisor.in_flight("app", 1).await;
    let mut kept = Raw::connect(supervisor.address("neighbour").await);
    kept.send(GET).up_to("hello from neighbour");
    let mut idle = Vec::new();
    for number in 0..300 {
        let mut connection = Raw::from(GREEDY, address);
        match number % 3 {
            // These connections send nothing or no complete request.
            0 => {}
            1 => drop(connection.send("GET / HT")),
            _ => drop(connection.send(GET).up_to("hello from app")),
        }
        idle.push(connection);
        if number % 50 == 0 {
            all_is_well(&supervisor).await;
        }
    }
    all_is_well(&supervisor).await;
    let open = idle.iter_mut().filter_map(|connection| (!connection.is_closed()).then_some(())).count();
    assert!((100..256).contains(&open), "{open}");
    // A connection with a request in flight, and a connection of a client with few of them, are not evicted.
    assert!(under_way.send("34").up_to("\r\n\r\n4").starts_with("HTTP/1.1 200"));
    kept.send(GET).up_to("hello from neighbour");
    until("the metrics say so", async || {
        let now = metrics(&admin).await;
        let listen = format!("nano_connections{{listen=\"{address}\"}}");
        let is_so = now["nano_connections_limit"] == 256.0
            && now["nano_connections_ended_total{why=\"shed\"}"] >= 44.0
            && now[&listen] <= 256.0
            && now[&listen] >= open as f64;
        is_so.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_client_whose_connections_are_all_busy_leaves_room_for_others() {
    let app = App::new("app", APP).set("request_timeout = '1h'");
    let (supervisor, admin) = two_apps(app, "max_connections = 15").await;
    let address = supervisor.address("app").await;
    let mut busy: Vec<_> = (0..12).map(|_| Raw::from(GREEDY, address)).collect();
    for connection in &mut busy {
        connection.send("GET /never HTTP/1.1\r\nhost: x\r\n\r\n");
    }
    supervisor.in_flight("app", 12).await;
    assert_eq!(Raw::from(GREEDY, address).rest(), "");
    all_is_well(&supervisor).await;
    supervisor.in_flight("app", 12).await;
    let record = supervisor.log.record_with("(`max_connections`)").await;
    assert_eq!((&record["level"], &record["limit"]), (&json!("WARN"), &json!("max_connections")));
    assert!(metrics(&admin).await["nano_connections_refused_total"] >= 1.0);
}

#[tokio::test]
async fn a_client_holds_three_quarters_of_the_requests_in_flight_at_most() {
    let app = App::new("app", APP).set("max_in_flight = 8\nrequest_timeout = '1h'");
    let (supervisor, admin) = two_apps(app, "").await;
    let address = supervisor.address("app").await;
    let never = "GET /never HTTP/1.1\r\nhost: x\r\naccept: application/json\r\n\r\n";
    let mut greedy: Vec<_> = (0..6).map(|_| Raw::from(GREEDY, address)).collect();
    for connection in &mut greedy {
        connection.send(never);
    }
    supervisor.in_flight("app", 6).await;
    let answer =
        Raw::from(GREEDY, address).send(LAST.replace("close", "close\r\naccept: application/json")).rest();
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
    assert!(answer.contains("\"client_overloaded\""), "{answer}");
    all_is_well(&supervisor).await;
    // Another client may take one of the remaining slots, and a second one only when more are free.
    let mut other = Raw::from([127, 0, 0, 67], address);
    other.send(never);
    supervisor.in_flight("app", 7).await;
    assert!(Raw::from([127, 0, 0, 67], address).send(LAST).rest().starts_with("HTTP/1.1 429 "));
    all_is_well(&supervisor).await;
    let record = supervisor.log.record_with("(`max_in_flight`)").await;
    assert_eq!(record["message"], "requests in flight of app app: 7 of 8 are taken (`max_in_flight`)");
    let now = metrics(&admin).await;
    for (name, value) in [
        ("nano_requests_in_flight{app=\"app\"}", 7.0),
        ("nano_requests_in_flight_limit{app=\"app\"}", 8.0),
        ("nano_limit_broken_total{app=\"app\",limit=\"max_in_flight_per_client\"}", 2.0),
        ("nano_refusals_total{app=\"app\",code=\"client_overloaded\"}", 2.0),
    ] {
        assert_eq!(now[name], value, "{name}");
    }
    // A slot that was released can be taken again.
    greedy.pop();
    drop(other);
    supervisor.in_flight("app", 5).await;
    assert!(Raw::from(GREEDY, address).send(LAST).rest().starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn behind_a_proxy_a_client_is_whom_the_proxy_has_seen() {
    let app = App::new("app", APP).set("max_in_flight_per_client = 2\nrequest_timeout = '1h'");
    let (supervisor, _) = two_apps(app, "forwarded = 'append'").await;
    let address = supervisor.address("app").await;
    let get = |path: &str, client: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: {client}\r\n\r\n")
    };
    let mut held: Vec<_> = (0..2).map(|_| Raw::connect(address)).collect();
    for connection in &mut held {
        connection.send(get("/never", "10.0.0.1, 2001:db8:0:1::1"));
    }
    supervisor.in_flight("app", 2).await;
    for (client, status) in [
        ("2001:db8:0:1:ffff::2", 429),
        ("10.0.0.1, 2001:db8:0:1::1", 429),
        ("2001:db8:0:1::1, 2001:db8:0:2::1", 200),
        ("10.0.0.1", 200),
    ] {
        let answer = raw::exchange(address, get("/", client));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{client}: {answer}");
    }
}

#[tokio::test]
async fn behind_several_proxies_a_client_is_whom_none_of_them_is() {
    let app = App::new("app", APP).set("max_in_flight_per_client = 1\nrequest_timeout = '1h'");
    let (supervisor, _) = two_apps(app, "forwarded = ['127.0.0.1', '10.0.0.0/8']").await;
    let address = supervisor.address("app").await;
    let get = |path: &str, client: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: {client}\r\n\r\n")
    };
    let mut held = Raw::connect(address);
    held.send(get("/never", "6.6.6.6, 192.0.2.1, 10.0.0.1"));
    supervisor.in_flight("app", 1).await;
    for (client, status) in [
        ("192.0.2.1", 429),
        ("192.0.2.1, 10.0.0.2, 10.0.0.3", 429),
        ("192.0.2.2, 10.0.0.1", 200),
        ("10.0.0.1", 200),
    ] {
        let answer = raw::exchange(address, get("/", client));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{client}: {answer}");
    }
    // A stranger cannot claim to be another client.
    let mut stranger = Raw::from(GREEDY, address);
    stranger.send(get("/never", "192.0.2.3"));
    supervisor.in_flight("app", 2).await;
    assert!(Raw::from(GREEDY, address).send(get("/", "192.0.2.4")).rest().starts_with("HTTP/1.1 429 "));
}

#[tokio::test]
async fn a_client_cannot_have_the_whole_queue_for_a_worker() {
    let slow = App::new("app", "await new Promise((resolve) => setTimeout(resolve, 3_600_000));")
        .set("max_queue = 8\nqueue_timeout = '1h'\nstart_timeout = '1h'");
    let supervisor = TestSupervisor::plan().app(slow).set("io_threads = 1").launch().await;
    let address = supervisor.address("app").await;
    let mut greedy: Vec<_> = (0..6).map(|_| Raw::from(GREEDY, address)).collect();
    for connection in &mut greedy {
        connection.send(GET);
    }
    supervisor.in_flight("app", 6).await;
    assert!(Raw::from(GREEDY, address).send(LAST).rest().starts_with("HTTP/1.1 429 "));
    let mut other = Raw::connect(address);
    other.send(GET);
    supervisor.in_flight("app", 7).await;
}

/// Sends a body in parts with pauses, until it is sent or the answer arrives. Returns the answer.
fn upload(address: SocketAddr, path: &str, part: usize, parts: usize) -> String {
    let mut connection = Raw::from(GREEDY, address);
    connection.send(format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        part * parts
    ));
    let (mut sending, body) = (connection.also(), vec![b'x'; part]);
    let sender = thread::spawn(move || {
        for _ in 0..parts {
            if !sending.try_send(&body) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    });
    let answer = connection.rest();
    drop(connection);
    let _ = sender.join();
    answer
}

#[tokio::test]
async fn an_upload_is_ended_by_its_rate_and_not_only_by_a_pause() {
    let app = App::new("app", APP).set("request_timeout = '3s'\nmin_rate = '2KiB'");
    let slow_app = App::new("slow", APP).set("request_timeout = '3s'\nmin_rate = false");
    let plan = TestSupervisor::plan().app(app).app(slow_app).app(App::hello("neighbour"));
    let supervisor = plan.set("io_threads = 1").start().await;
    let (address, slow) = (supervisor.address("app").await, supervisor.address("slow").await);
    let uploads = [
        (address, "/length", 1, 1000),
        (address, "/echo", 1, 1000),
        // One at 20 kB per second, and one as slow as above where that is allowed. Both take longer than `request_timeout`.
        (address, "/length", 1000, 80),
        (slow, "/length", 1, 80),
    ];
    let sent = uploads.map(|(address, path, part, parts)| {
        tokio::task::spawn_blocking(move || upload(address, path, part, parts))
    });
    all_is_well(&supervisor).await;
    let [trickled, echoed, quick, allowed] = sent;
    let trickled = trickled.await.unwrap();
    assert!(trickled.starts_with("HTTP/1.1 408 "), "{trickled}");
    // The answer had begun, so it is cut to show that it is not complete.
    let echoed = echoed.await.unwrap();
    assert!(echoed.starts_with("HTTP/1.1 200 ") && !echoed.ends_with("\r\n0\r\n\r\n"), "{echoed}");
    let (quick, allowed) = (quick.await.unwrap(), allowed.await.unwrap());
    assert!(quick.ends_with("\r\n\r\n80000"), "{quick}");
    assert!(allowed.ends_with("\r\n\r\n80"), "{allowed}");
    supervisor.in_flight("app", 0).await;
}

#[tokio::test]
async fn unfinished_heads_have_a_budget_and_those_of_whoever_holds_most_go_first() {
    let server = "max_heads = '256KiB'\nheader_read_timeout = '1h'";
    let (supervisor, admin) = two_apps(App::new("app", APP), server).await;
    let address = supervisor.address("app").await;
    let mut modest = Raw::connect(address);
    modest.send("GET / HTTP/1.1\r\nhost: x\r\nx-slow: ");
    let begun = format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {}", "x".repeat(30_000));
    let mut greedy: Vec<_> = (0..20).map(|_| Raw::from(GREEDY, address)).collect();
    for connection in &mut greedy {
        connection.send(&begun);
    }
    // Of 20 bodies of 30 kB, eight fit.
    until("enough of them have been closed", async || {
        (metrics(&admin).await["nano_connections_ended_total{why=\"head\"}"] >= 12.0).then_some(())
    })
    .await;
    let now = metrics(&admin).await;
    assert!(now["nano_heads_bytes"] <= now["nano_heads_limit_bytes"]);
    assert_eq!(now["nano_heads_limit_bytes"], 262_144.0);
    all_is_well(&supervisor).await;
    modest.send("1\r\n\r\n").up_to("hello from app");
}

#[tokio::test]
async fn a_head_takes_no_more_memory_than_it_may_be_long() {
    let supervisor =
        TestSupervisor::plan().app(App::hello("app")).set("header_read_timeout = '1h'").start().await;
    let address = supervisor.address("app").await;
    let mut connection = Raw::connect(address);
    connection.send("GET / HTTP/1.1\r\nhost: x\r\nx-long: ");
    // The header is refused before its end, which never comes.
    let answer = connection.send("x".repeat(64 * 1024)).rest();
    assert!(answer.starts_with("HTTP/1.1 431 ") && answer.contains("\r\nx-request-id: "), "{answer}");
}

#[tokio::test]
async fn half_a_head_behind_a_request_has_its_time_and_its_budget_like_any_other() {
    let app = "let release;
    export default { async fetch(request) {
      switch (new URL(request.url).pathname) {
        case '/held': await new Promise((resolve) => release = resolve); break;
        case '/release': release();
      }
      return new Response('hello from app');
    } }";
    let (supervisor, _) = two_apps(App::new("app", app), "header_read_timeout = '2500ms'").await;
    let address = supervisor.address("app").await;
    let half = "GET / HTTP/1.1\r\nhost: x\r\nx-slow: ";
    let held = GET.replace("/ ", "/held ");
    for requests in [GET.to_owned(), GET.repeat(3), held.clone()] {
        let mut connection = Raw::connect(address);
        connection.send(format!("{requests}{half}"));
        if requests == held {
            supervisor.in_flight("app", 1).await;
            supervisor.get("app", "/release").await;
        }
        for _ in 0..requests.matches("GET").count() {
            connection.up_to("hello from app");
        }
        let answer = connection.rest();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{requests}: {answer}");
    }
    // The same while the app prepares the answer.
    let mut connection = Raw::connect(address);
    connection.send(held);
    supervisor.in_flight("app", 1).await;
    connection.send(half);
    supervisor.get("app", "/release").await;
    connection.up_to("hello from app");
    assert!(connection.rest().starts_with("HTTP/1.1 408 "));

    let (supervisor, admin) = two_apps(App::new("app", app), "header_read_timeout = '1h'").await;
    let mut connection = Raw::connect(supervisor.address("app").await);
    connection.send(format!("{GET}{half}{}", "x".repeat(4000))).up_to("hello from app");
    let bytes = half.len() as f64 + 4000.0;
    until("it is counted", async || (metrics(&admin).await["nano_heads_bytes"] == bytes).then_some(())).await;
    // The request line is complete, so the limit of its length does not apply.
    let answer = connection.send("x".repeat(64 * 1024)).rest();
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn the_end_does_not_wait_for_half_a_head() {
    let server = "drain_timeout = '1h'\nheader_read_timeout = '1h'\nidle_timeout = '1h'";
    let (mut supervisor, _) = two_apps(App::new("app", APP), server).await;
    let address = supervisor.address("app").await;
    let mut half = Raw::connect(address);
    half.send("GET / HTTP/1.1\r\nhost: x\r\nx-slow: ");
    let mut second_half = Raw::connect(address);
    second_half.send(GET).up_to("hello from app");
    second_half.send("GET / HT");
    let mut http2 = streams::Http2::connect(GREEDY, address, None);
    http2.half_a_head(1);
    let mut under_way = Raw::connect(address);
    under_way.send("POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n12");
    supervisor.in_flight("app", 1).await;
    supervisor.signal(Signal::SIGTERM);
    assert!(half.rest().starts_with("HTTP/1.1 408 "));
    // The request in flight may finish.
    assert!(under_way.send("34").rest().ends_with("\r\n\r\n4"));
    assert_eq!(supervisor.ended().await.code(), Some(0));
}

#[tokio::test]
async fn fewer_descriptors_than_connections_are_said_and_no_app_is_cut_off() {
    let plan = TestSupervisor::plan().app(App::new("app", APP)).app(App::hello("neighbour"));
    let supervisor = plan.set("io_threads = 1").with_descriptors(200).start().await;
    let record = supervisor.log.record_with("(RLIMIT_NOFILE)").await;
    let message = record["message"].as_str().unwrap();
    assert!(
        message.starts_with("there may be 200 open descriptors")
            && message.contains("`max_connections` (10000)")
    );
    let address = supervisor.address("app").await;
    let mut idle = Vec::new();
    for number in 0..400 {
        idle.push(Raw::from(GREEDY, address));
        if number % 50 == 0 {
            all_is_well(&supervisor).await;
        }
    }
    all_is_well(&supervisor).await;
    let worker = supervisor.worker("neighbour").await;
    crate::harness::process::signal(worker, Signal::SIGKILL);
    supervisor.replaced("neighbour", worker).await;
    let is_short =
        |record: &Value| record["message"].as_str().is_some_and(|text| text.contains("cannot accept"));
    assert!(!supervisor.log.records().iter().any(is_short));
}

#[tokio::test]
async fn files_that_nobody_takes_leave_descriptors_for_others() {
    const READER: &str = "export default { async fetch(request, env) {
        const got = await Promise.allSettled(Array.from({ length: 400 }, () => env.ASSETS.fetch(request.url)));
        const refused = got.filter(({ reason }) => reason?.message.includes('RLIMIT_NOFILE')).length;
        const read = got.filter(({ value }) => value?.status === 200);
        console.log(`${read.length + refused} answers`);
        await new Promise(() => read);
      } }";
    let wrangler =
        "main = 'index.js'\n[assets]\ndirectory = 'public'\nbinding = 'ASSETS'\nrun_worker_first = true";
    let app =
        App::new("app", READER).file("wrangler.toml", wrangler).file("public/large", &"x".repeat(1 << 20));
    let plan = TestSupervisor::plan().app(app).app(App::hello("neighbour"));
    let supervisor = plan.set("io_threads = 1").with_descriptors(200).start().await;
    let mut waiting = Raw::connect(supervisor.address("app").await);
    waiting.send("GET /large HTTP/1.1\r\nhost: x\r\n\r\n");
    supervisor.log.line_with("400 answers").await;
    let address = supervisor.address("neighbour").await;
    let mut others: Vec<_> = (0..50).map(|_| Raw::connect(address)).collect();
    for other in &mut others {
        other.send(GET).up_to("hello from neighbour");
    }
    let is_short = |record: &Value| record["message"].as_str().is_some_and(|text| text.contains("cannot"));
    assert!(!supervisor.log.records().iter().any(is_short));
}

#[tokio::test]
async fn more_idle_connections_than_there_may_be_by_default_stop_nobody() {
    const MANY: usize = 10_500;
    crate::harness::process::raise_descriptor_limit();
    let (_, limit) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).unwrap();
    if limit < 2 * MANY as u64 - 3000 {
        eprintln!("skipped: needs more descriptors than {limit}");
        return;
    }
    let (supervisor, _) = two_apps(App::new("app", APP), "").await;
    let address = supervisor.address("app").await;
    let mut idle: Vec<_> = (0..MANY).map(|_| Raw::from(GREEDY, address)).collect();
    all_is_well(&supervisor).await;
    let open = idle.iter_mut().filter_map(|connection| (!connection.is_closed()).then_some(())).count();
    assert!(open <= 10_000, "{open}");
}
