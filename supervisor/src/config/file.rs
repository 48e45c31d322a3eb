//! The configuration file: `[server]`, `[defaults]` and `[apps.NAME]`.

use std::net::IpAddr;
use std::path::Path;

use toml::de::DeTable;

use super::admin::AdminDraft;
use super::app::Listen;
use super::draft::{Draft, Places};
use super::environment::Given;
use super::errors::{Flaw, Place, Problems};
use super::own_folder::{CACHE, OwnFolder, STATE};
use super::section::{Document, Section};
use super::server::ServerSettings;
use super::settings::Settings;
use super::traces::TracesDraft;
use super::value::{parsed, text, whole};
use super::wrangler::Wrangler;
use super::{bounds, env, read, server, settings};

const SECTIONS: &[&str] = &["server", "defaults", "apps"];

/// Fields that an app has beyond those that have defaults.
const APP_FIELDS: &[&str] =
    &["path", "port", "host", "hosts", "entry", "env", "env_files", "secrets", "secrets_dir", "props"];

/// What a configuration file says.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) server: ServerSettings,
    pub(super) cache: OwnFolder,
    pub(super) state: OwnFolder,
    pub(super) admin: AdminDraft,
    pub(super) traces: TracesDraft,
    pub(super) defaults: Settings,
    /// In the order of the file.
    pub(super) apps: Vec<Draft>,
}

impl Contents {
    /// Nothing but these defaults.
    pub(super) fn new(defaults: Settings) -> Self {
        Self { defaults, ..Self::default() }
    }
}

/// Reads the file at `path`. What is wrong with it is recorded; what is right comes back, over `contents`.
pub(super) fn read(path: &Path, contents: Contents, problems: &mut Problems) -> Contents {
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
    top.only(&[SECTIONS], |name| home(name, ""), problems);
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
            if let Some(section) = apps.section(name, problems) {
                contents.apps.push(read_app(name, &section, folder, &contents.defaults, problems));
            }
        }
    }
    contents
}

fn read_app(
    name: &str,
    section: &Section<'_>,
    folder: &Path,
    defaults: &Settings,
    problems: &mut Problems,
) -> Draft {
    section.only(&[APP_FIELDS, settings::FIELDS], |name| home(name, "an app's section"), problems);
    let host = section.read("host", parsed::<Host>, problems);
    let port = section.require("port", "8080", whole(0..=u16::MAX), problems);
    // A host that is wrong must not count as none, which would be every address.
    let is_host_usable = host.is_some() || !section.has("host");
    Draft {
        places: Places {
            whole: section.whole(),
            path: section.place("path"),
            entry: section.place("entry"),
            port: section.place("port"),
        },
        name: problems.keep(|| section.whole(), name.parse()),
        is_bare: false,
        path: section.require("path", "\"./blog\"", text, problems).map(|path| folder.join(path)),
        entry: section.read("entry", text, problems).map(str::to_owned),
        listen: port
            .filter(|_| is_host_usable)
            .map(|port| Listen { host: host.map(|Host(host)| host), port }),
        hosts: section.list("hosts", parsed, problems),
        env: Given::read(section, folder, problems),
        props: env::props(section, problems),
        settings: defaults.clone().overridden(section, problems),
        wrangler: Wrangler::default(),
    }
}

/// What to do about a field that is not known in the section `here`, if there is a section in which it belongs.
pub(super) fn home(name: &str, here: &str) -> Option<String> {
    let homes = [
        ("[server]", server::FIELDS),
        ("[defaults] or to an app's section", settings::FIELDS),
        ("an app's section", APP_FIELDS),
    ];
    let found = homes.into_iter().find(|(home, fields)| *home != here && fields.contains(&name));
    found.map(|(home, _)| format!("move it to {home}"))
}

/// One address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host(pub IpAddr);

impl std::str::FromStr for Host {
    type Err = Flaw;

    fn from_str(text: &str) -> Result<Self, Flaw> {
        text.parse().map(|host: IpAddr| Self(host.to_canonical())).map_err(|_| {
            let fix = "write an address such as 127.0.0.1 or ::1, or leave it out for all addresses";
            Flaw::new(format!("{text:?} is not an IP address"), fix)
        })
    }
}
