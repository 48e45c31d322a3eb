//! WebSockets that one app opens to another one, here and in workerd, and what becomes of them when either goes wrong.

use std::fmt::Write as _;
use std::net::SocketAddr;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::TestSupervisor;
use crate::admin::metrics;
use crate::deploy::succeed;
use crate::harness::talker::{self, BINARY, TEXT, Talker};
use crate::harness::workerd::Workerd;
use crate::harness::{App, Client, Raw, free_address, process};
use crate::until;

/// Opens WebSockets to `env.OTHER`, or to itself, as the path says, and tells what came of each. `/pass` hands the one of its client on.
const APP: &str = include_str!("websockets/app.js");

/// Takes WebSockets, does what the query says, and tells at `/log` what has happened to each.
const OTHER: &str = include_str!("websockets/other.js");

fn asks(name: &str) -> App {
    App::new(name, APP).set("services = { OTHER = 'other' }")
}

async fn ours(other: App) -> TestSupervisor {
    TestSupervisor::plan().app(asks("app")).app(other).start().await
}

/// Returns what the app that is called has heard of the WebSocket of a story, once that has ended.
async fn log(client: &Client, story: &str) -> Value {
    until(&format!("the WebSocket of {story} has ended"), async || {
        let mut told = client.get(&format!("/log?story={story}")).await.unwrap().json();
        // workerd may report an error when it is over.
        let events = told.as_array_mut().unwrap();
        events.retain(|event| event[0] != "error");
        events.iter().any(|event| event[0] == "close").then_some(told)
    })
    .await
}

#[tokio::test]
async fn a_websocket_to_another_app_behaves_as_on_workers() {
    let Some(theirs) = Workerd::serve_two(APP, OTHER) else { return };
    let supervisor = ours(App::new("other", OTHER)).await;
    let clients = [supervisor.client("app").await, Client::afresh(theirs.address())];
    let names = clients[0].get("/names").await.unwrap().json();
    let mut differ = String::new();
    for name in names.as_array().unwrap() {
        let name = name.as_str().unwrap();
        let [mut ours, mut theirs] = [&clients[0], &clients[1]]
            .map(async |client| {
                let mut told = client.get(&format!("/story/{name}")).await.unwrap().json();
                if told["logged"] == true {
                    told["log"] = log(client, name).await;
                }
                told["seen"].as_array_mut().expect("what was seen").retain(|event| event[0] != "error");
                told
            })
            .map(Box::pin);
        let (ours, theirs) = (ours.as_mut().await, theirs.as_mut().await);
        assert!(!theirs["seen"].as_array().unwrap().is_empty(), "{name}");
        if ours != theirs {
            let _ = writeln!(differ, "{name}\n  ours   {ours}\n  theirs {theirs}");
        }
    }
    assert!(names.as_array().unwrap().len() > 20);
    assert!(differ.is_empty(), "{differ}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_of_a_client_is_passed_on_to_another_app_as_on_workers() {
    let Some(theirs) = Workerd::serve_two(APP, OTHER) else { return };
    let supervisor = ours(App::new("other", OTHER)).await;
    for (number, address) in [supervisor.address("app").await, theirs.address()].into_iter().enumerate() {
        let client = Client::afresh(address);
        for path in ["/pass", "/anew"] {
            let story = format!("{}{number}", &path[1..]);
            let mut talker = Talker::open(address, &format!("{path}?how=echo&story={story}"));
            let head = talker.head.to_lowercase();
            assert_eq!(head.contains("x-own: 1"), path == "/pass", "{head}");
            assert_eq!(talker.send(TEXT, "a").hears(), "text a", "{path}");
            let long = vec![7; 900_000];
            assert!(talker.send(BINARY, &long).message() == Some((2, long)), "{path}");
            assert_eq!(talker.close(3000, "bye").hears(), "close 3000 bye", "{path}");
            let logged = log(&client, &story).await;
            assert_eq!(logged, json!([["text", "a"], ["bytes", 900_000], ["close", 3000, "bye", true]]));
            let mut talker = Talker::open(address, &format!("{path}?how=echo&story={story}"));
            assert_eq!(talker.send(TEXT, "close [4001,\"of the app\"]").hears(), "close 4001 of the app");
        }
        // What is sent before anybody listens is not lost.
        let mut talker = Talker::open(address, "/pass?how=greet&story=greeted");
        assert_eq!([talker.hears(), talker.hears()], ["text welcome", "binary [1, 2, 3]"]);
        assert_eq!(talker.hears(), "close 4001 enough");
        // An app that refuses is passed on as well.
        let mut raw = Raw::connect(address);
        let head = raw.send(talker::handshake("/pass?how=refuse", "")).up_to("\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    }
}

/// Returns how many WebSockets an app has opened, by what it says.
fn opened(told: &str) -> usize {
    let (_, count) = told.split_once("\"101\":").expect("some");
    count.split([',', '}']).next().expect("a number").parse().expect("a number")
}

/// Asks the app at this address to hold WebSockets to the other one.
fn hold(address: SocketAddr, query: &str) -> Raw {
    let mut raw = Raw::connect(address);
    raw.send(format!("GET /hold?{query} HTTP/1.1\r\nhost: a\r\n\r\n"));
    raw
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_either_worker_is_heard_by_the_other_app() {
    let supervisor = ours(App::new("other", OTHER)).await;
    let (address, client) = (supervisor.address("app").await, supervisor.client("app").await);
    let ends = "[1012,\"the app's worker has ended\"]";
    for is_crash in [true, false] {
        let mut held = hold(address, "how=echo&many=2&say=hello");
        let mut passed = Talker::open(address, "/pass?how=echo");
        assert_eq!(passed.send(TEXT, "a").hears(), "text a");
        for _ in 0..2 {
            held.up_to("\"hello\"");
        }
        let worker = supervisor.worker("other").await;
        if is_crash {
            process::signal(worker, Signal::SIGKILL);
        } else {
            succeed(&supervisor, &["restart", "other"]);
        }
        for _ in 0..2 {
            held.up_to(ends);
        }
        assert_eq!(passed.hears(), "close 1012 the app's worker has ended");
        supervisor.replaced("other", worker).await;
    }
    let other = supervisor.worker("other").await;
    // The one that has opened them is replaced, and its client's WebSocket with it.
    let app = supervisor.worker("app").await;
    let mut passed = Talker::open(address, "/pass?how=echo&story=replaced");
    assert_eq!(passed.send(TEXT, "a").hears(), "text a");
    succeed(&supervisor, &["restart", "app"]);
    assert_eq!(passed.hears(), "close 1012 the app's worker has ended");
    assert_eq!(passed.close(1012, "").hears(), "end");
    supervisor.replaced("app", app).await;
    let expected = json!([["text", "a"], ["close", 1012, "the app's worker has ended", true]]);
    assert_eq!(log(&client, "replaced").await, expected);
    // It crashes.
    let app = supervisor.worker("app").await;
    let mut held = hold(address, "how=echo&many=1&say=hello&story=crashed");
    held.up_to("\"hello\"");
    process::signal(app, Signal::SIGKILL);
    supervisor.replaced("app", app).await;
    let gone = "WebSocket disconnected without sending Close frame.";
    assert_eq!(log(&client, "crashed").await, json!([["text", "hello"], ["close", 1006, gone, false]]));
    assert_eq!(supervisor.worker("other").await, other);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_read_is_held_up_and_then_ends_and_nobody_else_notices() {
    let other = App::new("other", OTHER)
        .set("max_websocket_buffered = '1MiB'")
        .set("max_websocket_message = '64KiB'");
    let supervisor = ours(other).await;
    let (address, client) = (supervisor.address("app").await, supervisor.client("app").await);
    let workers = [supervisor.worker("app").await, supervisor.worker("other").await];
    let before = process::peak_rss(supervisor.pid());
    // The app that is called sends more than is taken.
    let mut unread = hold(address, "how=flood&many=1&unread&story=flooding");
    unread.up_to("{\"101\":1}");
    supervisor.log.line_with("its client does not take what is sent to it").await;
    // The app that has called sends more than is taken.
    let mut flooding = hold(address, "how=never&many=1&flood=1400");
    flooding.up_to("[1006,");
    let grown = process::peak_rss(supervisor.pid()) - before;
    assert!(grown < 24 << 20, "{grown}");
    assert_eq!(client.get("/").await.unwrap().text(), "fine");
    let mut passed = Talker::open(address, "/pass?how=echo");
    assert_eq!(passed.send(TEXT, "a").hears(), "text a");
    assert_eq!(workers, [supervisor.worker("app").await, supervisor.worker("other").await]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_as_long_as_the_app_that_is_called_allows() {
    let supervisor = ours(App::new("other", OTHER).set("max_websocket_message = '60KiB'")).await;
    let mut held = hold(supervisor.address("app").await, "how=echo&many=1&flood=2");
    held.up_to("[1009,\"message too long\"]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_as_long_as_the_app_that_asks_allows() {
    let app = asks("app").set("max_websocket_message = '60KiB'");
    let supervisor = TestSupervisor::plan().app(app).app(App::new("other", OTHER)).start().await;
    let (address, client) = (supervisor.address("app").await, supervisor.client("app").await);
    let _held = hold(address, "how=flood&many=1&story=long");
    assert_eq!(log(&client, "long").await, json!([["close", 1009, "message too long", true]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_as_many_as_the_app_that_is_called_allows_and_each_caller_has_its_share() {
    let admin = free_address();
    let supervisor = TestSupervisor::plan()
        .set(&format!("admin = '{admin}'"))
        .set("io_threads = 1")
        .app(asks("app"))
        .app(asks("second"))
        .app(App::new("small", APP).set("services = { OTHER = 'few' }"))
        .app(App::new("few", OTHER).set("max_websockets = 40"))
        .app(App::new("other", OTHER))
        .start()
        .await;
    let [app, second, small] = [
        supervisor.address("app").await,
        supervisor.address("second").await,
        supervisor.address("small").await,
    ];
    // Of the last quarter, one caller has little.
    let mut few = hold(small, "how=echo&many=60");
    let told = few.up_to("}");
    let taken = opened(&told);
    assert!((30..40).contains(&taken), "{told}");
    assert!(told.contains(&format!("\"503\":{}", 60 - taken)), "{told}");
    // A worker has 1024 streams at once, one of which keeps its connection open.
    let mut many = hold(app, "how=echo&many=1030&say=hello");
    let told = many.up_to("}");
    let taken = opened(&told);
    assert_eq!(taken, 1023, "{told}");
    assert!(told.contains("fetches from bindings are open already"), "{told}");
    for _ in 0..taken {
        many.up_to("\"hello\"");
    }
    let mut neighbour = Talker::open(second, "/pass?how=echo");
    assert_eq!(neighbour.send(TEXT, "a").hears(), "text a");
    let admin = Client::afresh(admin);
    let open = async |app: &str| metrics(&admin).await[&*format!("nano_websockets{{app=\"{app}\"}}")];
    until("all are counted", async || (open("other").await == taken as f64 + 1.0).then_some(())).await;
    drop((few, many));
    until("those of clients that have gone have ended", async || (open("other").await == 1.0).then_some(()))
        .await;
    until("all have ended", async || (open("few").await == 0.0).then_some(())).await;
    assert_eq!(neighbour.send(TEXT, "b").hears(), "text b");
    hold(app, "how=echo&many=1&say=hello").up_to("\"hello\"");
}
