//! How a connection fails.

use std::io;

/// The connection is unusable; it ends, and only it.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// A frame kind this version does not know.
    #[error("unknown frame kind {0:#04x}")]
    UnknownKind(u8),
    /// A frame header with reserved bits set.
    #[error("frame header with reserved bits set")]
    Reserved,
    /// A payload over the limit of its kind.
    #[error("{kind} frame of {length} bytes is over the limit of {limit}")]
    TooLong {
        /// The kind of frame.
        kind: &'static str,
        /// Payload length the header claims, in bytes.
        length: usize,
        /// Payload length allowed, in bytes.
        limit: usize,
    },
    /// A payload that does not decode.
    #[error("malformed {what}: {detail}")]
    Malformed {
        /// What was being decoded.
        what: &'static str,
        /// The codec's own words.
        detail: String,
    },
    /// A frame the peer may not send, or not now.
    #[error("unexpected {0}")]
    Unexpected(&'static str),
    /// More body bytes than the credit given.
    #[error("body bytes beyond the credit of stream {0}")]
    CreditExceeded(u64),
    /// More streams at once than one side may open: [`crate::limits::MAX_STREAMS`], [`crate::limits::MAX_CALLS`].
    #[error("too many streams")]
    TooManyStreams,
    /// The peer has not read what was sent to it, and more cannot be kept for it.
    #[error("the peer does not read what is sent to it")]
    Behind,
    /// Frame after frame that changes nothing, see [`crate::limits::MAX_IDLE_FRAMES`].
    #[error("frames without end that change nothing")]
    Flood,
    /// The socket ended inside a frame.
    #[error("connection ended inside a frame")]
    Torn,
    /// The socket failed.
    #[error("connection failed: {0}")]
    Io(#[from] io::Error),
}

impl ProtocolError {
    /// Whether it comes of the end of the peer, which has closed its socket without reading all.
    pub(crate) fn is_of_a_peer_that_is_gone(&self) -> bool {
        match self {
            Self::Torn => true,
            Self::Io(error) => error.kind() == io::ErrorKind::ConnectionReset,
            _ => false,
        }
    }
}
