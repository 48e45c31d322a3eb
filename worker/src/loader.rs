//! Modules from the app's folder, and never from outside it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use deno_core::error::ModuleLoaderError;
use deno_core::{
    ModuleLoadOptions, ModuleLoadReferrer, ModuleLoadResponse, ModuleLoader, ModuleResolveResponse,
    ModuleSource, ModuleSourceCode, ModuleSpecifier, ModuleType, RequestedModuleType, ResolutionKind,
    resolve_import,
};
use deno_error::JsErrorBox;

use crate::{builtins, load_error};

/// Loads ES and JSON modules by relative import.
#[derive(Debug)]
pub(crate) struct AppLoader {
    /// Absolute, without symlinks.
    root: PathBuf,
}

impl AppLoader {
    /// A loader for the app in `root`, an absolute path without symlinks.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// How people call a module: its path inside the folder.
    fn display<'a>(&self, specifier: &'a str) -> &'a str {
        let root = ModuleSpecifier::from_directory_path(&self.root);
        root.ok().and_then(|root| specifier.strip_prefix(root.as_str())).unwrap_or(specifier)
    }

    fn read(&self, specifier: &ModuleSpecifier) -> Result<(PathBuf, String), String> {
        let shown = self.display(specifier.as_str());
        let path =
            specifier.to_file_path().map_err(|()| format!("{shown:?} is not a path of this machine"))?;
        let path = path.canonicalize().map_err(|error| self.unreadable(shown, &path, &error))?;
        if !path.starts_with(&self.root) {
            return Err(format!(
                "{shown:?} is outside the app's folder; an app may only import files inside it (symlinks included)"
            ));
        }
        let source = fs::read_to_string(&path).map_err(|error| self.unreadable(shown, &path, &error))?;
        Ok((path, source))
    }

    fn unreadable(&self, shown: &str, path: &Path, error: &io::Error) -> String {
        match error.kind() {
            io::ErrorKind::NotFound => {
                format!("there is no file {shown:?} in the app's folder{}", self.suggestion(path))
            }
            io::ErrorKind::InvalidData => format!("cannot read {shown:?}; the file is not UTF-8 text"),
            _ => format!("cannot read {shown:?}: {error}"),
        }
    }

    /// The commonest mistake is a missing extension.
    fn suggestion(&self, path: &Path) -> String {
        for extension in ["js", "mjs", "json"] {
            let candidate = path.with_added_extension(extension);
            if candidate.is_file() && candidate.starts_with(&self.root) {
                let name = candidate.strip_prefix(&self.root).unwrap_or(&candidate);
                return format!("; did you mean {:?}?", name.display().to_string());
            }
        }
        String::new()
    }
}

impl AppLoader {
    /// An error that says where the import stands that caused it.
    fn refuse(&self, mut text: String, place: Option<(&ModuleSpecifier, i64, i64)>) -> ModuleLoaderError {
        if let Some((file, line, column)) = place {
            load_error::point_at(&mut text, file, line, column, &self.root);
        }
        JsErrorBox::type_error(text)
    }

    fn check(&self, specifier: &str, referrer: &str) -> Result<ModuleSpecifier, String> {
        let from = self.display(referrer);
        let resolved = resolve_import(specifier, referrer).map_err(|_| {
            format!(
                "cannot import {specifier:?} from {from}: imports must be relative paths such as \"./{specifier}.js\"; \
                 packages must be bundled into the app's folder"
            )
        })?;
        if resolved.scheme() != "file" {
            return Err(format!(
                "cannot import {specifier:?} from {from}: only files inside the app's folder can be imported"
            ));
        }
        let inside = resolved.to_file_path().is_ok_and(|path| path.starts_with(&self.root));
        if !inside {
            return Err(format!("cannot import {specifier:?} from {from}: the path leaves the app's folder"));
        }
        Ok(resolved)
    }

    fn source(
        &self,
        specifier: &ModuleSpecifier,
        requested: &RequestedModuleType,
    ) -> Result<(ModuleType, String), String> {
        let (path, source) = self.read(specifier)?;
        let shown = self.display(specifier.as_str());
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("js" | "mjs") => Ok((ModuleType::JavaScript, builtins::with_env(source))),
            Some("json") if *requested == RequestedModuleType::Json => {
                // V8 would not say which file it is.
                let checked = serde_json::from_str::<serde_json::Value>(&source);
                checked.map(|_| (ModuleType::Json, source)).map_err(|error| {
                    let (line, column) = (error.line() as i64, error.column() as i64);
                    let mut text = format!("{shown:?} is not valid JSON: {error}");
                    load_error::point_at(&mut text, specifier, line, column, &self.root);
                    text
                })
            }
            Some("json") => Err(format!(
                "{shown:?} is JSON: import it with {{ type: \"json\" }}, \
                 as in `import data from \"./{shown}\" with {{ type: \"json\" }}`"
            )),
            _ => Err(format!("{shown:?} cannot be imported: only .js, .mjs and .json files can")),
        }
    }
}

impl ModuleLoader for AppLoader {
    fn resolve(&self, specifier: &str, referrer: &str, _kind: ResolutionKind) -> ModuleResolveResponse {
        if let Some(name) = builtins::canonical(specifier) {
            return ModuleSpecifier::parse(name).map_err(JsErrorBox::from_err);
        }
        self.check(specifier, referrer).map_err(|text| {
            let file = ModuleSpecifier::parse(referrer).ok();
            let place = file.as_ref().and_then(|file| {
                let (line, column) = load_error::find_import(file, specifier)?;
                Some((file, line, column))
            });
            self.refuse(text, place)
        })
    }

    fn should_load_synthetic_esm(&self, _specifier: &str) -> bool {
        // Otherwise a dynamic import runs the app's promises before it returns.
        true
    }

    fn load(
        &self,
        specifier: &ModuleSpecifier,
        referrer: Option<&ModuleLoadReferrer>,
        options: ModuleLoadOptions,
    ) -> ModuleLoadResponse {
        let source = match builtins::source(specifier.as_str()) {
            Some(text) => Ok((ModuleType::JavaScript, text.to_owned())),
            None => self.source(specifier, &options.requested_module_type),
        };
        ModuleLoadResponse::Sync(match source {
            Ok((kind, source)) => {
                Ok(ModuleSource::new(kind, ModuleSourceCode::String(source.into()), specifier, None))
            }
            Err(text) => {
                let place = referrer.map(|from| (&from.specifier, from.line_number, from.column_number));
                Err(self.refuse(text, place))
            }
        })
    }
}
