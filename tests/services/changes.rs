//! What becomes of fetches when the other app, or the configuration, changes.

use std::fs;

use serde_json::json;

use super::{both, caller};
use crate::TestSupervisor;
use crate::deploy::{begin, command, empty, says, succeed, succeed_meanwhile, write};
use crate::harness::App;

#[tokio::test]
async fn an_app_that_is_stopped_or_fails_is_answered_for_as_to_clients() {
    let (supervisor, client) = both(App::hello("other")).await;
    assert_eq!(client.get("/").await.unwrap().text(), "hello from other");
    succeed(&supervisor, &["stop", "other"]);
    let stopped = client.get("/").await.unwrap();
    assert_eq!((stopped.status, stopped.text()), (503, "503 Service Unavailable\nThe app is stopped.\n"));
    succeed(&supervisor, &["start", "other"]);
    assert_eq!(client.get("/").await.unwrap().text(), "hello from other");
    fs::write(supervisor.folder().join("other/index.js"), "throw new Error('not today')").unwrap();
    command(&supervisor, &["restart", "other"]);
    let failed = client.get("/").await.unwrap();
    assert_eq!(
        (failed.status, failed.text()),
        (500, "500 Internal Server Error\nThe app could not be loaded.\n")
    );
}

#[tokio::test]
async fn fetches_go_on_while_the_other_app_is_replaced() {
    let (supervisor, client) = both(App::hello("other")).await;
    let load = async {
        for _ in 0..200 {
            let reply = client.get("/").await.unwrap();
            assert_eq!((reply.status, reply.text()), (200, "hello from other"));
        }
    };
    let replace = async {
        for _ in 0..3 {
            succeed_meanwhile(&supervisor, &["restart", "other", "--rolling"]).await;
        }
    };
    tokio::join!(load, replace);
}

#[tokio::test]
async fn a_worker_that_is_replaced_can_still_fetch_in_its_last_work() {
    let caller = "export default { fetch(request, env, ctx) {
        let release;
        const released = new Promise((resolve) => release = resolve);
        if (new URL(request.url).pathname === '/later') {
          ctx.waitUntil((async () => {
            const { signal } = new AbortController();
            console.log('works');
            await (await env.OTHER.fetch('http://other/wait')).text();
            const last = await (await env.OTHER.fetch('http://other/')).text();
            console.log('last: ' + last);
          })());
        }
        return new Response('ok');
      } }";
    let other = "let go;
      const waits = new Promise((resolve) => go = resolve);
      export default { async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === '/wait') await waits;
        if (pathname === '/go') go();
        return new Response('answer to ' + pathname);
      } }";
    let caller = App::new("caller", caller).set("services = { OTHER = 'other' }");
    let supervisor = TestSupervisor::plan().app(caller).app(App::new("other", other)).start().await;
    let before = supervisor.worker("caller").await;
    supervisor.get("caller", "/later").await;
    supervisor.log.line_with("works").await;
    supervisor.in_flight("other", 1).await;
    let restart = begin(&supervisor, &["restart", "caller", "--rolling"]);
    supervisor.replaced("caller", before).await;
    assert_eq!(supervisor.get("caller", "/").await.text(), "ok");
    supervisor.get("other", "/go").await;
    supervisor.log.line_with("last: answer to /").await;
    restart.await.unwrap();
    crate::until("the old worker has ended", async || {
        (!crate::harness::process::is_alive(before)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_reload_changes_what_a_binding_stands_for() {
    let plan = TestSupervisor::plan()
        .app(caller("caller", "first"))
        .app(App::hello("first"))
        .app(App::hello("second"));
    let supervisor = plan.start().await;
    let client = supervisor.client("caller").await;
    let before = supervisor.worker("caller").await;
    assert_eq!(client.get("/").await.unwrap().text(), "hello from first");
    supervisor.rewrite(|text| text.replace("OTHER = 'first'", "OTHER = 'second'"));
    succeed(&supervisor, &["reload"]);
    assert_eq!(client.get("/").await.unwrap().text(), "hello from second");
    // The worker knows no more than the name.
    assert_eq!(supervisor.worker("caller").await, before);
    supervisor.rewrite(|text| text.replace("OTHER = 'second'", "OTHER = 'third'"));
    succeed(&supervisor, &["reload"]);
    let lost = client.get("/").await.unwrap();
    let why = "env.OTHER is the app third, and there is no app of this name";
    assert_eq!((lost.status, lost.json()), (299, json!({ "name": "Error", "message": why, "remote": true })));
    supervisor.rewrite(|text| text.replace("services = { OTHER = 'third' }", ""));
    succeed(&supervisor, &["reload"]);
    let none = client.get("/").await.unwrap().json();
    assert_eq!(none["name"], "TypeError", "{none}");
}

#[tokio::test]
async fn apps_that_are_deployed_find_each_other() {
    let supervisor = empty().await;
    let wrangler = "main = 'worker.js'\n[[services]]\nbinding = 'OTHER'\nservice = 'API'\n";
    write(&supervisor, "site/wrangler.toml", wrangler);
    write(&supervisor, "site/worker.js", super::CALLER);
    let deployed = succeed(&supervisor, &["deploy", "site", "site", "--port", "0", "--host", "127.0.0.1"]);
    assert!(deployed.contains("site"), "{deployed}");
    let client = supervisor.client("site").await;
    let why = "env.OTHER is the app api, and there is no app of this name";
    assert_eq!(client.get("/").await.unwrap().json()["message"], why);
    for release in ["one", "two"] {
        write(&supervisor, "api/index.js", &says(release));
        succeed(&supervisor, &["deploy", "api", "api", "--port", "0", "--host", "127.0.0.1"]);
        assert_eq!(client.get("/").await.unwrap().text(), release);
    }
}

#[tokio::test]
async fn check_names_a_service_that_is_no_app() {
    let folder = crate::harness::folder(&[
        ("site/index.js", "export default { fetch: () => new Response() }"),
        (
            "site/wrangler.toml",
            "main = 'index.js'\n[[services]]\nbinding = 'API'\nservice = 'api'\n[[services]]\nbinding = 'ADMIN'\nservice = 'api'\nentrypoint = 'Admin'\n",
        ),
        ("nano.toml", "[apps.site]\npath = 'site'\nport = 0\n"),
        ("none.toml", "[apps.site]\npath = 'site'\nport = 0\nservices = {}\n"),
        ("fine.toml", "[apps.site]\npath = 'site'\nport = 0\nservices = { API = 'site', ADMIN = 'site' }\n"),
    ]);
    let check = |config: &str, more: &[&str]| {
        let (code, output, _) =
            crate::harness::run(folder.path(), &[&["check", "--config", config], more].concat());
        (code, output)
    };
    let (code, output) = check("nano.toml", &[]);
    assert_eq!(code, 0, "{output}");
    let warning = "site: warning: env.API is the app api, and there is no app of this name; fix: add it, or name another one: \
                   services = { API = \"name\" }";
    assert!(output.contains(warning) && output.contains(&warning.replace("API", "ADMIN")), "{output}");
    let (code, output) = check("nano.toml", &["--strict"]);
    assert!(
        code != 0 && output.contains("site: lacks the bindings API, ADMIN, which fails a strict check"),
        "{output}"
    );
    // A section that says which services there are has the last word.
    for config in ["fine.toml", "none.toml"] {
        let (code, output) = check(config, &[]);
        assert!(code == 0 && !output.contains("there is no app"), "{output}");
    }
    let (code, output) = check("fine.toml", &["--strict"]);
    assert_eq!(code, 0, "{output}");
}
