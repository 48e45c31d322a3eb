//! Loads files as modules: reads them, finds out their format, and translates TypeScript and JSX.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use deno_core::url::Url;
use deno_core::{
    ModuleCodeBytes, ModuleSourceCode, ModuleSpecifier, ModuleType, RequestedModuleType, SourceCodeCacheInfo,
};
use nano_protocol::message::{ModuleKind, ModuleOptions};
use nano_runtime::RequiredKind;
use rustc_hash::FxHashMap;

use super::assets;
use super::bundlers;
use super::code_cache::CodeCache;
use super::emit_cache::{EmitCache, Key};
use super::error::{ModuleError, ReadError};
use super::exported;
use super::format::{self, Format, Language, PackageTypes, Words};
use super::requires;
use super::resolver::{Importer, Resolver};
use super::root::Root;
use super::rules::Rules;
use super::source_maps::SourceMaps;
use super::translate::{self, Exports, Mistake, Translated, VERSION};
use crate::builtins::{self, SITE_MANIFEST};

/// All modules of one app.
#[derive(Debug)]
pub(crate) struct Modules {
    pub(super) root: Root,
    pub(super) resolver: Resolver,
    pub(super) source_maps: SourceMaps,
    rules: Rules,
    /// What has been loaded that is no code, without what is in `formats`.
    assets: RefCell<BTreeSet<PathBuf>>,
    types: PackageTypes,
    formats: RefCell<FxHashMap<PathBuf, Format>>,
    pub(super) exports: RefCell<FxHashMap<PathBuf, Rc<BTreeSet<String>>>>,
    /// The latest module whose imports were looked at, with its source.
    importer: RefCell<Option<(PathBuf, Rc<str>)>>,
    cache: Option<EmitCache>,
    compiled: CodeCache,
    /// The manifest of a Workers Site.
    site_manifest: Option<String>,
}

/// JavaScript that can run.
#[derive(Debug)]
pub(super) struct Code {
    /// Its module format.
    pub(super) format: Format,
    /// Its source text.
    pub(super) text: String,
}

impl Modules {
    /// Of the app in `root`, an absolute path without symlinks. What is translated is kept in `cache`.
    pub(crate) fn new(root: &Path, options: &ModuleOptions, cache: Option<EmitCache>) -> Self {
        let root = Root::new(root.to_owned());
        Self {
            resolver: Resolver::new(root.clone(), options),
            rules: Rules::new(&options.rules),
            root,
            assets: RefCell::default(),
            source_maps: SourceMaps::default(),
            types: PackageTypes::default(),
            formats: RefCell::default(),
            exports: RefCell::default(),
            importer: RefCell::default(),
            cache,
            compiled: CodeCache::default(),
            site_manifest: None,
        }
    }

    /// Adds the manifest of a Workers Site, if the app is one.
    pub(crate) fn with_site(mut self, manifest: Option<&str>) -> Self {
        self.resolver.has_site = manifest.is_some();
        self.site_manifest = manifest.map(str::to_owned);
        self
    }

    /// The manifest of a Workers Site, if `path` stands for it. No file does.
    pub(super) fn site_manifest(&self, path: &Path) -> Option<&str> {
        let manifest = self.site_manifest.as_deref()?;
        (path.strip_prefix(self.root.path()) == Ok(Path::new(SITE_MANIFEST))).then_some(manifest)
    }

    /// Returns the contents of a file that the wrangler file names, by its path relative to the folder.
    pub(crate) fn blob(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        let path = self.root.real(&self.root.path().join(path))?;
        self.loads_asset(&path);
        self.root.bytes(&path)
    }

    /// Returns whether an entry module, by its path relative to the folder, is no ES module, adds listeners and exports nothing, as
    /// bundlers have written apps of the service worker format.
    pub(crate) fn is_listening_script(&self, entry: &Path) -> bool {
        let path = self.root.path().join(entry);
        if !self.is_commonjs(&path) {
            return false;
        }
        let (Ok(text), Ok(url)) = (self.root.text(&path), self.root.url(&path)) else { return false };
        let exports = || Ok::<_, Infallible>(exported::are_in(&url, &text));
        text.contains("addEventListener")
            && !self.kept(&format!("exported {url}"), &[&text], exports).unwrap_or(false)
    }

    /// The URL of the app's folder.
    pub(crate) fn folder(&self) -> Result<Url, ReadError> {
        let path = self.root.path();
        Url::from_directory_path(path).map_err(|()| ReadError::NotAbsolute(path.to_owned()))
    }

    /// Drops the caches that are only needed while an app loads. They fill again when they are needed.
    pub(crate) fn release(&self) {
        self.resolver.clear();
        self.types.clear();
        self.exports.take();
        self.importer.take();
    }

    /// The bytecode that an earlier start kept for this source.
    pub(super) fn compiled(&self, name: &str, source: &str) -> Option<SourceCodeCacheInfo> {
        self.compiled.find(self.cache.as_ref()?, name, source)
    }

    /// Keeps bytecode for the next start.
    pub(super) fn keep_compiled(&self, name: &str, hash: u64, compiled: &[u8]) {
        if let Some(cache) = &self.cache {
            self.compiled.keep(cache, name, hash, compiled);
        }
    }

    /// The source of a module for V8, imported as this type.
    pub(super) fn source(
        &self,
        url: &ModuleSpecifier,
        requested: &RequestedModuleType,
    ) -> Result<(ModuleType, ModuleSourceCode), ModuleError> {
        let path = url.to_file_path().map_err(|()| ModuleError::NotAPath(url.to_string()))?;
        let text = |text: String| ModuleSourceCode::String(text.into());
        if let Some(manifest) = self.site_manifest(&path) {
            return Ok((ModuleType::JavaScript, text(assets::text_facade(manifest))));
        }
        if *requested != RequestedModuleType::None {
            self.loads_asset(&path);
        }
        Ok(match requested {
            RequestedModuleType::None => {
                (ModuleType::JavaScript, text(self.javascript(&path, url.fragment())?))
            }
            RequestedModuleType::Json => (ModuleType::Json, text(assets::json(&self.root, &path)?)),
            RequestedModuleType::Text => (ModuleType::Text, text(self.root.text(&path)?)),
            RequestedModuleType::Bytes => {
                let bytes = ModuleCodeBytes::Boxed(self.root.bytes(&path)?.into());
                (ModuleType::Bytes, ModuleSourceCode::Bytes(bytes))
            }
            RequestedModuleType::Other(name) => {
                let (file, requested) = (self.root.shown(&path), name.to_string());
                return Err(ModuleError::UnknownType { file, requested });
            }
        })
    }

    fn javascript(&self, path: &Path, fragment: Option<&str>) -> Result<String, ModuleError> {
        if let Some(kind) = self.asset(path) {
            self.loads_asset(path);
            return assets::facade(&self.root, path, kind);
        }
        let code = self.code(path)?;
        Ok(match code.format {
            Format::Module => builtins::with_env(self.with_require(path, code.text)?),
            Format::CommonJs => self.commonjs_facade(path, fragment),
        })
    }

    /// Adds `require` to an ES module that calls it.
    fn with_require(&self, path: &Path, text: String) -> Result<String, ModuleError> {
        if !requires::may_be_in(&text) {
            return Ok(text);
        }
        let url = self.root.url(path)?;
        let is_called = || Ok::<_, Infallible>(requires::are_in(&url, &text));
        let is_called = self.kept(&format!("require {url}"), &[&text], is_called);
        Ok(if is_called.unwrap_or(false) { requires::declared(text) } else { text })
    }

    /// What a file is if it is not code: by the rules of the app, or by its name.
    pub(super) fn asset(&self, path: &Path) -> Option<RequiredKind> {
        match self.rule(path) {
            Some(ModuleKind::Text) => Some(RequiredKind::Text),
            Some(ModuleKind::Data) => Some(RequiredKind::Bytes),
            Some(ModuleKind::Wasm) => Some(RequiredKind::Wasm),
            Some(ModuleKind::Code) => None,
            None => assets::kind(path),
        }
    }

    pub(super) fn loads_asset(&self, path: &Path) {
        if !self.has_loaded(path) {
            self.assets.borrow_mut().insert(path.to_owned());
        }
    }

    /// How many files have been loaded as modules.
    pub(super) fn count(&self) -> usize {
        self.formats.borrow().len() + self.assets.borrow().len()
    }

    /// Whether a file has been loaded as a module.
    pub(super) fn has_loaded(&self, path: &Path) -> bool {
        self.formats.borrow().contains_key(path) || self.assets.borrow().contains(path)
    }

    /// The files that have been loaded as modules.
    pub(super) fn loaded(&self) -> BTreeSet<PathBuf> {
        self.formats.borrow().keys().chain(&*self.assets.borrow()).cloned().collect()
    }

    fn rule(&self, path: &Path) -> Option<ModuleKind> {
        self.rules.kind(path.strip_prefix(self.root.path()).unwrap_or(path))
    }

    /// The source of a module that imports: read once for all that it imports.
    pub(super) fn importer(&self, path: &Path) -> Rc<str> {
        if let Some((latest, source)) = &*self.importer.borrow()
            && latest == path
        {
            return source.clone();
        }
        let source: Rc<str> = self.root.text(path).unwrap_or_default().into();
        *self.importer.borrow_mut() = Some((path.to_owned(), source.clone()));
        source
    }

    /// Whether a file is known to be a CommonJS module.
    pub(super) fn is_commonjs(&self, path: &Path) -> bool {
        self.formats.borrow().get(path) == Some(&Format::CommonJs)
    }

    /// The format of a file of code.
    pub(super) fn format(&self, path: &Path) -> Result<Format, ModuleError> {
        let known = self.formats.borrow().get(path).copied();
        known.map_or_else(|| self.code(path).map(|code| code.format), Ok)
    }

    /// A file of code as JavaScript.
    pub(super) fn code(&self, path: &Path) -> Result<Code, ModuleError> {
        let by_rule = || (self.rule(path) == Some(ModuleKind::Code)).then_some((Language::JavaScript, None));
        let Some((language, named)) = format::of_name(path).or_else(by_rule) else {
            return Err(self.not_a_module(path));
        };
        let text = self.root.text(path)?;
        self.check_dynamic_imports(path, &text)?;
        let known = self.formats.borrow().get(path).copied().or(named);
        let code = match language {
            Language::JavaScript => {
                Code { format: known.map_or_else(|| self.javascript_format(path, &text), Ok)?, text }
            }
            Language::Translated => self.translated(path, &text, known)?,
        };
        self.formats.borrow_mut().insert(path.to_owned(), code.format);
        self.assets.borrow_mut().remove(path);
        Ok(code)
    }

    /// Checks that the app does not wait for a request to import what cannot be imported.
    fn check_dynamic_imports(&self, path: &Path, text: &str) -> Result<(), ModuleError> {
        if self.root.is_in_package(path) {
            return Ok(());
        }
        for specifier in bundlers::dynamic_imports(&self.root.url(path)?, text) {
            // tsconfig.json may map the name.
            if let Err(error) = self.resolver.find(&specifier, path, Importer::Module) {
                let mut text = error.to_string();
                self.root.point_at_import(&mut text, path, &specifier);
                return Err(ModuleError::ImportNeedsBuild(text));
            }
        }
        Ok(())
    }

    fn javascript_format(&self, path: &Path, text: &str) -> Result<Format, ReadError> {
        let words = format::words(text, self.root.is_in_package(path));
        if words == Words::Are(Format::Module) || self.types.is_module(&self.root, path) {
            return Ok(Format::Module);
        }
        let Words::Mixed = words else { return Ok(Format::CommonJs) };
        let url = self.root.url(path)?;
        self.kept(&format!("format {url}"), &[text], || {
            // V8 reports the error of a text that does not parse, in either format.
            Ok(translate::format_of(&url, text).unwrap_or(Format::Module))
        })
    }

    fn translated(&self, path: &Path, text: &str, known: Option<Format>) -> Result<Code, ModuleError> {
        let options = self.resolver.compiler_options()?;
        let known = known.or_else(|| self.types.is_module(&self.root, path).then_some(Format::Module));
        let url = self.root.url(path)?;
        let made_of = format!("{known:?} {:?}", options.transpile);
        let translate = || translate::translate(&url, text, known, &options.transpile);
        let translated: Translated = self
            .kept(&format!("code {url}"), &[&made_of, text], translate)
            .map_err(|mistake| self.mistake(path, mistake))?;
        self.source_maps.add(&url, translated.source_map);
        Ok(Code { format: translated.format, text: translated.code })
    }

    /// The exports that can be read off the text of a CommonJS module.
    pub(super) fn own_exports(&self, path: &Path, code: &str) -> Exports {
        let Ok(url) = self.root.url(path) else { return Exports::default() };
        let name = format!("exports {url}");
        self.kept(&name, &[code], || Ok::<_, Infallible>(translate::exports_of(&url, code)))
            .unwrap_or_default()
    }

    /// The cached value for `name`, or a new one, which is cached.
    fn kept<T: serde::Serialize + serde::de::DeserializeOwned, E>(
        &self,
        name: &str,
        made_of: &[&str],
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let Some(cache) = &self.cache else { return make() };
        let parts: Vec<_> = [VERSION, deno_ast::VERSION].iter().chain(made_of).copied().collect();
        let key = Key::of(&parts);
        if let Some(kept) = cache.get(name, &key) {
            return Ok(kept);
        }
        let made = make()?;
        cache.put(name, &key, &made);
        Ok(made)
    }

    fn mistake(&self, path: &Path, mistake: Mistake) -> ModuleError {
        let mut text = mistake.message;
        match mistake.place {
            Some((line, column)) => self.root.point_at(&mut text, path, line, column),
            None => text = format!("{}: {text}", self.root.shown(path)),
        }
        ModuleError::Syntax(text)
    }

    fn not_a_module(&self, path: &Path) -> ModuleError {
        let file = self.root.shown(path);
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("node") => ModuleError::NativeAddOn(file),
            _ if bundlers::compiles(path) => ModuleError::NeedsBuild(file),
            _ => ModuleError::NotAModule(file),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::loader::emit_cache::tests::at;

    const SOURCE: &str = "export const a: number = 1;";

    /// An app of one file and where its emits are kept.
    fn app(name: &str, text: &str) -> (tempfile::TempDir, PathBuf, String) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("app");
        fs::create_dir(&root).unwrap();
        fs::write(root.join(name), text).unwrap();
        let cache = folder.path().join("cache").to_str().unwrap().to_owned();
        (folder, root, cache)
    }

    /// The one file of the cache.
    fn kept(cache: &str) -> PathBuf {
        let files: Vec<_> = fs::read_dir(cache).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }

    fn code(root: &Path, cache: &str, name: &str) -> Code {
        Modules::new(root, &ModuleOptions::default(), Some(at(Path::new(cache))))
            .code(&root.join(name))
            .unwrap()
    }

    #[test]
    fn a_translation_is_taken_from_the_cache_until_its_source_or_its_options_change() {
        let (_folder, root, cache) = app("a.ts", SOURCE);
        assert_eq!(code(&root, &cache, "a.ts").text, "export const a = 1;\n");
        let first = fs::read(kept(&cache)).unwrap();
        // Something else under the same key, which only the cache can know.
        let modules = Modules::new(&root, &ModuleOptions::default(), Some(at(Path::new(&cache))));
        let options = modules.resolver.compiler_options().unwrap();
        let made_of = format!("None {:?}", options.transpile);
        let key = Key::of(&[VERSION, deno_ast::VERSION, &made_of, SOURCE]);
        let url = modules.root.url(&root.join("a.ts")).unwrap();
        let planted = Translated { format: Format::Module, code: "planted".into(), source_map: "map".into() };
        modules.cache.as_ref().unwrap().put(&format!("code {url}"), &key, &planted);
        assert_eq!(modules.code(&root.join("a.ts")).unwrap().text, "planted");
        assert_eq!(modules.source_maps.of(url.as_str()).unwrap(), b"map");

        fs::write(root.join("tsconfig.json"), r#"{ "compilerOptions": { "verbatimModuleSyntax": true } }"#)
            .unwrap();
        assert_eq!(code(&root, &cache, "a.ts").text, "export const a = 1;\n");
        fs::remove_file(root.join("tsconfig.json")).unwrap();
        assert_eq!(code(&root, &cache, "a.ts").text, "export const a = 1;\n");
        assert_eq!(fs::read(kept(&cache)).unwrap(), first);
        fs::write(root.join("a.ts"), "export const a: number = 2;").unwrap();
        assert_eq!(code(&root, &cache, "a.ts").text, "export const a = 2;\n");
    }

    #[test]
    fn a_damaged_or_unwritable_cache_is_no_cache() {
        let (_folder, root, cache) = app("a.ts", SOURCE);
        assert_eq!(code(&root, &cache, "a.ts").text, "export const a = 1;\n");
        let file = kept(&cache);
        let whole = fs::read(&file).unwrap();
        for damaged in [&whole[..whole.len() / 2], b"", b"something else"] {
            fs::write(&file, damaged).unwrap();
            assert_eq!(code(&root, &cache, "a.ts").text, "export const a = 1;\n");
            assert_eq!(fs::read(&file).unwrap(), whole);
        }
        let inside_a_file = format!("{}/x", file.display());
        assert_eq!(code(&root, &inside_a_file, "a.ts").text, "export const a = 1;\n");
    }

    #[test]
    fn a_file_that_is_loaded_in_two_ways_is_one_file() {
        let (_folder, root, _) = app("a.js", "export const a = 1;");
        let (path, other) = (root.join("a.js"), root.join("b.js"));
        fs::write(&other, "").unwrap();
        let modules = Modules::new(&root, &ModuleOptions::default(), None);
        modules.code(&path).unwrap();
        modules.loads_asset(&path);
        modules.loads_asset(&other);
        modules.code(&other).unwrap();
        assert_eq!(modules.loaded(), BTreeSet::from([path, other]));
        assert_eq!(modules.count(), 2);
    }

    #[test]
    fn what_needs_no_work_is_not_kept() {
        let (_folder, root, cache) = app("a.js", "export const a = 1;");
        assert_eq!(code(&root, &cache, "a.js").format, Format::Module);
        assert!(fs::read_dir(&cache).is_err());
        fs::write(root.join("b.js"), "exports.a = async () => await 1;").unwrap();
        assert_eq!(code(&root, &cache, "b.js").format, Format::CommonJs);
        kept(&cache);
    }
}
