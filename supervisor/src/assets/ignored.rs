//! Decides which files of a folder are no assets: what Workers read or run, hidden files, and what `.assetsignore` names.

use fast_glob::glob_match;

/// The file whose patterns, in the syntax of `.gitignore`, name files that are not served.
pub(super) const FILE: &str = ".assetsignore";

/// Most patterns. Each is held against the path of every file.
const MOST: usize = 500;

/// Files and folders at the top that are read or run, and never served.
const META: [&str; 4] = ["_headers", "_redirects", "_routes.json", "_worker.js"];

/// The one hidden folder that is served (RFC 8615).
const WELL_KNOWN: &str = ".well-known";

/// Which files are left out.
#[derive(Debug, Default)]
pub(super) struct Ignored(Vec<IgnoredPattern>);

/// One line of `.assetsignore`.
#[derive(Debug)]
struct IgnoredPattern {
    glob: String,
    /// Whether it only names folders.
    is_folder: bool,
    /// Whether it takes back an earlier one.
    is_negated: bool,
}

impl Ignored {
    /// # Errors
    /// Fails with how many patterns there may be, if there are more.
    pub(super) fn parse(text: &str) -> Result<Self, usize> {
        let patterns: Vec<_> = text.lines().filter_map(IgnoredPattern::parse).take(MOST + 1).collect();
        if patterns.len() > MOST { Err(MOST) } else { Ok(Self(patterns)) }
    }

    /// Returns whether a file or folder is left out, by its relative path. The folders above it are not.
    pub(super) fn has(&self, path: &str, is_folder: bool) -> bool {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let last = self
            .0
            .iter()
            .rfind(|pattern| (is_folder || !pattern.is_folder) && glob_match(&pattern.glob, path));
        (name.starts_with('.') && name != WELL_KNOWN)
            || (above.is_empty() && META.contains(&name))
            || last.is_some_and(|pattern| !pattern.is_negated)
    }
}

impl IgnoredPattern {
    fn parse(line: &str) -> Option<Self> {
        let line = match line.strip_suffix("\\ ") {
            // A space that is escaped belongs to the name.
            Some(_) => line,
            None => line.trim_end(),
        };
        let (is_negated, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (is_folder, line) = line.strip_suffix('/').map_or((false, line), |rest| (true, rest));
        if line.is_empty() || (!is_negated && line.starts_with('#')) {
            return None;
        }
        // A pattern with a slash is relative to the top, any other matches at every depth.
        let (prefix, line) = match line.strip_prefix('/') {
            Some(rest) => ("", rest),
            None if line.contains('/') => ("", line),
            None => ("**/", line),
        };
        // Braces have no meaning in these files.
        let glob = format!("{prefix}{}", line.replace('{', "\\{").replace('}', "\\}"));
        Some(Self { glob, is_folder, is_negated })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_files_and_what_is_named_are_left_out() {
        let ignored = Ignored::parse(
            "# maps\n*.map\n!keep.map\n/private/\nb/*.txt\n{a}\n\\#x\nfile /\nlogs/**/*.log\r\n[xy].js\n",
        )
        .unwrap();
        for (path, is_folder, expected) in [
            ("index.html", false, false),
            (".env", false, true),
            ("a/.git", true, true),
            (".well-known", true, false),
            (".well-known/security.txt", false, false),
            ("_headers", false, true),
            ("_worker.js", true, true),
            ("a/_headers", false, false),
            ("x.map", false, true),
            ("a/x.map", false, true),
            ("a/keep.map", false, false),
            ("private", true, true),
            ("private", false, false),
            ("a/private", true, false),
            ("b/x.txt", false, true),
            ("b/c/x.txt", false, false),
            ("c/b/x.txt", false, false),
            ("{a}", false, true),
            ("a", false, false),
            ("#x", false, true),
            ("logs/a/b/c.log", false, true),
            ("logs/c.log", false, true),
            ("a/x.js", false, true),
            ("a/z.js", false, false),
        ] {
            assert_eq!(ignored.has(path, is_folder), expected, "{path}");
        }
    }

    #[test]
    fn patterns_are_bounded() {
        assert_eq!(Ignored::parse(&"# no pattern\n*.map\n".repeat(MOST)).unwrap().0.len(), MOST);
        assert_eq!(Ignored::parse(&"*.map\n".repeat(MOST + 1)).unwrap_err(), MOST);
    }
}
