//! Presents CommonJS modules as ES modules, and provides what `require()` needs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use deno_error::JsErrorBox;
use nano_runtime::{RequireHost, RequiredKind};

use super::COMMONJS;
use super::assets;
use super::facade::{END_OF_FACADE, literal};
use super::format::{self, Format, Language};
use super::modules::Modules;
use super::named_imports;
use super::resolver::{Found, Importer};
use crate::builtins::SITE_MANIFEST;

/// The beginning of a URL fragment with names that an importer wants besides those that are found in the module's text.
const WANTED: &str = "#names=";

impl Modules {
    /// Returns the fragment of the URL under which `from` imports a module. It is empty, unless the module is CommonJS and some
    /// names that are imported from it are not found in its text.
    pub(super) fn wanted_names(&self, path: &Path, specifier: &str, from: &Path) -> String {
        let may_be_commonjs = match format::of_name(path) {
            Some((Language::JavaScript, named)) => named != Some(Format::Module),
            Some((Language::Translated, named)) => named == Some(Format::CommonJs),
            None => false,
        };
        if !may_be_commonjs || self.asset(path).is_some() {
            return String::new();
        }
        let mut names = named_imports::of(&self.importer(from), specifier);
        if names.is_empty() || !self.format(path).is_ok_and(|format| format == Format::CommonJs) {
            return String::new();
        }
        let known = self.all_exports(path);
        names.retain(|name| !known.contains(name));
        if names.is_empty() {
            return String::new();
        }
        let names: Vec<_> = names.into_iter().collect();
        format!("{WANTED}{}", names.join(","))
    }

    /// Returns the source of the ES module by which others import a CommonJS module. It runs the CommonJS module and exports the
    /// same names.
    pub(super) fn commonjs_facade(&self, path: &Path, fragment: Option<&str>) -> String {
        let mut names = (*self.all_exports(path)).clone();
        let wanted = fragment.and_then(|fragment| fragment.strip_prefix(&WANTED[1..])).unwrap_or_default();
        names.extend(wanted.split(',').filter(|name| named_imports::is_identifier(name)).map(str::to_owned));
        names.remove("default");
        names.remove("module.exports");
        let names: Vec<_> = names.iter().map(|name| literal(name)).collect();
        let mut facade = format!(
            "import {{ evaluate }} from {}; const $ = evaluate({}, [{}]); const $_ = $.default; \
             export {{ $_ as default, $_ as \"module.exports\" }};",
            literal(COMMONJS),
            literal(&path.display().to_string()),
            names.join(", ")
        );
        for (number, name) in names.iter().enumerate() {
            facade.push_str(&format!(" const $_{number} = $[{name}]; export {{ $_{number} as {name} }};"));
        }
        facade + END_OF_FACADE
    }

    /// Returns the names that a module exports, its own and those of modules that it exports again, as far as source texts show
    /// them.
    fn all_exports(&self, path: &Path) -> Rc<BTreeSet<String>> {
        if let Some(known) = self.exports.borrow().get(path) {
            return known.clone();
        }
        let mut names = BTreeSet::new();
        self.collect_exports(path, &mut names, &mut BTreeSet::new());
        let names = Rc::new(names);
        self.exports.borrow_mut().insert(path.to_owned(), names.clone());
        names
    }

    fn collect_exports(&self, path: &Path, names: &mut BTreeSet<String>, visited: &mut BTreeSet<PathBuf>) {
        // If the file cannot be read, `require()` reports that.
        let Ok(code) = self.code(path) else { return };
        if code.format != Format::CommonJs || !visited.insert(path.to_owned()) {
            return;
        }
        let exports = self.own_exports(path, &code.text);
        names.extend(exports.names);
        for specifier in exports.from {
            if let Ok(Found::File { path, .. }) = self.resolver.find(&specifier, path, Importer::CommonJs)
                && format::of_name(&path).is_some()
            {
                self.collect_exports(&path, names, visited);
            }
        }
    }
}

impl RequireHost for Modules {
    fn resolve(&self, specifier: &str, from: &str) -> Result<String, JsErrorBox> {
        let from = Path::new(from);
        match self.resolver.find(specifier, from, Importer::CommonJs) {
            Ok(Found::File { path, .. }) => Ok(path.display().to_string()),
            Ok(Found::Builtin(name)) => Ok(name.to_owned()),
            Ok(Found::SiteManifest) => Ok(self.root.path().join(SITE_MANIFEST).display().to_string()),
            Ok(Found::LeftOut) => Ok(String::new()),
            Err(error) => {
                let mut text = error.to_string();
                self.root.point_at_import(&mut text, from, specifier);
                Err(JsErrorBox::generic(text))
            }
        }
    }

    fn kind(&self, file: &str) -> Result<RequiredKind, JsErrorBox> {
        let path = Path::new(file);
        if self.site_manifest(path).is_some() {
            return Ok(RequiredKind::Text);
        }
        if let Some(kind) = self.asset(path) {
            self.loads_asset(path);
            return Ok(kind);
        }
        match self.format(path).map_err(JsErrorBox::from_err)? {
            Format::CommonJs => Ok(RequiredKind::CommonJs),
            Format::Module => Ok(RequiredKind::Module),
        }
    }

    fn text(&self, file: &str) -> Result<String, JsErrorBox> {
        let path = Path::new(file);
        if let Some(manifest) = self.site_manifest(path) {
            return Ok(manifest.to_owned());
        }
        match self.asset(path) {
            Some(RequiredKind::Json) => assets::json(&self.root, path).map_err(JsErrorBox::from_err),
            Some(_) => self.root.text(path).map_err(JsErrorBox::from_err),
            None => Ok(self.code(path).map_err(JsErrorBox::from_err)?.text),
        }
    }

    fn bytes(&self, file: &str) -> Result<Vec<u8>, JsErrorBox> {
        let path = Path::new(file);
        match self.asset(path) {
            Some(RequiredKind::Wasm) => assets::wasm(&self.root, path).map_err(JsErrorBox::from_err),
            _ => self.root.bytes(path).map_err(JsErrorBox::from_err),
        }
    }

    fn url(&self, file: &str) -> Result<String, JsErrorBox> {
        self.root.url(Path::new(file)).map(String::from).map_err(JsErrorBox::from_err)
    }

    fn loaded_count(&self) -> usize {
        self.count()
    }

    fn loaded(&self) -> Result<(String, Vec<String>), JsErrorBox> {
        let folder = self.folder().map_err(JsErrorBox::from_err)?;
        let urls = Modules::loaded(self).into_iter().filter_map(|path| self.root.url(&path).ok());
        let relative = urls.filter_map(|url| url.path().strip_prefix(folder.path()).map(str::to_owned));
        Ok((folder.path().to_owned(), relative.collect()))
    }

    fn loaded_bytes(&self, module: &str) -> Result<Vec<u8>, JsErrorBox> {
        let folder = self.folder().map_err(JsErrorBox::from_err)?;
        // Without the dot, a name may begin as an absolute URL does.
        let url = folder.join(&format!("./{module}")).map_err(JsErrorBox::from_err)?;
        let path = url.to_file_path().map_err(|()| JsErrorBox::generic("the module has no path"))?;
        if !self.has_loaded(&path) {
            return Err(JsErrorBox::generic("no such module has been loaded"));
        }
        self.root.bytes(&path).map_err(JsErrorBox::from_err)
    }
}
