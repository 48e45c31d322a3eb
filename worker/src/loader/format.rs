//! Decides whether a file is an ES module or a CommonJS module: by its name, by its package, and at last by its contents.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::root::Root;

/// The format of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Format {
    /// An ES module.
    Module,
    /// A CommonJS module.
    CommonJs,
}

/// The language of a file, by its extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// Runs without translation.
    JavaScript,
    /// Has to be translated: TypeScript, JSX, or both.
    Translated,
}

/// Returns the language of a file, and its format if the extension alone determines it. None if the file is not code.
pub(super) fn of_name(path: &Path) -> Option<(Language, Option<Format>)> {
    Some(match path.extension()?.to_str()? {
        "js" => (Language::JavaScript, None),
        "mjs" => (Language::JavaScript, Some(Format::Module)),
        "cjs" => (Language::JavaScript, Some(Format::CommonJs)),
        "ts" | "tsx" | "jsx" => (Language::Translated, None),
        "mts" => (Language::Translated, Some(Format::Module)),
        "cts" => (Language::Translated, Some(Format::CommonJs)),
        _ => return None,
    })
}

/// What the words of a source text say about its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// All words fit this format.
    Are(Format),
    /// Some words belong to one format and some to the other, so that only a parser can decide.
    Mixed,
}

/// Looks for words that occur only in CommonJS or only in ES modules. Comments and strings count as well, so the words can be
/// mixed.
pub(super) fn words(text: &str, is_in_package: bool) -> Words {
    match (has_commonjs_words(text), has_module_words(text)) {
        (true, true) => Words::Mixed,
        (true, false) => Words::Are(Format::CommonJs),
        (false, true) => Words::Are(Format::Module),
        // A script. In a package it is CommonJS, as in Node.js. In an app it may call addEventListener("fetch", …).
        (false, false) if is_in_package => Words::Are(Format::CommonJs),
        (false, false) => Words::Are(Format::Module),
    }
}

/// Returns whether a text has words of CommonJS.
pub(super) fn has_commonjs_words(text: &str) -> bool {
    ["require", "exports", "module.", "__filename", "__dirname"].iter().any(|word| text.contains(word))
}

fn has_module_words(text: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_' || character == '$';
    ["import", "export", "await"].iter().any(|word| {
        text.match_indices(word).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let mut after = text[at + word.len()..].chars();
            let next = after.next();
            // `import(` occurs in both formats, and `x.import` says nothing.
            let is_whole = !next.is_some_and(is_word) && !before.is_some_and(|c| is_word(c) || c == '.');
            is_whole && !(*word == "import" && after_spaces(next, after) == Some('('))
        })
    })
}

fn after_spaces(next: Option<char>, rest: std::str::Chars<'_>) -> Option<char> {
    next.into_iter().chain(rest).find(|character| !character.is_whitespace())
}

/// The `type` fields of package.json files, each read once.
#[derive(Debug, Default)]
pub(super) struct PackageTypes(RefCell<FxHashMap<PathBuf, bool>>);

impl PackageTypes {
    /// Returns whether the package of a file declares its files to be ES modules.
    pub(super) fn is_module(&self, root: &Root, file: &Path) -> bool {
        let Some(folder) = file.parent().filter(|folder| root.contains(folder)) else { return false };
        if let Some(known) = self.0.borrow().get(folder) {
            return *known;
        }
        let is_module = match root.text(&folder.join("package.json")) {
            Ok(text) => serde_json::from_str::<Package>(&text).is_ok_and(|package| package.is_module()),
            Err(_) => self.is_module(root, folder),
        };
        self.0.borrow_mut().insert(folder.to_owned(), is_module);
        is_module
    }

    pub(super) fn clear(&self) {
        self.0.take();
    }
}

#[derive(Deserialize)]
struct Package {
    r#type: Option<String>,
}

impl Package {
    fn is_module(&self) -> bool {
        self.r#type.as_deref() == Some("module")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_tell_formats_apart() {
        for (text, expected) in [
            ("export default 1", Words::Are(Format::Module)),
            ("import\n{ a } from 'a'", Words::Are(Format::Module)),
            ("const a = import.meta.url", Words::Are(Format::Module)),
            ("await start()", Words::Are(Format::Module)),
            ("addEventListener('fetch', x)", Words::Are(Format::Module)),
            ("const a = require('a'); import ('b')", Words::Are(Format::CommonJs)),
            ("exports.export_ = my.import + reimport", Words::Are(Format::CommonJs)),
            ("var a = require; export { a }", Words::Mixed),
            ("exports.a = async () => await 1", Words::Mixed),
        ] {
            assert_eq!(words(text, false), expected, "{text}");
        }
        assert_eq!(words("self.a = 1", true), Words::Are(Format::CommonJs));
    }
}
