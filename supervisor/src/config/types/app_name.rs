//! The names of apps: which are valid, and how one is derived from a folder.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use crate::config::errors::Flaw;

/// Longest name, in bytes.
const MAX_NAME: usize = 63;

/// The app name for a folder whose name has no usable characters.
const NAMELESS: &str = "app";

/// The name of an app: 1 to 63 of `a-z`, `0-9`, `-`, `_` and `.`, beginning with a letter or digit (it is an argument of
/// the worker's command line, where a dash would read as a flag). Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct AppName(Arc<str>);

impl AppName {
    /// Returns the name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Derives a valid name from that of a folder: letters become lower case, other characters become dashes.
    pub(crate) fn from_folder(folder: &str) -> Self {
        let replace = |char: char| match char.to_ascii_lowercase() {
            char if is_name_char(char) => char,
            _ => '-',
        };
        let name: String = folder.chars().map(replace).collect();
        let is_first = |char: char| char.is_ascii_alphanumeric();
        let name = name.trim_matches(|char| !is_first(char));
        let name = name.get(..MAX_NAME).unwrap_or(name).trim_end_matches(|char| !is_first(char));
        Self(if name.is_empty() { NAMELESS } else { name }.into())
    }
}

fn is_name_char(char: char) -> bool {
    char.is_ascii_lowercase() || char.is_ascii_digit() || matches!(char, '-' | '_' | '.')
}

impl FromStr for AppName {
    type Err = Flaw;

    fn from_str(text: &str) -> Result<Self, Flaw> {
        let begins_well = text.starts_with(|char: char| char.is_ascii_alphanumeric());
        if begins_well && text.len() <= MAX_NAME && text.chars().all(is_name_char) {
            return Ok(Self(text.into()));
        }
        Err(Flaw::new(
            format!("{text:?} is not an app name"),
            format!(
                "use 1 to {MAX_NAME} of a-z, 0-9, '-', '_' and '.', beginning with a letter or digit, such as {:?}",
                Self::from_folder(text).as_str()
            ),
        ))
    }
}

impl Deref for AppName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn valid_names_are_kept() {
        let longest = "x".repeat(MAX_NAME);
        for name in ["a", "blog", "blog-2.example_x", "0", &longest] {
            assert_eq!(name.parse::<AppName>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn other_names_are_refused_with_a_proposal() {
        for name in ["", "-x", "--help", ".x", "Blog", "a b", "ä", "a/b", &"x".repeat(MAX_NAME + 1)] {
            assert!(name.parse::<AppName>().is_err(), "{name}");
        }
        assert_eq!(
            "My Blog!".parse::<AppName>().unwrap_err().to_string(),
            "\"My Blog!\" is not an app name; fix: use 1 to 63 of a-z, 0-9, '-', '_' and '.', beginning with a \
             letter or digit, such as \"my-blog\""
        );
    }

    #[test]
    fn folders_get_the_nearest_name() {
        for (folder, name) in
            [("blog", "blog"), ("My Blog", "my-blog"), (".x.", "x"), ("ü", "app"), ("", "app")]
        {
            assert_eq!(AppName::from_folder(folder).as_str(), name);
        }
    }

    proptest! {
        #[test]
        fn a_folder_always_gets_a_valid_name(folder in ".{0,100}") {
            let name = AppName::from_folder(&folder);
            prop_assert_eq!(name.as_str().parse::<AppName>(), Ok(name.clone()));
        }
    }
}
