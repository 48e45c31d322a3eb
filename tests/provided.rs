//! Bindings of wrangler files that need no service: rate limits, datasets, secrets that are asked for, and the version.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::deploy::succeed;
use crate::harness::{App, folder, process, run};
use crate::{TestSupervisor, until};

const WRANGLER: &str = "main = 'index.js'
[[ratelimits]]
name = 'LIMIT'
namespace_id = '1001'
simple = { limit = 2, period = 60 }
[[analytics_engine_datasets]]
binding = 'VISITS'
dataset = 'site_visits'
[[secrets_store_secrets]]
binding = 'KEY'
store_id = '1'
secret_name = 'key'
[[secrets_store_secrets]]
binding = 'LOST'
store_id = '1'
secret_name = 'lost'
[version_metadata]
binding = 'VERSION'";

const USES: &str = "import { env as everywhere } from 'cloudflare:workers';
const attempt = async (use) => {
  try {
    return (await use()) ?? null;
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
};
const loading = await attempt(() => everywhere.LIMIT.limit({ key: 'k' }));
const uses = {
  loading: () => loading,
  limit: (env, key) => env.LIMIT.limit({ key }),
  long: async (env) => {
    const counted = [];
    for (const last of ['a', 'a', 'a', 'b']) counted.push((await env.LIMIT.limit({ key: String.fromCharCode(0xd800).repeat(100_000) + last })).success);
    return counted;
  },
  wrong: (env) => Promise.all([undefined, 1, { key: 1 }, { key: 'a', more: 1, most: 2 }].map((options) => attempt(() => env.LIMIT.limit(options)))),
  secret: (env) => Promise.all([env.KEY, env.LOST].map((secret) => attempt(() => secret.get()))),
  points: (env) => Promise.all([
    { indexes: ['a'], blobs: ['x', null, new Uint8Array([1, 2, 3]), new ArrayBuffer(1)], doubles: [1, 2.5, '3'] },
    {}, undefined, null, 1, { blobs: 1 }, { indexes: 'abc' },
  ].map((point) => attempt(() => env.VISITS.writeDataPoint(point)))),
  version: (env) => env.VERSION,
  names: (env) => ({
    names: Object.keys(env).sort(),
    same: Object.keys(env).every((name) => env[name] === everywhere[name]),
    process: [process.env.KEY, process.env.PLAIN],
  }),
};
export default { async fetch(request, env) {
  const { pathname, searchParams } = new URL(request.url);
  return Response.json(await attempt(() => uses[pathname.slice(1)](env, searchParams.get('key') ?? undefined)));
} };";

async fn started() -> TestSupervisor {
    let app = App::new("app", USES)
        .file("wrangler.toml", WRANGLER)
        .file("key", "value of the key\n")
        .set("secrets = { KEY = 'app/key' }\nenv = { PLAIN = 'plain' }");
    TestSupervisor::plan().app(app).start().await
}

async fn shown(supervisor: &TestSupervisor, target: &str) -> Value {
    supervisor.get("app", target).await.json()
}

#[tokio::test]
async fn a_rate_limit_holds_for_each_key_and_outlives_workers() {
    let supervisor = started().await;
    let limit = async |key: &str| shown(&supervisor, &format!("/limit?key={key}")).await["success"].clone();
    let keys = ["a", "%F0%9F%A6%80%20/%3F%23", "", ".", ".."];
    for key in keys {
        assert_eq!([limit(key).await, limit(key).await, limit(key).await], [true, true, false], "{key}");
    }
    let worker = supervisor.worker("app").await;
    process::signal(worker, Signal::SIGKILL);
    supervisor.replaced("app", worker).await;
    for key in keys {
        assert_eq!(limit(key).await, false, "{key}");
    }
    assert_eq!(limit("b").await, true);
    assert_eq!(shown(&supervisor, "/long").await, json!([true, true, false, true]));
    let early = "TypeError: env.LIMIT.limit: there is no answer before the worker takes requests: while the app loads, or in a \
                 health check";
    assert_eq!(shown(&supervisor, "/loading").await, early);
    assert_eq!(
        shown(&supervisor, "/wrong").await,
        json!([
            "Error: invalid rate limit options",
            "Error: invalid rate limit options",
            "Error: invalid key: 1",
            "Error: bad rate limit options: [more,most]"
        ])
    );
}

#[tokio::test]
async fn a_secret_is_asked_for_and_is_no_variable() {
    let supervisor = started().await;
    let found = json!(["value of the key", "Error: Secret \"LOST\" not found"]);
    assert_eq!(shown(&supervisor, "/secret").await, found);
    assert_eq!(
        shown(&supervisor, "/names").await,
        json!({
            "names": ["KEY", "LIMIT", "LOST", "PLAIN", "VERSION", "VISITS"],
            "same": true,
            "process": [null, "plain"],
        })
    );
    supervisor.log.line_with("requires secrets that are not set: LOST").await;
}

#[tokio::test]
async fn data_points_are_lines_of_the_log() {
    let supervisor = started().await;
    let failed = "TypeError: Failed to execute 'writeDataPoint' on 'AnalyticsEngine': parameter 1 is not of type 'AnalyticsEngineEvent'.";
    let field = |name: &str| {
        format!(
            "TypeError: Incorrect type for the '{name}' field on 'AnalyticsEngineEvent': the provided value is not of type 'Array'."
        )
    };
    assert_eq!(
        shown(&supervisor, "/points").await,
        json!([null, null, null, null, failed, field("blobs"), field("indexes")])
    );
    let point = r#"data point {"dataset":"site_visits","indexes":["a"],"blobs":["x",null,"AQID","AA=="],"doubles":[1,2.5,3]}"#;
    until("the data point is in the log", async || {
        let lines = supervisor.log.lines();
        let message =
            |line: &str| serde_json::from_str::<Value>(line).ok()?["message"].as_str().map(str::to_owned);
        lines.iter().any(|line| message(line).as_deref() == Some(point) || line.contains(point)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_version_is_that_of_the_module_in_the_folder() {
    let supervisor = started().await;
    let first = shown(&supervisor, "/version").await;
    let id = first["id"].as_str().unwrap();
    assert!(id.len() == 36 && id.as_bytes()[14] == b'8', "{id}");
    assert!(humantime::parse_rfc3339(first["timestamp"].as_str().unwrap()).is_ok());
    assert_eq!(first["tag"], "");
    succeed(&supervisor, &["restart", "app"]);
    assert_eq!(shown(&supervisor, "/version").await, first);
    let entry = supervisor.folder().join("app/index.js");
    let file = std::fs::OpenOptions::new().append(true).open(entry).unwrap();
    file.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(5)).unwrap();
    drop(file);
    succeed(&supervisor, &["restart", "app"]);
    let second = shown(&supervisor, "/version").await;
    assert!(second["id"] != first["id"] && second["timestamp"] != first["timestamp"], "{first} {second}");
}

#[test]
fn check_names_what_cannot_be_used() {
    let wrong = "main = 'index.js'\n[[ratelimits]]\nname = 'LIMIT'\nsimple = { limit = 1, period = 7 }";
    let dir = folder(&[("index.js", USES), ("wrangler.toml", wrong)]);
    let (code, _, errors) = run(dir.path(), &["check", "."]);
    let expected =
        "wrangler.toml:2: ratelimits: has an entry that cannot be used; fix: write name = \"LIMIT\"";
    assert!(code != 0 && errors.contains(expected), "{errors}");
    let dir = folder(&[("index.js", USES), ("wrangler.toml", WRANGLER)]);
    let (code, text, errors) = run(dir.path(), &["check", "."]);
    assert_eq!(code, 0, "{text} {errors}");
}
