//! Inflates a compressed message of a client (RFC 7692), in parts as it arrives, so that one that becomes long takes no more memory than
//! a short one.

use std::cell::Cell;

use bytes::{Buf as _, Bytes, BytesMut};
use flate2::{Decompress, FlushDecompress, Status};

use super::frame::Violation;
use crate::edge::upstream::inflating::InflatePlace;

/// Most bytes of a part.
const PART: usize = 16 * 1024;

/// What a message ends with that is not sent (RFC 7692, 7.2.2).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

thread_local! {
    /// The state of a message that has ended, for the next one. Most messages end in the turn in which they begin.
    static SPARE: Cell<Option<Decompress>> = const { Cell::new(None) };
}

/// One message of a client, from its first compressed byte to its last part.
#[derive(Debug)]
pub(crate) struct Inflater {
    /// None once it has ended.
    state: Option<Decompress>,
    /// What has arrived compressed and was not inflated yet.
    input: BytesMut,
    /// Whether the input is the end of the message.
    has_end: bool,
    /// Whether there may be another part.
    has_part: bool,
    _place: InflatePlace,
}

impl Inflater {
    pub(crate) fn new(place: InflatePlace) -> Self {
        let state = match SPARE.take() {
            Some(mut spare) => {
                spare.reset(false);
                spare
            }
            None => Decompress::new(false),
        };
        Self { state: Some(state), input: BytesMut::new(), has_end: false, has_part: false, _place: place }
    }

    /// Adds compressed bytes. The caller has taken all parts of those before.
    pub(crate) fn add(&mut self, bytes: BytesMut, is_end: bool) {
        self.input = bytes;
        if is_end {
            self.input.extend_from_slice(&TAIL);
        }
        (self.has_end, self.has_part) = (is_end, true);
    }

    /// Returns the next part of the message, and whether the message ends with it. None if more input is needed.
    ///
    /// # Errors
    /// [`Violation`] if this is nothing compressed.
    pub(crate) fn next(&mut self) -> Result<Option<(Bytes, bool)>, Violation> {
        let Some(state) = self.state.as_mut().filter(|_| self.has_part) else { return Ok(None) };
        let (mut part, mut length) = ([0; PART], 0);
        while length < PART {
            let before = (state.total_in(), state.total_out());
            let status = state
                .decompress(&self.input, &mut part[length..], FlushDecompress::None)
                .map_err(|_| Violation { code: 1007, why: "message that cannot be inflated" })?;
            let (read, written) = (state.total_in() - before.0, state.total_out() - before.1);
            self.input.advance(read as usize);
            length += written as usize;
            match status {
                // A message may have blocks behind one that says that it is the last (RFC 7692, 7.2.3.5).
                Status::StreamEnd => state.reset(false),
                _ if read == 0 && written == 0 => break,
                _ => {}
            }
        }
        self.has_part = length == PART;
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
        Ok(Some((Bytes::copy_from_slice(&part[..length]), self.has_end && !self.has_part)))
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        SPARE.set(self.state.take());
    }
}
