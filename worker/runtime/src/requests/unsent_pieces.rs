//! What an app sends over a WebSocket, until credit allows it.

use std::collections::VecDeque;

use bytes::{BufMut as _, Bytes, BytesMut};
use nano_protocol::socket::PieceKind;

/// Contents of a piece below which it is kept and sent together with its header and its neighbours.
const JOIN_BELOW: usize = 1024;

/// Most bytes of short pieces that are kept together.
const JOINED: usize = 16 * 1024;

/// Pieces in their order. A short one takes little more memory than its length: as an entry of its own, it would take ten times as
/// much.
#[derive(Debug, Default)]
pub(crate) struct UnsentPieces {
    bytes: VecDeque<Bytes>,
    /// The short pieces behind these.
    short: BytesMut,
}

impl UnsentPieces {
    /// Adds a piece that is a whole message, or a closing frame. Returns its length.
    pub(crate) fn add(&mut self, kind: PieceKind, contents: Vec<u8>) -> usize {
        let header = kind.header(true, contents.len());
        let length = header.len() + contents.len();
        if contents.len() < JOIN_BELOW {
            if self.short.len() + length > JOINED {
                self.close_short();
            }
            self.short.reserve(length);
            self.short.put_slice(&header);
            self.short.put_slice(&contents);
        } else {
            self.close_short();
            self.bytes.extend([Bytes::copy_from_slice(&header), contents.into()]);
        }
        length
    }

    /// Returns what is to be sent first, which may be several pieces or a part of one.
    pub(crate) fn first(&mut self) -> Option<&mut Bytes> {
        if self.bytes.is_empty() {
            self.close_short();
        }
        self.bytes.front_mut()
    }

    /// Removes that.
    pub(crate) fn remove_first(&mut self) {
        self.bytes.pop_front();
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    fn close_short(&mut self) {
        if !self.short.is_empty() {
            self.bytes.push_back(std::mem::take(&mut self.short).freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_messages_are_kept_together_and_all_in_their_order() {
        let (mut unsent, mut sent, mut expected) = (UnsentPieces::default(), Vec::new(), Vec::new());
        let lengths = (0..10_000).map(|number| if number % 4_000 == 3_999 { JOINED } else { number % 3 });
        for (number, length) in lengths.enumerate() {
            let contents = vec![number as u8; length];
            expected.extend(PieceKind::Binary.header(true, length));
            expected.extend(&contents);
            assert_eq!(unsent.add(PieceKind::Binary, contents), 5 + length);
        }
        let mut entries = 0;
        while let Some(first) = unsent.first() {
            sent.extend_from_slice(first);
            entries += 1;
            unsent.remove_first();
        }
        assert!(sent == expected);
        assert!(entries < 15, "{entries}");
    }
}
