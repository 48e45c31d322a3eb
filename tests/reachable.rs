//! No app can reach anything that gives access to the host: a walk over every object that an app can get.

use crate::harness::App;
use crate::{TestSupervisor, within};

#[tokio::test]
async fn nothing_of_the_host_or_of_the_engine_can_be_reached() {
    let app = App::new("app", include_str!("reachable.js")).set("env = { NAME = 'value' }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let reply = within(supervisor.get("app", "/")).await.json();
    assert_eq!(reply["findings"], serde_json::json!([]), "{:#}", reply["findings"]);
    // Checks that the walk went far, and that it inspected what internal code leaves on the stack.
    assert!(reply["seen"].as_u64() > Some(1500) && reply["frames"].as_u64() > Some(50), "{reply}");
}
