//! Tests of what the state of a connection says of its client.

use std::sync::Arc;

use super::*;
use crate::config::ServerSettings;
use crate::edge::admission::ListenerConnections;
use crate::edge::client::serving::Serving;
use crate::edge::descriptors::Descriptors;

struct Tested {
    admission: Rc<Admission>,
    client: Rc<Client>,
    closing: Rc<Cell<bool>>,
}

impl Tested {
    fn new() -> Self {
        let admission =
            Rc::new(Admission::new(ServerSettings::default(), Descriptors::PLENTY, Arc::default()));
        let (slot, closing) = (
            admission.admit([127, 0, 0, 1].into(), &ListenerConnections::default(), false).unwrap(),
            Rc::default(),
        );
        Self { client: Rc::new(Client::new(&admission, slot, &closing)), admission, closing }
    }

    /// Sweeps the connection after this many ticks, and returns why it must be closed, if so.
    fn after(&self, ticks: u64) -> Option<Overdue> {
        for _ in 0..ticks {
            self.admission.tick();
        }
        self.client.sweep(TickLimits { idle: 10, head: 5, send: 20 });
        self.client.overdue.take()
    }
}

/// Returns an HTTP/2 frame without payload.
fn frame(kind: u8, flags: u8) -> [u8; 9] {
    [0, 0, 0, kind, flags, 0, 0, 0, 0]
}

#[test]
fn idle_slow_and_stalled_connections_are_overdue_and_busy_ones_are_not() {
    let tested = Tested::new();
    let client = &tested.client;
    assert_eq!(tested.after(5), None);
    assert_eq!(tested.after(1), Some(Overdue::Head));
    let serving = Serving::new(client);
    assert_eq!(tested.after(100), None);
    client.has_written(None);
    assert_eq!(tested.after(10), None);
    // The response is complete for us, but what the client has yet to read still counts as in flight.
    drop(serving);
    assert_eq!((tested.after(5), client.idle_since()), (None, None));
    client.has_written(None);
    assert_eq!(tested.after(5), None);
    assert_eq!(tested.after(1), Some(Overdue::Stalled));
    client.has_written(Some(1));
    assert!(client.idle_since().is_some());
    assert_eq!(tested.after(10), None);
    assert_eq!(tested.after(1), Some(Overdue::Idle));
    client.has_read(b"GET");
    assert_eq!(tested.after(5), None);
    assert_eq!(tested.after(1), Some(Overdue::Head));
}

#[test]
fn a_connection_that_is_to_close_ends_once_it_has_been_idle_for_a_moment() {
    let tested = Tested::new();
    tested.closing.set(true);
    assert_eq!(tested.after(0), None);
    assert_eq!(tested.after(CLOSING_IDLE + 1), Some(Overdue::Idle), "it never said anything");
    let serving = Serving::new(&tested.client);
    assert_eq!(tested.after(50), None);
    drop(serving);
    assert_eq!(tested.after(CLOSING_IDLE), None);
    assert_eq!(tested.after(1), Some(Overdue::Idle));
    // An incomplete head does not keep the connection open any longer, either.
    tested.client.has_read(b"GET / HT");
    assert_eq!(tested.after(CLOSING_IDLE), None);
    assert_eq!(tested.after(1), Some(Overdue::Head));
}

#[test]
fn pings_keep_no_connection_open_and_heads_of_http_2_have_their_time() {
    let tested = Tested::new();
    let client = &tested.client;
    client.has_read(b"PRI * HTTP/2.0\r\n");
    assert_eq!(tested.after(1), None);
    client.has_read(b"\r\nSM\r\n\r\n");
    assert!(client.is_http2());
    for _ in 0..10 {
        client.has_read(&frame(6, 0));
        assert_eq!(tested.after(1), None);
    }
    assert_eq!(tested.after(1), Some(Overdue::Idle));
    let serving = Serving::new(client);
    assert_eq!(tested.after(100), None);
    client.has_read(&frame(1, 0));
    assert_eq!((client.head(), tested.after(5)), (9, None));
    client.has_read(&frame(9, 0));
    assert_eq!(tested.after(1), Some(Overdue::Head));
    client.has_read(&frame(9, 4));
    assert_eq!((client.head(), tested.after(100)), (0, None));
    drop(serving);
}

#[test]
fn frames_that_ask_for_nothing_end_a_connection_unless_it_gets_answers() {
    let tested = Tested::new();
    let client = &tested.client;
    client.has_read(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    let serving = Serving::new(client);
    for _ in 0..1_000_000 {
        client.has_read(&frame(8, 0));
        serving.gave(100);
    }
    for _ in 0..100 {
        (0..FORGIVEN).for_each(|_| client.has_read(&frame(6, 0)));
        assert_eq!(tested.after(1), None);
    }
    (0..FLOOD).for_each(|_| client.has_read(&frame(6, 0)));
    assert_eq!(client.overdue.get(), None);
    client.has_read(&frame(6, 0));
    assert_eq!(client.overdue.get(), Some(Overdue::Flood));
}
