//! What of the web platform crosses between apps as an argument or a result, here and in workerd.

use serde_json::Value;

use crate::TestSupervisor;
use crate::harness::workerd::Workerd;
use crate::harness::{App, Client};

const APP: &str = include_str!("values/app.js");
const OTHER: &str = include_str!("values/other.js");

/// Returns both apps. The first one has the values of the other one, too.
fn apps() -> [String; 2] {
    let (_, values) = OTHER.split_once('\n').expect("lines");
    let (values, _) = values.split_once("export default").expect("values");
    [format!("{values}{APP}"), OTHER.to_owned()]
}

#[tokio::test]
async fn what_crosses_between_apps_crosses_on_workers() {
    let [app, other] = apps();
    let Some(theirs) = Workerd::serve_two(&app, &other) else { return };
    let ours = TestSupervisor::plan()
        .app(App::new("app", &app).set("services = { OTHER = 'other' }"))
        .app(App::new("other", &other))
        .start()
        .await;
    let clients = [ours.client("app").await, Client::afresh(theirs.address())];
    let [ours, theirs] = clients.map(async |client| client.get("/").await.unwrap().json()).map(Box::pin);
    let (ours, theirs): (Value, Value) = (ours.await, theirs.await);
    let named = theirs.as_object().expect("results");
    assert!(named.len() > 60, "{theirs:#}");
    let differ = named.iter().filter(|(name, value)| ours[*name] != **value);
    let differ: Vec<_> = differ.map(|(name, value)| format!("{name}: {} for {value}", ours[name])).collect();
    assert!(differ.is_empty(), "{differ:#?}");
    assert_eq!(ours["sent: blob"][2], "text/x");
}
