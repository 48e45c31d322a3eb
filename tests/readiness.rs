//! `/readyz`: the supervisor is ready when it serves. The answer names the apps that are not ready, and each app can be queried.

use serde_json::{Value, json};

use crate::TestSupervisor;
use crate::harness::{App, Client, free_address, run};

/// Of an app that has failed: it is not tried again during the test.
const AT_REST: &str = "restart = { slow_retry = '1h' }";

#[tokio::test]
async fn the_box_is_ready_when_it_serves_and_names_the_apps_that_are_not() {
    let address = free_address();
    let supervisor = TestSupervisor::plan()
        .app(App::hello("good"))
        .app(App::new("bad", "export default {").set(AT_REST))
        .app(App::hello("worse").file(".env", "A").set(AT_REST))
        .set(&format!("admin = '{address}'"))
        .start()
        .await;
    let admin = Client::afresh(address);
    let get = async |path: &str| {
        let reply = admin.get(path).await.unwrap();
        (reply.status, reply.text().to_owned())
    };
    let all =
        crate::until("it serves", async || Some(get("/readyz").await).filter(|(status, _)| *status == 200))
            .await;
    assert_eq!(all.1, "ready\nnot ready: bad (failed)\nnot ready: worse (failed)\n");
    assert_eq!(get("/readyz?app=good").await, (200, "ready\n".into()));
    assert_eq!(get("/readyz?app=bad").await, (503, "failed\n".into()));
    let (status, text) = get("/readyz?app=none").await;
    assert_eq!((status, &*text), (404, "there is no app \"none\"\n"));
    // Each app of the query is checked, in any order.
    assert_eq!(get("/readyz?app=good&app=bad").await, (503, "good: ready\nbad: failed\n".into()));
    assert_eq!(get("/readyz?app=bad&app=good").await, (503, "bad: failed\ngood: ready\n".into()));
    assert_eq!(get("/readyz?app=good&app=good").await, (200, "good: ready\ngood: ready\n".into()));
    assert_eq!(get("/readyz?app=good&app=none").await.0, 404);
    let json = async |path: &str| -> (u16, Value) {
        let request = admin.request("GET", path).header("accept", "application/json");
        let reply =
            admin.send(request.body(http_body_util::Full::<bytes::Bytes>::default()).unwrap()).await.unwrap();
        (reply.status, reply.json())
    };
    let unready = ["bad", "worse"].map(|app| json!({ "app": app, "state": "failed" }));
    let expected = json!({ "ready": true, "phase": "ready", "not_ready": unready });
    assert_eq!(json("/readyz").await, (200, expected));
    let expected = json!({ "app": "bad", "ready": false, "state": "failed" });
    assert_eq!(json("/readyz?app=bad").await, (503, expected));
    let good = json!({ "app": "good", "ready": true, "state": "ready" });
    assert_eq!(
        json("/readyz?app=good&app=bad").await,
        (503, json!({ "ready": false, "apps": [good, json("/readyz?app=bad").await.1] }))
    );
    // An app that an operator has stopped counts as intended.
    let socket = supervisor.socket().to_str().unwrap();
    assert_eq!(run(supervisor.folder(), &["stop", "bad", "--control", socket]).0, 0);
    assert_eq!(get("/readyz").await.1, "ready\nnot ready: worse (failed)\n");
    assert_eq!(get("/readyz?app=bad").await, (200, "stopped\n".into()));
}

const HANGS: &str = "start_timeout = '500ms'\nrestart = { initial = '1m', max = '1m', crash_loop = 5 }";

#[tokio::test]
async fn an_app_that_hangs_at_its_start_is_not_waited_for_until_it_is_given_up() {
    let address = free_address();
    let supervisor = TestSupervisor::plan()
        .app(App::hello("good"))
        .app(App::new("hangs", "await new Promise(() => {});\nexport default {}").set(HANGS))
        .set(&format!("admin = '{address}'"))
        .launch()
        .await;
    let admin = Client::afresh(address);
    let text = crate::until("it serves", async || {
        Some(admin.get("/readyz").await.unwrap()).filter(|reply| reply.status == 200)
    })
    .await;
    let text = text.text();
    assert!(text.starts_with("ready\nnot ready: hangs (") && !text.contains("failed"), "{text}");
    assert_eq!(supervisor.get("good", "/").await.text(), "hello from good");
}
