//! CommonJS modules as ES modules, and what `require()` needs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use deno_error::JsErrorBox;

use super::COMMONJS;
use super::assets;
use super::format::Format;
use super::modules::{Modules, Refusal};
use super::resolver::{Found, Importer};
use crate::ext::commonjs_ops::{RequireHost, RequiredKind};

/// Marks the frames of a facade as internal: it bears the URL of a module of the app.
pub(super) const END_OF_FACADE: &str = "\n//# sourceURL=ext:nano_worker/facade.js";

/// A JavaScript string literal.
pub(super) fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl Modules {
    /// The ES module by which others import a CommonJS one: it runs it, and exports what that exports.
    pub(super) fn commonjs_facade(&self, path: &Path, code: &str) -> String {
        let mut names = BTreeSet::new();
        self.collect_exports(path, code, &mut names, &mut BTreeSet::new());
        let names: Vec<_> = names
            .iter()
            .filter(|name| !matches!(name.as_str(), "default" | "module.exports"))
            .map(|name| literal(name))
            .collect();
        let mut facade = format!(
            "import {{ evaluate }} from {}; const $ = evaluate({}, [{}]); const $_ = $.default; \
             export {{ $_ as default, $_ as \"module.exports\" }};",
            literal(COMMONJS),
            literal(&path.display().to_string()),
            names.join(", ")
        );
        for (number, name) in names.iter().enumerate() {
            facade.push_str(&format!(" const $_{number} = $[{name}]; export {{ $_{number} as {name} }};"));
        }
        facade + END_OF_FACADE
    }

    /// Adds what a module exports, itself and by taking over from others.
    fn collect_exports(
        &self,
        path: &Path,
        code: &str,
        names: &mut BTreeSet<String>,
        visited: &mut BTreeSet<PathBuf>,
    ) {
        if !visited.insert(path.to_owned()) {
            return;
        }
        let exports = self.exports(path, code);
        names.extend(exports.names);
        for specifier in exports.from {
            // What cannot be found will be reported when it is required.
            let Ok(Found::File { path, .. }) = self.resolver.find(&specifier, path, Importer::CommonJs)
            else {
                continue;
            };
            if let Ok(code) = self.code(&path)
                && code.format == Format::CommonJs
            {
                self.collect_exports(&path, &code.text, names, visited);
            }
        }
    }
}

impl RequireHost for Modules {
    fn resolve(&self, specifier: &str, from: &str) -> Result<String, JsErrorBox> {
        let from = Path::new(from);
        match self.resolver.find(specifier, from, Importer::CommonJs) {
            Ok(Found::File { path, .. }) => Ok(path.display().to_string()),
            Ok(Found::Builtin(name)) => Ok(name.to_owned()),
            Ok(Found::LeftOut) => Ok(String::new()),
            Err(mut text) => {
                self.root.point_at_import(&mut text, from, specifier);
                Err(JsErrorBox::generic(text))
            }
        }
    }

    fn kind(&self, file: &str) -> Result<RequiredKind, JsErrorBox> {
        let path = Path::new(file);
        if let Some(kind) = assets::kind(path) {
            return Ok(kind);
        }
        match self.format(path).map_err(thrown)? {
            Format::CommonJs => Ok(RequiredKind::CommonJs),
            Format::Module => Ok(RequiredKind::Module),
        }
    }

    fn text(&self, file: &str) -> Result<String, JsErrorBox> {
        let path = Path::new(file);
        match assets::kind(path) {
            Some(RequiredKind::Json) => assets::json(&self.root, path).map_err(JsErrorBox::type_error),
            Some(_) => self.root.text(path).map_err(JsErrorBox::type_error),
            None => Ok(self.code(path).map_err(thrown)?.text),
        }
    }

    fn bytes(&self, file: &str) -> Result<Vec<u8>, JsErrorBox> {
        let path = Path::new(file);
        let bytes = match assets::kind(path) {
            Some(RequiredKind::Wasm) => assets::wasm(&self.root, path),
            _ => self.root.bytes(path),
        };
        bytes.map_err(JsErrorBox::type_error)
    }

    fn url(&self, file: &str) -> Result<String, JsErrorBox> {
        self.root.url(Path::new(file)).map(String::from).map_err(JsErrorBox::type_error)
    }
}

fn thrown(refusal: Refusal) -> JsErrorBox {
    match refusal {
        Refusal::Syntax(text) => JsErrorBox::new("SyntaxError", text),
        Refusal::Other(text) => JsErrorBox::type_error(text),
    }
}
