//! Nothing that reaches the host can be got at from an app: a walk over every object it can get hold of.

use crate::harness::App;
use crate::{TestSupervisor, within};

#[tokio::test]
async fn nothing_of_the_host_or_of_the_engine_can_be_reached() {
    let app = App::new("app", include_str!("reachable.js")).set("env = { NAME = 'value' }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let reply = within(supervisor.get("app", "/")).await.json();
    assert_eq!(reply["findings"], serde_json::json!([]), "{:#}", reply["findings"]);
    // That it went far, and looked at what internal code leaves on the stack.
    assert!(reply["seen"].as_u64() > Some(1500) && reply["frames"].as_u64() > Some(50), "{reply}");
}
