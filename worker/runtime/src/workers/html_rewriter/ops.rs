//! The ops with which `html_rewriter.js` drives a document.

use std::cell::RefCell;

use bytes::Bytes;
use deno_core::op2;
use deno_error::JsErrorBox;
use encoding_rs::Encoding;
use lol_html::errors::RewritingError;
use lol_html::{AsciiCompatibleEncoding, Selector};

use super::piece::{Change, Event};
use super::visit::Wanted;
use super::{Document, PARSER_MEMORY};

/// A document, owned by JavaScript.
pub(crate) struct Rewriter(RefCell<Document>);

untraced!(Rewriter, c"Rewriter");

/// Throws if lol_html does not support the selector.
#[op2(fast)]
pub(crate) fn op_html_selector(#[string] selector: &str) -> Result<(), JsErrorBox> {
    parse_selector(selector).map(|_| ())
}

fn parse_selector(selector: &str) -> Result<Selector, JsErrorBox> {
    selector.parse().map_err(|error| {
        let why = format!("{error}");
        JsErrorBox::type_error(format!("HTMLRewriter cannot use the selector {selector:?}: {why}"))
    })
}

/// Starts a document. `wanted` holds, for each call of `on`, a selector (none for the whole document) and the kinds of handlers.
#[op2]
#[cppgc]
pub(crate) fn op_html_rewriter(
    #[string] charset: &str,
    #[scoped] wanted: Vec<(Option<String>, u32)>,
) -> Result<Rewriter, JsErrorBox> {
    let encoding = Encoding::for_label(charset.as_bytes()).and_then(AsciiCompatibleEncoding::new);
    let encoding = encoding.ok_or_else(|| {
        JsErrorBox::type_error(format!(
            "HTMLRewriter cannot read the charset {charset:?} of the response's content-type"
        ))
    })?;
    let wanted = wanted.into_iter().map(|(selector, what)| {
        let selector = selector.map(|selector| parse_selector(&selector)).transpose()?;
        Ok(Wanted { selector, what })
    });
    let wanted = wanted.collect::<Result<Vec<_>, JsErrorBox>>()?;
    Ok(Rewriter(RefCell::new(Document::new(&wanted, encoding))))
}

/// Adds input. It is copied, because an app may change its buffer while its handlers run.
#[op2(fast)]
pub(crate) fn op_html_rewriter_write(#[cppgc] rewriter: &Rewriter, #[buffer] chunk: &[u8]) {
    rewriter.0.borrow_mut().feed(Bytes::copy_from_slice(chunk));
}

/// Marks the end of the document.
#[op2(fast)]
pub(crate) fn op_html_rewriter_end(#[cppgc] rewriter: &Rewriter) {
    rewriter.0.borrow_mut().end();
}

/// Continues until there are handlers to run (returns their events), the output should be taken (returns an empty list), or all
/// input is consumed (returns null). `changes` has a list for each event of the previous call.
#[op2]
pub(crate) fn op_html_rewriter_step(
    #[cppgc] rewriter: &Rewriter,
    #[scoped] changes: Vec<Vec<Change>>,
) -> Result<Option<Vec<Event>>, JsErrorBox> {
    rewriter.0.borrow_mut().step(changes).map_err(|error| match error {
        RewritingError::MemoryLimitExceeded(_) => JsErrorBox::type_error(format!(
            "HTMLRewriter: a tag, a comment or the nesting of the document takes more than {} MiB",
            PARSER_MEMORY / (1024 * 1024)
        )),
        error => JsErrorBox::type_error(format!("HTMLRewriter: {error}")),
    })
}

/// Takes the output produced since the last call.
#[op2]
#[buffer]
pub(crate) fn op_html_rewriter_take(#[cppgc] rewriter: &Rewriter) -> Vec<u8> {
    rewriter.0.borrow().output.take()
}
