//! The entry module of an app: the configured one, or the first of the usual places.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::bounds;
use super::errors::Flaw;

/// Where an entry module is looked for, in this order, before package.json.
const USUAL: [&str; 3] = ["index.js", "index.mjs", "worker.js"];

/// Fields of package.json that name an entry module, in the order they are looked at.
const PACKAGE_FIELDS: [&str; 2] = ["module", "main"];

/// Extensions of modules that the worker runs.
const EXTENSIONS: [&str; 2] = ["js", "mjs"];

/// Finds the entry module in the folder `root`, an absolute path without symlinks. The result is relative to it.
///
/// # Errors
/// If there is none, or the one found cannot be used: not a file, outside the folder, not JavaScript.
pub(super) fn find(root: &Path, given: Option<&str>) -> Result<PathBuf, Flaw> {
    if let Some(given) = given {
        return check(root, given)?.ok_or_else(|| {
            let missing = root.join(given);
            Flaw::new(
                format!("there is no file {}", missing.display()),
                "create it, or correct `entry` (a path inside the app's folder)",
            )
        });
    }
    let mut looked_for = Vec::new();
    for name in USUAL {
        if let Some(entry) = check(root, name)? {
            return Ok(entry);
        }
        looked_for.push(name.to_owned());
    }
    match read_package(root) {
        Ok(None) => looked_for.push("package.json".into()),
        Err(why) => looked_for.push(format!("package.json ({why})")),
        Ok(Some(package)) => {
            for field in PACKAGE_FIELDS {
                let Some(name) = package.get(field).and_then(Value::as_str) else {
                    looked_for.push(format!("package.json `{field}` (not set)"));
                    continue;
                };
                if let Some(entry) = check(root, name)? {
                    return Ok(entry);
                }
                looked_for.push(format!("package.json `{field}` ({name:?}, which is no file)"));
            }
        }
    }
    Err(Flaw::new(
        format!("{} has no entry module; looked for {}", root.display(), looked_for.join(", ")),
        "add an index.js, or name the module with `entry` in a configuration file",
    ))
}

/// The path `name` in a clean form, or none if it is no file.
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
            format!("entry {name:?} is no .js or .mjs file"),
            "name a JavaScript module; what is written in another language has to be compiled to one first",
        ));
    }
    Ok(Some(entry))
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The contents of package.json, if there is one; else why it is of no use.
fn read_package(root: &Path) -> Result<Option<Value>, String> {
    let file = match File::open(root.join("package.json")) {
        Ok(file) => file,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let mut text = String::new();
    let read = file.take(bounds::PACKAGE_FILE).read_to_string(&mut text);
    read.map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map(Some).map_err(|error| format!("not valid JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// A folder with these files, and its canonical path.
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
        let found = find(&root, given).map(|entry| entry.to_str().unwrap().to_owned());
        found.map_err(|flaw| flaw.to_string().replace(root.to_str().unwrap(), "ROOT"))
    }

    #[test]
    fn a_given_entry_comes_first() {
        let files = [("index.js", ""), ("src/main.mjs", "")];
        assert_eq!(found(&files, Some("./src/./main.mjs")), Ok("src/main.mjs".into()));
        assert_eq!(
            found(&files, Some("main.js")),
            Err("there is no file ROOT/main.js; fix: create it, or correct `entry` (a path inside the app's folder)"
                .into())
        );
        assert!(found(&files, Some("src")).unwrap_err().starts_with("there is no file ROOT/src; fix: "));
    }

    #[test]
    fn the_usual_places_are_tried_in_order() {
        let package = ("package.json", r#"{ "module": "./m.js", "main": "lib/main.js" }"#);
        let mut files = vec![("index.js", ""), ("index.mjs", ""), ("worker.js", ""), package, ("m.js", "")];
        files.push(("lib/main.js", ""));
        for expected in ["index.js", "index.mjs", "worker.js"] {
            assert_eq!(found(&files, None), Ok(expected.into()));
            files.remove(0);
        }
        assert_eq!(found(&files, None), Ok("m.js".into()));
        files.remove(1);
        assert_eq!(found(&files, None), Ok("lib/main.js".into()));
    }

    #[test]
    fn a_miss_lists_what_was_looked_for() {
        let end = "; fix: add an index.js, or name the module with `entry` in a configuration file";
        let begin = "ROOT has no entry module; looked for index.js, index.mjs, worker.js, package.json";
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
    fn an_entry_must_be_javascript() {
        assert_eq!(
            found(&[("main.ts", "")], Some("main.ts")),
            Err("entry \"main.ts\" is no .js or .mjs file; fix: name a JavaScript module; what is written in another \
                 language has to be compiled to one first"
                .into())
        );
    }
}
