//! Several apps, each in its own process, on ports and hosts of their own.

use crate::TestSupervisor;
use crate::harness::{App, process};

#[tokio::test]
async fn two_apps_on_two_ports_run_independently() {
    let supervisor = TestSupervisor::plan().app(App::hello("one")).app(App::hello("two")).start().await;
    assert_eq!(supervisor.get("one", "/").await.text(), "hello from one");
    assert_eq!(supervisor.get("two", "/").await.text(), "hello from two");
    let (one, two) = (supervisor.worker("one").await, supervisor.worker("two").await);
    assert_ne!(one, two);
    let mut workers = process::children(supervisor.pid());
    workers.sort_unstable();
    let mut expected = [one, two];
    expected.sort_unstable();
    assert_eq!(workers, expected);
}
