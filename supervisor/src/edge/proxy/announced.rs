//! Checks that a response body has the length that its head announces.
//!
//! A worker is not trusted to send that many bytes. If there are too few, an HTTP/1.1 client takes the next response for the rest
//! of this one. If there are too many, it takes the rest of this one for the next. In either case, some HTTP/2 clients close the
//! whole connection.

use nano_protocol::Chunk;

/// How a body differs from the length that the worker announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LengthError {
    /// The body goes on beyond its announced length.
    #[error("its body is longer than its content-length, {0}")]
    TooLong(u64),
    /// The body ended before its announced length.
    #[error("its body ended after {came} bytes of its content-length, {length}")]
    TooShort {
        /// Bytes that the body had.
        came: u64,
        /// Bytes that were announced.
        length: u64,
    },
}

/// An announced length, and what is left of it.
#[derive(Debug)]
pub(crate) struct Announced {
    length: u64,
    left: u64,
    /// The part that completes the body. It is held back until the body is known to end there, since a longer body must not look
    /// complete.
    last: Option<Chunk>,
}

impl Announced {
    pub(crate) fn new(length: u64) -> Self {
        Self { length, left: length, last: None }
    }

    /// Takes a further part, and returns what may be passed on: nothing if the part is held back. `is_done` says whether the part
    /// is known to be the last.
    ///
    /// # Errors
    /// Fails if the body is longer than announced.
    pub(crate) fn take(&mut self, chunk: Chunk, is_done: bool) -> Result<Chunk, LengthError> {
        if chunk.is_empty() {
            return Ok(chunk);
        }
        let left = self.left.checked_sub(chunk.len() as u64);
        self.left = left.ok_or(LengthError::TooLong(self.length))?;
        if self.left > 0 || is_done {
            return Ok(chunk);
        }
        self.last = Some(chunk);
        Ok(Chunk::default())
    }

    /// Ends the body, and returns the part that was held back.
    ///
    /// # Errors
    /// Fails if the body is shorter than announced.
    pub(crate) fn end(&mut self) -> Result<Option<Chunk>, LengthError> {
        match self.left {
            0 => Ok(self.last.take()),
            left => Err(LengthError::TooShort { came: self.length - left, length: self.length }),
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.left == 0 && self.last.is_none()
    }
}

#[cfg(test)]
mod tests {
    use bytes::{Buf as _, Bytes};

    use super::{Announced, Chunk, LengthError};

    /// Returns what may be passed on of `part`.
    fn take(announced: &mut Announced, part: &'static str, is_done: bool) -> Result<String, LengthError> {
        announced.take(Bytes::from_static(part.as_bytes()).into(), is_done).map(|chunk| text(&chunk))
    }

    fn end(announced: &mut Announced) -> Result<Option<String>, LengthError> {
        Ok(announced.end()?.as_ref().map(text))
    }

    fn text(chunk: &Chunk) -> String {
        String::from_utf8(chunk.chunk().to_vec()).unwrap()
    }

    #[test]
    fn what_completes_the_body_waits_for_its_end() {
        let mut announced = Announced::new(5);
        assert_eq!(take(&mut announced, "ab", false).unwrap(), "ab");
        assert_eq!(take(&mut announced, "cde", false).unwrap(), "");
        assert!(!announced.is_complete());
        assert_eq!(end(&mut announced).unwrap().unwrap(), "cde");
        assert!(announced.is_complete());
        assert_eq!(end(&mut announced), Ok(None));
        // A part that is known to be the last one is not held back.
        let mut announced = Announced::new(2);
        assert_eq!(take(&mut announced, "ab", true).unwrap(), "ab");
        assert!(announced.is_complete());
    }

    #[test]
    fn another_length_is_an_error() {
        let mut announced = Announced::new(2);
        assert_eq!(take(&mut announced, "ab", false).unwrap(), "");
        assert_eq!(take(&mut announced, "", false).unwrap(), "");
        assert_eq!(take(&mut announced, "c", true), Err(LengthError::TooLong(2)));
        let mut announced = Announced::new(2);
        assert_eq!(take(&mut announced, "a", false).unwrap(), "a");
        assert_eq!(end(&mut announced), Err(LengthError::TooShort { came: 1, length: 2 }));
    }
}
