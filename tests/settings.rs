//! Settings from an app's folder and from the configuration: entry, wrangler files, outbound rules, cache.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;

use nix::sys::signal::Signal;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::harness::{App, Log, executable, folder, process, run};
use crate::{TestSupervisor, until};

const SHOW: &str = "export default { fetch: (request, env) => Response.json(env) }";

const WRANGLER: &str = r#"{
  // written for Cloudflare Workers
  "name": "My Worker",
  "main": "./src/app.js",
  "compatibility_date": "2025-01-01",
  "compatibility_flags": ["nodejs_compat"],
  "vars": { "GREETING": "hello", "LIMIT": 3, "ON": true, "DEEP": { "a": ["b"] } },
  "kv_namespaces": [{ "binding": "KV", "id": "1" }],
  "env": { "staging": { "vars": {} } },
}"#;

const IGNORED: &str =
    "wrangler.jsonc: missing bindings, which throw an error when the app uses them: KV (kv_namespaces)";

#[tokio::test]
async fn a_wrangler_file_gives_name_entry_and_variables() {
    let app = App::named("app").file("wrangler.jsonc", WRANGLER).file("src/app.js", SHOW);
    // The configuration takes precedence over the wrangler file.
    let other = App::named("other")
        .file("wrangler.jsonc", WRANGLER)
        .file("main.js", SHOW)
        .file("src/app.js", "broken(");
    let other = other.set("entry = 'main.js'\nenv = { LIMIT = 4 }");
    let supervisor = TestSupervisor::plan().app(app).app(other).start().await;
    let vars = json!({ "GREETING": "hello", "LIMIT": 3, "ON": true, "DEEP": { "a": ["b"] } });
    let answer = supervisor.get("app", "/").await.json();
    for (name, value) in vars.as_object().unwrap() {
        assert_eq!(&answer[name], value);
    }
    assert_eq!(supervisor.get("other", "/").await.json()["LIMIT"], 4);
    let is_warning =
        |record: &serde_json::Value| record["message"].as_str().is_some_and(|text| text.ends_with(IGNORED));
    let warnings = until("both warn", async || {
        let warnings: Vec<_> = supervisor.log.records().into_iter().filter(is_warning).collect();
        (warnings.len() >= 2).then_some(warnings)
    })
    .await;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert_eq!((&warnings[0]["level"], &warnings[0]["app"]), (&json!("WARN"), &json!("app")));
}

#[tokio::test]
async fn a_bare_folder_is_called_what_its_wrangler_file_says() {
    let here = folder(&[("some-folder/wrangler.jsonc", WRANGLER), ("some-folder/src/app.js", SHOW)]);
    let (code, text, _) = run(here.path(), &["check", "some-folder"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(&format!("my-worker: warning: some-folder/{IGNORED}\nmy-worker: ok, ")), "{text}");
    let (code, text, _) = run(here.path(), &["check", "some-folder", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &found["apps"][0]["warnings"]), (0, &json!([format!("some-folder/{IGNORED}")])));
    let (code, text, _) = run(here.path(), &["check", "--app", "said=some-folder:1"]);
    assert!(code == 0 && text.contains("\nsaid: ok, "), "{text}");
    let (code, text, _) = run(here.path(), &["check", "--apps-dir", "."]);
    assert!(code == 0 && text.contains("\nsome-folder: ok, "), "{text}");
}

#[test]
fn mistakes_in_files_and_fields_name_their_lines() {
    let here = folder(&[
        ("broken/wrangler.toml", "name = 'x'\nmain =\n"),
        ("broken/index.js", SHOW),
        ("typed/wrangler.json", "{\n  \"main\": 1\n}"),
        ("typed/index.js", SHOW),
        ("missing/wrangler.toml", "\nmain = 'dist/index.js'"),
        ("outside/wrangler.toml", "main = '../typed/index.js'"),
        ("fine/index.js", SHOW),
        ("file", ""),
        (
            "nano.toml",
            "[server]\ncache_dir = 'file/x'\n[defaults]\ndeny_net = ['x y']\n[apps.fine]\npath = 'fine'\nport = 1\n\
             allow_net = [\n  '10.0.0.0/8',\n  'http://x',\n]\ndevelopment = 1\n\
             [apps.broken]\npath = 'broken'\nport = 2\n[apps.typed]\npath = 'typed'\nport = 3\n\
             [apps.missing]\npath = 'missing'\nport = 4\n[apps.outside]\npath = 'outside'\nport = 5",
        ),
    ]);
    for command in ["serve", "check"] {
        let (code, output, errors) = run(here.path(), &[command, "--config", "nano.toml"]);
        let text = format!("{output}{errors}");
        assert_eq!(code, 2, "{text}");
        for line in [
            "nano.toml:2: server.cache_dir: cannot write to file/x: Not a directory (os error 20); fix: name a folder",
            "nano.toml:4: defaults.deny_net: \"x y\" is no destination; fix: write a name such as",
            "nano.toml:10: apps.fine.allow_net: \"http://x\" is no destination; fix: leave out scheme and path",
            "nano.toml:12: apps.fine.development: expected true or false, found a whole number; fix: ",
            "broken/wrangler.toml:2: syntax: ",
            "typed/wrangler.json:2: main: is not text; fix: write it in quotes",
            "missing/wrangler.toml:2: main: there is no file ",
            "outside/wrangler.toml:1: main: entry \"../typed/index.js\" is no path inside the app's folder; fix: ",
            "8 problems",
        ] {
            assert!(text.contains(line), "{line:?} in {text}");
        }
    }
}

#[tokio::test]
async fn each_app_has_a_cache_of_its_own_unless_there_is_none() {
    let plan = || TestSupervisor::plan().app(App::hello("one")).app(App::hello("two"));
    let usual = plan().start().await;
    for app in ["one", "two"] {
        let found = fs::metadata(usual.folder().join("caches/nano-supervisor").join(app)).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o700);
    }
    let given = plan().set("cache_dir = 'here'").start().await;
    assert!(given.folder().join("here/one").is_dir() && !given.folder().join("caches").exists());
    for off in [plan().set("cache_dir = false"), plan().flags(&["--no-cache"])] {
        let off = off.start().await;
        assert!(!off.folder().join("caches").exists());
        assert_eq!(off.get("one", "/").await.status, 200);
    }
}

#[tokio::test]
async fn what_is_translated_is_kept_for_the_next_worker() {
    let index = "import { answer } from './answer.ts'; export default { fetch: () => new Response(answer) };";
    let app = App::new("app", index).file("answer.ts", "export const answer: string = 'translated';");
    let supervisor = TestSupervisor::plan().app(app).set("cache_dir = 'here'").start().await;
    assert_eq!(supervisor.get("app", "/").await.text(), "translated");
    let files = || {
        let files = fs::read_dir(supervisor.folder().join("here/app")).unwrap();
        files.map(|file| file.unwrap().path()).collect::<Vec<PathBuf>>()
    };
    let is_kept = |file: &PathBuf| file.extension().is_none();
    let is_all_kept = |files: &Vec<PathBuf>| !files.is_empty() && files.iter().all(is_kept);
    let kept = until("it was kept", async || Some(files()).filter(is_all_kept)).await;
    let [file] = &kept[..] else { panic!("{kept:?}") };
    let first = fs::read(file).unwrap();
    // The file begins with the digest of the source and the digest of the contents.
    let (made_of, contents) = (&first[..32], String::from_utf8(first[64..].to_vec()).unwrap());
    let other =
        contents.replace("'translated'", "'from the cache'").replace("\"translated\"", "\"from the cache\"");
    assert_ne!(contents, other);
    fs::write(file, [made_of, &Sha256::digest(&other), other.as_bytes()].concat()).unwrap();
    let pid = supervisor.worker("app").await;
    process::signal(pid, Signal::SIGKILL);
    supervisor.replaced("app", pid).await;
    assert_eq!(supervisor.get("app", "/").await.text(), "from the cache");

    let pid = supervisor.worker("app").await;
    fs::write(supervisor.folder().join("app/answer.ts"), "export const answer: string = 'changed';").unwrap();
    process::signal(pid, Signal::SIGKILL);
    supervisor.replaced("app", pid).await;
    assert_eq!(supervisor.get("app", "/").await.text(), "changed");
    until("it was kept in place of the other", async || {
        let others = fs::read(file).unwrap() != first;
        (others && files() == kept).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_v8_has_compiled_is_kept_for_the_next_worker() {
    // Code long enough for its compilation to be kept.
    let filler: String =
        (0..200).map(|number| format!("function unused{number}() {{ return 'never called'; }}\n")).collect();
    let source = format!("{filler}export default {{ fetch: () => new Response('compiled') }};");
    let supervisor =
        TestSupervisor::plan().app(App::new("app", &source)).set("cache_dir = 'here'").start().await;
    let kept = async || {
        let mut files = fs::read_dir(supervisor.folder().join("here/app")).unwrap();
        files.next().map(|file| file.unwrap().path()).filter(|file| file.extension().is_none())
    };
    let file = until("something was kept", kept).await;
    let restart = async || {
        let pid = supervisor.worker("app").await;
        process::signal(pid, Signal::SIGKILL);
        supervisor.replaced("app", pid).await;
        assert_eq!(supervisor.get("app", "/").await.text(), "compiled");
    };
    // A file that V8 rejects is written again under the same name.
    let (first, number) = (fs::read(&file).unwrap(), || fs::metadata(&file).unwrap().ino());
    let before = number();
    restart().await;
    restart().await;
    assert_eq!(number(), before);
    let garbage = vec![7; first.len() - 64];
    fs::write(&file, [&first[..32], &Sha256::digest(&garbage), &garbage].concat()).unwrap();
    restart().await;
    until("what V8 refused was replaced", async || (number() != before).then_some(())).await;
}

#[tokio::test]
async fn a_cache_that_nobody_asked_for_may_be_impossible() {
    let here = folder(&[("app/index.js", SHOW), ("file", "")]);
    let mut command = executable();
    command.current_dir(here.path()).args(["serve", "app", "--port", "0", "--host", "127.0.0.1"]);
    let mut child = command
        .args(["--control", "control.sock"])
        .env("HOME", here.path().join("file"))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let log = Log::default();
    log.collect(child.stdout.take().unwrap());
    log.line_with("worker ready").await;
    process::signal(child.id(), Signal::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(
        !log.lines().iter().any(|line| line.contains("WARN") || line.contains("ERROR")),
        "{:?}",
        log.lines()
    );
    let (code, _, text) = run(here.path(), &["check", "app", "--cache-dir", "file/x"]);
    assert_eq!(code, 2);
    assert!(
        text.starts_with("nano-supervisor: --cache-dir file/x: cannot write to file/x: Not a directory"),
        "{text}"
    );
}
