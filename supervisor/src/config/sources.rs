//! The sources that the command line names, and how they are merged into a configuration that can be run.

pub(crate) mod apps_dir;
pub(crate) mod assets;
pub(crate) mod bucket;
pub(crate) mod deployed;
pub(crate) mod draft;
pub(crate) mod entry;
pub(crate) mod file;
pub(crate) mod flags;
pub(crate) mod overlap;
pub(crate) mod wrangler;

use std::path::PathBuf;

use crate::config::errors::{ConfigErrors, Flaw, Place, Problems};
use crate::config::schema::defaults::Defaults;
use crate::config::schema::server::StateDir;
use crate::config::types::app_name::AppName;
use crate::config::types::listen::{Host, Listen};
use crate::config::types::log::LogFormat;
use crate::config::{Config, machine};
use deployed::{BrokenState, Deployed, Overlay};
use draft::{Draft, Places};
use flags::ServerFlags;

/// The port of an app that does not specify one.
pub(crate) const DEFAULT_PORT: u16 = 8080;

/// The sources of a configuration, as given on the command line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// A configuration file.
    pub config: Option<PathBuf>,
    /// The folder of one app, served on [`Self::port`].
    pub folder: Option<PathBuf>,
    /// A folder of app folders, which share [`Self::port`].
    pub apps_dir: Option<PathBuf>,
    /// The domain below which the apps of [`Self::apps_dir`] are served in addition.
    pub domain: Option<String>,
    /// Apps as `NAME=PATH:PORT`.
    pub apps: Vec<String>,
    /// The address of the apps that the command line names. `None` for all addresses.
    pub host: Option<Host>,
    /// The port of [`Self::folder`] and [`Self::apps_dir`].
    pub port: Option<u16>,
    /// The environment of wrangler files that counts where an app's section does not name one.
    pub environment: Option<String>,
    /// Whether every app is in development mode, regardless of the file.
    pub development: bool,
    /// Whether log lines are written for app developers, regardless of the file.
    pub for_developers: bool,
    /// Settings of the supervisor itself. They take precedence over those of the file.
    pub server: ServerFlags,
}

impl Sources {
    /// Reads and validates everything except deploys.
    ///
    /// # Errors
    /// Returns all problems, including those of single apps.
    pub(crate) fn load(&self) -> Result<Config, ConfigErrors> {
        self.load_strictly(true, |_| Ok(Vec::new()))
    }

    /// Reads and validates everything, and lays the apps that were deployed over the result. `deployed` reads them from the state
    /// folder.
    ///
    /// # Errors
    /// Returns all problems of what apps share. The problems of a single app become its
    /// [`AppSpec::fault`](crate::config::AppSpec), unless the configuration is `strict`.
    pub(crate) fn load_with(
        &self,
        deployed: impl FnOnce(Option<&StateDir>) -> Result<Vec<Deployed>, BrokenState>,
    ) -> Result<Config, ConfigErrors> {
        self.load_strictly(false, deployed)
    }

    fn load_strictly(
        &self,
        is_strict: bool,
        deployed: impl FnOnce(Option<&StateDir>) -> Result<Vec<Deployed>, BrokenState>,
    ) -> Result<Config, ConfigErrors> {
        let mut problems = Problems::default();
        let contents = file::Contents::new(Defaults::of_machine(machine::memory()));
        let contents = match &self.config {
            Some(path) => file::read(path, contents, &mut problems),
            None => contents,
        };
        let (mut server, mut draft) = (contents.server, contents.draft);
        self.server.read(&mut server, &mut draft, &mut problems);
        if self.for_developers {
            server.log_format = LogFormat::Dev;
        }
        let is_asked_for = draft.state_dir.is_asked_for();
        let cache = draft.resolve(&mut server, &mut problems);
        let mut drafts = contents.apps;
        drafts.extend(self.folder.as_ref().map(|folder| Draft {
            name: Some(name_of(folder)),
            is_bare: true,
            path: Some(folder.clone()),
            defaults: contents.defaults.clone(),
            ..Draft::new(Places::flag(folder.display().to_string()), self.listen(self.port))
        }));
        for text in &self.apps {
            let place = Place::flag(format!("--app {text}"));
            if let Some(flag) = problems.keep(|| place, parse_app(text)) {
                drafts.push(Draft {
                    name: Some(flag.name),
                    path: Some(flag.path),
                    defaults: contents.defaults.clone(),
                    ..Draft::new(Places::flag(format!("--app {text}")), self.listen(Some(flag.port)))
                });
            }
        }
        if let Some(folder) = &self.apps_dir {
            let listen = self.listen(self.port);
            let apps = apps_dir::read(folder, self.domain.as_deref(), &listen, &mut problems);
            drafts.extend(apps.into_iter().map(|app| Draft { defaults: contents.defaults.clone(), ..app }));
        }
        let lacks_nothing = server.strict;
        // The command line names a single app, so there are no other apps to serve if it has a fault.
        server.strict |= is_strict || (self.is_one_folder() && !is_asked_for);
        drafts.iter_mut().for_each(|draft| self.choose_environment(draft));
        drafts.iter_mut().filter(|draft| draft.is_bare).for_each(Draft::ask_folder);
        let overlay = match deployed(server.state_dir.as_ref()) {
            Ok(deployed) => deployed::overlay(&mut drafts, deployed, &contents.defaults),
            Err(BrokenState { place, flaw }) => {
                problems.add(Place::flag(place), flaw);
                Overlay::default()
            }
        };
        if drafts.is_empty() && !is_asked_for && problems.is_empty() {
            problems.add(self.nowhere(), nothing_to_serve());
        }
        for draft in &mut drafts {
            // Those that were only deployed have come later.
            self.choose_environment(draft);
            if !draft.is_bare {
                draft.ask_folder();
            }
            draft.defaults.settings.development |= self.development;
        }
        overlap::check(&mut drafts);
        let (mut apps, mut left_out, mut of_apps) = (Vec::new(), Vec::new(), Problems::default());
        for draft in drafts {
            let place = draft.places.whole.to_string();
            let (spec, found) = draft.resolve(cache.as_deref());
            match spec {
                Some(spec) => apps.push(spec),
                None => left_out.extend(found.lines().map(|why| (place, why))),
            }
            of_apps.extend(found);
        }
        let named: Vec<_> = apps.iter().map(|app| app.name.clone()).collect();
        apps.iter_mut().for_each(|app| app.warn_of_services(&named));
        // If something has to be fixed in any case, report all problems at once.
        if server.strict || !problems.is_empty() {
            problems.extend(of_apps);
            of_apps = Problems::default();
        }
        let Overlay { only_deployed, notes } = overlay;
        let broken = of_apps.or(()).err();
        problems.or(Config { server, lacks_nothing, apps, left_out, broken, only_deployed, notes })
    }

    fn choose_environment(&self, draft: &mut Draft) {
        if draft.environment.is_none()
            && let Some(name) = &self.environment
        {
            draft.environment = Some((name.clone(), Place::flag(format!("--env {name}"))));
        }
    }

    /// Returns whether the command line names one app folder and nothing else.
    fn is_one_folder(&self) -> bool {
        self.folder.is_some() && self.config.is_none() && self.apps_dir.is_none() && self.apps.is_empty()
    }

    fn listen(&self, port: Option<u16>) -> Listen {
        Listen { host: self.host.map(|Host(host)| host), port: port.unwrap_or(DEFAULT_PORT) }
    }

    /// Returns the place of the source that names no apps.
    fn nowhere(&self) -> Place {
        match (&self.config, &self.apps_dir) {
            (Some(file), _) => Place::flag(file.display().to_string()),
            (None, Some(folder)) => Place::flag(format!("--apps-dir {}", folder.display())),
            (None, None) => Place::flag("arguments"),
        }
    }
}

fn nothing_to_serve() -> Flaw {
    Flaw::new(
        "there is no app to serve",
        "name a folder (nano-supervisor serve ./my-app), --app NAME=PATH:PORT, --apps-dir DIR, or a file with \
         [apps.NAME] sections (--config nano.toml), or --state-dir DIR to wait for deploys",
    )
}

/// Derives the name of the app in `folder`.
fn name_of(folder: &std::path::Path) -> AppName {
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    AppName::from_folder(&real.file_name().unwrap_or_default().to_string_lossy())
}

/// The parts of `--app NAME=PATH:PORT`.
struct AppFlag {
    name: AppName,
    path: PathBuf,
    port: u16,
}

fn parse_app(text: &str) -> Result<AppFlag, Flaw> {
    let fix = "write NAME=PATH:PORT, such as blog=./blog:8080";
    let (name, rest) = text.split_once('=').ok_or_else(|| Flaw::new("has no name", fix))?;
    // The path may contain colons; the port follows the last one.
    let (path, port) = rest.rsplit_once(':').ok_or_else(|| Flaw::new("has no port", fix))?;
    let port = port.parse().map_err(|_| {
        Flaw::new(format!("{port:?} is not a port"), "write a number from 0 to 65535 behind the last colon")
    })?;
    if path.is_empty() {
        return Err(Flaw::new("has no path", fix));
    }
    Ok(AppFlag { name: name.parse()?, path: path.into(), port })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use tempfile::TempDir;

    use super::*;

    /// Creates a folder with two apps and this `nano.toml`.
    fn folder(config: &str) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for app in ["a", "b"] {
            fs::create_dir(dir.path().join(app)).unwrap();
            fs::write(dir.path().join(app).join("index.js"), "").unwrap();
        }
        fs::write(dir.path().join("nano.toml"), config).unwrap();
        dir
    }

    fn problems(sources: &Sources, dir: &Path) -> String {
        sources.load().unwrap_err().to_string().replace(&format!("{}/", dir.display()), "")
    }

    #[test]
    fn every_source_adds_apps_and_flags_come_before_the_file() {
        let dir =
            folder("[server]\nio_threads = 2\n[defaults]\nheap = '64MiB'\n[apps.file]\npath = 'a'\nport = 1");
        let sources = Sources {
            config: Some(dir.path().join("nano.toml")),
            folder: Some(dir.path().join("b")),
            apps: vec![format!("c={}:3", dir.path().join("a").display())],
            port: Some(2),
            host: Some("127.0.0.1".parse().unwrap()),
            server: ServerFlags::default().set("io_threads", "3"),
            ..Sources::default()
        };
        let config = sources.load().unwrap();
        let found: Vec<_> =
            config.apps.iter().map(|app| format!("{}@{}", app.name, app.listen.as_ref().unwrap())).collect();
        assert_eq!(found, ["file@*:1", "b@127.0.0.1:2", "c@127.0.0.1:3"]);
        assert!(config.apps.iter().all(|app| app.limits.heap == 64 << 20));
        assert_eq!(config.server.io_threads, 3);
    }

    #[test]
    fn the_default_port_is_8080() {
        let dir = folder("");
        let sources = Sources { folder: Some(dir.path().join("a")), ..Sources::default() };
        assert_eq!(sources.load().unwrap().apps[0].listen.as_ref().unwrap().to_string(), "*:8080");
    }

    #[test]
    fn all_problems_of_all_sources_are_reported() {
        let dir = folder("[apps.x]\npath = 'nowhere'\nport = 1\nprot = 2\n[apps.y]\npath = 'a'\nport = 1");
        let sources = Sources {
            config: Some(dir.path().join("nano.toml")),
            apps: vec!["a".into(), "b=x".into(), "c=./x:y".into(), "d=:1".into(), "E=a:1".into()],
            ..Sources::default()
        };
        assert_eq!(
            problems(&sources, dir.path()),
            "--app a: has no name; fix: write NAME=PATH:PORT, such as blog=./blog:8080\n\
             --app b=x: has no port; fix: write NAME=PATH:PORT, such as blog=./blog:8080\n\
             --app c=./x:y: \"y\" is not a port; fix: write a number from 0 to 65535 behind the last colon\n\
             --app d=:1: has no path; fix: write NAME=PATH:PORT, such as blog=./blog:8080\n\
             --app E=a:1: \"E\" is not an app name; fix: use 1 to 63 of a-z, 0-9, '-', '_' and '.', beginning with a \
             letter or digit, such as \"e\"\n\
             nano.toml:2: apps.x.path: there is no folder nowhere; fix: create it, or correct the path\n\
             nano.toml:4: apps.x.prot: unknown field; fix: did you mean `port`?\n\
             nano.toml:7: apps.y.port: *:1 is also where app x listens; fix: choose another port, or tell them apart \
             with `hosts` in a configuration file\n\
             8 problems"
        );
    }

    #[test]
    fn a_name_with_dots_that_lacks_its_quotes_is_told_so_and_nothing_else() {
        let dir = folder(
            "[apps.www.example.org]\npath = 'a'\nport = 1\n[apps.good]\npath = 'a'\nport = 2\n[apps.good.example.org]\n\
             port = 3\n[server.apps.x]\nport = 4\n[blog]\npath = 'a'\n[[apps.twice]]\npath = 'a'\n[apps.text]\npath = 'a'\n\
             port = 5\nPORT = 6\nhosts = 'a.example'",
        );
        let sources = Sources { config: Some(dir.path().join("nano.toml")), ..Sources::default() };
        let found = problems(&sources, dir.path());
        let expected = [
            "nano.toml:9: server.apps: unknown field; fix: begin a section with [apps], not in [server]",
            "nano.toml:11: blog: unknown field; fix: write [apps.blog]",
            "nano.toml:1: apps.www.example: unknown field; fix: put a name with dots in quotes: [apps.\"www.example.org\"]",
            "nano.toml:7: apps.good.example: unknown field; fix: put a name with dots in quotes: [apps.\"good.example.org\"]",
            "nano.toml:13: apps.twice: expected a table, found a list; fix: write its name in one pair of brackets, [section], \
             not in two",
            "nano.toml:18: apps.text.PORT: unknown field; fix: did you mean `port`?",
            "nano.toml:19: apps.text.hosts: expected a list, found text; fix: write it in brackets: [\"a.example\"]",
        ];
        for line in expected {
            assert!(found.contains(line), "{line} in {found}");
        }
        assert!(found.ends_with("\n7 problems"), "{found}");
    }

    #[test]
    fn a_field_in_the_wrong_place_is_told_its_place() {
        let dir = folder(
            "[server]\nheap = '1GiB'\nio_thread = 1\nport = 1\n[defaults]\nport = 1\npath = 'a'\nio_threads = 1",
        );
        let sources = Sources { config: Some(dir.path().join("nano.toml")), ..Sources::default() };
        assert_eq!(
            problems(&sources, dir.path()),
            "nano.toml:2: server.heap: unknown field; fix: move it to [defaults] or to an app's section\n\
             nano.toml:3: server.io_thread: unknown field; fix: did you mean `io_threads`?\n\
             nano.toml:4: server.port: unknown field; fix: move it to an app's section\n\
             nano.toml:6: defaults.port: unknown field; fix: move it to each app's section: apps may share a port when all but \
             one name their `hosts`\n\
             nano.toml:7: defaults.path: unknown field; fix: move it to an app's section\n\
             nano.toml:8: defaults.io_threads: unknown field; fix: move it to [server]\n\
             6 problems"
        );
    }

    #[test]
    fn an_app_that_cannot_be_run_is_that_apps_problem() {
        let dir = folder(
            "[apps.good]\npath = 'a'\nport = 1\n[apps.bad]\npath = 'a'\nport = 2\nhosts = ['b.example', 'x y']\nheap = '1MiB'\n\
             [apps.gone]\npath = 'nowhere'\nport = 3\n[apps.late]\npath = 'a'\nport = 1\n[apps.wrong]\npath = 'a'\nport = 4\n\
             hosts = ['x y']\n[apps.none]\n[apps]\nodd = 3\n'No Name' = { path = 'a', port = 5 }\n",
        );
        let mut sources = Sources { config: Some(dir.path().join("nano.toml")), ..Sources::default() };
        sources.apps = vec![format!("good={}:6", dir.path().join("b").display())];
        let config = sources.load_with(|_| Ok(Vec::new())).unwrap();
        let shown = |app: &crate::config::AppSpec| {
            let listen = app.listen.as_ref().map_or("-".into(), ToString::to_string);
            let lines = app.fault.as_ref().map_or(0, |fault| fault.lines().count());
            format!("{}@{listen} {}: {lines}", app.name, app.hosts.len())
        };
        let found: Vec<_> = config.apps.iter().map(shown).collect();
        let expected = [
            "good@*:1 0: 0",
            "bad@*:2 1: 2",
            "gone@*:3 0: 1",
            "late@- 0: 1",
            "wrong@- 0: 1",
            "none@- 0: 2",
            "odd@- 0: 1",
        ];
        assert_eq!(found, expected);
        let late = config.apps[3].fault.as_ref().unwrap();
        assert!(late.ends_with("*:1 is also where app good listens; fix: choose another port, or tell them apart with `hosts` in a configuration file"), "{late}");
        let left_out: Vec<_> =
            config.left_out.iter().map(|(_, why)| why.rsplit_once(": ").unwrap().0.to_owned()).collect();
        assert_eq!(left_out.len(), 2, "{left_out:?}");
        let all = sources.load().unwrap_err();
        assert_eq!(all.problems().len(), 10, "{all}");
        assert_eq!(config.broken.unwrap(), all);
        sources.server = ServerFlags::default().set("strict", "true");
        assert_eq!(sources.load_with(|_| Ok(Vec::new())).unwrap_err(), all);
    }

    #[test]
    fn there_must_be_an_app() {
        let dir = folder("[server]");
        let found = problems(&Sources::default(), dir.path());
        assert!(found.starts_with("arguments: there is no app to serve; fix: name a folder"), "{found}");
        let sources = Sources { config: Some(dir.path().join("nano.toml")), ..Sources::default() };
        let found = problems(&sources, dir.path());
        assert!(found.starts_with("nano.toml: there is no app to serve; fix: name a folder"), "{found}");
        let sources = Sources { config: Some(dir.path().join("none.toml")), ..Sources::default() };
        assert_eq!(
            problems(&sources, dir.path()),
            "none.toml: there is no such file; fix: create it, or correct the path\n1 problem"
        );
    }

    #[test]
    fn a_file_may_have_any_name_and_broken_toml_names_its_line() {
        let dir = folder("[apps.a\npath = 1");
        let sources = Sources { config: Some(dir.path().join("nano.toml")), ..Sources::default() };
        let found = problems(&sources, dir.path());
        assert!(found.starts_with("nano.toml:1: syntax: "), "{found}");
    }
}
