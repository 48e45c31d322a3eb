//! Checks that a text which arrives in parts is UTF-8.

/// The state of the check between two parts.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Utf8 {
    /// The beginning of a character that the last part has cut.
    cut: [u8; 4],
    length: usize,
}

impl Utf8 {
    /// Takes the next part. Returns whether everything so far may be the beginning of a text.
    pub(crate) fn take(&mut self, mut part: &[u8]) -> bool {
        while self.length > 0
            && let Some((next, rest)) = part.split_first()
        {
            // A character has at most four bytes: with the fourth, the outcome is known.
            self.cut[self.length] = *next;
            self.length += 1;
            part = rest;
            match std::str::from_utf8(&self.cut[..self.length]) {
                Ok(_) => self.length = 0,
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return false,
            }
        }
        match std::str::from_utf8(part) {
            Ok(_) => true,
            Err(error) if error.error_len().is_none() => {
                let cut = &part[error.valid_up_to()..];
                self.cut[..cut.len()].copy_from_slice(cut);
                self.length = cut.len();
                true
            }
            Err(_) => false,
        }
    }

    /// Returns whether the text may end here.
    pub(crate) fn is_complete(&self) -> bool {
        self.length == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns whether a text in parts of this length is UTF-8.
    fn is_text(bytes: &[u8], part: usize) -> bool {
        let mut check = Utf8::default();
        bytes.chunks(part).all(|part| check.take(part)) && check.is_complete()
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_a_text_is_cut(
            bytes in prop_oneof![
                any::<String>().prop_map(String::into_bytes),
                proptest::collection::vec(prop_oneof![any::<u8>(), 0x80u8..0xc0, 0xe0u8..0xf6], 0..12),
            ],
            part in 1usize..6,
        ) {
            prop_assert_eq!(is_text(&bytes, part), std::str::from_utf8(&bytes).is_ok());
        }
    }

    #[test]
    fn what_can_be_no_text_any_more_is_known_at_once() {
        let mut check = Utf8::default();
        assert!(check.take(b"a\xf4"));
        // No character begins so.
        assert!(!check.take(b"\x90"));
    }
}
