//! Which connections are closed to free a slot, also where several responses share one connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use deno_fetch::ResBody;
use http_body_util::{BodyExt as _, StreamBody};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpSocket};

use super::super::unread::{Reader, Unread};
use super::{Dialed, PATIENCE, Places, Use};

/// Opens a connection to a listener that keeps it open.
async fn open(places: &Arc<Places>) -> (Dialed, TcpListener) {
    open_as(places, false).await
}

async fn open_as(places: &Arc<Places>, is_duplex: bool) -> (Dialed, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpSocket::new_v4().unwrap().connect(listener.local_addr().unwrap()).await.unwrap();
    (places.enter(TokioIo::new(stream), places.take().await, is_duplex), listener)
}

/// Registers a response without end over this connection. It arrived this many times `PATIENCE` ago, or, if that is `None`, just now,
/// which remains so however long the test is held up.
fn response(places: &Arc<Places>, dialed: &Dialed, what: &str, ages: Option<u32>) -> Arc<Unread> {
    let held: Use = dialed.0.hold();
    let line = held.line();
    let frames = deno_core::futures::stream::pending::<Result<hyper::body::Frame<Bytes>, _>>();
    let body = StreamBody::new(frames).map_err(move |error| {
        let _ = &held;
        error
    });
    let mut body = Unread::new(ResBody::new(body), what.to_owned(), 0, line);
    let now = Instant::now();
    let since =
        ages.map_or(now + Duration::from_secs(3600), |ages| now.checked_sub(ages * PATIENCE).unwrap());
    Arc::get_mut(&mut body).unwrap().since = since;
    places.watch(&body);
    body
}

fn given_up(places: &Places) -> Vec<String> {
    places.given_up().into_iter().map(|(_, what)| what).collect()
}

#[tokio::test]
async fn one_that_shares_its_connection_with_one_that_is_read_stays() {
    let places = Arc::new(Places::new(1));
    let (shared, _peer) = open(&places).await;
    let alone = response(&places, &shared, "left alone", Some(2));
    let read = response(&places, &shared, "read", Some(2));
    let mut reader = Reader(read.clone());
    assert!(deno_core::futures::FutureExt::now_or_never(reader.frame()).is_none());
    places.make_room();
    assert!(given_up(&places).is_empty() && alone.is_left_alone());
    read.end(|| "read to its end".to_owned());
    places.make_room();
    assert_eq!(given_up(&places), ["left alone"]);
}

#[tokio::test]
async fn those_that_only_share_theirs_with_each_other_go_together_when_the_last_has_waited_long_enough() {
    let places = Arc::new(Places::new(3));
    let ((first, _one), (second, _two)) = (open(&places).await, open(&places).await);
    let _first = [Some(3), None].map(|ages| response(&places, &first, "of the first", ages));
    let _second = [2, 2].map(|ages| response(&places, &second, "of the second", Some(ages)));
    // Belongs to no response yet: it has just been opened.
    let _third = open(&places).await;
    places.make_room();
    assert_eq!(given_up(&places), ["of the second", "of the second"]);
    places.make_room();
    assert!(given_up(&places).is_empty());
}

#[tokio::test]
async fn one_that_has_just_come_goes_only_if_no_connection_makes_progress() {
    let places = Arc::new(Places::new(2));
    let (first, _one) = open(&places).await;
    let _body = response(&places, &first, "the first", None);
    let (second, _two) = open(&places).await;
    places.make_room();
    assert!(given_up(&places).is_empty());
    let _body = response(&places, &second, "the second", None);
    places.make_room();
    assert_eq!(given_up(&places), ["the first"]);
}

#[tokio::test]
async fn one_on_which_more_can_be_sent_keeps_its_slot_after_the_peer_has_closed_its_side() {
    let places = Arc::new(Places::new(1));
    for is_duplex in [false, true] {
        let (dialed, listener) = open_as(&places, is_duplex).await;
        drop(listener.accept().await.unwrap());
        let mut dialed = TokioIo::new(dialed);
        assert_eq!(dialed.read(&mut [0]).await.unwrap(), 0);
        places.make_room();
        assert_eq!(places.counts().open, u32::from(is_duplex));
    }
}
