//! Runs the same app in this supervisor and in workerd, the reference implementation of Workers, with the same
//! upstream, to compare their behaviour.

#![expect(clippy::disallowed_methods, reason = "tests start workerd")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use bytes::Bytes;
use http_body_util::Full;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::client::{BodyError, Client, Reply};
use super::{App, TestSupervisor, npm, within};

/// The compatibility date that the newest projects use.
const COMPATIBILITY: &str = "2026-11-01";

/// A worker in the configuration of workerd.
#[derive(Clone, Copy)]
struct ConfigWorker<'a> {
    name: &'a str,
    /// The file of its only module.
    module: &'a str,
    /// The compatibility date, which decides how workerd behaves.
    date: &'a str,
    /// Further fields of its `Workerd.Worker`, as they are written there.
    rest: &'a str,
}

const APP: ConfigWorker<'static> =
    ConfigWorker { name: "app", module: "index.js", date: COMPATIBILITY, rest: "" };

/// Returns the configuration for these workers. Clients reach the first one.
fn config_of(workers: &[ConfigWorker<'_>]) -> String {
    let mut services = String::from("(name = \"internet\", network = (allow = [\"public\", \"private\"]))");
    let mut constants = String::new();
    for ConfigWorker { name, module, date, rest } in workers {
        let _ = write!(services, ", (name = \"{name}\", worker = .{name})");
        let _ = writeln!(
            constants,
            "const {name} :Workerd.Worker = (
               modules = [(name = \"{module}\", esModule = embed \"{module}\")], compatibilityDate = \"{date}\", {rest}
             );"
        );
    }
    let front = workers[0].name;
    format!(
        "using Workerd = import \"/workerd/workerd.capnp\";
         const config :Workerd.Config = (
           services = [{services}],
           sockets = [(name = \"http\", address = \"127.0.0.1:0\", http = (), service = \"{front}\")],
         );
         {constants}"
    )
}

/// workerd with one app, killed on drop.
#[derive(Debug)]
pub(crate) struct Workerd {
    child: Child,
    address: SocketAddr,
    /// Keeps the pipe open. Otherwise the app's output would fail.
    _output: BufReader<ChildStdout>,
    _folder: TempDir,
}

impl Workerd {
    /// Serves an app, with `upstream` in `env.UP`. Returns `None`, with the reason on stderr, if npm cannot install
    /// workerd.
    pub(crate) fn serve(app: &str, upstream: &str) -> Option<Self> {
        let up = format!("bindings = [(name = \"UP\", text = \"{upstream}\")]");
        let config = config_of(&[ConfigWorker { rest: &up, ..APP }]);
        Self::start(&[("index.js", app), ("config.capnp", config.as_str())])
    }

    /// Serves an app that has another one in `env.OTHER`. Returns `None` as [`Self::serve`] does.
    pub(crate) fn serve_two(app: &str, other: &str) -> Option<Self> {
        let config = config_of(&[
            ConfigWorker { rest: "bindings = [(name = \"OTHER\", service = \"other\")]", ..APP },
            ConfigWorker { name: "other", module: "other.js", ..APP },
        ]);
        Self::start(&[("index.js", app), ("other.js", other), ("config.capnp", config.as_str())])
    }

    /// Serves these apps by their names, of which the first one has these bindings, in the language of its configuration. Returns
    /// `None` as [`Self::serve`] does.
    pub(crate) fn serve_several(apps: &[(&str, &str)], bindings: &str) -> Option<Self> {
        let files: Vec<_> = apps.iter().map(|(name, _)| format!("{name}.js")).collect();
        let rest = format!("bindings = [{bindings}]");
        let workers: Vec<_> = (apps.iter().zip(&files).enumerate())
            .map(|(number, ((name, _), module))| {
                let rest = if number == 0 { rest.as_str() } else { "" };
                ConfigWorker { name, module, rest, ..APP }
            })
            .collect();
        let config = config_of(&workers);
        let texts = files.iter().map(String::as_str).zip(apps.iter().map(|(_, text)| *text));
        Self::start(&texts.chain([("config.capnp", config.as_str())]).collect::<Vec<_>>())
    }

    /// Serves an app, and runs its `scheduled` handler as `wrangler dev` does: at `/cdn-cgi/handler/scheduled`. Returns `None`
    /// as [`Self::serve`] does.
    pub(crate) fn serve_scheduled(app: &str) -> Option<Self> {
        // A copy of what miniflare does. It also says whether the handler has called `noRetry`.
        let caller = "export default {
            async fetch(request, env) {
              const { pathname, searchParams } = new URL(request.url);
              if (pathname !== '/cdn-cgi/handler/scheduled') return env.APP.fetch(request);
              const { outcome, noRetry } = await env.APP.scheduled({
                cron: searchParams.get('cron') ?? undefined,
                scheduledTime: new Date(Number(searchParams.get('time'))),
              });
              const headers = noRetry ? { 'no-retry': 'true' } : {};
              return new Response(outcome, { status: outcome === 'ok' ? 200 : 500, headers });
            },
          }";
        let rest = "compatibilityFlags = [\"service_binding_extra_handlers\"],
            bindings = [(name = \"APP\", service = \"app\")]";
        let config = config_of(&[ConfigWorker { name: "caller", module: "caller.js", rest, ..APP }, APP]);
        Self::start(&[("index.js", app), ("caller.js", caller), ("config.capnp", config.as_str())])
    }

    /// Serves these files, each with its text and its media type, by the worker that Cloudflare has published for static assets.
    /// `policy` is its configuration. Returns `None`, with the reason on stderr, if npm cannot install it.
    pub(crate) fn assets(files: &[(&str, &str, &str)], policy: &Value) -> Option<Self> {
        Self::assets_below("", files, policy)
    }

    /// Serves an app that has these files in `env.ASSETS`; without text, the files alone.
    pub(crate) fn assets_below(app: &str, files: &[(&str, &str, &str)], policy: &Value) -> Option<Self> {
        let worker = npm::installed()?.join("node_modules/@cloudflare/workers-shared/dist/asset-worker.mjs");
        // The manifest has a header of 20 bytes, and entries of the hash of a path, that of a file, and 8 bytes more.
        let mut entries: Vec<_> =
            files.iter().map(|(path, text, _)| [hash(path), hash(text), vec![0; 8]].concat()).collect();
        entries.sort();
        let hex = |text: &str| hash(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let stored: serde_json::Map<_, _> =
            files.iter().map(|(_, text, media_type)| (hex(text), json!([text, media_type]))).collect();
        let store = format!(
            "const stored = {};
             export default {{ fetch(request) {{
               const [text, contentType] = stored[new URL(request.url).pathname.slice(1)];
               return new Response(text, {{ headers: {{ 'cf-kv-metadata': JSON.stringify({{ contentType }}) }} }});
             }} }};",
            Value::Object(stored)
        );
        let date = "2024-07-31";
        let rest = "compatibilityFlags = [\"nodejs_compat\"],
            bindings = [
              (name = \"ASSETS_MANIFEST\", data = embed \"manifest.bin\"),
              (name = \"ASSETS_KV_NAMESPACE\", kvNamespace = \"store\"),
              (name = \"CONFIG\", json = embed \"config.json\"),
            ]";
        let answering = ConfigWorker { name: "assets", module: "assets.mjs", date, rest };
        let storing = ConfigWorker { name: "store", module: "store.mjs", date, rest: "" };
        let rest = "bindings = [(name = \"ASSETS\", service = \"assets\")]";
        let config = if app.is_empty() {
            config_of(&[answering, storing])
        } else {
            config_of(&[ConfigWorker { rest, ..APP }, answering, storing])
        };
        Self::start(&[
            ("manifest.bin", [vec![0; 20], entries.concat()].concat()),
            ("config.json", policy.to_string().into()),
            ("store.mjs", store.into()),
            ("assets.mjs", fs::read(worker).expect("read the worker")),
            ("index.js", app.into()),
            ("config.capnp", config.into()),
        ])
    }

    /// Serves what a bundler has made: `index.js` and the WebAssembly modules beside it, with these texts in `env`. Returns what workerd
    /// says if the app does not load, and `None` as [`Self::serve`] does.
    pub(crate) fn bundle(bundled: &Path, env: &[(&str, String)]) -> Option<Result<Self, String>> {
        let entries = fs::read_dir(bundled).expect("the bundle").map(|entry| entry.expect("an entry"));
        let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("a name");
        let names: BTreeSet<_> = entries.map(name).filter(|name| name != "index.js").collect();
        let modules: String =
            names.iter().map(|name| format!(", (name = \"{name}\", wasm = embed \"{name}\")")).collect();
        let texts = env.iter().map(|(name, text)| format!("(name = \"{name}\", text = \"{text}\")"));
        let texts: Vec<_> = texts.collect();
        let rest = format!("bindings = [{}]", texts.join(", "));
        let config = config_of(&[ConfigWorker { rest: &rest, ..APP }]);
        let index = "(name = \"index.js\", esModule = embed \"index.js\")";
        let config = config.replace(index, &format!("{index}{modules}"));
        let mut files = vec![("config.capnp", config.into_bytes())];
        for name in names.iter().map(String::as_str).chain(["index.js"]) {
            files.push((name, fs::read(bundled.join(name)).expect("read a module")));
        }
        Some(Self::start_with(&executable()?, &files))
    }

    /// Starts workerd with these files, one of which is `config.capnp`.
    fn start(files: &[(&str, impl AsRef<[u8]>)]) -> Option<Self> {
        Some(Self::start_with(&executable()?, files).unwrap_or_else(|said| panic!("workerd said {said}")))
    }

    /// Does what [`Self::start`] does. Returns what workerd says if it ends instead of listening.
    fn start_with(executable: &Path, files: &[(&str, impl AsRef<[u8]>)]) -> Result<Self, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("write a file");
        }
        let errors = folder.path().join("errors");
        let mut child = Command::new(executable)
            .args(["serve", "config.capnp", "--experimental", "--control-fd=1"])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&errors).expect("a file"))
            .spawn()
            .expect("start workerd");
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        // workerd prints its address once it listens, and before that what the app prints while it is loaded.
        let event: Value = loop {
            let mut line = String::new();
            if output.read_line(&mut line).expect("read its output") == 0 {
                child.wait().expect("its end");
                return Err(fs::read_to_string(&errors).expect("what it said"));
            }
            match serde_json::from_str::<Value>(&line) {
                Ok(event) if event["event"] == "listen" => break event,
                _ => {}
            }
        };
        let port = event["port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
        Ok(Self { child, address: (Ipv4Addr::LOCALHOST, port).into(), _output: output, _folder: folder })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Workerd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a hash as the manifest of static assets has it.
fn hash(text: &str) -> Vec<u8> {
    Sha256::digest(text).iter().take(16).copied().collect()
}

fn executable() -> Option<PathBuf> {
    let found = executable_of(&npm::installed()?);
    if found.is_none() {
        eprintln!("skipped: there is no workerd for this system");
    }
    found
}

/// Returns workerd of these packages, if they have one for this system.
pub(crate) fn executable_of(packages: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(packages.join("node_modules/@cloudflare")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path().join("bin/workerd")).find(|path| path.exists())
}

/// One app that runs in both.
#[derive(Debug)]
pub(crate) struct Both {
    clients: [Client; 2],
    addresses: [SocketAddr; 2],
    _ours: TestSupervisor,
    _theirs: Workerd,
}

impl Both {
    /// Serves an app in both, with `upstream` in `env.UP`. Returns `None` if npm cannot install workerd.
    pub(crate) async fn serve(app: &str, upstream: SocketAddr) -> Option<Self> {
        let upstream = format!("http://{upstream}");
        let theirs = Workerd::serve(app, &upstream)?;
        let app = App::new("app", app).set(&format!("env = {{ UP = '{upstream}' }}"));
        let ours = TestSupervisor::plan().app(app).start().await;
        let addresses = [ours.address("app").await, theirs.address()];
        let clients = addresses.map(Client::afresh);
        Some(Self { clients, addresses, _ours: ours, _theirs: theirs })
    }

    /// Returns the addresses of both, ours first.
    pub(crate) fn addresses(&self) -> [SocketAddr; 2] {
        self.addresses
    }

    /// Sends a request to both. Returns the responses, ours first.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> [Result<Reply, BodyError>; 2] {
        let body = body.into();
        let send = async |client: &Client| {
            let request = client.request(method, path);
            let request =
                headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            within(client.send(request.body(Full::new(body.clone())).expect("a request"))).await
        };
        let [ours, theirs] = &self.clients;
        [send(ours).await, send(theirs).await]
    }

    /// Asserts that the app gives the same object of more than `least` results in both. Returns it.
    pub(crate) async fn assert_same_results(&self, least: usize) -> Value {
        let [ours, theirs] =
            self.send("GET", "/", &[], "").await.map(|reply| reply.expect("an answer").json());
        let [named, expected] = [&ours, &theirs].map(|results| results.as_object().expect("an object"));
        assert!(named.len() > least, "{ours:#}");
        let names: BTreeSet<_> = named.keys().chain(expected.keys()).collect();
        let differ: Vec<_> = names
            .into_iter()
            .map(|name| (name, named.get(name), expected.get(name)))
            .filter(|(_, ours, theirs)| ours != theirs)
            .collect();
        assert!(differ.is_empty(), "name, ours, theirs: {differ:#?}");
        ours
    }
}
