//! Reads the wrangler file of an app written for Cloudflare Workers: the settings that have a meaning here.

mod assets;
pub(crate) mod bindings;
mod blobs;
mod environments;
mod fields;
mod found;
mod inert;
mod modules;
mod pages;
mod provided;
mod services;
pub(crate) mod site;
mod triggers;

use std::path::{Path, PathBuf};

use nano_protocol::message::{Blob, ModuleOptions};
use serde_json::Value;

use crate::config::bounds;
use crate::config::document::section::Document;
use crate::config::env::values::Values;
use crate::config::errors::{Flaw, Place, Problems, listed};
use crate::config::schema::assets::AssetSettings;
use crate::config::types::app_name::AppName;
use crate::config::types::binding::{Binding, BindingTarget};
use crate::config::types::cron::Cron;
use crate::untrusted::visible;
use bindings::MissingBinding;
use fields::{Content, Field};
use found::{WranglerFile, leads_out, within};
use pages::PagesBuild;
use site::SiteSettings;

/// The settings of a wrangler file that have a meaning here.
#[derive(Debug, Default)]
pub(crate) struct Wrangler {
    /// The folder of the file that people have written, relative to the app's folder. Files of variables lie beside it.
    pub(crate) home: PathBuf,
    /// The valid app name that is closest to the name in the file.
    pub(crate) name: Option<AppName>,
    /// The entry module, relative to the app's folder if it is inside.
    pub(crate) main: Option<(String, Place)>,
    /// The folder of a build for Pages that has a worker, relative to the app's folder.
    pub(crate) pages: Option<(PathBuf, Place)>,
    /// When its `scheduled` handler runs.
    pub(crate) crons: Vec<Cron>,
    pub(crate) assets: Option<(AssetSettings, Place)>,
    /// Whether these are the files of a build for Pages.
    pub(crate) is_for_pages: bool,
    /// What it says of its files if it is a Workers Site.
    pub(crate) site: Option<(SiteSettings, Place)>,
    /// The other apps that it fetches from.
    pub(crate) services: Vec<Binding>,
    /// The bindings that the supervisor provides.
    pub(crate) provided: Vec<Binding>,
    pub(crate) vars: Values,
    /// The names of variables that the app cannot do without.
    pub(crate) required: Vec<String>,
    /// What it says about modules.
    pub(crate) modules: ModuleOptions,
    /// Files that are global variables.
    pub(crate) blobs: Vec<Blob>,
    /// The bindings that the app does not get.
    pub(crate) missing: Vec<MissingBinding>,
    /// One line that names what is ignored and missing.
    pub(crate) warning: Option<String>,
}

/// The names of what has no effect, for the one warning.
#[derive(Debug, Default)]
struct Mentioned {
    ignored: Vec<String>,
    otherwise: Vec<String>,
    notes: Vec<String>,
}

impl Wrangler {
    /// Reads the wrangler file of the app in the folder `root`, which has no symlinks. `shown` is the path of the folder as people
    /// know it, and `entry` the entry module as it was configured. `environment` is the environment of the file that was chosen,
    /// and where.
    pub(crate) fn read(
        root: &Path,
        shown: &Path,
        entry: Option<&str>,
        environment: Option<(&str, &Place)>,
        problems: &mut Problems,
    ) -> Self {
        let Some(file) = WranglerFile::find(root, shown, entry, problems) else { return Self::default() };
        let document = Document::of_app(&file.shown, &file.text);
        let is_toml = Path::new(&file.shown).extension().is_some_and(|extension| extension == "toml");
        let parse = if is_toml { fields::of_toml } else { fields::of_json };
        let fields = parse(document, &file.text, problems).unwrap_or_default();
        let mut mentioned = Mentioned::default();
        if !file.others.is_empty() {
            let others = listed(&file.others);
            mentioned.notes.push(format!(
                "the same build made other workers, which are apps of their own here: {others}"
            ));
        }
        let fields = environments::choose(fields, &file, environment, &mut mentioned.notes, problems);
        let mut wrangler = Self { home: file.home.clone(), ..Self::default() };
        for field in fields {
            wrangler.take(field, (root, shown), &file, &mut mentioned, problems);
        }
        wrangler.settle_site(root, &file, problems);
        if let Some(name) = Path::new(&file.shown).file_name() {
            wrangler.modules.file = file.home.join(name).to_string_lossy().into_owned();
        }
        wrangler.bound(&file.shown, problems);
        wrangler.warning = mentioned.line(&file.shown, &wrangler.missing);
        wrangler
    }

    /// Takes what a field says.
    fn take(
        &mut self,
        Field { name, place, content }: Field,
        (root, shown): (&Path, &Path),
        file: &WranglerFile,
        mentioned: &mut Mentioned,
        problems: &mut Problems,
    ) {
        match (&*name, content) {
            ("name", content) => {
                let name = problems.keep(|| place, content.text());
                self.name = name.map(|name| AppName::from_folder(&name));
            }
            ("main", content) => {
                let main = problems.keep(|| place.clone(), content.text());
                self.main = main.map(|main| (module(root, file, main), place));
            }
            ("pages_build_output_dir", content) => {
                let folder = content
                    .text()
                    .and_then(|folder| within(root, &file.folder, &folder).ok_or_else(|| leads_out(&folder)));
                let Some(folder) = problems.keep(|| place.clone(), folder) else { return };
                let build = PagesBuild::read(root, shown, &folder, problems);
                self.pages = build.worker().map(|folder| (folder, place.clone()));
                self.is_for_pages = self.assets.is_none();
                self.assets.get_or_insert((build.assets, place));
            }
            ("assets", Content::Table(settings)) if !settings.is_empty() => {
                let settings = assets::read(settings, &place, (root, &file.folder), problems);
                let (settings, ignored) = settings.unzip();
                mentioned.ignored.extend(ignored.unwrap_or_default());
                self.assets = settings.map(|settings| (settings, place));
                self.is_for_pages = false;
            }
            ("site", Content::Table(settings)) if !settings.is_empty() => {
                let settings = site::read(settings, &place, (root, &file.folder), problems);
                let (settings, ignored) = settings.unzip();
                mentioned.ignored.extend(ignored.unwrap_or_default());
                self.site = settings.map(|settings| (settings, place));
            }
            ("vars", Content::Table(vars)) => self.add_vars(vars, problems),
            ("vars", _) => {
                let fix =
                    "write a table: NAME = \"value\" below [vars], or \"vars\": { \"NAME\": \"value\" }";
                problems.add(place, Flaw::new("is not a table", fix));
            }
            ("secrets", Content::Table(secrets)) => {
                for secret in secrets.into_iter().filter(|field| field.name == "required") {
                    let names = problems.keep(|| secret.place, secret.content.texts());
                    self.required.extend(names.unwrap_or_default());
                }
            }
            ("triggers", content) if !content.is_empty() => {
                self.crons = triggers::crons(place, content, problems);
            }
            ("services", content) if !content.is_empty() => {
                let Some(value) = problems.keep(|| place.clone(), content.json()) else { return };
                self.services = services::read(&value, &place, problems);
            }
            ("compatibility_flags", content) => {
                let flags = problems.keep(|| place, content.texts()).unwrap_or_default();
                let unknown = flags.into_iter().filter(|flag| !inert::is_standard(flag));
                mentioned.ignored.extend(unknown.map(|flag| format!("compatibility flag {flag}")));
            }
            (_, content) if content.is_empty() => {}
            ("rules" | "alias" | "define", content) => {
                let field = Field { name, place, content };
                mentioned.ignored.extend(modules::take(field, &mut self.modules, problems));
            }
            (name, content) => {
                let value = problems.keep(|| place.clone(), content.json()).unwrap_or_default();
                if let Some(kind) = blobs::kind(name) {
                    self.blobs.extend(blobs::read(kind, &value, &place, (root, &file.folder), problems));
                    return;
                }
                match provided::read(name, &value, &place, problems) {
                    Some(provided) => {
                        let connections = provided::connections(name, &value);
                        self.vars.0.extend(connections.map(|(name, text)| (name, Value::String(text))));
                        self.provide(provided);
                    }
                    None => self.lack(name, &value, file, mentioned),
                }
            }
        }
    }

    /// Finds the code of a Workers Site, and refuses what does not go together with one.
    fn settle_site(&mut self, root: &Path, file: &WranglerFile, problems: &mut Problems) {
        let Some((site, place)) = &self.site else { return };
        if self.assets.is_some() {
            let fix = "leave out `site`, if nothing but its code reads its files, or `assets`";
            let flaw = Flaw::new("is there beside `assets`, which wrangler refuses, too", fix);
            problems.add(place.clone(), flaw);
        }
        match (&site.entry, &self.main) {
            ((entry, _), None) => {
                self.main = Some((module(root, file, entry.clone()), place.clone()));
            }
            ((_, true), Some(_)) => {
                let fix = "leave out `entry-point`, which `main` has replaced";
                problems.add(place.clone(), Flaw::new("has an `entry-point` beside `main`", fix));
            }
            ((_, false), Some(_)) => {}
        }
        self.provided.push(Binding { name: site::BINDING.to_owned(), target: BindingTarget::Bucket });
    }

    /// Takes bindings that the supervisor provides.
    fn provide(&mut self, provided: Vec<Binding>) {
        let secrets = provided.iter().filter(|binding| binding.target.is_variable());
        self.required.extend(secrets.map(|secret| secret.name.clone()));
        self.provided.extend(provided);
    }

    /// Takes a field that has no counterpart here.
    fn lack(&mut self, name: &str, value: &Value, file: &WranglerFile, mentioned: &mut Mentioned) {
        if inert::is_quiet(name, value) {
            return;
        }
        let missing = bindings::declared(name, value, &file.shown).unwrap_or_default();
        if let Some(here) = inert::replacement(name) {
            mentioned.otherwise.push(format!("{name} (by {here})"));
        } else if name == "queues" && value["consumers"].as_array().is_some_and(|list| !list.is_empty()) {
            mentioned.ignored.push("queues.consumers".to_owned());
        } else if missing.is_empty() {
            mentioned.ignored.push(name.to_owned());
        }
        self.missing.extend(missing);
    }

    /// Records what is too long for the message that loads the app, and leaves it out.
    fn bound(&mut self, file: &str, problems: &mut Problems) {
        let ModuleOptions { rules, alias, define, .. } = &self.modules;
        let pairs = alias.iter().chain(define).map(|(name, value)| name.len() + value.len());
        let modules: usize =
            pairs.chain(rules.iter().map(|rule| rule.glob.len())).map(|size| size + bounds::ENV_ENTRY).sum();
        if modules > bounds::MODULES {
            let what = format!("`alias`, `define` and `rules` are too long: {modules} bytes");
            let fix = format!("keep them below {} bytes together", bounds::MODULES);
            problems.add(Place::file(Path::new(file)), Flaw::new(what, fix));
            self.modules = ModuleOptions::default();
        }
        let blobs = self.blobs.iter().map(|blob| blob.name.len() + blob.path.len() + bounds::ENV_ENTRY);
        if blobs.sum::<usize>() > bounds::BLOBS {
            let what = "names too many files in `text_blobs`, `data_blobs` and `wasm_modules`";
            let fix = format!("keep names and paths below {} bytes together", bounds::BLOBS);
            problems.add(Place::file(Path::new(file)), Flaw::new(what, fix));
            self.blobs.clear();
        }
        let missing = self.missing.iter().map(|binding| binding.name.len() + binding.why.len());
        let missing: usize = missing.map(|size| size + bounds::ENV_ENTRY).sum();
        if missing > bounds::MISSING {
            let what = format!(
                "has {} bindings that nano-supervisor does not have, which are too many",
                self.missing.len()
            );
            problems.add(
                Place::file(Path::new(file)),
                Flaw::new(what, "leave out those that the app can do without"),
            );
            self.missing.clear();
        }
    }

    fn add_vars(&mut self, vars: Vec<Field>, problems: &mut Problems) {
        for Field { name, place, content } in vars {
            if let Some(value) = problems.keep(|| place, content.json()) {
                self.vars.0.insert(name, value);
            }
        }
    }
}

impl Mentioned {
    /// Returns the warning about the file `file`, if there is something to say.
    fn line(self, file: &str, missing: &[MissingBinding]) -> Option<String> {
        let missing: Vec<_> =
            missing.iter().map(|binding| format!("{} ({})", binding.name, binding.field)).collect();
        let whys = [
            ("ignored, because it is set otherwise here", self.otherwise),
            ("ignored, because nano-supervisor has nothing like it", self.ignored),
            ("missing bindings, which throw an error when the app uses them", missing),
        ];
        let parts = whys.into_iter().filter(|(_, names)| !names.is_empty());
        let parts = parts.map(|(why, names)| format!("{why}: {}", listed(&names)));
        let parts: Vec<_> = parts.chain(self.notes).collect();
        (!parts.is_empty()).then(|| visible::line(&format!("{file}: {}", parts.join("; "))).into_owned())
    }
}

/// Returns the path of an entry module in the file `file`, relative to the app's folder if it is inside.
fn module(root: &Path, file: &WranglerFile, path: String) -> String {
    let inside = within(root, &file.folder, &path).filter(|path| path.as_os_str() != "");
    inside.and_then(|path| path.to_str().map(str::to_owned)).unwrap_or(path)
}

#[cfg(test)]
mod tests;
