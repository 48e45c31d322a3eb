//! The page that a browser shows for an error of an app in development mode: self-contained, without scripts.

use std::fmt::Write as _;

use nano_protocol::message::RequestId;

use crate::edge::refused::Scene;
use crate::model::refusal::Refusal;
use crate::untrusted::visible::is_visible;

/// Media type of the page.
pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// The content security policy of the page: it may have styles, and nothing else.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "\
:root { color-scheme: light dark; --text: #1d2129; --soft: #5c6470; --page: #fff; --code: #f3f4f6; --mark: #b3261e }
@media (prefers-color-scheme: dark) {
  :root { --text: #e7e9ee; --soft: #a0a7b4; --page: #16181d; --code: #22262e; --mark: #ff8a80 }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem }
h1 { margin: .25rem 0 1rem; font-size: 1.5rem; line-height: 1.25 }
h2 { margin: 1.5rem 0 .5rem; font-size: 1rem }
pre { margin: 0; padding: .75rem 1rem; overflow-x: auto; border-radius: .5rem; background: var(--code);
  font: .875rem/1.5 ui-monospace, monospace; tab-size: 4 }
pre.message { border-left: .25rem solid var(--mark); white-space: pre-wrap; overflow-wrap: anywhere }
code { font-family: ui-monospace, monospace; font-size: .9em }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 1.5rem 0 }
dt, .soft { color: var(--soft) }
dd { margin: 0; overflow-wrap: anywhere }
p { margin: 0 }
";

/// Returns the page about one error. `cause` is the text of the error as in the log: a message, then places in the code, and
/// source.
pub(crate) fn render(why: Refusal, id: RequestId, scene: &Scene, cause: &str) -> String {
    let (message, details) = split(cause);
    let (status, code, headline) = (why.status(), why.code(), why.message());
    let app = escape(&scene.spec.name);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{code}: {app}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<p class=\"soft\">{status} <code>{code}</code></p>\n<h1>{headline}</h1>\n\
         <pre class=\"message\">{}</pre>\n",
        escape(message)
    );
    if !details.is_empty() {
        // Writing to a string does not fail.
        let _ = write!(page, "<h2>Where</h2>\n<pre>{}</pre>\n", escape(details));
    }
    let facts = [
        ("App", &*app),
        ("Request", &escape(&format!("{} {}", scene.method, scene.target))),
        ("Request id", &id.to_string()),
    ];
    page.push_str("<dl>\n");
    for (name, value) in facts {
        let _ = writeln!(page, "<dt>{name}</dt><dd><code>{value}</code></dd>");
    }
    page.push_str(
        "</dl>\n<p class=\"soft\">The app is in development mode, so everyone who can reach it sees its errors. To turn this \
         page off, remove <code>development = true</code> from the configuration or <code>--development</code> from the \
         command line.</p>\n</main>\n</body>\n</html>\n",
    );
    page
}

/// Splits the text of an error into its message and the rest, which begins with the first place in the code.
fn split(cause: &str) -> (&str, &str) {
    let mut lines = cause.match_indices('\n').map(|(end, _)| end + 1);
    let place = lines.find(|start| cause[*start..].trim_start_matches(' ').starts_with("at "));
    let (message, details) = cause.split_at(place.unwrap_or(cause.len()));
    (message.trim_end(), details.trim_end())
}

/// Escapes `text` for HTML. Control characters other than line feeds and tabs become visible.
fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\t' => html.push(char),
            char if !is_visible(char) => html.push(char::REPLACEMENT_CHARACTER),
            _ => html.push(char),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_ends_where_the_first_place_begins() {
        assert_eq!(
            split("Error: a\nb\n    at f (x.js:1:2)\n    1 | x"),
            ("Error: a\nb", "    at f (x.js:1:2)\n    1 | x")
        );
        assert_eq!(split("killed by SIGKILL\n"), ("killed by SIGKILL", ""));
        assert_eq!(split(""), ("", ""));
    }

    #[test]
    fn text_stays_text() {
        assert_eq!(
            escape("<a href='x' title=\"y\">&\u{1b}[0m\n\t\u{0}é"),
            "&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;\u{fffd}[0m\n\t\u{fffd}é"
        );
    }
}
