//! An app as one source describes it, before the file system is checked.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::app::AppSpec;
use crate::config::bounds;
use crate::config::env::environment::{EnvSources, Given, app_files};
use crate::config::errors::{Flaw, Place, Problems, listed};
use crate::config::schema::assets::AssetSettings;
use crate::config::schema::defaults::Defaults;
use crate::config::sources::assets;
use crate::config::sources::bucket;
use crate::config::sources::entry::{self, GivenEntry};
use crate::config::sources::wrangler::Wrangler;
use crate::config::types::app_name::AppName;
use crate::config::types::binding::{Binding, BindingTarget};
use crate::config::types::cron::Cron;
use crate::config::types::host_pattern::HostPattern;
use crate::config::types::listen::Listen;

/// The description of an app in a source. A missing part has already been reported.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) places: Places,
    pub(crate) name: Option<AppName>,
    /// Whether the name is only that of its folder. A name in the app's wrangler file takes precedence then.
    pub(crate) is_bare: bool,
    pub(crate) path: Option<PathBuf>,
    /// Its entry module. `None` if that has to be searched for.
    pub(crate) entry: Option<String>,
    /// The environment of the wrangler file, and where it was chosen. The empty name stands for its top level.
    pub(crate) environment: Option<(String, Place)>,
    /// When its `scheduled` handler runs. `None` if its wrangler file decides that.
    pub(crate) crons: Option<Vec<Cron>>,
    pub(crate) listen: Option<Listen>,
    pub(crate) hosts: Vec<(HostPattern, Place)>,
    pub(crate) env: Given,
    pub(crate) props: serde_json::Value,
    /// Its static files. `None` if its wrangler file says whether it has any.
    pub(crate) assets: Option<(AssetSettings, Place)>,
    /// The other apps that it fetches from. `None` if its wrangler file says which.
    pub(crate) services: Option<Vec<Binding>>,
    /// The settings that `[defaults]` may contain.
    pub(crate) defaults: Defaults,
    /// The wrangler file in its folder.
    pub(crate) wrangler: Wrangler,
    /// Problems that keep only this app from being run.
    pub(crate) problems: Problems,
}

/// The places of the parts of a draft.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) whole: Place,
    pub(crate) path: Place,
    pub(crate) entry: Place,
    pub(crate) port: Place,
}

impl Places {
    /// All parts are in one flag.
    pub(crate) fn flag(flag: impl Into<String>) -> Self {
        Self::all(Place::flag(flag))
    }

    /// All parts are in one place.
    pub(crate) fn all(place: Place) -> Self {
        Self { whole: place.clone(), path: place.clone(), entry: place.clone(), port: place }
    }
}

impl Draft {
    /// Creates a draft with only its places and its address.
    pub(crate) fn new(places: Places, listen: Listen) -> Self {
        Self { listen: Some(listen), ..Self::nowhere(places, Defaults::default()) }
    }

    /// Creates a draft with only its places and the defaults.
    pub(crate) fn nowhere(places: Places, defaults: Defaults) -> Self {
        Self {
            places,
            name: None,
            is_bare: false,
            path: None,
            entry: None,
            environment: None,
            crons: None,
            listen: None,
            hosts: Vec::new(),
            env: Given::default(),
            props: serde_json::json!({}),
            assets: None,
            services: None,
            defaults,
            wrangler: Wrangler::default(),
            problems: Problems::default(),
        }
    }

    /// Reads the wrangler file in the app's folder.
    pub(crate) fn ask_folder(&mut self) {
        // A path that is not a folder is reported by `resolve`.
        if let Some((path, Ok(root))) = self.path.as_deref().map(|path| (path, folder(path))) {
            let environment = chosen(self.environment.as_ref());
            self.wrangler =
                Wrangler::read(&root, path, self.entry.as_deref(), environment, &mut self.problems);
        }
        if self.is_bare {
            self.name = self.wrangler.name.take().or_else(|| self.name.take());
        }
    }

    /// Serves the app from another folder than the one its source names.
    pub(crate) fn serve_from(&mut self, path: PathBuf, place: Place) {
        self.path = Some(path);
        if self.entry.is_none() {
            self.places.entry = place.clone();
        }
        self.places.path = place;
        self.is_bare = false;
        self.wrangler = Wrangler::default();
    }

    /// Records the flaw of the folder that the app is served from, if there is one.
    pub(crate) fn lacks_folder(&mut self, flaw: Option<Flaw>, place: Place) {
        if let Some(flaw) = flaw {
            self.problems.add(place, flaw);
            self.path = None;
        }
    }

    /// Finds the folder and the entry module, and tries to read the sources of its env. `cache` is the folder that contains the
    /// caches of all apps. The app is `None` if it has no usable name.
    pub(crate) fn resolve(mut self, cache: Option<&Path>) -> (Option<AppSpec>, Problems) {
        let mut problems = std::mem::take(&mut self.problems);
        let path = self.path.unwrap_or_default();
        // A missing path has already been reported.
        let root = if path.as_os_str().is_empty() { None } else { Some(folder(&path)) };
        let root = root.and_then(|root| problems.keep(|| self.places.path, root));
        let Wrangler {
            home,
            main,
            pages,
            vars,
            required,
            modules,
            blobs,
            mut missing,
            warning,
            assets,
            is_for_pages,
            site,
            services,
            provided,
            crons,
            ..
        } = self.wrangler;
        let (given, place) = match (&self.entry, &main, &pages) {
            (Some(entry), _, _) => (GivenEntry::Module("entry", entry), self.places.entry),
            (None, Some((main, place)), _) => (GivenEntry::Module("main", main), place.clone()),
            (None, None, Some((folder, place))) => (GivenEntry::Pages(folder), place.clone()),
            (None, None, None) => (GivenEntry::Nowhere, self.places.entry),
        };
        let outranks = self.assets.is_some();
        let of_wrangler = assets.as_ref().and_then(|(assets, _)| assets.binding.clone());
        let asset_settings = self.assets.or(assets);
        // Its wrangler file names no code, or there is none where code is looked for.
        let lacks_code = |root: &Path| !outranks || entry::find(root, given).is_err();
        let is_files_only = asset_settings.is_some()
            && matches!(given, GivenEntry::Nowhere)
            && root.as_deref().is_some_and(lacks_code);
        let crons = once_each(self.crons.unwrap_or(crons));
        if crons.len() > bounds::CRONS {
            let fix = format!("keep to {}, such as by lists (0,30 * * * *)", bounds::CRONS);
            problems.add(
                self.places.whole.clone(),
                Flaw::new(format!("has more than {} crons", bounds::CRONS), fix),
            );
        }
        if is_files_only && !crons.is_empty() {
            let fix = "name the entry module, or leave out `crons`";
            let flaw = Flaw::new("`crons` are set, and the app has no code that they could run", fix);
            problems.add(self.places.whole.clone(), flaw);
        }
        let entry = root.as_ref().filter(|_| !is_files_only);
        let entry = entry.and_then(|root| problems.keep(|| place, entry::find(root, given)));
        let assets_binding =
            asset_settings.as_ref().and_then(|(assets, _)| assets.binding.clone()).or(of_wrangler);
        let assets = asset_settings.and_then(|(settings, place)| {
            let (name, root) = (self.name.as_ref(), root.as_ref()?);
            let found = assets::read(name, root, &path, &settings, is_files_only, is_for_pages && !outranks);
            problems.keep(|| place, found)
        });
        let bucket = site.and_then(|(settings, place)| {
            problems.keep(|| place, bucket::read(self.name.as_ref(), root.as_ref()?, &path, &settings))
        });
        let is_there = root.is_some();
        let binding = assets_binding.filter(|_| assets.is_some() && !is_files_only);
        let mut bindings: Vec<_> =
            binding.map(|name| Binding { name, target: BindingTarget::Assets }).into_iter().collect();
        for binding in self.services.unwrap_or(services).into_iter().chain(provided) {
            if let Some(known) = bindings.iter().find(|known| known.name == binding.name) {
                let what = format!("env.{} is both {} and {}", known.name, known.target, binding.target);
                let flaw = Flaw::new(what, "give each binding a name of its own");
                problems.add(self.places.whole.clone(), flaw);
                continue;
            }
            bindings.push(binding);
        }
        missing.retain(|missing| bindings.iter().all(|binding| binding.name != missing.name));
        let named: usize = bindings.iter().map(|binding| binding.told() + bounds::ENV_ENTRY).sum();
        if named > bounds::BINDINGS {
            let what = format!("the names of its bindings are too long: {named} bytes");
            let fix = format!("keep them below {} bytes together", bounds::BINDINGS);
            problems.add(self.places.whole.clone(), Flaw::new(what, fix));
            bindings.clear();
        }
        let root = root.unwrap_or_else(|| path.clone());
        let environment = chosen(self.environment.as_ref()).map(|(name, _)| name);
        let files = app_files(&home, environment);
        let env = EnvSources::new(&root, &path, self.places.whole, files, vars, self.env);
        let mut warnings: Vec<_> = warning.into_iter().collect();
        warnings.extend(assets.iter().flat_map(|assets| assets.notes()).cloned());
        warnings.extend(bucket.iter().flat_map(|bucket| bucket.notes()).cloned());
        if is_there {
            let found = env.read(&mut problems);
            let unset: Vec<_> = required.into_iter().filter(|name| !found.has(name)).collect();
            if !unset.is_empty() {
                let unset = listed(&unset);
                warnings.push(format!(
                    "the wrangler file requires secrets that are not set: {unset}; fix: see `secrets`"
                ));
            }
        }
        let Defaults { limits, settings, .. } = self.defaults;
        let spec = self.name.map(|name| AppSpec {
            root,
            entry: entry.unwrap_or_default(),
            listen: self.listen,
            hosts: self.hosts.into_iter().map(|(pattern, _)| pattern).collect(),
            crons,
            env,
            props: self.props,
            assets,
            bucket,
            bindings,
            emit_cache: cache.map(|cache| cache.join(name.as_str())),
            limits,
            settings,
            modules,
            blobs,
            missing,
            warnings,
            fault: problems.lines().map(Into::into),
            name,
        });
        (spec, problems)
    }
}

/// Returns the environment that was chosen, unless that is the top level.
fn chosen(environment: Option<&(String, Place)>) -> Option<(&str, &Place)> {
    environment.filter(|(name, _)| !name.is_empty()).map(|(name, place)| (&**name, place))
}

/// Leaves out what was written twice, and what is beyond one too many.
fn once_each(crons: Vec<Cron>) -> Vec<Cron> {
    let mut once = Vec::<Cron>::new();
    for cron in crons {
        if once.len() <= bounds::CRONS && !once.contains(&cron) {
            once.push(cron);
        }
    }
    once
}

/// Resolves the folder at `path` to an absolute path without symlinks.
pub(crate) fn folder(path: &Path) -> Result<PathBuf, Flaw> {
    let shown = path.display();
    let found = path.canonicalize().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            Flaw::new(format!("there is no folder {shown}"), "create it, or correct the path")
        }
        io::ErrorKind::NotADirectory => not_a_folder(path),
        _ => Flaw::new(format!("cannot open {shown}: {error}"), "make it readable for this user"),
    })?;
    if !found.is_dir() {
        return Err(not_a_folder(path));
    }
    if found.to_str().is_none() {
        return Err(Flaw::new(format!("the path {} is not UTF-8", found.display()), "rename the folder"));
    }
    Ok(found)
}

fn not_a_folder(path: &Path) -> Flaw {
    let fix = "name the folder that holds the app; a module in it is chosen with `entry`";
    Flaw::new(format!("{} is not a folder", path.display()), fix)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;
    use crate::config::types::binding::Service;

    #[test]
    fn a_folder_is_found_behind_symlinks() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("real")).unwrap();
        std::os::unix::fs::symlink("real", dir.path().join("link")).unwrap();
        assert_eq!(folder(&dir.path().join("link")), Ok(dir.path().canonicalize().unwrap().join("real")));
    }

    #[test]
    fn an_app_has_not_too_many_crons() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("index.js"), "").unwrap();
        let problems = |count: usize| {
            let crons = (0..count).map(|at| format!("{} {} * * *", at % 60, at / 60).parse().unwrap());
            let mut draft = Draft::nowhere(Places::flag("--app"), Defaults::default());
            (draft.name, draft.path) = ("app".parse().ok(), Some(dir.path().to_owned()));
            // What is written twice counts once.
            draft.crons = Some(crons.clone().chain(crons).collect());
            draft.resolve(None).1.texts()
        };
        assert_eq!(problems(bounds::CRONS), [""; 0]);
        assert_eq!(
            problems(bounds::CRONS + 1),
            ["--app: has more than 250 crons; fix: keep to 250, such as by lists (0,30 * * * *)"]
        );
    }

    #[test]
    fn the_names_of_an_apps_bindings_are_not_too_long() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("index.js"), "").unwrap();
        let problems = |count: usize| {
            let mut draft = Draft::nowhere(Places::flag("--app"), Defaults::default());
            (draft.name, draft.path) = ("app".parse().ok(), Some(dir.path().to_owned()));
            let target = BindingTarget::App(Service::of(AppName::from_folder("other")));
            let bind = |number| Binding { name: format!("{number:048}"), target: target.clone() };
            draft.services = Some((0..count).map(bind).collect());
            draft.resolve(None).1.texts()
        };
        assert_eq!(problems(256), [""; 0]);
        let fix = "fix: keep them below 16384 bytes together";
        assert_eq!(
            problems(257),
            [format!("--app: the names of its bindings are too long: 16448 bytes; {fix}")]
        );
    }

    #[test]
    fn two_bindings_of_one_name_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("index.js"), "").unwrap();
        fs::create_dir(dir.path().join("public")).unwrap();
        let problems = |wrangler: &str, services: Option<Vec<Binding>>| {
            fs::write(dir.path().join("wrangler.toml"), format!("main = 'index.js'\n{wrangler}")).unwrap();
            let mut draft = Draft::nowhere(Places::flag("--app"), Defaults::default());
            (draft.name, draft.path) = ("app".parse().ok(), Some(dir.path().to_owned()));
            draft.services = services;
            draft.ask_folder();
            draft.resolve(None).1.texts()
        };
        let assets = "[assets]\ndirectory = 'public'\nbinding = 'A'\n";
        let service = |app: &str| format!("[[services]]\nbinding = 'A'\nservice = '{app}'\n");
        let fix = "fix: give each binding a name of its own";
        assert_eq!(
            problems(&[service("one"), service("two")].concat(), None),
            [format!("--app: env.A is both the app one and the app two; {fix}")]
        );
        assert_eq!(
            problems(&[assets, &service("one")].concat(), None),
            [format!("--app: env.A is both the static files of the app and the app one; {fix}")]
        );
        assert_eq!(problems(&[assets, &service("one")].concat(), Some(Vec::new())), [""; 0]);
        // Those of nano.toml as well.
        let target = BindingTarget::App(Service::of(AppName::from_folder("two")));
        let own = |name: &str| Some(vec![Binding { name: name.to_owned(), target: target.clone() }]);
        assert_eq!(
            problems(assets, own("A")),
            [format!("--app: env.A is both the static files of the app and the app two; {fix}")]
        );
        assert_eq!(problems(&[assets, &service("one")].concat(), own("B")), [""; 0]);
    }

    #[test]
    fn what_is_no_folder_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("index.js");
        fs::write(&file, "").unwrap();
        let odd = dir.path().join(OsStr::from_bytes(b"\xff"));
        fs::create_dir(&odd).unwrap();
        let error = |path: &Path| {
            let text = folder(path).unwrap_err().to_string();
            text.replace(dir.path().to_str().unwrap(), "DIR")
        };
        assert_eq!(
            error(&dir.path().join("blog")),
            "there is no folder DIR/blog; fix: create it, or correct the path"
        );
        let fix = "fix: name the folder that holds the app; a module in it is chosen with `entry`";
        assert_eq!(error(&file), format!("DIR/index.js is not a folder; {fix}"));
        assert_eq!(error(&file.join("x")), format!("DIR/index.js/x is not a folder; {fix}"));
        assert!(error(&odd).ends_with("is not UTF-8; fix: rename the folder"));
    }
}
