//! Reads the configuration file: `[server]`, `[defaults]` and `[apps.NAME]`.

use std::path::Path;

use toml::de::DeTable;

use super::draft::{Draft, Places};
use crate::config::document::section::{Document, Section, child_path};
use crate::config::env::environment::Given;
use crate::config::errors::{Flaw, Place, Problems};
use crate::config::schema::app::OwnSettings;
use crate::config::schema::defaults::Defaults;
use crate::config::schema::server::{self, ServerDraft, ServerSettings};
use crate::config::setting::{About, SettingGroup as _};
use crate::config::types::listen::{Host, Listen};
use crate::config::{bounds, read};

const SECTIONS: &[&str] = &["server", "defaults", "apps"];

/// The contents of a configuration file.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) server: ServerSettings,
    pub(crate) draft: ServerDraft,
    pub(crate) defaults: Defaults,
    /// The apps, in the order of the file.
    pub(crate) apps: Vec<Draft>,
}

impl Contents {
    /// Creates contents with nothing but these defaults.
    pub(crate) fn new(defaults: Defaults) -> Self {
        Self { defaults, ..Self::default() }
    }
}

/// Reads the file at `path` and merges what is valid into `contents`. Problems are recorded.
pub(crate) fn read(path: &Path, contents: Contents, problems: &mut Problems) -> Contents {
    let name = path.display().to_string();
    let place = || Place::flag(name.clone());
    let Some(text) = problems.keep(place, read_text(path)) else { return contents };
    let document = Document::config(&name, &text).within(path.parent().unwrap_or(Path::new("")));
    let (table, errors) = DeTable::parse_recoverable(&text);
    if !errors.is_empty() {
        document.record_syntax_errors(&errors, problems);
        return contents;
    }
    read_sections(&Section::top(document, table.get_ref()), contents, problems)
}

fn read_text(path: &Path) -> Result<String, Flaw> {
    if path.is_dir() {
        let fix = "name the file in it, or serve the folder itself without --config";
        return Err(Flaw::new("is a folder", fix));
    }
    read::text(path, bounds::CONFIG_FILE)
}

fn read_sections(top: &Section<'_>, mut contents: Contents, problems: &mut Problems) -> Contents {
    let fix = |name: &str| {
        let way = top
            .names()
            .into_iter()
            .find(|found| *found == name)
            .and_then(|name| top.way_to(name, &["path", "port"]));
        // For example `[app.blog]` in place of `[apps.blog]`.
        let is_app = way.as_ref().is_some_and(|way| way.len() == 1);
        home(name, "").or_else(|| is_app.then(|| format!("write [{}]", child_path("apps", name))))
    };
    top.only(SECTIONS, fix, problems);
    if let Some(section) = top.section("server", problems) {
        section.only(&names(server::all()), |name| home(name, "[server]"), problems);
        contents.server.read(&section, problems);
        contents.draft.read(&section, problems);
    }
    if let Some(section) = top.section("defaults", problems) {
        section.only(&names(Defaults::about()), |name| home(name, "[defaults]"), problems);
        contents.defaults = contents.defaults.overridden(&section, problems);
    }
    if let Some(apps) = top.section("apps", problems) {
        let known = names(OwnSettings::about().chain(Defaults::about()));
        for name in apps.names() {
            contents.apps.push(read_app(name, &apps, &known, &contents.defaults));
        }
    }
    contents
}

fn names(settings: impl Iterator<Item = &'static About>) -> Vec<&'static str> {
    settings.map(|about| about.name).collect()
}

/// Reads an app's section. Its problems concern only that app.
fn read_app(name: &str, apps: &Section<'_>, known: &[&str], defaults: &Defaults) -> Draft {
    let mut problems = Problems::default();
    let place = apps.place(name);
    let mut draft = match apps.section(name, &mut problems) {
        Some(section) => read_section(name, &section, known, defaults, &mut problems),
        None => Draft::nowhere(Places::all(place.clone()), defaults.clone()),
    };
    draft.name = problems.keep(|| place, name.parse());
    draft.problems = problems;
    draft
}

/// Returns advice about a table in the section of the app `name` that is an app itself, whose name contains dots.
fn quoted(name: &str, section: &Section<'_>, known: &[&str], field: &str) -> Option<String> {
    let field = section.names().into_iter().find(|found| *found == field && !known.contains(found))?;
    let way = section.way_to(field, &["path", "port"])?.join(".");
    Some(format!("put a name with dots in quotes: [apps.\"{name}.{way}\"]"))
}

fn read_section(
    name: &str,
    section: &Section<'_>,
    known: &[&str],
    defaults: &Defaults,
    problems: &mut Problems,
) -> Draft {
    let fix = |field: &str| quoted(name, section, known, field).or_else(|| home(field, "an app's section"));
    section.only(known, fix, problems);
    let mut fields = section.names().into_iter().peekable();
    if fields.peek().is_some() && fields.all(|field| quoted(name, section, known, field).is_some()) {
        // There is no app of that name, so nothing is missing from it.
        return Draft::nowhere(Places::all(section.whole()), defaults.clone());
    }
    let mut own = OwnSettings::default();
    own.read(section, problems);
    let OwnSettings {
        path,
        port,
        host,
        hosts,
        entry,
        environment,
        crons,
        env,
        env_files,
        secrets,
        secrets_dir,
        props,
        assets,
        services,
    } = own;
    // An invalid host must not count as missing, which would mean all addresses or all hosts.
    let is_usable = (host.is_some() || !section.has("host")) && (!hosts.is_empty() || !section.has("hosts"));
    let places = Places {
        whole: section.whole(),
        path: section.place("path"),
        entry: section.place("entry"),
        port: section.place("port"),
    };
    Draft {
        path,
        entry,
        environment: environment.map(|name| (name, section.place("environment"))),
        crons: crons.map(|crons| crons.into_iter().map(|(cron, _)| cron).collect()),
        listen: port.filter(|_| is_usable).map(|port| Listen { host: host.map(|Host(host)| host), port }),
        hosts,
        env: Given { values: env, files: env_files, folder: secrets_dir, secrets },
        props,
        assets,
        services,
        ..Draft::nowhere(places, defaults.clone().overridden(section, problems))
    }
}

/// Returns advice about a field that is unknown in the section `here`, if it belongs in another section.
fn home(name: &str, here: &str) -> Option<String> {
    let homes = [
        ("[server]", names(server::all())),
        ("[defaults] or to an app's section", names(Defaults::about())),
        ("an app's section", names(OwnSettings::about())),
    ];
    if !here.is_empty() && SECTIONS.contains(&name) {
        return Some(format!("begin a section with [{name}], not in {here}"));
    }
    if here == "[defaults]" && matches!(name, "port" | "host") {
        let fix = "move it to each app's section: apps may share a port when all but one name their `hosts`";
        return Some(fix.to_owned());
    }
    let found = homes.into_iter().find(|(home, fields)| *home != here && fields.contains(&name));
    found.map(|(home, _)| format!("move it to {home}"))
}
