//! The second parse of a piece: makes the changes of its handlers, and emits output.

use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;

use lol_html::HandlerResult;
use lol_html::html_content::{Comment, ContentType, Doctype, DocumentEnd, Element, EndTag, TextChunk};

use super::piece::{Change, Shared};
use super::visit::Visit;

/// The kinds of [`Change`]; `html_tokens.js` has the same values.
mod change {
    pub(super) const BEFORE: u32 = 0;
    pub(super) const AFTER: u32 = 1;
    pub(super) const PREPEND: u32 = 2;
    pub(super) const APPEND: u32 = 3;
    pub(super) const REPLACE: u32 = 4;
    pub(super) const SET_INNER_CONTENT: u32 = 5;
    pub(super) const REMOVE: u32 = 6;
    pub(super) const REMOVE_AND_KEEP_CONTENT: u32 = 7;
    pub(super) const SET_ATTRIBUTE: u32 = 8;
    pub(super) const REMOVE_ATTRIBUTE: u32 = 9;
    pub(super) const SET_NAME: u32 = 10;
    pub(super) const SET_TEXT: u32 = 11;
    pub(super) const AWAIT_END_TAG: u32 = 12;
}

/// Writes the document with the changes that the handlers have asked for.
#[derive(Debug)]
pub(super) struct Writer(pub(super) Rc<RefCell<Shared>>);

type Changes = Result<(u32, Vec<Change>), Box<dyn Error + Send + Sync>>;

fn next(shared: &RefCell<Shared>) -> Changes {
    shared
        .borrow_mut()
        .changes
        .pop_front()
        .ok_or_else(|| "its two parsers disagree about the document".into())
}

fn content_type(is_html: bool) -> ContentType {
    if is_html { ContentType::Html } else { ContentType::Text }
}

impl Visit for Writer {
    fn element(&self, _handler: u32, part: &mut Element<'_, '_>) -> HandlerResult {
        let (element, changes) = next(&self.0)?;
        for (what, text, value, is_html) in changes {
            let kind = content_type(is_html);
            match what {
                change::BEFORE => part.before(&text, kind),
                change::AFTER => part.after(&text, kind),
                change::PREPEND => part.prepend(&text, kind),
                change::APPEND => part.append(&text, kind),
                change::REPLACE => part.replace(&text, kind),
                change::SET_INNER_CONTENT => part.set_inner_content(&text, kind),
                change::REMOVE => part.remove(),
                change::REMOVE_AND_KEEP_CONTENT => part.remove_and_keep_content(),
                change::SET_ATTRIBUTE => part.set_attribute(&text, &value)?,
                change::REMOVE_ATTRIBUTE => part.remove_attribute(&text),
                change::SET_NAME => part.set_tag_name(&text)?,
                change::AWAIT_END_TAG => {
                    let shared = self.0.clone();
                    self.0.borrow_mut().awaited.insert(element);
                    part.on_end_tag(Box::new(move |end| end_tag(end, next(&shared)?.1)))?;
                }
                _ => {}
            }
            let removes_content =
                matches!(what, change::REPLACE | change::SET_INNER_CONTENT | change::REMOVE);
            if removes_content && part.can_have_content() {
                self.0.borrow_mut().removed.insert(element);
            }
        }
        Ok(())
    }

    fn comment(&self, _handler: u32, part: &mut Comment<'_>) -> HandlerResult {
        for (what, text, _, is_html) in next(&self.0)?.1 {
            match what {
                change::BEFORE => part.before(&text, content_type(is_html)),
                change::AFTER => part.after(&text, content_type(is_html)),
                change::REPLACE => part.replace(&text, content_type(is_html)),
                change::REMOVE => part.remove(),
                change::SET_TEXT => part.set_text(&text)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn text(&self, _handler: u32, part: &mut TextChunk<'_>) -> HandlerResult {
        for (what, text, _, is_html) in next(&self.0)?.1 {
            match what {
                change::BEFORE => part.before(&text, content_type(is_html)),
                change::AFTER => part.after(&text, content_type(is_html)),
                change::REPLACE => part.replace(&text, content_type(is_html)),
                change::REMOVE => part.remove(),
                _ => {}
            }
        }
        Ok(())
    }

    fn doctype(&self, _handler: u32, _part: &mut Doctype<'_>) -> HandlerResult {
        next(&self.0).map(|_| ())
    }

    fn end(&self, _handler: u32, part: &mut DocumentEnd<'_>) -> HandlerResult {
        for (what, text, _, is_html) in next(&self.0)?.1 {
            if what == change::APPEND {
                part.append(&text, content_type(is_html));
            }
        }
        Ok(())
    }
}

fn end_tag(part: &mut EndTag<'_>, changes: Vec<Change>) -> HandlerResult {
    for (what, text, _, is_html) in changes {
        match what {
            change::BEFORE => part.before(&text, content_type(is_html)),
            change::AFTER => part.after(&text, content_type(is_html)),
            change::REMOVE => part.remove(),
            change::SET_NAME => part.set_name(text),
            _ => {}
        }
    }
    Ok(())
}
