//! One piece of a document between its two parses: the calls of handlers, and the changes that they made.

use std::collections::VecDeque;

use deno_core::convert::ToV8;
use deno_core::v8;
use deno_error::JsErrorBox;
use rustc_hash::FxHashSet;

/// One call of a handler. `data` is what it may look at; none if that has gone to another handler of the same part already.
#[derive(Debug)]
pub(crate) enum Event {
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
pub(super) type ElementData = (String, Vec<(String, String)>, &'static str, bool, bool);

pub(super) type DoctypeData = (Option<String>, Option<String>, Option<String>);

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

/// One change: which (the constants in `writer::change`), its content or name, its value, and whether the content is HTML.
pub(crate) type Change = (u32, String, String, bool);

/// What scanner and writer know of each other.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Of the piece that is being scanned.
    pub(super) events: Vec<Event>,
    /// For each event of the piece that is being written: the element it is about, and what its handler did.
    pub(super) changes: VecDeque<(u32, Vec<Change>)>,
    pub(super) last_element: u32,
    /// Open elements whose end tag a handler asked for.
    pub(super) awaited: FxHashSet<u32>,
    /// Open elements whose content is being removed.
    pub(super) removed: FxHashSet<u32>,
}
