//! A WebSocket client that sends whatever a test wants, in frames or not.

use std::net::SocketAddr;

use super::Raw;

/// The first byte of frames that are whole messages, and of control frames.
pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;

/// The mask of its frames.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A client whose handshake is done.
#[derive(Debug)]
pub(crate) struct Talker {
    pub(crate) raw: Raw,
    /// The head of the answer.
    pub(crate) head: String,
}

/// Returns a handshake with further header fields.
pub(crate) fn handshake(path: &str, fields: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: app.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{fields}\r\n"
    )
}

/// Returns a frame as clients send it.
pub(crate) fn frame(first: u8, contents: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match contents.len() {
        short @ 0..126 => bytes.push(0x80 | short as u8),
        middle @ 126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend((middle as u16).to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(contents.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

impl Talker {
    /// Opens a WebSocket.
    pub(crate) fn open(address: SocketAddr, path: &str) -> Self {
        Self::over(Raw::connect(address), path, "")
    }

    /// Opens a WebSocket over this connection, with further header fields.
    pub(crate) fn over(mut raw: Raw, path: &str, fields: &str) -> Self {
        let head = raw.send(handshake(path, fields)).up_to("\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        Self { raw, head }
    }

    /// Sends a frame.
    pub(crate) fn send(&mut self, first: u8, contents: impl AsRef<[u8]>) -> &mut Self {
        self.raw.send(frame(first, contents.as_ref()));
        self
    }

    /// Sends a closing frame.
    pub(crate) fn close(&mut self, code: u16, reason: &str) -> &mut Self {
        self.send(CLOSE, [&code.to_be_bytes(), reason.as_bytes()].concat())
    }

    /// Returns the next frame: its first byte and its contents. None at the end.
    pub(crate) fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let head = self.raw.try_exactly(2)?;
        assert_eq!(head[1] & 0x80, 0, "servers do not mask");
        let length = match head[1] {
            126 => u16::from_be_bytes(self.raw.exactly(2).try_into().expect("two bytes")).into(),
            127 => u64::from_be_bytes(self.raw.exactly(8).try_into().expect("eight bytes")) as usize,
            short => usize::from(short),
        };
        Some((head[0], self.raw.exactly(length)))
    }

    /// Returns the next message or control frame: its opcode and its contents. None at the end.
    pub(crate) fn message(&mut self) -> Option<(u8, Vec<u8>)> {
        let (mut first, mut contents) = self.frame()?;
        let opcode = first & 0x0f;
        while first & 0x80 == 0 {
            let (next, more) = self.frame()?;
            if next == CLOSE {
                // The message was given up.
                return Some((next & 0x0f, more));
            }
            // None of the tests has another control frame within a message.
            assert_eq!(next & 0x0f, 0, "a continuation");
            first = next;
            contents.extend(more);
        }
        Some((opcode, contents))
    }

    /// Returns the same in words.
    pub(crate) fn hears(&mut self) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match self.message() {
            None => "end".to_owned(),
            Some((1, contents)) => format!("text {}", text(&contents)),
            Some((2, contents)) => format!("binary {contents:?}"),
            Some((8, contents)) => match contents.split_at_checked(2) {
                None => "close".to_owned(),
                Some((code, reason)) => {
                    format!("close {} {}", u16::from_be_bytes([code[0], code[1]]), text(reason))
                }
            },
            Some((9, contents)) => format!("ping {}", text(&contents)),
            Some((10, contents)) => format!("pong {}", text(&contents)),
            Some((opcode, _)) => panic!("opcode {opcode}"),
        }
    }

    /// Returns the code with which the server closes, after whatever comes before. None if it does not.
    pub(crate) fn closing_code(&mut self) -> Option<u16> {
        loop {
            match self.message()? {
                (8, contents) if contents.len() >= 2 => {
                    return Some(u16::from_be_bytes([contents[0], contents[1]]));
                }
                (8, _) => return Some(1005),
                _ => {}
            }
        }
    }
}
