//! Loads the modules of an app: from its folder and the packages in it, never from outside.
//!
//! # Layout
//! - [`root`]: the folder, and which files in it may be read.
//! - [`resolver`]: finds the file of a specifier; [`missing`]: the error message if there is none; [`error`]: all errors.
//! - [`bundlers`]: what only a bundler can import.
//! - [`compiler_options`]: options for TypeScript and JSX, from tsconfig.json or deno.json.
//! - [`rules`]: what files are where the app says so.
//! - [`mod@format`]: the module format of a file.
//! - [`translate`]: translates TypeScript and JSX to JavaScript; [`emit_cache`]: caches the results between starts;
//!   [`code_cache`]: caches V8's compiled code there, too.
//! - [`modules`]: loads files as modules; uses all the others.
//! - [`commonjs`], [`named_imports`]: CommonJS modules as ES modules, and what `require()` needs.
//! - [`requires`]: `require()` in ES modules.
//! - [`assets`]: JSON, text, bytes and WebAssembly; [`facade`]: helpers for the ES modules that wrap them and CommonJS modules.
//! - [`source_maps`]: maps positions in generated code to positions in sources.

mod assets;
mod bundlers;
mod code_cache;
mod commonjs;
mod compiler_options;
mod emit_cache;
mod error;
mod exported;
mod facade;
mod format;
mod missing;
mod modules;
mod named_imports;
mod requires;
mod resolver;
mod root;
mod rules;
mod source_maps;
mod translate;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::pin::Pin;
use std::rc::Rc;

use deno_core::error::ModuleLoaderError;
use deno_core::{
    ModuleLoadOptions, ModuleLoadReferrer, ModuleLoadResponse, ModuleLoader, ModuleResolveResponse,
    ModuleSource, ModuleSourceCode, ModuleSpecifier, ModuleType, ResolutionKind, SourceCodeCacheInfo,
    resolve_import,
};
use deno_error::JsErrorBox;

pub(crate) use emit_cache::EmitCache;
use error::ModuleError;
pub(crate) use error::ReadError;
pub(crate) use modules::Modules;
use resolver::{Found, Importer};

use crate::builtins;

/// An empty module, used in place of modules that their package maps to `false` for browsers.
const LEFT_OUT: &str = "nano:left-out";

/// The module with which the facade of a CommonJS module runs it; see commonjs.js.
const COMMONJS: &str = "nano:commonjs";

/// The [`Modules`] of the app. They are set after the isolate was created.
pub(crate) type LaterModules = Rc<OnceCell<Rc<Modules>>>;

/// [`Modules`] as the module loader of deno_core.
#[derive(Debug)]
pub(crate) struct AppLoader(pub(crate) LaterModules);

impl AppLoader {
    fn modules(&self) -> Result<&Modules, JsErrorBox> {
        self.0.get().map(|modules| &**modules).ok_or_else(|| JsErrorBox::generic("no app has been loaded"))
    }

    fn find(&self, specifier: &str, referrer: &str) -> Result<ModuleSpecifier, JsErrorBox> {
        let modules = self.modules()?;
        let from = ModuleSpecifier::parse(referrer).ok().and_then(|referrer| referrer.to_file_path().ok());
        if specifier == COMMONJS && from.as_ref().is_some_and(|from| modules.is_commonjs(from)) {
            return ModuleSpecifier::parse(COMMONJS).map_err(JsErrorBox::from_err);
        }
        // The entry module is imported by its URL, and has no referrer.
        let from = from.unwrap_or_else(|| modules.root.path().join("."));
        match modules.resolver.find(specifier, &from, Importer::Module) {
            Ok(Found::File { path, mut suffix }) => {
                if !suffix.contains('#') {
                    suffix += &modules.wanted_names(&path, specifier, &from);
                }
                let url = modules.root.url(&path).map_err(JsErrorBox::from_err)?;
                url.join(&suffix).map_err(JsErrorBox::from_err)
            }
            Ok(Found::Builtin(name)) => {
                ModuleSpecifier::parse(&builtins::url(name)).map_err(JsErrorBox::from_err)
            }
            Ok(Found::SiteManifest) => {
                let path = modules.root.path().join(builtins::SITE_MANIFEST);
                modules.root.url(&path).map_err(JsErrorBox::from_err)
            }
            Ok(Found::LeftOut) => ModuleSpecifier::parse(LEFT_OUT).map_err(JsErrorBox::from_err),
            Err(error) => {
                let mut text = error.to_string();
                modules.root.point_at_import(&mut text, &from, specifier);
                Err(JsErrorBox::type_error(text))
            }
        }
    }

    /// Returns the error as JavaScript gets it, with the position of the import that caused it.
    fn refuse(
        modules: &Modules,
        error: ModuleError,
        referrer: Option<&ModuleLoadReferrer>,
    ) -> ModuleLoaderError {
        match error {
            // The text of these errors has a position already.
            ModuleError::Syntax(_) | ModuleError::ImportNeedsBuild(_) => JsErrorBox::from_err(error),
            error => {
                let mut text = error.to_string();
                if let Some(from) = referrer
                    && let Ok(path) = from.specifier.to_file_path()
                {
                    modules.root.point_at(&mut text, &path, from.line_number, from.column_number);
                }
                JsErrorBox::type_error(text)
            }
        }
    }
}

impl ModuleLoader for AppLoader {
    fn resolve(&self, specifier: &str, referrer: &str, _kind: ResolutionKind) -> ModuleResolveResponse {
        self.find(specifier, referrer)
    }

    fn should_load_synthetic_esm(&self, _specifier: &str) -> bool {
        // With `false`, a dynamic import would run the app's microtasks before it returns.
        true
    }

    fn import_meta_resolve(
        &self,
        specifier: &str,
        referrer: &str,
    ) -> Result<ModuleSpecifier, ModuleLoaderError> {
        // For a path or URL, `import.meta.resolve` does not check that the file exists.
        resolve_import(specifier, referrer).or_else(|_| {
            let url = self.find(specifier, referrer)?;
            let builtin = builtins::named_by(url.as_str());
            builtin.map_or(Ok(url), |name| ModuleSpecifier::parse(name).map_err(JsErrorBox::from_err))
        })
    }

    fn load(
        &self,
        specifier: &ModuleSpecifier,
        referrer: Option<&ModuleLoadReferrer>,
        options: ModuleLoadOptions,
    ) -> ModuleLoadResponse {
        let text = match specifier.as_str() {
            // deno_core creates the module from what a script of an extension returns.
            COMMONJS => Some(""),
            LEFT_OUT => Some("export default {};"),
            name => builtins::source(name),
        };
        let source = match text {
            Some(text) => Ok((ModuleType::JavaScript, ModuleSourceCode::String(text.to_owned().into()))),
            None => self.modules().and_then(|modules| {
                let source = modules.source(specifier, &options.requested_module_type);
                source.map_err(|error| Self::refuse(modules, error, referrer))
            }),
        };
        ModuleLoadResponse::Sync(source.map(|(kind, code)| {
            let compiled = match (&kind, &code) {
                (ModuleType::JavaScript, ModuleSourceCode::String(text)) => self
                    .modules()
                    .ok()
                    .and_then(|modules| modules.compiled(specifier.as_str(), text.as_str())),
                _ => None,
            };
            ModuleSource::new(kind, code, specifier, compiled)
        }))
    }

    fn code_cache_ready(
        &self,
        specifier: ModuleSpecifier,
        hash: u64,
        compiled: &[u8],
    ) -> Pin<Box<dyn Future<Output = ()>>> {
        if let Some(modules) = self.0.get() {
            modules.keep_compiled(specifier.as_str(), hash, compiled);
        }
        Box::pin(std::future::ready(()))
    }

    fn get_code_cache(&self, specifier: &ModuleSpecifier, source: &str) -> Option<SourceCodeCacheInfo> {
        self.0.get()?.compiled(specifier.as_str(), source)
    }

    fn get_source_map(&self, file: &str) -> Option<Cow<'_, [u8]>> {
        self.0.get()?.source_maps.of(file).map(Cow::Owned)
    }

    fn load_external_source_map(&self, url: &str) -> Option<Cow<'_, [u8]>> {
        source_maps::external(&self.0.get()?.root, url).map(Cow::Owned)
    }

    fn source_map_source_exists(&self, _source: &str) -> Option<bool> {
        // The source line is always read from that source, so another file name would mislead.
        Some(true)
    }

    fn get_source_mapped_source_line(&self, file: &str, line: usize) -> Option<String> {
        self.0.get()?.root.line(file, line)
    }
}
