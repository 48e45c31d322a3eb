//! Content codings: decoding of received bodies, and encoding of sent ones.
//!
//! As on Workers, gzip and Brotli are supported. With any other `Content-Encoding`, a body is passed through as bytes in both
//! directions.

use std::io::Write as _;
use std::pin::Pin;

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder};
use brotli::CompressorWriter;
use bytes::Bytes;
use deno_core::convert::ByteString;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncBufRead, AsyncRead};

/// Brotli quality: at higher levels, the extra time costs more than the saved bytes.
const BROTLI_QUALITY: u32 = 4;
/// The base-2 logarithm of Brotli's window, which is its default.
const BROTLI_WINDOW: u32 = 22;
/// Number of bytes that the Brotli encoder returns at once.
const BROTLI_BUFFER: usize = 4096;

/// How the bytes of a body are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// gzip (RFC 1952).
    Gzip,
    /// Brotli (RFC 7932).
    Brotli,
}

impl Coding {
    /// Returns the coding that a `Content-Encoding` names. Names are case-insensitive, and gzip has two (RFC 9110, 8.4.1).
    pub(crate) fn named(value: &[u8]) -> Option<Self> {
        let is = |name: &str| value.trim_ascii().eq_ignore_ascii_case(name.as_bytes());
        if is("gzip") || is("x-gzip") { Some(Self::Gzip) } else { is("br").then_some(Self::Brotli) }
    }

    /// Returns the coding that the header fields name; `None` if they name several.
    pub(crate) fn of(headers: &[(ByteString, ByteString)]) -> Option<Self> {
        let mut fields = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-encoding"));
        match (fields.next(), fields.next()) {
            (Some((_, value)), None) => Self::named(value),
            _ => None,
        }
    }

    /// Returns a reader that decodes the bytes of `reader`.
    pub(crate) fn decode(self, reader: impl AsyncBufRead + 'static) -> Pin<Box<dyn AsyncRead>> {
        match self {
            Self::Gzip => {
                let mut decoder = GzipDecoder::new(reader);
                decoder.multiple_members(true);
                Box::pin(decoder)
            }
            Self::Brotli => Box::pin(BrotliDecoder::new(reader)),
        }
    }
}

/// Encodes a body part by part. All input so far can be decoded from the output so far.
pub(crate) enum Encoder {
    Gzip(Box<GzEncoder<Vec<u8>>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Encoder")
    }
}

impl Encoder {
    pub(crate) fn new(coding: Coding) -> Self {
        match coding {
            Coding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), Compression::default()).into()),
            Coding::Brotli => {
                let encoder = CompressorWriter::new(Vec::new(), BROTLI_BUFFER, BROTLI_QUALITY, BROTLI_WINDOW);
                Self::Brotli(encoder.into())
            }
        }
    }

    /// Encodes the next part and flushes it, so that a reader of an event stream need not wait for the event after this one.
    ///
    /// # Errors
    /// Never fails in practice.
    pub(crate) fn encode(&mut self, part: &[u8]) -> std::io::Result<Bytes> {
        let written = match self {
            Self::Gzip(encoder) => {
                encoder.write_all(part)?;
                encoder.flush()?;
                encoder.get_mut()
            }
            Self::Brotli(encoder) => {
                encoder.write_all(part)?;
                encoder.flush()?;
                encoder.get_mut()
            }
        };
        Ok(std::mem::take(written).into())
    }

    /// Returns the end of the encoded body.
    ///
    /// # Errors
    /// Never fails in practice.
    pub(crate) fn end(self) -> std::io::Result<Bytes> {
        Ok(match self {
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Brotli(encoder) => encoder.into_inner(),
        }
        .into())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, BufReader};

    use super::{Coding, Encoder};

    async fn decoded(coding: Coding, bytes: Vec<u8>) -> Vec<u8> {
        let mut text = Vec::new();
        let mut reader = coding.decode(BufReader::new(std::io::Cursor::new(bytes)));
        // The output so far is available even if the input is incomplete.
        let _ = reader.read_to_end(&mut text).await;
        text
    }

    #[tokio::test]
    async fn each_part_can_be_decoded_when_it_has_come() {
        for coding in [Coding::Gzip, Coding::Brotli] {
            let mut encoder = Encoder::new(coding);
            let mut sent = encoder.encode(b"one ").unwrap().to_vec();
            assert_eq!(decoded(coding, sent.clone()).await, b"one ", "{coding:?}");
            sent.extend(encoder.encode(b"two").unwrap());
            assert_eq!(decoded(coding, sent.clone()).await, b"one two", "{coding:?}");
            sent.extend(encoder.end().unwrap());
            assert_eq!(decoded(coding, sent).await, b"one two", "{coding:?}");
        }
    }

    #[test]
    fn a_single_known_name_is_a_coding() {
        let of = |values: &[&str]| {
            let field = |value: &&str| ("Content-Encoding".into(), (*value).into());
            Coding::of(&values.iter().map(field).collect::<Vec<_>>())
        };
        assert_eq!(of(&["gzip"]), Some(Coding::Gzip));
        assert_eq!(of(&[" X-GZip "]), Some(Coding::Gzip));
        assert_eq!(of(&["br"]), Some(Coding::Brotli));
        for other in [&[][..], &[""], &["identity"], &["deflate"], &["zstd"], &["gzip, br"], &["gzip", "br"]]
        {
            assert_eq!(of(other), None, "{other:?}");
        }
    }
}
