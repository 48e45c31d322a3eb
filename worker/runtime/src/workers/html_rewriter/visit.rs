//! Registers lol_html handlers for the handlers of the app, in the same way for both parsers.

use std::borrow::Cow;
use std::rc::Rc;

use lol_html::html_content::{Comment, Doctype, DocumentEnd, Element, TextChunk};
use lol_html::{DocumentContentHandlers, ElementContentHandlers, HandlerResult, Selector, Settings};

/// The handlers registered by one call of `on` or `onDocument`.
pub(super) struct Wanted {
    /// `None` for the whole document.
    pub(super) selector: Option<Selector>,
    /// The kinds of handlers: a bit set of the constants below, which `html_rewriter.js` has as well.
    pub(super) what: u32,
}

const ELEMENT: u32 = 1;
const COMMENTS: u32 = 2;
const TEXT: u32 = 4;
const DOCTYPE: u32 = 8;
const END: u32 = 16;

/// Called for a part of the document, once for each handler. `handler` is the index of the call of `on` or `onDocument`.
pub(super) trait Visit: 'static {
    fn element(&self, handler: u32, element: &mut Element<'_, '_>) -> HandlerResult;
    fn comment(&self, handler: u32, comment: &mut Comment<'_>) -> HandlerResult;
    fn text(&self, handler: u32, text: &mut TextChunk<'_>) -> HandlerResult;
    fn doctype(&self, handler: u32, doctype: &mut Doctype<'_>) -> HandlerResult;
    fn end(&self, handler: u32, end: &mut DocumentEnd<'_>) -> HandlerResult;
}

/// Registers `visit` for every wanted handler.
pub(super) fn register<V: Visit>(
    mut settings: Settings<'static, 'static>,
    wanted: &[Wanted],
    visit: V,
) -> Settings<'static, 'static> {
    let visit = Rc::new(visit);
    for (handler, Wanted { selector, what }) in (0..).zip(wanted) {
        let wants = |kind: u32| (what & kind != 0).then(|| visit.clone());
        let comments = wants(COMMENTS)
            .map(|visit| Box::new(move |part: &mut Comment<'_>| visit.comment(handler, part)) as _);
        let text =
            wants(TEXT).map(|visit| Box::new(move |part: &mut TextChunk<'_>| visit.text(handler, part)) as _);
        settings = if let Some(selector) = selector {
            let element = wants(ELEMENT)
                .map(|visit| Box::new(move |part: &mut Element<'_, '_>| visit.element(handler, part)) as _);
            let handlers = ElementContentHandlers { element, comments, text };
            settings.append_element_content_handler((Cow::Owned(selector.clone()), handlers))
        } else {
            let doctype = wants(DOCTYPE)
                .map(|visit| Box::new(move |part: &mut Doctype<'_>| visit.doctype(handler, part)) as _);
            let end = wants(END)
                .map(|visit| Box::new(move |part: &mut DocumentEnd<'_>| visit.end(handler, part)) as _);
            settings.append_document_content_handler(DocumentContentHandlers { doctype, comments, text, end })
        };
    }
    settings
}
