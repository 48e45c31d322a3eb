//! One piece of a document between its two parses: the handler calls, and the changes that the handlers made.

use std::collections::VecDeque;

use deno_core::convert::ToV8;
use deno_core::v8;
use deno_error::JsErrorBox;
use rustc_hash::FxHashSet;

/// One call of a handler. `data` is what the handler may read; `None` if an earlier event of the same part has carried it.
#[derive(Debug)]
pub(crate) enum Event {
    /// A start tag.
    Element { handler: u32, data: Option<ElementData>, element: u32 },
    /// The end tag of an element, if a handler has asked for it; `name` is its tag name.
    EndTag { element: u32, name: String },
    /// A chunk of text, and whether it is the last of its text node.
    Text { handler: u32, data: Option<(String, bool)> },
    /// A comment and its text.
    Comment { handler: u32, data: Option<(String,)> },
    /// A doctype: name, public id, system id.
    Doctype { handler: u32, data: Option<DoctypeData> },
    /// The end of the document.
    End { handler: u32 },
}

/// Name, attributes, namespace, whether the element can have content, and whether it is inside an element that is being removed.
pub(super) type ElementData = (String, Vec<(String, String)>, &'static str, bool, bool);

pub(super) type DoctypeData = (Option<String>, Option<String>, Option<String>);

impl Event {
    /// Returns the element that the event refers to; zero for none.
    pub(super) fn element(&self) -> u32 {
        match self {
            Self::Element { element, .. } | Self::EndTag { element, .. } => *element,
            _ => 0,
        }
    }
}

/// Converts to an array that begins with the kind of event; `html_rewriter.js` has the same values.
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

/// One change: its kind (the constants in `writer::change`), its content or name, its value, and whether the content is HTML.
pub(crate) type Change = (u32, String, String, bool);

/// State shared by scanner and writer.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Events of the piece that is being scanned.
    pub(super) events: Vec<Event>,
    /// For each event of the piece that is being written: the element that it refers to, and the changes of its handler.
    pub(super) changes: VecDeque<(u32, Vec<Change>)>,
    pub(super) last_element: u32,
    /// Open elements whose end tag a handler has asked for.
    pub(super) awaited: FxHashSet<u32>,
    /// Open elements whose content is being removed.
    pub(super) removed: FxHashSet<u32>,
}
