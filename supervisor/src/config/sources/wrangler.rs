//! Reads the wrangler file of an app written for Cloudflare Workers: the settings that have a meaning here.

mod fields;

use std::path::Path;

use serde_json::Value;

use crate::config::bounds;
use crate::config::document::section::Document;
use crate::config::env::values::Values;
use crate::config::errors::{Flaw, Place, Problems};
use crate::config::read;
use crate::config::types::app_name::AppName;
use crate::untrusted::visible;
use fields::{Content, Field};

/// Its possible names, in the order in which wrangler looks for them.
const FILES: [&str; 3] = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/// Settings that are ignored without a warning: they concern development, deployment and metrics, and do not change how an app
/// runs.
const QUIET: &[&str] = &[
    "$schema",
    "account_id",
    "compatibility_date",
    "dev",
    "keep_names",
    "keep_vars",
    "logpush",
    "minify",
    "observability",
    "placement",
    "preview_urls",
    "send_metrics",
    "upload_source_maps",
    "usage_model",
    "workers_dev",
];

/// Settings that have a replacement here, and the replacement.
const OTHERWISE: &[(&str, &str)] = &[
    ("limits", "`cpu_time`"),
    ("route", "`hosts` and `port`"),
    ("routes", "`hosts` and `port`"),
    ("triggers", "a timer that asks a path of it"),
];

/// Compatibility flags for behaviour that every app has here. So are all flags about Node.js.
const STANDARD_FLAGS: &[&str] = &[
    "fetch_refuses_unknown_protocols",
    "formdata_parser_supports_files",
    "global_navigator",
    "http_headers_getsetcookie",
    "streams_enable_constructors",
    "transformstream_enable_standard_constructor",
    "url_standard",
    "urlsearchparams_delete_has_value_arg",
];

/// The settings of a wrangler file that have a meaning here.
#[derive(Debug, Default)]
pub(crate) struct Wrangler {
    /// The valid app name that is closest to the name in the file.
    pub(crate) name: Option<AppName>,
    /// The entry module.
    pub(crate) main: Option<(String, Place)>,
    /// The variables.
    pub(crate) vars: Values,
    /// One line that names the ignored settings.
    pub(crate) warning: Option<String>,
}

impl Wrangler {
    /// Reads the wrangler file in the folder `root`, which has no symlinks. `shown` is the path of the folder as people know it.
    pub(crate) fn read(root: &Path, shown: &Path, problems: &mut Problems) -> Self {
        for file in FILES {
            let path = shown.join(file);
            let text = read::of_app(root, file, bounds::APP_FILE);
            match problems.keep(|| Place::file(&path), text) {
                Some(None) => {}
                Some(Some(text)) => return Self::parse(&path.display().to_string(), &text, problems),
                None => break,
            }
        }
        Self::default()
    }

    fn parse(file: &str, text: &str, problems: &mut Problems) -> Self {
        let document = Document::of_app(file, text);
        let is_toml = Path::new(file).extension().is_some_and(|extension| extension == "toml");
        let parse = if is_toml { fields::of_toml } else { fields::of_json };
        let mut wrangler = Self::default();
        let (mut ignored, mut otherwise) = (Vec::new(), Vec::new());
        for Field { name, place, content } in parse(document, text, problems).unwrap_or_default() {
            match (&*name, content) {
                ("name", content) => {
                    let name = problems.keep(|| place, words(content));
                    wrangler.name = name.map(|name| AppName::from_folder(&name));
                }
                ("main", content) => {
                    let main = problems.keep(|| place.clone(), words(content));
                    wrangler.main = main.map(|main| (main, place));
                }
                ("vars", Content::Table(vars)) => wrangler.add_vars(vars, problems),
                ("vars", _) => {
                    let fix =
                        "write a table: NAME = \"value\" below [vars], or \"vars\": { \"NAME\": \"value\" }";
                    problems.add(place, Flaw::new("is not a table", fix));
                }
                ("compatibility_flags", content) => {
                    let flags = problems.keep(|| place, list(content)).unwrap_or_default();
                    let unknown = flags.into_iter().filter(|flag| !is_standard(flag));
                    ignored.extend(unknown.map(|flag| format!("compatibility flag {flag}")));
                }
                ("env", Content::Table(environments)) => {
                    ignored.extend(
                        environments.into_iter().map(|environment| format!("env.{}", environment.name)),
                    );
                }
                (name, _) if QUIET.contains(&name) => {}
                _ => match OTHERWISE.iter().find(|(known, _)| *known == name) {
                    Some((name, here)) => otherwise.push(format!("{name} (by {here})")),
                    None => ignored.push(name),
                },
            }
        }
        let whys =
            [("it is set otherwise here", otherwise), ("nano-supervisor has nothing like it", ignored)];
        let parts = whys.into_iter().filter(|(_, names)| !names.is_empty());
        let parts: Vec<_> =
            parts.map(|(why, names)| format!("ignored, because {why}: {}", names.join(", "))).collect();
        if !parts.is_empty() {
            wrangler.warning = Some(visible::line(&format!("{file}: {}", parts.join("; "))).into_owned());
        }
        wrangler
    }

    fn add_vars(&mut self, vars: Vec<Field>, problems: &mut Problems) {
        for Field { name, place, content } in vars {
            let Content::Value(value) = content else { continue };
            if let Some(value) = problems.keep(|| place, value) {
                self.vars.0.insert(name, value);
            }
        }
    }
}

fn is_standard(flag: &str) -> bool {
    flag.starts_with("nodejs_") || flag.starts_with("enable_nodejs_") || STANDARD_FLAGS.contains(&flag)
}

/// Reads a field that must be text.
fn words(content: Content) -> Result<String, Flaw> {
    match content {
        Content::Value(Ok(Value::String(text))) => Ok(text),
        _ => Err(Flaw::new("is not text", "write it in quotes")),
    }
}

/// Reads a field that must be a list of texts.
fn list(content: Content) -> Result<Vec<String>, Flaw> {
    let words = match content {
        Content::Value(Ok(Value::Array(list))) => {
            list.into_iter().map(|item| words(Content::Value(Ok(item)))).collect::<Result<_, _>>().ok()
        }
        _ => None,
    };
    words.ok_or_else(|| Flaw::new("is not a list of texts", "write it as [\"nodejs_compat\"]"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    /// Returns what is read from the wrangler file among these files, and the problems.
    fn read(files: &[(&str, &str)]) -> (Wrangler, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let mut problems = Problems::default();
        let root = dir.path().canonicalize().unwrap();
        (Wrangler::read(&root, Path::new("app"), &mut problems), problems.texts())
    }

    #[test]
    fn toml_and_json_say_the_same() {
        let toml = "name = 'My Worker'\nmain = 'src/index.ts'\ncompatibility_date = '2025-01-01'\n\
                    compatibility_flags = ['nodejs_compat', 'odd']\nroutes = ['example.com/*']\n\
                    [vars]\nT = 'x'\nN = 1\nB = true\nO = { a = { b = [1] } }\n\
                    [[kv_namespaces]]\nbinding = 'KV'\n[env.staging]\nname = 's'\n[env.prod]\n[triggers]\ncrons = []";
        let json = r#"{
            "$schema": "x", // a comment
            "name": "My Worker", "main": "src/index.ts", "compatibility_date": "2025-01-01",
            "compatibility_flags": ["nodejs_compat", "odd"],
            "routes": ["example.com/*"],
            "vars": { "T": "x", "N": 1, "B": true, "O": { "a": { "b": [1] } } },
            "kv_namespaces": [{ "binding": "KV" }],
            "env": { "staging": { "name": "s" }, "prod": {} },
            "triggers": { "crons": [] },
        }"#;
        for (file, text) in [("wrangler.toml", toml), ("wrangler.jsonc", json), ("wrangler.json", json)] {
            let (found, problems) = read(&[(file, text)]);
            assert_eq!(problems, [""; 0]);
            assert_eq!(found.name.unwrap().as_str(), "my-worker");
            assert_eq!(found.main.unwrap().0, "src/index.ts");
            let vars = json!({ "T": "x", "N": 1, "B": true, "O": { "a": { "b": [1] } } });
            assert_eq!(json!(found.vars.0), vars);
            assert_eq!(
                found.warning.unwrap(),
                format!(
                    "app/{file}: ignored, because it is set otherwise here: routes (by `hosts` and `port`), triggers (by a \
                     timer that asks a path of it); ignored, because nano-supervisor has nothing like it: \
                     compatibility flag odd, kv_namespaces, env.staging, env.prod"
                )
            );
        }
    }

    #[test]
    fn wrangler_looks_at_json_first() {
        let files = [("wrangler.toml", "name = 'toml'"), ("wrangler.json", "{ \"name\": \"json\" }")];
        assert_eq!(read(&files).0.name.unwrap().as_str(), "json");
        let (found, problems) = read(&[]);
        assert!(
            found.name.is_none() && found.main.is_none() && found.warning.is_none() && problems.is_empty()
        );
    }

    #[test]
    fn mistakes_name_file_line_and_field() {
        for (file, text, expected) in [
            ("wrangler.toml", "name = 'x'\nmain = ", "app/wrangler.toml:2: syntax: "),
            (
                "wrangler.toml",
                "\nmain = 1",
                "app/wrangler.toml:2: main: is not text; fix: write it in quotes",
            ),
            ("wrangler.toml", "name = []", "app/wrangler.toml:1: name: is not text; fix: write it in quotes"),
            ("wrangler.toml", "vars = 1", "app/wrangler.toml:1: vars: is not a table; fix: write a table"),
            (
                "wrangler.toml",
                "[vars]\nA = 1\nB = inf",
                "app/wrangler.toml:3: vars.B: JSON has no number inf; fix: write it as text: \"inf\"",
            ),
            (
                "wrangler.jsonc",
                "{\n  \"main\": \"a.js\"\n  \"name\": \"x\"\n}",
                "app/wrangler.jsonc:2: syntax: Expected comma; fix: correct the JSON of this line",
            ),
            (
                "wrangler.jsonc",
                "{\n  \"compatibility_flags\": [1]\n}",
                "app/wrangler.jsonc:2: compatibility_flags: is not a list of texts; fix: write it as [\"nodejs_compat\"]",
            ),
            (
                "wrangler.json",
                "[]",
                "app/wrangler.json:1: is not an object; fix: write the settings in braces",
            ),
            ("wrangler.json", "", "app/wrangler.json:1: is not an object; fix: write the settings in braces"),
        ] {
            let (_, problems) = read(&[(file, text)]);
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with(expected), "{problems:?}");
        }
    }

    #[test]
    fn what_changes_nothing_is_not_mentioned() {
        let text = "compatibility_flags = ['nodejs_compat_v2', 'enable_nodejs_http_modules', 'global_navigator']\n\
                    compatibility_date = 2025-01-01\nworkers_dev = true\n[observability]\nenabled = true";
        let (found, problems) = read(&[("wrangler.toml", text)]);
        assert_eq!((found.warning, problems), (None, vec![]));
    }
}
