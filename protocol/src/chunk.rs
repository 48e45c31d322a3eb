//! Bytes of a body that count against the window of their stream for as long as somebody keeps them.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::{Buf, Bytes};

use crate::inner::Inner;
use crate::stream::{State, consume};

/// A connection, and the stream of it that bytes came from.
type Source = (Rc<RefCell<Inner>>, Rc<RefCell<State>>);

/// Part of a body. What drops it has passed it on: only then the peer may send as many more.
#[derive(Debug, Default)]
pub struct Chunk {
    bytes: Bytes,
    /// How much of the window it takes, and of whose.
    length: usize,
    stream: Option<Source>,
}

impl Chunk {
    pub(crate) fn new(bytes: Bytes, inner: Rc<RefCell<Inner>>, state: Rc<RefCell<State>>) -> Self {
        Self { length: bytes.len(), bytes, stream: Some((inner, state)) }
    }

    /// Bytes left in it.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes the first `at` bytes out.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn split_to(&mut self, at: usize) -> Self {
        let bytes = self.bytes.split_to(at);
        self.length -= at;
        Self { bytes, length: at, stream: self.stream.clone() }
    }

    /// The bytes, which still count.
    pub(crate) fn into_bytes(mut self) -> Bytes {
        self.stream = None;
        std::mem::take(&mut self.bytes)
    }
}

impl From<Bytes> for Chunk {
    /// Bytes of no stream.
    fn from(bytes: Bytes) -> Self {
        Self { bytes, length: 0, stream: None }
    }
}

impl Buf for Chunk {
    fn remaining(&self) -> usize {
        self.bytes.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if let Some((inner, state)) = self.stream.take() {
            // Before credit goes out for them.
            self.bytes = Bytes::new();
            consume(&inner, &state, self.length);
        }
    }
}
