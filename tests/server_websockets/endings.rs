//! What becomes of WebSockets when their worker ends, their app is stopped, or the supervisor does.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::json;

use super::ECHO;
use crate::harness::talker::{self, TEXT, Talker};
use crate::harness::{App, Raw, crashes, process, run};
use crate::{TestSupervisor, until};

/// Opens a WebSocket that works.
async fn open(supervisor: &TestSupervisor) -> Talker {
    let mut talker = Talker::open(supervisor.address("app").await, "/");
    assert_eq!(talker.send(TEXT, "hello").hears(), "text hello");
    talker
}

fn command(supervisor: &TestSupervisor, arguments: &[&str]) {
    let socket = supervisor.socket().to_str().unwrap();
    let (code, _, errors) = run(supervisor.folder(), &[arguments, &["--control", socket]].concat());
    assert_eq!((code, &*errors), (0, ""));
}

#[tokio::test]
async fn a_worker_that_crashes_closes_its_websockets_and_the_next_one_takes_new_ones() {
    let supervisor = TestSupervisor::with(ECHO).await;
    let mut talkers = [open(&supervisor).await, open(&supervisor).await];
    let worker = supervisor.worker("app").await;
    process::signal(worker, Signal::SIGKILL);
    for talker in &mut talkers {
        assert_eq!(talker.hears(), "close 1012 the app's worker has ended");
        assert_eq!(talker.close(1012, "").hears(), "end");
    }
    supervisor.replaced("app", worker).await;
    open(&supervisor).await;
    // They were idle: no request is suspected.
    assert_eq!(crashes(&supervisor, "app")[0]["requests"], json!([]));
}

#[tokio::test]
async fn a_message_that_ends_the_worker_is_named_in_the_log() {
    let supervisor =
        TestSupervisor::plan().app(App::new("app", ECHO).set("watchdog = '500ms'")).start().await;
    let mut idle = open(&supervisor).await;
    let mut talker = Talker::open(supervisor.address("app").await, "/spinning?secret");
    let worker = supervisor.worker("app").await;
    talker.send(TEXT, "spin");
    assert_eq!(talker.hears(), "close 1012 the app's worker has ended");
    assert_eq!(idle.hears(), "close 1012 the app's worker has ended");
    supervisor.replaced("app", worker).await;
    let line = supervisor.log.line_with("JavaScript ran longer than `watchdog` allows").await;
    assert!(line.contains("/spinning") && !line.contains("secret"), "{line}");
}

#[tokio::test]
async fn a_worker_that_is_replaced_hears_of_the_end_and_then_ends() {
    let supervisor = TestSupervisor::with(ECHO).await;
    let mut talker = open(&supervisor).await;
    let worker = supervisor.worker("app").await;
    let index = supervisor.folder().join("app/index.js");
    fs::write(&index, ECHO.replace("server.send(data);\n  });", "server.send('new ' + data);\n  });"))
        .unwrap();
    command(&supervisor, &["restart", "app"]);
    assert_eq!(talker.hears(), "close 1012 the app's worker has ended");
    assert_eq!(talker.close(1012, "").hears(), "end");
    supervisor.log.line_with("closed 1012 the app's worker has ended true").await;
    until("the old worker has ended", async || (!process::is_alive(worker)).then_some(())).await;
    let mut next = Talker::open(supervisor.address("app").await, "/");
    assert_eq!(next.send(TEXT, "hello").hears(), "text new hello");
}

#[tokio::test]
async fn an_app_that_is_stopped_sends_its_clients_away() {
    let supervisor = TestSupervisor::with(ECHO).await;
    let mut talker = open(&supervisor).await;
    command(&supervisor, &["stop", "app"]);
    assert_eq!(talker.hears(), "close 1012 the app's worker has ended");
    assert_eq!(talker.close(1012, "").hears(), "end");
}

#[tokio::test]
async fn a_supervisor_that_ends_sends_clients_away_and_waits_for_none() {
    let mut supervisor = TestSupervisor::plan().app(App::new("app", ECHO)).start().await;
    let mut talker = open(&supervisor).await;
    let mut silent = open(&supervisor).await;
    supervisor.signal(Signal::SIGTERM);
    for talker in [&mut talker, &mut silent] {
        assert_eq!(talker.hears(), "close 1001 the server is going away");
    }
    talker.close(1001, "");
    drop(silent);
    assert_eq!(supervisor.ended().await.code(), Some(0));
    assert_eq!(talker.hears(), "end");
}

#[tokio::test]
async fn a_websocket_is_one_line_of_the_access_log_when_it_ends() {
    let supervisor = TestSupervisor::plan()
        .set("access_log = true")
        .app(App::new("app", ECHO).set("max_in_flight = 1"))
        .start()
        .await;
    let mut talker = open(&supervisor).await;
    // It is no request in flight.
    assert_eq!(supervisor.get("app", "/plain").await.text(), "plain");
    supervisor.in_flight("app", 0).await;
    let opened = |line: &String| line.contains("\"status\":101");
    assert!(!supervisor.log.lines().iter().any(opened));
    talker.close(1000, "");
    assert_eq!(talker.hears(), "close 1000 ");
    let line = supervisor.log.record_with("\"status\":101").await;
    assert_eq!((&line["bytes"], &line["cut_off"]), (&5.into(), &false.into()), "{line}");
    drop(open(&supervisor).await);
    until("the other one is there", async || {
        let lines: Vec<_> = supervisor.log.lines().into_iter().filter(opened).collect();
        (lines.len() == 2).then(|| assert!(lines[1].contains("\"cut_off\":true"), "{lines:?}"))
    })
    .await;
}

#[tokio::test]
async fn an_app_that_answers_after_its_client_has_gone_hears_of_that() {
    // It answers once the worker has let go of the request, whose head can then be read no more.
    let app = "let held, answer; export default { async fetch(request) {
      if (request.url.endsWith('/answer')) {
        try { held.headers.get('upgrade'); } catch { answer(); return new Response('answered'); }
        return new Response('not yet');
      }
      held = request;
      console.log('held');
      await new Promise((resolve) => answer = resolve);
      const [client, server] = Object.values(new WebSocketPair());
      server.accept();
      server.addEventListener('close', ({ code }) => console.log(`closed ${code}`));
      return new Response(null, { status: 101, webSocket: client });
    } }";
    let supervisor = TestSupervisor::with(app).await;
    let mut raw = Raw::connect(supervisor.address("app").await);
    raw.send(talker::handshake("/", ""));
    supervisor.log.line_with("held").await;
    drop(raw);
    until("the worker has let go of it", async || {
        (supervisor.get("app", "/answer").await.text() == "answered").then_some(())
    })
    .await;
    supervisor.log.line_with("closed 1006").await;
}
