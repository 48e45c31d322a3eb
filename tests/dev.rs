//! `dev`: a folder is served as it is after each save, and a save that does not load changes nothing.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::harness::{Load, folder, run};
use crate::{TestSupervisor, until};

fn says(text: &str) -> String {
    format!("export default {{ fetch: (request, env) => new Response('{text}' + (env.MARK ?? '')) }}")
}

/// Serves a folder with these files by `dev`.
async fn develop(files: &[(&str, &str)]) -> TestSupervisor {
    let here = folder(files);
    fs::create_dir(here.path().join("app/.git")).unwrap();
    let supervisor = TestSupervisor::run(here, ["dev", "app", "--port", "0"].map(Into::into).into()).await;
    supervisor.until("app", "was tried", |app| app.state == "ready" || app.state == "failed").await;
    supervisor
}

fn save(supervisor: &TestSupervisor, path: &str, text: &str) {
    fs::write(supervisor.folder().join("app").join(path), text).unwrap();
}

async fn answers(supervisor: &TestSupervisor, text: &str) {
    until(&format!("the answer is {text:?}"), async || {
        (supervisor.get("app", "/").await.text() == text).then_some(())
    })
    .await;
}

#[tokio::test]
async fn each_save_goes_live_without_losing_a_request_and_a_broken_one_changes_nothing() {
    let supervisor = develop(&[("app/index.js", &says("one"))]).await;
    assert!(supervisor.address("app").await.ip().is_loopback());
    let load = Load::on(supervisor.address("app").await).await;
    save(&supervisor, "index.js", &says("two"));
    answers(&supervisor, "two").await;
    save(&supervisor, "index.js", "export default {\n  fetch() { return new Response('x' }\n}");
    supervisor.log.line_with("does not load: SyntaxError: missing ) after argument list").await;
    supervisor.log.line_with("2 |   fetch() { return new Response('x' }").await;
    load.more(20).await;
    save(&supervisor, "index.js", &says("three"));
    answers(&supervisor, "three").await;
    // As editors save that write another file first.
    let (file, other) =
        (supervisor.folder().join("app/index.js"), supervisor.folder().join("app/.index.js.new"));
    fs::write(&other, says("four")).unwrap();
    fs::rename(other, file).unwrap();
    answers(&supervisor, "four").await;
    let seen = load.seen().await;
    assert!(seen.keys().all(|text| ["one", "two", "three", "four"].contains(&&**text)), "{seen:?}");
}

#[tokio::test]
async fn variables_new_folders_and_another_entry_are_followed() {
    let supervisor = develop(&[("app/index.js", &says("hello")), ("app/.env", "MARK=?")]).await;
    answers(&supervisor, "hello?").await;
    save(&supervisor, ".env", "MARK=!");
    answers(&supervisor, "hello!").await;
    fs::create_dir_all(supervisor.folder().join("app/lib/deep")).unwrap();
    save(&supervisor, "lib/deep/word.js", "export const word = 'deep'");
    save(
        &supervisor,
        "index.js",
        "import { word } from './lib/deep/word.js'; export default { fetch: () => new Response(word) }",
    );
    answers(&supervisor, "deep").await;
    save(&supervisor, "lib/deep/word.js", "export const word = 'deeper'");
    answers(&supervisor, "deeper").await;
    save(&supervisor, "main.js", &says("main"));
    save(&supervisor, "wrangler.toml", "main = 'main.js'\nname = 'app'");
    answers(&supervisor, "main!").await;

    // What cannot be a configuration is shown, and the next one that can be goes live.
    save(&supervisor, "wrangler.toml", "main = 'none.js'");
    supervisor.log.line_with("not reloaded, everything goes on as before").await;
    supervisor.log.line_with("wrangler.toml:1: main: there is no file").await;
    answers(&supervisor, "main!").await;
    fs::remove_file(supervisor.folder().join("app/wrangler.toml")).unwrap();
    answers(&supervisor, "deeper").await;
}

#[tokio::test]
async fn packages_and_git_are_not_watched_and_an_app_that_has_failed_is_mended_by_a_save() {
    let supervisor =
        develop(&[("app/index.js", "export default {"), ("app/node_modules/x/index.js", "")]).await;
    assert_eq!(supervisor.app("app").await.state, "failed");
    let reply = supervisor.get("app", "/").await;
    assert!(reply.status == 500 && reply.text().contains("SyntaxError"), "{}", reply.text());
    save(&supervisor, "index.js", &says("mended"));
    answers(&supervisor, "mended").await;
    // Nothing tells of what is not watched; the kernel says what is.
    fs::create_dir(supervisor.folder().join("app/src")).unwrap();
    until("a new folder is watched", async || is_watched(&supervisor, "src").then_some(())).await;
    assert!(is_watched(&supervisor, ""));
    for ignored in ["node_modules", "node_modules/x", ".git"] {
        assert!(!is_watched(&supervisor, ignored), "{ignored}");
    }
}

/// Whether the supervisor has an inotify watch on a folder of the app.
fn is_watched(supervisor: &TestSupervisor, path: &str) -> bool {
    let inode = fs::metadata(supervisor.folder().join("app").join(path)).unwrap().ino();
    let infos = fs::read_dir(format!("/proc/{}/fdinfo", supervisor.pid())).unwrap().flatten();
    let infos = infos.map(|info| fs::read_to_string(info.path()).unwrap_or_default());
    let watch = format!(" ino:{inode:x} ");
    infos
        .flat_map(|info| info.lines().map(str::to_owned).collect::<Vec<_>>())
        .any(|line| line.starts_with("inotify ") && line.contains(&watch))
}

#[test]
fn a_folder_that_is_none_is_an_error() {
    let (code, _, errors) = run(Path::new("/"), &["dev", "nowhere"]);
    assert_eq!(code, 2);
    assert!(errors.contains("nowhere: there is no folder nowhere; fix: create it"), "{errors}");
}
