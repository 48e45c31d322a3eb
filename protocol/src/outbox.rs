//! The queue of frames that wait for one vectored write.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};
use serde::Serialize;

use crate::ProtocolError;
use crate::frame::{FrameHeader, HEADER_LEN, Kind};
use crate::limits::INLINE_BELOW;
use crate::message::Control;

/// Most slices handed to one vectored write; the kernel takes 1024.
const MAX_SLICES: usize = 64;

/// The bytes to send, in order. Heads and small chunks are collected in one buffer; large chunks are not copied.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Complete segments, before `tail`.
    segments: VecDeque<Bytes>,
    segments_len: usize,
    tail: BytesMut,
    /// All bytes ever queued, and all ever written. A frame has left if `written` is beyond its position.
    queued: u64,
    written: u64,
}

impl Outbox {
    /// Returns the number of unsent bytes.
    pub fn len(&self) -> usize {
        self.segments_len + self.tail.len()
    }

    /// Returns whether everything has been written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the position in the byte stream at which the next frame will start.
    pub fn position(&self) -> u64 {
        self.queued
    }

    /// Returns how many bytes of the stream the kernel has taken.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Returns whether the kernel has taken any byte beyond `position`.
    pub fn has_written_beyond(&self, position: u64) -> bool {
        self.written > position
    }

    /// Queues a frame whose payload `encode` appends. Queues nothing if that fails or the payload is too long.
    ///
    /// # Errors
    /// What `encode` returns, or [`ProtocolError::TooLong`].
    pub fn frame(
        &mut self,
        kind: Kind,
        end: bool,
        stream: u64,
        encode: impl FnOnce(&mut BytesMut) -> Result<(), ProtocolError>,
    ) -> Result<(), ProtocolError> {
        let start = self.tail.len();
        self.tail.extend_from_slice(&[0; HEADER_LEN]);
        let encoded = encode(&mut self.tail).and_then(|()| {
            let length = self.tail.len() - start - HEADER_LEN;
            if length > kind.limit() {
                return Err(ProtocolError::TooLong { kind: kind.name(), length, limit: kind.limit() });
            }
            Ok(length)
        });
        match encoded {
            Ok(length) => {
                let header = FrameHeader { length, kind, end, stream };
                self.tail[start..start + HEADER_LEN].copy_from_slice(&header.to_bytes());
                self.queued += (HEADER_LEN + length) as u64;
                Ok(())
            }
            Err(error) => {
                self.tail.truncate(start);
                Err(error)
            }
        }
    }

    /// Queues a body chunk, which must be within the limit of its kind. Does not copy it, unless it is tiny.
    pub fn chunk(&mut self, stream: u64, end: bool, data: Bytes) {
        debug_assert!(data.len() <= Kind::BodyChunk.limit());
        FrameHeader { length: data.len(), kind: Kind::BodyChunk, end, stream }.encode(&mut self.tail);
        self.queued += (HEADER_LEN + data.len()) as u64;
        if data.len() < INLINE_BELOW {
            self.tail.extend_from_slice(&data);
            return;
        }
        let before = self.tail.split().freeze();
        self.segments_len += before.len() + data.len();
        self.segments.push_back(before);
        self.segments.push_back(data);
    }

    /// Queues a control frame.
    ///
    /// # Errors
    /// See [`Outbox::frame`].
    pub fn control(&mut self, message: &Control) -> Result<(), ProtocolError> {
        match message {
            Control::Hello(hello) => self.message(Kind::Hello, hello),
            Control::Welcome(welcome) => self.message(Kind::Welcome, welcome),
            Control::Load(load) => self.message(Kind::Load, load),
            Control::Loaded(loaded) => self.message(Kind::Loaded, loaded),
            Control::Ping(number) => self.message(Kind::Ping, number),
            Control::Pong(number) => self.message(Kind::Pong, number),
            Control::Log(record) => self.message(Kind::Log, record),
            Control::Stats(stats) => self.message(Kind::Stats, stats),
            Control::Drain => self.frame(Kind::Drain, false, 0, |_| Ok(())),
            Control::Shutdown => self.frame(Kind::Shutdown, false, 0, |_| Ok(())),
        }
    }

    fn message<T: Serialize>(&mut self, kind: Kind, message: &T) -> Result<(), ProtocolError> {
        self.frame(kind, false, 0, |out| kind.encode(message, out))
    }

    /// Fills `slices` with the unsent bytes for one vectored write, and returns how many slices are used.
    pub fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>; MAX_SLICES]) -> usize {
        let mut used = 0;
        for segment in self.segments.iter().take(MAX_SLICES - 1) {
            slices[used] = IoSlice::new(segment);
            used += 1;
        }
        if used == self.segments.len() && !self.tail.is_empty() {
            slices[used] = IoSlice::new(&self.tail);
            used += 1;
        }
        used
    }

    /// Returns an array for [`Outbox::slices`].
    pub fn empty_slices<'a>() -> [IoSlice<'a>; MAX_SLICES] {
        [IoSlice::new(&[]); MAX_SLICES]
    }

    /// Drops the first `written` bytes, which the kernel has taken.
    pub fn advance(&mut self, mut written: usize) {
        self.written += written as u64;
        while let Some(first) = self.segments.front_mut() {
            if written < first.len() {
                first.advance(written);
                self.segments_len -= written;
                return;
            }
            written -= first.len();
            self.segments_len -= first.len();
            self.segments.pop_front();
        }
        if written == self.tail.len() {
            // Keeps the whole allocation; advance() would give up its front part.
            self.tail.clear();
        } else {
            self.tail.advance(written);
        }
    }

    /// Drops what is unsent, because the peer takes no more. The dropped bytes do not count as written.
    pub fn discard(&mut self) {
        self.segments.clear();
        self.segments_len = 0;
        self.tail.clear();
    }
}
