//! An error of an app as its developer wants to read it: message, the source around the place, stack.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Lines shown before and behind the one that an error names.
const AROUND: usize = 3;

/// Longest source line shown, in characters.
const MAX_LINE: usize = 200;

/// Longest module that is looked into, in bytes.
const MAX_SOURCE: u64 = 4 * 1024 * 1024;

/// The parts of an error's text. Paths inside the app's folder are relative to it.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// What is wrong; may have several lines.
    pub message: String,
    /// The source around the place where it happened, which the first line names.
    pub source: Option<String>,
    /// The rest of the text: the calls that led there, an excerpt, a hint.
    pub rest: String,
}

impl Report {
    /// Takes apart the text of an error of the app in the folder `root`.
    pub fn new(text: &str, root: &Path) -> Self {
        let prefix = file_url(root);
        let source = text.split_once(&prefix).and_then(|(_, place)| source(place, root));
        let text = text.replace(&prefix, "");
        let mut stack = text.match_indices('\n').map(|(end, _)| end + 1);
        let stack = stack.find(|start| text[*start..].trim_start_matches(' ').starts_with("at "));
        let (message, rest) = text.split_at(stack.unwrap_or(text.len()));
        Self { message: message.trim_end().to_owned(), source, rest: rest.trim_end().to_owned() }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.rest.is_empty() {
            write!(f, "\n{}", self.rest)?;
        }
        if let Some(source) = &self.source {
            write!(f, "\n\n{source}")?;
        }
        Ok(())
    }
}

/// What the URLs of the files in a folder begin with.
fn file_url(folder: &Path) -> String {
    let mut url = "file://".to_owned();
    for byte in folder.as_os_str().as_encoded_bytes() {
        let is_kept = byte.is_ascii_graphic() && !b"\"#%<>?\\^`{|}".contains(byte);
        if is_kept { url.push(char::from(*byte)) } else { url.push_str(&format!("%{byte:02X}")) }
    }
    url.push('/');
    url
}

/// The lines around the place that `text` begins with: `path:line:column`.
fn source(text: &str, root: &Path) -> Option<String> {
    let place = text.lines().next()?;
    let mut parts = place.split(':');
    let path = parts.next()?;
    let mut number = || {
        let part = parts.next()?;
        let end = part.find(|char: char| !char.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse::<usize>().ok().filter(|number| *number > 0)
    };
    let (line, column) = (number()?, number()?);
    let file = root.join(path).canonicalize().ok().filter(|file| file.starts_with(root) && file.is_file())?;
    let mut bytes = Vec::new();
    File::open(file).ok()?.take(MAX_SOURCE).read_to_end(&mut bytes).ok()?;
    Some(format!("{path}:{line}:{column}\n{}", around(&String::from_utf8_lossy(&bytes), line, column)?))
}

/// The lines around one, with their numbers and a caret below the column; both count from 1.
fn around(source: &str, line: usize, column: usize) -> Option<String> {
    source.lines().nth(line - 1)?;
    let width = (line + AROUND).to_string().len();
    let mut shown = Vec::new();
    let lines = source.lines().enumerate().map(|(index, text)| (index + 1, text));
    for (number, text) in
        lines.skip(line.saturating_sub(AROUND + 1)).take_while(|(number, _)| *number <= line + AROUND)
    {
        let mark = if number == line { '>' } else { ' ' };
        let cut: String = text.chars().take(MAX_LINE).collect();
        shown.push(format!("{mark} {number:width$} | {cut}").trim_end().to_owned());
        if number == line && column <= MAX_LINE {
            // Tabs stay tabs, so that the caret stands right whatever their width.
            let keep = |char| if char == '\t' { '\t' } else { ' ' };
            let indent: String = text.chars().take(column - 1).map(keep).collect();
            shown.push(format!("  {:width$} | {indent}^", ""));
        }
    }
    Some(shown.join("\n"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_error_is_taken_apart() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("an app");
        fs::create_dir_all(root.join("src")).unwrap();
        fs::write(root.join("src/a.js"), "one\ntwo\nthree\nfour\n\tfive();\nsix\n\neight\nnine").unwrap();
        let url = format!("file://{}", root.display()).replace(' ', "%20");
        let text = format!(
            "Error: bad\nat heart\n    at five ({url}/src/a.js:5:2)\n    at {url}/b.js:1:1 {{\n  x: 1\n}}"
        );
        let report = Report::new(&text, &root);
        assert_eq!(report.message, "Error: bad");
        let text = text.replacen("\nat heart", "", 1);
        let report = Report::new(&text, &root);
        assert_eq!(
            report,
            Report {
                message: "Error: bad".into(),
                source: Some(
                    "src/a.js:5:2\n  2 | two\n  3 | three\n  4 | four\n> 5 | \tfive();\n    | \t^\n  6 | six\n  7 |\n  8 | \
                     eight"
                        .into()
                ),
                rest: "    at five (src/a.js:5:2)\n    at b.js:1:1 {\n  x: 1\n}".into(),
            }
        );
        assert!(report.to_string().starts_with("Error: bad\n    at five (src/a.js:5:2)\n    at b.js"));
        assert!(report.to_string().contains("\n}\n\nsrc/a.js:5:2\n  2 | two\n"));
    }

    #[test]
    fn a_place_that_is_not_in_the_folder_shows_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("app");
        fs::create_dir(&root).unwrap();
        fs::write(dir.path().join("secret.js"), "secret").unwrap();
        std::os::unix::fs::symlink("../secret.js", root.join("link.js")).unwrap();
        fs::write(root.join("in.js"), "in").unwrap();
        let url = format!("file://{}", root.display());
        for place in
            ["../secret.js:1:1", "link.js:1:1", "in.js:2:1", "in.js:0:1", "in.js:1", "in.js", ":1:1", "x:1:1"]
        {
            let report = Report::new(&format!("E\n    at {url}/{place}"), &root);
            assert_eq!(report.source, None, "{place}");
        }
        let report = Report::new("Uncaught 1", &root);
        assert_eq!((&*report.message, report.source, &*report.rest), ("Uncaught 1", None, ""));
    }
}
