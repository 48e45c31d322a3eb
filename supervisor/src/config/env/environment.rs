//! Builds an app's `env` from values of configuration files, files of variables, and secret files.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::dotenv;
use super::values::Values;
use crate::config::errors::{ConfigErrors, Flaw, Origin, Place, Problems};
use crate::config::{bounds, read};

/// Returns the files of variables that an app's folder may contain, in order of increasing precedence. Of those that stand
/// together, only the first that exists is read. `home` is the folder in which they lie, relative to the app's folder, and
/// `environment` the environment of its wrangler file.
pub(crate) fn app_files(home: &Path, environment: Option<&str>) -> Vec<Vec<PathBuf>> {
    let (env, dev) = (home.join(".env"), home.join(".dev.vars"));
    match environment {
        None => vec![vec![env], vec![dev]],
        Some(name) => {
            let [of_env, of_dev] = [".env", ".dev.vars"].map(|file| home.join(format!("{file}.{name}")));
            vec![vec![env], vec![of_env], vec![of_dev, dev]]
        }
    }
}

/// The sources of an app's `env`. The files are read again for each worker that an operator asks for, so that a restart picks up
/// changes.
#[derive(Debug, Clone)]
pub(crate) struct EnvSources {
    /// The place of problems that concern all sources together.
    place: Place,
    /// The app's folder.
    root: PathBuf,
    /// The path of that folder as people know it.
    shown: PathBuf,
    /// The sources, in order of increasing precedence.
    layers: Vec<Layer>,
}

/// Ignores places: an app does not change if lines are added above it in the file.
impl PartialEq for EnvSources {
    fn eq(&self, other: &Self) -> bool {
        (&self.root, &self.shown, &self.layers) == (&other.root, &other.shown, &other.layers)
    }
}

impl PartialEq for Layer {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Values(one), Self::Values(other)) => one == other,
            (Self::AppFiles(one), Self::AppFiles(other)) => one == other,
            (Self::File(one, _), Self::File(other, _)) | (Self::Folder(one, _), Self::Folder(other, _)) => {
                one == other
            }
            (Self::Secret(name, one, _), Self::Secret(other_name, other, _)) => {
                (name, one) == (other_name, other)
            }
            _ => false,
        }
    }
}

/// One source of variables. Each takes precedence over those before it.
#[derive(Debug, Clone)]
enum Layer {
    Values(Values),
    /// Files in the app's folder. None of them need exist, and only the first that does is read.
    AppFiles(Vec<PathBuf>),
    File(PathBuf, Place),
    Folder(PathBuf, Place),
    Secret(String, PathBuf, Place),
}

/// The variables of one worker: names, and values as JSON text. Its `Debug` output shows only the names.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Returns whether there is a variable of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Returns the variables, sorted by name.
    pub(crate) fn into_pairs(self) -> Vec<(String, String)> {
        self.0.into_iter().collect()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Names of variables, and the files that contain their values.
pub(crate) type Secrets = Vec<(String, PathBuf, Place)>;

/// What an app's section specifies about its `env`.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) values: Values,
    pub(crate) files: Vec<(PathBuf, Place)>,
    pub(crate) folder: Option<(PathBuf, Place)>,
    pub(crate) secrets: Secrets,
}

impl EnvSources {
    /// Collects the sources of the app in `root`, which has no symlinks and is shown as `shown`. `files` are its
    /// [`app_files`], and `vars` those of its wrangler file. Problems that concern all sources together are reported at `place`.
    pub(crate) fn new(
        root: &Path,
        shown: &Path,
        place: Place,
        files: Vec<Vec<PathBuf>>,
        vars: Values,
        given: Given,
    ) -> Self {
        let mut layers = vec![Layer::Values(vars)];
        layers.extend(files.into_iter().map(Layer::AppFiles));
        layers.extend(given.files.into_iter().map(|(path, place)| Layer::File(path, place)));
        layers.push(Layer::Values(given.values));
        layers.extend(given.folder.map(|(path, place)| Layer::Folder(path, place)));
        layers.extend(given.secrets.into_iter().map(|(name, path, place)| Layer::Secret(name, path, place)));
        Self { place, root: root.to_owned(), shown: shown.to_owned(), layers }
    }

    /// Reads all files and merges the variables.
    ///
    /// # Errors
    /// If a file cannot be read. No value is in the messages.
    pub(crate) fn load(&self) -> Result<Environment, ConfigErrors> {
        let mut problems = Problems::default();
        let environment = self.read(&mut problems);
        problems.or(environment)
    }

    /// Like [`Self::load`], but records problems in `problems`.
    pub(crate) fn read(&self, problems: &mut Problems) -> Environment {
        let mut found = BTreeMap::new();
        for layer in &self.layers {
            match layer {
                Layer::Values(values) => {
                    found.extend(values.0.iter().map(|(name, value)| (name.clone(), value.to_string())));
                }
                Layer::AppFiles(names) => {
                    for name in names {
                        let path = self.shown.join(name);
                        let text = read::of_app(&self.root, &name.to_string_lossy(), bounds::ENV_FILE);
                        let Some(text) = problems.keep(|| Place::file(&path), text) else { break };
                        if let Some(text) = text {
                            found.extend(variables(&path, &text, problems));
                            break;
                        }
                    }
                }
                Layer::File(path, place) => {
                    let text = read::regular(path, bounds::ENV_FILE);
                    let text = problems.keep(|| place.clone(), text.map_err(|flaw| naming(path, &flaw)));
                    found.extend(text.map(|text| variables(path, &text, problems)).unwrap_or_default());
                }
                Layer::Folder(path, place) => {
                    let paths = secret_files(path).map_err(|error| naming(path, &read::unreadable(&error)));
                    for (name, path) in problems.keep(|| place.clone(), paths).unwrap_or_default() {
                        let value = secret(&path).map_err(|flaw| naming(&path, &flaw));
                        let value = problems.keep(|| place.clone(), value);
                        found.extend(value.map(|value| (name, value)));
                    }
                }
                Layer::Secret(name, path, place) => {
                    // The path is not shown: it may be the secret itself, written in the wrong place.
                    let value = problems.keep(|| place.clone(), secret(path));
                    found.extend(value.map(|value| (name.clone(), value)));
                }
            }
        }
        let size: usize =
            found.iter().map(|(name, value)| name.len() + value.len() + bounds::ENV_ENTRY).sum();
        if size > bounds::ENV {
            let fix =
                format!("keep it below {} bytes; have the app import larger data as a file", bounds::ENV);
            problems
                .add(self.place.clone(), Flaw::new(format!("env is too large: {size} bytes as JSON"), fix));
        }
        Environment(found)
    }
}

/// Parses the variables of a file. The values are JSON text.
fn variables(path: &Path, text: &str, problems: &mut Problems) -> Vec<(String, String)> {
    match dotenv::parse(text) {
        Ok(found) => {
            found.into_iter().map(|(name, value)| (name, Value::String(value).to_string())).collect()
        }
        Err(fault) => {
            let shown = path.display().to_string();
            problems.add(Place::line(Origin::App, &shown, fault.line, &fault.name), fault.flaw);
            Vec::new()
        }
    }
}

/// Reads a secret as JSON text: the contents of the file, without the line end that editors and `echo` add.
fn secret(path: &Path) -> Result<String, Flaw> {
    let text = read::regular(path, bounds::SECRET_FILE)?;
    let text = text.strip_suffix('\n').map_or(&*text, |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(Value::from(text).to_string())
}

/// Lists the secret files that Docker or Kubernetes has mounted in a folder, by name. Names that begin with a dot are skipped:
/// Kubernetes uses them to replace all files at once.
fn secret_files(folder: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // A dangling link is kept: reading it reports the missing secret.
        if !name.starts_with('.') && !entry.path().is_dir() {
            files.insert(name, entry.path());
        }
    }
    Ok(files)
}

/// Adds the path to a flaw of a file that is not named by the place of the problem.
fn naming(path: &Path, flaw: &Flaw) -> Flaw {
    Flaw::new(format!("{}: {}", path.display(), flaw.what()), flaw.fix())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tempfile::TempDir;

    use super::*;

    const SECRET: &str = "hunter2";

    /// Creates a folder with these files. Those below `app` are the app's.
    fn folder(files: &[(&str, &str)]) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("app/index.js", "")].iter().chain(files) {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    /// Returns the sources of the app in `dir`, with what its section specifies and with these `vars`.
    fn sources(dir: &TempDir, given: Given, vars: &Value) -> EnvSources {
        let root = dir.path().canonicalize().unwrap().join("app");
        let place = Place::line(Origin::Config, "nano.toml", 1, "");
        EnvSources::new(&root, Path::new("app"), place, app_files(Path::new(""), None), values(vars), given)
    }

    fn values(json: &Value) -> Values {
        Values(json.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// Returns a file in `dir` that is named in this line of the configuration.
    fn at(dir: &TempDir, path: &str, line: usize, field: &str) -> (PathBuf, Place) {
        (dir.path().join(path), Place::line(Origin::Config, "nano.toml", line, field))
    }

    fn secret_at(dir: &TempDir, name: &str, path: &str, line: usize) -> (String, PathBuf, Place) {
        let (path, place) = at(dir, path, line, &format!("secrets.{name}"));
        (name.to_owned(), path, place)
    }

    fn loaded(sources: &EnvSources) -> Value {
        let pairs = sources.load().unwrap().into_pairs().into_iter();
        let parsed = pairs.map(|(name, value)| (name, serde_json::from_str(&value).unwrap()));
        Value::Object(parsed.collect())
    }

    fn problems(dir: &TempDir, sources: &EnvSources) -> String {
        sources.load().unwrap_err().lines().replace(dir.path().to_str().unwrap(), "DIR")
    }

    #[test]
    fn each_source_outranks_those_before_it() {
        let dir = folder(&[
            ("app/.env", "B=env\nC=env\nD=env\nE=env\nF=env\nG=env"),
            ("app/.dev.vars", "C=dev\nD=dev\nE=dev\nF=dev\nG=dev"),
            ("one", "D=one\nE=one\nF=one\nG=one"),
            ("two", "E=two\nF=two\nG=two"),
            ("all/G", "dir"),
            ("all/H", "dir"),
            ("all/..data/x", "dir"),
            ("all/.hidden", "dir"),
            ("h", "file"),
        ]);
        let given = Given {
            values: values(&json!({ "F": ["config"], "G": 1 })),
            files: ["one", "two"].map(|file| at(&dir, file, 1, "env_files")).into(),
            folder: Some(at(&dir, "all", 2, "secrets_dir")),
            secrets: vec![secret_at(&dir, "H", "h", 4)],
        };
        let vars = json!({ "A": { "x": 1 }, "B": "vars", "C": "vars" });
        assert_eq!(
            loaded(&sources(&dir, given, &vars)),
            json!({
                "A": { "x": 1 }, "B": "env", "C": "dev", "D": "one", "E": "two", "F": ["config"], "G": "dir",
                "H": "file",
            })
        );
    }

    #[test]
    fn files_are_read_anew_each_time_and_lose_one_line_end() {
        let dir = folder(&[("s", "first\n\n")]);
        let given = Given { secrets: vec![secret_at(&dir, "S", "s", 1)], ..Given::default() };
        let sources = sources(&dir, given, &json!({}));
        assert_eq!(loaded(&sources), json!({ "S": "first\n" }));
        fs::write(dir.path().join("s"), "second\r\n").unwrap();
        fs::write(dir.path().join("app/.env"), "T=1").unwrap();
        assert_eq!(loaded(&sources), json!({ "S": "second", "T": "1" }));
        fs::remove_file(dir.path().join("s")).unwrap();
        assert!(sources.load().is_err());
    }

    #[test]
    fn what_cannot_be_read_is_named_and_no_value_is() {
        let dir = folder(&[
            ("app/.env", "A=hunter2\nB='hunter2"),
            ("app/.dev.vars", "hunter2"),
            ("all/ok", SECRET),
            ("broken", "=hunter2"),
        ]);
        fs::write(dir.path().join("all/binary"), b"hunter2\xff").unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("all/dangling")).unwrap();
        let given = Given {
            values: Values::default(),
            files: vec![at(&dir, "broken", 2, "env_files"), at(&dir, "none", 3, "env_files")],
            folder: Some(at(&dir, "all", 5, "secrets_dir")),
            secrets: vec![secret_at(&dir, "X", "x", 6), secret_at(&dir, "Y", "all", 7)],
        };
        let sources = sources(&dir, given, &json!({}));
        assert_eq!(
            problems(&dir, &sources),
            "nano.toml:3: env_files: DIR/none: there is no such file; fix: create it, or correct the path\n\
             nano.toml:5: secrets_dir: DIR/all/binary: is not UTF-8 text; fix: save it as UTF-8\n\
             nano.toml:5: secrets_dir: DIR/all/dangling: there is no such file; fix: create it, or correct the path\n\
             nano.toml:6: secrets.X: there is no such file; fix: create it, or correct the path\n\
             nano.toml:7: secrets.Y: is a folder; fix: name a file\n\
             app/.env:2: B: has a quote that is not closed; fix: close it\n\
             app/.dev.vars:1: is no line of the form NAME=value; fix: write it as NAME=value\n\
             DIR/broken:1: has no usable name before its =; fix: use A-Z, a-z, 0-9, '_', '-' and '.', and put a value \
             of several lines in quotes"
        );
    }

    #[test]
    fn a_missing_folder_of_secrets_is_reported() {
        let dir = folder(&[]);
        let given = Given { folder: Some(at(&dir, "none", 1, "secrets_dir")), ..Given::default() };
        let sources = sources(&dir, given, &json!({}));
        assert_eq!(
            problems(&dir, &sources),
            "nano.toml:1: secrets_dir: DIR/none: there is no such file; fix: create it, or correct the path"
        );
    }

    #[test]
    fn all_sources_together_are_bounded() {
        let half = "x".repeat(bounds::ENV / 2);
        let dir = folder(&[("app/.env", &format!("A={half}")), ("s", &half)]);
        let given = Given { secrets: vec![secret_at(&dir, "B", "s", 1)], ..Given::default() };
        let text = problems(&dir, &sources(&dir, given, &json!({})));
        assert!(text.starts_with("nano.toml:1: env is too large: 524"), "{text}");
    }

    #[test]
    fn debug_output_shows_names_only() {
        let dir = folder(&[("app/.env", "A=hunter2"), ("s", SECRET)]);
        let given = Given {
            values: values(&json!({ "B": SECRET })),
            secrets: vec![secret_at(&dir, "C", "s", 1)],
            ..Given::default()
        };
        let sources = sources(&dir, given, &json!({ "D": SECRET }));
        let shown = format!("{sources:?}{:?}", sources.load());
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(shown.ends_with("Ok({\"A\", \"B\", \"C\", \"D\"})"), "{shown}");
    }
}
