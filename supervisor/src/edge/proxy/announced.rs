//! The length that a response's head announces, held against what comes.
//!
//! A worker is not trusted with it: too few bytes leave the client of HTTP/1.1 waiting on a connection that goes on with the
//! next response, too many are taken for that response, and over HTTP/2 some clients end the whole connection for either.

use nano_protocol::Chunk;

/// What is left of an announced length.
#[derive(Debug)]
pub(crate) struct Announced {
    length: u64,
    left: u64,
    /// What completes the body. It is held back until nothing has come after it: a body that goes on is no answer.
    last: Option<Chunk>,
}

impl Announced {
    /// Nothing has come yet.
    pub(crate) fn new(length: u64) -> Self {
        Self { length, left: length, last: None }
    }

    /// What may be passed on of a further part, which is empty if all of it is held back. `is_done` says that no other comes.
    ///
    /// # Errors
    /// There is more than was announced.
    pub(crate) fn take(&mut self, chunk: Chunk, is_done: bool) -> Result<Chunk, String> {
        if chunk.is_empty() {
            return Ok(chunk);
        }
        let left = self.left.checked_sub(chunk.len() as u64);
        self.left =
            left.ok_or_else(|| format!("its body is longer than its content-length, {}", self.length))?;
        if self.left > 0 || is_done {
            return Ok(chunk);
        }
        self.last = Some(chunk);
        Ok(Chunk::default())
    }

    /// What was held back, once the body has ended.
    ///
    /// # Errors
    /// There was less than announced.
    pub(crate) fn end(&mut self) -> Result<Option<Chunk>, String> {
        match self.left {
            0 => Ok(self.last.take()),
            left => {
                let came = self.length - left;
                Err(format!("its body ended after {came} bytes of its content-length, {}", self.length))
            }
        }
    }

    /// Whether all of it has been passed on.
    pub(crate) fn is_complete(&self) -> bool {
        self.left == 0 && self.last.is_none()
    }
}

#[cfg(test)]
mod tests {
    use bytes::{Buf as _, Bytes};

    use super::{Announced, Chunk};

    /// What may be passed on of `part`.
    fn take(announced: &mut Announced, part: &'static str, is_done: bool) -> Result<String, String> {
        announced.take(Bytes::from_static(part.as_bytes()).into(), is_done).map(|chunk| text(&chunk))
    }

    fn end(announced: &mut Announced) -> Result<Option<String>, String> {
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
        // Unless the end has come along.
        let mut announced = Announced::new(2);
        assert_eq!(take(&mut announced, "ab", true).unwrap(), "ab");
        assert!(announced.is_complete());
    }

    #[test]
    fn another_length_is_an_error() {
        let mut announced = Announced::new(2);
        assert_eq!(take(&mut announced, "ab", false).unwrap(), "");
        assert_eq!(take(&mut announced, "", false).unwrap(), "");
        assert_eq!(
            take(&mut announced, "c", true),
            Err("its body is longer than its content-length, 2".to_owned())
        );
        let mut announced = Announced::new(2);
        assert_eq!(take(&mut announced, "a", false).unwrap(), "a");
        assert_eq!(
            end(&mut announced),
            Err("its body ended after 1 bytes of its content-length, 2".to_owned())
        );
    }
}
