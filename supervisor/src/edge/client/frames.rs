//! Scans the HTTP/2 frames that a client sends, by their nine-byte headers: whether a header block is unfinished, and
//! how many frames request and carry nothing ("idle" frames). h2 answers every such frame, however many come. The
//! payload of SETTINGS and WINDOW_UPDATE is read as well, since h2 does not expose how much the client is willing to
//! receive.

/// Bytes of a frame header.
const HEADER: usize = 9;

/// The connection preface, which every HTTP/2 client sends first.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

/// The identifier of SETTINGS_INITIAL_WINDOW_SIZE, and the default window of a stream, which is also that of the
/// connection (RFC 9113, 6.5.2 and 6.9.2).
const INITIAL_WINDOW_SIZE: [u8; 2] = [0, 4];
const INITIAL_WINDOW: u32 = 65_535;

/// Bytes of one entry of SETTINGS, and of the increment in WINDOW_UPDATE.
const SETTING: usize = 6;
const INCREMENT: usize = 4;

/// Idle frames that one RST_STREAM counts as, since a whole request was served in vain.
const GIVEN_UP: u32 = 4;

/// The scanner of one connection.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// The header of the current frame, as far as received, and how many of its bytes that is.
    begun: [u8; HEADER],
    have: usize,
    /// Bytes of the preface received.
    preface: usize,
    /// Bytes of the current frame's payload still to come.
    left: usize,
    /// Bytes received of the unfinished header block, if there is one.
    head: Option<usize>,
    /// Whether the current frame is part of a header block, and whether it ends the block.
    is_head: bool,
    ends_head: bool,
    /// Bytes of each entry of the current payload if it concerns windows, and 0 otherwise.
    entry: usize,
    /// The current entry, as far as received, and how many of its bytes that is.
    said: [u8; SETTING],
    has_said: usize,
    /// The smallest initial window of streams that the client has announced, if any.
    window: Option<u32>,
    /// The sum of all increments of the connection's window.
    granted: u64,
}

/// The frames that begin in some bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// All frames.
    pub frames: u32,
    /// Idle frames, which request and carry nothing. RST_STREAM counts as several.
    pub idle: u32,
}

/// Returns whether a client that has sent `before` bytes of the preface, and now `bytes`, speaks HTTP/2. `None` if more
/// bytes are needed to tell.
pub(crate) fn is_http2(before: usize, bytes: &[u8]) -> Option<bool> {
    let expected = PREFACE.get(before..).unwrap_or_default();
    let length = bytes.len().min(expected.len());
    match bytes[..length] == expected[..length] {
        true if bytes.len() < expected.len() => None,
        is_same => Some(is_same),
    }
}

impl Frames {
    /// Creates a scanner that continues after this many bytes of the preface.
    pub(crate) fn after(preface: usize) -> Self {
        Self { preface, ..Self::default() }
    }

    /// Returns the bytes received of the unfinished header block, if there is one.
    pub(crate) fn head(&self) -> Option<usize> {
        self.head
    }

    /// Returns how many bytes of the current frame are to come.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// Returns whether the client's windows allow this many bytes of one stream, and of all streams.
    pub(crate) fn lets_come(&self, stream: u64, all: u64) -> bool {
        let initial = u64::from(INITIAL_WINDOW);
        stream <= self.window.map_or(initial, u64::from) && all <= self.granted + initial
    }

    /// Scans further bytes, and counts the frames that begin in them.
    pub(crate) fn scan(&mut self, mut bytes: &[u8]) -> Scanned {
        let mut seen = Scanned::default();
        let preface = bytes.len().min(PREFACE.len() - self.preface);
        self.preface += preface;
        bytes = &bytes[preface..];
        while !bytes.is_empty() {
            if self.left > 0 {
                let payload = bytes.len().min(self.left);
                self.left -= payload;
                if self.entry > 0 {
                    self.parse_payload(&bytes[..payload]);
                }
                bytes = &bytes[payload..];
                self.count_head(payload);
                continue;
            }
            let header = bytes.len().min(HEADER - self.have);
            self.begun[self.have..self.have + header].copy_from_slice(&bytes[..header]);
            self.have += header;
            bytes = &bytes[header..];
            if self.have == HEADER {
                self.have = 0;
                seen.frames += 1;
                seen.idle += self.begin();
            }
        }
        seen
    }

    /// Begins a frame. Returns how many idle frames it counts as.
    fn begin(&mut self) -> u32 {
        let [high, middle, low, kind, flags, ..] = self.begun;
        self.left = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        self.is_head = kind == HEADERS || kind == CONTINUATION;
        self.ends_head = flags & END_HEADERS != 0;
        self.has_said = 0;
        self.entry = match kind {
            SETTINGS => SETTING,
            // An increment on stream 0 is for the connection's window.
            WINDOW_UPDATE if self.begun[5..] == [0; 4] => INCREMENT,
            _ => 0,
        };
        let idle = match kind {
            HEADERS => 0,
            DATA if self.left > 0 || flags & END_STREAM != 0 => 0,
            RST_STREAM => GIVEN_UP,
            _ => 1,
        };
        if self.is_head {
            self.head = Some(self.head.unwrap_or(0) + HEADER);
            self.count_head(0);
        }
        idle
    }

    /// Reads entries of SETTINGS, and increments of the connection's window.
    fn parse_payload(&mut self, payload: &[u8]) {
        for byte in payload {
            self.said[self.has_said] = *byte;
            self.has_said += 1;
            if self.has_said < self.entry {
                continue;
            }
            self.has_said = 0;
            match self.said {
                [a, b, c, d, ..] if self.entry == INCREMENT => {
                    self.granted += u64::from(u32::from_be_bytes([a & 0x7f, b, c, d]));
                }
                [kind @ .., a, b, c, d] if kind == INITIAL_WINDOW_SIZE => {
                    let window = u32::from_be_bytes([a, b, c, d]);
                    self.window = Some(self.window.map_or(window, |before| before.min(window)));
                }
                _ => {}
            }
        }
    }

    fn count_head(&mut self, payload: usize) {
        if self.is_head {
            let ends = self.left == 0 && self.ends_head;
            self.head = if ends { None } else { self.head.map(|bytes| bytes + payload) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 1], payload].concat()
    }

    fn scan(frames: &[Vec<u8>], part: usize) -> (Scanned, Option<usize>) {
        let bytes = [PREFACE, &frames.concat()].concat();
        let (mut scanner, mut all) = (Frames::default(), Scanned::default());
        for part in bytes.chunks(part) {
            let seen = scanner.scan(part);
            all.frames += seen.frames;
            all.idle += seen.idle;
        }
        (all, scanner.head())
    }

    #[test]
    fn frames_are_told_apart_however_they_are_cut() {
        let frames = [
            frame(4, 0, &[]),
            frame(HEADERS, END_HEADERS, b"head"),
            frame(DATA, 0, b"body"),
            frame(DATA, END_STREAM, &[]),
            frame(6, 0, b"12345678"),
            frame(DATA, 0, &[]),
            frame(8, 0, b"1234"),
            frame(RST_STREAM, 0, b"1234"),
        ];
        for part in [1, 2, 7, 9, 1000] {
            assert_eq!(scan(&frames, part), (Scanned { frames: 8, idle: 4 + GIVEN_UP }, None), "{part}");
        }
    }

    #[test]
    fn a_head_is_unfinished_until_its_last_byte_has_come() {
        for part in [1, 5, 1000] {
            let begun = frame(HEADERS, 0, b"0123456789");
            assert_eq!(scan(std::slice::from_ref(&begun), part).1, Some(19), "{part}");
            let more = frame(CONTINUATION, 0, b"01234");
            assert_eq!(scan(&[begun.clone(), more.clone()], part).1, Some(33), "{part}");
            let last = frame(CONTINUATION, END_HEADERS, b"01234");
            assert_eq!(scan(&[begun.clone(), more, last[..13].to_vec()], part).1, Some(46), "{part}");
            assert_eq!(scan(&[begun, last], part).1, None, "{part}");
            assert_eq!(scan(&[frame(HEADERS, END_HEADERS, b"")], part).1, None, "{part}");
        }
    }

    #[test]
    fn what_may_come_is_what_the_client_has_said_and_never_more_than_the_least_for_a_stream() {
        let setting = |kind: u8, value: u32| [&[0, kind][..], &value.to_be_bytes()].concat();
        let said = |frames: &[Vec<u8>], part: usize| {
            let mut scanner = Frames::default();
            for part in [PREFACE, &frames.concat()].concat().chunks(part) {
                scanner.scan(part);
            }
            (scanner.window, scanner.granted)
        };
        let on = |stream: u8, more: u32| {
            let mut frame = frame(WINDOW_UPDATE, 0, &more.to_be_bytes());
            frame[8] = stream;
            frame
        };
        let settings = frame(SETTINGS, 0, &[setting(3, 7), setting(4, 100_000), setting(5, 9)].concat());
        for part in [1, 2, 7, 1000] {
            assert_eq!(said(&[frame(SETTINGS, 0, &[])], part), (None, 0));
            let frames = [settings.clone(), on(0, 1000), on(1, 50), frame(DATA, 0, &[0, 4, 0, 0, 0, 1])];
            assert_eq!(said(&frames, part), (Some(100_000), 1000), "{part}");
            let later = [1000, 2000].map(|window| frame(SETTINGS, 0, &setting(4, window)));
            assert_eq!(
                said(&[frames.concat(), later.concat(), on(0, 1 << 30)], part),
                (Some(1000), 1000 + (1 << 30))
            );
        }
        let mut frames = Frames::default();
        frames.scan(&[PREFACE, &settings, &on(0, 1)].concat());
        assert!(
            frames.lets_come(65_536, 65_536)
                && !frames.lets_come(65_536, 65_537)
                && !frames.lets_come(100_001, 0)
        );
    }

    #[test]
    fn http_2_is_known_by_its_preface() {
        assert_eq!(is_http2(0, PREFACE), Some(true));
        assert_eq!(is_http2(0, &[PREFACE, b"more"].concat()), Some(true));
        assert_eq!(
            (is_http2(0, b"P"), is_http2(1, b"RI"), is_http2(3, &PREFACE[3..])),
            (None, None, Some(true))
        );
        for (before, bytes) in [(0, &b"GET / HTTP/1.1"[..]), (1, b"OST"), (0, b"PRI * HTTP/1.1")] {
            assert_eq!(is_http2(before, bytes), Some(false));
        }
    }
}
