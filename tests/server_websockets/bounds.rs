//! How many WebSockets there may be, how long messages may be, how much may wait, and how long a client may say nothing.

use super::ECHO;
use crate::admin::metrics;
use crate::harness::talker::{self, BINARY, CLOSE, PONG, TEXT, Talker};
use crate::harness::{App, Client, Raw, free_address, process};
use crate::{TestSupervisor, until};

#[tokio::test]
async fn no_more_are_opened_than_an_app_may_have() {
    let admin = free_address();
    let supervisor = TestSupervisor::plan()
        .set(&format!("admin = '{admin}'"))
        .app(App::new("app", ECHO).set("max_websockets = 2"))
        .start()
        .await;
    let (address, admin) = (supervisor.address("app").await, Client::afresh(admin));
    let mut first = Talker::open(address, "/");
    let _second = Talker::open(address, "/");
    let refused = || Raw::connect(address).send(talker::handshake("/", "")).up_to("\r\n\r\n");
    let head = refused();
    assert!(head.starts_with("HTTP/1.1 503") && head.contains("retry-after: 1"), "{head}");
    let now = metrics(&admin).await;
    let of_app = |name: &str| now[&format!("{name}{{app=\"app\"}}")];
    assert_eq!((of_app("nano_websockets"), of_app("nano_websockets_limit")), (2.0, 2.0));
    assert_eq!(now["nano_limit_broken_total{app=\"app\",limit=\"max_websockets\"}"], 1.0);
    assert_eq!(now["nano_refusals_total{app=\"app\",code=\"too_many_websockets\"}"], 1.0);
    // Other requests are answered.
    assert_eq!(supervisor.get("app", "/").await.text(), "plain");
    first.send(TEXT, "a").hears();
    until("its message is counted both ways", async || {
        let now = metrics(&admin).await;
        let name = |way| format!("nano_websocket_messages_total{{app=\"app\",direction=\"{way}\"}}");
        ["in", "out"].map(|way| now[&name(way)]).iter().all(|count| *count == 1.0).then_some(())
    })
    .await;
    first.close(1000, "");
    assert_eq!((first.hears(), first.hears()), ("close 1000 ".to_owned(), "end".to_owned()));
    until("there is room for another one", async || {
        let head = refused();
        head.starts_with("HTTP/1.1 101").then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_app_that_may_have_none_refuses_all() {
    let supervisor =
        TestSupervisor::plan().app(App::new("app", ECHO).set("max_websockets = 0")).start().await;
    let mut raw = Raw::connect(supervisor.address("app").await);
    assert!(raw.send(talker::handshake("/", "")).up_to("\r\n").starts_with("HTTP/1.1 503"));
}

#[tokio::test]
async fn a_message_may_be_as_long_as_the_limit_and_no_longer() {
    let supervisor = TestSupervisor::plan()
        .app(App::new("app", ECHO).set("max_websocket_message = '100KiB'"))
        .start()
        .await;
    let address = supervisor.address("app").await;
    let longest = vec![7; 100 * 1024];
    let mut talker = Talker::open(address, "/");
    assert_eq!(talker.send(BINARY, &longest).message(), Some((2, longest.clone())));
    talker.send(0x02, &longest);
    assert_eq!(talker.send(0x80, "x").hears(), "close 1009 message too long");
    supervisor.log.line_with("failed Uncaught Error: message too long").await;
    // It is refused before all of it has arrived.
    let mut raw = Talker::open(address, "/").raw;
    let frame = talker::frame(BINARY, &vec![7; 200 * 1024]);
    raw.send(&frame[..frame.len() / 2 + 4096]);
    let mut talker = Talker { raw, head: String::new() };
    assert_eq!(talker.hears(), "close 1009 message too long");
}

#[tokio::test]
async fn messages_of_32_mib_go_both_ways_by_default() {
    let app = App::new("app", ECHO).set("websocket_ping = false");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let mut talker = Talker::open(supervisor.address("app").await, "/");
    let message: Vec<u8> = (0..32 << 20).map(|number| (number % 251) as u8).collect();
    let frame = talker::frame(BINARY, &message);
    let mut sender = talker.raw.also();
    let sending = std::thread::spawn(move || _ = sender.send(frame));
    assert!(talker.message() == Some((2, message)));
    sending.join().unwrap();
}

#[tokio::test]
async fn a_silent_client_is_pinged_and_one_that_does_not_answer_is_gone() {
    let app = App::new("app", ECHO).set("websocket_ping = '250ms'\nwebsocket_timeout = '3s'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let mut talker = Talker::open(supervisor.address("app").await, "/");
    // For longer than the client may be silent.
    for _ in 0..16 {
        assert_eq!(talker.hears(), "ping ");
        talker.send(PONG, "");
    }
    assert_eq!(talker.send(TEXT, "here").hears(), "text here");
    let mut heard = Vec::new();
    while let Some((opcode, _)) = talker.message() {
        heard.push(opcode);
    }
    assert!(!heard.is_empty() && heard.iter().all(|opcode| *opcode == 9), "{heard:?}");
    supervisor.log.line_with("closed 1006 WebSocket disconnected without sending Close frame. false").await;
}

/// Sends as much as is asked for, and says how much waits.
const FLOOD: &str = r"export default { async fetch(request) {
  if (request.headers.get('upgrade') !== 'websocket') return Response.json([globalThis.last.bufferedAmount, globalThis.last.readyState]);
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  globalThis.last = server;
  const piece = new Uint8Array(1 << 20);
  server.addEventListener('message', ({ data }) => { for (let i = 0; i < Number(data); i++) server.send(piece); });
  server.addEventListener('close', ({ code }) => console.log(`closed ${code}`));
  return new Response(null, { status: 101, webSocket: client });
} }";

#[tokio::test]
async fn a_client_that_does_not_read_holds_no_more_than_it_may() {
    let app = App::new("app", FLOOD)
        .set("max_websocket_message = '8MiB'\nmax_websocket_buffered = '8MiB'\nmax_buffered = '1MiB'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let address = supervisor.address("app").await;
    let mut slow = Talker::over(Raw::narrow(address), "/", "");
    let before = process::peak_rss(supervisor.pid());
    slow.send(TEXT, "7");
    let waits = async || {
        let [buffered, state]: [u64; 2] =
            serde_json::from_str(supervisor.get("app", "/").await.text()).unwrap();
        (buffered > 4 << 20).then_some(state)
    };
    assert_eq!(until("the messages wait in the worker", waits).await, 1);
    let after = process::peak_rss(supervisor.pid());
    assert!(after < before + (4 << 20), "{before} {after}");
    // All of it comes in the end.
    for _ in 0..7 {
        assert_eq!(slow.message().map(|(_, contents)| contents.len()), Some(1 << 20));
    }
    let mut fast = Talker::open(address, "/");
    slow.send(TEXT, "20");
    supervisor.log.line_with("its client does not take what is sent to it (`max_websocket_buffered`)").await;
    supervisor.log.line_with("closed 1006").await;
    assert_eq!(slow.closing_code(), Some(1011));
    // Only the one that holds most is closed.
    assert!(fast.send(TEXT, "1").message().is_some());
}

#[tokio::test]
async fn messages_that_are_not_complete_hold_no_more_than_they_may() {
    let app = App::new("app", ECHO).set("max_websocket_message = '1MiB'\nmax_websocket_buffered = '1MiB'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let address = supervisor.address("app").await;
    let mut talkers: Vec<_> = (0..4).map(|_| Talker::open(address, "/")).collect();
    let begun = vec![7; 300 * 1024];
    for talker in &mut talkers {
        talker.send(0x02, &begun);
    }
    supervisor.log.line_with("too many messages wait (`max_websocket_buffered`)").await;
    let (mut closed, mut fine) = (0, 0);
    for talker in &mut talkers {
        // One after another, so that there is room for what comes back.
        let _ = talker.raw.try_send(talker::frame(0x80, b"x"));
        match talker.message() {
            Some((2, contents)) => {
                assert_eq!(contents.len(), begun.len() + 1);
                fine += 1;
            }
            other => {
                assert_eq!(
                    other.map(|(opcode, contents)| (opcode, contents[..2].to_vec())),
                    Some((8, vec![3, 245]))
                );
                closed += 1;
            }
        }
    }
    assert_eq!((closed, fine), (1, 3));
}

#[tokio::test]
async fn each_message_has_all_of_the_cpu_time_and_no_more() {
    // Not ended by the watchdog, however long the machine takes for it.
    let app = App::new("app", ECHO).set("cpu_time = '400ms'\nwatchdog = '1m'\nhung_timeout = '2m'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let mut talker = Talker::open(supervisor.address("app").await, "/working");
    for _ in 0..8 {
        assert_eq!(talker.send(TEXT, "work 100").hears(), "text done");
    }
    let worker = supervisor.worker("app").await;
    talker.send(TEXT, "spin");
    assert_eq!(talker.hears(), "close 1012 the app's worker has ended");
    supervisor.replaced("app", worker).await;
    let line = supervisor.log.line_with("more CPU time than `cpu_time` allows").await;
    assert!(line.contains("/working"), "{line}");
}

#[tokio::test]
async fn a_worker_that_does_not_read_holds_up_its_client() {
    // It takes no messages until it is told to.
    let app = "let held; export default { fetch(request) {
      if (request.url.endsWith('/accept')) { held.accept(); return new Response('accepted'); }
      const { 0: client, 1: server } = new WebSocketPair();
      held = server;
      server.binaryType = 'arraybuffer';
      server.addEventListener('message', ({ data }) => { if (typeof data === 'string') server.send(data); });
      return new Response(null, { status: 101, webSocket: client });
    } }";
    let admin = free_address();
    let plan = TestSupervisor::plan().set(&format!("admin = '{admin}'"));
    let supervisor = plan.app(App::new("app", app).set("websocket_ping = false")).start().await;
    let address = supervisor.address("app").await;
    let mut talker = Talker::open(address, "/");
    let mut sender = talker.raw.also();
    let sending = std::thread::spawn(move || {
        let frame = talker::frame(BINARY, &[7; 65_536]);
        for _ in 0..256 {
            sender.send(&frame);
        }
        sender.send(talker::frame(TEXT, b"last"));
    });
    let admin = Client::afresh(admin);
    until("the client has to wait", async || {
        (metrics(&admin).await["nano_credit_stalls_total{app=\"app\"}"] > 0.0).then_some(())
    })
    .await;
    // The kernel and the window of the stream hold a part of the 16 MiB.
    assert!(!sending.is_finished());
    assert_eq!(supervisor.get("app", "/accept").await.text(), "accepted");
    assert_eq!(talker.hears(), "text last");
    sending.join().unwrap();
    assert_eq!(talker.send(CLOSE, "").hears(), "close");
}

#[tokio::test]
async fn a_client_that_goes_while_nothing_is_read_from_it_leaves_its_place() {
    let app = "export default { fetch() {
      return new Response(null, { status: 101, webSocket: new WebSocketPair()[0] });
    } }";
    let admin = free_address();
    let app = App::new("app", app).set("websocket_ping = '50ms'\nwebsocket_timeout = '200ms'");
    let supervisor = TestSupervisor::plan().set(&format!("admin = '{admin}'")).app(app).start().await;
    // It sends all of it at once, since it would count as silent if it paused.
    let mut raw = Raw::connect(supervisor.address("app").await);
    let mut sent = talker::handshake("/", "").into_bytes();
    (0..4).for_each(|_| sent.extend(talker::frame(BINARY, &[7; 65_536])));
    let head = raw.send(sent).up_to("\r\n\r\n");
    let mut talker = Talker { raw, head };
    let admin = Client::afresh(admin);
    until("the client has to wait", async || {
        (metrics(&admin).await["nano_credit_stalls_total{app=\"app\"}"] > 0.0).then_some(())
    })
    .await;
    // It does not count as silent.
    for _ in 0..4 {
        assert_eq!(talker.hears(), "ping ");
    }
    drop(talker);
    until("its place is free", async || {
        (metrics(&admin).await["nano_websockets{app=\"app\"}"] == 0.0).then_some(())
    })
    .await;
}
