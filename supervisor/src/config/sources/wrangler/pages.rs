//! A build for Cloudflare Pages: a folder of static files, perhaps with a worker and with rules that say what the worker answers.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::assets::html::NotFoundHandling;
use crate::assets::routing::{WorkerFirst, WorkerPatterns};
use crate::config::bounds;
use crate::config::errors::{Flaw, Place, Problems};
use crate::config::read;
use crate::config::schema::assets::AssetSettings;

/// The worker: a file, or a folder of modules.
const WORKER: &str = "_worker.js";

/// The sources of a worker that wrangler compiles.
const FUNCTIONS: &str = "functions";

/// The file that says which requests the worker answers.
const ROUTES: &str = "_routes.json";

/// The page for what is not there. Without it, the files are those of an app that has one page for every path.
const NOT_FOUND: &str = "404.html";

/// The name in `env` by which the worker fetches files.
const BINDING: &str = "ASSETS";

/// Most rules of [`ROUTES`], and the greatest length of one, in characters.
const MOST: usize = 100;

/// What a build consists of.
#[derive(Debug)]
pub(super) struct PagesBuild {
    pub(super) assets: AssetSettings,
    /// Whether there is a worker, or sources of one.
    pub(super) has_worker: bool,
}

impl PagesBuild {
    /// Reads the build in `folder`, relative to the app's folder `root`, which is shown as `shown`.
    pub(super) fn read(root: &Path, shown: &Path, folder: &Path, problems: &mut Problems) -> Self {
        let routes = folder.join(ROUTES);
        let mut assets =
            AssetSettings { directory: folder.to_string_lossy().into_owned(), ..AssetSettings::default() };
        assets.not_found_handling = match root.join(folder).join(NOT_FOUND).is_file() {
            true => NotFoundHandling::NotFoundPage,
            false => NotFoundHandling::SinglePageApplication,
        };
        let has_built = root.join(folder).join(WORKER).exists();
        if has_built {
            let text = read::of_app(root, &routes.to_string_lossy(), bounds::APP_FILE);
            let first = text.and_then(|text| text.as_deref().map_or(Ok(WorkerFirst::Always), worker_first));
            assets.run_worker_first =
                problems.keep(|| Place::file(&shown.join(&routes)), first).unwrap_or_default();
        }
        let has_worker = has_built || root.join(FUNCTIONS).is_dir();
        assets.binding = has_worker.then(|| BINDING.to_owned());
        Self { assets, has_worker }
    }

    /// Returns the folder, if there is a worker in it or for it.
    pub(super) fn worker(&self) -> Option<PathBuf> {
        self.has_worker.then(|| self.assets.directory.clone().into())
    }
}

/// Reads the rules of a text.
fn worker_first(text: &str) -> Result<WorkerFirst, Flaw> {
    let fix = "write { \"version\": 1, \"include\": [\"/*\"], \"exclude\": [\"/assets/*\"] }";
    let flaw = |what: String| Flaw::new(what, fix);
    let routes: Value =
        serde_json::from_str(text).map_err(|error| flaw(format!("is not valid JSON: {error}")))?;
    let rules = |name: &str| -> Result<Vec<&str>, Flaw> {
        let list = routes[name].as_array().ok_or_else(|| flaw(format!("has no list `{name}`")))?;
        let rules: Option<Vec<_>> = list.iter().map(Value::as_str).collect();
        let rules =
            rules.filter(|rules| rules.iter().all(|rule| rule.starts_with('/') && rule.len() <= MOST));
        rules.ok_or_else(|| flaw(format!("`{name}` has a rule that is no path of at most {MOST} characters")))
    };
    let (include, exclude) = (rules("include")?, rules("exclude")?);
    if routes["version"] != 1 || include.is_empty() || include.len() + exclude.len() > MOST {
        return Err(flaw(format!(
            "is not version 1, or has no rule in `include`, or more than {MOST} rules"
        )));
    }
    let patterns = |rules: Vec<&str>| rules.into_iter().flat_map(patterns).collect();
    Ok(WorkerFirst::Some(WorkerPatterns::of(patterns(include), patterns(exclude))))
}

/// Returns the patterns that a rule means: `/foo/*` is also `/foo`, and `/foo` also `/foo/`.
fn patterns(rule: &str) -> Vec<String> {
    let other = match rule {
        "/" | "/*" => None,
        _ if rule.ends_with("/*") => rule.strip_suffix("/*").map(str::to_owned),
        _ if rule.ends_with('*') => None,
        _ if rule.ends_with('/') => rule.strip_suffix('/').map(str::to_owned),
        _ => Some(format!("{rule}/")),
    };
    [rule.to_owned()].into_iter().chain(other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::routing::Answerer;

    #[test]
    fn rules_say_who_answers_as_on_pages() {
        let first = |text: &str| worker_first(text).unwrap();
        let some = first(
            r#"{ "version": 1, "include": ["/api/*", "/one"], "exclude": ["/api/docs/*", "/api/*.ico"] }"#,
        );
        for (path, expected) in [
            ("/api", Answerer::Worker),
            ("/api/x/y", Answerer::Worker),
            ("/one", Answerer::Worker),
            ("/one/", Answerer::Worker),
            ("/one/two", Answerer::Either),
            ("/apis", Answerer::Either),
            ("/api/docs", Answerer::Files),
            ("/api/docs/a", Answerer::Files),
            ("/api/x.ico", Answerer::Files),
        ] {
            assert_eq!(some.of(path), expected, "{path}");
        }
        let all = first(r#"{ "version": 1, "include": ["/*"], "exclude": [] }"#);
        assert_eq!((all.of("/"), all.of("/x.css")), (Answerer::Worker, Answerer::Worker));
    }

    #[test]
    fn rules_that_pages_refuses_are_refused() {
        let many =
            format!(r#"{{ "version": 1, "include": ["/*"], "exclude": [{}"/x"] }}"#, "\"/y\",".repeat(99));
        let long = format!(r#"{{ "version": 1, "include": ["/{}"], "exclude": [] }}"#, "x".repeat(100));
        for text in [
            "",
            "[]",
            "{}",
            r#"{ "version": 1, "include": ["/*"] }"#,
            r#"{ "version": 2, "include": ["/*"], "exclude": [] }"#,
            r#"{ "version": 1, "include": [], "exclude": [] }"#,
            r#"{ "version": 1, "include": ["x"], "exclude": [] }"#,
            r#"{ "version": 1, "include": [1], "exclude": [] }"#,
            &many,
            &long,
        ] {
            assert!(worker_first(text).is_err(), "{text}");
        }
    }
}
