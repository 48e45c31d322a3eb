//! The tables of `docs/configuration.md` and `README.md`, generated from the declarations alone.

use std::path::Path;

use super::app::OwnSettings;
use super::assets::AssetSettings;
use super::defaults::Defaults;
use super::restart::{RecyclePolicy, RestartPolicy};
use super::server;
use crate::config::setting::{About, ByDefault, SettingGroup as _};

/// The settings that the README shows: those that people start with.
const FIRST: [&str; 10] = [
    "path",
    "port",
    "hosts",
    "entry",
    "env",
    "secrets_dir",
    "heap",
    "request_timeout",
    "access_log",
    "admin",
];

/// The environment variable that makes the test write the tables.
const UPDATE: &str = "UPDATE_DOCS";

#[test]
fn the_documents_are_what_is_declared() {
    let tables = [
        ("docs/configuration.md", "server", table(server::all())),
        ("docs/configuration.md", "app", table(OwnSettings::about())),
        ("docs/configuration.md", "defaults", table(Defaults::about())),
        ("docs/configuration.md", "assets", table(AssetSettings::about())),
        ("docs/configuration.md", "restart", table(RestartPolicy::about())),
        ("docs/configuration.md", "recycle", table(RecyclePolicy::about())),
        ("README.md", "first", first()),
    ];
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (document, name, table) in tables {
        let path = top.join(document);
        let text = std::fs::read_to_string(&path).unwrap();
        let (begin, end) = (format!("<!-- settings: {name} -->\n"), "<!-- end of settings -->\n");
        let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{document} has no {begin}"));
        let (found, after) = rest.split_once(end).unwrap();
        if found != table && std::env::var_os(UPDATE).is_some() {
            std::fs::write(&path, format!("{before}{begin}{table}{end}{after}")).unwrap();
        } else {
            let how = format!("`just tables`, or {UPDATE}=1 cargo test --workspace --lib -- the_documents");
            assert!(found == table, "the table {name:?} of {document} is out of date; write it with {how}");
        }
    }
}

fn table(settings: impl Iterator<Item = &'static About>) -> String {
    let rows = settings.map(|about| {
        let (flag, fixed) = (flag(about), if about.is_fixed { " *Restart.*" } else { "" });
        format!("| `{}` | {} | {}{flag}{fixed} |\n", about.name, by_default(about), about.doc)
    });
    format!("| field | default | what |\n| --- | --- | --- |\n{}", rows.collect::<String>())
}

fn first() -> String {
    let own = OwnSettings::about().map(|about| ("`[apps.NAME]`", about));
    let shared = Defaults::about().map(|about| ("`[apps.NAME]`, `[defaults]`", about));
    let all: Vec<_> = server::all().map(|about| ("`[server]`", about)).chain(own).chain(shared).collect();
    let rows = FIRST.map(|name| {
        let (home, about) = all.iter().find(|(_, about)| about.name == name).unwrap();
        format!("| `{name}` | {home} | {} | {} |\n", by_default(about), about.summary())
    });
    format!("| field | in | default | what |\n| --- | --- | --- | --- |\n{}", rows.concat())
}

fn by_default(about: &About) -> String {
    match &about.by_default {
        ByDefault::Told(text) => (*text).to_owned(),
        ByDefault::Value(value) => format!("`{value}`"),
    }
}

fn flag(about: &About) -> String {
    let Some(flag) = &about.flag else { return String::new() };
    let value = flag.bare.map(|_| format!("[={}]", flag.value.unwrap_or_default())).unwrap_or_default();
    let own = format!(" `--{}{value}`", about.flag_name);
    let variable = flag.variable.map(|variable| format!("`${variable}`"));
    let others = flag.off.map(|(off, _)| format!("`--{off}`")).into_iter().chain(variable);
    others.fold(own, |all, other| format!("{all}, {other}")) + "."
}
