//! The messages of a WebSocket on a stream that has been upgraded.
//!
//! Each direction of the stream carries *pieces*: a header of five bytes, and contents. The header is a byte with the
//! [`PieceKind`], to which [`LAST`] is added if the message ends with this piece, and the length of the contents (u32, little
//! endian). Long messages are sent in several pieces of one kind, so that nobody has to hold all of them. A piece of kind
//! [`PieceKind::Close`] or [`PieceKind::Failed`] is the last one, and ends its direction of the stream.

use bytes::Buf;

use crate::ProtocolError;

/// Length of the header of a piece, in bytes.
pub const PIECE_HEADER: usize = 5;

/// Added to the kind of a piece that ends its message.
pub const LAST: u8 = 0x80;

/// Longest contents of a [`PieceKind::Close`] or [`PieceKind::Failed`], in bytes, as of control frames in RFC 6455.
pub const MAX_CLOSE: usize = 125;

/// What a piece is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum PieceKind {
    /// A text message. The text is UTF-8, but one piece may end within a character.
    Text = 1,
    /// A message of any bytes.
    Binary = 2,
    /// The closing handshake: nothing, or a code (u16, big endian) and a reason.
    Close = 3,
    /// Supervisor: the client has broken the rules, and gets no more messages. The contents say which.
    Failed = 4,
}

impl PieceKind {
    /// Returns the header of a piece of this kind. `is_last` says that it ends its message.
    pub fn header(self, is_last: bool, length: usize) -> [u8; PIECE_HEADER] {
        let [l0, l1, l2, l3] = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
        [self as u8 | if is_last { LAST } else { 0 }, l0, l1, l2, l3]
    }

    fn is_end(self) -> bool {
        matches!(self, Self::Close | Self::Failed)
    }
}

/// Bytes of a message that have been received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PiecePart {
    /// What they are a part of.
    pub kind: PieceKind,
    /// How many bytes of the input they are, which may be zero.
    pub length: usize,
    /// Whether a message begins with them. What has come of another one is to be forgotten: it was given up.
    pub is_first: bool,
    /// Whether the message ends with them.
    pub is_last: bool,
}

/// Finds the messages in one direction of a stream. It keeps no contents.
#[derive(Debug, Default)]
pub struct Pieces {
    header: [u8; PIECE_HEADER],
    filled: usize,
    /// The piece under way: its kind, whether it is the last of its message, and how many bytes of it are to come.
    piece: Option<(PieceKind, bool, usize)>,
    /// The kind of the message under way.
    message: Option<PieceKind>,
    has_ended: bool,
}

impl Pieces {
    /// Takes the header of the next piece from the input, if it is due, and returns how many of the bytes that follow are of
    /// which message. The caller takes these from the input. None if more input is needed.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] or [`ProtocolError::Unexpected`] if the peer breaks the rules.
    pub fn next(&mut self, input: &mut impl Buf) -> Result<Option<PiecePart>, ProtocolError> {
        let before = self.message;
        let goes_on = self.piece.is_some();
        let (kind, ends, left) = match self.piece {
            Some(_) if !input.has_remaining() => return Ok(None),
            Some(piece) => piece,
            None => {
                while self.filled < PIECE_HEADER && input.has_remaining() {
                    self.header[self.filled] = input.get_u8();
                    self.filled += 1;
                }
                if self.filled < PIECE_HEADER {
                    return Ok(None);
                }
                self.filled = 0;
                self.begin()?
            }
        };
        let length = left.min(input.remaining());
        let is_over = length == left;
        self.piece = (!is_over).then_some((kind, ends, left - length));
        let is_last = is_over && ends;
        if is_last {
            self.message = None;
        }
        let is_first = !goes_on && before != Some(kind);
        Ok(Some(PiecePart { kind, length, is_first, is_last }))
    }

    fn begin(&mut self) -> Result<(PieceKind, bool, usize), ProtocolError> {
        let malformed = |detail: String| ProtocolError::Malformed { what: "piece of a message", detail };
        let [kind, length @ ..] = self.header;
        let length = u32::from_le_bytes(length) as usize;
        let ends = kind & LAST != 0;
        let kind = match kind & !LAST {
            1 => PieceKind::Text,
            2 => PieceKind::Binary,
            3 => PieceKind::Close,
            4 => PieceKind::Failed,
            other => return Err(malformed(format!("kind {other}"))),
        };
        if self.has_ended {
            return Err(ProtocolError::Unexpected("piece of a message"));
        }
        // The end may come within a message, which is then given up.
        if self.message.is_some_and(|message| message != kind) && !kind.is_end() {
            return Err(ProtocolError::Unexpected("piece of another message"));
        }
        if kind.is_end() && (!ends || length > MAX_CLOSE) {
            return Err(malformed(format!("{length} bytes in the end of a WebSocket")));
        }
        self.has_ended = kind.is_end();
        self.message = Some(kind);
        Ok((kind, ends, length))
    }
}

/// Reads the contents of a closing frame: its code and its reason, or none. The code is one that JavaScript may close with on Workers.
///
/// # Errors
/// What is wrong with it: the code with which to close the WebSocket, and a reason.
pub fn read_close(contents: &[u8]) -> Result<Option<(u16, &str)>, (u16, &'static str)> {
    match contents {
        _ if contents.len() > MAX_CLOSE => Err((1002, "control frame that is too long")),
        [] => Ok(None),
        [_] => Err((1002, "half a code")),
        [high, low, reason @ ..] => match u16::from_be_bytes([*high, *low]) {
            code @ (1000..=1003 | 1007..=1014 | 1016..=4999) => match std::str::from_utf8(reason) {
                Ok(reason) => Ok(Some((code, reason))),
                Err(_) => Err((1007, "reason that is not UTF-8")),
            },
            _ => Err((1002, "code of a closing frame")),
        },
    }
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};
    use proptest::prelude::*;

    use super::*;

    /// Returns the messages in these chunks, or none if they break the rules.
    fn read(chunks: &[Bytes]) -> Option<Vec<(PieceKind, Vec<u8>)>> {
        let (mut pieces, mut message, mut found) = (Pieces::default(), Vec::new(), Vec::new());
        for chunk in chunks {
            let mut chunk = chunk.clone();
            while let Some(part) = pieces.next(&mut chunk).ok()? {
                if part.is_first {
                    message.clear();
                }
                message.extend_from_slice(&chunk.split_to(part.length));
                if part.is_last {
                    found.push((part.kind, std::mem::take(&mut message)));
                }
            }
            assert!(chunk.is_empty());
        }
        Some(found)
    }

    proptest! {
        #[test]
        fn messages_are_found_however_they_are_cut(
            messages in proptest::collection::vec(
                (any::<bool>(), proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9), 1..4)), 0..6,
            ),
            cut in 1usize..12,
        ) {
            let (mut sent, mut expected) = (BytesMut::new(), Vec::new());
            for (is_text, pieces) in messages {
                let kind = if is_text { PieceKind::Text } else { PieceKind::Binary };
                for (number, piece) in pieces.iter().enumerate() {
                    sent.extend_from_slice(&kind.header(number + 1 == pieces.len(), piece.len()));
                    sent.extend_from_slice(piece);
                }
                expected.push((kind, pieces.concat()));
            }
            sent.extend_from_slice(&PieceKind::Close.header(true, 2));
            sent.extend_from_slice(&[3, 232]);
            expected.push((PieceKind::Close, vec![3, 232]));
            let chunks: Vec<_> = sent.chunks(cut).map(Bytes::copy_from_slice).collect();
            prop_assert_eq!(read(&chunks), Some(expected));
        }

        #[test]
        fn no_input_panics(input in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = read(&[input.into()]);
        }
    }

    #[test]
    fn a_closing_frame_has_a_code_that_may_be_sent_and_a_reason_that_is_text() {
        let longest = [&[3, 232][..], &[b'x'; 123]].concat();
        assert_eq!(
            read_close(&longest).map(|read| read.map(|(code, why)| (code, why.len()))),
            Ok(Some((1000, 123)))
        );
        assert_eq!(read_close(b""), Ok(None));
        assert_eq!(read_close(b"\x0f\xa1\xc3\xbc"), Ok(Some((4001, "ü"))));
        for (contents, code) in [
            (&b"\x03"[..], 1002),
            (b"\x03\xe8\xff", 1007),
            (b"\x03\xe7", 1002),
            (b"\x03\xed", 1002),
            (b"\x03\xee", 1002),
            (b"\x03\xf7", 1002),
            (b"\x03\xec", 1002),
            (b"\x13\x88", 1002),
            (&[&longest[..], b"x"].concat(), 1002),
        ] {
            assert_eq!(read_close(contents).map_err(|(code, _)| code), Err(code), "{contents:?}");
        }
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        let text = |is_last| PieceKind::Text.header(is_last, 0);
        let close = PieceKind::Close.header(true, 0);
        for pieces in [
            &[[9, 0, 0, 0, 0]][..],
            &[text(false), PieceKind::Binary.header(true, 0)],
            &[close, text(true)],
            &[PieceKind::Close.header(false, 0)],
            &[PieceKind::Failed.header(true, MAX_CLOSE + 1)],
        ] {
            assert_eq!(read(&[pieces.concat().into()]), None, "{pieces:?}");
        }
        for (is_last, messages) in [(true, 2), (false, 1)] {
            assert_eq!(read(&[[text(is_last), close].concat().into()]).unwrap().len(), messages);
        }
    }
}
