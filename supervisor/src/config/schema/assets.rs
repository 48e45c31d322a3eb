//! The setting `assets`: the static files of an app.

use serde_json::json;
use toml::de::DeValue;

use crate::assets::html::{HtmlHandling, NotFoundHandling};
use crate::assets::routing::{WorkerFirst, WorkerPatterns};
use crate::config::document::value;
use crate::config::errors::Flaw;
use crate::config::setting::json::text;
use crate::config::setting::kinds::{self, choice, table, words};
use crate::config::setting::{Setting, settings};

settings! {
    /// The static files of an app.
    pub(crate) struct AssetSettings {
        /// Folder of the files, relative to the app's folder and inside it.
        directory: String = String::new(), words().required("\"./public\"");

        /// How HTML files are named in URLs. `"auto-trailing-slash"`: `/about.html` is served at `/about` and
        /// `/blog/index.html` at `/blog/`; `"force-trailing-slash"`: both with a slash at the end;
        /// `"drop-trailing-slash"`: both without one; `"none"`: every file only at its own path. Other spellings are
        /// redirected with 307.
        html_handling: HtmlHandling = HtmlHandling::default(), choice();

        /// What answers where there is no file. `"none"`: the worker; `"single-page-application"`: `/index.html` with
        /// 200; `"404-page"`: the nearest `404.html` with 404. The last two stand in for the worker only when a browser
        /// navigates, or if `run_worker_first` has patterns.
        not_found_handling: NotFoundHandling = NotFoundHandling::default(), choice();

        /// Whether requests go to the worker before files are looked for: `true` for all, or a list of paths such as
        /// `["/api/*", "!/api/docs/*"]`, of which those with `!` are answered by files alone.
        run_worker_first: WorkerFirst = WorkerFirst::default(), worker_first();

        /// Name in `env` by which the worker fetches files, such as `"ASSETS"`.
        binding: Option<String> = None, words().optional()
            .by_default("`assets.binding` of the wrangler file, or none");
    }
}

/// The setting `assets`: a table.
pub(crate) fn assets() -> Setting<AssetSettings> {
    table(|_| None, |_, _, _| ())
}

/// A switch, or a list of patterns.
fn worker_first() -> Setting<WorkerFirst> {
    let convert = |found: &DeValue<'_>| match found {
        DeValue::Boolean(_) => Ok(worker_first_of(value::switch(found)?)),
        _ => {
            let list = value::list(found)?;
            let patterns: Result<Vec<_>, _> =
                list.iter().map(|pattern| value::text(pattern.get_ref()).map(str::to_owned)).collect();
            worker_patterns(&patterns?)
        }
    };
    let schema = json!({ "anyOf": [{ "type": "boolean" }, { "type": "array", "items": text() }] });
    kinds::value("switch or list", schema, convert, |first| match first {
        WorkerFirst::Never => json!(false),
        WorkerFirst::Always => json!(true),
        WorkerFirst::Some(patterns) => json!(patterns.written()),
    })
}

/// Converts the form of `run_worker_first` that is true or false.
pub(crate) fn worker_first_of(is_first: bool) -> WorkerFirst {
    if is_first { WorkerFirst::Always } else { WorkerFirst::Never }
}

/// Converts a list of patterns.
///
/// # Errors
/// What is wrong with one of them.
pub(crate) fn worker_patterns(patterns: &[String]) -> Result<WorkerFirst, Flaw> {
    WorkerPatterns::new(patterns).map(WorkerFirst::Some).map_err(|(what, fix)| Flaw::new(what, fix))
}
