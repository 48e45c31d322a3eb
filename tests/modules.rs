//! How an app is loaded: entry modules, forms of handlers, imports inside the folder and never outside, and the errors
//! when it does not load.

use serde_json::json;

use crate::TestSupervisor;
use crate::harness::{App, Folder};

const ANSWER: &str = "export default { fetch: () => new Response('answer') }";

/// Serves one app and returns its answer.
async fn answer(app: App) -> String {
    let supervisor = TestSupervisor::plan().app(app).start().await;
    supervisor.get("app", "/path").await.text().to_owned()
}

/// Loads an app of these files and returns why it fails.
fn load_error(files: &[(&str, &str)]) -> String {
    Folder::of(files).load_error()
}

#[tokio::test]
async fn the_entry_module_is_found_where_people_put_it() {
    for (entry, more) in [
        ("index.js", ("x", "")),
        ("index.mjs", ("x", "")),
        ("worker.js", ("x", "")),
        ("src/main.js", ("package.json", r#"{ "main": "src/main.js" }"#)),
        ("dist/module.mjs", ("package.json", r#"{ "main": "none.js", "module": "./dist/module.mjs" }"#)),
    ] {
        assert_eq!(
            answer(App::named("app").file(entry, ANSWER).file(more.0, more.1)).await,
            "answer",
            "{entry}"
        );
    }
    let app = App::hello("app").file("other.js", ANSWER).set("entry = 'other.js'");
    assert_eq!(answer(app).await, "answer");
}

#[tokio::test]
async fn every_form_of_handler_is_called() {
    let path = "new URL(request.url).pathname";
    for (form, source) in [
        ("object", format!("export default {{ fetch(request) {{ return new Response({path}) }} }}")),
        ("async arrow", format!("export default {{ fetch: async (request) => new Response({path}) }}")),
        ("function", format!("export default function (request) {{ return new Response({path}) }}")),
        ("arrow", format!("export default (request) => new Response({path})")),
        ("class", format!("export default class {{ fetch(request) {{ return new Response({path}) }} }}")),
        (
            "WorkerEntrypoint",
            format!(
                "import {{ WorkerEntrypoint }} from 'cloudflare:workers';
                 export default class extends WorkerEntrypoint {{
                   async fetch(request) {{ return new Response({path} + (this.env.SUFFIX ?? '')) }} }}"
            ),
        ),
        (
            "listener",
            format!(
                "addEventListener('fetch', (event) => event.respondWith(new Response({path_of_event})))",
                path_of_event = "new URL(event.request.url).pathname"
            ),
        ),
        (
            "late listener",
            "addEventListener('fetch', (event) => event.respondWith((async () => {
               await 0; return new Response(new URL(event.request.url).pathname) })()))"
                .into(),
        ),
        ("this", "export default { word: '/path', fetch() { return new Response(this.word) } }".into()),
        (
            "instance",
            format!(
                "class App {{ fetch(request) {{ return new Response({path}) }} }} export default new App()"
            ),
        ),
        (
            "thenable",
            "export default { fetch: () => ({ then(done) { done(new Response('/path')) } }) }".into(),
        ),
    ] {
        assert_eq!(answer(App::new("app", &source)).await, "/path", "{form}");
    }
}

#[tokio::test]
async fn a_class_gets_env_and_context() {
    let source = "export default class {
      constructor(ctx, env) { this.ctx = ctx; this.env = env; }
      fetch(request, env) { return new Response(this.env.WORD + env.WORD + typeof this.ctx.waitUntil) }
    }";
    assert_eq!(answer(App::new("app", source).set("env = { WORD = 'hi ' }")).await, "hi hi function");
}

#[tokio::test]
async fn modules_are_imported_from_inside_the_folder() {
    let app = App::new(
        "app",
        "import { word } from './lib/word.js';
         import data from './data.json' with { type: 'json' };
         import * as same from './lib/../lib/word.js';
         export default { async fetch() {
           const late = await import('./lib/late.mjs');
           const resolved = [import.meta.resolve('./none.js'), import.meta.resolve('package')];
           return Response.json({ word, data, late: late.default, same: same.word === word, url: import.meta.url, resolved });
         } }",
    )
    .file("lib/word.js", "import { deep } from '../deep/er/module.js'; export const word = 'word ' + deep;")
    .file("deep/er/module.js", "const value = await Promise.resolve('deep'); export { value as deep };")
    .file("lib/late.mjs", "export default import.meta.url.split('/').pop();")
    .file("data.json", r#"{ "list": [1, 2] }"#)
    .file("node_modules/package/index.js", "");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let found = supervisor.get("app", "/").await.json();
    assert_eq!(found["word"], "word deep");
    assert_eq!(found["data"], serde_json::json!({ "list": [1, 2] }));
    assert_eq!((&found["late"], &found["same"]), (&"late.mjs".into(), &true.into()));
    let url = found["url"].as_str().unwrap();
    assert!(url.starts_with("file:///") && url.ends_with("/app/index.js"), "{url}");
    let beside = |name: &str| url.replace("index.js", name);
    assert_eq!(found["resolved"], json!([beside("none.js"), beside("node_modules/package/index.js")]));
}

#[tokio::test]
async fn a_dynamic_import_that_fails_is_an_error_that_can_be_caught() {
    let source = "export default { async fetch() {
      try { await import('./none.js'); } catch (error) { return new Response(error.name + ': ' + error.message); }
    } }";
    let text = answer(App::new("app", source)).await;
    assert!(text.starts_with("TypeError: there is no file \"none.js\" in the app's folder"), "{text}");
}

#[test]
fn nothing_outside_the_folder_can_be_imported() {
    for specifier in
        ["../outside.js", "./../outside.js", "./lib/../../outside.js", "/etc/passwd", "file:///etc/passwd"]
    {
        let text = load_error(&[("index.js", &format!("import '{specifier}'; {ANSWER}"))]);
        assert!(
            text.starts_with(&format!("cannot import {specifier:?} from index.js: the path leaves")),
            "{text}"
        );
        assert!(text.contains("\n    at index.js:1:8\n    1 | import "), "{text}");
    }
    let linked = Folder::of(&[("index.js", "import './link.js';"), ("../outside.js", "export default 1")]);
    let text = linked.link("link.js", "../outside.js").load_error();
    let expected =
        "\"link.js\" is outside the app's folder; an app may only import files inside it (symlinks included)";
    assert!(text.starts_with(expected), "{text}");
    // The error does not reveal which files exist outside.
    let linked = Folder::of(&[("index.js", "import './link/SECRET.js';"), ("../outside/secret.js", "")]);
    let text = linked.link("link", "../outside").load_error();
    assert!(text.starts_with("there is no file \"link/SECRET.js\" in the app's folder\n"), "{text}");
    for (specifier, why) in [
        ("https://example.com/x.js", "only files inside the app's folder and its packages can be imported"),
        ("data:text/javascript,1", "only files inside the app's folder and its packages can be imported"),
        ("ext:core/mod.js", "only files inside the app's folder and its packages can be imported"),
        ("nano:commonjs", "only files inside the app's folder and its packages can be imported"),
        ("nano:left-out", "only files inside the app's folder and its packages can be imported"),
    ] {
        let text = load_error(&[("index.js", &format!("import '{specifier}'; {ANSWER}"))]);
        assert!(text.contains(why), "{specifier}: {text}");
    }
}

#[test]
fn load_errors_name_file_line_and_column_with_the_source_line() {
    for (files, expected) in [
        (
            &[
                ("index.js", "import './lib/broken.js';\nexport default {}"),
                ("lib/broken.js", "const a = 1;\nlet a = 2;"),
            ][..],
            "SyntaxError: Identifier 'a' has already been declared\n    at lib/broken.js:2:5\n    2 | let a = 2;\n      |     ^",
        ),
        (
            &[("index.js", "const x = 1;\n\tnull.x;")],
            "TypeError: Cannot read properties of null (reading 'x')\n    at index.js:2:7\n    2 | \tnull.x;\n      | \t     ^",
        ),
        (
            &[("index.js", "import { nope } from './other.js';"), ("other.js", "export const yes = 1;")],
            "SyntaxError: The requested module './other.js' does not provide an export named 'nope'\n    at index.js:1:10\n    \
             1 | import { nope } from './other.js';\n      |          ^",
        ),
        (
            &[("index.js", "import './Missing';"), ("missing.js", "")],
            "there is no file \"Missing\" in the app's folder; did you mean \"missing.js\"?\n    at index.js:1:8\n    \
             1 | import './Missing';\n      |        ^",
        ),
        (
            &[("index.js", "import './style.css';"), ("style.css", "")],
            "\"style.css\" is no kind of file that can be imported as a module; to get at its contents, import it with { type: \
             \"text\" } or { type: \"bytes\" }, as in `import file from \"./style.css\" with { type: \"text\" }`\n    at \
             index.js:1:8\n    1 | import './style.css';\n      |        ^",
        ),
        (
            &[("index.js", "import './style.css' with { type: 'css' };"), ("style.css", "")],
            "\"style.css\" cannot be imported with { type: \"css\" }: the types are \"json\", \"text\" and \"bytes\"\n    at \
             index.js:1:8\n    1 | import './style.css' with { type: 'css' };\n      |        ^",
        ),
        (
            &[("index.js", "import './code.wasm';"), ("code.wasm", "text")],
            "\"code.wasm\" is not WebAssembly: it does not begin as a binary module does\n    at index.js:1:8\n    1 | import \
             './code.wasm';\n      |        ^",
        ),
        (
            &[("index.js", "import './a.node';"), ("a.node", "")],
            "\"a.node\" is a native add-on, which a worker cannot run\n    at index.js:1:8\n    1 | import './a.node';\n      \
             |        ^",
        ),
        (
            &[("index.js", "export const fetch = 1;")],
            "index.js: the entry module has no fetch handler; add `export default { async fetch(request, env, ctx) { return \
             new Response(\"hi\") } }`",
        ),
        (&[("index.js", "throw 'a text';")], "a text"),
    ] {
        assert_eq!(load_error(files), expected);
    }
    let text = load_error(&[
        ("index.js", "import data from './data.json' with { type: 'json' };"),
        ("data.json", "{ 1 }"),
    ]);
    assert!(
        text.starts_with("\"data.json\" is not valid JSON: key must be a string at line 1 column 3"),
        "{text}"
    );
    assert!(
        text.contains("\n    at data.json:1:3\n    1 | { 1 }\n      |   ^\n    at index.js:1:18\n"),
        "{text}"
    );
}

#[test]
fn files_that_are_no_code_are_imported_as_bundlers_do() {
    // (module (func (export "two") (result i32) i32.const 2))
    let wasm = b"\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7f\x03\x02\x01\0\x07\x07\x01\x03two\0\0\x0a\x06\x01\x04\0\x41\x02\x0b";
    let folder = Folder::new()
        .file(
            "index.js",
            "import wasm from './two.wasm'; import same from './two.wasm?module';
             import json, { version, name as renamed } from './data.json';
             import typed from './data.json' with { type: 'json' };
             import text from './note.txt'; import html from './page.html'; import sql from './query.sql';
             import bin from './blob.bin';
             import raw from './style.css' with { type: 'text' };
             import bytes from './blob.bin' with { type: 'bytes' };
             import code from './code.ts' with { type: 'text' };
             const two = (module) => new WebAssembly.Instance(module).exports.two();
             const late = async (path, options) => (await import(path, options)).default;
             const failed = await late('./none.txt').catch((error) => error.message.split('\\n')[0]);
             throw JSON.stringify({
               wasm: [wasm instanceof WebAssembly.Module, two(wasm), two(same)],
               json: [json, version, renamed, typed], text: [text, html, sql],
               bin: [bin instanceof ArrayBuffer, [...new Uint8Array(bin)]], raw, bytes: [bytes instanceof Uint8Array, [...bytes]], code,
               late: [two(await late('./two.wasm')), await late('./note.txt'), (await late('./blob.bin')).byteLength,
                 await late('./style.css', { with: { type: 'text' } }), (await late('./data.json')).version, failed],
             });",
        )
        .file("two.wasm", wasm)
        .file("data.json", r#"{ "version": "1", "name": "n", "not-a-name": 2 }"#)
        .file("note.txt", "a \"note\"\n\u{2028}`${x}`")
        .file("page.html", "<p>")
        .file("query.sql", "SELECT 1")
        .file("blob.bin", [0, 255, 128])
        .file("style.css", "a {}")
        .file("code.ts", "const a: 1 = 1;");
    let data = json!({ "version": "1", "name": "n", "not-a-name": 2 });
    assert_eq!(
        folder.thrown(),
        json!({
            "wasm": [true, 2, 2], "json": [data, "1", "n", data],
            "text": ["a \"note\"\n\u{2028}`${x}`", "<p>", "SELECT 1"], "bin": [true, [0, 255, 128]], "raw": "a {}",
            "bytes": [true, [0, 255, 128]], "code": "const a: 1 = 1;",
            "late": [2, "a \"note\"\n\u{2028}`${x}`", 3, "a {}", "1", "there is no file \"none.txt\" in the app's folder"]
        })
    );
}
