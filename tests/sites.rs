//! Workers Sites: their code reads their files as a KV namespace, and answers with them by `@cloudflare/kv-asset-handler`. Compared with
//! workerd, in which miniflare runs the same. Skipped with a message if npm cannot install them.

mod service_workers;
mod uploads;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::{Value, json};

use crate::deploy::{empty, succeed, succeed_meanwhile, write};
use crate::harness::miniflare::{self, Miniflare};
use crate::harness::{App, Client, folder, run};
use crate::{TestSupervisor, within};

const WRANGLER: &str = "main = 'index.js'\n[site]\nbucket = './public'\n";

/// Says what the namespace has for each path of the query, and under which key.
const READS: &str = "import manifestJSON from '__STATIC_CONTENT_MANIFEST';
const manifest = JSON.parse(manifestJSON);
export default { async fetch(request, env) {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === '/paths') return Response.json(Object.keys(manifest).sort());
  if (pathname === '/manifest') return Response.json(manifest);
  if (pathname === '/key') return new Response(await env.__STATIC_CONTENT.get(searchParams.get('key')));
  return new Response(await env.__STATIC_CONTENT.get(manifest[pathname.slice(1)] ?? 'none'));
} };";

fn large() -> Vec<u8> {
    (0..700_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

/// Puts the files of a Workers Site into a folder.
fn fill(public: &Path) {
    fs::create_dir_all(public.join("img/deep")).unwrap();
    for (path, contents) in [
        ("index.html", &b"<h1>home</h1>"[..]),
        ("about.html", b"about"),
        ("404.html", b"nothing here"),
        ("data.json", b"{\"a\":1}"),
        ("app.js", b"console.log(1)"),
        ("empty.txt", b""),
        ("bom.txt", b"\xef\xbb\xbftext"),
        ("img/a b.svg", b"<svg></svg>"),
        ("img/deep/index.html", b"deep"),
        ("noextension", b"plain"),
    ] {
        fs::write(public.join(path), contents).unwrap();
    }
    fs::write(public.join("large.bin"), large()).unwrap();
}

#[tokio::test]
async fn its_code_answers_with_its_files_as_on_workers() {
    let Some(packages) = miniflare::installed() else { return };
    let site = tempfile::tempdir().unwrap();
    fill(&site.path().join("public"));
    let handler = "node_modules/@cloudflare/kv-asset-handler";
    fs::create_dir_all(site.path().join(handler).join("dist")).unwrap();
    for file in ["package.json", "dist/index.js"] {
        fs::copy(packages.join(handler).join(file), site.path().join(handler).join(file)).unwrap();
    }
    fs::copy(miniflare::sources().join("app.js"), site.path().join("index.js")).unwrap();
    fs::write(site.path().join("wrangler.toml"), WRANGLER).unwrap();
    let supervisor = TestSupervisor::plan().app(App::at("app", site.path())).start().await;
    let text = |path: &Path| fs::read_to_string(path).unwrap();
    let theirs = Miniflare::serve(
        &packages,
        &json!({
            "modules": [
                { "type": "ESModule", "path": "index.js", "contents": text(&site.path().join("index.js")) },
                { "type": "ESModule", "path": "@cloudflare/kv-asset-handler",
                  "contents": text(&site.path().join(handler).join("dist/index.js")) },
            ],
            "sitePath": site.path().join("public"),
            "compatibilityDate": "2026-11-01",
        }),
    );
    let clients = [supervisor.address("app").await, theirs.address()].map(Client::afresh);
    let get = async |path: &str| {
        let [ours, theirs] = &clients;
        [within(ours.get(path)).await.unwrap(), within(theirs.get(path)).await.unwrap()]
    };
    assert_eq!(get("/-/env").await[0].json(), json!(["__STATIC_CONTENT"]));
    let [ours, expected] = get("/-/checks").await.map(|reply| reply.json());
    let [ours, expected] = [&ours, &expected].map(|results| results.as_object().unwrap());
    assert!(ours.len() > 100, "{ours:#?}");
    let names: BTreeSet<_> = ours.keys().chain(expected.keys()).collect();
    let differ: Vec<_> = names
        .into_iter()
        .map(|name| (name, ours.get(name), expected.get(name)))
        .filter(|(_, ours, theirs)| ours != theirs)
        .collect();
    assert!(differ.is_empty(), "name, ours, theirs: {differ:#?}");
    for path in [
        "/",
        "/index.html",
        "/about.html",
        "/about",
        "/data.json",
        "/app.js?x=1",
        "/img/a%20b.svg",
        "/img/deep/",
        "/img/deep",
        "/empty.txt",
        "/noextension",
        "/large.bin",
        "/nothing",
        "/../index.js",
        "/%2e%2e/index.js",
        "/index.js",
        "/wrangler.toml",
    ] {
        let seen = get(path).await.map(|reply| {
            let type_ = reply.header("content-type").to_owned();
            let is_tagged = reply.headers.contains_key("etag");
            (reply.status, type_, is_tagged, reply.body.clone())
        });
        assert!(seen[0] == seen[1], "{path}: {seen:?}");
    }
}

#[tokio::test]
async fn its_files_are_those_that_wrangler_uploads_and_none_is_served_without_its_code() {
    let site = folder(&[
        ("app/index.js", READS),
        (
            "app/wrangler.jsonc",
            "{ \"main\": \"index.js\", \"site\": { \"bucket\": \"public\", \"exclude\": [\"drafts\", \"*.MAP\"] } }",
        ),
        ("app/public/index.html", "home"),
        ("app/public/_headers", "/*\n  x: y"),
        ("app/public/.assetsignore", "index.html"),
        ("app/public/.env", "SECRET=1"),
        ("app/public/.git/config", "x"),
        ("app/public/.well-known/a", "known"),
        ("app/public/node_modules/a.js", "x"),
        ("app/public/a/node_modules/a.js", "x"),
        ("app/public/drafts/a.html", "x"),
        ("app/public/a/drafts/b.html", "x"),
        ("app/public/a/b.js.map", "x"),
        ("outside.txt", "x"),
    ]);
    let public = site.path().join("app/public");
    for (name, target) in [("out.txt", "../../outside.txt"), ("etc", "/etc"), ("same.html", "index.html")] {
        symlink(target, public.join(name)).unwrap();
    }
    mkfifo(&public.join("pipe"), Mode::S_IRWXU).unwrap();
    let supervisor = TestSupervisor::plan().app(App::at("app", &site.path().join("app"))).start().await;
    let paths = supervisor.get("app", "/paths").await.json();
    assert_eq!(paths, json!([".well-known/a", "_headers", "index.html", "same.html"]));
    for (path, text) in [("/index.html", "home"), ("/same.html", "home"), ("/.well-known/a", "known")] {
        assert_eq!(supervisor.get("app", path).await.text(), text);
    }
    // What is no key is nothing.
    for key in [
        "index.html",
        "/index.html",
        "../index.js",
        "..%2Findex.js",
        "%252e%252e",
        ".env",
        "out.toml",
        "pipe",
        "drafts%2Fa.html",
    ] {
        assert_eq!(supervisor.get("app", &format!("/key?key={key}")).await.text(), "", "{key}");
    }
    supervisor.log.line_with("left out, because they are symlinks to folders, out of this one").await;
}

#[tokio::test]
async fn only_what_is_included_belongs_to_it() {
    let app = App::new("app", READS)
        .file("wrangler.toml", "main = 'index.js'\nsite = { bucket = 'public', include = ['img', '*.html'], exclude = ['secret.html'] }")
        .file("public/index.html", "x")
        .file("public/secret.html", "x")
        .file("public/a/b.html", "x")
        .file("public/img/a.png", "x")
        .file("public/other/a.png", "x");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    assert_eq!(supervisor.get("app", "/paths").await.json(), json!(["a/b.html", "img/a.png", "index.html"]));
}

#[tokio::test]
async fn its_code_is_found_where_wrangler_looks_for_it() {
    let moved = |wrangler: &str, path: &str| {
        App::named("app").file("wrangler.toml", wrangler).file(path, READS).file("public/index.html", "home")
    };
    for app in [
        moved("[site]\nbucket = 'public'\n", "workers-site/index.js"),
        moved("[site]\nbucket = 'public'\nentry-point = 'code'\n", "code/index.js"),
        moved("[site]\nbucket = 'public'\nentry-point = './code/app.mjs'\n", "code/app.mjs"),
        // CommonJS may ask for the manifest, too.
        App::named("app")
            .file("wrangler.toml", "main = 'index.js'\n[site]\nbucket = 'public'\n")
            .file("public/index.html", "home")
            .file(
                "index.js",
                "const manifest = JSON.parse(require('__STATIC_CONTENT_MANIFEST'));
                 module.exports = { fetch: async (request, env) => new Response(await env.__STATIC_CONTENT.get(manifest['index.html'])) };",
            ),
    ] {
        let supervisor = TestSupervisor::plan().app(app).start().await;
        assert_eq!(supervisor.get("app", "/index.html").await.text(), "home");
    }
}

#[tokio::test]
async fn what_is_wrong_with_one_is_said() {
    let site = |wrangler: &str| {
        folder(&[
            ("app/index.js", READS),
            ("app/wrangler.toml", wrangler),
            ("app/public/index.html", "home"),
            ("other/a.html", "x"),
        ])
    };
    let long = "x".repeat(200);
    let here = site("main = 'index.js'\n[site]\nbucket = 'public'\n");
    fs::create_dir_all(here.path().join(format!("app/public/{long}/{long}"))).unwrap();
    fs::write(here.path().join(format!("app/public/{long}/{long}/{long}")), "x").unwrap();
    let (code, output, errors) = run(here.path(), &["check", "app"]);
    let text = output + &errors;
    assert!(
        code != 0
            && text.contains(
                "has too long a path: 501 bytes are possible, as on Workers; fix: name it in `exclude`"
            ),
        "{text}"
    );
    for (wrangler, expected) in [
        (
            "main = 'index.js'\n[site]\ninclude = ['a']\n",
            "has no `bucket`; fix: name the folder with the files",
        ),
        (
            "main = 'index.js'\n[site]\nbucket = 'gone'\n",
            "there is no folder app/gone; fix: build the app first",
        ),
        ("main = 'index.js'\n[site]\nbucket = '../other'\n", "leads out of the app's folder"),
        (
            "main = 'index.js'\n[site]\nbucket = 'public'\nentry-point = 'a'\n",
            "has an `entry-point` beside `main`",
        ),
        (
            "main = 'index.js'\nassets = { directory = 'public' }\n[site]\nbucket = 'public'\n",
            "is there beside `assets`",
        ),
        ("[site]\nbucket = 'public'\n", "workers-site/index.js"),
        (
            "main = 'index.js'\n",
            "it lists the files of a Workers Site, which this app is not; name their folder",
        ),
    ] {
        let (code, output, errors) = run(site(wrangler).path(), &["check", "app"]);
        let text = output + &errors;
        assert!(code != 0 && text.contains(expected), "{expected}\n{text}");
    }
}

#[tokio::test]
async fn a_deploy_switches_files_and_code_together() {
    let supervisor = empty().await;
    let code = |number: usize| {
        format!(
            "import manifestJSON from '__STATIC_CONTENT_MANIFEST';
             const manifest = JSON.parse(manifestJSON);
             export default {{ async fetch(request, env) {{
               return new Response(`{number} ${{await env.__STATIC_CONTENT.get(manifest['index.html'])}}`);
             }} }};"
        )
    };
    let release = |number: usize| {
        write(&supervisor, "site/wrangler.toml", WRANGLER);
        write(&supervisor, "site/index.js", &code(number));
        write(&supervisor, "site/public/index.html", &number.to_string());
    };
    release(1);
    succeed(&supervisor, &["deploy", "site", "site", "--port", "0", "--host", "127.0.0.1"]);
    assert_eq!(supervisor.get("site", "/").await.text(), "1 1");
    let client = supervisor.client("site").await;
    for next in 2..5 {
        release(next);
        let deploy = succeed_meanwhile(&supervisor, &["deploy", "site", "site"]);
        let watch = async {
            loop {
                let reply = client.get("/").await.unwrap();
                let (code, file) = reply.text().split_once(' ').unwrap();
                assert_eq!(code, file);
                if code == next.to_string() {
                    return;
                }
            }
        };
        within(async { tokio::join!(deploy, watch) }).await;
    }
    succeed(&supervisor, &["rollback", "site"]);
    assert_eq!(supervisor.get("site", "/").await.text(), "3 3");
}

#[tokio::test]
async fn a_reload_finds_new_files() {
    let app = App::new("app", READS).file("wrangler.toml", WRANGLER).file("public/a.txt", "one");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let before: Value = supervisor.get("app", "/manifest").await.json();
    assert_eq!(supervisor.get("app", "/a.txt").await.text(), "one");
    write(&supervisor, "app/public/a.txt", "two");
    write(&supervisor, "app/public/b.txt", "new");
    succeed(&supervisor, &["reload"]);
    let after: Value = supervisor.get("app", "/manifest").await.json();
    assert_ne!(before["a.txt"], after["a.txt"]);
    assert_eq!(supervisor.get("app", "/a.txt").await.text(), "two");
    assert_eq!(supervisor.get("app", "/b.txt").await.text(), "new");
}

#[tokio::test]
async fn files_that_were_written_anew_are_read_after_a_reload() {
    let app = App::new("app", READS).file("wrangler.toml", WRANGLER).file("public/a.txt", "one");
    let supervisor = TestSupervisor::plan().app(app.file("public/b.txt", "b")).start().await;
    let before = supervisor.get("app", "/manifest").await.text().to_owned();
    // As a build does that changes nothing.
    write(&supervisor, "app/public/a.txt", "one");
    succeed(&supervisor, &["reload"]);
    assert_eq!(supervisor.get("app", "/a.txt").await.text(), "one");
    assert_eq!(supervisor.get("app", "/manifest").await.text(), before);
}

#[tokio::test]
async fn a_list_is_whole_however_long_its_keys_are() {
    let code = "export default { async fetch(request, env) {
      const kv = env.__STATIC_CONTENT;
      const [first, second, none] = [await kv.list(), await kv.list({ limit: 150, prefix: 'x/' }), await kv.list({ prefix: 'y' })];
      const third = await kv.list({ prefix: 'x/', cursor: second.cursor });
      const names = new Set([...second.keys, ...third.keys].map(({ name }) => name));
      const many = await kv.get(first.keys.slice(0, 100).map(({ name }) => name));
      const errors = [];
      for (const args of [[[]], [Array(101).fill('a')], [['a'], 'stream'], [['']]]) errors.push(await kv.get(...args).catch(({ message }) => message));
      errors.push(await kv.put('a', 'b').catch(({ message }) => message), await kv.list({ limit: 1001 }).catch(({ message }) => message));
      return Response.json({
        counts: [first, second, third, none].map(({ keys, list_complete }) => [keys.length, list_complete]),
        names: names.size,
        many: [many.size, new Set(many.values()).size],
        bulk: [...(await kv.getWithMetadata(['gone', first.keys[0].name], 'text')).values()],
        errors,
      });
    } };";
    let mut app = App::new("app", code).file("wrangler.toml", WRANGLER).file("public/y.txt", "y");
    for number in 0..200 {
        app = app.file(&format!("public/x/{number:0200}"), &number.to_string());
    }
    let supervisor = TestSupervisor::plan().app(app).start().await;
    assert_eq!(
        supervisor.get("app", "/").await.json(),
        json!({
            "counts": [[201, true], [150, false], [50, true], [1, true]],
            "names": 200,
            "many": [100, 100],
            "bulk": [null, { "value": "0", "metadata": null }],
            "errors": [
                "KV GET_BULK failed: 400 You must request a minimum of 1 key",
                "KV GET_BULK failed: 400 You can request a maximum of 100 keys",
                "KV GET_BULK failed: 400 \"stream\" is not a valid type. Use \"json\" or \"text\"",
                "Key name cannot be empty.",
                "KV PUT failed: 405 Cannot put() with Workers Sites namespace",
                "KV GET failed: 400 Invalid key_count_limit of 1001. Please specify an integer less than 1000.",
            ],
        })
    );
}
