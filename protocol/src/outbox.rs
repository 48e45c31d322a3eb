//! Frames waiting for one vectored write.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

use crate::ProtocolError;
use crate::codec;
use crate::frame::{FrameHeader, HEADER_LEN, Kind};
use crate::limits::INLINE_BELOW;
use crate::message::Control;

/// Most slices handed to one vectored write; the kernel takes 1024.
const MAX_SLICES: usize = 64;

/// Bytes to send, in order. Heads and small chunks gather in one buffer; large chunks stay where they are.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Complete segments, before `tail`.
    segments: VecDeque<Bytes>,
    segments_len: usize,
    tail: BytesMut,
    /// All bytes ever queued and ever written: their order tells whether a frame has left.
    queued: u64,
    written: u64,
}

impl Outbox {
    /// Unsent bytes.
    pub fn len(&self) -> usize {
        self.segments_len + self.tail.len()
    }

    /// Whether everything has been written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The position in the byte stream at which the next frame will start.
    pub fn position(&self) -> u64 {
        self.queued
    }

    /// Whether the kernel has taken any byte beyond `position`.
    pub fn has_written_beyond(&self, position: u64) -> bool {
        self.written > position
    }

    /// Queues a frame whose payload `encode` appends. Nothing is queued if that fails or is over the kind's limit.
    ///
    /// # Errors
    /// What `encode` returns, or [`ProtocolError::TooLong`].
    pub fn frame(
        &mut self,
        kind: Kind,
        end: bool,
        stream: u32,
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

    /// Queues a body chunk, which must be within the kind's limit, without copying it (unless it is tiny).
    pub fn chunk(&mut self, stream: u32, end: bool, data: Bytes) {
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
        let mut put = |kind, encode: &dyn Fn(&mut BytesMut) -> Result<(), ProtocolError>| {
            self.frame(kind, false, 0, encode)
        };
        match message {
            Control::Hello(hello) => put(Kind::Hello, &|out| codec::encode(hello, out)),
            Control::Welcome(welcome) => put(Kind::Welcome, &|out| codec::encode(welcome, out)),
            Control::Load(load) => put(Kind::Load, &|out| codec::encode(load, out)),
            Control::Loaded(loaded) => put(Kind::Loaded, &|out| codec::encode(loaded, out)),
            Control::Ping(number) => put(Kind::Ping, &|out| codec::encode(number, out)),
            Control::Pong(number) => put(Kind::Pong, &|out| codec::encode(number, out)),
            Control::Log(record) => put(Kind::Log, &|out| codec::encode(record, out)),
            Control::Stats(stats) => put(Kind::Stats, &|out| codec::encode(stats, out)),
            Control::Drain => put(Kind::Drain, &|_| Ok(())),
            Control::Shutdown => put(Kind::Shutdown, &|_| Ok(())),
        }
    }

    /// The unsent bytes as slices for one vectored write.
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

    /// An array for [`Outbox::slices`].
    pub fn empty_slices<'a>() -> [IoSlice<'a>; MAX_SLICES] {
        [IoSlice::new(&[]); MAX_SLICES]
    }

    /// Drops the first `written` bytes: the kernel has them.
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
            // Keeps the allocation, where advance() would eat it from the front.
            self.tail.clear();
        } else {
            self.tail.advance(written);
        }
    }
}
