//! Patterns of URL paths in `_redirects` and `_headers`: `*` stands for anything, and `:name` for a part of it between slashes.
//! What they stand for in a request replaces `:splat` and `:name` in what the rule says.

use std::fmt::Write as _;

use regex::{Regex, RegexBuilder};
use url::Url;

/// Longest line of a file of rules, in characters.
const LONGEST_LINE: usize = 2000;

/// Longest text that a rule makes for a request, in bytes.
pub(super) const LONGEST_RESULT: usize = 16 * 1024;

/// Most placeholders of a pattern. Memory for matching grows with them.
const MOST_PLACEHOLDERS: usize = 20;

/// Most bytes of a compiled pattern, and of what it keeps between matches.
const LARGEST_PATTERN: usize = 128 * 1024;

/// Yields the lines of a file of rules that say something, trimmed, with their numbers. Adds those that are too long to `notes`.
pub(super) fn lines<'a>(text: &'a str, shown: &str, notes: &mut Vec<String>) -> Vec<(usize, &'a str)> {
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.chars().count() > LONGEST_LINE {
            notes.push(format!(
                "{shown}:{number}: left out, because it is longer than {LONGEST_LINE} characters"
            ));
            continue;
        }
        lines.push((number, line));
    }
    lines
}

/// A pattern of a URL path, or of a whole URL if it begins with a host.
#[derive(Debug, Clone)]
pub(super) struct PathRule {
    text: String,
    /// `None` if the pattern is a plain path.
    regex: Option<Regex>,
    has_host: bool,
}

/// What the parts of a pattern stand for, by their names.
pub(super) type Replacements<'a> = Vec<(&'a str, &'a str)>;

/// The URL of a request, as far as rules look at it.
#[derive(Debug, Clone, Copy)]
pub(super) struct RuleUrl<'a> {
    pub(super) host: &'a str,
    pub(super) path: &'a str,
}

impl PathRule {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// Says why it is no pattern.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let regex = is_dynamic(text).then(|| compile(text)).transpose()?;
        Ok(Self { text: text.to_owned(), regex, has_host: text.starts_with("https://") })
    }

    /// Returns what its parts stand for in a URL with this host and path, if it matches. The scheme does not count.
    pub(super) fn matches<R>(
        &self,
        url: RuleUrl<'_>,
        use_parts: impl FnOnce(&Replacements<'_>) -> R,
    ) -> Option<R> {
        let whole;
        let subject = if self.has_host {
            whole = format!("https://{}{}", url.host, url.path);
            &*whole
        } else {
            url.path
        };
        let Some(regex) = &self.regex else {
            return (subject == self.text).then(|| use_parts(&Vec::new()));
        };
        let found = regex.captures(subject)?;
        let names = regex.capture_names().flatten();
        let parts = names.filter_map(|name| Some((name, found.name(name)?.as_str()))).collect();
        Some(use_parts(&parts))
    }
}

impl PartialEq for PathRule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// Replaces the names of parts in `text` by what they stand for. Names in what a client has sent are left alone: it could make the
/// text as long as it likes with them. `None` if the result is longer than [`LONGEST_RESULT`].
pub(super) fn replace(text: &str, parts: &Replacements<'_>) -> Option<String> {
    let (mut replaced, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once(':') {
        let part = parts.iter().find_map(|(name, value)| Some((after.strip_prefix(name)?, *value)));
        let (left, value) = part.unwrap_or((after, ":"));
        replaced.push_str(before);
        replaced.push_str(value);
        rest = left;
        if replaced.len() > LONGEST_RESULT {
            return None;
        }
    }
    replaced.push_str(rest);
    (replaced.len() <= LONGEST_RESULT).then_some(replaced)
}

/// Whether a pattern stands for more than one path.
pub(super) fn is_dynamic(text: &str) -> bool {
    // The colon of a scheme or a port is no placeholder.
    text.contains('*') || placeholders(text).next().is_some()
}

/// Finds `:name`, where the name begins with a letter.
fn placeholders(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices(':').filter_map(|(at, _)| {
        let rest = text.get(at + 1..)?;
        rest.starts_with(|first: char| first.is_ascii_alphabetic()).then_some(())?;
        let end = rest.find(|char: char| !char.is_ascii_alphanumeric() && char != '_').unwrap_or(rest.len());
        Some((at, rest.get(..end)?))
    })
}

/// Any character of a URL. Those of other scripts are percent-encoded there.
const ANY: &str = "[\\x21-\\x7e]";

fn compile(text: &str) -> Result<Regex, String> {
    if placeholders(text).count() > MOST_PLACEHOLDERS {
        return Err(format!("it has more than {MOST_PLACEHOLDERS} placeholders"));
    }
    // In a host, a placeholder ends at a dot as well.
    let path = match text.strip_prefix("https://") {
        Some(rest) => rest.find('/').map_or(text.len(), |at| at + "https://".len()),
        None => 0,
    };
    let (mut pattern, mut at) = (String::from("^"), 0);
    let literal = |pattern: &mut String, from: usize, to: usize| {
        let parts: Vec<_> = text.get(from..to).unwrap_or_default().split('*').map(regex::escape).collect();
        pattern.push_str(&parts.join(&format!("(?<splat>{ANY}*)")));
    };
    for (start, name) in placeholders(text) {
        literal(&mut pattern, at, start);
        let excluded = if start < path { "./" } else { "/" };
        let _ = write!(pattern, "(?<{name}>[{ANY}--{excluded}]+)");
        at = start + 1 + name.len();
    }
    literal(&mut pattern, at, text.len());
    pattern.push('$');
    let mut builder = RegexBuilder::new(&pattern);
    builder.size_limit(LARGEST_PATTERN).dfa_size_limit(LARGEST_PATTERN);
    builder.build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it is too complicated".to_owned(),
        _ => "it has two splats, or two placeholders of one name".to_owned(),
    })
}

/// Which forms a URL of a rule may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UrlForm {
    /// Only a path.
    Path,
    /// A path, or a URL with a host and without a port.
    Pattern,
    /// A path or a URL. Query and fragment are kept.
    Target,
}

/// Returns the URL of a rule in the form in which URLs are compared.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn canonical(token: &str, form: UrlForm) -> Result<String, String> {
    let rest = token.strip_prefix("https://").map(|rest| rest.trim_start_matches('/'));
    if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if form == UrlForm::Path {
            return Err("only a path is possible here, not a URL with a host".to_owned());
        }
        let has_port = host
            .rsplit_once(':')
            .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
        if form == UrlForm::Pattern && has_port {
            return Err("ports are not looked at: leave it out".to_owned());
        }
        return Ok(format!("https://{host}{}", canonical_path(path, form)?));
    }
    match (token.starts_with('/'), form) {
        (true, _) | (false, UrlForm::Path) => canonical_path(token, form),
        (false, _) => {
            Err("write a path that begins with a slash, or a URL that begins with https://".to_owned())
        }
    }
}

fn canonical_path(path: &str, form: UrlForm) -> Result<String, String> {
    let slash = if path.starts_with('/') { "" } else { "/" };
    let url = Url::parse(&format!("relative://{slash}{path}"));
    let url = url.map_err(|error| format!("{path:?} is no path: {error}"))?;
    let mut found = url.path().to_owned();
    if form == UrlForm::Target {
        found.extend(url.query().filter(|query| !query.is_empty()).map(|query| format!("?{query}")));
        found.extend(
            url.fragment().filter(|fragment| !fragment.is_empty()).map(|fragment| format!("#{fragment}")),
        );
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(rule: &str, path: &str, text: &str) -> Option<String> {
        let rule = PathRule::parse(rule).unwrap();
        rule.matches(RuleUrl { host: "app.example", path }, |parts| replace(text, parts))?
    }

    #[test]
    fn parts_of_a_path_are_put_where_their_names_are() {
        for (rule, path, text, expected) in [
            ("/a", "/a", "/b", Some("/b")),
            ("/a", "/a/", "/b", None),
            ("/blog/*", "/blog/2024/x", "/posts/:splat", Some("/posts/2024/x")),
            ("/blog/*", "/blog/", "/posts/:splat", Some("/posts/")),
            ("/blog/*", "/blog", "/posts/:splat", None),
            ("/:year/:month", "/2024/05", "/:month-:year", Some("/05-2024")),
            ("/:year/:month", "/2024/05/x", "/", None),
            ("/a.b+c/*", "/a.b+c/x", ":splat", Some("x")),
            ("/a.b+c/*", "/aXb+c/x", ":splat", None),
            ("https://:sub.example/*", "/x", ":sub :splat", Some("app x")),
            ("https://other.example/*", "/x", "", None),
            ("/1:2/*", "/1:2/x", ":splat", Some("x")),
        ] {
            assert_eq!(matched(rule, path, text).as_deref(), expected, "{rule} {path}");
        }
        assert!(PathRule::parse("/*/*").is_err() && PathRule::parse("/:a/:a").is_err());
    }

    #[test]
    fn names_in_what_a_client_sends_stand_for_nothing() {
        assert_eq!(matched("/:a/:b", "/:b/x", "/:a-:b").as_deref(), Some("/:b-x"));
        assert_eq!(matched("/:id/:identity", "/1/2", ":identity:id:").as_deref(), Some("1entity1:"));
        let path = format!("/{}/{}/c", ":b".repeat(1000), ":c".repeat(1000));
        let made = matched("/:a/:b/:c", &path, "/:a/:b/:c").unwrap();
        assert_eq!(made, path);
        assert_eq!(matched("/*", &format!("/{}", "x".repeat(9000)), "/:splat:splat"), None);
    }

    #[test]
    fn what_a_pattern_needs_of_memory_is_limited() {
        let many = |count: usize| (0..count).map(|number| format!("/:n{number}")).collect::<String>();
        assert!(PathRule::parse(&many(MOST_PLACEHOLDERS)).is_ok());
        assert_eq!(
            PathRule::parse(&many(MOST_PLACEHOLDERS + 1)).unwrap_err(),
            "it has more than 20 placeholders"
        );
        let long = format!("/{}{}/*", "a".repeat(1800), many(MOST_PLACEHOLDERS));
        assert!(PathRule::parse(&long).is_ok(), "what Workers take is taken");
    }

    #[test]
    fn urls_of_rules_are_compared_as_urls_are() {
        for (token, form, expected) in [
            ("/a/../b?x#y", UrlForm::Path, Some("/b")),
            ("a", UrlForm::Path, Some("/a")),
            ("/a?x#y", UrlForm::Target, Some("/a?x#y")),
            ("/\u{e9}", UrlForm::Path, Some("/%C3%A9")),
            ("https://x.example", UrlForm::Target, Some("https://x.example/")),
            ("https://x.example:81/a?b", UrlForm::Target, Some("https://x.example:81/a?b")),
            ("https://x.example:81/a", UrlForm::Pattern, None),
            ("https://x.example/a", UrlForm::Path, None),
            ("http://x.example/a", UrlForm::Target, None),
            ("https://:sub.example/*", UrlForm::Pattern, Some("https://:sub.example/*")),
            ("//x/y", UrlForm::Path, Some("//x/y")),
        ] {
            assert_eq!(canonical(token, form).ok().as_deref(), expected, "{token}");
        }
    }
}
