//! Why a file, an option or an import of an app cannot be used. The texts are for the developers of the app.

use std::io;
use std::path::PathBuf;
use std::str::Utf8Error;

use deno_error::JsError;
use oxc_resolver::{JSONError, ResolveError};
use thiserror::Error;

/// Why a file of the app cannot be read. Files are named by their paths in the app's folder.
#[derive(Debug, Error, JsError)]
#[class(type)]
pub(crate) enum ReadError {
    /// The app's fault: it imports something outside its folder.
    #[error("{0:?} is outside the app's folder; an app may only import files inside it (symlinks included)")]
    Outside(String),
    /// The app's fault: a file of variables is not a module.
    #[error("{0:?} is no module; what it says is in `env`")]
    Variables(String),
    /// The app's fault, or that of whoever deployed it.
    #[error("there is no file {file:?} in the app's folder")]
    NotFound { file: String, source: io::Error },
    /// The app's fault: the file is not text.
    #[error("cannot read {file:?}; the file is not UTF-8 text")]
    NotText { file: String, source: Utf8Error },
    /// The system's fault, or the file is not a regular one.
    #[error("cannot read {file:?}: {source}")]
    Unreadable { file: String, source: io::Error },
    /// Our fault: the supervisor sends absolute paths only.
    #[error("{} is not an absolute path", .0.display())]
    NotAbsolute(PathBuf),
}

/// Why tsconfig.json or deno.json cannot be used.
#[derive(Debug, Error, JsError)]
#[class(type)]
pub(super) enum OptionsError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The app's fault: the file is not valid.
    #[error("{file} is not valid: {source}")]
    Invalid { file: String, source: serde_json::Error },
}

/// Why a file cannot be loaded as a module.
#[derive(Debug, Error, JsError)]
#[class(type)]
pub(super) enum ModuleError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The compiler options cannot be used.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The app's fault: the file does not parse. The text names the position.
    #[class(syntax)]
    #[error("{0}")]
    Syntax(String),
    /// The app's fault: JSON that does not parse.
    #[error("{file:?} is not valid JSON: {source}{position}")]
    InvalidJson {
        file: String,
        source: serde_json::Error,
        /// Line, column and an excerpt of the file, on lines of their own.
        position: String,
    },
    /// The app's fault: a `.wasm` file without the magic number.
    #[error("{0:?} is not WebAssembly: it does not begin as a binary module does")]
    NotWasm(String),
    /// The app's fault: the URL of a module that is not a file.
    #[error("{0} is not a path of this machine")]
    NotAPath(String),
    /// The app's fault: an import attribute with an unknown type.
    #[error(
        "{file:?} cannot be imported with {{ type: {requested:?} }}: the types are \"json\", \"text\" and \"bytes\""
    )]
    UnknownType { file: String, requested: String },
    /// The fault of whoever serves the app before it is built: a file that a plugin of a bundler compiles.
    #[error(
        "{0:?} is no module until a bundler has compiled it; build first: npm run build, and serve what that has made"
    )]
    NeedsBuild(String),
    /// The same: the file imports a module that a plugin of a bundler makes. The text names the position.
    #[error("{0}")]
    ImportNeedsBuild(String),
    /// The fault of the app or a package: it needs an add-on compiled for Node.js.
    #[error("{0:?} is a native add-on, which a worker cannot run")]
    NativeAddOn(String),
    /// The app's fault: a file with an unknown extension.
    #[error(
        "{0:?} is no kind of file that can be imported as a module; to get at its contents, import it with \
         {{ type: \"text\" }} or {{ type: \"bytes\" }}, as in `import file from \"./{0}\" with {{ type: \"text\" }}`"
    )]
    NotAModule(String),
}

/// Why a specifier does not lead to a module.
#[derive(Debug, Error)]
pub(super) enum ImportError {
    /// The file that it leads to cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The compiler options, which may map it, cannot be used.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The app's fault: a URL without a path, or a path that does not exist on Unix.
    #[error("{0:?} is not a path of this machine")]
    NotAPath(String),
    /// The app's fault: a relative path at which there is no file.
    #[error("there is no file {file:?} in the app's folder{}", suggestion(similar.as_deref()))]
    NoFile {
        file: String,
        /// A file with nearly this name.
        similar: Option<String>,
    },
    /// Anything else; the message names the import.
    #[error("cannot import {specifier:?} from {importer}: {reason}")]
    Refused {
        specifier: String,
        importer: String,
        #[source]
        reason: Box<ImportRefusal>,
    },
}

/// What is wrong with an import.
#[derive(Debug, Error)]
pub(super) enum ImportRefusal {
    /// The app's fault: a relative path that leaves its folder.
    #[error("the path leaves the app's folder")]
    OutsideFolder,
    /// The app's fault: `npm:` or `jsr:`.
    #[error("packages are imported by their plain names from node_modules, without `{0}:`")]
    PackageScheme(String),
    /// The fault of whoever serves the app before it is built: a module that a plugin of a bundler makes.
    #[error("only a bundler makes such a module; build first: npm run build, and serve what that has made")]
    NeedsBuild,
    /// The app's fault: it is no Workers Site.
    #[error(
        "it lists the files of a Workers Site, which this app is not; name their folder in the wrangler file: \
         site = {{ bucket = \"./public\" }}"
    )]
    OfWorkersSite,
    /// The app's fault: any other scheme.
    #[error("only files inside the app's folder and its packages can be imported")]
    UnknownScheme,
    /// The fault of the app or a package: a name that no module of Node.js has here.
    #[error("there is no module `{name}` of Node.js in a worker")]
    NoBuiltin { name: String },
    /// The app's fault: a name such as `#name` or `@/name` that it does not define.
    #[error(
        "there is no such name; define it in \"imports\" of package.json or \"paths\" of tsconfig.json, or, where a bundler \
         defines it, build first: npm run build"
    )]
    UndefinedName,
    /// The app's fault: a package that is not installed.
    #[error(
        "there is no package {package:?} in the app's folder; install it there: `npm install {package}` (a file of the \
         app is imported by its relative path, as in \"./{specifier}\")"
    )]
    NotInstalled { package: String, specifier: String },
    /// The fault of how it was installed: a package that is a symlink to elsewhere.
    #[error(
        "the package is outside the app's folder, at {}; an app may only import files inside it (symlinks included); for a \
         package of a workspace, set `path` to the root of the workspace, and `entry` to the module in it",
        .0.display()
    )]
    OutsidePackage(PathBuf),
    /// The app's fault: a path into a package at which there is no file.
    #[error("the package has no file {path:?} ({folder})")]
    NoFileInPackage { path: String, folder: String },
    /// The package's fault: it has no entry module.
    #[error("the package has no module to start with ({0}/package.json)")]
    NoEntry(String),
    /// The package's fault, or the app's: the path is not in `exports`.
    #[error("the package exports no {subpath:?} for workers (see \"exports\" in {package_json})")]
    NotExported { subpath: String, package_json: String, source: Box<ResolveError> },
    /// The package's fault: `#name` is not in `imports`.
    #[error("{name:?} is not defined in \"imports\" of {package_json}")]
    NotInImports { name: String, package_json: String, source: Box<ResolveError> },
    /// The package's fault: a package.json that is not JSON.
    #[error("{file} is not valid JSON: {} (line {}, column {})", json.message, json.line, json.column)]
    InvalidJson { file: String, json: JSONError },
    /// Any other error of the resolver.
    #[error("{text}")]
    Resolver {
        /// The error, with paths as the app knows them.
        text: String,
        source: Box<ResolveError>,
    },
}

fn suggestion(similar: Option<&str>) -> String {
    similar.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}
