//! Resolves specifiers to files as Node.js and bundlers for Workers do: `exports` with conditions, `imports`, self-references,
//! symlinked stores, optional extensions.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::{fs, io};

use deno_core::{ModuleSpecifier, normalize_path};
use nano_protocol::message::ModuleOptions;
use oxc_resolver::{FileMetadata, FileSystem, ResolveError, ResolveOptions, ResolverGeneric, TsConfig};

use super::compiler_options::CompilerOptions;
use super::error::{ImportError, OptionsError, ReadError};
use super::missing::Missing;
use super::root::Root;
use crate::builtins::{self, SITE_MANIFEST};

/// What a specifier resolves to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A file inside the app's folder.
    File {
        /// Without symlinks.
        path: PathBuf,
        /// Query and fragment of the specifier.
        suffix: String,
    },
    /// A built-in module.
    Builtin(&'static str),
    /// The manifest of a Workers Site.
    SiteManifest,
    /// A module that its package maps to `false` for browsers.
    LeftOut,
}

/// How a module is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Importer {
    /// `import`.
    Module,
    /// `require()`.
    CommonJs,
}

/// Resolves specifiers of one app.
pub(super) struct Resolver {
    root: Root,
    /// Names of modules, and what is imported in their place, from a file.
    alias: Vec<(String, String)>,
    alias_file: PathBuf,
    /// Whether the app is a Workers Site.
    pub(super) has_site: bool,
    engine: RefCell<Option<Rc<Resolvers>>>,
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Resolver {
    pub(super) fn new(root: Root, options: &ModuleOptions) -> Self {
        let alias_file = root.path().join(&options.file);
        Self { root, alias: options.alias.clone(), alias_file, has_site: false, engine: RefCell::default() }
    }

    /// Resolves `specifier` in the file `from`. Errors do not name the position of the import.
    pub(super) fn find(
        &self,
        specifier: &str,
        from: &Path,
        importer: Importer,
    ) -> Result<Found, ImportError> {
        match self.alias.iter().find(|(name, _)| name == specifier) {
            // As in wrangler, what stands in place of it is not resolved in the file that imports.
            Some((_, other)) => self.find_itself(other, &self.alias_file, importer),
            None => self.find_itself(specifier, from, importer),
        }
    }

    fn find_itself(&self, specifier: &str, from: &Path, importer: Importer) -> Result<Found, ImportError> {
        if let Some(name) = builtins::canonical(specifier) {
            let instead =
                if builtins::is_about_a_host(name) { self.instead(specifier, from, importer) } else { None };
            return Ok(instead.unwrap_or(Found::Builtin(name)));
        }
        if specifier == SITE_MANIFEST && self.has_site {
            return Ok(Found::SiteManifest);
        }
        let missing = Missing { root: &self.root, specifier, from };
        let Some((path, suffix)) = self.as_path(specifier, from, importer)? else {
            if specifier.contains(':') && ModuleSpecifier::parse(specifier).is_ok() {
                return Err(missing.scheme());
            }
            return self.package(specifier, from, importer, &missing);
        };
        if !self.root.contains(&path) {
            return Err(missing.outside());
        }
        // The app's own imports nearly always name the exact file. Packages may map their files (`browser`).
        if !self.root.is_in_package(from) && path.is_file() {
            return Ok(Found::File { path: self.root.real(&path)?, suffix });
        }
        let folder = from.parent().unwrap_or(from);
        let text = path.to_str().ok_or_else(|| missing.file(&path))?;
        match self.engine().resolver(self.root.is_in_package(from), importer).resolve(folder, text) {
            Ok(found) => Ok(Found::File { path: self.inside(found.into_path_buf(), &path)?, suffix }),
            Err(error) if error.is_ignore() => Ok(Found::LeftOut),
            Err(ResolveError::NotFound(_) | ResolveError::ExtensionAlias(..)) => Err(missing.file(&path)),
            Err(error) => Err(missing.explain(error)),
        }
    }

    pub(super) fn compiler_options(&self) -> Result<Rc<CompilerOptions>, OptionsError> {
        self.engine().compiler_options(&self.root)
    }

    /// Drops everything cached about the file system.
    pub(super) fn clear(&self) {
        self.engine.take();
    }

    fn package(
        &self,
        specifier: &str,
        from: &Path,
        importer: Importer,
        missing: &Missing<'_>,
    ) -> Result<Found, ImportError> {
        let engine = self.engine();
        let in_package = self.root.is_in_package(from);
        let folder = from.parent().unwrap_or(from);
        if !in_package && let Some(path) = self.named(specifier, folder, importer)? {
            return Ok(Found::File { path, suffix: String::new() });
        }
        // `#name` leads to files of the app itself.
        let resolver = engine.resolver(in_package || !specifier.starts_with('#'), importer);
        let found = resolver.resolve(folder, specifier);
        match found {
            Ok(found) => {
                let suffix = [found.query(), found.fragment()].into_iter().flatten().collect();
                let path = found.into_path_buf();
                if !self.root.contains(&path) {
                    return Err(missing.linked(&path));
                }
                Ok(Found::File { path, suffix })
            }
            Err(error) if error.is_ignore() => Ok(Found::LeftOut),
            Err(ResolveError::NotFound(_)) => Err(missing.package(|| self.is_node_builtin(specifier))),
            Err(error) => Err(missing.explain(error)),
        }
    }

    /// What a package has instead of a module of Node.js in a browser (`"browser": { "fs": false }` in its package.json).
    fn instead(&self, specifier: &str, from: &Path, importer: Importer) -> Option<Found> {
        if !self.root.is_in_package(from) {
            return None;
        }
        match self.engine().resolver(true, importer).resolve(from.parent()?, specifier) {
            Err(error) => error.is_ignore().then_some(Found::LeftOut),
            Ok(found) => {
                let path = found.into_path_buf();
                let is_package = path
                    .ancestors()
                    .any(|folder| folder.ends_with(Path::new("node_modules").join(specifier)));
                (self.root.contains(&path) && !is_package)
                    .then_some(Found::File { path, suffix: String::new() })
            }
        }
    }

    /// The file that `paths` or `baseUrl` of tsconfig.json give for this name.
    fn named(
        &self,
        specifier: &str,
        folder: &Path,
        importer: Importer,
    ) -> Result<Option<PathBuf>, OptionsError> {
        let engine = self.engine();
        let candidates = engine.compiler_options(&self.root)?.paths.candidates(specifier);
        let found = candidates.iter().filter_map(|path| {
            let found = engine.resolver(false, importer).resolve(folder, path.to_str()?).ok()?;
            Some(found.into_path_buf()).filter(|path| self.root.contains(path))
        });
        Ok({ found }.next())
    }

    /// The path of a relative or absolute specifier, and its query and fragment; `None` for bare names.
    fn as_path(
        &self,
        specifier: &str,
        from: &Path,
        importer: Importer,
    ) -> Result<Option<(PathBuf, String)>, ImportError> {
        let is_path = specifier.starts_with("./")
            || specifier.starts_with("../")
            || specifier.starts_with('/')
            || matches!(specifier, "." | "..");
        if importer == Importer::CommonJs {
            // Not a URL: no escapes, no query.
            let joined = || {
                let path = from.parent().unwrap_or(from).join(specifier);
                let mut path = normalize_path(path.into()).into_owned();
                if matches!(specifier.rsplit('/').next(), Some("" | "." | "..")) {
                    // It names a folder, even if there is a file `path.js`.
                    path.push("");
                }
                (path, String::new())
            };
            return Ok(is_path.then(joined));
        }
        if !is_path && !specifier.starts_with("file:") {
            return Ok(None);
        }
        let no_path = || ImportError::NotAPath(specifier.to_owned());
        let mut url = self.root.url(from)?.join(specifier).map_err(|_| no_path())?;
        let mut suffix = String::new();
        for (mark, part) in [('?', url.query()), ('#', url.fragment())] {
            if let Some(part) = part {
                suffix.push(mark);
                suffix.push_str(part);
            }
        }
        url.set_query(None);
        url.set_fragment(None);
        Ok(Some((url.to_file_path().map_err(|()| no_path())?, suffix)))
    }

    fn inside(&self, found: PathBuf, named: &Path) -> Result<PathBuf, ReadError> {
        if self.root.contains(&found) { Ok(found) } else { self.root.real(named) }
    }

    fn is_node_builtin(&self, specifier: &str) -> bool {
        let options = ResolveOptions { builtin_modules: true, ..ResolveOptions::default() };
        let found = self.engine().any().clone_with_options(options).resolve(self.root.path(), specifier);
        matches!(found, Err(ResolveError::Builtin { .. }))
    }

    fn engine(&self) -> Rc<Resolvers> {
        self.engine.borrow_mut().get_or_insert_with(|| Rc::new(Resolvers::new(&self.root))).clone()
    }
}

/// One resolver for each kind of importer; all share one cache.
struct Resolvers {
    of_app: [ResolverGeneric<InsideOnly>; 2],
    of_packages: [ResolverGeneric<InsideOnly>; 2],
    options: RefCell<Option<Rc<CompilerOptions>>>,
}

impl Resolvers {
    fn new(root: &Root) -> Self {
        let files = InsideOnly { root: Some(root.clone()) };
        let first = ResolverGeneric::new_with_file_system(files, options(Importer::Module, false));
        let other = |importer, in_package| first.clone_with_options(options(importer, in_package));
        let of_packages = [other(Importer::Module, true), other(Importer::CommonJs, true)];
        let of_app = [other(Importer::Module, false), other(Importer::CommonJs, false)];
        Self { of_app, of_packages, options: RefCell::default() }
    }

    fn resolver(&self, in_package: bool, importer: Importer) -> &ResolverGeneric<InsideOnly> {
        let [module, commonjs] = if in_package { &self.of_packages } else { &self.of_app };
        match importer {
            Importer::Module => module,
            Importer::CommonJs => commonjs,
        }
    }

    fn any(&self) -> &ResolverGeneric<InsideOnly> {
        &self.of_app[0]
    }

    fn compiler_options(&self, root: &Root) -> Result<Rc<CompilerOptions>, OptionsError> {
        if let Some(known) = &*self.options.borrow() {
            return Ok(known.clone());
        }
        let load = |path: &Path| -> Result<Arc<TsConfig>, ResolveError> { self.any().resolve_tsconfig(path) };
        let read = Rc::new(CompilerOptions::read(root, load)?);
        *self.options.borrow_mut() = Some(read.clone());
        Ok(read)
    }
}

/// The options of wrangler's bundler: conditions for workers and browsers; TypeScript first, except in packages.
fn options(importer: Importer, in_package: bool) -> ResolveOptions {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let alias = |from: &str, to: &[&str]| (from.to_owned(), texts(to));
    let extensions: &[&str] = if in_package {
        &[".js", ".json", ".mjs", ".cjs", ".ts", ".tsx", ".jsx", ".mts", ".cts"]
    } else {
        &[".ts", ".tsx", ".mts", ".js", ".mjs", ".jsx", ".json", ".cts", ".cjs"]
    };
    let (conditions, main_fields): (&[&str], &[&str]) = match importer {
        Importer::Module => {
            (&["workerd", "worker", "browser", "import", "module", "default"], &["browser", "module", "main"])
        }
        Importer::CommonJs => {
            (&["workerd", "worker", "browser", "require", "default"], &["browser", "main", "module"])
        }
    };
    ResolveOptions {
        alias_fields: vec![texts(&["browser"])],
        condition_names: texts(conditions),
        extension_alias: vec![
            alias(".js", &[".js", ".ts", ".tsx"]),
            alias(".jsx", &[".jsx", ".tsx"]),
            alias(".mjs", &[".mjs", ".mts"]),
            alias(".cjs", &[".cjs", ".cts"]),
        ],
        extensions: texts(extensions),
        main_fields: texts(main_fields),
        node_path: false,
        ..ResolveOptions::default()
    }
}

/// The file system as the resolver sees it: only the app's folder exists. So packages and package.json files of parent folders
/// are not found, and symlinks that leave the folder are not followed.
struct InsideOnly {
    root: Option<Root>,
}

impl InsideOnly {
    fn check(&self, path: &Path) -> io::Result<()> {
        self.root
            .as_ref()
            .filter(|root| root.contains(path))
            .map(drop)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.check(path)?;
        self.root.as_ref().map_or_else(|| Err(io::ErrorKind::NotFound.into()), |root| root.read(path))
    }
}

impl FileSystem for InsideOnly {
    fn new() -> Self {
        Self { root: None }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.bytes(path)
    }

    fn read_to_string(&self, path: &Path) -> io::Result<String> {
        String::from_utf8(self.bytes(path)?).map_err(|_| io::ErrorKind::InvalidData.into())
    }

    fn metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        self.check(path)?;
        fs::metadata(path).map(FileMetadata::from)
    }

    fn symlink_metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        self.check(path)?;
        fs::symlink_metadata(path).map(FileMetadata::from)
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, ResolveError> {
        self.check(path).and_then(|()| fs::read_link(path)).map_err(ResolveError::from)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.check(path)?;
        path.canonicalize()
    }
}
