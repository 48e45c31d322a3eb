//! User name, password, host and port.

use deno_core::url::Host;

use super::{Parser, State, Step};
use crate::platform::url::percent::EncodeSet;
use crate::platform::url::record::default_port;

impl Parser<'_> {
    pub(super) fn authority(&mut self, byte: Option<u8>) -> Step {
        if byte == Some(b'@') {
            let credentials = std::mem::take(&mut self.buffer);
            if self.at_sign_seen {
                self.push_credentials(b"%40");
            }
            self.at_sign_seen = true;
            self.push_credentials(&credentials);
            return Step::Next;
        }
        if let Some(byte) = byte
            && !self.ends_authority(Some(byte))
        {
            self.buffer.push(byte);
            return Step::Next;
        }
        if self.at_sign_seen && self.buffer.is_empty() {
            return Step::Fail;
        }
        self.pointer -= self.buffer.len();
        self.buffer.clear();
        self.again_in(State::Host)
    }

    pub(super) fn push_credentials(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b':' && !self.password_token_seen {
                self.password_token_seen = true;
            } else {
                let part =
                    if self.password_token_seen { &mut self.url.password } else { &mut self.url.username };
                EncodeSet::USERINFO.push(part, *byte);
            }
        }
    }

    pub(super) fn host(&mut self, byte: Option<u8>) -> Step {
        if self.part.is_some() && self.url.scheme == "file" {
            return self.again_in(State::FileHost);
        }
        match byte {
            Some(b':') if !self.inside_brackets => {
                if self.buffer.is_empty() || self.part == Some(State::Hostname) || !self.take_host() {
                    return Step::Fail;
                }
                self.go_to(State::Port)
            }
            Some(byte) if !self.ends_authority(Some(byte)) => {
                match byte {
                    b'[' => self.inside_brackets = true,
                    b']' => self.inside_brackets = false,
                    _ => {}
                }
                self.buffer.push(byte);
                Step::Next
            }
            _ => {
                let is_empty = self.buffer.is_empty();
                let needs_one =
                    self.part.is_some() && (self.url.has_credentials() || self.url.port.is_some());
                if is_empty && (self.url.is_special() || needs_one) || !self.take_host() {
                    return Step::Fail;
                }
                self.after_host()
            }
        }
    }

    pub(super) fn after_host(&mut self) -> Step {
        if self.part.is_some() { Step::Stop } else { self.again_in(State::PathStart) }
    }

    /// Parses the buffer as the host. Returns `false` if it is not a valid host.
    pub(super) fn take_host(&mut self) -> bool {
        let text = self.take_buffer();
        let host = match (text.as_str(), self.url.is_special()) {
            ("", _) => Ok(String::new()),
            (text, true) => Host::parse(text).map(|host| host.to_string()),
            (text, false) => Host::parse_opaque(text).map(|host| host.to_string()),
        };
        let is_host = host.is_ok();
        if let Ok(host) = host {
            self.url.host = Some(host);
        }
        is_host
    }

    pub(super) fn port(&mut self, byte: Option<u8>) -> Step {
        if let Some(digit @ b'0'..=b'9') = byte {
            self.buffer.push(digit);
            return Step::Next;
        }
        if !self.ends_authority(byte) && self.part.is_none() {
            return Step::Fail;
        }
        if !self.buffer.is_empty() {
            let digits = self.take_buffer();
            let Ok(port) = format!("0{}", digits.trim_start_matches('0')).parse::<u16>() else {
                return Step::Fail;
            };
            let default = default_port(&self.url.scheme).flatten();
            self.url.port = (default != Some(port)).then_some(port);
            if self.part.is_some() {
                return Step::Stop;
            }
        }
        if self.part.is_some() { Step::Fail } else { self.again_in(State::PathStart) }
    }
}
