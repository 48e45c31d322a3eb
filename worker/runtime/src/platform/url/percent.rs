//! Percent-encoding, and the sets of characters that are encoded in each part of a URL.

/// A set of ASCII bytes, one bit each. Bytes beyond ASCII are in every set.
#[derive(Clone, Copy)]
pub(crate) struct EncodeSet(u128);

impl EncodeSet {
    /// The set for opaque hosts and opaque paths: control characters.
    pub(crate) const CONTROLS: Self = Self(0xFFFF_FFFF | 1 << 0x7F);
    /// The set for the fragment.
    pub(crate) const FRAGMENT: Self = Self::CONTROLS.with(b" \"<>`");
    /// The set for the query of non-special schemes.
    pub(crate) const QUERY: Self = Self::CONTROLS.with(b" \"#<>");
    /// The set for the query of special schemes.
    pub(crate) const SPECIAL_QUERY: Self = Self::QUERY.with(b"'");
    /// The set for the path.
    pub(crate) const PATH: Self = Self::QUERY.with(b"?^`{}");
    /// The set for user name and password.
    pub(crate) const USERINFO: Self = Self::PATH.with(b"/:;=@[\\]|");

    const fn with(self, bytes: &[u8]) -> Self {
        let mut set = self.0;
        let mut index = 0;
        while index < bytes.len() {
            set |= 1 << bytes[index];
            index += 1;
        }
        Self(set)
    }

    fn contains(self, byte: u8) -> bool {
        !byte.is_ascii() || self.0 >> byte & 1 == 1
    }

    /// Appends `byte`, percent-encoded if it is in this set.
    pub(crate) fn push(self, text: &mut String, byte: u8) {
        if self.contains(byte) {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            text.push('%');
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        } else {
            text.push(char::from(byte));
        }
    }

    /// Appends `bytes`, each percent-encoded if it is in this set.
    pub(crate) fn push_all(self, text: &mut String, bytes: &[u8]) {
        for byte in bytes {
            self.push(text, *byte);
        }
    }
}
