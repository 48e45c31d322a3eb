//! The file `_redirects`: a line for each redirect, with the path, where it leads, and the status.

use std::collections::{HashMap, HashSet};

use url::Url;

use super::html::HtmlHandling;
use super::path::with_single_slashes;
use super::rule::{self, PathRule, RuleUrl, UrlForm};

pub(super) const FILE: &str = "_redirects";

/// Most rules for a single path, and most rules with splats or placeholders.
const MOST: (usize, usize) = (2000, 100);

/// Statuses of redirects. 200 serves another file at the path instead.
const STATUSES: [u16; 6] = [200, 301, 302, 303, 307, 308];

/// The status of a line without one.
const DEFAULT_STATUS: u16 = 302;

/// The redirects of a folder.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Redirects {
    /// Those without splats and placeholders, by path.
    fixed: HashMap<String, Redirect>,
    /// In the order of the file, from the first one with a splat or placeholder on.
    patterns: Vec<(PathRule, Redirect)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Redirect {
    to: String,
    status: u16,
}

/// Where a request is to go.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rerouted {
    /// The client is redirected, with this status, to this location.
    Elsewhere(u16, String),
    /// The file of another path answers.
    Rewritten(String),
}

impl Redirects {
    /// Parses the file. Adds each line that is left out to `notes`; `shown` names the file there.
    pub(super) fn parse(text: &str, html: HtmlHandling, shown: &str, notes: &mut Vec<String>) -> Self {
        let mut redirects = Self::default();
        let (mut seen, mut is_fixed, mut patterns) = (HashSet::new(), true, 0);
        for (number, line) in rule::lines(text, shown, notes) {
            let added = RedirectLine::parse(line, html).and_then(|line| {
                if !seen.insert(line.from.clone()) {
                    return Err("an earlier line is for the same path".to_owned());
                }
                is_fixed &= !rule::is_dynamic(&line.from);
                let redirect = Redirect { to: line.to, status: line.status };
                if is_fixed {
                    if redirects.fixed.len() >= MOST.0 {
                        return Err(format!(
                            "there are more than {} lines without splats and placeholders",
                            MOST.0
                        ));
                    }
                    redirects.fixed.insert(line.from, redirect);
                } else {
                    patterns += 1;
                    if patterns > MOST.1 {
                        return Err(format!(
                            "there are more than {} lines from the first one with a splat or placeholder on",
                            MOST.1
                        ));
                    }
                    redirects.patterns.push((PathRule::parse(&line.from)?, redirect));
                }
                Ok(())
            });
            if let Err(why) = added {
                notes.push(format!("{shown}:{number}: left out: {why}"));
            }
        }
        redirects
    }

    /// Returns where a request goes, if there is a redirect for its path. `url` is the URL of the request without its query.
    pub(super) fn find(&self, url: RuleUrl<'_>, origin: &str, query: &str) -> Option<Rerouted> {
        if self.fixed.is_empty() && self.patterns.is_empty() {
            return None;
        }
        let fixed = self.fixed.get(url.path).map(|redirect| (redirect.to.clone(), redirect.status));
        let (to, status) = fixed.or_else(|| {
            self.patterns.iter().find_map(|(rule, redirect)| {
                let to = rule.matches(url, |parts| rule::replace(&redirect.to, parts))??;
                let to = to.trim();
                let to = if to.starts_with("https://") { to.to_owned() } else { with_single_slashes(to) };
                Some((to, redirect.status))
            })
        })?;
        let base = Url::parse(&format!("{origin}{}", url.path)).ok()?;
        let to = base.join(&to).ok()?;
        if status == 200 {
            return Some(Rerouted::Rewritten(to.path().to_owned()));
        }
        let origin =
            if to.origin() == base.origin() { String::new() } else { to.origin().ascii_serialization() };
        let query = to
            .query()
            .filter(|own| !own.is_empty())
            .map_or_else(|| query.to_owned(), |own| format!("?{own}"));
        let fragment =
            to.fragment().filter(|own| !own.is_empty()).map(|own| format!("#{own}")).unwrap_or_default();
        Some(Rerouted::Elsewhere(status, format!("{origin}{}{query}{fragment}", to.path())))
    }
}

struct RedirectLine {
    from: String,
    to: String,
    status: u16,
}

impl RedirectLine {
    fn parse(line: &str, html: HtmlHandling) -> Result<Self, String> {
        let words: Vec<_> = line.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
        let (from, to, status) = match *words.as_slice() {
            [from, to] => (from, to, DEFAULT_STATUS.to_string()),
            [from, to, status] => (from, to, status.to_owned()),
            _ => {
                return Err(
                    "write a path, where it leads, and optionally a status, with spaces between".to_owned()
                );
            }
        };
        let from = rule::canonical(from, UrlForm::Path)?;
        let to = rule::canonical(to, UrlForm::Target)?;
        let status = status.parse().ok().filter(|status| STATUSES.contains(status));
        let status = status.ok_or("the status must be 200, 301, 302, 303, 307 or 308")?;
        let has_host = to.starts_with("https://");
        let leads_to_index = to.ends_with("/index") || to.ends_with("/index.html");
        let is_loop = from.ends_with("/*") || (from.ends_with('/') && html != HtmlHandling::None);
        if !has_host && leads_to_index && is_loop {
            return Err("it would lead to itself, because `/index.html` is redirected to `/`".to_owned());
        }
        if status == 200 && has_host {
            return Err("with status 200 it can only lead to a path of this app".to_owned());
        }
        Ok(Self { from, to, status })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Redirects, Vec<String>) {
        let mut notes = Vec::new();
        let redirects = Redirects::parse(text, HtmlHandling::default(), "_redirects", &mut notes);
        (redirects, notes)
    }

    fn find(redirects: &Redirects, path: &str, query: &str) -> String {
        let url = RuleUrl { host: "app.example", path };
        match redirects.find(url, "http://app.example:8080", query) {
            None => "none".to_owned(),
            Some(Rerouted::Elsewhere(status, location)) => format!("{status} {location}"),
            Some(Rerouted::Rewritten(path)) => format!("200 {path}"),
        }
    }

    #[test]
    fn the_first_line_that_matches_says_where_a_request_goes() {
        let (redirects, notes) = parse(
            "# comment\n/old /new\n/old /other\n/moved https://example.com/here 301 # why\n/q /q2?own=1#top 308\n\
             /same https://app.example/x 303\n/blog/* /posts/:splat 307\n/user/:id /profile/:id/\n/late /too\n\
             /raw/* https://cdn.example/:splat\n/slashes/* /:splat\n/app/* /shell 200",
        );
        assert_eq!(notes, ["_redirects:3: left out: an earlier line is for the same path"]);
        for (path, query, expected) in [
            ("/old", "", "302 /new"),
            ("/old", "?a=b", "302 /new?a=b"),
            ("/old/", "", "none"),
            ("/moved", "?a", "301 https://example.com/here?a"),
            ("/q", "?a", "308 /q2?own=1#top"),
            ("/same", "", "303 https://app.example/x"),
            ("/blog/a/b", "?x", "307 /posts/a/b?x"),
            ("/user/7", "", "302 /profile/7/"),
            ("/late", "", "302 /too"),
            ("/raw/a//b", "", "302 https://cdn.example/a//b"),
            ("/slashes//evil.example", "", "302 /evil.example"),
            ("/app/x", "?y", "200 /shell"),
        ] {
            assert_eq!(find(&redirects, path, query), expected, "{path}");
        }
    }

    #[test]
    fn each_line_that_is_left_out_is_named() {
        let (redirects, notes) = parse(
            "/a\n/a /b /c /d\nhttps://x.example/a /b\n/a http://x.example/\n/a /b 404\n/* /index.html 200\n/x/ /x/index\n\
             /a https://x.example/ 200\n/*/* /b",
        );
        assert_eq!(redirects, Redirects::default());
        let whys = [
            "write a path, where it leads, and optionally a status, with spaces between",
            "write a path, where it leads, and optionally a status, with spaces between",
            "only a path is possible here, not a URL with a host",
            "write a path that begins with a slash, or a URL that begins with https://",
            "the status must be 200, 301, 302, 303, 307 or 308",
            "it would lead to itself, because `/index.html` is redirected to `/`",
            "it would lead to itself, because `/index.html` is redirected to `/`",
            "with status 200 it can only lead to a path of this app",
            "it has two splats, or two placeholders of one name",
        ];
        let expected: Vec<_> =
            (1..).zip(whys).map(|(line, why)| format!("_redirects:{line}: left out: {why}")).collect();
        assert_eq!(notes, expected);
    }

    #[test]
    fn there_are_limits() {
        let fixed: String = (0..=MOST.0).map(|number| format!("/{number} /x\n")).collect();
        let patterns: String = (0..=MOST.1).map(|number| format!("/{number}/* /x\n")).collect();
        let (redirects, notes) = parse(&(fixed + &patterns));
        assert_eq!((redirects.fixed.len(), redirects.patterns.len()), MOST);
        assert_eq!(notes.len(), 2, "{notes:?}");
        let (_, notes) = parse(&format!("/{} /b", "a".repeat(2000)));
        assert_eq!(notes, ["_redirects:1: left out, because it is longer than 2000 characters"]);
    }
}
