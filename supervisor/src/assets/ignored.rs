//! Decides which files of a folder are left out: what Workers read or run, hidden files, and what patterns in the syntax of
//! `.gitignore` name.

use fast_glob::glob_match;

/// The file whose patterns, in the syntax of `.gitignore`, name files that are not served.
pub(super) const FILE: &str = ".assetsignore";

/// Most patterns. Each is held against the path of every file.
const MOST: usize = 500;

/// Files and folders at the top that are read or run, and never served.
const META: [&str; 4] = ["_headers", "_redirects", "_routes.json", "_worker.js"];

/// The one hidden folder that is served (RFC 8615).
const WELL_KNOWN: &str = ".well-known";

/// The folders that are no part of a bucket.
const PACKAGES: &str = "node_modules";

/// Which files of a folder are left out.
#[derive(Debug)]
pub(super) enum Ignored {
    /// Of static files: those that these patterns of `.assetsignore` name.
    Assets(IgnoredPatterns),
    /// Of the bucket of a Workers Site.
    Bucket {
        /// If there are any, other files are left out.
        include: IgnoredPatterns,
        exclude: IgnoredPatterns,
    },
}

/// Patterns in the syntax of `.gitignore`.
#[derive(Debug, Default)]
pub(super) struct IgnoredPatterns(Vec<IgnoredPattern>);

/// One line of such a file.
#[derive(Debug)]
struct IgnoredPattern {
    glob: String,
    /// Whether it only names folders.
    is_folder: bool,
    /// Whether it takes back an earlier one.
    is_negated: bool,
}

impl Ignored {
    /// Returns whether a file or folder is left out, by its relative path. The folders above it are not.
    pub(super) fn has(&self, path: &str, is_folder: bool) -> bool {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name.starts_with('.') && name != WELL_KNOWN {
            return true;
        }
        match self {
            Self::Assets(patterns) => {
                (above.is_empty() && META.contains(&name)) || patterns.name(path, is_folder)
            }
            Self::Bucket { include, exclude } => {
                let is_included = || {
                    let is_named = |end: usize| include.name(&path[..end], end < path.len());
                    path.match_indices('/').map(|(end, _)| end).chain([path.len()]).any(is_named)
                };
                name == PACKAGES
                    || exclude.name(path, is_folder)
                    || !(is_folder || include.0.is_empty() || is_included())
            }
        }
    }

    /// Returns whether a symlink is left out if the file that it leads to is: what anybody could fetch is not served by another name.
    /// That of a bucket goes by its own name, as with wrangler: only the app's code reads it.
    pub(super) fn holds_for_targets(&self) -> bool {
        matches!(self, Self::Assets(_))
    }
}

impl IgnoredPatterns {
    /// # Errors
    /// Fails with how many patterns there may be, if there are more.
    pub(super) fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Self, usize> {
        let patterns: Vec<_> = lines.filter_map(IgnoredPattern::parse).take(MOST + 1).collect();
        if patterns.len() > MOST { Err(MOST) } else { Ok(Self(patterns)) }
    }

    /// Returns whether they name a file or folder.
    fn name(&self, path: &str, is_folder: bool) -> bool {
        if self.0.is_empty() {
            return false;
        }
        // As wrangler does, and unlike git.
        let path = path.to_lowercase();
        let last = self
            .0
            .iter()
            .rfind(|pattern| (is_folder || !pattern.is_folder) && glob_match(&pattern.glob, &path));
        last.is_some_and(|pattern| !pattern.is_negated)
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
        let glob = format!("{prefix}{}", line.replace('{', "\\{").replace('}', "\\}")).to_lowercase();
        Some(Self { glob, is_folder, is_negated })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_files_and_what_is_named_are_left_out() {
        let text = "# maps\n*.map\n!keep.map\n/private/\nb/*.txt\n{a}\n\\#x\nfile /\nlogs/**/*.log\r\n[xy].js\nUpper\n";
        let ignored = Ignored::Assets(IgnoredPatterns::parse(text.lines()).unwrap());
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
            ("A/X.MAP", false, true),
            ("upper", false, true),
        ] {
            assert_eq!(ignored.has(path, is_folder), expected, "{path}");
        }
    }

    #[test]
    fn patterns_are_bounded() {
        let parse = |text: &str| IgnoredPatterns::parse(text.lines()).map(|patterns| patterns.0.len());
        assert_eq!(parse(&"# no pattern\n*.map\n".repeat(MOST)), Ok(MOST));
        assert_eq!(parse(&"*.map\n".repeat(MOST + 1)), Err(MOST));
    }

    #[test]
    fn a_bucket_has_what_is_included_without_what_is_excluded() {
        let patterns = |lines: &[&'static str]| IgnoredPatterns::parse(lines.iter().copied()).unwrap();
        let ignored = |include: &[&'static str], exclude: &[&'static str]| {
            let ignored = Ignored::Bucket { include: patterns(include), exclude: patterns(exclude) };
            move |path: &str| {
                ignored.has(path, path.ends_with('/'))
                    || ignored.has(path.trim_end_matches('/'), path.ends_with('/'))
            }
        };
        let all = ignored(&[], &[]);
        for (path, expected) in [
            ("index.html", false),
            ("_headers", false),
            (".env", true),
            (".well-known", false),
            ("a/node_modules/", true),
            ("node_modules", true),
        ] {
            assert_eq!(all(path), expected, "{path}");
        }
        let some = ignored(&["docs", "*.html", "!secret.html"], &["docs/drafts/", "*.map"]);
        for (path, expected) in [
            ("docs/", false),
            ("docs/a/b.txt", false),
            ("docs/drafts/", true),
            ("docs/a.map", true),
            ("a.html", false),
            ("secret.html", true),
            // What is below a folder that is included is, whatever later patterns say.
            ("docs/secret.html", false),
            ("other/", false),
            ("other/a.txt", true),
        ] {
            assert_eq!(some(path), expected, "{path}");
        }
    }
}
