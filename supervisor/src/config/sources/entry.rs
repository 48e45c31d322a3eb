//! Finds the entry module of an app: the configured one, or the first of the usual places.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::config::bounds;
use crate::config::errors::Flaw;
use crate::config::read;
use crate::config::read::is_missing;

/// Names of modules that are searched for in this order if none is configured: first in the folder itself and then, after
/// package.json, in [`SOURCES`]. Each is tried with all [`EXTENSIONS`].
const USUAL: [&str; 2] = ["index", "worker"];

/// The folder in which people keep hand-written sources.
const SOURCES: &str = "src";

/// Fields of package.json that name an entry module, in order of precedence.
const PACKAGE_FIELDS: [&str; 2] = ["module", "main"];

/// Extensions of modules that the worker runs.
const EXTENSIONS: [&str; 6] = ["js", "mjs", "ts", "mts", "tsx", "jsx"];

/// Finds the entry module in the folder `root`, an absolute path without symlinks. `given` is the field that names it, and its
/// value. The result is relative to `root`.
///
/// # Errors
/// Fails if there is none, or if the one found cannot be used: it is not a file, is outside the folder, or is not a module.
pub(crate) fn find(root: &Path, given: Option<(&str, &str)>) -> Result<PathBuf, Flaw> {
    if let Some((field, name)) = given {
        return check(root, name)?.ok_or_else(|| {
            let missing = root.join(name);
            Flaw::new(
                format!("there is no file {}", missing.display()),
                format!("create it (or build it), or correct `{field}` (a path inside the app's folder)"),
            )
        });
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
                        if let Some(entry) = check(root, name)? {
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
            "{} has no entry module; looked for {index} and {worker} (with .{}), {looked_for}, and both in {SOURCES}",
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
            let name = Path::new(folder).join(name).with_extension(extension);
            if let Some(entry) = check(root, &name.to_string_lossy())? {
                return Ok(Some(entry));
            }
        }
    }
    Ok(None)
}

/// Normalizes the path `name`. Returns `None` if there is no such file.
fn check(root: &Path, name: &str) -> Result<Option<PathBuf>, Flaw> {
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
        let found =
            find(&root, given.map(|name| ("entry", name))).map(|entry| entry.to_str().unwrap().to_owned());
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
    fn the_usual_places_are_tried_in_order() {
        let package = r#"{ "module": "./m.js", "main": "lib/main.ts" }"#;
        let order = [
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
        let begin = "ROOT has no entry module; looked for index and worker (with .js, .mjs, .ts, .mts, .tsx, .jsx), \
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
        let text = find(&root, None).unwrap_err().to_string();
        assert!(text.starts_with("entry \"index.js\" leads out of the app's folder, to "), "{text}");
        fs::remove_file(root.join("index.js")).unwrap();
        symlink("in.js", root.join("index.js")).unwrap();
        assert_eq!(find(&root, None), Ok("index.js".into()));
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
