//! Many streams share one connection, with bodies in both directions.

use nano_protocol::codec::HeaderBlock;
use nano_protocol::message::Control;
use nano_protocol::{Failure, Head, Side};

use crate::frames::{Sent, block, take_fields};
use crate::pair::{Arrived, Pair, Raw, all, body, chunk, head, open, open_with, respond, send, some_bytes};

const STREAMS: usize = 100;

fn length(stream: usize) -> usize {
    [0, 1, 1023, 1024, 5000, 65_536, 65_537, 200_000][stream % 8] + stream / 8
}

/// Echoes every request body, with a status that tells how many requests came before.
async fn echo(worker: &Arrived) {
    let mut requests = Vec::new();
    for number in 0..STREAMS {
        requests.push((number, worker.stream().await));
    }
    all(requests.iter().map(|(number, request)| async move {
        respond(&request.sender, 200 + *number as u16, &vec![], false);
        while let Some(data) = chunk(&request.receiver).await {
            let mut data = data.expect("an open request");
            send(&request.sender, &mut data, false).await.expect("an open response");
        }
        request.sender.end(&request.receiver.trailers()).expect("an open response");
    }))
    .await;
}

#[tokio::test]
async fn many_streams_carry_their_bodies_in_both_directions() {
    let mut pair = Pair::new();
    let (handle, worker) = (pair.supervisor.handle.clone(), pair.worker.arrived.clone());
    let streams: Vec<_> = (0..STREAMS).map(|_| open(&handle, false)).collect();
    assert_eq!(handle.streams(), STREAMS);
    let uploads = all(streams.iter().enumerate().map(|(number, (sender, _))| async move {
        send(sender, &mut some_bytes(length(number), number), false).await.unwrap();
        let trailers = vec![(b"number".to_vec(), number.to_string().into_bytes())];
        sender.end(&block(&trailers)).unwrap();
    }));
    let downloads = all(streams.iter().enumerate().map(|(number, (_, receiver))| async move {
        let head = head(receiver).await.unwrap();
        assert_eq!(usize::from(head.status), 200 + number, "streams arrive in the order of their opening");
        assert!(body(receiver).await.unwrap() == some_bytes(length(number), number), "stream {number}");
        assert!(receiver.is_done());
        take_fields(&receiver.trailers()).unwrap()
    }));
    let (_, _, trailers) = pair.run(async { tokio::join!(echo(&worker), uploads, downloads) }).await;
    for (number, trailers) in trailers.iter().enumerate() {
        assert_eq!(trailers, &[(b"number".to_vec(), number.to_string().into_bytes())]);
    }
    assert_eq!((handle.streams(), pair.worker.handle.streams()), (0, 0), "nothing is left of them");
}

#[tokio::test]
async fn the_worker_sees_the_head_as_it_was_opened() {
    let mut pair = Pair::new();
    let fields = vec![(b"host".to_vec(), b"localhost".to_vec()), (b"x".to_vec(), vec![0, 255, b'\n'])];
    let _stream = open_with(&pair.supervisor.handle, &fields, true).unwrap();
    let worker = pair.worker.arrived.clone();
    let request = pair.run(worker.stream()).await;
    let (head, headers) = request.head.decode().unwrap();
    let Head::Request(line) = head else { panic!("{head:?}") };
    assert_eq!((line.id.0, line.method), (1, "POST"));
    assert_eq!((line.origin, line.target), ("http://localhost", "/path?query"));
    assert_eq!(take_fields(&headers).unwrap(), fields);
    assert!(request.receiver.is_done(), "it has no body");
    assert!(chunk(&request.receiver).await.is_none());
    assert!(
        request.sender.poll_over(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending()
    );
}

#[tokio::test]
async fn the_supervisor_sees_the_head_as_it_was_answered_and_once() {
    let mut pair = Pair::new();
    let (sender, receiver) = open(&pair.supervisor.handle, true);
    assert!(sender.is_complete(), "the request has no body");
    let worker = pair.worker.arrived.clone();
    let fields = vec![(b"content-type".to_vec(), b"text/plain".to_vec()); 3];
    let seen = pair
        .run(async {
            respond(&worker.stream().await.sender, 404, &fields, true);
            head(&receiver).await.unwrap()
        })
        .await;
    assert_eq!((seen.status, seen.end), (404, true));
    assert_eq!(take_fields(&seen.headers).unwrap(), fields);
    assert_eq!(head(&receiver).await.unwrap().headers, HeaderBlock::default(), "the fields went out by move");
    assert!(chunk(&receiver).await.is_none());
}

#[tokio::test]
async fn trailers_arrive_with_the_end_of_the_body_and_not_before() {
    let mut raw = Raw::new(Side::Supervisor);
    let (_sender, receiver) = open(&raw.end.handle, true);
    let trailers = vec![(b"checksum".to_vec(), b"1234".to_vec())];
    raw.send(&[
        Sent::Response { stream: 1, end: false, status: 200, fields: vec![] },
        Sent::Body { stream: 1, end: false, data: b"body".to_vec() },
    ]);
    let first = raw.run(chunk(&receiver)).await.unwrap().unwrap();
    assert_eq!((&first[..], receiver.trailers()), (&b"body"[..], HeaderBlock::default()));
    assert!(!receiver.is_received());
    raw.send(&[Sent::End { stream: 1, trailers: trailers.clone() }]);
    assert!(raw.run(chunk(&receiver)).await.is_none());
    assert_eq!(take_fields(&receiver.trailers()).unwrap(), trailers);
}

#[tokio::test]
async fn a_request_that_is_answered_early_is_over_for_its_sender() {
    let mut pair = Pair::new();
    let (sender, receiver) = open(&pair.supervisor.handle, false);
    let worker = pair.worker.arrived.clone();
    let mut data = some_bytes(1 << 20, 0);
    let (sent, answered) = pair
        .run(async {
            let request = worker.stream().await;
            respond(&request.sender, 413, &vec![], true);
            // The worker does not read the body: without its response, this would wait for credit forever.
            let sent = send(&sender, &mut data, true).await;
            let body = chunk(&request.receiver).await;
            assert!(matches!(body, Some(Ok(_) | Err(Failure::Over))), "{body:?}");
            (sent, head(&receiver).await)
        })
        .await;
    assert_eq!(sent, Err(Failure::Over));
    assert!(sender.is_over());
    assert_eq!(answered.unwrap().status, 413);
}

#[tokio::test]
async fn control_frames_pass_between_the_frames_of_streams() {
    let mut pair = Pair::new();
    let (supervisor, worker) = (pair.supervisor.handle.clone(), pair.worker.handle.clone());
    let (at_supervisor, at_worker) = (pair.supervisor.arrived.clone(), pair.worker.arrived.clone());
    let (sender, _receiver) = open(&supervisor, false);
    pair.run(async {
        for number in 0..20 {
            send(&sender, &mut some_bytes(3000, 0), false).await.unwrap();
            supervisor.control(&Control::Ping(number)).unwrap();
            assert_eq!(at_worker.message().await, Control::Ping(number));
            worker.control(&Control::Pong(number)).unwrap();
            assert_eq!(at_supervisor.message().await, Control::Pong(number));
        }
        let request = at_worker.stream().await;
        let mut received = 0;
        while received < 20 * 3000 {
            received += chunk(&request.receiver).await.unwrap().unwrap().len();
        }
    })
    .await;
}

#[tokio::test]
async fn a_chunk_that_was_put_back_is_read_again() {
    let mut pair = Pair::new();
    let (_sender, receiver) = open(&pair.supervisor.handle, true);
    let worker = pair.worker.arrived.clone();
    pair.run(async {
        let request = worker.stream().await;
        respond(&request.sender, 200, &vec![], false);
        send(&request.sender, &mut some_bytes(10, 0), true).await.unwrap();
        head(&receiver).await.unwrap();
    })
    .await;
    pair.run(std::future::poll_fn(|cx| receiver.poll_over(cx))).await;
    let taken = receiver.try_part().unwrap();
    assert!(receiver.is_done());
    let receiver = receiver.put_back(taken);
    assert!(!receiver.is_done());
    assert_eq!(body(&receiver).await.unwrap(), some_bytes(10, 0));
}
