//! What files are as modules where the app says so, by patterns of their paths.

use std::path::Path;

use nano_protocol::message::{ModuleKind, ModuleRule};

/// The rules of an app. The first that fits a file counts.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    /// The pattern in which only `*` is special, and stands for any characters.
    pattern: String,
    kind: ModuleKind,
}

impl Rules {
    pub(super) fn new(rules: &[ModuleRule]) -> Self {
        let rule = |rule: &ModuleRule| {
            let pattern = rule.glob.trim_start_matches("./").replace("**/", "*");
            Rule { pattern, kind: rule.kind }
        };
        Self(rules.iter().map(rule).collect())
    }

    /// Returns what the file at this path is, relative to the app's folder. Bundlers match either such a path or what an import
    /// says, which is the end of one, so both count.
    pub(super) fn kind(&self, path: &Path) -> Option<ModuleKind> {
        if self.0.is_empty() {
            return None;
        }
        let path = path.to_str()?;
        let ends = || path.match_indices('/').map(|(at, _)| &path[at + 1..]);
        let fits =
            |rule: &&Rule| is_match(&rule.pattern, path) || ends().any(|end| is_match(&rule.pattern, end));
        self.0.iter().find(fits).map(|rule| rule.kind)
    }
}

/// Matches a text with a pattern in which `*` stands for any characters.
fn is_match(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_fits_counts() {
        let rule = |glob: &str, kind| ModuleRule { glob: glob.into(), kind };
        let rules = Rules::new(&[
            rule("**/*.md", ModuleKind::Text),
            rule("./src/**/*.dat", ModuleKind::Data),
            rule("*.dat", ModuleKind::Text),
            rule("one.txt", ModuleKind::Code),
        ]);
        for (path, kind) in [
            ("a.md", Some(ModuleKind::Text)),
            ("a/b/c.md", Some(ModuleKind::Text)),
            ("src/a.dat", Some(ModuleKind::Data)),
            ("src/a/b.dat", Some(ModuleKind::Data)),
            ("a/b.dat", Some(ModuleKind::Text)),
            ("a/one.txt", Some(ModuleKind::Code)),
            ("a/None.txt", None),
            ("a.md.js", None),
        ] {
            assert_eq!(rules.kind(Path::new(path)), kind, "{path}");
        }
        assert_eq!(Rules::default().kind(Path::new("a.md")), None);
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*", "a/b", true),
            ("*b", "ab", true),
            ("a*b*c", "a.b.b.c", true),
            ("a*b*c", "a.c", false),
            ("a*a", "a", false),
            ("ab*bc", "abc", false),
            ("*a*", "b", false),
            ("**", "x", true),
        ] {
            assert_eq!(is_match(pattern, text), expected, "{pattern} {text}");
        }
    }
}
