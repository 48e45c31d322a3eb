//! Finds the entry module of an app: the configured one, or the first of the usual places.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::config::bounds;
use crate::config::errors::Flaw;
use crate::config::read;
use crate::config::read::is_missing;

/// The entry module that a build for Cloudflare Pages makes: a file, or a folder with an `index.js`. It is looked for first.
const PAGES: &str = "_worker.js";

/// Names of modules that are searched for in this order if none is configured: first in the folder itself and then, after
/// package.json, in [`SOURCES`]. Each is tried with all [`EXTENSIONS`].
const USUAL: [&str; 2] = ["index", "worker"];

/// The folder in which people keep hand-written sources.
const SOURCES: &str = "src";

/// Fields of package.json that name an entry module, in order of precedence.
const PACKAGE_FIELDS: [&str; 2] = ["module", "main"];

/// Extensions of modules that the worker runs.
const EXTENSIONS: [&str; 6] = ["js", "mjs", "ts", "mts", "tsx", "jsx"];

/// The extensions that a configured module may leave out, in the order in which wrangler tries them.
const LEFT_OUT: [&str; 6] = ["ts", "tsx", "js", "jsx", "mts", "mjs"];

/// The advice about what has not been built.
const BUILD_FIRST: &str = "build first: npm run build";

/// What says where the entry module is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum GivenEntry<'a> {
    /// A field, and its value: a path, perhaps without its extension, or that of a folder with an `index` module.
    Module(&'a str, &'a str),
    /// The folder of a build for Cloudflare Pages.
    Pages(&'a Path),
    /// Nothing says so, and the usual places are searched.
    Nowhere,
}

/// Finds the entry module in the folder `root`, an absolute path without symlinks. The result is relative to `root`.
///
/// # Errors
/// Fails if there is none, or if the one found cannot be used: it is not a file, is outside the folder, or is not a module.
pub(crate) fn find(root: &Path, given: GivenEntry<'_>) -> Result<PathBuf, Flaw> {
    match given {
        GivenEntry::Module(field, name) => module(root, name)?.ok_or_else(|| missing(root, field, name)),
        GivenEntry::Pages(folder) => {
            let name = folder.join(PAGES);
            module(root, &name.to_string_lossy())?.ok_or_else(|| missing_pages(root, folder))
        }
        GivenEntry::Nowhere => search(root),
    }
}

/// Looks in the usual places.
fn search(root: &Path) -> Result<PathBuf, Flaw> {
    if let Some(entry) = module(root, PAGES)? {
        return Ok(entry);
    }
    if let Some(entry) = usual(root, "")? {
        return Ok(entry);
    }
    let mut looked_for = String::new();
    match read_package(root) {
        Ok(None) => looked_for.push_str("package.json"),
        Err(why) => looked_for = format!("package.json ({why})"),
        Ok(Some(package)) => {
            for field in PACKAGE_FIELDS {
                let found = match package.get(field).and_then(Value::as_str) {
                    Some(name) => {
                        if let Some(entry) = file(root, name)? {
                            return Ok(entry);
                        }
                        format!("{name:?}, which is no file")
                    }
                    None => "not set".to_owned(),
                };
                let separator = if looked_for.is_empty() { "" } else { ", " };
                looked_for.push_str(&format!("{separator}package.json `{field}` ({found})"));
            }
        }
    }
    if let Some(entry) = usual(root, SOURCES)? {
        return Ok(entry);
    }
    let [index, worker] = USUAL;
    Err(Flaw::new(
        format!(
            "{} has no entry module; looked for {PAGES}, {index} and {worker} (with .{}), {looked_for}, and both in {SOURCES}",
            root.display(),
            EXTENSIONS.join(", .")
        ),
        "add an index.js, or name the module with `entry` in a configuration file",
    ))
}

/// Returns the first of the usual modules in a folder inside `root`.
fn usual(root: &Path, folder: &str) -> Result<Option<PathBuf>, Flaw> {
    for name in USUAL {
        for extension in EXTENSIONS {
            let name = Path::new(folder).join(format!("{name}.{extension}"));
            if let Some(entry) = file(root, &name.to_string_lossy())? {
                return Ok(Some(entry));
            }
        }
    }
    Ok(None)
}

/// Finds the module that a configured path means: the file itself, with an extension, or in it, if it is a folder.
fn module(root: &Path, name: &str) -> Result<Option<PathBuf>, Flaw> {
    if let Some(entry) = file(root, name)? {
        return Ok(Some(entry));
    }
    for base in [name.trim_end_matches('/'), &format!("{name}/index")] {
        for extension in LEFT_OUT {
            if let Some(entry) = file(root, &format!("{base}.{extension}"))? {
                return Ok(Some(entry));
            }
        }
    }
    Ok(None)
}

/// Describes a configured module that does not exist.
fn missing(root: &Path, field: &str, name: &str) -> Flaw {
    let package = read_package(root).ok().flatten().unwrap_or_default();
    let correct = format!("or correct `{field}` (a path inside the app's folder)");
    let build = if package["scripts"]["build"].is_string() { BUILD_FIRST } else { "create it (or build it)" };
    // A plugin of a bundler finds these. Wrangler does not, either, and is led to what was built.
    if name.contains(':') || is_of_package(root, &package, name) {
        let what = format!(
            "{name:?} is no file of the app but a module of a package, which only a build makes a worker of"
        );
        return Flaw::new(what, format!("{BUILD_FIRST}, {correct}"));
    }
    Flaw::new(format!("there is no file {}", root.join(name).display()), format!("{build}, {correct}"))
}

/// Returns whether a name is that of a package, or of a module in it.
fn is_of_package(root: &Path, package: &Value, name: &str) -> bool {
    let parts = if name.starts_with('@') { 2 } else { 1 };
    let name: Vec<_> = name.split('/').take(parts).collect();
    let name = name.join("/");
    let is_listed = |list: &str| package[list].get(&name).is_some();
    is_listed("dependencies")
        || is_listed("devDependencies")
        || root.join("node_modules").join(&name).is_dir()
}

/// Describes a build for Cloudflare Pages without a worker.
fn missing_pages(root: &Path, folder: &Path) -> Flaw {
    let folder = root.join(folder);
    let what = format!("there is no {PAGES} in {}", folder.display());
    if folder.is_dir() && root.join("functions").is_dir() {
        let fix = format!(
            "compile the functions: npx wrangler pages functions build --outdir {}",
            folder.join(PAGES).display()
        );
        return Flaw::new(what, fix);
    }
    Flaw::new(what, format!("{BUILD_FIRST}, or correct `pages_build_output_dir`"))
}

/// Normalizes the path `name` of a file. Returns `None` if there is no such file.
fn file(root: &Path, name: &str) -> Result<Option<PathBuf>, Flaw> {
    let inside = "name a file inside the app's folder by its relative path, such as \"src/main.js\"";
    let is_clean = |part: &Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if name.is_empty() || !Path::new(name).components().all(|part| is_clean(&part)) {
        return Err(Flaw::new(format!("entry {name:?} is no path inside the app's folder"), inside));
    }
    let parts = Path::new(name).components().filter(|part| *part != Component::CurDir);
    let entry: PathBuf = parts.collect();
    let real = match root.join(&entry).canonicalize() {
        Ok(real) => real,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => {
            return Err(Flaw::new(
                format!("cannot read entry {name:?}: {error}"),
                "make it readable for this user",
            ));
        }
    };
    if !real.is_file() {
        return Ok(None);
    }
    if !real.starts_with(root) {
        return Err(Flaw::new(
            format!("entry {name:?} leads out of the app's folder, to {}", real.display()),
            inside,
        ));
    }
    let extension = real.extension().and_then(|extension| extension.to_str());
    if !extension.is_some_and(|extension| EXTENSIONS.contains(&extension)) {
        return Err(Flaw::new(
            format!("entry {name:?} is no module (.{})", EXTENSIONS.join(", .")),
            "name a JavaScript or TypeScript module",
        ));
    }
    Ok(Some(entry))
}

/// Reads package.json, if there is one. The error says why it cannot be used.
fn read_package(root: &Path) -> Result<Option<Value>, String> {
    let text = read::of_app(root, "package.json", bounds::APP_FILE).map_err(|flaw| flaw.what().to_owned())?;
    let parsed = text.map(|text| serde_json::from_str(&text)).transpose();
    parsed.map_err(|error| format!("not valid JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// Creates a folder with these files. Returns its canonical path as well.
    fn folder(files: &[(&str, &str)]) -> (TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let root = dir.path().canonicalize().unwrap();
        (dir, root)
    }

    fn found(files: &[(&str, &str)], given: Option<&str>) -> Result<String, String> {
        let (_dir, root) = folder(files);
        let given = given.map_or(GivenEntry::Nowhere, |name| GivenEntry::Module("entry", name));
        let found = find(&root, given).map(|entry| entry.to_str().unwrap().to_owned());
        found.map_err(|flaw| flaw.to_string().replace(root.to_str().unwrap(), "ROOT"))
    }

    #[test]
    fn a_given_entry_comes_first() {
        let files = [("index.js", ""), ("src/main.mjs", "")];
        assert_eq!(found(&files, Some("./src/./main.mjs")), Ok("src/main.mjs".into()));
        assert_eq!(
            found(&files, Some("main.js")),
            Err("there is no file ROOT/main.js; fix: create it (or build it), or correct `entry` (a path inside \
                 the app's folder)"
                .into())
        );
        assert!(found(&files, Some("src")).unwrap_err().starts_with("there is no file ROOT/src; fix: "));
    }

    #[test]
    fn a_given_entry_may_lack_its_extension_or_be_a_folder() {
        let files = [
            ("src/app.js", ""),
            ("src/app.ts", ""),
            ("src/app/index.js", ""),
            ("out/_worker.js/index.js", ""),
        ];
        assert_eq!(found(&files, Some("src/app")), Ok("src/app.ts".into()));
        assert_eq!(found(&files[2..], Some("src/app/")), Ok("src/app/index.js".into()));
        assert_eq!(found(&files, Some("out/_worker.js")), Ok("out/_worker.js/index.js".into()));
    }

    #[test]
    fn what_is_not_built_yet_is_said_to_be_built_first() {
        let package = r#"{ "scripts": { "build": "vite build" }, "devDependencies": { "@a/start": "1" } }"#;
        let files = [("package.json", package), ("node_modules/other/x.js", "")];
        let correct = "or correct `entry` (a path inside the app's folder)";
        let build = format!("fix: build first: npm run build, {correct}");
        assert_eq!(
            found(&files, Some("dist/index.js")),
            Err(format!("there is no file ROOT/dist/index.js; {build}"))
        );
        for name in ["@a/start/server", "other/server", "other", "virtual:server"] {
            let what =
                "is no file of the app but a module of a package, which only a build makes a worker of";
            assert_eq!(found(&files, Some(name)), Err(format!("{name:?} {what}; {build}")));
        }
        let flaw = found(&files, Some("@a/other/server")).unwrap_err();
        assert!(flaw.starts_with("there is no file ROOT/@a/other/server; "), "{flaw}");
    }

    #[test]
    fn a_build_for_pages_is_a_file_or_a_folder() {
        let of = |files: &[(&str, &str)]| {
            let (_dir, root) = folder(files);
            let found = find(&root, GivenEntry::Pages(Path::new("dist")));
            let found = found.map(|entry| entry.to_str().unwrap().to_owned());
            found.map_err(|flaw| flaw.to_string().replace(root.to_str().unwrap(), "ROOT"))
        };
        assert_eq!(of(&[("dist/_worker.js", ""), ("index.js", "")]), Ok("dist/_worker.js".into()));
        assert_eq!(of(&[("dist/_worker.js/index.js", "")]), Ok("dist/_worker.js/index.js".into()));
        assert_eq!(
            of(&[("index.js", "")]),
            Err("there is no _worker.js in ROOT/dist; fix: build first: npm run build, or correct `pages_build_output_dir`"
                .into())
        );
        assert_eq!(
            of(&[("dist/index.html", ""), ("functions/api.js", "")]),
            Err("there is no _worker.js in ROOT/dist; fix: compile the functions: npx wrangler pages functions build \
                 --outdir ROOT/dist/_worker.js"
                .into())
        );
    }

    #[test]
    fn the_usual_places_are_tried_in_order() {
        let package = r#"{ "module": "./m.js", "main": "lib/main.ts" }"#;
        let order = [
            "_worker.js",
            "index.js",
            "index.mjs",
            "index.ts",
            "index.mts",
            "index.tsx",
            "index.jsx",
            "worker.js",
            "worker.ts",
            "m.js",
            "lib/main.ts",
            "src/index.js",
            "src/index.ts",
            "src/worker.js",
            "src/worker.jsx",
        ];
        for (first, expected) in order.into_iter().enumerate() {
            let mut files = vec![("package.json", package)];
            files.extend(order.iter().skip(first).map(|name| (*name, "")));
            assert_eq!(found(&files, None), Ok(expected.into()));
        }
    }

    #[test]
    fn a_miss_lists_what_was_looked_for() {
        let end = ", and both in src; fix: add an index.js, or name the module with `entry` in a configuration file";
        let begin = "ROOT has no entry module; looked for _worker.js, index and worker (with .js, .mjs, .ts, .mts, .tsx, .jsx), \
                     package.json";
        assert_eq!(found(&[("index.js/x", "")], None), Err(format!("{begin}{end}")));
        assert_eq!(
            found(&[("package.json", r#"{ "main": "lib" }"#)], None),
            Err(format!("{begin} `module` (not set), package.json `main` (\"lib\", which is no file){end}"))
        );
        let text = found(&[("package.json", "{")], None).unwrap_err();
        assert!(text.starts_with(&format!("{begin} (not valid JSON: EOF while parsing")), "{text}");
    }

    #[test]
    fn an_entry_must_lie_inside_the_folder() {
        for name in ["/etc/passwd", "../index.js", "a/../../index.js", ""] {
            assert_eq!(
                found(&[("index.js", "")], Some(name)),
                Err(format!(
                    "entry {name:?} is no path inside the app's folder; fix: name a file inside the app's folder by \
                     its relative path, such as \"src/main.js\""
                ))
            );
        }
        let (_outside, target) = folder(&[("out.js", "")]);
        let (_dir, root) = folder(&[("in.js", "")]);
        symlink(target.join("out.js"), root.join("index.js")).unwrap();
        let text = find(&root, GivenEntry::Nowhere).unwrap_err().to_string();
        assert!(text.starts_with("entry \"index.js\" leads out of the app's folder, to "), "{text}");
        fs::remove_file(root.join("index.js")).unwrap();
        symlink("in.js", root.join("index.js")).unwrap();
        assert_eq!(find(&root, GivenEntry::Nowhere), Ok("index.js".into()));
    }

    #[test]
    fn an_entry_must_be_a_module() {
        for name in ["main.js", "main.mjs", "main.ts", "main.mts", "main.tsx", "main.jsx"] {
            assert_eq!(found(&[(name, "")], Some(name)), Ok(name.into()));
        }
        assert_eq!(
            found(&[("main.py", "")], Some("main.py")),
            Err("entry \"main.py\" is no module (.js, .mjs, .ts, .mts, .tsx, .jsx); fix: name a JavaScript or TypeScript \
                 module"
                .into())
        );
    }
}
