//! Path and query.

use super::{Parser, State, Step};
use crate::platform::url::percent::EncodeSet;
use crate::platform::url::record::is_drive_letter;

impl Parser<'_> {
    pub(super) fn path_start(&mut self, byte: Option<u8>) -> Step {
        match byte {
            Some(b'/') => self.go_to(State::Path),
            Some(b'\\') if self.url.is_special() => self.go_to(State::Path),
            _ if self.url.is_special() => self.again_in(State::Path),
            Some(b'?') if self.part.is_none() => self.go_to_query(),
            Some(b'#') if self.part.is_none() => self.go_to_fragment(),
            Some(_) => self.again_in(State::Path),
            None => {
                if self.part.is_some() && self.url.host.is_none() {
                    self.url.push_segment("");
                }
                Step::Next
            }
        }
    }

    pub(super) fn path(&mut self, byte: Option<u8>) -> Step {
        let is_slash = byte == Some(b'/') || self.is_special_backslash(byte);
        let ends = byte.is_none() || is_slash || self.part.is_none() && matches!(byte, Some(b'?' | b'#'));
        if let Some(byte) = byte
            && !ends
        {
            self.buffer.push(byte);
            return Step::Next;
        }
        let mut segment = String::with_capacity(self.buffer.len());
        EncodeSet::PATH.push_all(&mut segment, &std::mem::take(&mut self.buffer));
        match dots(&segment) {
            2 => {
                self.url.shorten_path();
                if !is_slash {
                    self.url.push_segment("");
                }
            }
            1 if !is_slash => self.url.push_segment(""),
            1 => {}
            _ => {
                if self.url.scheme == "file"
                    && self.url.path.is_empty()
                    && is_drive_letter(segment.as_bytes())
                {
                    segment.replace_range(1.., ":");
                }
                self.url.push_segment(&segment);
            }
        }
        match byte {
            Some(b'?') => self.go_to_query(),
            Some(b'#') => self.go_to_fragment(),
            _ => Step::Next,
        }
    }

    pub(super) fn opaque_path(&mut self, byte: Option<u8>) -> Step {
        match byte {
            Some(b'?') => return self.go_to_query(),
            Some(b'#') => return self.go_to_fragment(),
            // A space at the end of the path would be lost when the text is parsed again.
            Some(b' ') if matches!(self.rest().get(1), Some(b'?' | b'#')) => self.url.path.push_str("%20"),
            Some(byte) => EncodeSet::CONTROLS.push(&mut self.url.path, byte),
            None => {}
        }
        Step::Next
    }

    pub(super) fn query(&mut self, byte: Option<u8>) -> Step {
        match byte {
            Some(b'#') if self.part.is_none() => return self.go_to_fragment(),
            Some(byte) => {
                let set = if self.url.is_special() { EncodeSet::SPECIAL_QUERY } else { EncodeSet::QUERY };
                set.push(self.url.query.get_or_insert_default(), byte);
            }
            None => {}
        }
        Step::Next
    }
}

/// Returns how many dots a segment stands for: one, two, or zero for any other segment.
fn dots(segment: &str) -> usize {
    let mut count = 0;
    let mut rest = segment;
    while let Some(after) =
        rest.strip_prefix('.').or_else(|| rest.strip_prefix("%2e")).or_else(|| rest.strip_prefix("%2E"))
    {
        count += 1;
        rest = after;
    }
    if rest.is_empty() && count <= 2 { count } else { 0 }
}
