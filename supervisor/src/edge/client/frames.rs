//! The frames of an HTTP/2 client as they come in, as far as their nine bytes of header: whether its head is unfinished, and
//! whether it asks for anything at all. h2 answers whatever it is sent, a thousand pings as well as one. Of two kinds the payload
//! is looked at, too: how much of answers may come, which h2 tells nobody.

/// Bytes of the header of a frame.
const HEADER: usize = 9;

/// What every client of HTTP/2 sends first.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

/// The setting of how much of a stream may come, and what holds without it, for the whole connection as well (RFC 9113, 6.5.2 and
/// 6.9.2).
const INITIAL_WINDOW_SIZE: [u8; 2] = [0, 4];
const INITIAL_WINDOW: u32 = 65_535;

/// Bytes of one setting, and of how much more may come.
const SETTING: usize = 6;
const INCREMENT: usize = 4;

/// What a stream that is given up counts: it was a request, which nobody wants any more.
const GIVEN_UP: u32 = 4;

/// What is known of the frames of one connection.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// What has come of the present frame's header.
    begun: [u8; HEADER],
    have: usize,
    /// Bytes of the preface that have come.
    preface: usize,
    /// Bytes of the present frame's payload that are still to come.
    left: usize,
    /// Bytes of the request head that is unfinished, if one is.
    head: Option<usize>,
    /// Whether the payload to come belongs to a head, and whether that ends with it.
    is_head: bool,
    ends_head: bool,
    /// Bytes of each entry of the payload to come that says how much of answers may come; 0 if it does not.
    entry: usize,
    /// What has come of such an entry.
    said: [u8; SETTING],
    has_said: usize,
    /// The least that each stream may bring without a further word, if that was said.
    window: Option<u32>,
    /// What all streams may bring beyond what holds without a word.
    granted: u64,
}

/// What some bytes of a client were.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// All frames.
    pub frames: u32,
    /// Those that ask for nothing and bring nothing.
    pub idle: u32,
}

/// Whether a client that has sent nothing but `before` and now `bytes` speaks HTTP/2; none if more has to come to tell.
pub(crate) fn is_http2(before: usize, bytes: &[u8]) -> Option<bool> {
    let expected = PREFACE.get(before..).unwrap_or_default();
    let length = bytes.len().min(expected.len());
    match bytes[..length] == expected[..length] {
        true if bytes.len() < expected.len() => None,
        is_same => Some(is_same),
    }
}

impl Frames {
    /// After a preface of which so many bytes have come.
    pub(crate) fn after(preface: usize) -> Self {
        Self { preface, ..Self::default() }
    }

    /// Bytes of the request head that is unfinished, if one is.
    pub(crate) fn head(&self) -> Option<usize> {
        self.head
    }

    /// Whether the client lets come what it was given: so many bytes of a stream, and of all.
    pub(crate) fn lets_come(&self, stream: u64, all: u64) -> bool {
        let initial = u64::from(INITIAL_WINDOW);
        stream <= self.window.map_or(initial, u64::from) && all <= self.granted + initial
    }

    /// Takes in what has come.
    pub(crate) fn scan(&mut self, mut bytes: &[u8]) -> Seen {
        let mut seen = Seen::default();
        let preface = bytes.len().min(PREFACE.len() - self.preface);
        self.preface += preface;
        bytes = &bytes[preface..];
        while !bytes.is_empty() {
            if self.left > 0 {
                let payload = bytes.len().min(self.left);
                self.left -= payload;
                if self.entry > 0 {
                    self.take_in(&bytes[..payload]);
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

    /// A frame begins: what it counts as one that asks for nothing.
    fn begin(&mut self) -> u32 {
        let [high, middle, low, kind, flags, ..] = self.begun;
        self.left = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        self.is_head = kind == HEADERS || kind == CONTINUATION;
        self.ends_head = flags & END_HEADERS != 0;
        self.has_said = 0;
        self.entry = match kind {
            SETTINGS => SETTING,
            // Of all streams together.
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

    /// How much may come.
    fn take_in(&mut self, payload: &[u8]) {
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

    fn scan(frames: &[Vec<u8>], part: usize) -> (Seen, Option<usize>) {
        let bytes = [PREFACE, &frames.concat()].concat();
        let (mut scanner, mut all) = (Frames::default(), Seen::default());
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
            assert_eq!(scan(&frames, part), (Seen { frames: 8, idle: 4 + GIVEN_UP }, None), "{part}");
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
