//! A table of the configuration file while it is read: finds fields, knows their lines, reports unknown ones.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::document::value;
use crate::config::errors::{Flaw, Origin, Place, Problems};

/// Similarity (0 to 1) above which an unknown field counts as a misspelling of a known one.
const SIMILAR: f64 = 0.7;

/// The file, from which the places of fields are derived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Document<'a> {
    origin: Origin,
    /// The path as given.
    name: &'a str,
    /// The text of the whole document, to find lines in.
    text: &'a str,
    /// The folder that paths in the file are relative to.
    folder: &'a Path,
}

impl<'a> Document<'a> {
    /// Creates the document of the configuration file. Paths in it are relative to the working directory.
    pub(crate) fn config(name: &'a str, text: &'a str) -> Self {
        Self { origin: Origin::Config, name, text, folder: Path::new("") }
    }

    /// Creates the document of a file that belongs to an app.
    pub(crate) fn of_app(name: &'a str, text: &'a str) -> Self {
        Self { origin: Origin::App, ..Self::config(name, text) }
    }

    /// Returns this document with its paths relative to `folder`.
    pub(crate) fn within(self, folder: &'a Path) -> Self {
        Self { folder, ..self }
    }

    /// Creates a document for a flag as it was given. Its value is read as that of a single field.
    pub(crate) fn flag(shown: &'a str) -> Self {
        Self { origin: Origin::Flag, name: shown, text: "", folder: Path::new("") }
    }

    /// Records why the file is not valid TOML, one problem per line, because the first error in a line tends to cause the others.
    pub(crate) fn record_syntax_errors(&self, errors: &[toml::de::Error], problems: &mut Problems) {
        let (mut last, lines) = (None, Lines::new(*self));
        for error in errors {
            let place = lines.place(error.span().map_or(0, |span| span.start), "");
            if last.as_ref() == Some(&place) {
                continue;
            }
            let span = error.span().unwrap_or_default();
            let (mut message, fix) = (error.message().to_owned(), self.syntax_fix(span.start));
            let fix = if message.contains("duplicate key") {
                let key = self.text.get(span).unwrap_or_default();
                message = format!("duplicate key {key:?}");
                "keep one of them".to_owned()
            } else {
                fix
            };
            problems.add(place.clone(), Flaw::new(format!("syntax: {message}"), fix));
            last = Some(place);
        }
    }

    /// Suggests a fix for the line that contains the byte at `offset`, with special advice for common mistakes.
    fn syntax_fix(&self, offset: usize) -> String {
        let start = self.text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
        let line = self.text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default().trim();
        let is_key = |text: &str| !text.is_empty() && text.chars().all(is_bare);
        match line.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
            Some((_, value)) if value.contains(['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}']) => {
                "write straight quotes: \"...\"".to_owned()
            }
            Some((key, value)) if is_key(key) && truth(value).is_some() => {
                format!("write {key} = {}", truth(value).unwrap_or_default())
            }
            Some((key, value))
                if is_key(key)
                    && value.starts_with(|first: char| first.is_alphabetic() || "./~*:$".contains(first)) =>
            {
                let value = value.split(" #").next().unwrap_or_default().trim_end();
                format!("put text in quotes: {key} = {value:?}")
            }
            None if line.split_once(':').is_some_and(|(key, _)| is_key(key.trim())) => {
                "write `=` where there is `:`".to_owned()
            }
            None if line.starts_with('{') => {
                "write TOML, not JSON: [apps.NAME], and a line `field = value` for each field".to_owned()
            }
            _ => "correct the TOML of this line".to_owned(),
        }
    }

    /// Returns the line that contains the byte at `offset`, as the place of `field`.
    pub(crate) fn place(&self, offset: usize, field: &str) -> Place {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        self.line(before.iter().filter(|byte| **byte == b'\n').count(), field)
    }

    /// Returns the place of `field` in the line that follows `before` other lines.
    fn line(&self, before: usize, field: &str) -> Place {
        match self.origin {
            Origin::Flag => Place::flag(self.name),
            origin => Place::line(origin, self.name, 1 + before, field),
        }
    }
}

/// The lines of a document, counted once for the places of many fields.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    document: Document<'a>,
    /// The offsets of their ends.
    ends: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(document: Document<'a>) -> Self {
        let ends = document.text.match_indices('\n').map(|(at, _)| at).collect();
        Self { document, ends }
    }

    /// Does the same as [`Document::place`].
    pub(crate) fn place(&self, offset: usize, field: &str) -> Place {
        self.document.line(self.ends.partition_point(|end| *end < offset), field)
    }
}

/// One table of the file. [`Section::only`] reports the fields that are not known.
#[derive(Debug, Clone)]
pub(crate) struct Section<'a> {
    document: Document<'a>,
    /// Its dotted path. Empty for the whole file.
    path: String,
    /// The byte offset of its name.
    offset: usize,
    table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    /// Creates the section that is the whole file.
    pub(crate) fn top(document: Document<'a>, table: &'a DeTable<'a>) -> Self {
        Self { document, path: String::new(), offset: 0, table }
    }

    /// Returns the place where the section begins.
    pub(crate) fn whole(&self) -> Place {
        self.document.place(self.offset, &self.path)
    }

    /// Returns the place of a field, or of the section if the field is missing.
    pub(crate) fn place(&self, name: &str) -> Place {
        let offset = self.table.get_key_value(name).map_or(self.offset, |(key, _)| key.span().start);
        self.document.place(offset, &self.child_path(name))
    }

    /// Returns whether the field is given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// Returns the folder that paths in the section are relative to.
    pub(crate) fn folder(&self) -> &'a Path {
        self.document.folder
    }

    /// Returns the value of a field, if it is given.
    pub(crate) fn value(&self, name: &str) -> Option<&'a DeValue<'a>> {
        self.table.get(name).map(Spanned::get_ref)
    }

    /// Reads and converts a field. Returns `None` if it is missing, or if it is invalid, which is recorded.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        convert: impl FnOnce(&'a DeValue<'a>) -> Result<T, Flaw>,
        problems: &mut Problems,
    ) -> Option<T> {
        problems.keep(|| self.place(name), convert(self.value(name)?))
    }

    /// Reads and converts the elements of a list, each with its own place.
    pub(crate) fn list<T>(
        &self,
        name: &str,
        convert: impl Fn(&'a DeValue<'a>) -> Result<T, Flaw>,
        problems: &mut Problems,
    ) -> Option<Vec<(T, Place)>> {
        let list: &[Spanned<DeValue<'a>>] = self.read(name, value::list, problems)?;
        let path = self.child_path(name);
        let convert = |item: &'a Spanned<DeValue<'a>>| {
            let place = self.document.place(item.span().start, &path);
            problems.keep(|| place.clone(), convert(item.get_ref())).map(|value| (value, place))
        };
        Some(list.iter().filter_map(convert).collect())
    }

    /// Returns the table in a field as a section.
    pub(crate) fn section(&self, name: &str, problems: &mut Problems) -> Option<Self> {
        let table = self.read(name, value::table, problems)?;
        let (key, _) = self.table.get_key_value(name)?;
        Some(Self { path: self.child_path(name), offset: key.span().start, table, ..self.clone() })
    }

    /// Returns the names of all fields, in the order of the file.
    pub(crate) fn names(&self) -> Vec<&'a str> {
        let mut keys: Vec<_> = self.table.keys().collect();
        keys.sort_by_key(|key| key.span().start);
        keys.into_iter().map(|key| &**key.get_ref()).collect()
    }

    /// Returns the path of names from the table `name` down to a table that has one of these fields.
    pub(crate) fn way_to(&self, name: &'a str, fields: &[&str]) -> Option<Vec<&'a str>> {
        way_to(name, self.table.get(name)?.get_ref(), fields)
    }

    /// Records every field that is not one of `known`. `fix` gives advice about fields that are misplaced, or that earlier
    /// versions had.
    pub(crate) fn only(&self, known: &[&str], fix: impl Fn(&str) -> Option<String>, problems: &mut Problems) {
        let known = || known.iter().copied();
        for name in self.names() {
            if known().any(|known| known == name) {
                continue;
            }
            let lower = name.to_lowercase();
            let nearest = known()
                .map(|known| (strsim::jaro_winkler(known, &lower), known))
                .max_by(|(one, _), (other, _)| one.total_cmp(other));
            let fix = match (fix(name), nearest) {
                (Some(fix), _) => fix,
                (None, Some((similarity, nearest))) if similarity > SIMILAR => {
                    format!("did you mean `{nearest}`?")
                }
                _ => {
                    format!("remove it; what can be set here is: {}", known().collect::<Vec<_>>().join(", "))
                }
            };
            problems.add(self.place(name), Flaw::new("unknown field", fix));
        }
    }

    fn child_path(&self, name: &str) -> String {
        child_path(&self.path, name)
    }
}

fn way_to<'a>(name: &'a str, value: &'a DeValue<'a>, fields: &[&str]) -> Option<Vec<&'a str>> {
    let table = value.as_table()?;
    if fields.iter().any(|field| table.get(*field).is_some_and(|value| !value.get_ref().is_table())) {
        return Some(vec![name]);
    }
    let mut below = table.iter().find_map(|(key, value)| way_to(key.get_ref(), value.get_ref(), fields))?;
    below.insert(0, name);
    Some(below)
}

/// Returns whether a key may contain this character without quotes.
fn is_bare(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '-' | '_')
}

/// Returns the dotted path of the field `name` in the section `path`.
pub(crate) fn child_path(path: &str, name: &str) -> String {
    let separator = if path.is_empty() { "" } else { "." };
    if !name.is_empty() && name.chars().all(is_bare) {
        format!("{path}{separator}{name}")
    } else {
        format!("{path}{separator}{name:?}")
    }
}

/// Parses a boolean as other formats write it, such as `yes` or `off`.
fn truth(value: &str) -> Option<bool> {
    let value = value.split('#').next().unwrap_or_default().trim().to_lowercase();
    match value.as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, test: impl FnOnce(Section<'_>, &mut Problems)) -> Vec<String> {
        let table = DeTable::parse(text).unwrap();
        let mut problems = Problems::default();
        test(Section::top(Document::config("nano.toml", text), table.get_ref()), &mut problems);
        problems.texts()
    }

    #[test]
    fn fields_are_found_with_their_lines() {
        let text = "\n[apps.blog]\n\nport = 1\nhosts = [\n 'a',\n 2,\n]\n";
        let found = with(text, |top, problems| {
            let apps = top.section("apps", problems).unwrap();
            assert_eq!(apps.names(), ["blog"]);
            let blog = apps.section("blog", problems).unwrap();
            assert_eq!(blog.whole().to_string(), "nano.toml:2: apps.blog");
            assert_eq!(blog.place("port").to_string(), "nano.toml:4: apps.blog.port");
            assert!(blog.has("port") && !blog.has("path"));
            assert!(blog.read("port", value::text, problems).is_none());
            assert_eq!(blog.list("hosts", value::text, problems).unwrap().len(), 1);
        });
        assert_eq!(
            found,
            [
                "nano.toml:4: apps.blog.port: expected text, found a whole number; fix: put it in quotes: \"1\"",
                "nano.toml:7: apps.blog.hosts: expected text, found a whole number; fix: put it in quotes: \"2\"",
            ]
        );
    }

    #[test]
    fn what_many_write_by_mistake_is_told_how_it_is_written() {
        let flaw = |text: &str| {
            let (_, errors) = DeTable::parse_recoverable(text);
            let mut problems = Problems::default();
            Document::config("f", text).record_syntax_errors(&errors, &mut problems);
            problems.texts().remove(0)
        };
        for (text, what) in [
            ("a = 1\na = 2", "f:2: syntax: duplicate key \"a\"; fix: keep one of them"),
            ("path = ./blog", "put text in quotes: path = \"./blog\""),
            ("path = ./blog  # mine", "put text in quotes: path = \"./blog\""),
            ("heap = MiB", "put text in quotes: heap = \"MiB\""),
            ("quarantine = True", "write quarantine = true"),
            ("cgroups = off # for now", "write cgroups = false"),
            ("path = \u{201c}./blog\u{201d}", "write straight quotes: \"...\""),
            ("port: 8080", "write `=` where there is `:`"),
            (
                "{ \"apps\": 1 }",
                "write TOML, not JSON: [apps.NAME], and a line `field = value` for each field",
            ),
            ("[a", "correct the TOML of this line"),
        ] {
            let found = flaw(text);
            assert!(found.ends_with(what), "{found}");
        }
    }

    #[test]
    fn every_unknown_field_is_reported() {
        let elsewhere = |name: &str| (name == "heap").then(|| "move it to [defaults]".to_owned());
        let found = with("prot = 1\nzzz = 2\nheap = 3\nport = 4\n\"a b\" = 5", |top, problems| {
            top.only(&["path", "port"], elsewhere, problems);
        });
        assert_eq!(
            found,
            [
                "nano.toml:1: prot: unknown field; fix: did you mean `port`?",
                "nano.toml:2: zzz: unknown field; fix: remove it; what can be set here is: path, port",
                "nano.toml:3: heap: unknown field; fix: move it to [defaults]",
                "nano.toml:5: \"a b\": unknown field; fix: remove it; what can be set here is: path, port",
            ]
        );
    }
}
