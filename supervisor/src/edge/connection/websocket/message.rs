//! The messages of a client, of which frames are parts: their kind, their length, and whether text is UTF-8. Closing frames.

use bytes::{Bytes, BytesMut};
use nano_protocol::socket::{PieceKind, read_close};

use super::frame::{FrameEvent, Opcode, SocketFrames, Violation};
use super::inflate::Inflater;
use super::text::Utf8;
use crate::edge::upstream::inflating::InflatePlaces;

/// The code that stands for a closing frame without one.
pub(crate) const NO_CODE: u16 = 1005;

/// Something that a client has sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A part of a message.
    Part {
        kind: PieceKind,
        bytes: Bytes,
        is_last: bool,
    },
    /// It expects a pong with these bytes.
    Ping(Bytes),
    Pong,
    /// The contents of its closing frame, which are valid.
    Close(Bytes),
}

/// Reads the messages of one client.
#[derive(Debug)]
pub(crate) struct SocketMessages {
    frames: SocketFrames,
    /// Longest message, in bytes.
    limit: u64,
    message: Option<OpenMessage>,
    /// Whether the message ends with the current frame.
    is_last: bool,
    /// The places of compressed messages. None if the client does not compress.
    places: Option<InflatePlaces>,
    /// What inflates the message under way, if it is compressed.
    inflater: Option<Inflater>,
}

/// The message under way.
#[derive(Debug)]
struct OpenMessage {
    kind: PieceKind,
    length: u64,
    text: Utf8,
}

impl SocketMessages {
    /// Messages may be compressed if there are places for them.
    pub(crate) fn new(limit: u64, places: Option<InflatePlaces>) -> Self {
        let frames = SocketFrames::new(places.is_some());
        Self { frames, limit, message: None, is_last: false, places, inflater: None }
    }

    /// Returns the next thing in the input, and removes it from there. None if more input is needed.
    ///
    /// # Errors
    /// [`Violation`] if the client breaks the rules, or a message is too long.
    pub(crate) fn next(&mut self, input: &mut BytesMut) -> Result<Option<Said>, Violation> {
        loop {
            if let Some(inflater) = &mut self.inflater
                && let Some((bytes, is_last)) = inflater.next()?
            {
                if let Some(part) = self.contents(bytes, is_last)? {
                    return Ok(Some(part));
                }
                continue;
            }
            let Some(event) = self.frames.next(input)? else { return Ok(None) };
            match event {
                FrameEvent::Begins { opcode, is_last, is_compressed } => {
                    self.begin(opcode, is_last, is_compressed)?;
                }
                FrameEvent::Contents { bytes, ends } => {
                    let is_last = ends && self.is_last;
                    if let Some(inflater) = &mut self.inflater {
                        inflater.add(bytes, is_last);
                    } else if let Some(part) = self.contents(bytes.freeze(), is_last)? {
                        return Ok(Some(part));
                    }
                }
                FrameEvent::Control { opcode: Opcode::Ping, bytes } => {
                    return Ok(Some(Said::Ping(bytes.freeze())));
                }
                FrameEvent::Control { opcode: Opcode::Close, bytes } => {
                    check_close(&bytes)?;
                    return Ok(Some(Said::Close(bytes.freeze())));
                }
                FrameEvent::Control { .. } => return Ok(Some(Said::Pong)),
            }
        }
    }

    fn begin(&mut self, opcode: Opcode, is_last: bool, is_compressed: bool) -> Result<(), Violation> {
        self.is_last = is_last;
        let kind = match (opcode, &self.message) {
            (Opcode::Continuation, Some(_)) => return Ok(()),
            (Opcode::Continuation, None) => {
                return Err(Violation::protocol("continuation of no message"));
            }
            (_, Some(_)) => return Err(Violation::protocol("message within a message")),
            (Opcode::Text, None) => PieceKind::Text,
            (_, None) => PieceKind::Binary,
        };
        self.message = Some(OpenMessage { kind, length: 0, text: Utf8::default() });
        if is_compressed {
            let place = self.places.as_ref().and_then(InflatePlaces::enter);
            let why = "too many compressed messages are under way";
            self.inflater = Some(Inflater::new(place.ok_or(Violation { code: 1013, why })?));
        }
        Ok(())
    }

    fn contents(&mut self, bytes: Bytes, is_last: bool) -> Result<Option<Said>, Violation> {
        let Some(message) = &mut self.message else { return Ok(None) };
        message.length += bytes.len() as u64;
        if message.length > self.limit {
            return Err(Violation { code: 1009, why: "message too long" });
        }
        let kind = message.kind;
        if kind == PieceKind::Text && !(message.text.take(&bytes) && (!is_last || message.text.is_complete()))
        {
            return Err(Violation { code: 1007, why: "text that is not UTF-8" });
        }
        if is_last {
            self.message = None;
            self.inflater = None;
        }
        Ok((is_last || !bytes.is_empty()).then_some(Said::Part { kind, bytes, is_last }))
    }
}

fn check_close(contents: &[u8]) -> Result<(), Violation> {
    match read_close(contents).map_err(|(code, why)| Violation { code, why })? {
        // Nobody has given these a meaning.
        Some((1016..=2999, _)) => Err(Violation::protocol("code of a closing frame")),
        _ => Ok(()),
    }
}

/// Returns the contents of a closing frame with this code, unless it is [`NO_CODE`], and this reason, which is at most 123 bytes long.
pub(crate) fn close_contents(code: u16, reason: &str) -> Vec<u8> {
    match code {
        NO_CODE => Vec::new(),
        code => [&code.to_be_bytes(), reason.as_bytes()].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads frames, each with its first byte and its contents. Returns what was said, the last violation as its code.
    fn said(frames: &[(u8, &[u8])]) -> Result<Vec<Said>, u16> {
        let mut input = BytesMut::new();
        for (first, contents) in frames {
            input.extend_from_slice(&[*first, 0x80 | contents.len() as u8, 0, 0, 0, 0]);
            input.extend_from_slice(contents);
        }
        let (mut messages, mut found) = (SocketMessages::new(10, None), Vec::new());
        while let Some(said) = messages.next(&mut input).map_err(|violation| violation.code)? {
            found.push(said);
        }
        Ok(found)
    }

    fn part(kind: PieceKind, bytes: &'static str, is_last: bool) -> Said {
        Said::Part { kind, bytes: bytes.into(), is_last }
    }

    #[test]
    fn messages_consist_of_frames() {
        let found = said(&[
            (0x01, b"a"),
            (0x89, b"p"),
            (0x00, b""),
            (0x80, b"b"),
            (0x82, b""),
            (0x88, b"\x03\xe8ok"),
        ]);
        let close = Said::Close("\u{3}".into());
        let mut found = found.unwrap();
        let Some(Said::Close(contents)) = found.pop() else { panic!("{found:?} {close:?}") };
        assert_eq!(&contents[..], b"\x03\xe8ok");
        let text = |bytes, is_last| part(PieceKind::Text, bytes, is_last);
        let expected =
            [text("a", false), Said::Ping("p".into()), text("b", true), part(PieceKind::Binary, "", true)];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_breaks_a_rule_has_its_code() {
        for (frames, code) in [
            (&[(0x80, &b"a"[..])][..], 1002),
            (&[(0x01, b"a"), (0x81, b"b")], 1002),
            (&[(0x82, b"12345678901")], 1009),
            (&[(0x02, b"123456"), (0x00, b"78901")], 1009),
            (&[(0x81, b"\xff")], 1007),
            (&[(0x01, b"\xc3"), (0x80, b"")], 1007),
            (&[(0x88, b"\x03")], 1002),
            (&[(0x88, b"\x03\xe8\xff")], 1007),
            (&[(0x88, b"\x03\xed")], 1002),
            (&[(0x88, b"\x0b\xb7")], 1002),
        ] {
            assert_eq!(said(frames), Err(code), "{frames:?}");
        }
        assert!(said(&[(0x01, b"\xc3"), (0x80, b"\xbc")]).is_ok());
    }

    #[test]
    fn a_close_has_a_code_unless_it_has_none() {
        assert_eq!(close_contents(1000, "x"), [3, 232, b'x']);
        assert!(close_contents(NO_CODE, "").is_empty());
    }
}
