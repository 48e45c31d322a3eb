//! Decides which requests go to the worker before any file is looked for (`run_worker_first`).

/// Most patterns.
const MOST: usize = 100;

/// Longest pattern, in characters.
const LONGEST: usize = 100;

/// Which requests go to the worker first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum WorkerFirst {
    /// Those for which there is no file go to it.
    #[default]
    Never,
    /// All, and no file is served but by the worker.
    Always,
    /// Those that these patterns name.
    Some(WorkerPatterns),
}

/// Patterns of paths, in which `*` stands for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WorkerPatterns {
    worker: Vec<String>,
    /// Those that are written with an exclamation mark: they outrank the others.
    files: Vec<String>,
}

/// Who answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answerer {
    Worker,
    /// Files, and nobody else.
    Files,
    /// A file if there is one.
    Either,
}

impl WorkerFirst {
    /// Returns who answers a request for this path.
    pub(crate) fn of(&self, path: &str) -> Answerer {
        match self {
            Self::Never => Answerer::Either,
            Self::Always => Answerer::Worker,
            Self::Some(WorkerPatterns { worker, files }) => {
                let matches = |patterns: &[String]| patterns.iter().any(|pattern| is_match(pattern, path));
                if matches(files) {
                    Answerer::Files
                } else if matches(worker) {
                    Answerer::Worker
                } else {
                    Answerer::Either
                }
            }
        }
    }
}

impl WorkerPatterns {
    /// Checks patterns: `/api/*` for the worker, `!/api/docs/*` for files.
    ///
    /// # Errors
    /// Says what is wrong, and how to mend it.
    pub(crate) fn new(patterns: &[String]) -> Result<Self, (String, String)> {
        let flaw = |what: String, fix: &str| Err((what, fix.to_owned()));
        if patterns.len() > MOST {
            return flaw(format!("has more than {MOST} patterns"), "join some of them with `*`");
        }
        let (mut worker, mut files) = (Vec::new(), Vec::new());
        for pattern in patterns {
            let (list, path) = match pattern.strip_prefix('!') {
                Some(path) => (&mut files, path),
                None => (&mut worker, pattern.as_str()),
            };
            if !path.starts_with('/') {
                let what = format!("{pattern:?} does not begin with `/` or `!/`");
                return flaw(what, "write the path, such as \"/api/*\" or \"!/api/docs/*\"");
            }
            if pattern.chars().count() > LONGEST {
                return flaw(
                    format!("{pattern:?} is longer than {LONGEST} characters"),
                    "shorten it with `*`",
                );
            }
            if list.iter().any(|known| known == path) {
                return flaw(format!("has {pattern:?} twice"), "leave one of them out");
            }
            list.push(path.to_owned());
        }
        if worker.is_empty() {
            let fix = "name what the worker answers first, such as \"/api/*\", or write false";
            return flaw("names nothing that the worker answers first".to_owned(), fix);
        }
        Ok(Self { worker, files })
    }

    /// Creates patterns of paths for the worker, and of paths for files, which are valid.
    pub(crate) fn of(worker: Vec<String>, files: Vec<String>) -> Self {
        Self { worker, files }
    }

    /// Returns the patterns as they were written.
    pub(crate) fn written(&self) -> Vec<String> {
        self.worker.iter().cloned().chain(self.files.iter().map(|path| format!("!{path}"))).collect()
    }
}

/// Whether a path is what a pattern with any number of `*` stands for.
fn is_match(pattern: &str, path: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == path };
    let Some(mut left) = path.strip_prefix(start) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        let Some((_, after)) = left.split_once(part) else { return false };
        left = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn patterns(patterns: &[&str]) -> Result<WorkerPatterns, (String, String)> {
        WorkerPatterns::new(&patterns.iter().map(|pattern| (*pattern).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn patterns_with_an_exclamation_mark_outrank_the_others() {
        let first = WorkerFirst::Some(patterns(&["/api/*", "!/api/docs/*", "/exact"]).unwrap());
        for (path, expected) in [
            ("/api/x", Answerer::Worker),
            ("/api/docs/x", Answerer::Files),
            ("/api", Answerer::Either),
            ("/exact", Answerer::Worker),
            ("/exact/", Answerer::Either),
        ] {
            assert_eq!(first.of(path), expected, "{path}");
        }
        assert_eq!(
            (WorkerFirst::Always.of("/"), WorkerFirst::Never.of("/")),
            (Answerer::Worker, Answerer::Either)
        );
    }

    #[test]
    fn a_wrong_pattern_is_told_what_is_wrong() {
        let long = format!("/{}", "a".repeat(LONGEST));
        for (wrong, what) in [
            (&["api/*"][..], "\"api/*\" does not begin with `/` or `!/`"),
            (&["/a", "!b"], "\"!b\" does not begin with `/` or `!/`"),
            (&["!/a"], "names nothing that the worker answers first"),
            (&[], "names nothing that the worker answers first"),
            (&["/a", "/a"], "has \"/a\" twice"),
            (&[&long], &format!("{long:?} is longer than 100 characters")),
        ] {
            assert_eq!(patterns(wrong).unwrap_err().0, *what);
        }
    }

    proptest! {
        #[test]
        fn a_star_stands_for_anything(pattern in "/[ab*]{0,6}", path in "/[ab]{0,6}") {
            let regex = format!("^{}$", regex::escape(&pattern).replace("\\*", ".*"));
            prop_assert_eq!(is_match(&pattern, &path), regex::Regex::new(&regex).unwrap().is_match(&path));
        }
    }
}
