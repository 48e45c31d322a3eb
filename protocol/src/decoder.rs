//! Splits bytes into frames, incrementally and without I/O. The fuzzer drives this.

use bytes::{Bytes, BytesMut};

use crate::ProtocolError;
use crate::codec::{self, HeaderBlock};
use crate::frame::{Frame, FrameHeader, HEADER_LEN, Kind};
use crate::head::{EncodedHead, HeadKind};
use crate::limits::COPY_BELOW;
use crate::message::Control;
use crate::side::Side;

/// Splits a byte stream into frames.
///
/// Returns body chunks as their bytes arrive, so that no body byte is copied to join the rest of its frame. Other payloads are
/// bounded by [`Kind::limit`] and returned whole.
#[derive(Debug, Default)]
pub struct Decoder {
    current: Option<FrameHeader>,
    /// Whose frames these are; none for those of both.
    sender: Option<Side>,
}

impl Decoder {
    /// Creates a decoder that accepts only kinds of frames that this side sends. It refuses others by their headers, before it
    /// takes any memory for them. That of [`Default`] accepts every kind.
    pub fn of(sender: Side) -> Self {
        Self { current: None, sender: Some(sender) }
    }

    /// Takes the next frame off the front of `buffer`; `None` if more bytes are needed. After an error the rest of the byte
    /// stream cannot be decoded.
    ///
    /// # Errors
    /// A [`ProtocolError`] if the bytes are not a valid frame.
    pub fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, ProtocolError> {
        let header = match self.current.take() {
            Some(header) => header,
            None => {
                let Some(bytes) = buffer.first_chunk::<HEADER_LEN>() else { return Ok(None) };
                let header = FrameHeader::decode(bytes)?;
                self.check_sender(header.kind)?;
                let _ = buffer.split_to(HEADER_LEN);
                header
            }
        };
        if header.kind == Kind::BodyChunk {
            return Ok(self.body(header, buffer));
        }
        if buffer.len() < header.length {
            self.current = Some(header);
            return Ok(None);
        }
        frame(header, take(buffer, header.length)).map(Some)
    }

    fn check_sender(&self, kind: Kind) -> Result<(), ProtocolError> {
        match (kind.sender(), self.sender) {
            (Some(sends), Some(sender)) if sends != sender => Err(ProtocolError::Unexpected(kind.name())),
            _ => Ok(()),
        }
    }

    /// Returns how many bytes the current frame still needs, as a hint for the next read.
    pub fn wanted(&self) -> usize {
        self.current.map_or(HEADER_LEN, |header| header.length)
    }

    /// Returns whether the byte stream may end here.
    pub fn is_between_frames(&self) -> bool {
        self.current.is_none()
    }

    fn body(&mut self, mut header: FrameHeader, buffer: &mut BytesMut) -> Option<Frame> {
        let part = header.length.min(buffer.len());
        if part == 0 && header.length > 0 {
            self.current = Some(header);
            return None;
        }
        let data = take(buffer, part);
        header.length -= part;
        let complete = header.length == 0;
        if !complete {
            self.current = Some(header);
        }
        Some(Frame::BodyChunk { stream: header.stream, end: header.end && complete, data })
    }
}

fn take(buffer: &mut BytesMut, length: usize) -> Bytes {
    let part = buffer.split_to(length);
    if length < COPY_BELOW { Bytes::copy_from_slice(&part) } else { part.freeze() }
}

fn frame(header: FrameHeader, payload: Bytes) -> Result<Frame, ProtocolError> {
    let FrameHeader { kind, end, stream, .. } = header;
    macro_rules! decode {
        ($kind:ident) => {
            codec::decode::<_, { Kind::$kind.limit() }>(kind.name(), &payload)?
        };
    }
    let opens = |kind, payload| Frame::Head { stream, end, head: EncodedHead { kind, payload } };
    Ok(match kind {
        Kind::Hello => Frame::Control(Control::Hello(decode!(Hello))),
        Kind::Welcome => Frame::Control(Control::Welcome(decode!(Welcome))),
        Kind::Load => Frame::Control(Control::Load(Box::new(decode!(Load)))),
        Kind::Loaded => Frame::Control(Control::Loaded(decode!(Loaded))),
        Kind::Ping => Frame::Control(Control::Ping(decode!(Ping))),
        Kind::Pong => Frame::Control(Control::Pong(decode!(Pong))),
        Kind::Log => Frame::Control(Control::Log(decode!(Log))),
        Kind::Stats => Frame::Control(Control::Stats(decode!(Stats))),
        Kind::Drain => Frame::Control(Control::Drain),
        Kind::Shutdown => Frame::Control(Control::Shutdown),
        Kind::RequestHead => opens(HeadKind::Request, payload),
        Kind::EventHead => opens(HeadKind::Event, payload),
        Kind::CallHead => opens(HeadKind::Call, payload),
        Kind::FetchHead => opens(HeadKind::Fetch, payload),
        Kind::ResponseHead => Frame::ResponseHead { stream, end, payload },
        Kind::BodyChunk => Frame::BodyChunk { stream, end, data: payload },
        Kind::BodyEnd => Frame::BodyEnd { stream, trailers: HeaderBlock::new(payload) },
        Kind::Credit => Frame::Credit { stream, bytes: decode!(Credit) },
        Kind::Cancel => Frame::Cancel { stream },
        Kind::Error => Frame::Error { stream, error: decode!(Error) },
    })
}
