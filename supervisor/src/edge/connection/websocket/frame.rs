//! The frames of a client (RFC 6455, 5.2). Contents are unmasked and passed on as they arrive, so that a long frame takes no more
//! memory than a short one.

use bytes::{Buf as _, BytesMut};

/// Longest contents of a control frame, in bytes.
const MAX_CONTROL: usize = 125;

/// What a frame is. The discriminant is its opcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn of(bits: u8) -> Option<Self> {
        let all = [Self::Continuation, Self::Text, Self::Binary, Self::Close, Self::Ping, Self::Pong];
        all.into_iter().find(|opcode| *opcode as u8 == bits)
    }

    fn is_control(self) -> bool {
        self as u8 >= Self::Close as u8
    }
}

/// Why the client gets no more messages: the code to close with, and a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Violation {
    pub code: u16,
    pub why: &'static str,
}

impl Violation {
    /// The client does not keep to the protocol.
    pub(crate) const fn protocol(why: &'static str) -> Self {
        Self { code: 1002, why }
    }
}

/// Something that has arrived.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FrameEvent {
    /// A data frame begins. Its contents follow.
    Begins {
        opcode: Opcode,
        /// Whether its message ends with it.
        is_last: bool,
        /// Whether its message is compressed, which the first frame says.
        is_compressed: bool,
    },
    /// Contents of that frame; `ends` says that there are no more.
    Contents { bytes: BytesMut, ends: bool },
    /// A whole control frame, which may stand between two data frames of a message.
    Control { opcode: Opcode, bytes: BytesMut },
}

/// Reads the frames of one client.
#[derive(Debug)]
pub(crate) struct SocketFrames {
    /// Whether a message may be compressed.
    may_compress: bool,
    frame: Option<OpenFrame>,
}

/// The frame whose contents are due.
#[derive(Debug)]
struct OpenFrame {
    opcode: Opcode,
    left: u64,
    mask: [u8; 4],
    /// Whether it was announced by [`FrameEvent::Begins`].
    has_begun: Option<(bool, bool)>,
}

impl SocketFrames {
    pub(crate) fn new(may_compress: bool) -> Self {
        Self { may_compress, frame: None }
    }

    /// Returns the next event in the input, and removes it from there. None if more input is needed.
    ///
    /// # Errors
    /// [`Violation`] if this is no WebSocket client.
    pub(crate) fn next(&mut self, input: &mut BytesMut) -> Result<Option<FrameEvent>, Violation> {
        if self.frame.is_none() {
            self.frame = self.head(input)?;
        }
        let Some(frame) = &mut self.frame else { return Ok(None) };
        if let Some((is_last, is_compressed)) = frame.has_begun.take() {
            return Ok(Some(FrameEvent::Begins { opcode: frame.opcode, is_last, is_compressed }));
        }
        let opcode = frame.opcode;
        if opcode.is_control() && (input.len() as u64) < frame.left {
            return Ok(None);
        }
        let length = usize::try_from(frame.left).unwrap_or(usize::MAX).min(input.len());
        if length == 0 && frame.left > 0 {
            return Ok(None);
        }
        let mut bytes = input.split_to(length);
        unmask(&mut bytes, frame.mask);
        frame.mask.rotate_left(length % 4);
        frame.left -= length as u64;
        let ends = frame.left == 0;
        if ends {
            self.frame = None;
        }
        Ok(Some(match opcode.is_control() {
            true => FrameEvent::Control { opcode, bytes },
            false => FrameEvent::Contents { bytes, ends },
        }))
    }

    fn head(&self, input: &mut BytesMut) -> Result<Option<OpenFrame>, Violation> {
        let [first, second, ..] = **input else { return Ok(None) };
        let is_last = first & 0x80 != 0;
        let opcode = Opcode::of(first & 0x0f).ok_or(Violation::protocol("unknown opcode"))?;
        let is_compressed = first & 0x40 != 0;
        let may_compress = self.may_compress && matches!(opcode, Opcode::Text | Opcode::Binary);
        if first & 0x30 != 0 || (is_compressed && !may_compress) {
            return Err(Violation::protocol("reserved bits"));
        }
        if second & 0x80 == 0 {
            return Err(Violation::protocol("frame without mask"));
        }
        let short = usize::from(second & 0x7f);
        if opcode.is_control() && (!is_last || short > MAX_CONTROL) {
            return Err(Violation::protocol("control frame in parts, or too long"));
        }
        let extended = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if input.len() < 2 + extended + 4 {
            return Ok(None);
        }
        input.advance(2);
        let left = match extended {
            0 => short as u64,
            2 => u64::from(input.get_u16()),
            _ => input.get_u64(),
        };
        if left >> 63 != 0 {
            return Err(Violation::protocol("length of a frame"));
        }
        let mask = input.get_u32().to_be_bytes();
        let has_begun = (!opcode.is_control()).then_some((is_last, is_compressed));
        Ok(Some(OpenFrame { opcode, left, mask, has_begun }))
    }
}

fn unmask(bytes: &mut [u8], mask: [u8; 4]) {
    let mut quads = bytes.chunks_exact_mut(4);
    for quad in &mut quads {
        quad.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    }
    quads.into_remainder().iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
}

/// Returns the head of a frame of ours, which has no mask.
pub(crate) fn head(opcode: Opcode, is_last: bool, is_compressed: bool, length: usize) -> ([u8; 10], usize) {
    let mut head = [0; 10];
    head[0] = opcode as u8 | if is_last { 0x80 } else { 0 } | if is_compressed { 0x40 } else { 0 };
    match (u8::try_from(length).ok().filter(|short| *short < 126), u16::try_from(length)) {
        (Some(short), _) => {
            head[1] = short;
            (head, 2)
        }
        (None, Ok(length)) => {
            head[1] = 126;
            head[2..4].copy_from_slice(&length.to_be_bytes());
            (head, 4)
        }
        (None, Err(_)) => {
            head[1] = 127;
            head[2..].copy_from_slice(&(length as u64).to_be_bytes());
            (head, 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns a frame as a client sends it.
    fn sent(first: u8, contents: &[u8], mask: [u8; 4]) -> Vec<u8> {
        let (head, length) = head(Opcode::Continuation, false, false, contents.len());
        let mut bytes = head[..length].to_vec();
        bytes[0] = first;
        bytes[1] |= 0x80;
        bytes.extend_from_slice(&mask);
        bytes.extend(contents.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    /// Reads input that arrives in parts of this length. Returns the frames: what each is, whether it is the last of its message, and
    /// its contents.
    fn read(input: &[u8], part: usize) -> Result<Vec<(Opcode, bool, Vec<u8>)>, Violation> {
        let (mut frames, mut buffer, mut found) = (SocketFrames::new(false), BytesMut::new(), Vec::new());
        for part in input.chunks(part) {
            buffer.extend_from_slice(part);
            while let Some(event) = frames.next(&mut buffer)? {
                match event {
                    FrameEvent::Begins { opcode, is_last, .. } => found.push((opcode, is_last, Vec::new())),
                    FrameEvent::Contents { bytes, .. } => {
                        found.last_mut().unwrap().2.extend_from_slice(&bytes)
                    }
                    FrameEvent::Control { opcode, bytes } => found.push((opcode, true, bytes.to_vec())),
                }
            }
        }
        Ok(found)
    }

    proptest! {
        #[test]
        fn frames_are_read_however_they_are_cut(
            contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..5),
            mask: [u8; 4],
            part in 1usize..400,
        ) {
            let mut input = Vec::new();
            let mut expected = Vec::new();
            for contents in contents {
                input.extend(sent(0x82, &contents, mask));
                input.extend(sent(0x89, b"ping", mask));
                expected.push((Opcode::Binary, true, contents));
                expected.push((Opcode::Ping, true, b"ping".to_vec()));
            }
            prop_assert_eq!(read(&input, part), Ok(expected));
        }

        #[test]
        fn no_input_panics(input in proptest::collection::vec(any::<u8>(), 0..64), part in 1usize..9) {
            let _ = read(&input, part);
        }
    }

    #[test]
    fn long_frames_have_long_lengths() {
        for length in [125, 126, 65_535, 65_536] {
            let frames = read(&sent(0x82, &vec![7; length], [1, 2, 3, 4]), 10_000).unwrap();
            assert_eq!(frames, [(Opcode::Binary, true, vec![7; length])]);
        }
    }

    #[test]
    fn what_no_client_sends_is_refused() {
        let mask = [1, 2, 3, 4];
        let huge = [&[0x82, 0xff][..], &[0xff; 8], &mask].concat();
        for input in [
            sent(0x83, b"", mask),
            sent(0x8b, b"", mask),
            sent(0xc1, b"", mask),
            sent(0xa1, b"", mask),
            sent(0x91, b"", mask),
            sent(0x09, b"", mask),
            sent(0x88, &[0; 126], mask),
            vec![0x81, 0x01, b'a'],
            huge,
        ] {
            assert_eq!(read(&input, 3).unwrap_err().code, 1002, "{input:?}");
        }
        let mut compressed = BytesMut::from(&sent(0xc1, b"", mask)[..]);
        let begins = FrameEvent::Begins { opcode: Opcode::Text, is_last: true, is_compressed: true };
        assert_eq!(SocketFrames::new(true).next(&mut compressed), Ok(Some(begins)));
    }
}
