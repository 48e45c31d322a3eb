//! Encodes and decodes messages. The only file that names bincode.
//!
//! bincode is unmaintained (RUSTSEC-2025-0141), so safety does not depend on it: every payload has passed the length limit
//! of its frame kind before it is decoded, decoding borrows instead of allocating wherever a peer chooses the length, and
//! owned memory is bounded by the length of the payload.

use bincode::enc::write::SizeWriter;
use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use serde_bytes::Bytes as Raw;

use crate::ProtocolError;
use crate::limits::{MAX_HEAD, MAX_HEADERS};

type Config<const LIMIT: usize> = bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    bincode::config::Limit<LIMIT>,
>;

const fn config<const LIMIT: usize>() -> Config<LIMIT> {
    bincode::config::standard().with_limit::<LIMIT>()
}

/// What the decoder counts at most for the part of a head that is always decoded, and for each field. Both are borrowed from a payload
/// of at most [`MAX_HEAD`] bytes, and may count for more than their encoding.
const PREFIX: Config<{ 2 * MAX_HEAD }> = config();

/// Appends the encoding of `message`.
///
/// # Errors
/// [`ProtocolError::Malformed`] if the message cannot be represented.
pub fn encode<T: Serialize>(message: &T, out: &mut BytesMut) -> Result<(), ProtocolError> {
    bincode::serde::encode_into_std_write(message, &mut out.writer(), bincode::config::standard())
        .map(|_| ())
        .map_err(|error| malformed("message", &error))
}

/// Returns the size that the decoder counts against its limit for `message`. It is larger than the encoding: bincode
/// counts numbers and lengths at their full width there, although it encodes them shorter.
///
/// # Errors
/// [`ProtocolError::Malformed`] if the message cannot be represented.
pub fn width<T: Serialize>(message: &T) -> Result<usize, ProtocolError> {
    let mut size = SizeWriter::default();
    bincode::serde::encode_into_writer(
        message,
        &mut size,
        bincode::config::standard().with_fixed_int_encoding(),
    )
    .map_err(|error| malformed("message", &error))?;
    Ok(size.bytes_written)
}

/// Decodes one message that fills `payload` exactly, and whose [`width`] is at most `LIMIT`.
///
/// # Errors
/// [`ProtocolError::Malformed`] if it does not decode, or if bytes are left over.
pub fn decode<'a, T: Deserialize<'a>, const LIMIT: usize>(
    what: &'static str,
    payload: &'a [u8],
) -> Result<T, ProtocolError> {
    let (message, used) = bincode::serde::borrow_decode_from_slice(payload, config::<LIMIT>())
        .map_err(|error| malformed(what, &error))?;
    if used != payload.len() {
        return Err(ProtocolError::Malformed { what, detail: "trailing bytes".into() });
    }
    Ok(message)
}

/// Decodes one message from the front of `payload`; also returns how many bytes it took.
///
/// # Errors
/// [`ProtocolError::Malformed`] if it does not decode.
pub fn decode_prefix<'a, T: Deserialize<'a>>(
    what: &'static str,
    payload: &'a [u8],
) -> Result<(T, usize), ProtocolError> {
    bincode::serde::borrow_decode_from_slice(payload, PREFIX).map_err(|error| malformed(what, &error))
}

/// Appends a header block: a count, then each name and value as received.
///
/// `count` must be the number of fields that `fields` yields and at most [`MAX_HEADERS`].
///
/// # Errors
/// [`ProtocolError::Malformed`] if there are more.
pub fn encode_headers<'a>(
    count: usize,
    fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    out: &mut BytesMut,
) -> Result<(), ProtocolError> {
    if count > MAX_HEADERS {
        return Err(ProtocolError::Malformed { what: "headers", detail: format!("{count} fields") });
    }
    encode(&(count as u64), out)?;
    let mut left = count;
    for (name, value) in fields.take(count) {
        encode(&(Raw::new(name), Raw::new(value)), out)?;
        left -= 1;
    }
    debug_assert_eq!(left, 0, "fewer fields than announced");
    Ok(())
}

/// Encoded header fields, decoded one by one when they are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderBlock(Bytes);

impl HeaderBlock {
    /// Wraps the bytes that [`encode_headers`] wrote; an empty buffer is an empty block.
    pub fn new(encoded: Bytes) -> Self {
        Self(encoded)
    }

    /// Returns the encoded bytes.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// Iterates over the fields. The iteration ends after the first error.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] if the block does not start with a count of at most [`MAX_HEADERS`].
    pub fn iter(&self) -> Result<Headers<'_>, ProtocolError> {
        if self.0.is_empty() {
            return Ok(Headers { rest: &[], left: 0 });
        }
        let (count, used): (u64, usize) = decode_prefix("headers", &self.0)?;
        let left = usize::try_from(count)
            .ok()
            .filter(|count| *count <= MAX_HEADERS)
            .ok_or_else(|| ProtocolError::Malformed { what: "headers", detail: format!("{count} fields") })?;
        Ok(Headers { rest: &self.0[used..], left })
    }
}

/// Iterator over the name and value of each field of a [`HeaderBlock`].
#[derive(Debug)]
pub struct Headers<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Headers<'a> {
    /// Returns how many fields are left, according to the block's count.
    pub fn remaining(&self) -> usize {
        self.left
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), ProtocolError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        match decode_prefix::<(&Raw, &Raw)>("headers", self.rest) {
            Ok(((name, value), used)) => {
                self.rest = &self.rest[used..];
                Some(Ok((name, value)))
            }
            Err(error) => {
                self.left = 0;
                Some(Err(error))
            }
        }
    }
}

fn malformed(what: &'static str, error: &dyn std::fmt::Display) -> ProtocolError {
    ProtocolError::Malformed { what, detail: error.to_string() }
}
