//! Bytes of a body that count against the window of their stream until they are dropped.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::{Buf, Bytes};

use crate::inner::Inner;
use crate::stream::{State, consume};

/// A connection, and the stream on it that the bytes came from.
type Source = (Rc<RefCell<Inner>>, Rc<RefCell<State>>);

/// A part of a body. The owner drops it when it has passed the bytes on; only then may the peer send as many more.
#[derive(Debug, Default)]
pub struct Chunk {
    bytes: Bytes,
    /// How many bytes of the window of `stream` it takes.
    length: usize,
    stream: Option<Source>,
}

impl Chunk {
    pub(crate) fn new(bytes: Bytes, inner: Rc<RefCell<Inner>>, state: Rc<RefCell<State>>) -> Self {
        Self { length: bytes.len(), bytes, stream: Some((inner, state)) }
    }

    /// Returns the number of bytes left in it.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns whether no bytes are left.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes out the first `at` bytes, which go on counting by themselves.
    ///
    /// # Panics
    /// If it has fewer bytes.
    pub fn split_to(&mut self, at: usize) -> Self {
        let bytes = self.bytes.split_to(at);
        // Bytes that belong to no stream do not count.
        let length = at.min(self.length);
        self.length -= length;
        Self { bytes, length, stream: self.stream.clone() }
    }

    /// Returns the bytes without giving the window back: they still count.
    pub(crate) fn into_bytes(mut self) -> Bytes {
        self.stream = None;
        std::mem::take(&mut self.bytes)
    }
}

impl From<Bytes> for Chunk {
    /// Wraps bytes that belong to no stream and count against no window.
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

    fn copy_to_bytes(&mut self, length: usize) -> Bytes {
        self.bytes.split_to(length)
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if let Some((inner, state)) = self.stream.take() {
            // Frees the memory before the peer gets credit for it.
            self.bytes = Bytes::new();
            consume(&inner, &state, self.length);
        }
    }
}
