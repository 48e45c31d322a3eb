//! The file `_headers`: header fields for the responses to some paths.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::rule::{self, PathRule, RuleUrl, UrlForm};

pub(super) const FILE: &str = "_headers";

/// Most rules in one file, as on Workers.
const MOST: usize = 100;

/// Most fields that a rule sets or removes.
const MOST_FIELDS: usize = 100;

/// Most bytes of the fields that all rules set in one response.
const LARGEST: usize = 64 * 1024;

/// Fields that the server itself decides about: those that concern one connection, and the length.
const OWN: [&str; 10] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The rules of a folder.
#[derive(Debug, Default, PartialEq)]
pub(super) struct HeaderRules(Vec<HeaderRule>);

#[derive(Debug, PartialEq)]
struct HeaderRule {
    path: PathRule,
    set: Vec<(HeaderName, String)>,
    unset: Vec<HeaderName>,
}

impl HeaderRules {
    /// Parses the file. Adds each line that is left out to `notes`; `shown` names the file there.
    pub(super) fn parse(text: &str, shown: &str, notes: &mut Vec<String>) -> Self {
        let (mut rules, mut open) = (Vec::new(), None::<(usize, HeaderRule)>);
        let mut left_out = Vec::new();
        let mut close = |open: Option<(usize, HeaderRule)>, left_out: &mut Vec<(usize, String)>| {
            let Some((number, rule)) = open else { return };
            let known = rules.iter().position(|known: &HeaderRule| known.path == rule.path);
            let is_full = rules.len() >= MOST;
            match known.and_then(|at| rules.get_mut(at)) {
                _ if rule.set.is_empty() && rule.unset.is_empty() => {
                    left_out.push((number, "it is followed by no header field".to_owned()));
                }
                Some(known) => *known = rule,
                None if is_full => left_out.push((number, format!("there are more than {MOST} rules"))),
                None => rules.push(rule),
            }
        };
        for (number, line) in rule::lines(text, shown, notes) {
            if is_url(line) {
                close(open.take(), &mut left_out);
                let path = rule::canonical(line, UrlForm::Pattern).and_then(|path| PathRule::parse(&path));
                match path {
                    Ok(path) => {
                        open = Some((number, HeaderRule { path, set: Vec::new(), unset: Vec::new() }))
                    }
                    Err(why) => left_out.push((number, why)),
                }
                continue;
            }
            let added = match &mut open {
                Some((_, rule)) => rule.add(line),
                None => Err("write a path above it, in a line of its own".to_owned()),
            };
            if let Err(why) = added {
                left_out.push((number, why));
            }
        }
        close(open, &mut left_out);
        left_out.sort_by_key(|(number, _)| *number);
        notes.extend(left_out.into_iter().map(|(number, why)| format!("{shown}:{number}: left out: {why}")));
        Self(rules)
    }

    /// Changes the header fields of a response by each rule that matches, in the order of the file. Fields that several rules set
    /// get all their values.
    pub(super) fn apply(&self, url: RuleUrl<'_>, headers: &mut HeaderMap) {
        let (mut own, mut left) = (Vec::new(), LARGEST);
        for HeaderRule { path, set, unset } in &self.0 {
            path.matches(url, |parts| {
                for name in unset {
                    headers.remove(name);
                }
                for (name, value) in set {
                    let value =
                        rule::replace(value, parts).and_then(|value| HeaderValue::try_from(value).ok());
                    let Some(value) = value else { continue };
                    let Some(rest) = left.checked_sub(name.as_str().len() + value.len()) else { continue };
                    left = rest;
                    if own.contains(&name) {
                        headers.append(name, value);
                    } else {
                        headers.insert(name, value);
                        own.push(name);
                    }
                }
            });
        }
    }
}

impl HeaderRule {
    /// Adds a line: a header field, or one that is removed.
    fn add(&mut self, line: &str) -> Result<(), String> {
        if self.set.len() + self.unset.len() >= MOST_FIELDS {
            return Err(format!("its path has more than {MOST_FIELDS} header fields"));
        }
        let Some((name, value)) = line.split_once(':') else {
            let Some(name) = line.strip_prefix("! ") else {
                return Err("write a header field, `name: value`, or `! name` to remove one".to_owned());
            };
            self.unset.push(parse_name(name)?);
            return Ok(());
        };
        let (name, value) = (parse_name(name)?, value.trim());
        if value.is_empty() {
            return Err(format!("{name} has no value"));
        }
        HeaderValue::from_str(value).map_err(|_| format!("no header field can have the value {value:?}"))?;
        match self.set.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) if known.len() + value.len() > rule::LONGEST_RESULT => {
                return Err(format!("{name} has more than {} bytes together", rule::LONGEST_RESULT));
            }
            Some((_, known)) => *known = format!("{known}, {value}"),
            None => self.set.push((name, value.to_owned())),
        }
        Ok(())
    }
}

fn parse_name(name: &str) -> Result<HeaderName, String> {
    let name = name.trim();
    let parsed = HeaderName::try_from(name).map_err(|_| format!("{name:?} is no name of a header field"))?;
    match OWN.contains(&parsed.as_str()) {
        true => Err(format!("{parsed} is up to the server")),
        false => Ok(parsed),
    }
}

/// Whether a line is a path or URL, and not a header field.
fn is_url(line: &str) -> bool {
    let scheme = line.split_once("://").map(|(scheme, _)| scheme);
    line.starts_with('/')
        || scheme.is_some_and(|scheme| !scheme.is_empty() && !scheme.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (HeaderRules, Vec<String>) {
        let mut notes = Vec::new();
        (HeaderRules::parse(text, "_headers", &mut notes), notes)
    }

    fn applied(rules: &HeaderRules, path: &str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert("cache-control", HeaderValue::from_static("default"));
        rules.apply(RuleUrl { host: "app.example", path }, &mut headers);
        let show =
            |(name, value): (&HeaderName, &HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
        let mut shown: Vec<_> = headers.iter().map(show).collect();
        shown.sort();
        shown
    }

    #[test]
    fn every_rule_that_matches_adds_and_removes() {
        let (rules, notes) = parse(
            "/*\n  X-All: 1\n  x-all: 2\n/static/*\n  Cache-Control: max-age=1\n  X-All: 3\n  X-Path: /:splat\n\
             /static/raw/*\n  ! Cache-Control\nhttps://app.example/only\n  X-Host: yes\nhttps://other.example/*\n  X-Not: no\n",
        );
        assert_eq!(notes, [""; 0]);
        assert_eq!(applied(&rules, "/a"), ["cache-control: default", "x-all: 1, 2"]);
        assert_eq!(
            applied(&rules, "/static/x.js"),
            ["cache-control: max-age=1", "x-all: 1, 2", "x-all: 3", "x-path: /x.js"]
        );
        assert_eq!(applied(&rules, "/static/raw/x"), ["x-all: 1, 2", "x-all: 3", "x-path: /raw/x"]);
        assert_eq!(applied(&rules, "/only"), ["cache-control: default", "x-all: 1, 2", "x-host: yes"]);
    }

    #[test]
    fn each_line_that_is_left_out_is_named() {
        let (rules, notes) = parse(
            "x: y\n/empty\n/a\n bad name: x\n x:\n nonsense\n content-length: 5\n ok: 1\nhttps://x.example:80/\n b: 2\n/a\n ok: 2",
        );
        assert_eq!(applied(&rules, "/a"), ["cache-control: default", "ok: 2"]);
        assert_eq!(
            notes,
            [
                "_headers:1: left out: write a path above it, in a line of its own",
                "_headers:2: left out: it is followed by no header field",
                "_headers:4: left out: \"bad name\" is no name of a header field",
                "_headers:5: left out: x has no value",
                "_headers:6: left out: write a header field, `name: value`, or `! name` to remove one",
                "_headers:7: left out: content-length is up to the server",
                "_headers:9: left out: ports are not looked at: leave it out",
                "_headers:10: left out: write a path above it, in a line of its own",
            ]
        );
    }

    #[test]
    fn there_are_limits() {
        let text: String = (0..=MOST).map(|number| format!("/{number}\n x: 1\n")).collect();
        let (rules, notes) = parse(&text);
        assert_eq!((rules.0.len(), notes.len()), (MOST, 1), "{notes:?}");
        let fields: String = (0..=MOST_FIELDS).map(|number| format!(" x-{number}: 1\n")).collect();
        let (rules, notes) = parse(&format!("/*\n{fields}"));
        assert_eq!(applied(&rules, "/").len(), MOST_FIELDS + 1);
        assert_eq!(notes, ["_headers:102: left out: its path has more than 100 header fields"]);
        let (_, notes) = parse(&format!("/*\n{}", format!(" x: {}\n", "v".repeat(1900)).repeat(10)));
        assert_eq!(notes.len(), 2, "{notes:?}");
        // A client makes the values longer.
        let many: String = (0..99).map(|number| format!(" y-{number}: {}\n", ":splat".repeat(20))).collect();
        let (rules, notes) = parse(&format!("/*\n{many}"));
        assert_eq!(notes, [""; 0]);
        let set = applied(&rules, &format!("/{}", "x".repeat(500)));
        assert_eq!(set.len(), 1 + LARGEST / 10_000, "{set:?}");
    }

    #[test]
    fn no_field_that_frames_a_message_can_be_set_or_removed() {
        for name in OWN {
            let (_, notes) = parse(&format!("/*\n {name}: 1\n ! {name}\n ok: 1"));
            assert_eq!(notes.len(), 2, "{name}: {notes:?}");
        }
        let (rules, notes) = parse("/*\n x: a\rset-cookie: b\n y: \u{7f}\n z\r: 1\n ok: 1");
        assert_eq!((rules.0[0].set.len(), notes.len()), (2, 2), "{notes:?}");
    }
}
