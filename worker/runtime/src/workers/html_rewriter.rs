//! HTML rewriting with lol_html, whose handlers return at once, for handlers in JavaScript, which may take their time.
//!
//! Every document is parsed twice, piece by piece. First the [`scanner`] parses a piece and notes which handlers it calls
//! for and what they may look at. JavaScript runs these handlers one after the other, however long they take, and says
//! what they changed. Then the [`writer`] parses the same piece, makes the changes, and emits. Both see the same bytes in
//! the same pieces, and nothing that a handler can change has a say in which handlers are called: so both call the same
//! ones in the same order. A piece begins at a `<`, so that what stands before a tag is out before its handlers run.
//!
//! While a handler waits no thread and no stack is held, so that as many documents can be under way as requests.

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

/// Most bytes that one parser keeps: of a tag or comment that does not end, and of the elements that are open.
const PARSER_MEMORY: usize = 4 * 1024 * 1024;

/// With this much output in hand, JavaScript is asked to pass it on before there is more.
const OUTPUT: usize = 64 * 1024;

/// lol_html's parser, with its output going to a function.
type HtmlParser = HtmlRewriter<'static, Box<dyn FnMut(&[u8])>>;

/// A document under way.
struct Document {
    /// None after the end of the document, and after an error.
    scanner: Option<HtmlParser>,
    /// As `scanner`.
    writer: Option<HtmlParser>,
    shared: Rc<RefCell<Shared>>,
    output: Rc<RefCell<Vec<u8>>>,
    input: Bytes,
    /// What of `input` comes next.
    position: usize,
    is_last: bool,
    /// What was scanned and waits for its handlers, with the elements that their events are about.
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

    /// More of the document; what came before must have been used up.
    fn feed(&mut self, input: Bytes) {
        self.input = input;
        self.position = 0;
    }

    /// There is no more.
    fn end(&mut self) {
        self.feed(Bytes::new());
        self.is_last = true;
    }

    /// Works until there are handlers to run (their events), the output is full (an empty list), or all of the input is
    /// used up (none). `changes` are what the handlers of the previous events did.
    fn step(&mut self, changes: Vec<Vec<Change>>) -> Result<Option<Vec<Event>>, RewritingError> {
        let done = self.try_step(changes);
        if done.is_err() {
            // lol_html panics when a parser is used after it has failed.
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
