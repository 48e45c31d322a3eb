//! Parts that only file URLs have: drive letters, and hosts that may be missing.

use super::{Parser, State, Step};
use crate::platform::url::record::{Record, is_drive_letter, starts_with_drive_letter};

impl Parser<'_> {
    pub(super) fn file(&mut self, byte: Option<u8>) -> Step {
        "file".clone_into(&mut self.url.scheme);
        self.url.host = Some(String::new());
        if matches!(byte, Some(b'/' | b'\\')) {
            return self.go_to(State::FileSlash);
        }
        let Some(base) = self.base.filter(|base| base.scheme == "file") else {
            return self.again_in(State::Path);
        };
        *self.url = Record { fragment: None, ..base.clone() };
        match byte {
            Some(b'?') => self.go_to_query(),
            Some(b'#') => self.go_to_fragment(),
            None => Step::Next,
            Some(_) => {
                self.url.query = None;
                if starts_with_drive_letter(self.rest()) {
                    self.url.path.clear();
                } else {
                    self.url.shorten_path();
                }
                self.again_in(State::Path)
            }
        }
    }

    pub(super) fn file_slash(&mut self, byte: Option<u8>) -> Step {
        if matches!(byte, Some(b'/' | b'\\')) {
            return self.go_to(State::FileHost);
        }
        if let Some(base) = self.base.filter(|base| base.scheme == "file") {
            self.url.host.clone_from(&base.host);
            if let Some(drive) = base.drive_letter()
                && !starts_with_drive_letter(self.rest())
            {
                self.url.push_segment(drive);
            }
        }
        self.again_in(State::Path)
    }

    pub(super) fn file_host(&mut self, byte: Option<u8>) -> Step {
        if let Some(byte) = byte
            && !matches!(byte, b'/' | b'\\' | b'?' | b'#')
        {
            self.buffer.push(byte);
            return Step::Next;
        }
        if self.part.is_none() && is_drive_letter(&self.buffer) {
            // Kept in the buffer, because it is the first segment of the path.
            return self.again_in(State::Path);
        }
        if !self.take_host() {
            return Step::Fail;
        }
        if self.url.host.as_deref() == Some("localhost") {
            self.url.host = Some(String::new());
        }
        self.after_host()
    }
}
