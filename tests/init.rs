//! `init`: every template is an app that works.

use std::fs;

use nano_supervisor::api::AppState;

use serde_json::json;

use crate::deploy::command;
use crate::harness::talker::{TEXT, Talker};
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
async fn site_serves_its_files_and_its_api() {
    let (supervisor, _here) = served("site").await;
    let page = supervisor.get("app", "/").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text().contains("<h1>Hello World</h1>"));
    assert_eq!(supervisor.get("app", "/style.css").await.header("content-type"), "text/css; charset=utf-8");
    let time = supervisor.get("app", "/api/time").await.json();
    assert!(humantime::parse_rfc3339(time["time"].as_str().unwrap()).is_ok(), "{time}");
    assert_eq!(supervisor.get("app", "/none").await.status, 404);
    assert_eq!(served("static").await.0.get("app", "/style.css").await.status, 200);
}

#[tokio::test]
async fn chat_passes_on_what_is_said() {
    let (supervisor, _here) = served("chat").await;
    assert!(supervisor.get("app", "/").await.text().contains("<title>chat</title>"));
    let address = supervisor.address("app").await;
    let mut room = [Talker::open(address, "/"), Talker::open(address, "/")];
    for (number, talker) in room.iter_mut().enumerate() {
        assert_eq!(talker.hears(), format!("text {} here", number + 1));
    }
    room[0].send(TEXT, "hello");
    for talker in &mut room {
        assert_eq!(talker.hears(), "text hello");
    }
}

#[tokio::test]
async fn cron_runs_when_it_is_triggered_and_shows_what_came_of_it() {
    let (supervisor, _here) = served("cron").await;
    assert_eq!(supervisor.app("app").await.crons.len(), 1);
    let (code, text, errors) = command(&supervisor, &["trigger", "app"]);
    assert_eq!(code, 0, "{text} {errors}");
    assert!(supervisor.get("app", "/").await.text().starts_with("the report of "));
}

#[tokio::test]
async fn services_ask_each_other() {
    let here = folder(&[]);
    let (code, text, errors) = run(here.path(), &["init", "two", "--template", "services"]);
    assert_eq!((code, &*errors), (0, ""));
    assert!(text.ends_with("\nserve both with:\n  nano-supervisor serve --config two/nano.toml\n"), "{text}");
    let config = here.path().join("two/nano.toml");
    let anywhere = fs::read_to_string(&config).unwrap().replace("8080", "0").replace("8081", "0");
    fs::write(&config, anywhere).unwrap();
    let (code, text, errors) = run(here.path(), &["check", "--strict", "--config", "two/nano.toml"]);
    assert_eq!(code, 0, "{text} {errors}");
    let app = |name: &str| App::at(name, &here.path().join("two").join(name));
    let services = "services = { STOCK = 'stock', ORDERS = { app = 'stock', entrypoint = 'Orders', props = { customer = 'shop' } } }";
    let supervisor = TestSupervisor::plan().app(app("shop").set(services)).app(app("stock")).start().await;
    assert_eq!(supervisor.get("shop", "/lamp").await.text(), "3 left of lamp\n");
    assert_eq!(supervisor.get("shop", "/shelf").await.status, 404);
    let client = supervisor.client("shop").await;
    let order = async |count: &'static str| client.post("/lamp", count).await.unwrap().text().to_owned();
    assert_eq!(order("2").await, "2 of lamp for shop, 1 left\n");
    assert_eq!(order("2").await, "There are 1 of lamp\n");
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
