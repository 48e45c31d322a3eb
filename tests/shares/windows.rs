//! How much HTTP/2 clients may send before it is read.

use super::streams::{DATA, GOAWAY, HEADERS, Http2, INITIAL, PING, RST_STREAM, WINDOW_UPDATE, number, post};
use super::{APP, GREEDY, all_is_well, two_apps};
use crate::admin::metrics;
use crate::harness::App;

/// Returns the head of a POST request that announces the length of its body.
fn post_of(path: &str, length: usize) -> Vec<u8> {
    let length = length.to_string();
    [&post(path)[..], &[0x0f, 0x0d, u8::try_from(length.len()).unwrap()], length.as_bytes()].concat()
}

/// Returns the windows that the client was told so far: that of each stream, and the total of the connection.
fn windows(client: &mut Http2) -> (u32, u32) {
    // Windows that the supervisor announces when the first PING arrives are sent before it answers the second.
    for _ in 0..2 {
        client.send(PING, 0, 0, b"01234567");
        client.next_of(PING);
    }
    client.1
}

/// Sends a body of zeros as the windows allow. `before` is how many bytes were sent on other streams of the connection
/// before.
fn upload(client: &mut Http2, stream: u32, length: u32, before: u32) {
    const PART: u32 = 10_000;
    let (mut sent, mut more) = (0, 0);
    while sent < length {
        let part = PART.min(length - sent);
        let (each, all) = client.1;
        if sent + part > each + more || before + sent + part > all {
            if let (WINDOW_UPDATE, _, of, increment) = client.next()
                && of == stream
            {
                more += number(&increment);
            }
            continue;
        }
        sent += part;
        client.send(DATA, u8::from(sent == length), stream, &vec![0; part as usize]);
    }
}

const FULL: (u32, u32) = (256 << 10, 320 << 10);

#[tokio::test]
async fn idle_connections_leave_whoever_uploads_the_windows_there_would_be_without_them() {
    let (supervisor, _) = two_apps(App::new("app", APP), "max_buffered = '2MiB'").await;
    let address = supervisor.address("app").await;
    let mut idle: Vec<_> = (0..100).map(|_| Http2::connect(GREEDY, address, None)).collect();
    assert!(idle.iter_mut().all(|client| windows(client) == INITIAL));
    for number in [1, 3] {
        // First one of these connections, then a new one.
        let client = if number == 1 { &mut idle[0] } else { &mut Http2::connect(GREEDY, address, None) };
        client.send(HEADERS, 0x4, number, &post_of("/length", 1 << 20));
        assert_eq!(windows(client), FULL);
        upload(client, number, 1 << 20, 0);
        assert_eq!(client.body(number), b"1048576");
        // The client may send no more than the protocol's default again.
        let (_, all) = windows(client);
        assert!(all - (1 << 20) <= 64 << 10, "{all}");
    }
    all_is_well(&supervisor).await;
}

#[tokio::test]
async fn a_client_with_many_uploads_may_send_little_of_each_before_it_is_read() {
    let (supervisor, _) = two_apps(App::new("app", APP), "max_buffered_per_client = '2MiB'").await;
    let address = supervisor.address("app").await;
    let mut greedy: Vec<_> = (0..20).map(|_| Http2::connect(GREEDY, address, None)).collect();
    let windows_of_greedy = greedy.iter_mut().map(|client| {
        client.send(HEADERS, 0x4, 1, &post_of("/never", 1 << 20));
        windows(client)
    });
    let windows_of_greedy: Vec<_> = windows_of_greedy.collect();
    let sum: u32 = windows_of_greedy.iter().map(|(_, connection)| connection).sum();
    assert!(sum <= (2 << 20) + 20 * (80 << 10), "{windows_of_greedy:?}");
    assert_eq!(windows_of_greedy.iter().max(), Some(&FULL));
    assert_eq!(windows_of_greedy.iter().min(), Some(&(16 << 10, 65_535)));
    // Another client gets full windows.
    let mut other = Http2::connect([127, 0, 0, 67], address, None);
    other.send(HEADERS, 0x4, 1, &post_of("/never", 1 << 20));
    assert_eq!(windows(&mut other), FULL);
    // A body that is longer than its window still goes through.
    let last = greedy.last_mut().unwrap();
    last.send(HEADERS, 0x4, 3, &post("/length"));
    upload(last, 3, 200_000, 0);
    assert_eq!(last.body(3), b"200000");
    all_is_well(&supervisor).await;
}

#[tokio::test]
async fn what_a_connection_may_still_send_is_no_way_around_the_share_of_its_client() {
    const LONG: u32 = 500_000;
    let (supervisor, admin) = two_apps(App::new("app", APP), "max_buffered_per_client = '1MiB'").await;
    let address = supervisor.address("app").await;
    let mut client = Http2::connect(GREEDY, address, None);
    // The length of the body is not announced, so the supervisor cannot know where it ends.
    client.send(HEADERS, 0x4, 1, &post("/length"));
    upload(&mut client, 1, LONG, 0);
    assert_eq!(client.body(1), b"500000");
    let (_, all) = windows(&mut client);
    assert!(all - LONG > 100 << 10, "{all}");
    let mut others: Vec<_> = (0..3).map(|_| Http2::connect(GREEDY, address, None)).collect();
    for other in &mut others {
        other.send(HEADERS, 0x4, 1, &post_of("/never", 1 << 20));
        windows(other);
    }
    client.send(HEADERS, 0x4, 3, &post_of("/length", 4));
    // GOAWAY says that the connection takes no further requests, and RST_STREAM that this one was not begun
    // (REFUSED_STREAM).
    client.next_of(GOAWAY);
    let (_, _, stream, why) = client.next_of(RST_STREAM);
    assert_eq!((stream, number(&why)), (3, 7));
    assert_eq!(metrics(&admin).await["nano_connections_ended_total{why=\"shed\"}"], 1.0);
    // The client repeats the request on another connection.
    let mut again = Http2::connect(GREEDY, address, None);
    again.send(HEADERS, 0x4, 1, &post_of("/length", 4));
    upload(&mut again, 1, 4, 0);
    assert_eq!(again.body(1), b"4");
    all_is_well(&supervisor).await;
}
