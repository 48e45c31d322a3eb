//! Tests of calls over real connections. The test plays the worker.

use std::fs;
use std::future::poll_fn;
use std::iter::empty;
use std::path::Path;

use bytes::Bytes;
use nano_protocol::limits::MAX_CALLS;
use nano_protocol::{Connection, Failure, Handle, Incoming, ProtocolError, ResponseHead, Side};
use tokio::net::UnixStream;
use tokio::task::LocalSet;

use super::*;

/// The connection of a worker. The supervisor's end is served; the test uses the other end.
struct Worker {
    handle: Handle,
    traffic: Arc<Traffic>,
    /// How serving the supervisor's end ended.
    ended: tokio::task::JoinHandle<Result<(), ProtocolError>>,
    driver: tokio::task::JoinHandle<()>,
}

impl Worker {
    fn new(cache: Option<&Path>) -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let traffic = Arc::new(Traffic::new(0));
        let mut calls = Calls::new(cache.map(|cache| cache.to_str().unwrap()), traffic.clone());
        let (mut supervisor, _) = Connection::new(ours, Side::Supervisor);
        let ended = tokio::task::spawn_local(async move {
            loop {
                let incoming = tokio::select! {
                    biased;
                    incoming = supervisor.next() => incoming?,
                    never = calls.run() => match never {},
                };
                match incoming {
                    Some(Incoming::Stream { head, sender, receiver }) => calls.opened(head, sender, receiver),
                    Some(Incoming::Control(_)) => {}
                    None => return Ok(()),
                }
            }
        });
        let (mut worker, handle) = Connection::new(theirs, Side::Worker);
        let driver = tokio::task::spawn_local(async move { while let Ok(Some(_)) = worker.next().await {} });
        Self { handle, traffic, ended, driver }
    }

    /// Asks the supervisor to keep this, and returns the status of the answer.
    async fn keep(&self, name: u128, contents: Bytes) -> Result<u16, Failure> {
        let head = Head::Call(Call::Keep { name });
        let (sender, receiver) = self.handle.open(&head, 0, empty(), contents.is_empty()).unwrap();
        let mut contents = contents;
        if !contents.is_empty() {
            // The call may be refused before the whole body is sent.
            let _ = poll_fn(|cx| sender.poll_send(cx, &mut contents, true)).await;
        }
        answer(&receiver).await.map(|head| head.status)
    }
}

async fn answer(receiver: &Receiver) -> Result<ResponseHead, Failure> {
    poll_fn(|cx| receiver.poll_head(cx)).await
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn what_a_worker_has_kept_is_there_whole_and_under_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let scene = async {
        let worker = Worker::new(Some(folder));
        let long = Bytes::from(vec![7; 1_000_000]);
        let kept = tokio::join!(
            worker.keep(1, Bytes::from_static(b"short")),
            worker.keep(2, long.clone()),
            worker.keep(u128::MAX, Bytes::new()),
        );
        assert_eq!(kept, (Ok(204), Ok(204), Ok(204)));
        assert_eq!(fs::read(folder.join(format!("{:032x}", 1))).unwrap(), b"short");
        assert_eq!(fs::read(folder.join(format!("{:032x}", 2))).unwrap(), long);
        assert_eq!(fs::read(folder.join("f".repeat(32))).unwrap(), b"");
        assert_eq!(worker.keep(1, Bytes::from_static(b"another")).await, Ok(204));
        assert_eq!(fs::read(folder.join(format!("{:032x}", 1))).unwrap(), b"another");
        assert_eq!(names(folder).len(), 3);
    };
    LocalSet::new().run_until(scene).await;
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_and_the_worker_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let scene = async {
        let worker = Worker::new(Some(folder));
        // One byte more than the limit.
        let long = Bytes::from(vec![7; 64 * 1024 * 1024 + 1]);
        assert_eq!(worker.keep(1, long).await, Ok(413));
        assert_eq!(names(folder), [""; 0], "nothing of it is left");
        fs::remove_dir(folder).unwrap();
        assert_eq!(worker.keep(1, Bytes::from_static(b"x")).await, Ok(507));
        fs::create_dir(folder).unwrap();
        assert_eq!(worker.keep(1, Bytes::from_static(b"x")).await, Ok(204));
        // Without a cache folder.
        let without = Worker::new(None);
        assert_eq!(without.keep(1, Bytes::from_static(b"x")).await, Ok(501));
        assert_eq!(without.keep(2, Bytes::new()).await, Ok(501));
        assert!(!worker.handle.is_closed() && !without.handle.is_closed());
    };
    LocalSet::new().run_until(scene).await;
}

#[tokio::test]
async fn a_call_that_is_not_known_is_refused_and_the_worker_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let scene = async {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (mut supervisor, _supervisor) = Connection::new(ours, Side::Supervisor);
        let (mut worker, handle) = Connection::new(theirs, Side::Worker);
        let (_sender, receiver) = handle.open(&Head::Call(Call::Keep { name: 1 }), 0, empty(), true).unwrap();
        let (stream, _) = tokio::join!(supervisor.next(), async {
            poll_fn(|cx| worker.poll_flush(cx)).await.unwrap();
        });
        let Ok(Some(Incoming::Stream { mut head, sender, receiver: body })) = stream else { panic!() };
        // A call that this version of the protocol does not have.
        head.payload = Bytes::from_static(&[0, 77, 0]);
        let mut calls = Calls::new(folder.path().to_str(), Arc::new(Traffic::new(0)));
        calls.opened(head, sender, body);
        let status = tokio::select! {
            never = calls.run() => match never {},
            ended = supervisor.next() => panic!("{ended:?}"),
            ended = worker.next() => panic!("{ended:?}"),
            head = answer(&receiver) => head.unwrap().status,
        };
        assert_eq!(status, 501);
        assert!(!handle.is_closed());
    };
    LocalSet::new().run_until(scene).await;
}

#[tokio::test]
async fn a_flood_of_calls_waits_is_counted_and_holds_up_no_neighbour() {
    let folder = tempfile::tempdir().unwrap();
    let scene = async {
        let (hostile, neighbour) = (Worker::new(None), Worker::new(Some(folder.path())));
        let (mut answered, begun) = (0, Instant::now());
        let flood = async {
            loop {
                let at_once = (0..MAX_CALLS as u128).map(|name| hostile.keep(name, Bytes::new()));
                for status in futures(at_once).await {
                    assert_eq!(status, Ok(501));
                    answered += 1;
                }
            }
        };
        let calls = async {
            let counted = || hostile.traffic.broken(Limit::Calls);
            while counted() == 0 {
                assert_eq!(neighbour.keep(1, Bytes::from_static(b"x")).await, Ok(204));
            }
            // While the other worker is held up, this one is not.
            for _ in 0..3 {
                assert_eq!(neighbour.keep(1, Bytes::from_static(b"x")).await, Ok(204));
            }
        };
        tokio::select! {
            () = flood => {}
            () = calls => {}
        }
        let most = BURST + (begun.elapsed().as_millis() / INTERVAL.as_millis()) as u32;
        assert!(answered <= most as usize + MAX_CALLS, "{answered}");
        assert_eq!(neighbour.traffic.broken(Limit::Calls), 0);
        assert!(!hostile.handle.is_closed(), "it waits, and goes on");
    };
    LocalSet::new().run_until(scene).await;
}

#[tokio::test]
async fn calls_that_are_cancelled_while_they_wait_are_forgotten() {
    let scene = async {
        let worker = Worker::new(None);
        // Far more calls than may be open at once, and more than the rate allows.
        for round in 0..60 {
            let calls: Vec<_> = (0..MAX_CALLS as u128)
                .map(|name| worker.handle.open(&Head::Call(Call::Keep { name }), 0, empty(), true).unwrap())
                .collect();
            drop(calls);
            tokio::task::yield_now().await;
            assert!(!worker.handle.is_closed(), "{round}");
        }
        assert_eq!(worker.keep(1, Bytes::new()).await, Ok(501));
    };
    LocalSet::new().run_until(scene).await;
}

#[tokio::test]
async fn what_is_under_way_when_a_worker_ends_is_dropped_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let scene = async {
        let Worker { handle, ended, driver, .. } = Worker::new(Some(folder));
        let (sender, receiver) = handle.open(&Head::Call(Call::Keep { name: 1 }), 0, empty(), false).unwrap();
        let mut data = Bytes::from(vec![7; 1_000_000]);
        poll_fn(|cx| sender.poll_send(cx, &mut data, false)).await.unwrap();
        while names(folder).is_empty() {
            tokio::task::yield_now().await;
        }
        driver.abort();
        assert!(ended.await.unwrap().is_ok());
        assert!(matches!(answer(&receiver).await, Err(Failure::Closed { .. })));
        while !names(folder).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    LocalSet::new().run_until(scene).await;
}

/// Waits for all of these at once.
async fn futures<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    poll_fn(|cx| {
        for (future, done) in waiting.iter_mut().filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(output) = future.as_mut().poll(cx) {
                *done = Some(output);
            }
        }
        if waiting.iter().all(|(_, done)| done.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    waiting.into_iter().filter_map(|(_, done)| done).collect()
}

#[test]
fn a_burst_is_free_and_then_there_is_one_per_interval() {
    let (mut pace, now) = (CallPace::default(), Instant::now());
    let is_due = |pace: &CallPace, now| pace.due().is_none_or(|due| due <= now);
    for _ in 0..BURST {
        assert!(is_due(&pace, now));
        pace.take(now);
    }
    assert!(!is_due(&pace, now));
    let later = now + INTERVAL;
    assert!(is_due(&pace, later));
    pace.take(later);
    assert!(!is_due(&pace, later));
    // After a pause, a whole burst is allowed again, and no more.
    let much_later = now + 3 * INTERVAL * BURST;
    let mut taken = 0;
    while is_due(&pace, much_later) {
        pace.take(much_later);
        taken += 1;
    }
    assert_eq!(taken, BURST);
}
