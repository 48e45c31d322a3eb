//! Finds the wrangler file of an app. A build may have written one of its own, to which `.wrangler/deploy/config.json` leads.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::config::bounds;
use crate::config::document::section::Document;
use crate::config::errors::{Flaw, Place, Problems};
use crate::config::read;

use super::fields;

/// Its possible names, in the order in which wrangler looks for them.
const FILES: [&str; 3] = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/// The folder of [`REDIRECT`].
const REDIRECT_FOLDER: &str = ".wrangler/deploy";

/// The file in which a build names the wrangler file that it has made.
const REDIRECT: &str = ".wrangler/deploy/config.json";

/// The wrangler file that counts.
#[derive(Debug)]
pub(super) struct WranglerFile {
    /// Its path as people know it.
    pub(super) shown: String,
    /// Its folder, relative to the app's folder. Paths in the file are relative to this folder.
    pub(super) folder: PathBuf,
    /// The folder for which it was found, relative to the app's folder: that of the file that people have written.
    pub(super) home: PathBuf,
    pub(super) text: String,
    /// Whether a build has made it.
    pub(super) is_built: bool,
    /// The other workers that the same build has made.
    pub(super) others: Vec<String>,
}

impl WranglerFile {
    /// Finds the file of the app in `root`, which has no symlinks and is shown as `shown`: as wrangler does, in the folder of the
    /// configured `entry` or the nearest one above it. Returns `None` if there is none, or after recording why it cannot be read.
    pub(super) fn find(
        root: &Path,
        shown: &Path,
        entry: Option<&str>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let entry = entry.and_then(|entry| within(root, Path::new(""), entry)).unwrap_or_default();
        for home in entry.parent().unwrap_or(Path::new("")).ancestors() {
            let mut read =
                |path: &Path| problems.keep(|| Place::file(&shown.join(path)), read_file(root, path));
            let redirect = home.join(REDIRECT);
            if let Some(text) = read(&redirect)? {
                return Self::built(root, shown, home, &text, problems);
            }
            for name in FILES {
                let path = home.join(name);
                if let Some(text) = read(&path)? {
                    return Some(Self {
                        shown: shown.join(path).display().to_string(),
                        folder: home.to_owned(),
                        home: home.to_owned(),
                        text,
                        is_built: false,
                        others: Vec::new(),
                    });
                }
            }
        }
        None
    }

    fn built(
        root: &Path,
        shown: &Path,
        home: &Path,
        redirect: &str,
        problems: &mut Problems,
    ) -> Option<Self> {
        let redirect_shown = shown.join(home).join(REDIRECT).display().to_string();
        let document = Document::of_app(&redirect_shown, redirect);
        let (mut path, mut others) = (None, Vec::new());
        for field in fields::of_json(document, redirect, problems)? {
            match &*field.name {
                "configPath" => {
                    let text = problems.keep(|| field.place.clone(), field.content.text())?;
                    path = Some((text, field.place));
                }
                "auxiliaryWorkers" => {
                    let list = field.content.json().ok();
                    let list = list.as_ref().and_then(Value::as_array).into_iter().flatten();
                    others = list.filter_map(|one| Some(one["configPath"].as_str()?.to_owned())).collect();
                }
                _ => {}
            }
        }
        let fix = "build first: npm run build, or delete this file if it is left over from an earlier build";
        let Some((named, place)) = path else {
            problems.add(document.place(0, ""), Flaw::new("does not say `configPath`", fix));
            return None;
        };
        let Some(path) = within(root, &home.join(REDIRECT_FOLDER), &named) else {
            let what = format!("{named:?} leads out of the app's folder");
            problems.add(
                place,
                Flaw::new(what, "serve the folder that holds both, such as that of the workspace"),
            );
            return None;
        };
        let Some(text) = problems.keep(|| Place::file(&shown.join(&path)), read_file(root, &path))? else {
            problems.add(place, Flaw::new(format!("there is no file {}", shown.join(&path).display()), fix));
            return None;
        };
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let shown = shown.join(&path).display().to_string();
        Some(Self { shown, folder, home: home.to_owned(), text, is_built: true, others })
    }
}

/// Reads a file of the app without its byte order mark. Returns `None` if there is no such file.
fn read_file(root: &Path, path: &Path) -> Result<Option<String>, Flaw> {
    let text = read::of_app(root, &path.to_string_lossy(), bounds::APP_FILE)?;
    Ok(text.map(|text| text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)))
}

/// Returns the path that `path` in the folder `folder` means, relative to the app's folder `root`. Returns `None` if it leads out
/// of that.
pub(super) fn within(root: &Path, folder: &Path, path: &str) -> Option<PathBuf> {
    let mut found = PathBuf::new();
    for part in root.join(folder).join(path).strip_prefix(root).ok()?.components() {
        match part {
            Component::Normal(name) => found.push(name),
            Component::CurDir => {}
            Component::ParentDir => found.pop().then_some(())?,
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(found)
}

/// Returns what is wrong with a path that is not [`within`] the app's folder.
pub(super) fn leads_out(path: &str) -> Flaw {
    Flaw::new(format!("{path:?} leads out of the app's folder"), "name a path inside the app's folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_means_one_place_in_the_folder() {
        let within = |folder: &str, path: &str| within(Path::new("/app"), Path::new(folder), path);
        let found = |path: &str| Some(PathBuf::from(path));
        assert_eq!(within("", "./src/./a.js"), found("src/a.js"));
        assert_eq!(
            within(".wrangler/deploy", "../../dist/server/wrangler.json"),
            found("dist/server/wrangler.json")
        );
        assert_eq!(within("dist/server", "../client"), found("dist/client"));
        assert_eq!(within("dist", "/app/x"), found("x"));
        assert_eq!(within("dist", ".."), found(""));
        for out in ["../..", "/etc/passwd", "../../app/x", "a/../../../x"] {
            assert_eq!(within("dist", out), None, "{out}");
        }
    }
}
