//! Configuration errors: every problem with its place and its fix.

use std::fmt;

use crate::untrusted::visible;

/// A value that cannot be used: what is wrong with it, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; fix: {fix}")]
pub(crate) struct Flaw {
    what: String,
    fix: String,
}

impl Flaw {
    pub(crate) fn new(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what: what.into(), fix: fix.into() }
    }

    /// Returns what is wrong, without the fix.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// Returns how to fix it.
    pub(crate) fn fix(&self) -> &str {
        &self.fix
    }
}

/// The place where a value was written: `nano.toml:12: apps.blog.port`, or `--app blog=./x:99999`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    shown: String,
    /// Its position in the list of problems: flags first, then the configuration file from top to bottom, then the files of apps.
    order: (Origin, usize),
}

/// The kind of source that a value was written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// The command line.
    Flag,
    /// The configuration file.
    Config,
    /// A file in an app's folder, or one that an app's section names.
    App,
}

impl Place {
    /// Creates the place of a flag or argument, as it was given.
    pub(crate) fn flag(flag: impl Into<String>) -> Self {
        Self { shown: flag.into(), order: (Origin::Flag, 0) }
    }

    /// Creates the place of a line in a file, followed by `field` unless that is empty.
    pub(crate) fn line(origin: Origin, file: &str, line: usize, field: &str) -> Self {
        let separator = if field.is_empty() { "" } else { ": " };
        // Problems in files of apps are not sorted by line, so that the files stay in the order of the apps.
        let order = if origin == Origin::App { 0 } else { line };
        Self { shown: format!("{file}:{line}{separator}{field}"), order: (origin, order) }
    }

    /// Creates the place of a whole file of an app.
    pub(crate) fn file(file: &std::path::Path) -> Self {
        Self { shown: file.display().to_string(), order: (Origin::App, 0) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// One problem. Displays as one line: place, what is wrong, the fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    place: Place,
    flaw: Flaw,
}

#[cfg(test)]
impl Problem {
    /// Returns what is wrong, and the fix.
    pub(crate) fn flaw(&self) -> &Flaw {
        &self.flaw
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible::line(&format!("{}: {}", self.place, self.flaw)))
    }
}

/// All problems that make a configuration unusable. Displays as one line per problem, then their number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigErrors {
    problems: Vec<Problem>,
}

impl ConfigErrors {
    /// Returns the problems: those of the command line first, then those of the configuration file from top to bottom, then those
    /// of the apps' own files. Never empty.
    pub(crate) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The problems as text, a line each.
    pub(crate) fn lines(&self) -> String {
        self.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        match self.problems.len() {
            1 => write!(f, "1 problem"),
            number => write!(f, "{number} problems"),
        }
    }
}

impl std::error::Error for ConfigErrors {}

/// Most names or problems of one app that are listed. What is beyond is counted: an app's own files decide how many there are.
const MAX_LISTED: usize = 50;

/// Lists names for people.
pub(crate) fn listed(names: &[String]) -> String {
    let first = names.get(..MAX_LISTED).unwrap_or(names);
    match names.len() - first.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// The problems found so far. Those of a single app are collected separately from those of everything that apps share.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: Vec<Problem>,
}

impl Problems {
    pub(crate) fn add(&mut self, place: Place, flaw: Flaw) {
        self.found.push(Problem { place, flaw });
    }

    /// Returns the value of `result`, or `None` after recording its flaw at `place`.
    pub(crate) fn keep<T>(&mut self, place: impl FnOnce() -> Place, result: Result<T, Flaw>) -> Option<T> {
        result.map_err(|flaw| self.add(place(), flaw)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Adds the problems of `other`.
    pub(crate) fn extend(&mut self, other: Self) {
        self.found.extend(other.found);
    }

    /// Returns one line per problem, or `None` if there is no problem. Of very many, the first are enough.
    pub(crate) fn lines(&self) -> Option<String> {
        let mut lines: Vec<_> = self.found.iter().take(MAX_LISTED).map(ToString::to_string).collect();
        if self.found.len() > MAX_LISTED {
            lines.push(format!("and {} more problems", self.found.len() - MAX_LISTED));
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Returns `value` if no problem was found.
    pub(crate) fn or<T>(mut self, value: T) -> Result<T, ConfigErrors> {
        if self.found.is_empty() {
            return Ok(value);
        }
        self.found.sort_by_key(|problem| problem.place.order);
        Err(ConfigErrors { problems: self.found })
    }
}

#[cfg(test)]
impl Problems {
    /// Returns one string per problem, in the order found.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.found.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_one_line_each_flags_first_then_the_file_downwards() {
        let mut problems = Problems::default();
        problems.add(Place::line(Origin::App, "a/.env", 1, "A"), Flaw::new("torn", "sound"));
        problems
            .add(Place::line(Origin::Config, "nano.toml", 12, "apps.blog.port"), Flaw::new("bad", "good"));
        problems.add(Place::line(Origin::Config, "nano.toml", 3, ""), Flaw::new("worse", "better"));
        problems.add(Place::flag("--app a\nb"), Flaw::new("broken", "whole"));
        let errors = problems.or(()).unwrap_err();
        assert_eq!(
            errors.to_string(),
            "--app a\\nb: broken; fix: whole\n\
             nano.toml:3: worse; fix: better\n\
             nano.toml:12: apps.blog.port: bad; fix: good\n\
             a/.env:1: A: torn; fix: sound\n\
             4 problems"
        );
        assert_eq!(errors.problems()[0].flaw().fix(), "whole");
    }

    #[test]
    fn of_very_many_the_first_are_listed() {
        let names = |count: usize| (1..=count).map(|at| at.to_string()).collect::<Vec<_>>();
        assert!(listed(&names(50)).ends_with(", 49, 50"));
        assert!(listed(&names(53)).ends_with(", 49, 50 and 3 more"));
        let mut problems = Problems::default();
        for name in names(52) {
            problems.add(Place::flag(name), Flaw::new("bad", "good"));
        }
        assert!(problems.lines().unwrap().ends_with("\n50: bad; fix: good\nand 2 more problems"));
    }

    #[test]
    fn no_problem_no_error() {
        assert_eq!(Problems::default().or(7), Ok(7));
    }
}
