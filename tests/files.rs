//! `node:fs`: files in memory, as Workers have them.

use serde_json::{Value, json};

use crate::TestSupervisor;
use crate::admin::metrics;
use crate::harness::workerd::Both;
use crate::harness::{App, Client, free_address, npm, within};
use crate::until;

/// What an app sees of `node:fs`, in parts.
const PROGRAM: &str = concat!(
    include_str!("files/program.js"),
    include_str!("files/sync.js"),
    include_str!("files/folders.js"),
    include_str!("files/later.js"),
);

const AREAS: &str =
    "top names wrong paths reading writing stats listing changing globs callbacks promised handles streams";

/// Checks with another result here, and the result. `docs/workers.md` has the reasons.
fn differing() -> Vec<(String, Value)> {
    let denied = json!({ "thrown": {
        "name": "Error", "code": "EBADF", "syscall": "write", "message": "bad file descriptor",
    } });
    let mut differing = vec![("handles: to read only".to_owned(), denied.clone())];
    for flag in ["r", "rs", "sr", "0", "64", "null", "undefined"] {
        differing.push((format!("writing: write by descriptor with {flag}"), denied.clone()));
    }
    let folder = json!({ "thrown": {
        "name": "Error", "code": "EISDIR", "syscall": "unlink", "message": "Cannot unlink a directory",
    } });
    differing.push(("paths: unlink in /".to_owned(), folder.clone()));
    differing.push(("paths: unlinkSync with a slash at the end".to_owned(), folder));
    for call in ["rmSync", "rmdirSync"] {
        differing.push((format!("paths: {call} with a slash at the end"), json!({ "value": ["a"] })));
    }
    differing
}

#[tokio::test]
async fn every_member_of_fs_does_what_it_does_on_workers() {
    let Some(both) = Both::serve(PROGRAM, free_address()).await else { return };
    let differing = differing();
    let mut checks = 0;
    let mut wrong = Vec::new();
    for area in AREAS.split(' ') {
        let [ours, theirs] =
            both.send("GET", &format!("/{area}"), &[], "").await.map(|reply| reply.unwrap().json());
        let (ours, theirs) = (ours.as_object().unwrap(), theirs.as_object().unwrap());
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{area}");
        checks += theirs.len();
        for (name, result) in theirs {
            let listed = differing.iter().find(|(known, _)| known == name).map(|(_, result)| result);
            let expected = listed.unwrap_or(result);
            if ours[name] != *expected {
                wrong.push(format!("{name}: {} instead of {expected}", ours[name]));
            }
            if listed == Some(result) {
                wrong.push(format!("{name}: no longer differs"));
            }
        }
    }
    assert!(checks > 3000, "{checks}");
    assert!(wrong.is_empty(), "{} of {checks} checks:\n{}", wrong.len(), wrong.join("\n"));
}

/// Writes to /tmp in several ways, at once and after the answer.
const REQUESTS: &str = r"
    import fs from 'node:fs';
    import { Readable } from 'node:stream';
    import { AsyncLocalStorage } from 'node:async_hooks';
    import { withEnv } from 'cloudflare:workers';
    fs.writeFileSync('/tmp/early', 'x');
    const early = fs.openSync('/bundle/index.js', 'r');
    let descriptor, seen = 'nothing';
    const storage = new AsyncLocalStorage();
    let came = 0, all;
    const four = new Promise((resolve) => { all = resolve; });
    const met = () => { if (++came === 4) all(); return four; };
    export default { async fetch(request, env, ctx) {
      const { pathname, searchParams } = new URL(request.url);
      const own = searchParams.get('own');
      switch (pathname) {
        case '/write':
          descriptor = fs.openSync('/tmp/kept', 'w+');
          fs.writeSync(descriptor, 'of one request');
          return Response.json([fs.readdirSync('/tmp'), fs.readFileSync(early).length > 100]);
        case '/look': {
          const told = (act) => { try { return act(); } catch (error) { return error.code; } };
          return Response.json([fs.readdirSync('/tmp'), told(() => fs.fstatSync(descriptor).size), told(() => fs.readFileSync(descriptor, 'utf8')), process.cwd()]);
        }
        case '/meet': {
          fs.writeFileSync('/tmp/own', own);
          process.chdir('/tmp');
          await met();
          const inside = storage.run(1, () => withEnv({}, () => fs.readFileSync('own', 'utf8')));
          await storage.run(2, async () => { await null; fs.appendFileSync('own', '!'); });
          return new Response([inside, fs.readFileSync('/tmp/own', 'utf8'), fs.readdirSync('/tmp')].join());
        }
        case '/stream':
          fs.writeFileSync('/tmp/big', 'x'.repeat(300_000));
          return new Response(Readable.toWeb(fs.createReadStream('/tmp/big')));
        case '/later':
          fs.writeFileSync('/tmp/later', 'still there');
          ctx.waitUntil((async () => { await scheduler.wait(50); seen = fs.readFileSync('/tmp/later', 'utf8'); })());
          return new Response('answered');
        case '/late': {
          // Goes on after the request.
          const timer = setInterval(() => {
            try { fs.writeFileSync('/tmp/late', 'x'); } catch ({ code }) { seen = [code, fs.readdirSync('/tmp'), process.cwd()].join(); clearInterval(timer); }
          }, 10);
          return new Response('answered');
        }
        default:
          return new Response(seen);
      }
    } };
";

#[tokio::test]
async fn each_request_has_a_tmp_of_its_own_until_all_of_its_work_is_done() {
    let supervisor = TestSupervisor::with(REQUESTS).await;
    let get = async |path: &str| supervisor.get("app", path).await;
    assert_eq!(get("/write").await.json(), json!([["kept"], true]));
    assert_eq!(get("/look").await.json(), json!([[], "EBADF", "EBADF", "/bundle"]));
    // At the same time, and through other async contexts.
    let met = tokio::join!(get("/meet?own=0"), get("/meet?own=1"), get("/meet?own=2"), get("/meet?own=3"));
    for (own, met) in [met.0, met.1, met.2, met.3].iter().enumerate() {
        assert_eq!(met.text(), format!("{own},{own}!,own"));
    }
    assert_eq!(get("/stream").await.body.len(), 300_000);
    assert_eq!(get("/later").await.text(), "answered");
    until("the work after the answer", async || (get("/seen").await.text() == "still there").then_some(()))
        .await;
    assert_eq!(get("/late").await.text(), "answered");
    until("an error in a timer", async || (get("/seen").await.text() == "EPERM,,/bundle").then_some(()))
        .await;
    assert_eq!(get("/look").await.json()[0], json!([]));
}

#[tokio::test]
async fn what_was_written_while_the_app_was_loaded_leaves_memory() {
    let supervisor = TestSupervisor::with(
        r"
        import fs from 'node:fs';
        fs.writeFileSync('/tmp/early', new Uint8Array(30_000_000));
        export default { fetch() {
          // Garbage, so that the engine collects.
          for (let i = 0; i < 10; i++) new Uint8Array(1_000_000);
          return Response.json(process.memoryUsage().external);
        } };
        ",
    )
    .await;
    let external = async || supervisor.get("app", "/").await.json().as_i64().unwrap();
    until("the memory of files of the load", async || (external().await < 30_000_000).then_some(())).await;
}

/// Fills /tmp until it is full.
const FILLS: &str = r"
    import fs from 'node:fs';
    const part = new Uint8Array(1024 * 1024);
    let came = 0, all;
    const four = new Promise((resolve) => { all = resolve; });
    const fill = (act) => { let written = 0; try { while (written < 100) { act(written); written++; } } catch (error) { return [written, error.code, error.message]; } };
    export default { async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === '/files') return Response.json(fill((at) => fs.writeFileSync(`/tmp/${at}`, part)));
      if (pathname === '/append') return Response.json(fill(() => fs.appendFileSync('/tmp/a', part)));
      if (pathname === '/again') {
        const first = fill((at) => fs.writeFileSync(`/tmp/${at}`, part));
        fs.rmSync('/tmp/0'); fs.truncateSync('/tmp/1'); fs.mkdirSync('/tmp/d'); fs.renameSync('/tmp/2', '/tmp/d/2'); fs.rmSync('/tmp/d', { recursive: true });
        const open = fs.openSync('/tmp/3', 'r'); fs.unlinkSync('/tmp/3');
        const second = fill((at) => fs.writeFileSync(`/tmp/b${at}`, part));
        fs.closeSync(open);
        return Response.json([first[0], second[0], fill((at) => fs.writeFileSync(`/tmp/c${at}`, part))[0]]);
      }
      // Four of these have all that there is.
      fs.writeFileSync('/tmp/quarter', new Uint8Array(2 * 1024 * 1024));
      if (++came === 4) all();
      await four;
      return Response.json(fill((at) => fs.writeFileSync(`/tmp/${at}`, part))[0]);
    } };
";

#[tokio::test]
async fn files_have_no_more_bytes_than_max_tmp_and_give_them_back() {
    let app = App::new("app", FILLS).set("max_tmp = '8MiB'");
    let admin = free_address();
    let supervisor = TestSupervisor::plan().app(app).set(&format!("admin = '{admin}'")).start().await;
    let get = async |path: &str| supervisor.get("app", path).await.json();
    let full = json!([4, "ENOSPC", "no space left on device"]);
    // Each begins with nothing, because the files of the request before have ended with it.
    for _ in 0..5 {
        assert_eq!(get("/files").await, full);
        assert_eq!(get("/append").await, full);
    }
    assert_eq!(get("/again").await, json!([4, 3, 1]));
    let together = tokio::join!(get("/quarter"), get("/quarter"), get("/quarter"), get("/quarter"));
    assert_eq!([together.0, together.1, together.2, together.3], [json!(0), json!(0), json!(0), json!(0)]);
    let admin = Client::afresh(admin);
    let name = "nano_limit_broken_total{app=\"app\",limit=\"max_tmp\"}";
    until("the refused writes in the metrics", async || (metrics(&admin).await[name] >= 16.0).then_some(()))
        .await;
}

#[tokio::test]
async fn the_bundle_has_the_modules_that_are_loaded_and_nothing_of_the_host() {
    let app = App::new(
        "app",
        r"
        import fs, { readFileSync } from 'node:fs';
        import './lib/a.ts';
        import text from './text.txt';
        import colon from './a:b.txt';
        import data from './data.json';
        import common from './common.cjs';
        const told = (act) => { try { return act(); } catch (error) { return error.code; } };
        export default { async fetch() {
          const before = fs.readdirSync('/bundle');
          const { default: late } = await import('./lib/late.js');
          return Response.json({
            before,
            after: fs.readdirSync('/bundle/lib'),
            source: readFileSync('/bundle/lib/a.ts', 'utf8'),
            text: readFileSync('text.txt', 'utf8') === text,
            colon: readFileSync('/bundle/a:b.txt', 'utf8') === colon,
            data: JSON.parse(readFileSync(new URL('./data.json', import.meta.url))),
            common,
            late,
            here: [import.meta.url.endsWith('/index.js'), fs.existsSync(new URL(import.meta.url))],
            hidden: ['.env', 'unused.js', 'README.md', 'package.json', '../nano.toml', '/etc/passwd', '/proc/self/environ'].filter((path) => fs.existsSync(path) || fs.existsSync(new URL(path, import.meta.url))),
            denied: [told(() => readFileSync('/etc/passwd')), told(() => fs.writeFileSync(new URL(import.meta.url), 'x')), told(() => fs.readdirSync('/proc'))],
          });
        } };
        ",
    )
    .file("lib/a.ts", "export const a: number = 1;")
    .file("lib/late.js", "import { readdirSync } from 'fs'; export default readdirSync('/bundle/lib').length;")
    .file("text.txt", "some text")
    .file("a:b.txt", "some other text")
    .file("data.json", "{ \"a\": 1 }")
    .file("common.cjs", "module.exports = require('fs').readFileSync(__dirname + '/text.txt', 'utf8') + require('node:path').basename(__filename);")
    .file("unused.js", "")
    .file("README.md", "")
    .file("package.json", "{ \"type\": \"module\" }")
    .file(".env", "SECRET = 1");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    assert_eq!(
        supervisor.get("app", "/").await.json(),
        json!({
            "before": ["a:b.txt", "common.cjs", "data.json", "index.js", "lib", "text.txt"],
            "after": ["a.ts", "late.js"],
            "source": "export const a: number = 1;",
            "text": true,
            "colon": true,
            "data": { "a": 1 },
            "common": "some textcommon.cjs",
            "late": 2,
            "here": [true, true],
            "hidden": [],
            "denied": ["ENOENT", "EPERM", "ENOENT"],
        })
    );
}

#[tokio::test]
async fn packages_that_need_files_read_and_write_them() {
    let Some(folder) = npm::installed() else { return };
    let app = App::at("app", &folder).set("entry = 'apps/files.js'\nstart_timeout = '30s'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let reply = within(supervisor.get("app", "/")).await;
    assert_eq!(
        reply.json(),
        json!({ "page": "<p>Hello ada &amp; co</p>", "length": 11, "parts": [["file", "greeting.txt", "hello files"]] })
    );
}
