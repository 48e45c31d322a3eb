//! `init`: every template is an app that works.

use std::fs;

use nano_supervisor::api::AppState;

use serde_json::json;

use crate::harness::{App, TestSupervisor, folder, run};

/// Creates an app from a template with `init` and serves it.
async fn served(template: &str) -> (TestSupervisor, tempfile::TempDir) {
    let here = folder(&[]);
    let (code, text, errors) = run(here.path(), &["init", "my-app", "--template", template]);
    assert_eq!((code, &*errors), (0, ""));
    let (written, command) = text.split_once("\n\n").unwrap();
    for line in written.lines() {
        let path = line.strip_prefix("wrote ").unwrap();
        assert!(here.path().join(path).is_file(), "{line}");
    }
    assert!(command.ends_with("\n  nano-supervisor dev my-app\n"), "{command}");
    let supervisor = TestSupervisor::plan().app(App::at("app", &here.path().join("my-app"))).start().await;
    assert_eq!(supervisor.app("app").await.state, AppState::Ready, "{:?}", supervisor.log.lines());
    (supervisor, here)
}

#[tokio::test]
async fn hello_answers() {
    let (supervisor, _here) = served("hello").await;
    assert_eq!(supervisor.get("app", "/").await.text(), "Hello World");
}

#[tokio::test]
async fn typescript_answers() {
    let (supervisor, _here) = served("typescript").await;
    assert_eq!(supervisor.get("app", "/").await.text(), "Hello, World!");
    assert_eq!(supervisor.get("app", "/?name=Ada").await.text(), "Hello, Ada!");
}

#[tokio::test]
async fn api_routes_and_says_what_is_wrong() {
    let (supervisor, _here) = served("api").await;
    let client = supervisor.client("app").await;
    assert_eq!(client.get("/").await.unwrap().json(), json!({ "name": "notes", "notes": 0 }));
    let made = client.post("/notes", "{\"text\":\"milk\"}").await.unwrap();
    assert_eq!((made.status, &made.json()["text"]), (201, &json!("milk")));
    let at = made.header("location");
    assert_eq!(client.get(at).await.unwrap().json(), made.json());
    assert_eq!(client.get("/notes").await.unwrap().json(), json!([made.json()]));
    let delete = || client.request("DELETE", at).body(http_body_util::Empty::new()).unwrap();
    assert_eq!(client.send(delete()).await.unwrap().status, 204);
    assert_eq!(client.send(delete()).await.unwrap().status, 404);
    assert_eq!(client.post("/notes", "milk").await.unwrap().status, 400);
    assert_eq!(client.post("/", "").await.unwrap().status, 405);
    assert_eq!(client.get("/nowhere").await.unwrap().json(), json!({ "error": "there is no such path" }));
}

#[tokio::test]
async fn static_serves_its_files() {
    let (supervisor, _here) = served("static").await;
    let page = supervisor.get("app", "/").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text().contains("<h1>Hello World</h1>"));
    assert_eq!(supervisor.get("app", "/style.css").await.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(supervisor.get("app", "/none").await.status, 404);
}

#[test]
fn nothing_is_ever_overwritten() {
    let here = folder(&[("taken/index.js", "mine"), ("file", "mine")]);
    fs::create_dir(here.path().join("empty")).unwrap();
    for name in ["taken", "file"] {
        let (code, _, errors) = run(here.path(), &["init", name]);
        let expected = format!("{name} is there already and not an empty folder; fix: choose another name");
        assert!(code == 1 && errors.contains(&expected), "{errors}");
    }
    assert_eq!(fs::read_to_string(here.path().join("taken/index.js")).unwrap(), "mine");
    assert_eq!(run(here.path(), &["init", "empty"]).1.lines().next(), Some("wrote empty/index.js"));
    let (code, _, errors) = run(here.path(), &["init", "file/app"]);
    assert!(code == 1 && errors.contains("cannot write file/app: Not a directory"), "{errors}");
    assert_eq!(run(here.path(), &["init", "x", "--template", "none"]).0, 2);
}
