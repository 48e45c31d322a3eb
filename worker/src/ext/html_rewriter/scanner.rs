//! The first parse of a piece: which handlers it calls for, and what they may look at.

use std::cell::RefCell;
use std::rc::Rc;

use deno_core::convert::ToV8;
use deno_core::v8;
use deno_error::JsErrorBox;
use lol_html::HandlerResult;
use lol_html::html_content::{Comment, Doctype, DocumentEnd, Element, EndTag, TextChunk, UserData};

use super::Shared;
use super::visit::Visit;

/// One call of a handler. `data` is what it may look at; none if that has gone to another handler of the same part already.
#[derive(Debug)]
pub enum Event {
    /// A start tag.
    Element { handler: u32, data: Option<ElementData>, element: u32 },
    /// The end tag of an element whose handler asked for it, by name.
    EndTag { element: u32, name: String },
    /// Text, and whether it is the last of its text node.
    Text { handler: u32, data: Option<(String, bool)> },
    /// Its text.
    Comment { handler: u32, data: Option<(String,)> },
    /// Name, public id, system id.
    Doctype { handler: u32, data: Option<DoctypeData> },
    /// The end of the document.
    End { handler: u32 },
}

/// Name, attributes, namespace, whether it can have content, and whether it is inside of something that is being removed.
type ElementData = (String, Vec<(String, String)>, &'static str, bool, bool);

type DoctypeData = (Option<String>, Option<String>, Option<String>);

impl Event {
    /// The element it is about; zero is none.
    pub(super) fn element(&self) -> u32 {
        match self {
            Self::Element { element, .. } | Self::EndTag { element, .. } => *element,
            _ => 0,
        }
    }
}

/// An array that begins with the kind of event; `html_rewriter.js` has the same values.
impl<'a> ToV8<'a> for Event {
    type Error = JsErrorBox;

    fn to_v8(self, scope: &mut v8::PinScope<'a, '_>) -> Result<v8::Local<'a, v8::Value>, JsErrorBox> {
        match self {
            Self::Element { handler, data, element } => (0u32, handler, data, element).to_v8(scope),
            Self::EndTag { element, name } => (1u32, element, name).to_v8(scope),
            Self::Text { handler, data } => (2u32, handler, data).to_v8(scope),
            Self::Comment { handler, data } => (3u32, handler, data).to_v8(scope),
            Self::Doctype { handler, data } => (4u32, handler, data).to_v8(scope),
            Self::End { handler } => (5u32, handler).to_v8(scope),
        }
    }
}

/// Notes events.
#[derive(Debug)]
pub(super) struct Scanner(pub(super) Rc<RefCell<Shared>>);

/// Tied to a part of the document by its first handler; elements have a number.
struct Seen(u32);

fn is_first(part: &mut impl UserData) -> bool {
    let is_first = !part.user_data().is::<Seen>();
    if is_first {
        part.set_user_data(Seen(0));
    }
    is_first
}

impl Scanner {
    fn note(&self, event: Event) -> HandlerResult {
        self.0.borrow_mut().events.push(event);
        Ok(())
    }

    fn open(
        &self,
        part: &mut Element<'_, '_>,
    ) -> Result<(u32, ElementData), Box<dyn std::error::Error + Send + Sync>> {
        let mut shared = self.0.borrow_mut();
        shared.last_element = shared.last_element.wrapping_add(1).max(1);
        let element = shared.last_element;
        part.set_user_data(Seen(element));
        let attributes = part.attributes().iter().map(|attribute| (attribute.name(), attribute.value()));
        let removed = part.removed() || !shared.removed.is_empty();
        let data =
            (part.tag_name(), attributes.collect(), part.namespace_uri(), part.can_have_content(), removed);
        if part.can_have_content() {
            let shared = self.0.clone();
            part.on_end_tag(Box::new(move |end| {
                close(&mut shared.borrow_mut(), element, end);
                Ok(())
            }))?;
        }
        Ok((element, data))
    }
}

fn close(shared: &mut Shared, element: u32, end: &EndTag<'_>) {
    shared.removed.remove(&element);
    if shared.awaited.remove(&element) {
        shared.events.push(Event::EndTag { element, name: end.name() });
    }
}

impl Visit for Scanner {
    fn element(&self, handler: u32, part: &mut Element<'_, '_>) -> HandlerResult {
        let seen = part.user_data().downcast_ref::<Seen>().map(|seen| seen.0);
        let (element, data) = match seen {
            Some(element) => (element, None),
            None => {
                let (element, data) = self.open(part)?;
                (element, Some(data))
            }
        };
        self.note(Event::Element { handler, data, element })
    }

    fn comment(&self, handler: u32, part: &mut Comment<'_>) -> HandlerResult {
        let data = is_first(part).then(|| (part.text(),));
        self.note(Event::Comment { handler, data })
    }

    fn text(&self, handler: u32, part: &mut TextChunk<'_>) -> HandlerResult {
        let data = is_first(part).then(|| (part.as_str().to_owned(), part.last_in_text_node()));
        self.note(Event::Text { handler, data })
    }

    fn doctype(&self, handler: u32, part: &mut Doctype<'_>) -> HandlerResult {
        let data = is_first(part).then(|| (part.name(), part.public_id(), part.system_id()));
        self.note(Event::Doctype { handler, data })
    }

    fn end(&self, handler: u32, _part: &mut DocumentEnd<'_>) -> HandlerResult {
        self.note(Event::End { handler })
    }
}
