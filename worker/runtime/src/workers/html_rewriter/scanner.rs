//! The first parse of a piece: which handlers it calls, and what they may read.

use std::cell::RefCell;
use std::rc::Rc;

use lol_html::HandlerResult;
use lol_html::html_content::{Comment, Doctype, DocumentEnd, Element, EndTag, TextChunk, UserData};

use super::piece::{ElementData, Event, Shared};
use super::visit::Visit;

/// Records an event for each handler call.
#[derive(Debug)]
pub(super) struct Scanner(pub(super) Rc<RefCell<Shared>>);

/// Attached to a part of the document by its first handler. Holds the number of an element.
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
