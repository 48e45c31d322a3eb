//! What `wrangler deploy` takes is served as it is: builds, environments, and what an app lacks is named before it is used.

use std::fs;

use serde_json::{Value, json};

use crate::TestSupervisor;
use crate::harness::{App, folder, run};

const SHOW: &str = "export default { fetch: (request, env) => Response.json(env) }";

/// An app that says what comes of each use of its bindings.
const USES: &str = r#"
import { env as everywhere } from "cloudflare:workers";
const attempt = async (use) => {
  try {
    return String(await use());
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
};
export default {
  async fetch(request, env) {
    console.log("logged", env.CACHE, { ...env });
    return Response.json({
      kind: typeof env.CACHE,
      names: Object.keys(env).sort(),
      awaited: (await env.CACHE) === env.CACHE && everywhere.CACHE === env.CACHE,
      text: JSON.stringify(env.CACHE),
      get: await attempt(() => env.CACHE.get("x")),
      set: await attempt(() => env.CACHE.x = 1),
      exec: await attempt(() => everywhere.DB.prepare("SELECT 1").all()),
      given: await attempt(() => env.GIVEN),
    });
  },
};"#;

const BINDINGS: &str = "[vars]\nA = 1\n[[kv_namespaces]]\nbinding = 'CACHE'\n[[kv_namespaces]]\nbinding = 'GIVEN'\n\
                        [[d1_databases]]\nbinding = 'DB'\ndatabase_name = 'd'";

#[tokio::test]
async fn what_a_build_has_made_is_served() {
    let built = r#"{ "name": "site", "main": "index.js", "no_bundle": true, "kv_namespaces": [], "triggers": {},
        "rules": [{ "type": "ESModule", "globs": ["**/*.js", "**/*.mjs"] }], "vars": { "MADE": true } }"#;
    let app = App::named("app")
        .file("wrangler.jsonc", "{ \"main\": \"virtual:server\", \"vars\": { \"MADE\": false } }")
        .file(".wrangler/deploy/config.json", "{\"configPath\":\"../../dist/server/wrangler.json\"}")
        .file("dist/server/wrangler.json", built)
        .file("dist/server/index.js", "export { default } from './assets/worker-x1.js';")
        .file("dist/server/assets/worker-x1.js", SHOW)
        .file(".dev.vars", "FROM=folder");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    assert_eq!(supervisor.get("app", "/").await.json(), json!({ "MADE": true, "FROM": "folder" }));
    let lines = supervisor.log.lines();
    assert!(!lines.iter().any(|line| line.contains("WARN")), "{lines:?}");
}

#[tokio::test]
async fn every_place_of_a_worker_is_found() {
    let pages = "pages_build_output_dir = './dist'";
    let apps = [
        App::named("extension").file("wrangler.toml", "main = 'src/index'").file("src/index.ts", SHOW),
        App::named("folder").file("wrangler.toml", "main = 'src'").file("src/index.js", SHOW),
        App::named("pages")
            .file("wrangler.toml", pages)
            .file("dist/_worker.js", SHOW)
            .file("index.js", "broken("),
        App::named("chunks")
            .file("wrangler.toml", pages)
            .file("dist/_worker.js/index.js", "export { default } from './chunks/a.js'")
            .file("dist/_worker.js/chunks/a.js", SHOW),
        App::named("bare").file("_worker.js/index.js", SHOW),
    ];
    let plan = apps.iter().fold(TestSupervisor::plan(), |plan, app| plan.app(app.clone()));
    let supervisor = plan.start().await;
    for (app, env) in [
        ("extension", json!({})),
        ("folder", json!({})),
        // A build for Pages has this binding without a word.
        ("pages", json!({ "ASSETS": {} })),
        ("chunks", json!({ "ASSETS": {} })),
        ("bare", json!({})),
    ] {
        assert_eq!(supervisor.get(app, "/").await.json(), env, "{app}");
    }
}

#[tokio::test]
async fn a_build_for_pages_serves_its_files_and_runs_its_worker() {
    let wrangler = "pages_build_output_dir = 'dist'";
    let routes = r#"{ "version": 1, "include": ["/*"], "exclude": ["/assets/*", "/robots.txt"] }"#;
    let worker =
        "export default { fetch: (request) => new Response('worker at ' + new URL(request.url).pathname) }";
    let app = |name: &str| {
        App::named(name)
            .file("wrangler.toml", wrangler)
            .file("dist/assets/a.css", "css")
            .file("dist/robots.txt", "robots")
    };
    let plan = TestSupervisor::plan()
        .app(
            app("routes")
                .file("dist/_routes.json", routes)
                .file("dist/_worker.js", worker)
                .file("dist/404.html", "not there"),
        )
        .app(app("all").file("dist/_worker.js/index.js", worker))
        .app(app("static").file("dist/index.html", "page"));
    let supervisor = plan.start().await;
    for (app, path, status, text) in [
        ("routes", "/", 200, "worker at /"),
        ("routes", "/assets/a.css", 200, "css"),
        ("routes", "/robots.txt", 200, "robots"),
        ("routes", "/assets/none.css", 404, "not there"),
        ("routes", "/_worker.js", 200, "worker at /_worker.js"),
        ("all", "/assets/a.css", 200, "worker at /assets/a.css"),
        ("static", "/", 200, "page"),
        ("static", "/assets/a.css", 200, "css"),
        ("static", "/any/path", 200, "page"),
    ] {
        let reply = supervisor.get(app, path).await;
        assert_eq!((reply.status, reply.text()), (status, text), "{app} {path}");
    }
    let here = folder(&[
        ("app/wrangler.toml", wrangler),
        ("app/dist/_worker.js", worker),
        ("app/dist/_routes.json", "{}"),
    ]);
    let (code, _, errors) = run(here.path(), &["check", "app"]);
    let expected =
        "app/dist/_routes.json: has no list `include`; fix: write { \"version\": 1, \"include\": [\"/*\"]";
    assert!(code == 2 && errors.contains(expected), "{errors}");
}

#[tokio::test]
async fn an_app_of_a_workspace_has_its_own_wrangler_file_and_packages_of_its_neighbours() {
    let app = App::named("app")
        .file("wrangler.toml", "[vars]\nWHOSE = 'of the root'")
        .file(".env", "ROOT=1")
        .file("apps/web/wrangler.toml", "main = 'src/index.ts'\nalias = { other = './src/other.js' }\n[vars]\nWHOSE = 'its own'\n[[rules]]\ntype = 'Text'\nglobs = ['**/*.md']")
        .file("apps/web/.dev.vars", "DEV=1")
        .file("apps/web/src/index.ts", "import shared from '@shop/shared';\nimport post from './a.md';\nimport other from 'other';\nexport default { fetch: (request, env) => Response.json({ ...env, shared, post, other }) };")
        .file("apps/web/src/other.js", "export default 'other';")
        .file("apps/web/src/a.md", "# A")
        .file("node_modules/@shop/shared/package.json", "{ \"main\": \"index.js\", \"type\": \"module\" }")
        .file("node_modules/@shop/shared/index.js", "export default 'shared';")
        .set("entry = 'apps/web/src/index.ts'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    assert_eq!(
        supervisor.get("app", "/").await.json(),
        json!({ "WHOSE": "its own", "DEV": "1", "shared": "shared", "post": "# A", "other": "other" })
    );
}

#[tokio::test]
async fn rules_aliases_and_definitions_hold_for_modules() {
    let wrangler = "main = 'src/index.ts'\nalias = { 'old-name' = './src/new.js', 'node:fs' = './src/new.js' }\n\
        [define]\nVERSION = '\"1.2\"'\nSETTINGS = '{ \"a\": [1] }'\nTHE_WORLD = 'globalThis'\n\
        'process.env.API' = '\"https://api.example\"'\n\
        [[rules]]\ntype = 'Text'\nglobs = ['**/*.md', '**/*.shader.js']\nfallthrough = true\n\
        [[rules]]\ntype = 'Data'\nglobs = ['**/*.dat']\n[[rules]]\ntype = 'CompiledWasm'\nglobs = ['**/*.wa']";
    let index = r#"
import post from "../content/post.md";
import data from "./data.dat";
import shader from "./a.shader.js";
import text from "./still.txt";
import wasm from "./empty.wa";
import { name } from "old-name";
import fs from "node:fs";
import required from "./required.cjs";
declare const VERSION: string, SETTINGS: unknown, THE_WORLD: unknown;
export default {
  fetch: (request, env) => Response.json({
    post, data: [...new Uint8Array(data)], shader, text, wasm: wasm instanceof WebAssembly.Module, name, fs, required,
    VERSION, SETTINGS, same: THE_WORLD === globalThis, missing: typeof NOT_DEFINED,
    api: process.env.API, inEnv: "API" in env,
  }),
};"#;
    let app = App::named("app")
        .file("wrangler.toml", wrangler)
        .file("src/index.ts", index)
        .file("content/post.md", "# Post")
        .file("src/data.dat", "\u{1}\u{2}")
        .file("src/a.shader.js", "void main() {")
        .file("src/still.txt", "text")
        .file("src/empty.wa", "\0asm\u{1}\0\0\0")
        .file("src/new.js", "export const name = 'new'; export default 'shim';")
        .file("src/required.cjs", "module.exports = require('./required.md');")
        .file("src/required.md", "required");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    assert_eq!(
        supervisor.get("app", "/").await.json(),
        json!({
            "post": "# Post", "data": [1, 2], "shader": "void main() {", "text": "text", "wasm": true, "name": "new",
            "fs": "shim", "required": "required", "VERSION": "1.2", "SETTINGS": { "a": [1] }, "same": true,
            "missing": "undefined", "api": "https://api.example", "inEnv": false,
        })
    );
}

#[tokio::test]
async fn an_environment_is_chosen_by_flag_or_setting() {
    let wrangler = "main = 'a.js'\n[vars]\nWHICH = 'top'\nTOP = 1\n[env.staging]\nmain = 'b.js'\n\
                    [env.staging.vars]\nWHICH = 'staging'\n[env.prod.vars]\nWHICH = 'prod'";
    let app = |name: &str| {
        App::named(name)
            .file("wrangler.toml", wrangler)
            .file("a.js", "export default { fetch: (request, env) => Response.json({ ...env, a: 1 }) }")
            .file("b.js", SHOW)
            .file(".env", "E=all")
            .file(".env.staging", "S=staging")
            .file(".dev.vars", "D=all\nF=all")
            .file(".dev.vars.staging", "D=staging")
    };
    let plan = TestSupervisor::plan()
        .app(app("flag"))
        .app(app("own").set("environment = 'prod'"))
        .app(app("top").set("environment = ''"))
        .flags(&["--env", "staging"]);
    let supervisor = plan.start().await;
    for (app, expected) in [
        ("flag", json!({ "WHICH": "staging", "E": "all", "S": "staging", "D": "staging" })),
        ("own", json!({ "WHICH": "prod", "E": "all", "D": "all", "F": "all", "a": 1 })),
        ("top", json!({ "WHICH": "top", "TOP": 1, "E": "all", "D": "all", "F": "all", "a": 1 })),
    ] {
        assert_eq!(supervisor.get(app, "/").await.json(), expected, "{app}");
    }
    let here = folder(&[("app/wrangler.toml", wrangler), ("app/a.js", SHOW)]);
    let (code, _, errors) = run(here.path(), &["check", "app", "--env", "test"]);
    assert_eq!(code, 2, "{errors}");
    assert!(
        errors.contains(
            "--env test: app/wrangler.toml has no environment \"test\"; fix: choose one that it has (staging, prod), or add \
             [env.test]"
        ),
        "{errors}"
    );
}

#[tokio::test]
async fn a_binding_that_is_missing_says_so_when_it_is_used() {
    let app = App::new("app", USES).file("wrangler.toml", BINDINGS).set("env = { GIVEN = 'mine' }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let why = |name: &str, kind: &str| {
        format!(
            "Error: env.{name} is missing: in app/wrangler.toml it is {kind}, which nano-supervisor does not have; use a store \
             or database that the app reaches with fetch(), or set {name} to something else in the `env` of the app"
        )
    };
    let shown = |text: String| text.replace(&format!("{}/", supervisor.folder().display()), "");
    let answer = supervisor.get("app", "/").await;
    let answer: Value = serde_json::from_str(&shown(answer.text().to_owned())).unwrap();
    assert_eq!(
        answer,
        json!({
            "kind": "object", "names": ["A", "CACHE", "DB", "GIVEN"], "awaited": true, "text": "{}", "given": "mine",
            "get": why("CACHE", "a KV namespace (`kv_namespaces`)"),
            "set": why("CACHE", "a KV namespace (`kv_namespaces`)"),
            "exec": why("DB", "a D1 database (`d1_databases`)"),
        })
    );
    supervisor.log.line_with("logged").await;
}

#[test]
fn a_secret_that_is_required_and_not_set_is_named() {
    let wrangler = "[secrets]\nrequired = ['KEY', 'TOKEN', 'OTHER']";
    let here =
        folder(&[("app/index.js", SHOW), ("app/wrangler.toml", wrangler), ("app/.dev.vars", "TOKEN=x")]);
    let (code, text, _) = run(here.path(), &["check", "app"]);
    let warning =
        "app: warning: the wrangler file requires secrets that are not set: KEY, OTHER; fix: see `secrets`\n";
    assert!(code == 0 && text.contains(warning), "{text}");
}

#[test]
fn check_fails_for_missing_bindings_only_if_it_is_strict() {
    let here = folder(&[("app/index.js", SHOW), ("app/wrangler.toml", BINDINGS), ("fine/index.js", SHOW)]);
    let warning = "app: warning: app/wrangler.toml: missing bindings, which throw an error when the app uses them: CACHE \
                   (kv_namespaces), GIVEN (kv_namespaces), DB (d1_databases)\n";
    let (code, text, _) = run(here.path(), &["check", "app"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(warning) && text.contains("\napp: ok, "), "{text}");
    let (code, text, _) = run(here.path(), &["check", "app", "--strict"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains(warning), "{text}");
    assert!(
        text.ends_with("\napp: lacks the bindings CACHE, GIVEN, DB, which fails a strict check\n"),
        "{text}"
    );
    let (code, text, _) = run(here.path(), &["check", "app", "--strict", "--json"]);
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(code, 1, "{text}");
    assert_eq!(
        (&found["ok"], &found["apps"][0]["missing"]),
        (&json!(false), &json!(["CACHE", "GIVEN", "DB"]))
    );
    let (code, text, _) = run(here.path(), &["check", "fine", "--strict"]);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn what_only_a_build_can_run_is_to_be_built_first() {
    let package =
        r#"{ "scripts": { "build": "vite build" }, "dependencies": { "@tanstack/react-start": "1" } }"#;
    let here = folder(&[
        ("package/package.json", package),
        ("package/wrangler.jsonc", "{ \"main\": \"@tanstack/react-start/server-entry\" }"),
        ("unbuilt/package.json", package),
        ("unbuilt/wrangler.jsonc", "{ \"main\": \".svelte-kit/cloudflare/_worker.js\" }"),
        ("left/wrangler.toml", "main = 'src/index.ts'"),
        ("left/.wrangler/deploy/config.json", "{\"configPath\":\"../../dist/wrangler.json\"}"),
    ]);
    for (app, expected) in [
        (
            "package",
            "package/wrangler.jsonc:1: main: \"@tanstack/react-start/server-entry\" is no file of the app but a module \
                     of a package, which only a build makes a worker of; fix: build first: npm run build, or correct `main`",
        ),
        ("unbuilt", ".svelte-kit/cloudflare/_worker.js; fix: build first: npm run build, or correct `main`"),
        (
            "left",
            "left/.wrangler/deploy/config.json:1: configPath: there is no file left/dist/wrangler.json; fix: build first: \
                  npm run build, or delete this file",
        ),
    ] {
        for command in ["check", "serve"] {
            let (code, _, errors) = run(here.path(), &[command, app]);
            assert_eq!(code, 2, "{errors}");
            assert!(errors.contains(expected), "{errors}");
        }
    }
    // React Router's worker loads without a build: it would fail at every request.
    let later = "export default { fetch: async () => (await import(\"virtual:react-router/server-build\")).default() };";
    let build = "build first: npm run build, and serve what that has made";
    let made = |specifier: &str, column: usize| {
        format!(
            "cannot import \"{specifier}\" from index.ts: only a bundler makes such a module; {build}\n    at index.ts:1:{column}\n"
        )
    };
    for (index, expected) in [
        (later, made("virtual:react-router/server-build", 51)),
        ("import { app } from 'astro:server'; export default app;", made("astro:server", 21)),
        (
            "import { env } from '$env/dynamic/private'; export default { env };",
            made("$env/dynamic/private", 21),
        ),
        (
            "import manifest from '__STATIC_CONTENT_MANIFEST'; export default { manifest };",
            "cannot import \"__STATIC_CONTENT_MANIFEST\" from index.ts: it lists the files of a Workers Site, which this app is \
             not; name their folder in the wrangler file: site = { bucket = \"./public\" }\n    at index.ts:1:22\n"
                .to_owned(),
        ),
        (
            "import App from './App.svelte'; export default App;",
            format!(
                "\"App.svelte\" is no module until a bundler has compiled it; {build}\n    at index.ts:1:17\n"
            ),
        ),
    ] {
        let here = folder(&[("app/index.ts", index), ("app/App.svelte", "<h1>hi</h1>")]);
        let (code, text, _) = run(here.path(), &["check", "app"]);
        assert_eq!(code, 1, "{text}");
        assert!(text.contains(&expected), "{expected}\n{text}");
    }
    let here = folder(&[
        ("app/wrangler.toml", "alias = { a = './gone.js', b = 'gone' }"),
        ("app/a.js", "import 'a';"),
        ("app/index.js", "import 'b';"),
    ]);
    for (entry, expected) in [
        ("a.js", "there is no file \"gone.js\" in the app's folder\n    at a.js:1:8\n"),
        (
            "index.js",
            "cannot import \"gone\" from wrangler.toml: there is no package \"gone\" in the app's folder",
        ),
    ] {
        fs::write(
            here.path().join("nano.toml"),
            format!("[apps.app]\npath = 'app'\nport = 0\nentry = '{entry}'"),
        )
        .unwrap();
        let (code, text, _) = run(here.path(), &["check", "--config", "nano.toml"]);
        assert!(code == 1 && text.contains(expected), "{text}");
    }
}
