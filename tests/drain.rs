//! The end of a supervisor: requests in flight are finished, new ones are refused, and a second signal ends it at once.

use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;

use nano_supervisor::api::client as control;
use nix::sys::signal::Signal;

use crate::harness::{App, Client, Raw, crashes, process};
use crate::{TestSupervisor, until};

/// Answers when another request releases it, whose body ends.
const HELD: &str = "
let release;
const released = new Promise((resolve) => release = resolve);
export default { async fetch(request, env, ctx) {
  switch (new URL(request.url).pathname) {
    case '/release': await request.text(); setTimeout(release, 50); return new Response('released');
    case '/held': await released; return new Response('held');
    case '/background':
      ctx.waitUntil(released.then(() => console.log('background done')));
      return new Response('answered');
    case '/wait': console.log('waits'); return new Promise(() => {});
    case '/spin': console.log('will spin'); await request.text(); for (;;);
    case '/stream': return new Response(new ReadableStream({
      async start(controller) {
        for (let count = 0; count < 5; count++) {
          if (count === 2) await released;
          controller.enqueue(new TextEncoder().encode(`part ${count}\\n`));
        }
        controller.close();
      },
    }));
  }
  return new Response('fine');
} }";

async fn held() -> TestSupervisor {
    // One I/O thread, so that a connection that it has closed tells of all of them.
    TestSupervisor::plan().app(App::new("app", HELD)).set("io_threads = 1").start().await
}

/// Sends the request that releases the others once its body ends. During a drain there are no new connections.
fn release(address: SocketAddr) -> Raw {
    let mut release = Raw::connect(address);
    release.send("POST /release HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n");
    release
}

/// Opens an idle connection. The drain closes it.
fn idle(address: SocketAddr) -> Raw {
    let mut idle = Raw::connect(address);
    idle.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").up_to("fine");
    idle
}

#[tokio::test]
async fn requests_in_flight_are_finished_and_none_is_lost() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut supervisor = held().await;
        let address = supervisor.address("app").await;
        let requests: Vec<_> = (0..20)
            .map(|number| {
                let client = Client::new(address, number % 2 == 0);
                let path = if number % 4 < 2 { "/held" } else { "/stream" };
                tokio::spawn(async move { client.get(path).await.unwrap() })
            })
            .collect();
        let (mut release, mut idle) = (release(address), idle(address));
        supervisor.in_flight("app", 21).await;
        supervisor.signal(signal);
        assert_eq!(idle.rest(), "");
        release.send("x");
        for request in requests {
            let reply = request.await.unwrap();
            assert_eq!(reply.status, 200);
            assert!(
                ["held", "part 0\npart 1\npart 2\npart 3\npart 4\n"].contains(&reply.text()),
                "{}",
                reply.text()
            );
        }
        assert_eq!(supervisor.ended().await.code(), Some(0));
        supervisor.log.record_with("drained").await;
    }
}

#[tokio::test]
async fn connections_that_were_open_already_are_answered_and_new_ones_refused() {
    let mut supervisor = held().await;
    let address = supervisor.address("app").await;
    let mut waiting = Raw::connect(address);
    waiting.send("GET /held HTTP/1.1\r\nhost: x\r\n\r\n");
    let mut idle = idle(address);
    let mut busy = Raw::connect(address);
    busy.send("GET / HTTP/1.1\r\nhost: x\r\n\r\nGET /held HTTP/1.1\r\nhost: x\r\n\r\n").up_to("fine");
    supervisor.in_flight("app", 2).await;
    let worker = supervisor.worker("app").await;
    supervisor.signal(Signal::SIGTERM);
    // Idle connections are closed immediately.
    assert_eq!(idle.rest(), "");
    until("new connections are refused", async || {
        tokio::net::TcpStream::connect(address).await.is_err().then_some(())
    })
    .await;
    assert!(process::is_alive(worker) && process::is_alive(supervisor.pid()));
    // No request can release the waiting ones any more, so the second signal ends them.
    supervisor.signal(Signal::SIGTERM);
    assert_eq!(supervisor.ended().await.code(), Some(128 + 15));
    until("the worker has ended", async || (!process::is_alive(worker)).then_some(())).await;
}

#[tokio::test]
async fn an_answer_during_the_drain_closes_its_connection() {
    let mut supervisor = held().await;
    let address = supervisor.address("app").await;
    let (mut waiting, mut release, mut idle) = (Raw::connect(address), release(address), idle(address));
    waiting.send("GET /held HTTP/1.1\r\nhost: x\r\n\r\n");
    supervisor.in_flight("app", 2).await;
    supervisor.signal(Signal::SIGTERM);
    assert_eq!(idle.rest(), "");
    release.send("x");
    let answer = waiting.rest();
    assert!(answer.contains("\r\nconnection: close\r\n") && answer.ends_with("held"), "{answer}");
    assert_eq!(supervisor.ended().await.code(), Some(0));
}

#[tokio::test]
async fn what_clients_have_yet_to_take_of_complete_answers_is_not_cut() {
    let app = "export default { fetch: (request) => new Response('x'.repeat(new URL(request.url).pathname.slice(1))) }";
    let mut supervisor = TestSupervisor::plan().app(App::new("app", app)).set("io_threads = 1").start().await;
    let address = supervisor.address("app").await;
    // Of some answers the kernel holds everything, of others a part, and the largest are still being sent by the app.
    let mut slow: Vec<_> = (0..20).map(|number| (Raw::narrow(address), number * 16 * 1024)).collect();
    for (connection, length) in &mut slow {
        connection.send(format!("GET /{length} HTTP/1.1\r\nhost: x\r\n\r\n"));
        connection.up_to("\r\n\r\n");
    }
    let mut idle = Raw::connect(address);
    idle.send("GET /1 HTTP/1.1\r\nhost: x\r\n\r\n").up_to("\r\n\r\nx");
    supervisor.signal(Signal::SIGTERM);
    // The idle connection was closed. The others have been quiet for longer but are not idle.
    assert_eq!(idle.rest(), "");
    for (mut connection, length) in slow {
        assert_eq!(connection.rest().len(), length);
    }
    assert_eq!(supervisor.ended().await.code(), Some(0));
}

#[tokio::test]
async fn background_work_is_finished_too() {
    let mut supervisor = held().await;
    let address = supervisor.address("app").await;
    let (mut release, mut idle) = (release(address), idle(address));
    assert_eq!(supervisor.get("app", "/background").await.text(), "answered");
    supervisor.in_flight("app", 1).await;
    supervisor.signal(Signal::SIGTERM);
    assert_eq!(idle.rest(), "");
    release.send("x");
    assert_eq!(supervisor.ended().await.code(), Some(0));
    supervisor.log.record_with("background done").await;
}

#[tokio::test]
async fn what_is_not_finished_by_the_deadline_is_cut() {
    let plan = TestSupervisor::plan().app(App::new("app", HELD)).flags(&["--drain-timeout", "200ms"]);
    let mut supervisor = plan.start().await;
    let mut waiting = Raw::connect(supervisor.address("app").await);
    waiting.send("GET /held HTTP/1.1\r\nhost: x\r\n\r\n");
    supervisor.in_flight("app", 1).await;
    supervisor.signal(Signal::SIGTERM);
    assert_eq!(supervisor.ended().await.code(), Some(0));
    supervisor.log.record_with("drain deadline passed").await;
    let rest = waiting.rest();
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 500 "), "{rest}");
}

#[tokio::test]
async fn a_signal_while_apps_start_ends_at_once() {
    let app = App::new("app", "await new Promise((resolve) => setTimeout(resolve, 1e9)); export default {}");
    let plan = TestSupervisor::plan().app(app.set("start_timeout = '1h'")).set("drain_timeout = '1h'");
    let mut supervisor = plan.launch().await;
    supervisor.signal(Signal::SIGTERM);
    let ended = supervisor.ended().await;
    assert_eq!((ended.code(), ended.signal()), (Some(0), None));
}

#[tokio::test]
async fn the_control_socket_is_gone_afterwards() {
    let mut supervisor = held().await;
    assert!(supervisor.socket().exists());
    supervisor.signal(Signal::SIGTERM);
    assert_eq!(supervisor.ended().await.code(), Some(0));
    assert!(!supervisor.socket().exists());
}

#[tokio::test]
async fn what_ends_a_worker_that_is_told_to_finish_is_named_with_all_that_is_lost() {
    for how in ["stop", "restart", "roll", "SIGTERM"] {
        let app = App::new("app", HELD).set("watchdog = '300ms'");
        let mut supervisor = TestSupervisor::plan().app(app).start().await;
        let client = supervisor.client("app").await;
        let lost = tokio::spawn(async move { client.get("/wait").await.unwrap() });
        // It spins once its body has ended.
        let mut spins = Raw::connect(supervisor.address("app").await);
        spins.send("POST /spin HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 1\r\n\r\n");
        // The worker has begun both: otherwise the next one would get them.
        for begun in ["waits", "will spin"] {
            supervisor.log.line_with(begun).await;
        }
        let socket = supervisor.socket().to_owned();
        let told = match how {
            "SIGTERM" => {
                supervisor.signal(Signal::SIGTERM);
                supervisor.log.record_with("draining").await;
                None
            }
            verb => {
                let path = format!("/v1/apps/app/{verb}");
                let told = tokio::spawn(async move { tell(&socket, &path).await });
                let is_so = if verb == "roll" { "replaces" } else { "worker draining" };
                supervisor.log.line_with(is_so).await;
                Some(told)
            }
        };
        let spun = spins.send("x").rest();
        assert!(spun.starts_with("HTTP/1.1 504 "), "{how}: {spun}");
        assert_eq!(lost.await.unwrap().status, 500, "{how}");
        if let Some(told) = told {
            told.await.unwrap();
            supervisor.until("app", "has crashed", |app| app.crashes == 1).await;
            let all = crashes(&supervisor, "app");
            let [culprit, lost] = [&all[0]["culprit"], &all[0]["requests"][0]];
            assert_eq!(
                (&culprit["target"], &lost["target"]),
                (&"/spin".into(), &"/wait".into()),
                "{how}: {all}"
            );
        } else {
            assert_eq!(supervisor.ended().await.code(), Some(0));
        }
        let ended = supervisor.log.record_with("worker ended").await;
        let named = (&ended["method"], &ended["path"], &ended["lost"]);
        assert_eq!(named, (&"POST".into(), &"/spin".into(), &2.into()), "{how}: {ended}");
    }
}

/// Sends a command to a supervisor.
async fn tell(socket: &std::path::Path, path: &str) {
    let told = control::ask::<serde_json::Value>(socket, hyper::Method::POST, path, None).await;
    assert!(told.is_ok(), "{told:?}");
}
