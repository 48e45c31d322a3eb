//! The admin listener: probes, metrics, who may use it, and changes that no other page can cause.

use std::collections::BTreeMap;

use bytes::Bytes;
use http_body_util::Full;
use nano_supervisor::api::status::AppStatus;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::harness::{App, Client, free_address, process, run};
use crate::{TestSupervisor, until};

/// Returns every value of the metrics by its name with its labels.
pub(crate) async fn metrics(admin: &Client) -> BTreeMap<String, f64> {
    let reply = admin.get("/metrics").await.unwrap();
    assert_eq!(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let mut types = BTreeMap::new();
    let mut values = BTreeMap::new();
    for line in reply.text().lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(types.insert(name.to_owned(), kind.to_owned()), None, "one family, one place: {line}");
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let base = name.split('{').next().unwrap();
            let is_typed =
                |suffix: &str| base.strip_suffix(suffix).is_some_and(|base| types.contains_key(base));
            assert!(["", "_bucket", "_sum", "_count"].into_iter().any(is_typed), "{line}");
            assert_eq!(values.insert(name.to_owned(), value.parse().unwrap()), None, "{line}");
        }
    }
    values
}

const SOURCE: &str = "
export default { async fetch(request) {
  const path = new URL(request.url).pathname;
  if (path === '/missing') return new Response('no', { status: 404 });
  if (path === '/throw') throw new Error('no');
  if (path === '/slow') await new Promise((resolve) => setTimeout(resolve, 300));
  return new Response(await request.text() || 'hello');
} }";

#[tokio::test]
async fn metrics_tell_what_happened() {
    let address = free_address();
    let supervisor = TestSupervisor::plan()
        .app(App::new("app", SOURCE))
        .app(App::hello("idle"))
        .set(&format!("admin = '{address}'"))
        .start()
        .await;
    let (admin, app) = (Client::afresh(address), supervisor.client("app").await);
    for path in ["/", "/", "/missing", "/throw", "/slow"] {
        let _ = app.get(path).await.unwrap();
    }
    let _ = app.post("/", "x".repeat(1000)).await.unwrap();
    let now = metrics(&admin).await;
    let failed = "500 Internal Server Error\nThe app failed to answer.\n".len() as f64;
    for (name, value) in [
        ("nano_requests_total{app=\"app\",status=\"2xx\"}", 4.0),
        ("nano_requests_total{app=\"app\",status=\"4xx\"}", 1.0),
        ("nano_requests_total{app=\"app\",status=\"5xx\"}", 1.0),
        ("nano_requests_total{app=\"idle\",status=\"2xx\"}", 0.0),
        ("nano_request_body_bytes_total{app=\"app\"}", 1000.0),
        ("nano_response_body_bytes_total{app=\"app\"}", 1000.0 + 3.0 * 5.0 + 2.0 + failed),
        // The request whose handler threw has no response head from the app.
        ("nano_request_seconds_count{app=\"app\"}", 5.0),
        ("nano_request_worker_seconds_bucket{app=\"app\",le=\"+Inf\"}", 5.0),
        ("nano_request_queue_seconds_count{app=\"app\"}", 5.0),
        ("nano_refusals_total{app=\"app\",code=\"handler_failed\"}", 1.0),
        ("nano_limit_broken_total{app=\"app\",limit=\"log_rate\"}", 0.0),
        ("nano_requests_waiting{app=\"app\"}", 0.0),
        ("nano_app_ready{app=\"app\"}", 1.0),
        ("nano_worker_starts_total{app=\"app\"}", 0.0),
        ("nano_log_lines_dropped_total", 0.0),
    ] {
        assert_eq!(now.get(name), Some(&value), "{name}");
    }
    let slow = now["nano_request_worker_seconds_sum{app=\"app\"}"];
    assert!(slow >= 0.3, "{slow}");
    assert!(now["nano_request_worker_seconds_bucket{app=\"app\",le=\"0.262144\"}"] < 5.0);
    assert!(now["nano_supervisor_memory_bytes"] > 0.0 && now["nano_supervisor_descriptors"] > 5.0);
    let ready = async || {
        let now = metrics(&admin).await;
        let names =
            ["nano_worker_memory_bytes{app=\"app\"}", "nano_worker_heap_bytes{app=\"app\"}", "nano_spares"];
        names.into_iter().all(|name| now[name] > 0.0).then_some(())
    };
    until("workers were looked at and there is a spare", ready).await;

    let worker = supervisor.worker("app").await;
    process::signal(worker, Signal::SIGKILL);
    supervisor.replaced("app", worker).await;
    let now = metrics(&admin).await;
    assert_eq!(now["nano_worker_ends_total{app=\"app\",cause=\"signal\"}"], 1.0);
    assert_eq!(now["nano_worker_starts_total{app=\"app\"}"], 1.0);
    assert_eq!(now["nano_requests_total{app=\"app\",status=\"2xx\"}"], 4.0);
}

#[tokio::test]
async fn the_status_knows_rates_and_latencies() {
    let supervisor = TestSupervisor::plan().app(App::new("app", SOURCE)).start().await;
    let _ = supervisor.get("app", "/slow").await;
    let app = supervisor.until("app", "was looked at", |app| app.rates.p50_ms.is_some()).await;
    assert!(app.rates.p50_ms.unwrap() >= 200.0 && app.rates.p99_ms >= app.rates.p50_ms, "{app:?}");
    assert_eq!((app.requests, app.errors), (1, 0));
    // The supervisor measures the one, the worker tells the other.
    let is_known = |app: &AppStatus| app.memory > 0 && app.cpu_seconds > 0.0 && app.heap_limit > 0;
    let app = supervisor.until("app", "uses memory", is_known).await;
    assert!(app.rss > app.memory, "{app:?}");
    let socket = supervisor.socket().to_str().unwrap();
    until("there is a spare", async || {
        let (_, text, _) = run(supervisor.folder(), &["status", "--control", socket]);
        assert!(text.contains("REQ/S"), "{text}");
        text.contains("\nspares: 1, memory ").then_some(())
    })
    .await;
}

/// Fails if a worker gets more at its start than it needs: scripts that most apps do not use, or its operations a second time.
#[tokio::test]
async fn an_idle_app_has_little_on_its_heap() {
    let supervisor = TestSupervisor::plan().app(App::new("app", SOURCE)).start().await;
    let app = supervisor.until("app", "says what its heap holds", |app| app.heap_used > 0).await;
    assert!(app.heap_used < 1_800_000, "{app:?}");
}

#[tokio::test]
async fn a_token_is_demanded_and_other_pages_cannot_change_anything() {
    let (open, closed) = (free_address(), free_address());
    let supervisor = TestSupervisor::plan()
        .app(App::hello("app").file("../token", "0123456789abcdef"))
        .set(&format!("admin = '{closed}'\nadmin_token_file = 'token'"))
        .start()
        .await;
    let client = Client::afresh(closed);
    let ask = async |client: &Client, method: &str, path: &str, fields: &[(&str, &str)]| {
        let request = client.request(method, path);
        let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        client.send(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap()
    };
    let token = ("authorization", "Bearer 0123456789abcdef");
    for path in ["/metrics", "/v1/status", "/v1/crashes", "/nowhere"] {
        let reply = ask(&client, "GET", path, &[]).await;
        assert_eq!((reply.status, reply.header("www-authenticate")), (401, "Bearer"), "{path}");
        assert_eq!(
            ask(&client, "GET", path, &[("authorization", "Bearer 0123456789abcdeF")]).await.status,
            401
        );
        assert_ne!(ask(&client, "GET", path, &[token]).await.status, 401);
    }
    // Probes and the static files of the dashboard, which contain no data of this supervisor.
    for path in ["/healthz", "/readyz", "/", "/dashboard.js", "/dashboard.css"] {
        let reply = ask(&client, "GET", path, &[]).await;
        assert_eq!(reply.status, 200, "{path}");
        assert!(reply.header("content-security-policy").contains("default-src 'none'"), "{path}");
    }
    let worker = supervisor.worker("app").await;
    let change = ("x-nano-admin", "1");
    for fields in [&[token][..], &[token, change, ("sec-fetch-site", "cross-site")][..], &[change][..]] {
        let reply = ask(&client, "POST", "/v1/apps/app/restart", fields).await;
        assert!([401, 403].contains(&reply.status), "{fields:?}: {}", reply.text());
    }
    assert_eq!(supervisor.worker("app").await, worker);
    let reply = ask(&client, "POST", "/v1/apps/app/restart", &[token, change]).await;
    assert_eq!((reply.status, &reply.json()["state"]), (200, &json!("ready")));
    assert_ne!(supervisor.worker("app").await, worker);
    assert_eq!(ask(&client, "GET", "/v1/status", &[token]).await.json()["apps"][0]["app"], "app");
    assert!(!supervisor.log.lines().iter().any(|line| line.contains("0123456789abcdef")));

    let local = TestSupervisor::plan().app(App::hello("app")).set(&format!("admin = '{open}'")).start().await;
    let client = Client::afresh(open);
    let history: Value = ask(&client, "GET", "/v1/apps/app/history", &[]).await.json();
    assert!(history["seconds"].is_array(), "{history}");
    for host in ["evil.example", "192.0.2.1"] {
        assert_eq!(ask(&client, "GET", "/v1/status", &[("host", host)]).await.status, 403, "{host}");
    }
    drop(local);
}

#[tokio::test]
async fn without_a_token_it_is_only_for_this_machine() {
    let here =
        crate::harness::folder(&[("app/index.js", "export default { fetch: () => new Response('x') }")]);
    let (code, _, errors) = run(here.path(), &["serve", "app", "--admin", "0.0.0.0:0"]);
    assert_eq!(code, 2);
    assert!(
        errors.starts_with(
            "nano-supervisor: --admin 0.0.0.0:0: 0.0.0.0:0 can be reached from elsewhere; fix: set"
        ),
        "{errors}"
    );
}
