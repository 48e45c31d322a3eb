//! HTTP/2, frame by frame: streams that their client does not read, heads that do not end, and frames that request and
//! carry nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::sys::signal::Signal;

use super::{APP, GET, GREEDY, all_is_well, two_apps};
use crate::admin::metrics;
use crate::harness::{App, Raw};
use crate::until;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

/// An HTTP/2 client that sends only what a test tells it to. The pair is how many bytes it may send before they are
/// read: on each stream, and in total on the connection so far.
#[derive(Debug)]
pub(super) struct Http2(Raw, pub(super) (u32, u32));

/// The windows of a client that was told no others (RFC 9113, 6.9.2).
pub(super) const INITIAL: (u32, u32) = (65_535, 65_535);

/// A frame: kind, flags, stream, payload.
type Frame = (u8, u8, u32, Vec<u8>);

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Returns the head of a GET request in HPACK without compression. The path must be short.
fn get(path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    [&[0x82, 0x86, 0x41, 1, b'x', 0x04, length][..], path.as_bytes()].concat()
}

/// Returns the same head with POST as its method.
pub(super) fn post(path: &str) -> Vec<u8> {
    let mut head = get(path);
    head[0] = 0x83;
    head
}

impl Http2 {
    /// Connects, and announces `window` as the initial window of each stream, unless the default is to apply.
    pub(super) fn connect(source: [u8; 4], address: SocketAddr, window: Option<u32>) -> Self {
        let mut connection = Raw::from(source, address);
        connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        let window = window.map(|window| [&[0, 4][..], &window.to_be_bytes()].concat());
        connection.send(frame(SETTINGS, 0, 0, &window.unwrap_or_default()));
        Self(connection, INITIAL)
    }

    pub(super) fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.0.send(frame(kind, flags, stream, payload));
    }

    fn get(&mut self, stream: u32, path: &str) {
        self.send(HEADERS, 0x5, stream, &get(path));
    }

    /// Sends a request, and at the same time for how many bytes of its answer there is room.
    fn get_and_take(&mut self, stream: u32, path: &str, bytes: u32) {
        let request = frame(HEADERS, 0x5, stream, &get(path));
        self.0.send([request, frame(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes())].concat());
    }

    /// Sends the beginning of a head, which is not complete.
    pub(super) fn half_a_head(&mut self, stream: u32) {
        self.send(HEADERS, 0x1, stream, &get("/"));
    }

    fn take(&mut self, stream: u32, bytes: u32) {
        self.send(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes());
    }

    pub(super) fn next(&mut self) -> Frame {
        self.try_next().expect("a frame")
    }

    /// Reads the next frame. Returns `None` if the connection has ended.
    fn try_next(&mut self) -> Option<Frame> {
        let header = self.0.try_exactly(9)?;
        let payload = self.0.try_exactly(number(&header[..3]) as usize)?;
        let frame = (header[3], header[4], number(&header[5..]), payload);
        match &frame {
            (WINDOW_UPDATE, _, 0, more) => self.1.1 += number(more),
            (SETTINGS, 0, _, settings) => {
                for setting in settings.chunks(6).filter(|setting| setting[..2] == [0, 4]) {
                    self.1.0 = number(&setting[2..]);
                }
                self.0.try_send(self::frame(SETTINGS, 0x1, 0, &[]));
            }
            _ => {}
        }
        Some(frame)
    }

    /// Reads the rest of a body.
    pub(super) fn body(&mut self, stream: u32) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let (_, flags, of, part) = self.next_of(DATA);
            if of == stream {
                body.extend(part);
                if flags & 0x1 != 0 {
                    return body;
                }
            }
        }
    }

    /// Reads up to the next frame of a kind.
    pub(super) fn next_of(&mut self, kind: u8) -> Frame {
        loop {
            let frame = self.next();
            if frame.0 == kind {
                return frame;
            }
        }
    }
}

pub(super) fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[tokio::test]
async fn what_a_connection_speaks_is_known_however_its_first_bytes_are_cut() {
    let (supervisor, admin) = two_apps(App::new("app", APP), "").await;
    let address = supervisor.address("app").await;
    for (begun, rest) in
        [("P", "OST / HTTP/1.1\r\nhost: x\r\n\r\n"), ("PRI * HT", "TP/2.0\r\n\r\nSM\r\n\r\n")]
    {
        let mut connection = Raw::from(GREEDY, address);
        for byte in begun.bytes() {
            connection.send([byte]);
        }
        until("it has been read", async || {
            (metrics(&admin).await["nano_heads_bytes"] == begun.len() as f64).then_some(())
        })
        .await;
        connection.send(rest);
        if begun == "P" {
            connection.up_to("hello from app");
        } else {
            connection.send(frame(SETTINGS, 0, 0, &[]));
            let mut client = Http2(connection, INITIAL);
            client.get(1, "/");
            assert_eq!(client.body(1), b"hello from app");
        }
    }
}

#[tokio::test]
async fn a_stream_that_its_client_does_not_take_is_reset_alone() {
    let (supervisor, admin) = two_apps(App::new("app", APP), "send_timeout = '1s'").await;
    let address = supervisor.address("app").await;
    let mut client = Http2::connect(GREEDY, address, Some(0));
    // A stream that waits for its app is not waiting for its client.
    client.get(1, "/never");
    for stream in [3, 5, 7, 9] {
        client.get(stream, "/");
    }
    client.send(PING, 0, 0, b"01234567");
    let mut reset: Vec<_> = (0..4).map(|_| client.next_of(RST_STREAM).2).collect();
    reset.sort_unstable();
    assert_eq!(reset, [3, 5, 7, 9]);
    supervisor.in_flight("app", 1).await;
    // The connection still works.
    client.get_and_take(11, "/", 1000);
    let (_, _, stream, body) = client.next_of(DATA);
    assert_eq!((stream, &*body), (11, &b"hello from app"[..]));
    all_is_well(&supervisor).await;
    assert_eq!(metrics(&admin).await["nano_streams_reset_total"], 4.0);
}

#[tokio::test]
async fn a_stream_that_its_client_takes_too_slowly_is_reset_and_one_that_is_fast_enough_is_not() {
    let endless = "const part = new Uint8Array(10_000);
      export default { fetch: () => new Response(new ReadableStream({ pull(controller) { controller.enqueue(part); } })) }";
    let app = App::new("app", endless).set("min_rate = '100KiB'");
    let (supervisor, _) = two_apps(app, "send_timeout = '4s'").await;
    let mut client = Http2::connect(GREEDY, supervisor.address("app").await, Some(0));
    client.take(0, 1 << 30);
    for stream in [1, 3] {
        client.get(stream, "/");
    }
    supervisor.in_flight("app", 2).await;
    let mut taking = Http2(client.0.also(), INITIAL);
    let is_over = Arc::new(AtomicBool::new(false));
    let seen = is_over.clone();
    let taker = thread::spawn(move || {
        // The client takes bytes of both streams all the time, but far too few of the first.
        while !seen.load(Ordering::Relaxed) {
            taking.take(1, 100);
            taking.take(3, 50_000);
            thread::sleep(std::time::Duration::from_millis(50));
        }
    });
    assert_eq!(client.next_of(RST_STREAM).2, 1);
    supervisor.in_flight("app", 1).await;
    // The other stream still gets data.
    while client.next_of(DATA).2 != 3 {}
    client.send(RST_STREAM, 0, 3, &8u32.to_be_bytes());
    supervisor.in_flight("app", 0).await;
    is_over.store(true, Ordering::Relaxed);
    taker.join().unwrap();
    drop(client);
}

#[tokio::test]
async fn a_stream_whose_last_part_its_client_does_not_take_is_reset_as_well() {
    let (supervisor, admin) = two_apps(App::new("app", APP), "send_timeout = '1s'").await;
    let mut client = Http2::connect(GREEDY, supervisor.address("app").await, Some(1));
    // The app answers, and the client's windows have room for the first byte only.
    for stream in [1, 3] {
        client.get(stream, "/");
    }
    let mut reset = [client.next_of(RST_STREAM).2, client.next_of(RST_STREAM).2];
    reset.sort_unstable();
    assert_eq!(reset, [1, 3]);
    supervisor.in_flight("app", 0).await;
    assert_eq!(metrics(&admin).await["nano_streams_reset_total"], 2.0);
    // The connection still works.
    client.get_and_take(5, "/", 1000);
    assert_eq!(client.body(5), b"hello from app");
}

#[tokio::test]
async fn what_a_client_has_yet_to_take_of_a_complete_answer_is_not_cut_by_the_end() {
    let (mut supervisor, _) = two_apps(App::new("app", APP), "drain_timeout = '1h'").await;
    let address = supervisor.address("app").await;
    let mut client = Http2::connect(GREEDY, address, Some(1));
    client.get(1, "/");
    let first = client.next_of(DATA).3;
    let mut idle = Raw::connect(address);
    idle.send(GET).up_to("hello from app");
    supervisor.signal(Signal::SIGTERM);
    // If the other connection counted as idle, it would have been closed by now, too: it has been quiet for longer.
    assert_eq!(idle.rest(), "");
    client.take(1, 1000);
    assert_eq!([first, client.body(1)].concat(), b"hello from app");
    assert_eq!(supervisor.ended().await.code(), Some(0));
}

#[tokio::test]
async fn one_connection_with_many_streams_leaves_room_for_others() {
    let (supervisor, _) = two_apps(App::new("app", APP).set("max_in_flight = 8"), "").await;
    let mut client = Http2::connect(GREEDY, supervisor.address("app").await, None);
    for stream in 0..20 {
        client.get(2 * stream + 1, "/never");
    }
    supervisor.in_flight("app", 6).await;
    let mut refused: Vec<_> = (0..14).map(|_| client.next_of(HEADERS).2).collect();
    refused.sort_unstable();
    assert_eq!(refused.len(), 14);
    all_is_well(&supervisor).await;
}

#[tokio::test]
async fn a_head_that_does_not_end_has_its_time_and_frames_between_do_not_prolong_it() {
    let (supervisor, admin) = two_apps(App::new("app", APP), "header_read_timeout = '2500ms'").await;
    let address = supervisor.address("app").await;
    let mut client = Http2::connect(GREEDY, address, None);
    client.half_a_head(1);
    let mut sending = client.0.also();
    let sender = thread::spawn(move || {
        for byte in frame(CONTINUATION, 0, 1, &[0x82; 10_000]) {
            if !sending.try_send([byte]) {
                return;
            }
            thread::sleep(std::time::Duration::from_millis(50));
        }
    });
    client.0.rest();
    let _ = sender.join();
    all_is_well(&supervisor).await;
    until("it is counted", async || {
        (metrics(&admin).await["nano_connections_ended_total{why=\"head\"}"] == 1.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_frames_that_ask_for_nothing_ends_its_connection() {
    let (supervisor, admin) = two_apps(App::new("app", APP), "").await;
    let address = supervisor.address("app").await;
    let floods = [
        frame(PING, 0, 0, b"01234567"),
        frame(SETTINGS, 0, 0, &[]),
        frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
        // PRIORITY, and a frame of an unknown kind.
        frame(2, 0, 1, &[0, 0, 0, 0, 1]),
        frame(0xaa, 0, 0, &[]),
    ];
    let count = floods.len();
    for flood in floods {
        let mut client = Http2::connect(GREEDY, address, None);
        let (mut sending, many) = (client.0.also(), flood.repeat(1000));
        let sender = thread::spawn(move || while sending.try_send(&many) {});
        all_is_well(&supervisor).await;
        client.0.rest();
        drop(client);
        let _ = sender.join();
    }
    all_is_well(&supervisor).await;
    until("every connection is counted", async || {
        (metrics(&admin).await["nano_connections_ended_total{why=\"flood\"}"] == count as f64).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_client_that_spreads_such_frames_over_many_connections_is_held_up_and_nobody_else_is() {
    const EACH: usize = 8000;
    let (supervisor, admin) = two_apps(App::new("app", APP), "").await;
    let address = supervisor.address("app").await;
    let ping = frame(PING, 0, 0, b"01234567");
    // So many that they are too many also where it takes seconds to read them: every second forgives 4000 frames.
    let mut clients: Vec<_> = (0..14).map(|_| Http2::connect(GREEDY, address, None)).collect();
    for client in &mut clients {
        client.0.send(ping.repeat(EACH));
    }
    until("it is held up", async || {
        all_is_well(&supervisor).await;
        (metrics(&admin).await["nano_clients_held_up_total"] >= 1.0).then_some(())
    })
    .await;
    // Every PING is answered.
    for client in &mut clients {
        (0..EACH).for_each(|_| drop(client.next_of(PING)));
    }
    assert_eq!(metrics(&admin).await["nano_connections_ended_total{why=\"flood\"}"], 0.0);
}

#[tokio::test]
async fn requests_that_are_given_up_again_and_again_end_their_connection() {
    const ROUNDS: u32 = 1000;
    const AT_ONCE: u32 = 20;
    let (supervisor, admin) = two_apps(App::new("app", APP), "").await;
    let mut client = Http2::connect(GREEDY, supervisor.address("app").await, None);
    // Each request is in flight when the client cancels it. If the client does not wait for that, h2 itself ends the
    // connection.
    let mut lasts = |round| {
        let streams = (AT_ONCE * round..AT_ONCE * (round + 1)).map(|number| 2 * number + 1);
        let mut requests =
            streams.clone().map(|stream| frame(HEADERS, 0x5, stream, &get("/never"))).collect::<Vec<_>>();
        requests.push(frame(PING, 0, 0, b"01234567"));
        if !client.0.try_send(requests.concat()) {
            return false;
        }
        loop {
            match client.try_next() {
                Some((PING, ..)) => break,
                Some((GOAWAY, ..)) | None => return false,
                Some(_) => {}
            }
        }
        let given_up = streams.map(|stream| frame(RST_STREAM, 0, stream, &8u32.to_be_bytes()));
        client.0.try_send(given_up.collect::<Vec<_>>().concat())
    };
    let rounds = (0..ROUNDS).take_while(|round| lasts(*round)).count();
    assert!(rounds < ROUNDS as usize, "all were taken");
    drop(client);
    until("it is counted", async || {
        (metrics(&admin).await["nano_connections_ended_total{why=\"flood\"}"] == 1.0).then_some(())
    })
    .await;
    all_is_well(&supervisor).await;
    supervisor.in_flight("app", 0).await;
}
