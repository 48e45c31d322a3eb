//! Finds where HTTP/1 request heads end. hyper reads ahead past a request, and does not tell whether it has read a
//! complete head.

/// The unfinished head, as far as received.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// Bytes received; 0 if all heads are complete.
    pub bytes: usize,
    /// Whether its request line is complete.
    pub has_line: bool,
    line: LineState,
}

/// What the last line consists of, as far as received.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum LineState {
    #[default]
    Nothing,
    /// A carriage return only, which may be the first half of the line's end.
    Return,
    Something,
}

impl LineState {
    fn and(self, bytes: &[u8]) -> Self {
        match (self, bytes) {
            (line, []) => line,
            (Self::Nothing, b"\r") => Self::Return,
            _ => Self::Something,
        }
    }
}

impl Head {
    /// Returns the unfinished head after these further bytes. They must not belong to a request body.
    pub(crate) fn and(self, bytes: &[u8]) -> Self {
        // Fast path: most clients send nothing after a head.
        if bytes.ends_with(b"\r\n\r\n") {
            return Self::default();
        }
        let (mut head, mut from) = (self, 0);
        for end in memchr::memchr_iter(b'\n', bytes) {
            head = match head.line.and(&bytes[from..end]) {
                LineState::Something => {
                    Self { bytes: head.bytes + end + 1 - from, has_line: true, line: LineState::Nothing }
                }
                LineState::Nothing | LineState::Return => Self::default(),
            };
            from = end + 1;
        }
        let rest = &bytes[from..];
        Self { bytes: head.bytes + rest.len(), line: head.line.and(rest), ..head }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the bytes of the unfinished head, and whether it has its request line.
    fn unfinished(text: &str, part: usize) -> (usize, bool) {
        let head = text.as_bytes().chunks(part).fold(Head::default(), Head::and);
        (head.bytes, head.has_line)
    }

    #[test]
    fn a_head_is_unfinished_until_its_empty_line_however_it_is_cut() {
        for part in [1, 2, 3, 7, 1000] {
            for (text, bytes, has_line) in [
                ("", 0, false),
                ("GET /", 5, false),
                ("GET / HTTP/1.1\r\n", 16, true),
                ("GET / HTTP/1.1\r\nhost: x\r\n\r", 26, true),
                ("GET / HTTP/1.1\r\nhost: x\r\n\r\n", 0, false),
                ("\r\n\r\nGET /", 5, false),
                ("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\nGET", 3, false),
                ("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nx", 17, true),
                // hyper accepts a bare line feed as the end of a line.
                ("GET / HTTP/1.1\nhost: x\n\nGET /", 5, false),
                ("GET / HTTP/1.1\nhost: x\n\r\nGET /", 5, false),
            ] {
                assert_eq!(unfinished(text, part), (bytes, has_line), "{text:?} in parts of {part}");
            }
        }
    }
}
