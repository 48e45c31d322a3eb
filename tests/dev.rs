//! `dev` serves a folder as it is after each save. A save that does not load is reported in the terminal and in the browser.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use nano_supervisor::api::AppState;

use crate::harness::{Load, Terminal, executable, folder, free_address, raw, run};
use crate::{TestSupervisor, until};

fn says(text: &str) -> String {
    format!("export default {{ fetch: (request, env) => new Response('{text}' + (env.MARK ?? '')) }}")
}

/// Serves a folder with these files with `dev`.
async fn develop(files: &[(&str, &str)]) -> TestSupervisor {
    let here = folder(files);
    fs::create_dir(here.path().join("app/.git")).unwrap();
    let supervisor = TestSupervisor::run(here, ["dev", "app", "--port", "0"].map(Into::into).into()).await;
    supervisor
        .until("app", "was tried", |app| app.state == AppState::Ready || app.state == AppState::Failed)
        .await;
    supervisor
}

/// Saves a file as editors do that leave no moment in which half of it is there.
fn save(supervisor: &TestSupervisor, path: &str, text: &str) {
    let saved = supervisor.folder().join("saved");
    fs::write(&saved, text).unwrap();
    fs::rename(saved, supervisor.folder().join("app").join(path)).unwrap();
}

async fn answers(supervisor: &TestSupervisor, text: &str) {
    until(&format!("the answer is {text:?}"), async || {
        (supervisor.get("app", "/").await.text() == text).then_some(())
    })
    .await;
}

#[tokio::test]
async fn each_save_goes_live_without_losing_a_request() {
    let supervisor = develop(&[("app/index.js", &says("one"))]).await;
    let address = supervisor.address("app").await;
    assert!(address.ip().is_loopback());
    supervisor.log.line_with(&format!("http://{address}/ is ")).await;
    let load = Load::on(address).await;
    // Some editors write into the file. The new text is as long, so the file is never cut.
    let mut file = fs::OpenOptions::new().write(true).open(supervisor.folder().join("app/index.js")).unwrap();
    file.write_all(says("two").as_bytes()).unwrap();
    drop(file);
    answers(&supervisor, "two").await;
    let line = supervisor.log.line_with("reloaded index.js in ").await;
    assert!(line.ends_with(" ms"), "{line}");
    load.more(20).await;
    // Others write a new file and rename it over the old one.
    let (file, other) =
        (supervisor.folder().join("app/index.js"), supervisor.folder().join("app/.index.js.new"));
    fs::write(&other, says("three")).unwrap();
    fs::rename(other, file).unwrap();
    answers(&supervisor, "three").await;
    let seen = load.seen().await;
    assert!(seen.keys().all(|text| ["one", "two", "three"].contains(&&**text)), "{seen:?}");
}

#[tokio::test]
async fn an_app_that_its_wrangler_file_gives_another_name_is_followed_on() {
    let here = folder(&[("app/index.js", &says("one"))]);
    let port = free_address().port().to_string();
    let arguments = ["dev", "app", "--port", &port].map(str::to_owned);
    let supervisor = TestSupervisor::run(here, arguments.into()).await;
    supervisor.until("app", "is ready", |app| app.state == AppState::Ready).await;
    let client = supervisor.client("app").await;
    let answers = async |text: &str| {
        until(&format!("{text:?} is answered"), async || {
            client.get("/").await.ok().filter(|reply| reply.text().contains(text))
        })
        .await;
    };
    answers("one").await;
    save(&supervisor, "wrangler.toml", "name = 'other'\nmain = 'index.js'");
    until("it has that name", async || {
        supervisor.status().await.into_iter().find(|app| app.app == "other" && app.state == AppState::Ready)
    })
    .await;
    supervisor.log.line_with("reloaded wrangler.toml in ").await;
    save(&supervisor, "index.js", &says("two"));
    answers("two").await;
    // The error page is served under the new name as well.
    save(&supervisor, "wrangler.toml", "main = [");
    answers("unclosed array").await;
    save(&supervisor, "wrangler.toml", "main = 'index.js'");
    answers("two").await;
    assert!(!supervisor.log.lines().iter().any(|line| line.contains("there is no app")));
}

const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// Returns what a browser gets: status, the `refresh` header, and the page.
async fn page(supervisor: &TestSupervisor) -> (u16, String, String) {
    let client = supervisor.client("app").await;
    let request = client.request("GET", "/page").header("accept", BROWSER);
    let reply = client.send(request.body(http_body_util::Empty::new()).unwrap()).await.unwrap();
    let refresh = reply.headers.get("refresh").map(|value| value.to_str().unwrap().to_owned());
    (reply.status, refresh.unwrap_or_default(), reply.text().to_owned())
}

#[tokio::test]
async fn a_save_that_does_not_load_is_shown_in_the_browser_until_one_does() {
    let supervisor =
        develop(&[("app/index.js", &says("one")), ("app/src/part.ts", "export const part = 1;")]).await;
    answers(&supervisor, "one").await;
    save(&supervisor, "index.js", "export default {\n  fetch() { return new Response('x' }\n}");
    supervisor.log.line_with("error: does not load: SyntaxError: missing ) after argument list").await;
    supervisor.log.line_with("2 |   fetch() { return new Response('x' }").await;
    until("the browser is told", async || (supervisor.get("app", "/").await.status == 500).then_some(()))
        .await;
    let (status, refresh, text) = page(&supervisor).await;
    assert_eq!((status, &*refresh), (500, "1"), "{text}");
    assert!(text.contains("SyntaxError: missing ) after argument list"), "{text}");
    assert_eq!(supervisor.app("app").await.state, AppState::Failed);
    // The error is logged once, not each time the page reloads itself.
    page(&supervisor).await;
    page(&supervisor).await;
    let asked = || supervisor.log.lines().iter().filter(|line| line.starts_with("GET /page ")).count();
    save(&supervisor, "src/part.ts", "export const part: number = 2;");
    save(&supervisor, "index.js", &says("mended"));
    answers(&supervisor, "mended").await;
    supervisor.log.line_with("reloaded index.js").await;
    let (status, refresh, _) = page(&supervisor).await;
    assert_eq!((status, &*refresh), (200, ""));
    until("its requests are there", async || (asked() == 2).then_some(())).await;
    let told = supervisor.log.lines().iter().filter(|line| line.contains("SyntaxError")).count();
    assert_eq!(told, 1, "{:#?}", supervisor.log.lines());
}

#[tokio::test]
async fn its_terminal_shows_requests_what_the_app_prints_and_its_errors_and_nothing_else() {
    let index = "console.log('loading');
        export default { fetch(request) {
            const { pathname } = new URL(request.url);
            if (pathname === '/bad') throw new TypeError('bad');
            console.warn('careful');
            return new Response('x', { status: pathname === '/none' ? 404 : 200 });
        } }";
    let here = folder(&[("app/index.js", index)]);
    let (socket, mut command) = (here.path().join("x.sock"), executable());
    command
        .args(["dev", "app", "--port", "0", "--control"])
        .arg(&socket)
        .current_dir(here.path())
        .env("NO_COLOR", "");
    let terminal = Terminal::start(command, 120, 40);
    terminal.shows("/ is ").await;
    terminal.shows("loading").await;
    let shown = terminal.shown();
    let address = shown.split("http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
    for path in ["/fine", "/none", "/bad"] {
        raw::exchange(address, format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
    }
    for part in [
        "GET /fine \x1b[32m200\x1b[0m \x1b[2m",
        "GET /none \x1b[33m404\x1b[0m \x1b[2m",
        "GET /bad \x1b[31m500\x1b[0m \x1b[2m",
        "\x1b[33mwarning\x1b[0m in GET /fine: careful",
        "\x1b[31merror\x1b[0m in GET /bad: Uncaught TypeError: bad",
    ] {
        terminal.shows(part).await;
    }
    for part in ["worker ready", "request_id", "supervisor: ", "nano_supervisor"] {
        assert!(!terminal.shown().contains(part), "{part} in {}", terminal.shown());
    }
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

    // A file that is not a valid configuration is reported. The next valid one goes live.
    save(&supervisor, "wrangler.toml", "main = 'none.js'");
    supervisor.log.line_with("wrangler.toml:1: main: there is no file").await;
    let told =
        async || supervisor.get("app", "/").await.text().contains("main: there is no file").then_some(());
    until("clients are told", told).await;
    fs::remove_file(supervisor.folder().join("app/wrangler.toml")).unwrap();
    answers(&supervisor, "deeper").await;
}

#[tokio::test]
async fn packages_and_git_are_not_watched_and_an_app_that_has_failed_is_mended_by_a_save() {
    let supervisor =
        develop(&[("app/index.js", "export default {"), ("app/node_modules/x/index.js", "")]).await;
    assert_eq!(supervisor.app("app").await.state, AppState::Failed);
    let reply = supervisor.get("app", "/").await;
    assert!(reply.status == 500 && reply.text().contains("SyntaxError"), "{}", reply.text());
    save(&supervisor, "index.js", &says("mended"));
    answers(&supervisor, "mended").await;
    // No event shows that a folder is not watched, so the test asks the kernel.
    fs::create_dir(supervisor.folder().join("app/src")).unwrap();
    until("a new folder is watched", async || is_watched(&supervisor, "src").then_some(())).await;
    assert!(is_watched(&supervisor, ""));
    for ignored in ["node_modules", "node_modules/x", ".git"] {
        assert!(!is_watched(&supervisor, ignored), "{ignored}");
    }
}

/// Returns whether the supervisor has an inotify watch on a folder of the app.
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

#[tokio::test]
async fn a_save_does_not_wait_for_one_before_it_that_never_comes_to_its_end() {
    let supervisor = develop(&[("app/index.js", &says("one"))]).await;
    for text in ["two", "three"] {
        let hangs = "await new Promise(() => {});\nexport default {};";
        save(&supervisor, "index.js", &format!("console.log('hangs before {text}');\n{hangs}"));
        supervisor.log.line_with(&format!("hangs before {text}")).await;
        save(&supervisor, "index.js", &says(text));
        answers(&supervisor, text).await;
    }
    let lines = supervisor.log.lines();
    assert!(!lines.iter().any(|line| line.contains("error")), "{lines:#?}");
}

#[tokio::test]
async fn it_says_that_a_load_goes_on_and_nothing_of_it_at_the_end() {
    const HANGS: &str = "await new Promise((resolve) => setTimeout(resolve, 1e9)); export default {}";
    let here = folder(&[("app/index.js", HANGS)]);
    let mut supervisor =
        TestSupervisor::run(here, ["dev", "app", "--port", "0"].map(Into::into).into()).await;
    supervisor.log.line_with("still loading app after 2 s").await;
    save(&supervisor, "index.js", &says("one"));
    answers(&supervisor, "one").await;
    save(&supervisor, "index.js", HANGS);
    supervisor.log.line_with("still loading index.js after 2 s").await;
    supervisor.signal(nix::sys::signal::Signal::SIGINT);
    assert_eq!(supervisor.ended().await.code(), Some(0));
    let lines = supervisor.log.lines();
    assert!(
        lines.iter().all(|line| !line.contains("error:") && !line.contains("about to end")),
        "{lines:#?}"
    );
}
