//! Fetches of an app from its own entrypoints, here and in workerd.

use std::net::SocketAddr;

use crate::harness::workerd::Both;

#[tokio::test]
async fn a_fetch_of_an_own_entrypoint_is_what_it_is_on_workers() {
    let nothing = SocketAddr::from(([127, 0, 0, 1], 9));
    let Some(both) = Both::serve(include_str!("loopback/app.js"), nothing).await else { return };
    let results = both.assert_same_results(50).await;
    assert_eq!(results["GET 302"][1], "http://own.example/end");
}
