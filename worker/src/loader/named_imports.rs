//! Finds the names that a module imports from another one in its source text.
//!
//! The exports of a CommonJS module are known for certain only after it has run. Bundlers accept any import from it, because they
//! look a name up only when it is used. So the facade of a CommonJS module also exports the names that an importer wants, whether
//! they are found in the text of the CommonJS module or not.

use std::collections::BTreeSet;

/// Returns the names in `import { … } from "specifier"` and `export { … } from "specifier"`.
pub(super) fn of(source: &str, specifier: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for quote in ['"', '\''] {
        for (at, _) in source.match_indices(&format!("{quote}{specifier}{quote}")) {
            if let Some(list) = list_before(&source[..at]) {
                names.extend(without_comments(list).split(',').filter_map(name));
            }
        }
    }
    names
}

/// Returns the text between the braces of `{ … } from`, at the end of `text`.
fn list_before(text: &str) -> Option<&str> {
    let text = text.trim_end().strip_suffix("from")?.trim_end().strip_suffix('}')?;
    let list = &text[text.rfind('{')? + 1..];
    (!list.contains(['}', ';'])).then_some(list)
}

fn without_comments(list: &str) -> String {
    list.lines().map(|line| line.split("//").next().unwrap_or(line)).collect::<Vec<_>>().join(" ")
}

/// Returns the imported name of an item such as `name`, `name as other` or `type Name`.
fn name(item: &str) -> Option<String> {
    let name = item.split_whitespace().find(|word| *word != "type")?;
    is_identifier(name).then(|| name.to_owned())
}

/// Returns whether a name is a plain identifier other than `default`.
pub(super) fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    name != "default"
        && characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_' || first == '$')
        && characters.all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_off_imports_and_exports() {
        let source = "import all, { a, b as c, default as d, type E } from 'x';
            import { f, // a comment, of course
                g, } from \"x\";
            import{$h as e}from'x';export { i } from 'x'; import { other } from 'y';
            import j from 'x'; import * as k from 'x'; import 'x'; import('x'); f('x'); } from 'x';";
        let names: Vec<_> = of(source, "x").into_iter().collect();
        assert_eq!(names, ["$h", "E", "a", "b", "f", "g", "i"]);
        assert!(of(source, "z").is_empty());
    }
}
