//! Static files: served by the supervisor without the app's JavaScript, whatever becomes of its worker.

mod as_on_workers;
mod binding;
mod changes;
mod files_only;
mod hostile;
mod of_pages;

use std::fs;
use std::os::unix::fs::symlink;

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder};
use bytes::Bytes;
use http_body_util::Full;
use nano_supervisor::api::AppState;
use nix::sys::signal::Signal;
use tokio::io::AsyncReadExt as _;

use crate::harness::client::Reply;
use crate::harness::{App, Client, process, raw, run};
use crate::{TestSupervisor, within};

/// A worker that says which requests it gets.
const WORKER: &str = "export default { fetch(request) {
  const { pathname, search } = new URL(request.url);
  if (pathname === '/hang') {
    // The line leaves before JavaScript stops returning.
    console.log('hangs');
    return new Promise(() => setTimeout(() => { for (;;); }, 1));
  }
  return new Response(`worker: ${request.method} ${pathname}${search}`);
} }";

/// More than is kept in memory of a file.
fn large() -> String {
    (0..40_000).map(|number| format!("{number:06}\n")).collect()
}

fn site() -> App {
    App::new("app", WORKER)
        .file("public/index.html", "<h1>home</h1>")
        .file("public/about.html", "about")
        .file("public/app.js", "console.log(1)")
        .file("public/large.txt", &large())
        .file("public/empty.css", "")
}

async fn send(client: &Client, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let request = client.request(method, path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    within(client.send(request.body(Full::<Bytes>::default()).unwrap())).await.unwrap()
}

#[tokio::test]
async fn files_come_with_tags_types_and_ranges_over_http1_and_http2() {
    let app = site().set("assets = { directory = 'public' }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let address = supervisor.address("app").await;
    for http2 in [false, true] {
        let client = Client::new(address, http2);
        let get = async |path: &str, headers: &[(&str, &str)]| send(&client, "GET", path, headers).await;
        let home = get("/", &[]).await;
        assert_eq!((home.status, home.text()), (200, "<h1>home</h1>"));
        assert_eq!(home.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(home.header("cache-control"), "public, max-age=0, must-revalidate");
        assert_eq!((home.header("content-length"), home.header("accept-ranges")), ("13", "bytes"));
        assert_eq!(home.header("x-request-id").len(), 32);
        let tag = home.header("etag");
        assert!(tag.len() == 34 && tag.starts_with('"'), "{tag}");
        let same = get("/", &[("if-none-match", &format!("\"x\", W/{tag}"))]).await;
        assert_eq!((same.status, same.text(), same.header("etag")), (304, "", tag));
        assert_eq!(get("/", &[("if-none-match", "\"x\"")]).await.status, 200);

        let large = large();
        // Of a file in memory, and of one that is read.
        for (path, text) in [("/app.js", "console.log(1)"), ("/large.txt", &*large)] {
            let whole = get(path, &[]).await;
            assert!(whole.status == 200 && whole.text() == text, "{path}");
            let part = get(path, &[("range", "bytes=3-9")]).await;
            assert_eq!((part.status, part.text()), (206, &text[3..10]));
            assert_eq!(part.header("content-range"), format!("bytes 3-9/{}", text.len()));
            assert_eq!(part.header("cache-control"), "");
            let end = get(path, &[("range", "bytes=-5")]).await;
            assert_eq!((end.status, end.text()), (206, &text[text.len() - 5..]));
            let outside = get(path, &[("range", &format!("bytes={}-", text.len()))]).await;
            assert_eq!((outside.status, outside.text()), (416, ""));
            assert_eq!(outside.header("content-range"), format!("bytes */{}", text.len()));
            let head = send(&client, "HEAD", path, &[]).await;
            assert_eq!((head.status, head.text()), (200, ""));
            assert_eq!(head.header("content-length"), text.len().to_string());
            assert_eq!(head.header("etag"), whole.header("etag"));
        }
        assert_eq!(get("/empty.css", &[]).await.header("content-type"), "text/css; charset=utf-8");
        assert_eq!(get("/empty.css", &[("range", "bytes=0-")]).await.status, 416);
        let post = within(client.post("/app.js", vec![b'x'; 1 << 20])).await.unwrap();
        assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD"));
        // All others are for the worker.
        assert_eq!(get("/api?x=1", &[]).await.text(), "worker: GET /api?x=1");
        assert_eq!(send(&client, "POST", "/api", &[]).await.text(), "worker: POST /api");
        let moved = get("/about.html?x", &[]).await;
        assert_eq!((moved.status, moved.header("location")), (307, "/about?x"));
    }
    supervisor.in_flight("app", 0).await;
}

#[tokio::test]
async fn files_are_compressed_for_those_who_accept_it() {
    let page = "all work and no play makes jack a dull boy\n".repeat(100);
    let app = App::hello("app")
        .file("public/page.html", &page)
        .file("public/large.txt", &large())
        .file("public/short.txt", "short")
        .file("public/raw.txt", &page)
        .file("public/image.png", &page)
        .file("public/_headers", "/raw.txt\n  Cache-Control: no-transform\n")
        .set("assets = { directory = 'public' }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    for http2 in [false, true] {
        let client = Client::new(supervisor.address("app").await, http2);
        let get = async |path: &str, headers: &[(&str, &str)]| send(&client, "GET", path, headers).await;
        for (path, text) in [("/page", &page), ("/large.txt", &large())] {
            let plain = get(path, &[]).await;
            assert!(plain.text() == text && plain.header("content-encoding").is_empty());
            assert_eq!(plain.header("vary"), "accept-encoding");
            for (accepted, coding) in [
                ("gzip, br;q=0.1", "gzip"),
                ("gzip, deflate, br, zstd", "br"),
                ("gzip, deflate, br;q=0.9, zstd", "zstd"),
            ] {
                let coded = get(path, &[("accept-encoding", accepted)]).await;
                assert_eq!((coded.status, coded.header("content-encoding")), (200, coding));
                assert_eq!(coded.header("content-length"), coded.body.len().to_string());
                assert!(coded.body.len() < text.len() / 3);
                assert!(decoded(coding, &coded.body).await == text.as_bytes());
                assert_eq!(coded.header("etag"), format!("W/{}", plain.header("etag")));
                assert_eq!(coded.header("vary"), "accept-encoding");
                let head = send(&client, "HEAD", path, &[("accept-encoding", accepted)]).await;
                assert_eq!(head.header("content-length"), coded.header("content-length"));
                let known = [("accept-encoding", accepted), ("if-none-match", coded.header("etag"))];
                let same = get(path, &known).await;
                assert_eq!((same.status, same.header("etag")), (304, coded.header("etag")));
                let part = get(path, &[("accept-encoding", accepted), ("range", "bytes=0-3")]).await;
                assert_eq!(
                    (part.status, part.text(), part.header("content-encoding")),
                    (206, &text[..4], "")
                );
            }
        }
        for path in ["/short.txt", "/raw.txt", "/image.png"] {
            let plain = get(path, &[("accept-encoding", "br")]).await;
            assert_eq!((plain.status, plain.header("content-encoding")), (200, ""), "{path}");
            assert_eq!(plain.header("content-length"), plain.body.len().to_string());
        }
    }
}

async fn decoded(coding: &str, body: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    match coding {
        "br" => BrotliDecoder::new(body).read_to_end(&mut decoded).await.unwrap(),
        "zstd" => return zstd::decode_all(body).unwrap(),
        _ => GzipDecoder::new(body).read_to_end(&mut decoded).await.unwrap(),
    };
    decoded
}

#[tokio::test]
async fn files_are_served_while_the_worker_is_not() {
    let broken = site().file("index.js", "this is no JavaScript").set("assets = { directory = 'public' }");
    let crashing = App::new("crashing", WORKER)
        .file("public/index.html", "still here")
        .set("assets.directory = 'public'\nrestart = { initial = '1h', max = '1h' }");
    let supervisor = TestSupervisor::plan().app(broken).app(crashing).start().await;
    assert_eq!(supervisor.app("app").await.state, AppState::Failed);
    assert_eq!(supervisor.get("app", "/").await.text(), "<h1>home</h1>");
    assert_eq!(supervisor.get("app", "/large.txt").await.text().len(), large().len());
    assert_eq!(supervisor.get("app", "/other").await.status, 500);

    let client = supervisor.client("crashing").await;
    let hanging = tokio::spawn(async move { client.get("/hang").await.map(|reply| reply.status).ok() });
    // Wait until the worker has begun the request: otherwise the next worker would get it.
    supervisor.log.line_with("hangs").await;
    assert_eq!(supervisor.get("crashing", "/").await.text(), "still here");
    let worker = supervisor.worker("crashing").await;
    process::signal(worker, Signal::SIGKILL);
    assert_eq!(hanging.await.unwrap(), Some(500));
    let next = supervisor.replaced("crashing", worker).await;
    process::signal(next.pid.unwrap(), Signal::SIGKILL);
    supervisor.until("crashing", "waits for its next start", |app| app.state == AppState::BackingOff).await;
    assert_eq!(supervisor.get("crashing", "/").await.text(), "still here");
    // An app that is stopped is stopped.
    let socket = supervisor.socket().to_str().unwrap();
    assert_eq!(run(supervisor.folder(), &["stop", "crashing", "--control", socket]).0, 0);
    assert_eq!(supervisor.get("crashing", "/").await.status, 503);
}

#[tokio::test]
async fn no_path_leads_to_a_file_that_is_not_served() {
    let app = site()
        .file("public/.env", "SECRET")
        .file("public/.git/config", "SECRET")
        .file("public/_headers", "# SECRET")
        .file("public/_worker.js", "SECRET")
        .file("public/drafts/x.html", "SECRET")
        .file("public/.assetsignore", "drafts\n*.map\n")
        .file("public/app.js.map", "SECRET")
        .file("public/.well-known/security.txt", "contact")
        .file("secret.txt", "SECRET")
        .set("assets = { directory = 'public' }");
    let supervisor = TestSupervisor::plan().app(app).launch().await;
    let folder = supervisor.folder().join("app");
    for (link, target) in
        [("out.txt", "../secret.txt"), ("up", ".."), ("env", ".env"), ("home.html", "index.html")]
    {
        symlink(target, folder.join("public").join(link)).unwrap();
    }
    let socket = supervisor.socket().to_str().unwrap();
    assert_eq!(run(supervisor.folder(), &["reload", "--control", socket]).0, 0);
    supervisor.until("app", "is ready", |app| app.state == AppState::Ready).await;
    supervisor.log.line_with("left out, because they are symlinks").await;
    assert_eq!(supervisor.get("app", "/.well-known/security.txt").await.text(), "contact");
    assert_eq!(supervisor.get("app", "/home").await.text(), "<h1>home</h1>");
    let address = supervisor.address("app").await;
    for path in [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/..\\secret.txt",
        "/..%5csecret.txt",
        "//secret.txt",
        "/up/secret.txt",
        "/out.txt",
        "/env",
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/_headers",
        "/_worker.js",
        "/.assetsignore",
        "/drafts/x",
        "/drafts/x.html",
        "/app.js.map",
        "/about.html%00.js",
        "/./.env",
    ] {
        let answer =
            raw::exchange(address, format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
        assert!(!answer.contains("SECRET"), "{path}: {answer}");
        assert!(answer.contains("worker: GET"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn the_worker_comes_first_where_the_settings_say_so() {
    let all = App::new("all", WORKER).file("public/a.txt", "file");
    let all = all.set("assets = { directory = 'public', run_worker_first = true }");
    let some =
        App::new("some", WORKER).file("public/api/a.txt", "file").file("public/api/docs/a.txt", "docs");
    let some = some.file("public/index.html", "shell").set(
        "assets = { directory = 'public', not_found_handling = 'single-page-application', \
         run_worker_first = ['/api/*', '!/api/docs/*'] }",
    );
    let page = App::new("page", WORKER).file("public/404.html", "not here").file("public/a.html", "a");
    let page = page
        .set("assets = { directory = 'public', not_found_handling = '404-page', html_handling = 'none' }");
    let supervisor = TestSupervisor::plan().app(all).app(some).app(page).start().await;
    let text = async |app: &str, path: &str| supervisor.get(app, path).await.text().to_owned();
    assert_eq!(text("all", "/a.txt").await, "worker: GET /a.txt");
    for (path, expected) in [
        ("/api/a.txt", "worker: GET /api/a.txt"),
        ("/api/docs/a.txt", "docs"),
        ("/api/docs/none", "shell"),
        ("/anything", "shell"),
    ] {
        assert_eq!(text("some", path).await, expected);
    }
    // A browser that navigates gets the page, everybody else the worker.
    assert_eq!(text("page", "/a.html").await, "a");
    assert_eq!(text("page", "/a").await, "worker: GET /a");
    let client = supervisor.client("page").await;
    let found = send(&client, "GET", "/a", &[("sec-fetch-mode", "navigate")]).await;
    assert_eq!((found.status, found.text()), (404, "not here"));
}

#[tokio::test]
async fn a_wrangler_file_says_what_is_served() {
    let wrangler = r#"{
        "main": "dist/worker.js",
        "assets": { "directory": "./dist/client", "html_handling": "drop-trailing-slash", "run_worker_first": ["/api/*"] },
    }"#;
    let app = App::named("app")
        .file("wrangler.jsonc", wrangler)
        .file("dist/worker.js", WORKER)
        .file("dist/client/docs/index.html", "docs")
        .file("dist/client/_redirects", "/old/* /docs/:splat 301\n")
        .file("dist/client/_headers", "/docs\n  x-frame-options: DENY\n");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let docs = supervisor.get("app", "/docs").await;
    assert_eq!((docs.text(), docs.header("x-frame-options")), ("docs", "DENY"));
    let moved = supervisor.get("app", "/old/x").await;
    assert_eq!((moved.status, moved.header("location")), (301, "/docs/x"));
    assert_eq!(supervisor.get("app", "/api/docs").await.text(), "worker: GET /api/docs");
    assert!(supervisor.log.lines().iter().all(|line| !line.contains("ignored, because")));
}

#[tokio::test]
async fn they_are_counted_and_logged_like_other_answers() {
    let app = site().set("assets = { directory = 'public' }");
    let supervisor = TestSupervisor::plan().set("access_log = true").app(app).start().await;
    let before = supervisor.app("app").await.requests;
    assert_eq!(supervisor.get("app", "/app.js").await.status, 200);
    let line = supervisor.log.line_with("\"target\":\"/app.js\"").await;
    for part in ["\"app\":\"app\"", "\"status\":200", "\"bytes\":14", "\"method\":\"GET\""] {
        assert!(line.contains(part), "{line}");
    }
    assert!(!line.contains("worker_ms"), "{line}");
    supervisor.until("app", "has counted", |app| app.requests == before + 1).await;
}

#[test]
fn what_cannot_be_served_is_told_when_it_is_checked() {
    let check = |settings: &str| {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("app/public")).unwrap();
        fs::write(folder.path().join("app/index.js"), WORKER).unwrap();
        let large = fs::File::create(folder.path().join("app/public/large.bin")).unwrap();
        large.set_len(25 * 1024 * 1024 + 1).unwrap();
        let config = format!("[apps.app]\npath = 'app'\nport = 0\nassets = {{ {settings} }}\n");
        fs::write(folder.path().join("nano.toml"), config).unwrap();
        let (code, output, errors) = run(folder.path(), &["check", "--config", "nano.toml"]);
        assert_eq!(code, 2);
        output + &errors
    };
    for (settings, what) in [
        (
            "directory = 'dist'",
            "nano.toml:4: apps.app.assets: there is no folder app/dist; fix: build the app first",
        ),
        ("directory = '..'", "app/.. leads out of the app's folder"),
        (
            "directory = 'public'",
            "app/public/large.bin has 25.0 MiB, and a file may have 25.0 MiB at most; fix: name it in",
        ),
        ("", "apps.app.assets.directory: is missing; fix: add a line such as directory = \"./public\""),
        (
            "directory = 'x', html_handling = 'x'",
            "html_handling: \"x\" is none of its values; fix: write \"auto-trailing-",
        ),
        ("directory = 'x', run_worker_first = ['api']", "\"api\" does not begin with `/` or `!/`"),
        ("directry = 'x'", "apps.app.assets.directry: unknown field; fix: did you mean `directory`?"),
    ] {
        let found = check(settings);
        assert!(found.contains(what), "{settings}: {found}");
    }
}
