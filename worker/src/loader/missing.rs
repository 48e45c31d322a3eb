//! What is said when a specifier names nothing that can be loaded.

use std::fs;
use std::path::{Path, PathBuf};

use oxc_resolver::ResolveError;

use super::root::Root;

/// Why modules of Node.js are not there, by the first part of their names.
const ABSENT: [(&[&str], &str); 6] = [
    (&["fs"], "an app has no access to files; import what it needs, as in `import text from \"./file.txt\"`"),
    (&["child_process", "cluster", "worker_threads"], "an app cannot start processes or threads"),
    (&["net", "tls", "dgram", "dns"], "an app opens connections with fetch()"),
    (
        &["http", "https", "http2"],
        "requests come to the fetch handler of `export default { fetch }`, and go out with fetch()",
    ),
    (&["os", "tty", "readline", "repl"], "an app does not see the machine it runs on"),
    (&["v8", "vm", "inspector", "trace_events", "wasi"], "an app cannot reach into the engine that runs it"),
];

/// An import that cannot be satisfied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Missing<'a> {
    pub(super) root: &'a Root,
    pub(super) specifier: &'a str,
    /// The file that imports.
    pub(super) from: &'a Path,
}

impl Missing<'_> {
    /// A relative path that leaves the folder.
    pub(super) fn outside(&self) -> String {
        self.because("the path leaves the app's folder")
    }

    /// A package that is a symlink to elsewhere.
    pub(super) fn linked(&self, to: &Path) -> String {
        let to = to.display();
        self.because(&format!(
            "the package is outside the app's folder, at {to}; an app may only import files inside it (symlinks included)"
        ))
    }

    /// A specifier with a scheme that is not for files.
    pub(super) fn scheme(&self) -> String {
        let scheme = self.specifier.split(':').next().unwrap_or_default();
        match scheme {
            "node" => self.because(&absent(self.specifier)),
            "npm" | "jsr" => self.because(&format!(
                "packages are imported by their plain names from node_modules, without `{scheme}:`"
            )),
            _ => self.because("only files inside the app's folder and its packages can be imported"),
        }
    }

    /// A relative path at which there is nothing.
    pub(super) fn file(&self, path: &Path) -> String {
        let shown = self.root.shown(path);
        let folder = path.parent().filter(|folder| self.root.real(folder).is_ok());
        let suggestion = folder
            .and_then(|folder| similar(path, folder))
            .map(|name| format!("; did you mean {:?}?", self.root.shown(&path.with_file_name(name))))
            .unwrap_or_default();
        format!("there is no file {shown:?} in the app's folder{suggestion}")
    }

    /// A bare name under which nothing is installed.
    pub(super) fn package(&self, is_node_builtin: impl FnOnce() -> bool) -> String {
        let name = package_name(self.specifier);
        if let Some(folder) = self.installed(name) {
            let real = folder.canonicalize().unwrap_or_default();
            if !self.root.contains(&real) {
                return self.linked(&real);
            }
            let shown = self.root.shown(&folder);
            return match self.specifier.strip_prefix(name).filter(|rest| !rest.is_empty()) {
                Some(rest) => self.because(&format!("the package has no file {rest:?} ({shown})")),
                None => {
                    self.because(&format!("the package has no module to start with ({shown}/package.json)"))
                }
            };
        }
        if is_node_builtin() {
            return self.because(&absent(self.specifier));
        }
        if name.starts_with('#') || name.starts_with("@/") || name.starts_with("~") {
            return self.because(
                "there is no such name; define it in \"imports\" of package.json or \"paths\" of tsconfig.json",
            );
        }
        self.because(&format!(
            "there is no package {name:?} in the app's folder; install it there: `npm install {name}` (a file of the \
             app is imported by its relative path, as in \"./{}\")",
            self.specifier
        ))
    }

    /// Any other complaint of the resolver.
    pub(super) fn explain(&self, error: &ResolveError) -> String {
        match error {
            ResolveError::PackagePathNotExported { subpath, package_json_path, .. } => {
                self.because(&format!(
                    "the package exports no {subpath:?} for workers (see \"exports\" in {})",
                    self.root.shown(package_json_path)
                ))
            }
            ResolveError::PackageImportNotDefined(name, package_json) => self.because(&format!(
                "{name:?} is not defined in \"imports\" of {}",
                self.root.shown(package_json)
            )),
            ResolveError::Json(json) => self.because(&format!(
                "{} is not valid JSON: {} (line {}, column {})",
                self.root.shown(&json.path),
                json.message,
                json.line,
                json.column
            )),
            other => {
                let inside = format!("{}/", self.root.path().display());
                self.because(&other.to_string().replace(&inside, ""))
            }
        }
    }

    fn because(&self, why: &str) -> String {
        format!("cannot import {:?} from {}: {why}", self.specifier, self.root.shown(self.from))
    }

    /// The folder of a package, looked for as Node.js does.
    fn installed(&self, name: &str) -> Option<PathBuf> {
        let folders = self.from.ancestors().skip(1).take_while(|folder| self.root.contains(folder));
        folders
            .map(|folder| folder.join("node_modules").join(name))
            .find(|folder| fs::symlink_metadata(folder).is_ok())
    }
}

/// Why a module of Node.js is not there.
fn absent(specifier: &str) -> String {
    let name = specifier.trim_start_matches("node:");
    let family = name.split('/').next().unwrap_or(name);
    let why = ABSENT.iter().find(|(names, _)| names.contains(&family)).map(|(_, why)| *why);
    format!(
        "`{name}` is not available in a worker: {}",
        why.unwrap_or("this module of Node.js is not offered")
    )
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

    #[test]
    fn absent_modules_come_with_a_way_out() {
        assert!(
            absent("node:fs/promises")
                .starts_with("`fs/promises` is not available in a worker: an app has no access to files")
        );
        assert!(absent("http").contains("fetch()"));
        assert!(absent("sqlite").ends_with("not offered"));
    }
}
