//! Frames of a worker that have no effect. A worker that sends them without end is ended, and no other app is affected.

use std::io::Write as _;

use nix::sys::signal::Signal;

use crate::TestSupervisor;
use crate::harness::{App, process};

/// The descriptors of a worker's connections.
const CONTROL: i32 = 3;
const REQUESTS: i32 = 4;

/// On a stream that is over: an empty part of a body, credit of zero bytes, and a failure. On the control connection:
/// an answer to a ping that was not sent.
const FRAMES: [(i32, &[u8]); 4] = [
    (REQUESTS, &[0, 0, 0, 0, 34, 0, 1, 0, 0, 0, 0, 0]),
    (REQUESTS, &[1, 0, 0, 0, 36, 0, 1, 0, 0, 0, 0, 0, 0]),
    (REQUESTS, &[3, 0, 0, 0, 38, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
    (CONTROL, &[1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 1]),
];

#[tokio::test]
async fn a_worker_that_sends_frame_after_frame_of_which_nothing_comes_is_ended_alone() {
    let app = App::hello("app").set("hung_timeout = '1h'\nwatchdog = '50m'");
    let plan = TestSupervisor::plan().app(app).app(App::hello("neighbour"));
    let supervisor = plan.set("io_threads = 1").start().await;
    let neighbour = supervisor.client("neighbour").await;
    for (descriptor, frame) in FRAMES {
        // This request opens the first stream of the worker's connection. The frames below belong to it, and arrive
        // when it is over.
        assert_eq!(supervisor.get("app", "/").await.text(), "hello from app");
        supervisor.in_flight("app", 0).await;
        let worker = supervisor.worker("app").await;
        // The worker is stopped, because its own frames would mix with those of the test.
        process::signal(worker, Signal::SIGSTOP);
        let mut socket = process::socket(worker, descriptor);
        let flood = tokio::task::spawn_blocking(move || {
            let many = frame.repeat(1000);
            while socket.write_all(&many).is_ok() {}
        });
        while !flood.is_finished() {
            assert_eq!(neighbour.get("/").await.unwrap().text(), "hello from neighbour");
        }
        flood.await.unwrap();
        let after = supervisor.replaced("app", worker).await;
        let why = after.last_exit.unwrap_or_default();
        assert!(why.ends_with("frames without end that change nothing"), "{frame:?}: {why}");
        assert_eq!(supervisor.get("app", "/").await.text(), "hello from app");
    }
    assert_eq!(supervisor.app("neighbour").await.restarts, 0);
}
