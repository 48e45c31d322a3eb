//! Compresses files for clients that accept it (`Accept-Encoding`). The compressed form of a file is made once, when it is first
//! asked for, and kept in memory.

use std::io::{self, Read as _};

use flate2::Compression;
use flate2::read::GzEncoder;
use hyper::header::{self, HeaderMap, HeaderValue};

/// Shortest and longest files that are compressed. A long one would keep a thread for too long.
const LENGTHS: std::ops::RangeInclusive<u64> = 1024..=4 * 1024 * 1024;

/// Quality of Brotli, 0 to 11: beyond it, a file takes several times as long for a few percent.
const BROTLI_QUALITY: i32 = 6;

/// Window of Brotli, as a power of two: 4 MiB, the longest file.
const BROTLI_WINDOW: i32 = 22;

/// Level of Zstandard, 1 to 22. It gives the size that this quality of Brotli gives, in half the time and with two thirds of the
/// memory (18 MiB for the longest file); level 12 takes three times as long and 48 MiB for two percent.
const ZSTANDARD_LEVEL: i32 = 9;

/// Media types that are worth compressing, besides text.
const COMPRESSIBLE: [&str; 12] = [
    "application/javascript",
    "application/json",
    "application/ld+json",
    "application/manifest+json",
    "application/rss+xml",
    "application/atom+xml",
    "application/wasm",
    "application/xhtml+xml",
    "application/xml",
    "font/otf",
    "font/ttf",
    "image/svg+xml",
];

/// A content coding in which files are sent to clients that accept it. The best comes first: small files are a few percent shorter
/// in Brotli than in Zstandard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Coding {
    Brotli,
    Zstandard,
    Gzip,
}

/// All codings.
pub(super) const CODINGS: [Coding; 3] = [Coding::Brotli, Coding::Zstandard, Coding::Gzip];

impl Coding {
    /// Returns its name in `Content-Encoding`.
    pub(crate) fn name(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Brotli => "br",
            Self::Zstandard => "zstd",
            Self::Gzip => "gzip",
        })
    }

    /// Returns the coding that a client likes best, of those that both know. The better one of two that it likes as much. A worker
    /// (`is_worker`) passes on what its own client accepts, yet may also read it, and decodes no Zstandard.
    pub(super) fn accepted(headers: &HeaderMap, is_worker: bool) -> Option<Self> {
        let mut best = None;
        for value in headers.get_all(header::ACCEPT_ENCODING) {
            for part in value.to_str().unwrap_or_default().split(',') {
                let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
                let coding = match name.trim().to_ascii_lowercase().as_str() {
                    "br" => Self::Brotli,
                    "zstd" if !is_worker => Self::Zstandard,
                    "gzip" | "x-gzip" => Self::Gzip,
                    _ => continue,
                };
                let weight = parameters
                    .trim()
                    .strip_prefix("q=")
                    .map_or(Some(1.0), |text| text.trim().parse::<f32>().ok());
                let weight = weight.unwrap_or(0.0);
                let is_better =
                    best.is_none_or(|(known, most)| weight > most || (weight == most && coding < known));
                if weight > 0.0 && is_better {
                    best = Some((coding, weight));
                }
            }
        }
        best.map(|(coding, _)| coding)
    }

    /// Compresses all that is read. Blocks.
    pub(super) fn compress(self, contents: &[u8]) -> io::Result<Vec<u8>> {
        let mut compressed = Vec::with_capacity(contents.len() / 3);
        match self {
            Self::Gzip => {
                GzEncoder::new(contents, Compression::default()).read_to_end(&mut compressed)?;
            }
            Self::Brotli => {
                let params = brotli::enc::BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    lgwin: BROTLI_WINDOW,
                    size_hint: contents.len(),
                    ..Default::default()
                };
                brotli::BrotliCompress(&mut &*contents, &mut compressed, &params)?;
            }
            // The length is known to it, so that its window is no longer than the file.
            Self::Zstandard => compressed = zstd::bulk::compress(contents, ZSTANDARD_LEVEL)?,
        }
        compressed.shrink_to_fit();
        Ok(compressed)
    }
}

/// Whether a file of this type and length is worth compressing.
pub(super) fn is_compressible(media_type: Option<&HeaderValue>, length: u64) -> bool {
    let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default();
    LENGTHS.contains(&length) && (media_type.starts_with("text/") || COMPRESSIBLE.contains(&media_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_chooses() {
        for (accepted, expected) in [
            ("gzip, deflate, br, zstd", Some(Coding::Brotli)),
            ("gzip, zstd", Some(Coding::Zstandard)),
            ("zstd, gzip", Some(Coding::Zstandard)),
            ("zstd;q=0.9, gzip", Some(Coding::Gzip)),
            ("br;q=0.9, gzip;q=0.8, ZSTD", Some(Coding::Zstandard)),
            ("zstd;q=0, gzip;q=0.1", Some(Coding::Gzip)),
            ("br;q=0.5, gzip;q=0.8", Some(Coding::Gzip)),
            ("gzip;q=0.5, br;q=0.5", Some(Coding::Brotli)),
            ("br;q=0, gzip", Some(Coding::Gzip)),
            ("GZIP ; q=1.0", Some(Coding::Gzip)),
            ("br;q=x", None),
            ("identity", None),
            ("*", None),
            ("", None),
        ] {
            let headers =
                [(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted))].into_iter().collect();
            assert_eq!(Coding::accepted(&headers, false), expected, "{accepted}");
            assert_ne!(Coding::accepted(&headers, true), Some(Coding::Zstandard), "{accepted}");
        }
        assert_eq!(Coding::accepted(&HeaderMap::new(), false), None);
    }

    #[test]
    fn text_is_compressed_and_what_is_short_or_compressed_already_is_not() {
        for (media_type, length, expected) in [
            ("text/html; charset=utf-8", 5000, true),
            ("text/html; charset=utf-8", 500, false),
            ("application/json", 5000, true),
            ("image/svg+xml", 5000, true),
            ("image/png", 5000, false),
            ("application/wasm", 5 << 20, false),
        ] {
            let found = is_compressible(Some(&HeaderValue::from_static(media_type)), length);
            assert_eq!(found, expected, "{media_type} {length}");
        }
        assert!(!is_compressible(None, 5000));
        let text = "all work and no play ".repeat(1000);
        for coding in CODINGS {
            let compressed = coding.compress(text.as_bytes()).unwrap();
            assert!(compressed.len() < 300, "{coding:?}: {}", compressed.len());
        }
    }
}
