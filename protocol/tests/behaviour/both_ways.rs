//! Streams that a worker opens, and upgraded streams, which outlive their answer.

use std::future::poll_fn;
use std::iter::empty;
use std::sync::Arc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use nano_protocol::codec;
use nano_protocol::frame::{FrameHeader, Kind};
use nano_protocol::limits::{
    CALL_WINDOW, FIRST_WINDOW, MAX_CALL_HEAD, MAX_CALLS, MAX_FETCHES, MAX_IDLE_FRAMES, MAX_UNSENT_BODIES,
    MOST_WINDOW,
};
use nano_protocol::message::{Control, RequestId, StreamError, StreamErrorKind, UPGRADED};
use nano_protocol::{Budget, Call, Event, Failure, Fetch, Head, ProtocolError, Side};

use crate::frames::{Sent, opening, take_fields};
use crate::pair::{Pair, Raw, body, borrow, call, chunk, head, open, respond, send, some_bytes, upgraded};

const LONG: usize = 4 * MOST_WINDOW;

fn keep(stream: u64) -> Sent {
    Sent::Keep { stream, end: true, name: 0 }
}

#[tokio::test]
async fn a_call_reaches_the_supervisor_and_comes_back_while_requests_go_on() {
    let mut pair = Pair::new();
    let (supervisor, worker) = (pair.supervisor.handle.clone(), pair.worker.handle.clone());
    let (at_supervisor, at_worker) = (pair.supervisor.arrived.clone(), pair.worker.arrived.clone());
    let (upload, answer) = open(&supervisor, false);
    let (sender, receiver) = call(&worker, false).unwrap();
    pair.run(async {
        let (request, call) = (at_worker.stream().await, at_supervisor.stream().await);
        assert!(matches!(call.head.decode().unwrap(), (Head::Call(Call::Keep { name: 7 }), _)));
        respond(&request.sender, 200, &vec![], false);
        let fields = vec![(b"kept".to_vec(), b"yes".to_vec())];
        respond(&call.sender, 204, &fields, false);
        let (mut one, mut two) = (some_bytes(LONG, 1), some_bytes(LONG, 2));
        let (mut three, mut four) = (some_bytes(LONG, 3), some_bytes(LONG, 4));
        let sent = async {
            tokio::try_join!(
                send(&upload, &mut one, true),
                send(&request.sender, &mut two, true),
                send(&sender, &mut three, true),
                send(&call.sender, &mut four, true),
            )
        };
        let received = async {
            tokio::join!(body(&request.receiver), body(&answer), body(&call.receiver), async {
                (head(&receiver).await.unwrap(), body(&receiver).await)
            },)
        };
        // The answer may end first and cut the body of the request short.
        let (_, (_, answered, called, (head, kept))) = tokio::join!(sent, received);
        assert!(answered.unwrap() == some_bytes(LONG, 2));
        assert!(kept.unwrap() == some_bytes(LONG, 4));
        assert!(called.is_ok_and(|called| called == some_bytes(LONG, 3)) || sender.is_over());
        assert_eq!((head.status, take_fields(&head.headers).unwrap()), (204, fields));
    })
    .await;
    drop((upload, answer, sender, receiver));
    pair.run(async {}).await;
    assert_eq!((supervisor.streams(), worker.streams()), (0, 0));
}

#[tokio::test]
async fn an_event_is_answered_as_a_request_is() {
    let mut pair = Pair::new();
    let event = Event::Health { id: RequestId(5), path: "/up" };
    let (_sender, receiver) = pair.supervisor.handle.open(&Head::Event(event), 0, empty(), true).unwrap();
    let worker = pair.worker.arrived.clone();
    pair.run(async {
        let stream = worker.stream().await;
        assert_eq!(stream.head.decode().unwrap().0, Head::Event(event));
        respond(&stream.sender, 200, &vec![], true);
        assert_eq!(head(&receiver).await.unwrap().status, 200);
    })
    .await;
}

#[tokio::test]
async fn each_side_opens_what_is_its_own_to_open() {
    let pair = Pair::new();
    let event = Head::Event(Event::Health { id: RequestId(5), path: "/up" });
    let refused = pair.worker.handle.open(&event, 0, empty(), true);
    assert!(matches!(refused, Err(ProtocolError::Unexpected("event head"))), "{refused:?}");
    let refused = call(&pair.supervisor.handle, true);
    assert!(matches!(refused, Err(ProtocolError::Unexpected("call head"))), "{refused:?}");
    assert_eq!((pair.supervisor.handle.unsent(), pair.worker.handle.unsent()), (0, 0));
}

#[tokio::test]
async fn a_worker_has_so_many_calls_open_and_no_more() {
    let mut pair = Pair::new();
    let worker = pair.worker.handle.clone();
    // Streams that the other side has opened do not count.
    let _requests: Vec<_> = (0..2 * MAX_CALLS).map(|_| open(&pair.supervisor.handle, true)).collect();
    let (at_supervisor, at_worker) = (pair.supervisor.arrived.clone(), pair.worker.arrived.clone());
    pair.run(at_worker.stream()).await;
    let mut calls: Vec<_> = (0..MAX_CALLS).map(|_| call(&worker, true).unwrap()).collect();
    assert!(matches!(call(&worker, true), Err(ProtocolError::TooManyStreams)));
    let first = pair.run(at_supervisor.stream()).await;
    respond(&first.sender, 204, &vec![], true);
    let (_, receiver) = calls.remove(0);
    pair.run(head(&receiver)).await.unwrap();
    call(&worker, true).unwrap();

    let mut raw = Raw::new(Side::Supervisor);
    let (_sender, untouched) = open(&raw.end.handle, true);
    raw.flush().await;
    raw.send(&(1..=MAX_CALLS as u64).map(|number| keep(2 * number)).collect::<Vec<_>>());
    let arrived = raw.end.arrived.clone();
    let mut accepted = Vec::new();
    for _ in 0..MAX_CALLS {
        accepted.push(raw.run(arrived.stream()).await);
    }
    assert_eq!(raw.end.handle.streams(), MAX_CALLS + 1);
    raw.send(&[keep(2 * MAX_CALLS as u64 + 2)]);
    assert!(matches!(raw.ended().await, Err(ProtocolError::TooManyStreams)));
    assert_eq!(head(&untouched).await, Err(Failure::Closed { reached: true }));
}

#[tokio::test]
async fn a_worker_has_more_fetches_open_than_calls_and_no_more_than_it_may() {
    const FETCH: Head<'static> = Head::Fetch(Fetch {
        binding: "B",
        request: RequestId(1),
        depth: 1,
        method: "GET",
        origin: "http://x",
        target: "/",
        is_call: false,
    });
    let mut pair = Pair::new();
    let worker = pair.worker.handle.clone();
    let mut open: Vec<_> = (0..MAX_FETCHES).map(|_| worker.open(&FETCH, 0, empty(), true).unwrap()).collect();
    assert!(matches!(worker.open(&FETCH, 0, empty(), true), Err(ProtocolError::TooManyStreams)));
    assert!(matches!(call(&worker, true), Err(ProtocolError::TooManyStreams)));
    let at_supervisor = pair.supervisor.arrived.clone();
    let first = pair.run(at_supervisor.stream()).await;
    assert_eq!(first.head.decode().unwrap().0, FETCH);
    respond(&first.sender, 200, &vec![], true);
    let (_, receiver) = open.remove(0);
    pair.run(head(&receiver)).await.unwrap();
    worker.open(&FETCH, 0, empty(), true).unwrap();

    let mut raw = Raw::new(Side::Supervisor);
    let line = opening(1);
    let Sent::Request { line, .. } = line else { unreachable!("odd ids are of requests") };
    let fetch = |number: usize| {
        let (binding, line, fields) = ("B".to_owned(), line.clone(), vec![]);
        Sent::Fetch { stream: 2 * number as u64, end: true, binding, line, fields }
    };
    raw.send(&(1..=MAX_FETCHES).map(fetch).collect::<Vec<_>>());
    let arrived = raw.end.arrived.clone();
    let mut accepted = Vec::new();
    for _ in 0..MAX_FETCHES {
        accepted.push(raw.run(arrived.stream()).await);
    }
    raw.send(&[fetch(MAX_FETCHES + 1)]);
    assert!(matches!(raw.ended().await, Err(ProtocolError::TooManyStreams)));
}

#[tokio::test]
async fn fetches_may_be_given_up_however_many_and_their_answers_wait_for_room() {
    let mut raw = Raw::new(Side::Supervisor);
    let arrived = raw.end.arrived.clone();
    let Sent::Request { line, .. } = opening(1) else { unreachable!("odd ids are of requests") };
    let fetch = |stream: u64| {
        let (binding, line, fields) = ("B".to_owned(), line.clone(), vec![]);
        Sent::Fetch { stream, end: true, binding, line, fields }
    };
    let mut stream = 0;
    while stream / 2 <= u64::from(MAX_IDLE_FRAMES) + 100 {
        stream += 2;
        raw.send(&[fetch(stream), Sent::Cancel { stream }]);
        raw.run(arrived.stream()).await;
    }
    // A worker that is busy reads nothing, and fetches as soon as it reads again.
    let fields = vec![(b"x".to_vec(), vec![b'x'; 100_000])];
    let (mut waiting, mut answered) = (None, 0);
    for _ in 0..40 {
        stream += 2;
        raw.send(&[fetch(stream)]);
        let sender = raw.run(arrived.stream()).await.sender;
        if poll_fn(|cx| Poll::Ready(sender.poll_room(cx).is_pending())).await {
            waiting = Some(sender);
            break;
        }
        respond(&sender, 200, &fields, true);
        answered += 1;
    }
    let most = MAX_UNSENT_BODIES / 100_000 + 10;
    assert!(waiting.is_some() && answered <= most, "{answered} of {most}");
    stream += 2;
    raw.send(&[fetch(stream)]);
    raw.run(arrived.stream()).await;
}

#[tokio::test]
async fn the_head_of_a_call_is_short() {
    let pair = Pair::new();
    let value = vec![b'x'; MAX_CALL_HEAD];
    let fields = [(b"name".to_vec(), value)];
    let head = Head::Call(Call::Keep { name: 1 });
    let refused = pair.worker.handle.open(&head, 1, borrow(&fields), true);
    assert!(matches!(refused, Err(ProtocolError::TooLong { limit: MAX_CALL_HEAD, .. })), "{refused:?}");
    // The refused call has changed nothing: the next one gets its id.
    assert_eq!((pair.worker.handle.unsent(), pair.worker.handle.streams()), (0, 0));
    call(&pair.worker.handle, true).unwrap();
}

#[tokio::test]
async fn a_call_that_is_given_up_or_fails_is_over_on_both_sides() {
    let mut pair = Pair::new();
    let worker = pair.worker.handle.clone();
    let at_supervisor = pair.supervisor.arrived.clone();
    let (sender, receiver) = call(&worker, false).unwrap();
    let (_other, failed) = call(&worker, false).unwrap();
    let (_third, dropped) = call(&worker, false).unwrap();
    let error = StreamError::new(StreamErrorKind::HandlerFailed, "no");
    pair.run(async {
        let (one, two, three) =
            (at_supervisor.stream().await, at_supervisor.stream().await, at_supervisor.stream().await);
        drop(receiver);
        assert!(sender.is_over());
        assert_eq!(poll_fn(|cx| one.sender.poll_over(cx)).await, Failure::Over);
        assert_eq!(chunk(&one.receiver).await, Some(Err(Failure::Over)));
        two.sender.fail(&error);
        assert_eq!(head(&failed).await, Err(Failure::Peer(error.clone())));
        drop(three);
        assert!(matches!(head(&dropped).await, Err(Failure::Peer(_))));
    })
    .await;
    assert_eq!((pair.supervisor.handle.streams(), worker.streams()), (0, 0));
    assert!(!worker.is_closed());
}

#[tokio::test]
async fn calls_under_way_end_with_the_connection() {
    let mut pair = Pair::new();
    let at_supervisor = pair.supervisor.arrived.clone();
    let (sender, receiver) = call(&pair.worker.handle, false).unwrap();
    let call = pair.run(at_supervisor.stream()).await;
    pair.worker.connection = None;
    assert!(matches!(head(&receiver).await, Err(Failure::Closed { .. })) && sender.is_over());
    assert!(pair.run(at_supervisor.end()).await.is_ok());
    assert!(matches!(chunk(&call.receiver).await, Some(Err(Failure::Closed { .. }))));
    assert!(call.sender.is_over());
}

#[tokio::test]
async fn a_connection_that_finishes_ends_after_the_calls_under_way() {
    let mut pair = Pair::new();
    let (at_supervisor, at_worker) = (pair.supervisor.arrived.clone(), pair.worker.arrived.clone());
    let (_sender, receiver) = call(&pair.worker.handle, true).unwrap();
    let call = pair.run(at_supervisor.stream()).await;
    pair.supervisor.handle.finish();
    pair.run(async {}).await;
    assert!(!pair.supervisor.handle.is_closed());
    respond(&call.sender, 204, &vec![], true);
    assert_eq!(pair.run(head(&receiver)).await.unwrap().status, 204);
    assert!(pair.run(at_supervisor.end()).await.is_ok());
    pair.supervisor.connection = None;
    assert!(pair.run(at_worker.end()).await.is_ok());
}

#[tokio::test]
async fn the_body_of_a_call_has_a_window_of_its_own_which_its_app_pays_for() {
    let budget = Arc::new(Budget::new(64 * MOST_WINDOW, None));
    let mut pair = Pair::new();
    pair.supervisor.handle.set_budget(budget.clone());
    let (sender, _receiver) = call(&pair.worker.handle, false).unwrap();
    let at_supervisor = pair.supervisor.arrived.clone();
    let mut data = some_bytes(LONG, 0);
    let mut noop = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(sender.poll_send(&mut noop, &mut data, true).is_pending());
    assert_eq!(LONG - data.len(), CALL_WINDOW);
    let call = pair.run(at_supervisor.stream()).await;
    pair.run(async {}).await;
    assert_eq!(budget.held(), CALL_WINDOW);
    let (sent, received) =
        pair.run(async { tokio::join!(send(&sender, &mut data, true), body(&call.receiver)) }).await;
    sent.unwrap();
    assert!(received.unwrap() == some_bytes(LONG, 0));
    assert_eq!(budget.held(), 0);

    // The most calls that may be open. Their windows are reserved and given back.
    let budget = Arc::new(Budget::new(2 * MAX_CALLS * CALL_WINDOW, None));
    pair.supervisor.handle.set_budget(budget.clone());
    let calls: Vec<_> =
        (1..MAX_CALLS).map(|_| crate::pair::call(&pair.worker.handle, false).unwrap()).collect();
    pair.run(async {}).await;
    assert!(budget.fair() <= FIRST_WINDOW || budget.fair() == MOST_WINDOW);
    pair.supervisor.connection = None;
    drop(calls);

    let mut raw = Raw::new(Side::Supervisor);
    raw.send(&[opening(2), Sent::Body { stream: 2, end: false, data: vec![0; CALL_WINDOW + 1] }]);
    assert!(matches!(raw.ended().await, Err(ProtocolError::CreditExceeded(2))));
}

#[tokio::test]
async fn nobody_grants_more_than_the_largest_window() {
    for window in [MOST_WINDOW as u32 + 1, u32::MAX] {
        let mut payload = BytesMut::new();
        Head::Call(Call::Keep { name: 1 }).encode(window, &mut payload).unwrap();
        codec::encode_headers(0, empty(), &mut payload).unwrap();
        let header = FrameHeader { length: payload.len(), kind: Kind::CallHead, end: true, stream: 2 };
        let mut raw = Raw::new(Side::Supervisor);
        raw.write(&[&header.to_bytes()[..], &payload].concat());
        let ended = raw.ended().await;
        assert!(matches!(ended, Err(ProtocolError::Unexpected("credit beyond the window"))), "{ended:?}");
    }
}

#[tokio::test]
async fn calls_that_are_opened_and_cancelled_without_end_end_the_connection() {
    let mut raw = Raw::new(Side::Supervisor);
    let mut stream = 0;
    while raw.end.connection.is_some() && stream < 4 * u64::from(MAX_IDLE_FRAMES) {
        let mut frames = Vec::new();
        for _ in 0..100 {
            stream += 2;
            frames.extend([keep(stream), Sent::Cancel { stream }]);
        }
        raw.send(&frames);
        for _ in 0..2 {
            raw.run(async {}).await;
            tokio::task::yield_now().await;
        }
    }
    assert!(matches!(raw.ended().await, Err(ProtocolError::Flood)));
    assert!(stream / 2 >= u64::from(MAX_IDLE_FRAMES));
}

#[tokio::test]
async fn calls_that_are_answered_are_no_flood_however_many() {
    let mut pair = Pair::new();
    let at_supervisor = pair.supervisor.arrived.clone();
    let worker = pair.worker.handle.clone();
    pair.run(async {
        for number in 0..MAX_IDLE_FRAMES + 100 {
            let (_sender, receiver) = call(&worker, true).unwrap();
            // One call is cancelled for each that is answered.
            let given_up = call(&worker, true).unwrap();
            drop(given_up);
            let answered = at_supervisor.stream().await;
            assert!(at_supervisor.stream().await.head == answered.head);
            respond(&answered.sender, 204, &vec![], true);
            assert_eq!(head(&receiver).await.unwrap().status, 204, "{number}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_reads_no_answers_gets_only_so_many() {
    let mut raw = Raw::new(Side::Supervisor);
    let arrived = raw.end.arrived.clone();
    let fields = vec![(b"x".to_vec(), vec![b'x'; 100_000])];
    let mut answered = 0;
    for number in 1..=40 {
        raw.send(&[keep(2 * number)]);
        let Some(call) = raw.run(arrived.stream_unless_ended()).await else { break };
        respond(&call.sender, 200, &fields, true);
        answered += 1;
    }
    assert!(matches!(raw.ended().await, Err(ProtocolError::Behind)));
    let most = MAX_UNSENT_BODIES / 100_000 + 10;
    assert!(answered <= most, "{answered} of {most}");

    // There is no limit for a peer that reads the answers.
    let mut raw = Raw::new(Side::Supervisor);
    let arrived = raw.end.arrived.clone();
    for number in 1..=40 {
        raw.send(&[keep(2 * number)]);
        respond(&raw.run(arrived.stream()).await.sender, 200, &fields, true);
        raw.flush().await;
        raw.received();
    }
    assert!(!raw.end.handle.is_closed());
}

#[tokio::test]
async fn an_upgraded_stream_goes_on_until_both_directions_have_ended() {
    for (is_call, is_opener_first) in [(false, false), (false, true), (true, false), (true, true)] {
        let (mut pair, opener, acceptor) = upgraded(is_call).await;
        let (first, second) = if is_opener_first { (&opener, &acceptor) } else { (&acceptor, &opener) };
        pair.run(async {
            for number in 0..3 {
                for (from, to) in [(&opener, &acceptor), (&acceptor, &opener)] {
                    send(&from.sender, &mut some_bytes(1000, number), false).await.unwrap();
                    assert_eq!(chunk(&to.receiver).await.unwrap().unwrap(), some_bytes(1000, number));
                }
            }
            let mut last = some_bytes(LONG, 1);
            let (sent, received) = tokio::join!(send(&first.sender, &mut last, true), body(&second.receiver));
            sent.unwrap();
            assert!(received.unwrap() == some_bytes(LONG, 1));
            assert!(!first.sender.is_over() || first.sender.is_complete());
            // The other direction is not affected.
            let mut last = some_bytes(LONG, 2);
            let (sent, received) = tokio::join!(send(&second.sender, &mut last, true), body(&first.receiver));
            sent.unwrap();
            assert!(received.unwrap() == some_bytes(LONG, 2));
        })
        .await;
        let handles = [pair.supervisor.handle.streams(), pair.worker.handle.streams()];
        assert_eq!(handles, [0, 0], "{is_call} {is_opener_first}");
        assert!(!pair.supervisor.handle.is_closed());
    }
}

#[tokio::test]
async fn a_half_of_an_upgraded_stream_that_is_dropped_before_its_end_gives_it_up() {
    for is_call in [false, true] {
        for case in 0..4 {
            let (mut pair, opener, acceptor) = upgraded(is_call).await;
            let (mut opener, mut acceptor) = (Some(opener), Some(acceptor));
            let dropped = if case < 2 { opener.take() } else { acceptor.take() };
            let crate::pair::Accepted { sender, receiver, .. } = dropped.unwrap();
            let left = opener.or(acceptor).unwrap();
            // One half is dropped, the other is kept.
            let _kept: Box<dyn std::any::Any> = if case % 2 == 0 {
                drop(sender);
                Box::new(receiver)
            } else {
                drop(receiver);
                Box::new(sender)
            };
            let over = pair.run(poll_fn(|cx| left.receiver.poll_over(cx))).await;
            assert!(matches!(over, Failure::Over | Failure::Peer(_)), "{case}: {over:?}");
            let handles = [pair.supervisor.handle.streams(), pair.worker.handle.streams()];
            assert_eq!(handles, [0, 0], "{is_call} {case}");
        }
    }
}

#[tokio::test]
async fn an_upgraded_stream_without_a_body_goes_on_one_way() {
    let mut pair = Pair::new();
    let (_sender, receiver) = open(&pair.supervisor.handle, true);
    let worker = pair.worker.arrived.clone();
    pair.run(async {
        let stream = worker.stream().await;
        respond(&stream.sender, UPGRADED, &vec![], false);
        assert_eq!(head(&receiver).await.unwrap().status, UPGRADED);
        let mut data = Bytes::from_static(b"one way");
        send(&stream.sender, &mut data, true).await.unwrap();
        assert_eq!(body(&receiver).await.unwrap(), b"one way");
    })
    .await;
    assert_eq!((pair.supervisor.handle.streams(), pair.worker.handle.streams()), (0, 0));
}

#[tokio::test]
async fn control_frames_pass_calls_that_wait() {
    let mut pair = Pair::new();
    let _calls: Vec<_> = (0..MAX_CALLS).map(|_| call(&pair.worker.handle, false).unwrap()).collect();
    pair.supervisor.handle.control(&Control::Ping(1)).unwrap();
    let at_worker = pair.worker.arrived.clone();
    assert_eq!(pair.run(at_worker.message()).await, Control::Ping(1));
}
