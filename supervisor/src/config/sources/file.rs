//! The configuration file: `[server]`, `[defaults]` and `[apps.NAME]`.

use std::net::IpAddr;
use std::path::Path;

use toml::de::DeTable;

use crate::config::app::Listen;
use crate::config::bounds;
use crate::config::document::section::{Document, Section, child_path};
use crate::config::document::value::{parsed, text, whole};
use crate::config::env::environment::Given;
use crate::config::env::values;
use crate::config::errors::{Flaw, Place, Problems};
use crate::config::read;
use crate::config::schema::server;
use crate::config::schema::server::ServerSettings;
use crate::config::schema::settings;
use crate::config::schema::settings::Settings;
use crate::config::sources::draft::{Draft, Places};
use crate::config::types::admin::AdminDraft;
use crate::config::types::own_folder::{CACHE, OwnFolder, STATE};
use crate::config::types::traces::TracesDraft;

const SECTIONS: &[&str] = &["server", "defaults", "apps"];

/// Fields that an app has beyond those that have defaults.
const APP_FIELDS: &[&str] =
    &["path", "port", "host", "hosts", "entry", "env", "env_files", "secrets", "secrets_dir", "props"];

/// What a configuration file says.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) server: ServerSettings,
    pub(crate) cache: OwnFolder,
    pub(crate) state: OwnFolder,
    pub(crate) admin: AdminDraft,
    pub(crate) traces: TracesDraft,
    pub(crate) defaults: Settings,
    /// In the order of the file.
    pub(crate) apps: Vec<Draft>,
}

impl Contents {
    /// Nothing but these defaults.
    pub(crate) fn new(defaults: Settings) -> Self {
        Self { defaults, ..Self::default() }
    }
}

/// Reads the file at `path`. What is wrong with it is recorded; what is right comes back, over `contents`.
pub(crate) fn read(path: &Path, contents: Contents, problems: &mut Problems) -> Contents {
    let name = path.display().to_string();
    let place = || Place::flag(name.clone());
    let Some(text) = problems.keep(place, read_text(path)) else { return contents };
    let document = Document::config(&name, &text);
    let (table, errors) = DeTable::parse_recoverable(&text);
    if !errors.is_empty() {
        document.record_syntax_errors(&errors, problems);
        return contents;
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    read_sections(&Section::top(document, table.get_ref()), folder, contents, problems)
}

fn read_text(path: &Path) -> Result<String, Flaw> {
    if path.is_dir() {
        let fix = "name the file in it, or serve the folder itself without --config";
        return Err(Flaw::new("is a folder", fix));
    }
    read::text(path, bounds::CONFIG_FILE)
}

fn read_sections(
    top: &Section<'_>,
    folder: &Path,
    mut contents: Contents,
    problems: &mut Problems,
) -> Contents {
    let fix = |name: &str| {
        let way = top
            .names()
            .into_iter()
            .find(|found| *found == name)
            .and_then(|name| top.way_to(name, &["path", "port"]));
        // `[app.blog]` is a slip of the pen.
        let is_app = way.as_ref().is_some_and(|way| way.len() == 1);
        home(name, "").or_else(|| is_app.then(|| format!("write [{}]", child_path("apps", name))))
    };
    top.only(&[SECTIONS], fix, problems);
    if let Some(section) = top.section("server", problems) {
        contents.server = ServerSettings::read(&section, folder, problems);
        contents.cache = OwnFolder::read(&CACHE, &section, folder, problems);
        contents.state = OwnFolder::read(&STATE, &section, folder, problems);
        contents.admin = AdminDraft::read(&section, folder, problems);
        contents.traces = TracesDraft::read(&section, folder, problems);
    }
    if let Some(section) = top.section("defaults", problems) {
        section.only(&[settings::FIELDS], |name| home(name, "[defaults]"), problems);
        contents.defaults = contents.defaults.overridden(&section, problems);
    }
    if let Some(apps) = top.section("apps", problems) {
        for name in apps.names() {
            contents.apps.push(read_app(name, &apps, folder, &contents.defaults));
        }
    }
    contents
}

/// What is wrong with an app's section is wrong with that app alone.
fn read_app(name: &str, apps: &Section<'_>, folder: &Path, defaults: &Settings) -> Draft {
    let mut problems = Problems::default();
    let place = apps.place(name);
    let mut draft = match apps.section(name, &mut problems) {
        Some(section) => read_section(name, &section, folder, defaults, &mut problems),
        None => Draft::nowhere(Places::all(place.clone()), defaults.clone()),
    };
    draft.name = problems.keep(|| place, name.parse());
    draft.problems = problems;
    draft
}

/// What to do about a table in the section of the app `name` that is an app itself, whose name has dots.
fn quoted(name: &str, section: &Section<'_>, field: &str) -> Option<String> {
    let known = || APP_FIELDS.iter().chain(settings::FIELDS);
    let field =
        section.names().into_iter().find(|found| *found == field && !known().any(|known| known == found))?;
    let way = section.way_to(field, &["path", "port"])?.join(".");
    Some(format!("put a name with dots in quotes: [apps.\"{name}.{way}\"]"))
}

fn read_section(
    name: &str,
    section: &Section<'_>,
    folder: &Path,
    defaults: &Settings,
    problems: &mut Problems,
) -> Draft {
    let fix = |field: &str| quoted(name, section, field).or_else(|| home(field, "an app's section"));
    section.only(&[APP_FIELDS, settings::FIELDS], fix, problems);
    let mut fields = section.names().into_iter().peekable();
    if fields.peek().is_some() && fields.all(|field| quoted(name, section, field).is_some()) {
        // There is no app of that name which could miss anything.
        return Draft::nowhere(Places::all(section.whole()), defaults.clone());
    }
    let host = section.read("host", parsed::<Host>, problems);
    let port = section.require("port", "8080", whole(0..=u16::MAX), problems);
    let hosts = section.list("hosts", parsed, problems);
    // A host that is wrong must not count as none, which would be every address, or every host.
    let is_usable = (host.is_some() || !section.has("host")) && (!hosts.is_empty() || !section.has("hosts"));
    let places = Places {
        whole: section.whole(),
        path: section.place("path"),
        entry: section.place("entry"),
        port: section.place("port"),
    };
    Draft {
        path: section.require("path", "\"./blog\"", text, problems).map(|path| folder.join(path)),
        entry: section.read("entry", text, problems).map(str::to_owned),
        listen: port.filter(|_| is_usable).map(|port| Listen { host: host.map(|Host(host)| host), port }),
        hosts,
        env: Given::read(section, folder, problems),
        props: values::props(section, problems),
        settings: defaults.clone().overridden(section, problems),
        ..Draft::nowhere(places, Settings::default())
    }
}

/// What to do about a field that is not known in the section `here`, if there is a section in which it belongs.
pub(crate) fn home(name: &str, here: &str) -> Option<String> {
    let homes = [
        ("[server]", server::FIELDS),
        ("[defaults] or to an app's section", settings::FIELDS),
        ("an app's section", APP_FIELDS),
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

/// One address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Host(pub IpAddr);

impl std::str::FromStr for Host {
    type Err = Flaw;

    fn from_str(text: &str) -> Result<Self, Flaw> {
        text.parse().map(|host: IpAddr| Self(host.to_canonical())).map_err(|_| {
            let fix = "write an address such as 127.0.0.1 or ::1, or leave it out for all addresses";
            Flaw::new(format!("{text:?} is not an IP address"), fix)
        })
    }
}
