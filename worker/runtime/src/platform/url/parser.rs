//! The basic URL parser, state by state as in the standard: <https://url.spec.whatwg.org/#concept-basic-url-parser>.
//!
//! It reads bytes: all bytes with a meaning in a URL are ASCII, and all others are percent-encoded one by one.

mod authority;
mod file;
mod path;

use std::borrow::Cow;

use super::percent::EncodeSet;
use super::record::{Record, default_port};

/// The state of the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    SchemeStart,
    Scheme,
    NoScheme,
    SpecialRelativeOrAuthority,
    PathOrAuthority,
    Relative,
    RelativeSlash,
    SpecialAuthoritySlashes,
    SpecialAuthorityIgnoreSlashes,
    Authority,
    Host,
    Hostname,
    Port,
    File,
    FileSlash,
    FileHost,
    PathStart,
    Path,
    OpaquePath,
    Query,
    Fragment,
}

/// The text is not a URL or, when one part is parsed, not a valid value of that part.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Invalid;

/// How the parser continues after a state has processed a byte or the end of the input.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Continue with the next byte.
    Next,
    /// Process the same byte in the new state.
    Again,
    /// Stop: the requested part is complete.
    Stop,
    Fail,
}

/// Parses `input`, relative to `base` if given.
pub(crate) fn parse(input: &str, base: Option<&Record>) -> Result<Record, Invalid> {
    let mut url = Record::default();
    let input = input.trim_matches(|c: char| c <= ' ');
    Parser::new(&mut url, input, base, None).run(State::SchemeStart)?;
    Ok(url)
}

/// Parses `input` as one part of `url`, starting in `state`. What was read before an error is kept.
pub(crate) fn parse_part(url: &mut Record, input: &str, state: State) -> Result<(), Invalid> {
    Parser::new(url, input, None, Some(state)).run(state)
}

struct Parser<'a> {
    url: &'a mut Record,
    base: Option<&'a Record>,
    /// The start state, if only one part is parsed.
    part: Option<State>,
    input: Cow<'a, str>,
    pointer: usize,
    state: State,
    buffer: Vec<u8>,
    at_sign_seen: bool,
    inside_brackets: bool,
    password_token_seen: bool,
}

impl<'a> Parser<'a> {
    fn new(url: &'a mut Record, input: &'a str, base: Option<&'a Record>, part: Option<State>) -> Self {
        let is_ignored = |c| matches!(c, '\t' | '\n' | '\r');
        let input = if input.contains(is_ignored) {
            Cow::Owned(input.replace(is_ignored, ""))
        } else {
            Cow::Borrowed(input)
        };
        Self {
            url,
            base,
            part,
            input,
            pointer: 0,
            state: State::SchemeStart,
            buffer: Vec::new(),
            at_sign_seen: false,
            inside_brackets: false,
            password_token_seen: false,
        }
    }

    fn run(mut self, state: State) -> Result<(), Invalid> {
        self.state = state;
        loop {
            let byte = self.input.as_bytes().get(self.pointer).copied();
            match self.step(byte) {
                Step::Again => {}
                Step::Next if byte.is_some() => self.pointer += 1,
                Step::Next | Step::Stop => return Ok(()),
                Step::Fail => return Err(Invalid),
            }
        }
    }

    fn step(&mut self, byte: Option<u8>) -> Step {
        match self.state {
            State::SchemeStart => self.scheme_start(byte),
            State::Scheme => self.scheme(byte),
            State::NoScheme => self.no_scheme(byte),
            State::SpecialRelativeOrAuthority => self.slashes(byte, State::Relative),
            State::PathOrAuthority if byte == Some(b'/') => self.go_to(State::Authority),
            State::PathOrAuthority => self.again_in(State::Path),
            State::Relative => self.relative(byte),
            State::RelativeSlash => self.relative_slash(byte),
            State::SpecialAuthoritySlashes => self.slashes(byte, State::SpecialAuthorityIgnoreSlashes),
            State::SpecialAuthorityIgnoreSlashes if matches!(byte, Some(b'/' | b'\\')) => Step::Next,
            State::SpecialAuthorityIgnoreSlashes => self.again_in(State::Authority),
            State::Authority => self.authority(byte),
            State::Host | State::Hostname => self.host(byte),
            State::Port => self.port(byte),
            State::File => self.file(byte),
            State::FileSlash => self.file_slash(byte),
            State::FileHost => self.file_host(byte),
            State::PathStart => self.path_start(byte),
            State::Path => self.path(byte),
            State::OpaquePath => self.opaque_path(byte),
            State::Query => self.query(byte),
            State::Fragment => {
                if let Some(byte) = byte {
                    EncodeSet::FRAGMENT.push(self.url.fragment.get_or_insert_default(), byte);
                }
                Step::Next
            }
        }
    }

    fn go_to(&mut self, state: State) -> Step {
        self.state = state;
        Step::Next
    }

    fn again_in(&mut self, state: State) -> Step {
        self.state = state;
        Step::Again
    }

    fn go_to_query(&mut self) -> Step {
        self.url.query = Some(String::new());
        self.go_to(State::Query)
    }

    fn go_to_fragment(&mut self) -> Step {
        self.url.fragment = Some(String::new());
        self.go_to(State::Fragment)
    }

    fn rest(&self) -> &[u8] {
        self.input.as_bytes().get(self.pointer..).unwrap_or_default()
    }

    /// Returns whether an authority ends at this byte.
    fn ends_authority(&self, byte: Option<u8>) -> bool {
        matches!(byte, None | Some(b'/' | b'?' | b'#')) || self.is_special_backslash(byte)
    }

    fn is_special_backslash(&self, byte: Option<u8>) -> bool {
        byte == Some(b'\\') && self.url.is_special()
    }

    /// Takes the buffer as text. It is always valid UTF-8, because it is a part of the input.
    fn take_buffer(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.buffer)).unwrap_or_default()
    }

    fn scheme_start(&mut self, byte: Option<u8>) -> Step {
        match byte {
            Some(byte) if byte.is_ascii_alphabetic() => self.again_in(State::Scheme),
            _ if self.part.is_none() => self.again_in(State::NoScheme),
            _ => Step::Fail,
        }
    }

    fn scheme(&mut self, byte: Option<u8>) -> Step {
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.') => {
                self.buffer.push(byte.to_ascii_lowercase());
                Step::Next
            }
            Some(b':') if self.part.is_some() => self.change_scheme(),
            Some(b':') => {
                self.url.scheme = self.take_buffer();
                if self.url.scheme == "file" {
                    self.go_to(State::File)
                } else if self.url.is_special() {
                    let same = self.base.is_some_and(|base| base.scheme == self.url.scheme);
                    self.go_to(if same {
                        State::SpecialRelativeOrAuthority
                    } else {
                        State::SpecialAuthoritySlashes
                    })
                } else if self.rest().starts_with(b":/") {
                    self.pointer += 1;
                    self.go_to(State::PathOrAuthority)
                } else {
                    self.url.is_opaque = true;
                    self.go_to(State::OpaquePath)
                }
            }
            _ if self.part.is_none() => {
                self.buffer.clear();
                self.pointer = 0;
                self.again_in(State::NoScheme)
            }
            _ => Step::Fail,
        }
    }

    fn change_scheme(&mut self) -> Step {
        let scheme = self.take_buffer();
        let default = default_port(&scheme);
        let stays = self.url.is_special() != default.is_some()
            || scheme == "file" && (self.url.has_credentials() || self.url.port.is_some())
            || self.url.scheme == "file" && self.url.host.as_deref() == Some("");
        if !stays {
            self.url.scheme = scheme;
            if self.url.port == default.flatten() {
                self.url.port = None;
            }
        }
        Step::Stop
    }

    fn no_scheme(&mut self, byte: Option<u8>) -> Step {
        let Some(base) = self.base else { return Step::Fail };
        if base.is_opaque {
            if byte != Some(b'#') {
                return Step::Fail;
            }
            *self.url = base.clone();
            return self.go_to_fragment();
        }
        self.again_in(if base.scheme == "file" { State::File } else { State::Relative })
    }

    /// Reads what follows the scheme: two slashes begin an authority, anything else continues with `otherwise`.
    fn slashes(&mut self, byte: Option<u8>, otherwise: State) -> Step {
        if byte == Some(b'/') && self.rest().starts_with(b"//") {
            self.pointer += 1;
            return self.go_to(State::SpecialAuthorityIgnoreSlashes);
        }
        self.again_in(otherwise)
    }

    fn relative(&mut self, byte: Option<u8>) -> Step {
        let Some(base) = self.base else { return Step::Fail };
        self.url.scheme.clone_from(&base.scheme);
        if byte == Some(b'/') || self.is_special_backslash(byte) {
            return self.go_to(State::RelativeSlash);
        }
        *self.url = Record { fragment: None, ..base.clone() };
        match byte {
            Some(b'?') => self.go_to_query(),
            Some(b'#') => self.go_to_fragment(),
            None => Step::Next,
            Some(_) => {
                self.url.query = None;
                self.url.shorten_path();
                self.again_in(State::Path)
            }
        }
    }

    fn relative_slash(&mut self, byte: Option<u8>) -> Step {
        let Some(base) = self.base else { return Step::Fail };
        if self.url.is_special() && matches!(byte, Some(b'/' | b'\\')) {
            return self.go_to(State::SpecialAuthorityIgnoreSlashes);
        }
        if byte == Some(b'/') {
            return self.go_to(State::Authority);
        }
        *self.url = Record { path: String::new(), query: None, fragment: None, ..base.clone() };
        self.again_in(State::Path)
    }
}
