//! Modules of Node: what they do, which names they export, and that they give no access to the host.
//!
//! The checks in `tests/node` are JavaScript that also passes in Node itself (except `process.mjs`), so that the expected results
//! can be compared with Node.

use std::collections::BTreeMap;

use crate::TestSupervisor;
use crate::harness::{App, executable};

const CHECK: &str = include_str!("node/check.mjs");

/// The files of checks: the name of each, and its source.
const CHECKS: &[(&str, &str)] = &[
    ("bytes", include_str!("node/bytes.mjs")),
    ("context", include_str!("node/context.mjs")),
    ("crypto", include_str!("node/crypto.mjs")),
    ("events", include_str!("node/events.mjs")),
    ("paths", include_str!("node/paths.mjs")),
    ("process", include_str!("node/process.mjs")),
    ("streams", include_str!("node/streams.mjs")),
    ("timers", include_str!("node/timers.mjs")),
    ("util", include_str!("node/util.mjs")),
    ("zlib", include_str!("node/zlib.mjs")),
];

/// An app that runs the checks that its path names.
fn checks() -> App {
    let mut index = String::from("import { run } from './check.mjs';\nconst checks = {};\n");
    let mut app = App::named("app").file("check.mjs", CHECK);
    for (name, source) in CHECKS {
        index += &format!("import {name} from './{name}.mjs';\nchecks.{name} = {name};\n");
        app = app.file(&format!("{name}.mjs"), source);
    }
    index += "export default { fetch: async (request) =>
        Response.json(await run(checks[new URL(request.url).pathname.slice(1)])) }";
    app.file("index.js", &index).set("env = { TEXT = 'hello', NUMBER = 5, FLAG = true, LIST = ['a', 1] }")
}

#[tokio::test]
async fn modules_do_what_they_do_in_node() {
    let supervisor = TestSupervisor::plan().app(checks()).start().await;
    let mut failures = BTreeMap::new();
    for (name, _) in CHECKS {
        let result = supervisor.get("app", &format!("/{name}")).await.json();
        assert!(result["count"].as_u64() > Some(10), "{name}: {result}");
        if result["failures"] != serde_json::json!([]) {
            failures.insert(name, result["failures"].clone());
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    // The output of process.mjs.
    for (text, level) in [
        ("to stdout, in parts", "INFO"),
        ("and another line", "INFO"),
        ("to stderr", "ERROR"),
        ("(node) [OWN001] OwnWarning: careful", "WARN"),
    ] {
        let record = supervisor.log.record_with(text).await;
        assert_eq!(record["level"], level, "{record}");
    }
}

#[tokio::test]
async fn a_context_stays_with_its_request_however_requests_interleave() {
    let back = TestSupervisor::plan().app(App::hello("back")).start().await;
    let address = back.address("back").await;
    let app = App::new(
        "app",
        &format!(
            "import {{ AsyncLocalStorage }} from 'node:async_hooks';
             import {{ setTimeout as sleep }} from 'node:timers/promises';
             import {{ Readable }} from 'node:stream';
             const storage = new AsyncLocalStorage();
             const shared = new EventTarget();
             const steps = [
               () => sleep(Math.random() * 3),
               () => fetch('http://{address}/').then((answer) => answer.text()),
               () => new Promise((resolve) => process.nextTick(resolve)),
               () => new Promise((resolve) => setImmediate(resolve)),
               () => new Promise((resolve) => shared.addEventListener('go', resolve, {{ once: true }})),
               () => Readable.from(['x']).toArray(),
               () => new Response(new ReadableStream({{ pull(controller) {{ controller.close(); }} }})).text(),
               () => import('node:querystring'),
             ];
             setInterval(() => shared.dispatchEvent(new Event('go')), 2);
             export default {{
               fetch: (request) => storage.run({{ id: new URL(request.url).pathname }}, async () => {{
                 const wrong = [];
                 for (let round = 0; round < 5; round++) {{
                   for (const [index, step] of steps.entries()) {{
                     const before = storage.getStore();
                     const pending = step();
                     if (storage.getStore() !== before) wrong.push(`during ${{index}}`);
                     await pending;
                     if (storage.getStore() !== before) wrong.push(`after ${{index}}`);
                   }}
                 }}
                 console.log('logged by', storage.getStore().id);
                 return Response.json({{ id: storage.getStore().id, wrong, outside: storage.exit(() => storage.getStore()) ?? null }});
               }}),
             }}"
        ),
    );
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = supervisor.client("app").await;
    let requests: Vec<_> = (0..24)
        .map(|id| {
            let client = client.clone();
            tokio::spawn(async move { (id, client.get(&format!("/{id}")).await.unwrap()) })
        })
        .collect();
    for request in requests {
        let (id, reply) = request.await.unwrap();
        assert_eq!(reply.json(), serde_json::json!({ "id": format!("/{id}"), "wrong": [], "outside": null }));
        // The id of the request for log lines is kept apart from the async contexts of the app.
        let record = supervisor.log.record_with(&format!("logged by /{id}\"")).await;
        assert_eq!(record["request_id"], reply.header("x-request-id"), "{record}");
    }
}

#[tokio::test]
async fn a_request_that_spins_within_a_context_is_still_known() {
    let app = App::new(
        "app",
        "import { AsyncLocalStorage } from 'node:async_hooks';
         const storage = new AsyncLocalStorage();
         export default { fetch: (request) => storage.run('store', async () => {
           await null;
           if (new URL(request.url).pathname === '/spin') process.nextTick(() => { for (;;); });
           console.log('waits');
           await new Promise(() => {});
         }) }",
    );
    let supervisor = TestSupervisor::plan().app(app.set("watchdog = '2s'")).start().await;
    let client = supervisor.client("app").await;
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.get("/wait").await.unwrap() }
    });
    supervisor.log.line_with("waits").await;
    // `/spin` is blamed. The other request was only lost with the worker.
    assert_eq!(client.get("/spin").await.unwrap().status, 504);
    assert_eq!(waiting.await.unwrap().status, 500);
}

#[tokio::test]
async fn loading_a_module_leaves_the_running_code_alone() {
    let supervisor = TestSupervisor::with(
        "export default { async fetch() {
           const order = [];
           queueMicrotask(() => order.push('microtask'));
           const imported = import('node:stream');
           order.push(typeof process.getBuiltinModule('node:crypto').createHash('md5').digest('hex'));
           order.push(typeof Buffer.from('x').toString);
           order.push('now');
           await imported;
           return Response.json(order);
         } }",
    )
    .await;
    let expected = serde_json::json!(["string", "function", "now", "microtask"]);
    assert_eq!(supervisor.get("app", "/").await.json(), expected);
}

/// Returns the names that Node 20 exports, as a list for each module in which the names matter.
fn names_of_node() -> BTreeMap<String, String> {
    serde_json::from_str(include_str!("node/names.json")).unwrap()
}

/// The names that are not offered, with the reasons.
const NOT_OFFERED: &[(&str, &str)] = &[
    // Internals of Node's own process, undocumented or deprecated.
    (
        "process",
        "_debugEnd _debugProcess _events _eventsCount _exiting _fatalException _getActiveHandles _getActiveRequests _kill \
         _linkedBinding _maxListeners _preload_modules _rawDebug _startProfilerIdleNotifier _stopProfilerIdleNotifier \
         _tickCallback noProcessWarnings",
    ),
    // Deprecated since Node 10 and undocumented.
    ("timers", "_unrefActive"),
];

#[tokio::test]
async fn modules_have_the_names_that_node_gives_them() {
    let names = names_of_node();
    let mut index = String::from("const found = {};\n");
    for (number, module) in names.keys().enumerate() {
        let bare = if number % 2 == 0 { "" } else { "node:" };
        index += &format!(
            "import * as m{number} from '{bare}{module}';\nfound['{module}'] = Object.keys(m{number});\n"
        );
    }
    index += "export default { fetch: () => Response.json(found) }";
    let found = TestSupervisor::with(&index).await.get("app", "/").await.json();
    let mut missing = Vec::new();
    let mut offered = Vec::new();
    for (module, names) in &names {
        let found: Vec<&str> =
            found[module].as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
        assert!(found.contains(&"default"), "{module} has no default export");
        let left_out: Vec<&str> = NOT_OFFERED
            .iter()
            .filter(|(at, _)| at == module)
            .flat_map(|(_, names)| names.split(' '))
            .collect();
        missing.extend(
            names
                .split(' ')
                .filter(|name| !found.contains(name) && !left_out.contains(name))
                .map(|name| format!("{module}.{name}")),
        );
        offered.extend(
            left_out.iter().filter(|name| found.contains(name)).map(|name| format!("{module}.{name}")),
        );
    }
    assert!(missing.is_empty(), "missing: {}", missing.join(" "));
    assert!(offered.is_empty(), "offered after all: {}", offered.join(" "));
}

#[tokio::test]
async fn nothing_leads_from_a_module_to_the_engine() {
    let supervisor = TestSupervisor::with(
        "const refused = async (name) => { try { await import(name); return false; } catch { return true; } };
         export default { async fetch() {
           const seen = new Set(), found = [];
           const visit = (value, path) => {
             if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return;
             seen.add(value);
             if (path.length > 8) return;
             for (const key of Reflect.ownKeys(value)) {
               if (/^op_|^loadExtScript$|^primordials$|^__bootstrap$/.test(String(key))) found.push([...path, String(key)].join('.'));
               let next;
               try { next = value[key]; } catch { continue; }
               visit(next, [...path, String(key)]);
             }
             visit(Object.getPrototypeOf(value), [...path, '__proto__']);
           };
           const { builtinModules } = await import('node:module');
           for (const name of [...builtinModules, 'sqlite', 'test']) visit(await import('node:' + name), [name]);
           visit(globalThis, ['globalThis']);
           const specifiers = ['ext:core/mod.js', 'ext:core/ops', 'ext:deno_node/util.ts', 'ext:nano_node/builtins.js',
             'ext:nano_node/node:util', 'node:nope', 'node:', 'test', 'sqlite', 'nano:commonjs'];
           const reached = [];
           for (const name of specifiers) if (!await refused(name)) reached.push(name);
           return Response.json({ found, reached, enough: seen.size > 2000 });
         } }",
    )
    .await;
    let expected = serde_json::json!({ "found": [], "reached": [], "enough": true });
    assert_eq!(supervisor.get("app", "/").await.json(), expected);
}

#[tokio::test]
async fn a_module_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.js"), "import nope from 'node:nope';").unwrap();
    let output = executable().arg("check").arg(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("cannot import \"node:nope\" from index.js"), "{text}");
}
