//! HTML rewriting with lol_html. lol_html's handlers must return at once, while handlers in JavaScript may be asynchronous.
//!
//! Every document is parsed twice, piece by piece. First the [`scanner`] parses a piece, and notes which handlers it calls and
//! what they may read. JavaScript runs these handlers one after the other, however long they take, and returns their changes.
//! Then the [`writer`] parses the same piece, makes the changes, and emits output. Both parsers see the same bytes in the same
//! pieces, and nothing that a handler can change affects which handlers are called: so both call the same ones in the same order.
//! A piece begins at a `<`, so that everything before a tag is emitted before the tag's handlers run.
//!
//! While a handler is pending, it holds neither a thread nor a stack, so there can be as many documents in progress as requests.

pub(crate) mod ops;
mod piece;
mod scanner;
mod visit;
mod writer;

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use bytes::Bytes;
use lol_html::errors::RewritingError;
use lol_html::{AsciiCompatibleEncoding, HtmlRewriter, MemorySettings, Settings};

use piece::{Change, Event, Shared};
use scanner::Scanner;
use visit::{Wanted, register};
use writer::Writer;

/// Maximum memory of one parser: for an unterminated tag or comment, and for the open elements.
const PARSER_MEMORY: usize = 4 * 1024 * 1024;

/// Output size from which on JavaScript has to take the output before more is produced.
const OUTPUT: usize = 64 * 1024;

/// lol_html's parser, with a function as its output.
type HtmlParser = HtmlRewriter<'static, Box<dyn FnMut(&[u8])>>;

/// A document between its first byte and its last.
struct Document {
    /// `None` after the end of the document, and after an error.
    scanner: Option<HtmlParser>,
    /// `None` in the same cases as `scanner`.
    writer: Option<HtmlParser>,
    shared: Rc<RefCell<Shared>>,
    output: Rc<RefCell<Vec<u8>>>,
    input: Bytes,
    /// Position in `input` of the next piece.
    position: usize,
    is_last: bool,
    /// The piece that was scanned and waits for its handlers, with the elements that its events refer to.
    scanned: Option<(Piece, Vec<u32>)>,
}

enum Piece {
    Bytes(Range<usize>),
    End,
}

impl Document {
    fn new(wanted: &[Wanted], encoding: AsciiCompatibleEncoding) -> Self {
        let shared: Rc<RefCell<Shared>> = Rc::default();
        let output: Rc<RefCell<Vec<u8>>> = Rc::default();
        let settings = || {
            let memory = MemorySettings::new().with_max_allowed_memory_usage(PARSER_MEMORY);
            Settings::new().with_encoding(encoding).with_memory_settings(memory)
        };
        let scanner = register(settings(), wanted, Scanner(shared.clone()));
        let writer = register(settings(), wanted, Writer(shared.clone()));
        let sink = output.clone();
        let emit = move |bytes: &[u8]| sink.borrow_mut().extend_from_slice(bytes);
        Self {
            scanner: Some(HtmlParser::new(scanner, Box::new(|_| {}))),
            writer: Some(HtmlParser::new(writer, Box::new(emit))),
            shared,
            output,
            input: Bytes::new(),
            position: 0,
            is_last: false,
            scanned: None,
        }
    }

    /// Adds input. The previous input must have been consumed.
    fn feed(&mut self, input: Bytes) {
        self.input = input;
        self.position = 0;
    }

    /// Marks the end of the document.
    fn end(&mut self) {
        self.feed(Bytes::new());
        self.is_last = true;
    }

    /// Continues until there are handlers to run (returns their events), the output is full (returns an empty list), or all input
    /// is consumed (returns `None`). `changes` are the results of the handlers of the previous events.
    fn step(&mut self, changes: Vec<Vec<Change>>) -> Result<Option<Vec<Event>>, RewritingError> {
        let done = self.try_step(changes);
        if done.is_err() {
            // lol_html panics if a parser is used after it has failed.
            (self.scanner, self.writer) = (None, None);
        }
        done
    }

    fn try_step(&mut self, changes: Vec<Vec<Change>>) -> Result<Option<Vec<Event>>, RewritingError> {
        if let Some((piece, elements)) = self.scanned.take() {
            self.shared.borrow_mut().changes.extend(elements.into_iter().zip(changes));
            parse(&mut self.writer, &piece, &self.input)?;
        }
        while let Some(piece) = self.next_piece() {
            parse(&mut self.scanner, &piece, &self.input)?;
            let events = std::mem::take(&mut self.shared.borrow_mut().events);
            if !events.is_empty() {
                self.scanned = Some((piece, events.iter().map(Event::element).collect()));
                return Ok(Some(events));
            }
            parse(&mut self.writer, &piece, &self.input)?;
            if self.output.borrow().len() >= OUTPUT {
                return Ok(Some(Vec::new()));
            }
        }
        Ok(None)
    }

    fn next_piece(&mut self) -> Option<Piece> {
        let rest = &self.input[self.position..];
        let Some((_, after)) = rest.split_first() else {
            return std::mem::take(&mut self.is_last).then_some(Piece::End);
        };
        let length = after.iter().position(|byte| *byte == b'<').map_or(rest.len(), |next| next + 1);
        let range = self.position..self.position + length;
        self.position = range.end;
        Some(Piece::Bytes(range))
    }
}

fn parse(parser: &mut Option<HtmlParser>, piece: &Piece, input: &Bytes) -> Result<(), RewritingError> {
    match piece {
        Piece::Bytes(range) => parser.as_mut().map_or(Ok(()), |parser| parser.write(&input[range.clone()])),
        Piece::End => parser.take().map_or(Ok(()), HtmlParser::end),
    }
}
