//! Everything that `@cloudflare/workers-types` declares works, or docs/workers.md says that it is absent: every API by its name, and of
//! those that work every member.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::TestSupervisor;
use crate::harness::{App, free_address, npm};
use crate::workers_surface::{TOKENS, absences};

/// Answers a POST of members by the names of types with those that are not there, and with the types of which it has no object.
const PROGRAM: &str = r"
  import { connect } from 'cloudflare:sockets';
  import { tracing } from 'cloudflare:workers';
  let controller;
  const objects = async (env, ctx) => {
    const socket = connect(env.NOWHERE);
    for (const end of [socket.opened, socket.closed]) end.catch(() => {});
    const modules = ['durable-objects', 'email', 'node', 'pipelines', 'sockets', 'workers', 'workflows'].map((name) => `cloudflare:${name}`);
    return {
      ...await tokens(), ExecutionContext: ctx, ScheduledController: controller, Fetcher: env.ASSETS, RateLimit: env.LIMIT, Hyperdrive: env.DB,
      AnalyticsEngineDataset: env.VISITS, SecretsStoreSecret: env.KEY, WorkerVersionMetadata: env.VERSION, Socket: socket, Console: console,
      Scheduler: scheduler, DigestStream: crypto.DigestStream, Span: tracing.enterSpan('x', (span) => span), Tracing: tracing, Cloudflare,
      DOMException: new DOMException(),
      Immediate: setImmediate(() => {}), ...Object.fromEntries(await Promise.all(modules.map(async (name) => [name, await import(name)]))),
    };
  };
  export default {
    scheduled(given) { controller = given; },
    async fetch(request, env, ctx) {
      const there = await objects(env, ctx);
      const [missing, unknown] = [[], []];
      for (const [type, members] of Object.entries(await request.json())) {
        const object = there[type] ?? globalThis[type];
        if (object === undefined) unknown.push(type);
        else for (const member of members) {
          if (!(member in Object(object)) && !(member in Object(object.prototype))) missing.push(`${type}#${member}`);
        }
      }
      return Response.json({ missing, unknown });
    },
  };
";

const WRANGLER: &str = "main = 'index.js'
assets = { directory = 'public', binding = 'ASSETS' }
[[ratelimits]]
name = 'LIMIT'
namespace_id = '1001'
simple = { limit = 2, period = 60 }
[[analytics_engine_datasets]]
binding = 'VISITS'
[[secrets_store_secrets]]
binding = 'KEY'
store_id = '1'
secret_name = 'key'
[[hyperdrive]]
binding = 'DB'
id = '1'
localConnectionString = 'postgres://user:password@localhost/data'
[version_metadata]
binding = 'VERSION'";

/// The handlers of an app that are called.
const HANDLERS: [&str; 2] = ["fetch", "scheduled"];

/// The kinds of declarations that are also values when a program runs.
const VALUES: [&str; 5] = ["class", "var", "const", "let", "function"];

/// What the types declare under one name.
#[derive(Debug, Default)]
struct Declared {
    /// Whether it is also a value, such as a class or a global.
    is_value: bool,
    members: BTreeSet<String>,
    /// Every word of it, which are the names of other types among others.
    words: BTreeSet<String>,
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    // Texts are no names.
    let outside = line.split('"').step_by(2);
    outside.flat_map(|part| part.split(|char: char| !char.is_alphanumeric() && char != '_' && char != '$'))
}

/// Returns what a line at the outermost level declares: its kind and its name.
fn declaration(line: &str) -> Option<(&str, String)> {
    let mut rest = line;
    for word in ["export ", "declare ", "abstract "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let (kind, rest) = rest.split_once(' ')?;
    if !VALUES.contains(&kind) && !["interface", "type", "namespace", "module"].contains(&kind) {
        return None;
    }
    let name = match rest.strip_prefix('"') {
        Some(module) => module.split('"').next(),
        None => words(rest).next(),
    };
    Some((kind, name?.to_owned()))
}

/// Returns the member that a line declares: of a class or an interface, or what a module exports.
fn member(line: &str) -> Option<&str> {
    let mut rest = line.strip_prefix("  ").filter(|rest| !rest.starts_with([' ', '}', '|', '&']))?;
    if let Some(exported) = rest.strip_prefix("export ") {
        if let Some((_, name)) = exported.split_once(" as ") {
            return words(name).next();
        }
        rest = exported.strip_prefix("abstract ").unwrap_or(exported);
        let (kind, name) = rest.split_once(' ')?;
        return ["class", "const", "function"].contains(&kind).then(|| words(name).next())?;
    }
    for word in ["static ", "abstract ", "readonly ", "get ", "set "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let end = rest.find(|char: char| !char.is_alphanumeric() && char != '_')?;
    let is_one = end > 0 && rest[end..].trim_start_matches('?').starts_with([':', '(', '<']);
    let name = &rest[..end];
    (is_one && !["new", "constructor", "prototype"].contains(&name)).then_some(name)
}

/// Reads the types of the package.
fn types(package: &Path) -> BTreeMap<String, Declared> {
    let text = fs::read_to_string(package.join("index.d.ts")).unwrap();
    let mut found = BTreeMap::<String, Declared>::new();
    let (mut current, mut has_members) = (String::new(), false);
    for line in text.lines() {
        if ["*", "/*", "//"].iter().any(|comment| line.trim_start().starts_with(comment)) {
            continue;
        }
        if let Some((kind, name)) = declaration(line) {
            current.clone_from(&name);
            has_members = kind != "function";
            found.entry(name).or_default().is_value |= VALUES.contains(&kind);
        }
        let Some(declared) = found.get_mut(&current) else { continue };
        declared.words.extend(words(line).map(str::to_owned));
        declared.members.extend(member(line).filter(|_| has_members).map(str::to_owned));
    }
    // The module is declared as a namespace.
    let members = found["CloudflareWorkersModule"].members.clone();
    found.get_mut("cloudflare:workers").expect("the module").members = members;
    found
}

/// A row of the table in docs/workers.md.
#[derive(Debug)]
struct Row {
    /// Names of types; one that ends with `*` stands for all that begin so.
    names: Vec<String>,
    here: String,
    absent: BTreeSet<String>,
}

impl Row {
    fn names(&self, name: &str) -> bool {
        let fits = |known: &String| {
            known == name
                || known
                    .strip_suffix('*')
                    .is_some_and(|start| !start.ends_with(':') && name.starts_with(start))
        };
        self.names.iter().any(fits)
    }
}

fn rows() -> Vec<Row> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/workers.md");
    let page = fs::read_to_string(page).unwrap();
    let table = page.split_once("| type | here | absent |").expect("a table").1;
    let quoted =
        |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').collect();
        Row {
            names: quoted(cells[1]),
            here: cells[2].trim().to_owned(),
            absent: quoted(cells[3]).into_iter().collect(),
        }
    })
    .collect()
}

#[tokio::test]
async fn everything_that_the_types_declare_works_or_is_listed() {
    let Some(packages) = npm::installed() else { return };
    let types = types(&packages.join("node_modules/@cloudflare/workers-types"));
    assert!(types.len() > 1000, "{}", types.len());
    let (rows, listed) = (rows(), absences());
    let row_of = |name: &str| rows.iter().find(|row| row.names(name));
    for row in &rows {
        assert!(["works", "absent", "an argument"].contains(&row.here.as_str()), "{row:?}");
        for name in &row.names {
            let only = Row { names: vec![name.clone()], here: String::new(), absent: BTreeSet::new() };
            assert!(types.keys().any(|declared| only.names(declared)), "the types do not declare {name}");
        }
    }

    // A type that is a part of another one, such as the options of a method, belongs to it.
    let parts: BTreeSet<_> = types
        .iter()
        .flat_map(|(name, declared)| declared.words.iter().filter(move |word| *word != name))
        .collect();
    let whole = types.iter().filter(|(name, declared)| declared.is_value || !parts.contains(name));
    let mut asked = BTreeMap::new();
    let mut faults = Vec::new();
    for (name, declared) in whole {
        match row_of(name).map(|row| row.here.as_str()) {
            None if declared.is_value => _ = asked.insert(name, &declared.members),
            None => faults.push(format!("{name} is in no row of the table in docs/workers.md")),
            Some(_) => {}
        }
    }
    for row in rows.iter().filter(|row| row.here == "works") {
        asked.extend(row.names.iter().map(|name| (name, &types[name].members)));
    }
    let handlers = asked.remove(&"ExportedHandler".to_owned()).expect("a row");
    asked.retain(|name, members| !members.is_empty() || types[*name].is_value);

    let app = App::new("app", &format!("{PROGRAM}{TOKENS}"))
        .file("wrangler.toml", WRANGLER)
        .file("public/file.txt", "text")
        .set("development = true")
        .set(&format!("env = {{ NOWHERE = '{}', KEY = 'secret' }}", free_address()));
    let supervisor = TestSupervisor::plan().app(app).start().await;
    assert_eq!(supervisor.get("app", "/cdn-cgi/handler/scheduled").await.text(), "ok");
    let request = serde_json::to_string(&asked).unwrap();
    let answer: Value = supervisor.client("app").await.post("/", request).await.unwrap().json();
    let list = |key: &str| -> BTreeSet<String> { serde_json::from_value(answer[key].clone()).unwrap() };

    let mut missing = list("missing");
    missing.extend(
        handlers
            .iter()
            .filter(|name| !HANDLERS.contains(&name.as_str()))
            .map(|name| format!("ExportedHandler#{name}")),
    );
    for path in &missing {
        let (name, member) = path.split_once('#').expect("a member");
        let object = if name == "ExecutionContext" { "ctx" } else { name };
        let ways = [name.to_owned(), path.clone(), format!("{name}.{member}"), format!("{object}>{member}")];
        let is_listed = ways.iter().any(|way| listed.contains(way));
        if !is_listed && !row_of(name).is_some_and(|row| row.absent.contains(member)) {
            faults.push(format!("{path} is missing"));
        }
    }
    for name in list("unknown") {
        if !listed.contains(&name) {
            faults.push(format!("there is no {name}"));
        }
    }
    for row in rows.iter().filter(|row| row.here == "works") {
        for member in &row.absent {
            let is_missing = row.names.iter().any(|name| missing.contains(&format!("{name}#{member}")));
            if !is_missing {
                faults.push(format!("{member} of {:?} is there after all", row.names));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}
