//! Apps of static files alone: they have no worker, and all commands work for them.

use std::fs;

use nano_supervisor::api::AppState;

use super::{WORKER, send};
use crate::TestSupervisor;
use crate::deploy::{command, digests, empty, succeed, write};
use crate::harness::{App, process, run};

/// Returns the state of an app, and whether it has a worker.
async fn state(supervisor: &TestSupervisor, app: &str) -> (AppState, bool) {
    let app = supervisor.app(app).await;
    (app.state, app.pid.is_some())
}

#[tokio::test]
async fn an_app_without_code_needs_no_worker_and_can_be_told_everything() {
    let by_wrangler = App::named("spa")
        .file(
            "wrangler.toml",
            "[assets]\ndirectory = 'dist'\nnot_found_handling = 'single-page-application'\n",
        )
        .file("dist/index.html", "shell")
        // Without `main` this is no code of the app.
        .file("src/index.js", "document.title = 'spa'");
    let by_settings = App::named("site").file("out/index.html", "home").file("out/404.html", "not here");
    let by_settings = by_settings.set("assets = { directory = 'out', not_found_handling = '404-page' }");
    let supervisor = TestSupervisor::plan().set("spares = 0").app(by_wrangler).app(by_settings).start().await;
    for app in ["spa", "site"] {
        assert_eq!(state(&supervisor, app).await, (AppState::Ready, false));
    }
    assert_eq!(process::children(supervisor.pid()), [0; 0]);
    assert_eq!(supervisor.get("spa", "/any/route").await.text(), "shell");
    let missing = supervisor.get("site", "/nowhere").await;
    assert_eq!((missing.status, missing.text()), (404, "not here"));
    let client = supervisor.client("site").await;
    let post = send(&client, "POST", "/", &[]).await;
    assert_eq!((post.status, post.text()), (405, ""));

    assert!(succeed(&supervisor, &["status", "site"]).contains("entry none, static files alone"));
    assert_eq!(command(&supervisor, &["health"]).0, 0);
    for told in [&["restart", "site"][..], &["restart", "site", "--rolling"], &["start", "site"], &["reload"]]
    {
        succeed(&supervisor, told);
        assert_eq!(state(&supervisor, "site").await, (AppState::Ready, false), "{told:?}");
    }
    succeed(&supervisor, &["stop", "site"]);
    assert_eq!(state(&supervisor, "site").await, (AppState::Stopped, false));
    assert_eq!(supervisor.get("site", "/").await.status, 503);
    succeed(&supervisor, &["start", "site"]);
    assert_eq!(supervisor.get("site", "/").await.text(), "home");

    // It gets code, and loses it again.
    fs::write(supervisor.folder().join("site/index.js"), WORKER).unwrap();
    succeed(&supervisor, &["reload"]);
    supervisor.until("site", "has a worker", |app| app.state == AppState::Ready && app.pid.is_some()).await;
    supervisor.rewrite(|config| config.replace(", not_found_handling = '404-page'", ""));
    succeed(&supervisor, &["reload"]);
    assert_eq!(supervisor.get("site", "/api").await.text(), "worker: GET /api");
    fs::remove_file(supervisor.folder().join("site/index.js")).unwrap();
    succeed(&supervisor, &["reload"]);
    supervisor.until("site", "has no worker", |app| app.state == AppState::Ready && app.pid.is_none()).await;
    assert_eq!(
        (supervisor.get("site", "/").await.status, supervisor.get("site", "/api").await.status),
        (200, 404)
    );
}

#[tokio::test]
async fn a_site_is_deployed_and_rolled_back() {
    let supervisor = empty().await;
    let release = |number: &str| {
        write(&supervisor, "site/wrangler.json", r#"{ "assets": { "directory": "." } }"#);
        write(&supervisor, "site/.assetsignore", "wrangler.json");
        write(&supervisor, "site/index.html", number);
    };
    release("one");
    succeed(&supervisor, &["deploy", "site", "site", "--port", "0", "--host", "127.0.0.1"]);
    assert_eq!(supervisor.get("site", "/").await.text(), "one");
    assert_eq!(supervisor.get("site", "/wrangler.json").await.status, 404);
    release("two");
    succeed(&supervisor, &["stop", "site"]);
    succeed(&supervisor, &["deploy", "site", "site"]);
    assert_eq!(supervisor.get("site", "/").await.text(), "two");
    succeed(&supervisor, &["rollback", "site"]);
    assert_eq!(supervisor.get("site", "/").await.text(), "one");
    // Code comes with a deploy, and goes with the next.
    write(&supervisor, "site/wrangler.json", r#"{ "main": "w.js", "assets": { "directory": "." } }"#);
    write(&supervisor, "site/w.js", WORKER);
    succeed(&supervisor, &["deploy", "site", "site"]);
    assert_eq!(supervisor.get("site", "/api").await.text(), "worker: GET /api");
    succeed(&supervisor, &["rollback", "site"]);
    assert_eq!(supervisor.get("site", "/api").await.status, 404);
    assert_eq!(state(&supervisor, "site").await, (AppState::Ready, false));
    assert_eq!(digests(&supervisor, "site").len(), 3);
    succeed(&supervisor, &["remove", "site"]);
    assert_eq!(supervisor.status().await.len(), 0);
}

#[test]
fn a_site_is_checked_without_a_worker() {
    let folder = crate::harness::folder(&[
        ("site/wrangler.toml", "[assets]\ndirectory = 'public'\n"),
        ("site/public/index.html", "home"),
        ("wrong/wrangler.toml", "[assets]\ndirectory = 'public'\nrun_worker_first = true\n"),
        ("wrong/public/index.html", "home"),
    ]);
    let (code, output, errors) = run(folder.path(), &["check", "site", "--port", "0"]);
    assert_eq!((code, &*errors), (0, ""), "{output}");
    assert!(output.starts_with("site: ok, ") && output.contains("/site/public on "), "{output}");
    let (code, output, errors) = run(folder.path(), &["check", "wrong", "--port", "0"]);
    assert_eq!(code, 2);
    let found = output + &errors;
    assert!(
        found.contains("the app has no code that could come first; fix: name the entry module"),
        "{found}"
    );
}
