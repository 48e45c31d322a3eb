//! Errors for imports that cannot be resolved, with a suggestion where there is one.

use std::fs;
use std::path::{Path, PathBuf};

use oxc_resolver::ResolveError;

use super::bundlers;
use super::error::{ImportError, ImportRefusal};
use super::root::Root;
use crate::builtins::SITE_MANIFEST;

/// An import that cannot be resolved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Missing<'a> {
    pub(super) root: &'a Root,
    pub(super) specifier: &'a str,
    /// The file that imports.
    pub(super) from: &'a Path,
}

impl Missing<'_> {
    /// A relative path that leaves the folder.
    pub(super) fn outside(&self) -> ImportError {
        self.because(ImportRefusal::OutsideFolder)
    }

    /// A package that is a symlink to elsewhere.
    pub(super) fn linked(&self, to: &Path) -> ImportError {
        self.because(ImportRefusal::OutsidePackage(to.to_owned()))
    }

    /// A specifier with a scheme that is not for files.
    pub(super) fn scheme(&self) -> ImportError {
        let scheme = self.specifier.split(':').next().unwrap_or_default();
        self.because(match scheme {
            "node" => absent(self.specifier),
            "npm" | "jsr" => ImportRefusal::PackageScheme(scheme.to_owned()),
            _ if bundlers::makes(self.specifier) => ImportRefusal::NeedsBuild,
            _ => ImportRefusal::UnknownScheme,
        })
    }

    /// A relative path at which there is no file.
    pub(super) fn file(&self, path: &Path) -> ImportError {
        let folder = path.parent().filter(|folder| self.root.real(folder).is_ok());
        let similar = folder.and_then(|folder| similar(path, folder));
        let similar = similar.map(|name| self.root.shown(&path.with_file_name(name)));
        ImportError::NoFile { file: self.root.shown(path), similar }
    }

    /// A bare name that does not lead to a module of a package.
    pub(super) fn package(&self, is_node_builtin: impl FnOnce() -> bool) -> ImportError {
        let name = package_name(self.specifier);
        if let Some(folder) = self.installed(name) {
            let real = folder.canonicalize().unwrap_or_default();
            if !self.root.contains(&real) {
                return self.linked(&real);
            }
            let shown = self.root.shown(&folder);
            let path = self.specifier.strip_prefix(name).filter(|path| !path.is_empty());
            return self.because(match path {
                Some(path) => ImportRefusal::NoFileInPackage { path: path.to_owned(), folder: shown },
                None => ImportRefusal::NoEntry(shown),
            });
        }
        if is_node_builtin() {
            return self.because(absent(self.specifier));
        }
        if bundlers::makes(self.specifier) {
            return self.because(ImportRefusal::NeedsBuild);
        }
        if name == SITE_MANIFEST {
            return self.because(ImportRefusal::OfWorkersSite);
        }
        if name.starts_with('#') || name.starts_with("@/") || name.starts_with("~") {
            return self.because(ImportRefusal::UndefinedName);
        }
        self.because(ImportRefusal::NotInstalled {
            package: name.to_owned(),
            specifier: self.specifier.to_owned(),
        })
    }

    /// Any other error of the resolver.
    pub(super) fn explain(&self, error: ResolveError) -> ImportError {
        let reason = match &error {
            ResolveError::PackagePathNotExported { subpath, package_json_path, .. } => {
                ImportRefusal::NotExported {
                    subpath: subpath.clone(),
                    package_json: self.root.shown(package_json_path),
                    source: Box::new(error),
                }
            }
            ResolveError::PackageImportNotDefined(name, package_json) => ImportRefusal::NotInImports {
                name: name.clone(),
                package_json: self.root.shown(package_json),
                source: Box::new(error),
            },
            ResolveError::Json(json) => {
                ImportRefusal::InvalidJson { file: self.root.shown(&json.path), json: json.clone() }
            }
            other => {
                let inside = format!("{}/", self.root.path().display());
                let text = other.to_string().replace(&inside, "");
                ImportRefusal::Resolver { text, source: Box::new(error) }
            }
        };
        self.because(reason)
    }

    fn because(&self, reason: ImportRefusal) -> ImportError {
        ImportError::Refused {
            specifier: self.specifier.to_owned(),
            importer: self.root.shown(self.from),
            reason: Box::new(reason),
        }
    }

    /// The folder of a package: Node.js looks in `node_modules` of each folder above the importer.
    fn installed(&self, name: &str) -> Option<PathBuf> {
        let folders = self.from.ancestors().skip(1).take_while(|folder| self.root.contains(folder));
        folders
            .map(|folder| folder.join("node_modules").join(name))
            .find(|folder| fs::symlink_metadata(folder).is_ok())
    }
}

/// A name of a module of Node.js that there is not. Every module of Node.js that Workers have is there.
fn absent(specifier: &str) -> ImportRefusal {
    ImportRefusal::NoBuiltin { name: specifier.trim_start_matches("node:").to_owned() }
}

/// The name of the package in a bare specifier.
fn package_name(specifier: &str) -> &str {
    let parts = if specifier.starts_with('@') { 2 } else { 1 };
    let end = specifier.match_indices('/').nth(parts - 1).map_or(specifier.len(), |(at, _)| at);
    &specifier[..end]
}

/// A file of `folder` whose name differs from that of `path` only in its case or its extension.
fn similar(path: &Path, folder: &Path) -> Option<String> {
    let stem = |name: &str| Path::new(name).file_stem()?.to_str().map(str::to_lowercase);
    let wanted = stem(path.file_name()?.to_str()?)?;
    let entries = fs::read_dir(folder).ok()?;
    let mut names: Vec<_> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| stem(name).as_ref() == Some(&wanted))
        .collect();
    names.sort();
    names.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_package_is_cut_from_a_specifier() {
        for (specifier, name) in [
            ("hono", "hono"),
            ("hono/tiny", "hono"),
            ("@scope/name/a/b", "@scope/name"),
            ("@scope", "@scope"),
            ("@", "@"),
        ] {
            assert_eq!(package_name(specifier), name);
        }
    }
}
