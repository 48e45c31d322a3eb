//! Apps of the service worker format: their bindings are global variables, and so are files that the wrangler file names. Compared with
//! workerd.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::harness::miniflare::{self, Miniflare};
use crate::harness::{App, Client, folder, run};
use crate::{TestSupervisor, within};

/// A module with a function `answer` that returns 42.
const ANSWER: &[u8] = b"\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7f\x03\x02\x01\0\x07\x0a\x01\x06answer\0\0\x0a\x06\x01\x04\0\x41\x2a\x0b";

const TEXT: &str = "\u{feff}héllo";

const DATA: &[u8] = &[0, 255, 1, 10];

const WRANGLER: &str = "main = 'service_worker.js'
vars = { VAR = 'text', OBJ = { a = [1, { b = 2 }] }, NUM = 5, 'a-b' = 'dash', fetch = 'a variable', URL = 'https://example.com', NaN = 'x', undefined = 'x', onerror = 'text', dispatchEvent = 'x' }
text_blobs = { TEXT = 'files/text.txt' }
data_blobs = { DATA = './files/data' }
wasm_modules = { WASM = 'answer.wasm' }
site = { bucket = 'public' }
services = [{ binding = 'SVC', service = 'other' }]
";

const OTHER: &str = "addEventListener('fetch', (event) => event.respondWith(new Response(new URL(event.request.url).pathname)))";

#[tokio::test]
async fn bindings_and_files_are_global_variables_as_on_workers() {
    let Some(packages) = miniflare::installed() else { return };
    let here = tempfile::tempdir().unwrap();
    let path = |name: &str| here.path().join(name);
    for name in ["files", "public"] {
        fs::create_dir(path(name)).unwrap();
    }
    fs::copy(miniflare::sources().join("service_worker.js"), path("service_worker.js")).unwrap();
    for (name, contents) in [
        ("wrangler.toml", WRANGLER.as_bytes()),
        ("files/text.txt", TEXT.as_bytes()),
        ("files/data", DATA),
        ("answer.wasm", ANSWER),
        ("public/index.html", b"home"),
    ] {
        fs::write(path(name), contents).unwrap();
    }
    let other = App::new("other", OTHER);
    let supervisor = TestSupervisor::plan().app(App::at("app", here.path())).app(other).start().await;
    let theirs = json!({ "workers": [
        {
            "name": "app",
            "scriptPath": path("service_worker.js"),
            "compatibilityDate": "2026-11-01",
            "bindings": {
                "VAR": "text", "OBJ": { "a": [1, { "b": 2 }] }, "NUM": 5, "a-b": "dash", "fetch": "a variable",
                "URL": "https://example.com", "NaN": "x", "undefined": "x", "onerror": "text", "dispatchEvent": "x",
            },
            "textBlobBindings": { "TEXT": path("files/text.txt") },
            "dataBlobBindings": { "DATA": path("files/data") },
            "wasmBindings": { "WASM": path("answer.wasm") },
            "serviceBindings": { "SVC": "other" },
            "sitePath": path("public"),
        },
        { "name": "other", "script": OTHER, "compatibilityDate": "2026-11-01" },
    ] });
    let theirs = Miniflare::serve(&packages, &theirs);
    let get = async |address| -> Value {
        let reply = within(Client::afresh(address).get("/path?query")).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
        let mut seen = reply.json();
        // Each is asked at an address of its own.
        assert!(seen["later"]["url"].as_str().unwrap().ends_with("/path?query"));
        seen["later"]["url"] = Value::Null;
        seen
    };
    let (ours, theirs) = (get(supervisor.address("app").await).await, get(theirs.address()).await);
    for part in ["early", "later"] {
        let [ours, theirs] = [&ours[part], &theirs[part]].map(|seen| seen.as_object().unwrap());
        for (name, seen) in theirs {
            assert_eq!(&ours[name], seen, "{part} {name}");
        }
        assert_eq!(ours.len(), theirs.len());
    }
    assert_eq!(ours["early"]["wasm"], 42);
}

/// Bundlers of old have made scripts that look like CommonJS.
#[tokio::test]
async fn old_scripts_see_them_while_they_are_loaded() {
    let bundle = "(function (modules) {
        const early = VAR + Object.keys(JSON.parse(__STATIC_CONTENT_MANIFEST));
        const module = { exports: {} };
        addEventListener('fetch', (event) => event.respondWith(new Response(early + TEXT)));
      })();";
    for (name, text) in [("index.js", bundle), ("index.ts", &format!("const a: number = 1;\n{bundle}"))] {
        let wrangler = format!(
            "main = '{name}'\nvars = {{ VAR = 'x ' }}\ntext_blobs = {{ TEXT = 'wrangler.toml' }}\nsite = {{ bucket = 'public' }}"
        );
        let app =
            App::named("app").file(name, text).file("wrangler.toml", &wrangler).file("public/a.txt", "a");
        let supervisor = TestSupervisor::plan().app(app).start().await;
        assert_eq!(supervisor.get("app", "/").await.text(), format!("x a.txt{wrangler}"), "{name}");
    }
}

#[tokio::test]
async fn an_app_of_modules_has_no_such_variables() {
    let code = "const early = typeof VAR;
      export default { fetch: (request, env) => new Response(`${early} ${typeof VAR} ${typeof __STATIC_CONTENT} ${typeof URL} ${env.VAR}`) };";
    let app = App::new("app", code)
        .file(
            "wrangler.toml",
            "main = 'index.js'\nvars = { VAR = 'x', URL = 'y' }\nsite = { bucket = 'public' }",
        )
        .file("public/a.txt", "a");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    assert_eq!(supervisor.get("app", "/").await.text(), "undefined undefined undefined function x");
}

#[tokio::test]
async fn neither_has_a_commonjs_module_that_listens_to_something_else() {
    let code = "module.exports = { fetch(request) {
        request.signal.addEventListener('abort', () => {});
        return new Response(`${typeof VAR} ${new URL(request.url).pathname}`);
      } };";
    let app =
        App::new("app", code).file("wrangler.toml", "main = 'index.js'\nvars = { VAR = 'x', URL = 'y' }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    assert_eq!(supervisor.get("app", "/path").await.text(), "undefined /path");
}

#[tokio::test]
async fn files_that_cannot_be_variables_are_refused_in_words() {
    let script = "addEventListener('fetch', (event) => event.respondWith(new Response(A)));";
    let module = "export default { fetch: () => new Response('x') };";
    for (wrangler, code, expected) in [
        ("text_blobs = { A = 'a.txt' }", module, "index.js has a default export, so that A"),
        ("text_blobs = { A = 'gone.txt' }", script, "gone.txt"),
        ("text_blobs = { A = '../outside.txt' }", script, "leads out of the app's folder"),
        ("text_blobs = { A = 'link.txt' }", script, "link.txt"),
        ("text_blobs = { A = '.env' }", script, ".env"),
        ("text_blobs = { A = 1 }", script, "A is not text; fix: write the path of a file"),
        ("data_blobs = ['a.txt']", script, "is not a table; fix: write a table of names and files"),
        (
            "wasm_modules = { A = 'a.txt' }",
            script,
            "a.txt is no valid WebAssembly; correct A of `wasm_modules`",
        ),
    ] {
        let here = folder(&[
            ("app/index.js", code),
            ("app/wrangler.toml", &format!("main = 'index.js'\n{wrangler}")),
            ("app/a.txt", "a"),
            ("app/.env", "SECRET=secret-of-the-app"),
            ("outside.txt", "secret-of-the-app"),
        ]);
        symlink("../outside.txt", here.path().join("app/link.txt")).unwrap();
        let (code, output, errors) = run(here.path(), &["check", "app"]);
        let text = output + &errors;
        assert!(code != 0 && text.contains(expected) && !text.contains("secret-of"), "{wrangler}: {text}");
    }
}
