//! The fixed-size frame header and the kinds of frames.
//!
//! Twelve bytes, little endian: payload length (u32), kind (u8), flags (u8), stream id (48 bits; zero for the connection
//! itself). The payload follows: bincode for everything but body chunks, which are raw.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use strum::{FromRepr, VariantArray};

use crate::ProtocolError;
use crate::codec::{self, HeaderBlock};
use crate::head::{EncodedHead, HeadKind};
use crate::limits::{MAX_BODY_CHUNK, MAX_CALL_HEAD, MAX_ERROR, MAX_HEAD, MAX_LOAD, MAX_NUMBERS, MAX_REPORT};
use crate::message::{Control, StreamError};
use crate::side::Side;

/// Length of an encoded [`FrameHeader`], in bytes.
pub const HEADER_LEN: usize = 12;

/// Flag of heads and body chunks: nothing follows in this direction of the stream.
pub const END: u8 = 1;

/// The largest stream id. No connection ever opens that many streams, so no id is used twice.
pub const MAX_STREAM_ID: u64 = (1 << 48) - 1;

/// The kind of a frame. The discriminant is its byte on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRepr, VariantArray)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is documented at its message in `Control` and `Frame`")]
pub enum Kind {
    Hello = 1,
    Welcome = 2,
    Load = 3,
    Loaded = 4,
    Ping = 5,
    Pong = 6,
    Log = 7,
    Stats = 8,
    Drain = 9,
    Shutdown = 10,
    RequestHead = 32,
    ResponseHead = 33,
    BodyChunk = 34,
    BodyEnd = 35,
    Credit = 36,
    Cancel = 37,
    Error = 38,
    EventHead = 39,
    CallHead = 40,
    FetchHead = 41,
}

impl From<HeadKind> for Kind {
    fn from(kind: HeadKind) -> Self {
        match kind {
            HeadKind::Request => Self::RequestHead,
            HeadKind::Event => Self::EventHead,
            HeadKind::Call => Self::CallHead,
            HeadKind::Fetch => Self::FetchHead,
        }
    }
}

impl Kind {
    /// Returns the longest payload of this kind, in bytes, and the most memory that its decoded form may claim.
    pub const fn limit(self) -> usize {
        match self {
            Self::RequestHead | Self::EventHead | Self::FetchHead | Self::ResponseHead | Self::BodyEnd => {
                MAX_HEAD
            }
            Self::CallHead => MAX_CALL_HEAD,
            Self::BodyChunk => MAX_BODY_CHUNK,
            Self::Error => MAX_ERROR,
            Self::Load => MAX_LOAD,
            Self::Loaded | Self::Log => MAX_REPORT,
            Self::Hello | Self::Welcome | Self::Stats => MAX_NUMBERS,
            Self::Ping | Self::Pong | Self::Credit => 16,
            Self::Drain | Self::Shutdown | Self::Cancel => 0,
        }
    }

    /// Returns which side sends frames of this kind; none if both do.
    pub fn sender(self) -> Option<Side> {
        match self {
            Self::Hello | Self::Load | Self::Ping | Self::Drain | Self::Shutdown => Some(Side::Supervisor),
            Self::Welcome | Self::Loaded | Self::Pong | Self::Log | Self::Stats => Some(Side::Worker),
            Self::RequestHead | Self::EventHead => Some(Side::Supervisor),
            Self::CallHead | Self::FetchHead => Some(Side::Worker),
            // Which side may send one depends on the stream.
            Self::ResponseHead | Self::Cancel | Self::Error => None,
            Self::BodyChunk | Self::BodyEnd | Self::Credit => None,
        }
    }

    /// Appends the encoding of the message that a frame of this kind has.
    ///
    /// # Errors
    /// [`ProtocolError::TooLong`] if the peer's decoder would not accept its size, [`ProtocolError::Malformed`] if it cannot be
    /// represented.
    pub fn encode<T: Serialize>(self, message: &T, out: &mut BytesMut) -> Result<(), ProtocolError> {
        let (length, limit) = (codec::width(message)?, self.limit());
        if length > limit {
            return Err(ProtocolError::TooLong { kind: self.name(), length, limit });
        }
        codec::encode(message, out)
    }

    /// Returns the name used in errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Welcome => "welcome",
            Self::Load => "load",
            Self::Loaded => "loaded",
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Log => "log",
            Self::Stats => "stats",
            Self::Drain => "drain",
            Self::Shutdown => "shutdown",
            Self::RequestHead => HeadKind::Request.name(),
            Self::ResponseHead => "response head",
            Self::BodyChunk => "body chunk",
            Self::BodyEnd => "body end",
            Self::Credit => "credit",
            Self::Cancel => "cancel",
            Self::Error => "error",
            Self::EventHead => HeadKind::Event.name(),
            Self::CallHead => HeadKind::Call.name(),
            Self::FetchHead => HeadKind::Fetch.name(),
        }
    }

    /// Returns whether frames of this kind belong to a stream rather than to the connection.
    pub fn is_stream(self) -> bool {
        self as u8 >= Self::RequestHead as u8
    }

    /// Returns whether frames of this kind may have the flag [`END`].
    pub fn may_end(self) -> bool {
        matches!(
            self,
            Self::RequestHead
                | Self::EventHead
                | Self::CallHead
                | Self::FetchHead
                | Self::ResponseHead
                | Self::BodyChunk
        )
    }
}

/// The twelve bytes before every payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Payload length, in bytes; at most [`Kind::limit`].
    pub length: usize,
    /// The kind of the frame.
    pub kind: Kind,
    /// Whether [`END`] is set.
    pub end: bool,
    /// Stream id, up to [`MAX_STREAM_ID`]; zero for the connection itself.
    pub stream: u64,
}

impl FrameHeader {
    /// Appends the encoded header.
    pub fn encode(self, out: &mut BytesMut) {
        out.put_slice(&self.to_bytes());
    }

    /// Returns the encoded header.
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..4].copy_from_slice(&(self.length as u32).to_le_bytes());
        bytes[4] = self.kind as u8;
        bytes[5] = if self.end { END } else { 0 };
        bytes[6..].copy_from_slice(&self.stream.to_le_bytes()[..6]);
        bytes
    }

    /// Decodes and checks a header.
    ///
    /// # Errors
    /// An unknown kind, a reserved bit, a length over the limit of the kind, a stream id in a frame of the connection, or none in
    /// a frame of a stream.
    pub fn decode(bytes: &[u8; HEADER_LEN]) -> Result<Self, ProtocolError> {
        let [l0, l1, l2, l3, kind, flags, s0, s1, s2, s3, s4, s5] = *bytes;
        let kind = Kind::from_repr(kind).ok_or(ProtocolError::UnknownKind(kind))?;
        let flags_allowed = if kind.may_end() { END } else { 0 };
        if flags & !flags_allowed != 0 {
            return Err(ProtocolError::Reserved);
        }
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        if length > kind.limit() {
            return Err(ProtocolError::TooLong { kind: kind.name(), length, limit: kind.limit() });
        }
        let stream = u64::from_le_bytes([s0, s1, s2, s3, s4, s5, 0, 0]);
        if kind.is_stream() != (stream != 0) {
            return Err(ProtocolError::Unexpected("stream id"));
        }
        Ok(Self { length, kind, end: flags & END != 0, stream })
    }
}

/// One decoded frame, or the part of a body chunk that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A message of the connection itself.
    Control(Control),
    /// Opens a stream.
    Head {
        /// The new stream.
        stream: u64,
        /// Whether the opener sends no body.
        end: bool,
        /// The head that opens it.
        head: EncodedHead,
    },
    /// Acceptor: answers a stream. The payload is a [`crate::message::StatusLine`] and a header block.
    ResponseHead {
        /// The stream answered.
        stream: u64,
        /// Whether the answer has no body.
        end: bool,
        /// The encoded payload. Decoding borrows from it.
        payload: Bytes,
    },
    /// Raw bytes of a body, passed on as they arrive.
    BodyChunk {
        /// The stream they belong to.
        stream: u64,
        /// Whether these are the last of the body.
        end: bool,
        /// The bytes.
        data: Bytes,
    },
    /// Ends a body, with trailer fields if there are any.
    BodyEnd {
        /// The stream it belongs to.
        stream: u64,
        /// The trailer fields.
        trailers: HeaderBlock,
    },
    /// Grants the receiver of this frame more body bytes to send.
    Credit {
        /// The stream it belongs to.
        stream: u64,
        /// Bytes granted.
        bytes: u32,
    },
    /// Opener: gives up a stream, as nobody waits for its answer any more.
    Cancel {
        /// The stream given up.
        stream: u64,
    },
    /// Acceptor: fails a stream.
    Error {
        /// The stream that failed.
        stream: u64,
        /// Why it failed.
        error: StreamError,
    },
}
