//! What is agreed with a client about the compression of messages: `permessage-deflate` (RFC 7692, 7.1). Each message is compressed by
//! itself in both directions, so that a WebSocket keeps nothing of those before.

use hyper::header::{HeaderMap, HeaderValue, SEC_WEBSOCKET_EXTENSIONS};

/// The name of the extension.
const NAME: &str = "permessage-deflate";

/// The greatest window, in bits.
const MOST_BITS: u8 = 15;

/// How messages are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MessageCompression {
    /// The window that the client has asked for messages of the app, in bits.
    bits: Option<u8>,
}

impl MessageCompression {
    /// Returns what the first offer of the client leads to that can be accepted. None if there is none.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).iter();
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .find_map(Self::accept)
    }

    /// Accepts an offer if it is valid.
    fn accept(offer: &str) -> Option<Self> {
        let mut parts = offer.split(';').map(str::trim);
        if !parts.next()?.eq_ignore_ascii_case(NAME) {
            return None;
        }
        let (mut seen, mut bits) = (Vec::new(), None);
        for part in parts {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name.trim_end(), Some(bits_of(value.trim_start()))),
                None => (part, None),
            };
            let name = name.to_ascii_lowercase();
            match (name.as_str(), value) {
                ("server_no_context_takeover" | "client_no_context_takeover", None) => {}
                // It may use less anyway.
                ("client_max_window_bits", None | Some(Some(_))) => {}
                ("server_max_window_bits", Some(Some(asked))) => bits = Some(asked),
                _ => return None,
            }
            if seen.contains(&name) {
                return None;
            }
            seen.push(name);
        }
        Some(Self { bits })
    }

    /// Returns how far back messages of the app may refer, in bytes.
    pub(crate) fn window(self) -> usize {
        1 << self.bits.unwrap_or(MOST_BITS)
    }

    /// Returns the value of the field in the answer that says so.
    pub(crate) fn answer(self) -> HeaderValue {
        let agreed = format!("{NAME}; server_no_context_takeover; client_no_context_takeover");
        let agreed = match self.bits {
            None => agreed,
            Some(bits) => format!("{agreed}; server_max_window_bits={bits}"),
        };
        HeaderValue::from_str(&agreed).unwrap_or(HeaderValue::from_static(NAME))
    }
}

/// Returns the number of bits that a value names.
fn bits_of(value: &str) -> Option<u8> {
    let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    match unquoted {
        "8" | "9" | "10" | "11" | "12" | "13" | "14" | "15" => unquoted.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(offers: &[&'static str]) -> Option<HeaderValue> {
        let offers = offers.iter().map(|offer| (SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(offer)));
        MessageCompression::of(&offers.collect()).map(MessageCompression::answer)
    }

    #[test]
    fn the_first_offer_that_can_be_accepted_is() {
        let agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        for offers in [
            &["permessage-deflate"][..],
            &["permessage-deflate; client_max_window_bits"],
            &["x-other, Permessage-Deflate;client_max_window_bits=\"10\" ; client_no_context_takeover"],
            &["x-other; a=1", "permessage-deflate; server_no_context_takeover"],
            &[
                "permessage-deflate; unknown, permessage-deflate; server_max_window_bits=7, permessage-deflate",
            ],
        ] {
            assert_eq!(answer(offers).unwrap(), agreed, "{offers:?}");
        }
        let small = format!("{agreed}; server_max_window_bits=9");
        assert_eq!(
            answer(&["permessage-deflate; server_max_window_bits = 9, permessage-deflate"]),
            small.parse().ok()
        );
        for offer in [
            "",
            "permessage-deflate2",
            "permessage-deflate; ",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; client_max_window_bits=010",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "x-webkit-deflate-frame",
        ] {
            assert_eq!(answer(&[offer]), None, "{offer}");
        }
    }
}
