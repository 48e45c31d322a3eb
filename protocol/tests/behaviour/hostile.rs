//! Hostile bytes, fed to the decoder as a socket would. The fuzz target drives [`decode`] without a limit, the tests for a
//! bounded number of runs.

use bytes::BytesMut;
use nano_protocol::codec::{self, HeaderBlock};
use nano_protocol::decoder::Decoder;
use nano_protocol::frame::{Frame, HEADER_LEN, Kind};
use nano_protocol::limits::{MAX_HEADERS, MAX_LOAD};
use nano_protocol::message::StatusLine;
use nano_protocol::outbox::Outbox;
use nano_protocol::{Head, ProtocolError};

/// Decodes everything in `input` twice: at once, and in pieces whose sizes the first byte chooses. Nothing may panic, and
/// both runs must see the same.
pub(crate) fn decode(input: &[u8]) {
    let Some((&seed, bytes)) = input.split_first() else { return };
    let whole = read(bytes, usize::MAX, send_again);
    let mut random = u32::from(seed);
    let most = usize::from(seed) * usize::from(seed) + 1;
    let sizes = std::iter::from_fn(|| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some(1 + (random >> 8) as usize % most)
    });
    let pieces = read_pieces(bytes, sizes, |_| ());
    assert_eq!(whole, pieces, "reads that cut the bytes elsewhere change what they mean");
}

/// Decodes `bytes` in pieces of `size`, as consecutive reads from a socket return them.
pub(crate) fn read(bytes: &[u8], size: usize, on_frame: impl FnMut(&Frame)) -> Seen {
    read_pieces(bytes, std::iter::repeat(size), on_frame)
}

fn read_pieces(bytes: &[u8], sizes: impl Iterator<Item = usize>, mut on_frame: impl FnMut(&Frame)) -> Seen {
    let mut decoder = Decoder::default();
    let mut buffer = BytesMut::new();
    let mut seen = Seen::default();
    let mut rest = bytes;
    for size in sizes {
        if rest.is_empty() {
            break;
        }
        let (piece, later) = rest.split_at(rest.len().min(size));
        rest = later;
        buffer.extend_from_slice(piece);
        loop {
            match decoder.next(&mut buffer) {
                Ok(Some(frame)) => {
                    on_frame(&frame);
                    if let Err(error) = seen.frame(&frame) {
                        seen.refusals += 1;
                        seen.mark(error.to_string().as_bytes());
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    seen.ended = Some(error.to_string());
                    return seen;
                }
            }
        }
        assert!(decoder.wanted() <= MAX_LOAD, "a read buffer is sized by this");
        assert!(buffer.len() < MAX_LOAD.max(HEADER_LEN), "what is kept back is part of one frame");
    }
    seen.unfinished = !decoder.is_between_frames() || !buffer.is_empty();
    seen
}

/// What a run of the decoder has seen: enough to compare two runs, in constant memory.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The number of frames. The parts of a body count as one.
    frames: usize,
    /// The number of frames whose payload turned out to be malformed when it was parsed.
    refusals: usize,
    /// A hash (FNV-1a) of all contents.
    digest: u64,
    /// The stream of the body that is being received.
    body: Option<u64>,
    /// The error that ended the run.
    ended: Option<String>,
    /// Whether the bytes end inside a frame.
    unfinished: bool,
}

impl Seen {
    fn mark(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.digest = (self.digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), ProtocolError> {
        if let Frame::BodyChunk { stream, end, data } = frame {
            if self.body != Some(*stream) {
                self.frames += 1;
                self.mark(&stream.to_le_bytes());
            }
            self.mark(data);
            self.body = (!end).then_some(*stream);
            return Ok(());
        }
        self.frames += 1;
        self.body = None;
        match frame {
            Frame::Head { stream, end, head } => {
                self.mark(&stream.to_le_bytes());
                self.mark(&[u8::from(*end)]);
                let (head, headers) = head.decode()?;
                match head {
                    Head::Request(line) => {
                        for text in [line.method, line.origin, line.target] {
                            self.mark(text.as_bytes());
                        }
                        self.mark(&line.id.hex());
                    }
                    other => self.mark(format!("{other:?}").as_bytes()),
                }
                self.walk(&headers)
            }
            Frame::ResponseHead { stream, end, payload } => {
                self.mark(&stream.to_le_bytes());
                self.mark(&[u8::from(*end)]);
                let (StatusLine { status }, used) = codec::decode_prefix("response head", payload)?;
                self.mark(&status.to_le_bytes());
                self.walk(&HeaderBlock::new(payload.slice(used..)))
            }
            Frame::BodyEnd { stream, trailers } => {
                self.mark(&stream.to_le_bytes());
                self.walk(trailers)
            }
            other => {
                self.mark(format!("{other:?}").as_bytes());
                Ok(())
            }
        }
    }

    fn walk(&mut self, headers: &HeaderBlock) -> Result<(), ProtocolError> {
        let mut fields = 0;
        let mut length = 0;
        for field in headers.iter()? {
            let (name, value) = field?;
            fields += 1;
            length += name.len() + value.len();
            self.mark(name);
            self.mark(value);
        }
        assert!(fields <= MAX_HEADERS && length <= headers.as_bytes().len());
        Ok(())
    }
}

/// Sends what was decoded and checks that the same arrives.
fn send_again(frame: &Frame) {
    let mut outbox = Outbox::default();
    let queued = match frame {
        Frame::Control(message) => outbox.control(message),
        Frame::Error { stream, error } => {
            outbox.frame(Kind::Error, false, *stream, |out| codec::encode(error, out))
        }
        Frame::Credit { stream, bytes } => {
            outbox.frame(Kind::Credit, false, *stream, |out| codec::encode(bytes, out))
        }
        _ => return,
    };
    queued.expect("a decoded message is within the limits");
    let mut slices = Outbox::empty_slices();
    let used = outbox.slices(&mut slices);
    let mut buffer: BytesMut = slices[..used].iter().flat_map(|slice| slice.iter()).copied().collect();
    let again = Decoder::default().next(&mut buffer).expect("an encoded message is well formed");
    assert_eq!(again.as_ref(), Some(frame));
    assert!(buffer.is_empty());
}
