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

/// The module through which Workers apps get their base class.
const WORKERS_MODULE: &str = "cloudflare:workers";
const WORKERS_SOURCE: &str = "\
export class WorkerEntrypoint { constructor(ctx, env) { this.ctx = ctx; this.env = env; } }\n";

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

    fn read(&self, specifier: &ModuleSpecifier) -> Result<(PathBuf, String), ModuleLoaderError> {
        let shown = self.display(specifier.as_str());
        let path = specifier
            .to_file_path()
            .map_err(|()| JsErrorBox::type_error(format!("{shown:?} is not a path of this machine")))?;
        let path = path.canonicalize().map_err(|error| self.unreadable(shown, &path, &error))?;
        if !path.starts_with(&self.root) {
            return Err(JsErrorBox::type_error(format!(
                "{shown:?} is outside the app's folder; an app may only import files inside it (symlinks included)"
            )));
        }
        let source = fs::read_to_string(&path).map_err(|error| self.unreadable(shown, &path, &error))?;
        Ok((path, source))
    }

    fn unreadable(&self, shown: &str, path: &Path, error: &io::Error) -> ModuleLoaderError {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => self.suggestion(path),
            io::ErrorKind::InvalidData => "; the file is not UTF-8 text".to_owned(),
            _ => format!(": {error}"),
        };
        JsErrorBox::type_error(match error.kind() {
            io::ErrorKind::NotFound => format!("there is no file {shown:?} in the app's folder{hint}"),
            _ => format!("cannot read {shown:?}{hint}"),
        })
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

impl ModuleLoader for AppLoader {
    fn resolve(&self, specifier: &str, referrer: &str, _kind: ResolutionKind) -> ModuleResolveResponse {
        let from = || self.display(referrer).to_owned();
        if specifier == WORKERS_MODULE {
            return ModuleSpecifier::parse(specifier).map_err(JsErrorBox::from_err);
        }
        let resolved = resolve_import(specifier, referrer).map_err(|_| {
            JsErrorBox::type_error(format!(
                "cannot import {specifier:?} from {}: imports must be relative paths such as \"./{specifier}.js\"; \
                 packages must be bundled into the app's folder",
                from()
            ))
        })?;
        if resolved.scheme() != "file" {
            return Err(JsErrorBox::type_error(format!(
                "cannot import {specifier:?} from {}: only files inside the app's folder can be imported",
                from()
            )));
        }
        let inside = resolved.to_file_path().is_ok_and(|path| path.starts_with(&self.root));
        if !inside {
            return Err(JsErrorBox::type_error(format!(
                "cannot import {specifier:?} from {}: the path leaves the app's folder",
                from()
            )));
        }
        Ok(resolved)
    }

    fn load(
        &self,
        specifier: &ModuleSpecifier,
        _referrer: Option<&ModuleLoadReferrer>,
        options: ModuleLoadOptions,
    ) -> ModuleLoadResponse {
        if specifier.as_str() == WORKERS_MODULE {
            let code = ModuleSourceCode::String(WORKERS_SOURCE.to_owned().into());
            return ModuleLoadResponse::Sync(Ok(ModuleSource::new(
                ModuleType::JavaScript,
                code,
                specifier,
                None,
            )));
        }
        let loaded = self.read(specifier).and_then(|(path, source)| {
            let shown = self.display(specifier.as_str());
            let kind = match path.extension().and_then(|extension| extension.to_str()) {
                Some("js" | "mjs") => ModuleType::JavaScript,
                Some("json") if options.requested_module_type == RequestedModuleType::Json => {
                    ModuleType::Json
                }
                Some("json") => {
                    return Err(JsErrorBox::type_error(format!(
                        "{shown:?} is JSON: import it with {{ type: \"json\" }}, \
                         as in `import data from \"./{shown}\" with {{ type: \"json\" }}`"
                    )));
                }
                _ => {
                    return Err(JsErrorBox::type_error(format!(
                        "{shown:?} cannot be imported: only .js, .mjs and .json files can"
                    )));
                }
            };
            Ok(ModuleSource::new(kind, ModuleSourceCode::String(source.into()), specifier, None))
        });
        ModuleLoadResponse::Sync(loaded)
    }
}
