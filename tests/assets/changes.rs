//! What happens when files change: a reload or a deploy takes effect for files and code together.

use std::fs;

use super::{WORKER, site};
use crate::deploy::{command, empty, says, succeed, succeed_meanwhile, write};
use crate::harness::App;
use crate::{TestSupervisor, within};

#[tokio::test]
async fn a_reload_finds_new_files_and_leaves_the_worker_alone() {
    let supervisor =
        TestSupervisor::plan().app(site().set("assets = { directory = 'public' }")).start().await;
    let worker = supervisor.worker("app").await;
    let public = supervisor.folder().join("app/public");
    assert_eq!(supervisor.get("app", "/app.js").await.text(), "console.log(1)");
    fs::write(public.join("app.js"), "console.log(2)").unwrap();
    fs::write(public.join("about.html"), "another").unwrap();
    fs::write(public.join("new.txt"), "new").unwrap();
    // What is in memory is what it was. What has changed on disk is not served under a tag that is not its own.
    assert_eq!(supervisor.get("app", "/app.js").await.text(), "console.log(1)");
    let changed = supervisor.get("app", "/about").await;
    assert_eq!(changed.status, 500);
    supervisor
        .log
        .line_with("it has changed since the app's files were read; fix: nano-supervisor reload")
        .await;
    assert_eq!(supervisor.get("app", "/new.txt").await.text(), "worker: GET /new.txt");
    assert_eq!(succeed(&supervisor, &["reload"]), "app: changed\n");
    for (path, text) in [("/app.js", "console.log(2)"), ("/about", "another"), ("/new.txt", "new")] {
        assert_eq!(supervisor.get("app", path).await.text(), text);
    }
    assert_eq!(supervisor.worker("app").await, worker);
    // Nothing has changed, so nothing changes.
    assert_eq!(succeed(&supervisor, &["reload"]), "nothing has changed\n");
}

#[tokio::test]
async fn a_folder_that_is_gone_leaves_what_is_served_as_it_is() {
    let supervisor =
        TestSupervisor::plan().app(site().set("assets = { directory = 'public' }")).start().await;
    assert_eq!(supervisor.get("app", "/").await.status, 200);
    fs::rename(supervisor.folder().join("app/public"), supervisor.folder().join("app/elsewhere")).unwrap();
    let (_, output, errors) = command(&supervisor, &["reload"]);
    assert!((output + &errors).contains("there is no folder"));
    assert_eq!(supervisor.get("app", "/").await.text(), "<h1>home</h1>");
    assert_eq!(supervisor.get("app", "/api").await.text(), "worker: GET /api");
}

#[tokio::test]
async fn a_deploy_and_a_rollback_switch_files_and_code_together() {
    let supervisor = empty().await;
    let release = |number: &str| {
        write(&supervisor, "site/wrangler.toml", "main = 'worker.js'\n[assets]\ndirectory = 'public'\n");
        write(&supervisor, "site/worker.js", &says(&format!("code {number}")));
        write(&supervisor, "site/public/index.html", &format!("files {number}"));
    };
    let both = async || {
        let [code, files] =
            ["/api", "/"].map(async |path| supervisor.get("site", path).await.text().to_owned());
        (code.await, files.await)
    };
    release("1");
    succeed(&supervisor, &["deploy", "site", "site", "--port", "0", "--host", "127.0.0.1"]);
    assert_eq!(both().await, ("code 1".into(), "files 1".into()));
    release("2");
    assert_eq!(both().await, ("code 1".into(), "files 1".into()));
    succeed(&supervisor, &["deploy", "site", "site"]);
    assert_eq!(both().await, ("code 2".into(), "files 2".into()));
    succeed(&supervisor, &["rollback", "site"]);
    assert_eq!(both().await, ("code 1".into(), "files 1".into()));
    // A deploy without the files that it names changes nothing.
    fs::remove_dir_all(supervisor.folder().join("site/public")).unwrap();
    let (code, _, errors) = command(&supervisor, &["deploy", "site", "site"]);
    assert!(code != 0 && errors.contains("there is no folder"), "{errors}");
    assert_eq!(both().await, ("code 1".into(), "files 1".into()));
}

#[tokio::test]
async fn whoever_has_seen_new_code_sees_no_old_file() {
    let supervisor = empty().await;
    let release = |number: usize| {
        write(&supervisor, "site/wrangler.toml", "main = 'worker.js'\n[assets]\ndirectory = 'public'\n");
        write(&supervisor, "site/worker.js", &says(&number.to_string()));
        write(&supervisor, "site/public/index.html", &number.to_string());
    };
    release(0);
    succeed(&supervisor, &["deploy", "site", "site", "--port", "0", "--host", "127.0.0.1"]);
    let client = supervisor.client("site").await;
    let number = async |path: &str| -> usize {
        let reply = client.get(path).await.unwrap();
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.text().parse().unwrap()
    };
    for next in 1..4 {
        release(next);
        let deploy = succeed_meanwhile(&supervisor, &["deploy", "site", "site"]);
        let watch = async {
            loop {
                let code = number("/api").await;
                let files = number("/").await;
                assert!(files >= code, "code {code} with files {files}");
                if code == next {
                    return;
                }
            }
        };
        within(async { tokio::join!(deploy, watch) }).await;
    }
}

#[tokio::test]
async fn files_in_the_settings_outrank_those_of_the_wrangler_file() {
    let app = App::new("app", WORKER)
        .file("wrangler.toml", "[assets]\ndirectory = 'nowhere'\nbinding = 'ASSETS'\n")
        .file("mine/a.txt", "mine")
        .set("assets = { directory = './mine' }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    assert_eq!(supervisor.get("app", "/a.txt").await.text(), "mine");
}
