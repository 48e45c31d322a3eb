//! A URL record: its parts, and its serialization.

use std::fmt::Write as _;

/// Number of offsets that [`Record::write`] returns.
pub(crate) const OFFSETS: usize = 10;

/// The parts of a URL as the standard names them: <https://url.spec.whatwg.org/#concept-url>.
#[derive(Debug, Default, Clone)]
pub(crate) struct Record {
    pub(crate) scheme: String,
    pub(crate) username: String,
    pub(crate) password: String,
    /// The serialized host; the empty string is the empty host.
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    /// The opaque path, or the segments, each with a slash before it.
    pub(crate) path: String,
    pub(crate) is_opaque: bool,
    pub(crate) query: Option<String>,
    pub(crate) fragment: Option<String>,
}

/// Returns the default port of a special scheme, or `Some(None)` if the scheme has none; `None` for other schemes.
pub(crate) fn default_port(scheme: &str) -> Option<Option<u16>> {
    match scheme {
        "http" | "ws" => Some(Some(80)),
        "https" | "wss" => Some(Some(443)),
        "ftp" => Some(Some(21)),
        "file" => Some(None),
        _ => None,
    }
}

/// Returns whether `bytes` is a letter and a colon or vertical bar.
pub(crate) fn is_drive_letter(bytes: &[u8]) -> bool {
    matches!(bytes, [letter, b':' | b'|'] if letter.is_ascii_alphabetic())
}

/// Returns whether `bytes` begins with a drive letter that is a segment of its own.
pub(crate) fn starts_with_drive_letter(bytes: &[u8]) -> bool {
    bytes.len() >= 2
        && is_drive_letter(&bytes[..2])
        && matches!(bytes.get(2), None | Some(b'/' | b'\\' | b'?' | b'#'))
}

impl Record {
    /// Returns whether the scheme is special.
    pub(crate) fn is_special(&self) -> bool {
        default_port(&self.scheme).is_some()
    }

    /// Returns whether user name or password is not empty.
    pub(crate) fn has_credentials(&self) -> bool {
        !self.username.is_empty() || !self.password.is_empty()
    }

    /// Returns whether the URL can have user name, password and port at all.
    pub(crate) fn may_have_credentials(&self) -> bool {
        self.host.as_ref().is_some_and(|host| !host.is_empty()) && self.scheme != "file"
    }

    /// Returns the first segment, if it is a drive letter with a colon.
    pub(crate) fn drive_letter(&self) -> Option<&str> {
        let segment = self.path.strip_prefix('/')?.split('/').next()?;
        (is_drive_letter(segment.as_bytes()) && segment.ends_with(':')).then_some(segment)
    }

    /// Removes the last segment, but never the drive letter of a file URL.
    pub(crate) fn shorten_path(&mut self) {
        let Some(slash) = self.path.rfind('/') else { return };
        if self.scheme == "file" && slash == 0 && self.drive_letter().is_some() {
            return;
        }
        self.path.truncate(slash);
    }

    /// Appends one segment.
    pub(crate) fn push_segment(&mut self, segment: &str) {
        self.path.push('/');
        self.path.push_str(segment);
    }

    /// Serializes the URL. Also returns these offsets: the end of the scheme with its colon; the start and the end of the user
    /// name; the end of the password; the start of the host, the end of the host, the end of the port; the start of the path; the
    /// start of the query and of the fragment, or where they would start.
    pub(crate) fn write(&self) -> (String, [u32; OFFSETS]) {
        let mut text = String::with_capacity(
            self.scheme.len() + self.host.as_ref().map_or(0, String::len) + self.path.len() + 16,
        );
        let mut offsets = [0; OFFSETS];
        let mut mark =
            |index: usize, text: &str| offsets[index] = u32::try_from(text.len()).unwrap_or(u32::MAX);
        text.push_str(&self.scheme);
        text.push(':');
        mark(0, &text);
        if self.host.is_some() {
            text.push_str("//");
        }
        mark(1, &text);
        text.push_str(&self.username);
        mark(2, &text);
        if !self.password.is_empty() {
            text.push(':');
            text.push_str(&self.password);
        }
        mark(3, &text);
        if self.has_credentials() {
            text.push('@');
        }
        mark(4, &text);
        text.push_str(self.host.as_deref().unwrap_or_default());
        mark(5, &text);
        if let Some(port) = self.port {
            let _ = write!(text, ":{port}");
        }
        mark(6, &text);
        // Without `/.` the path would be parsed as a host.
        if self.host.is_none() && !self.is_opaque && self.path.starts_with("//") {
            text.push_str("/.");
        }
        mark(7, &text);
        text.push_str(&self.path);
        mark(8, &text);
        if let Some(query) = &self.query {
            text.push('?');
            text.push_str(query);
        }
        mark(9, &text);
        if let Some(fragment) = &self.fragment {
            text.push('#');
            text.push_str(fragment);
        }
        (text, offsets)
    }
}
