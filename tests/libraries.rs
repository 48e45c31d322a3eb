//! Packages of npm, each of them used for what people use it for, in `tests/libraries`. A use answers with what came of it and what should
//! have. It is run here, both as the packages are in `node_modules` and bundled as wrangler does it, and bundled in workerd: what
//! works there must work here. Skipped with a message if there is no npm. `scripts/libraries` also runs the groups that are ignored
//! here.

#![expect(clippy::disallowed_methods, reason = "node bundles what these tests serve, and answers it")]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::harness::client::{Client, Reply};
use crate::harness::workerd::Workerd;
use crate::harness::{App, TestSupervisor, databases, npm, within};

/// Uses that fail on Workers, and a part of what is said there.
const NOT_ON_WORKERS: &[(&str, &str)] = &[
    ("fastify", "Internal Server Error"),
    ("got", "reading 'constructor'"),
    ("satori", "Wasm code generation disallowed"),
    ("slack-web-api", "Invalid redirect value"),
    ("superagent", "could not find XHR"),
    ("undici", "Wasm code generation disallowed"),
];

/// Uses that fail here although they work on Workers, what is missing, and a part of what is said here.
const NOT_HERE: &[(&str, &str, &str)] = &[];

/// How many uses one supervisor runs, each in two workers.
const AT_ONCE: usize = 4;

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/libraries")
}

/// Returns the names of the uses in a group.
fn uses(group: &str) -> Vec<String> {
    let entries = fs::read_dir(sources().join(group)).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries
        .filter_map(|name| name.to_str().and_then(|name| name.strip_suffix(".js")).map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// Returns the name of the use of a package.
fn use_of(package: &str) -> String {
    package.replace('@', "").replace('/', "-")
}

/// The services that the packages talk to, ended on drop.
#[derive(Debug)]
struct Services {
    node: Child,
    _databases: Vec<databases::Database>,
    /// What uses have in `env`.
    env: Vec<(&'static str, String)>,
}

impl Services {
    fn start(folder: &Path) -> Self {
        let mut node = Command::new("node");
        node.arg(sources().join("origin.mjs")).current_dir(folder);
        let mut node = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(node.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ports: Value = serde_json::from_str(&line).unwrap();
        let env =
            vec![("UP", format!("http://127.0.0.1:{}", ports["http"])), ("SMTP", ports["smtp"].to_string())];
        Self { node, _databases: Vec::new(), env }
    }

    /// Also starts databases. Returns `None`, with the reason on stderr, if one is missing.
    async fn with_databases(mut self) -> Option<Self> {
        for (name, database) in [
            ("POSTGRES", databases::postgresql().await?),
            ("MARIADB", databases::mariadb().await?),
            ("REDIS", databases::redis().await?),
        ] {
            self.env.push((name, database.url.clone()));
            self._databases.push(database);
        }
        Some(self)
    }

    fn as_toml(&self) -> String {
        let pairs: Vec<_> = self.env.iter().map(|(name, text)| format!("{name} = '{text}'")).collect();
        format!("env = {{ {} }}", pairs.join(", "))
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

/// Makes a bundle of each use, in a folder of its name.
fn bundle(folder: &Path, group: &str) -> Option<PathBuf> {
    let tools = npm::installed()?;
    let bundles = folder.join("bundles");
    let _ = fs::remove_dir_all(&bundles);
    let mut node = Command::new("node");
    node.arg(sources().join("bundle.mjs")).args([&tools, &bundles]).current_dir(folder);
    node.args(uses(group).iter().map(|name| format!("{group}/{name}.js")));
    let output = node.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(bundles)
}

/// Returns why a use has failed, if it has.
fn failure(reply: &Reply) -> Result<(), String> {
    let Ok(answer) = serde_json::from_slice::<Value>(&reply.body) else {
        return Err(format!("{} {}", reply.status, reply.text()));
    };
    if answer.get("expected").is_none() {
        return Err(format!("{}\ncause: {}", answer["error"].as_str().unwrap_or_default(), answer["cause"]));
    }
    if answer["got"] == answer["expected"] {
        return Ok(());
    }
    Err(format!("got      {}\nexpected {}", answer["got"], answer["expected"]))
}

/// Runs a use in workerd.
async fn there(bundle: &Path, services: &Services) -> Option<Result<(), String>> {
    let workerd = match Workerd::bundle(bundle, &services.env)? {
        Ok(workerd) => workerd,
        Err(said) => return Some(Err(said)),
    };
    let reply = within(Client::afresh(workerd.address()).get("/")).await;
    Some(reply.map_err(|error| format!("{error:?}")).and_then(|reply| failure(&reply)))
}

/// Runs uses here: each from `node_modules`, and as a bundle.
async fn here(
    folder: &Path,
    group: &str,
    names: &[String],
    services: &Services,
) -> Vec<[Result<(), String>; 2]> {
    let settings = services.as_toml();
    let mut plan = TestSupervisor::plan();
    for (number, name) in names.iter().enumerate() {
        let entry = format!("entry = '{group}/{name}.js'\n{settings}");
        let bundle = folder.join("bundles").join(name);
        plan = plan.app(App::at(&format!("unbundled-{number}"), folder).set(&entry));
        plan = plan.app(App::at(&format!("bundled-{number}"), &bundle).set(&settings));
    }
    let supervisor = plan.start().await;
    let mut results = Vec::new();
    for number in 0..names.len() {
        let unbundled = result(&supervisor, &format!("unbundled-{number}")).await;
        results.push([unbundled, result(&supervisor, &format!("bundled-{number}")).await]);
    }
    results
}

/// Asks an app what came of its use.
async fn result(supervisor: &TestSupervisor, app: &str) -> Result<(), String> {
    failure(&supervisor.get(app, "/").await).map_err(|said| {
        let records = supervisor.log.records();
        let errors = records.iter().filter(|record| record["app"] == app && record["level"] == "ERROR");
        errors.fold(said, |said, record| format!("{said}\n{record}"))
    })
}

/// Runs the uses of a group, and says all that is not as it should be.
async fn run(group: &str, needs_databases: bool) {
    let Some(folder) = npm::installed_from(&format!("libraries-{group}"), &sources().join(group)) else {
        return;
    };
    npm::copy_files(&sources().join(group), &folder.join(group)).unwrap();
    fs::copy(sources().join("used.js"), folder.join("used.js")).unwrap();
    let Some(bundles) = bundle(&folder, group) else { return };
    let mut services = Services::start(&folder);
    if needs_databases {
        let Some(with) = services.with_databases().await else { return };
        services = with;
    }
    let mut faults = String::new();
    for names in uses(group).chunks(AT_ONCE) {
        let ours = here(&folder, group, names, &services).await;
        for (name, ours) in names.iter().zip(ours) {
            let Some(theirs) = there(&bundles.join(name), &services).await else { return };
            judge(name, &theirs, ours, &mut faults);
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

/// Holds what came of a use to what the lists say of it.
fn judge(name: &str, theirs: &Result<(), String>, ours: [Result<(), String>; 2], faults: &mut String) {
    let fails_there = NOT_ON_WORKERS.iter().find(|(known, _)| *known == name);
    match (fails_there, theirs) {
        (None, Ok(())) | (Some(_), Err(_)) => {}
        (None, Err(said)) => _ = writeln!(faults, "{name} fails on Workers: {said}\n"),
        (Some(_), Ok(())) => _ = writeln!(faults, "{name} works on Workers after all\n"),
    }
    if let (Some((_, part)), Err(said)) = (fails_there, theirs)
        && !said.contains(part)
    {
        let _ = writeln!(faults, "{name} fails on Workers for another reason: {said}\n");
    }
    let fails_here = NOT_HERE.iter().find(|(known, ..)| *known == name);
    let fails = ours.iter().any(Result::is_err);
    if fails_here.is_some() && !fails {
        let _ = writeln!(faults, "{name} works here after all: take it from the list of those that do not\n");
    }
    for (how, result) in ["from node_modules", "bundled"].into_iter().zip(&ours) {
        let Err(said) = result else { continue };
        let is_known = fails_here.is_some_and(|(.., part)| said.contains(part));
        if !is_known && theirs.is_ok() {
            let _ = writeln!(faults, "{name} fails here {how}: {said}\n");
        }
    }
}

/// Makes a test of each group.
macro_rules! groups {
    ($($group:ident $needs_databases:literal $(#[$ignored:meta])?,)*) => {
        $(
            #[tokio::test]
            $(#[$ignored])?
            async fn $group() {
                run(stringify!($group), $needs_databases).await;
            }
        )*

        const GROUPS: &[&str] = &[$(stringify!($group)),*];
    };
}

groups! {
    clients false #[ignore = "its packages take 250 MB"],
    crypto false #[ignore = "it takes half a minute, and one group is enough for each run"],
    data true #[ignore = "it needs three servers of databases"],
    formats false #[ignore = "its packages take 110 MB"],
    rendering false #[ignore = "its packages take 100 MB"],
    servers false #[ignore = "its packages take 100 MB"],
    utilities false #[ignore = "its packages take 100 MB"],
    validation false,
}

#[test]
fn every_package_has_a_use_and_a_place_in_the_document() {
    let document = fs::read_to_string(sources().join("../../docs/npm.md")).unwrap();
    let mut count = 0;
    let folders =
        fs::read_dir(sources()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    for folder in folders {
        let group = folder.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(GROUPS.contains(&group.as_str()), "no test runs tests/libraries/{group}");
        let manifest: Value =
            serde_json::from_str(&fs::read_to_string(folder.join("package.json")).unwrap()).unwrap();
        let packages = manifest["dependencies"].as_object().unwrap();
        let mut named: Vec<_> = packages.keys().map(|package| use_of(package)).collect();
        named.sort();
        assert_eq!(uses(&group), named, "in tests/libraries/{group}");
        for (package, version) in packages {
            let version = version.as_str().unwrap();
            let is_pinned = version.chars().all(|char| char.is_ascii_digit() || char == '.');
            assert!(is_pinned, "{package} {version} is not one version");
            assert!(document.contains(&format!("`{package}`")), "docs/npm.md does not name {package}");
        }
        count += packages.len();
    }
    assert!(count >= 120, "{count}");
    let known: Vec<_> = GROUPS.iter().flat_map(|group| uses(group)).collect();
    let listed = NOT_ON_WORKERS.iter().map(|(name, _)| *name).chain(NOT_HERE.iter().map(|(name, ..)| *name));
    for name in listed {
        assert!(known.iter().any(|known| known == name), "there is no use of {name}");
    }
    let rows = |heading: &str| -> Vec<String> {
        let table = document.split_once(heading).map_or("", |(_, table)| table);
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        rows.filter_map(|row| row.split('`').nth(1)).map(use_of).collect()
    };
    assert_eq!(rows("| not on Workers |"), NOT_ON_WORKERS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    assert_eq!(rows("| not here |"), NOT_HERE.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
}
