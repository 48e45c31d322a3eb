//! URLs by the URL Standard: the native part of `URL` in JavaScript. Hosts are parsed by the url crate.
//!
//! - [`parser`]: parses text into a [`record`], and parses new values for a part of one.
//! - [`percent`]: percent-encoding, and the sets of characters that are encoded in each part.
//! - [`simple`]: a fast path for common URLs that need no parser.

pub(crate) mod parser;
pub(crate) mod percent;
pub(crate) mod record;
pub(crate) mod simple;

use deno_core::{OpState, op2};

use self::parser::{Invalid, State, parse, parse_part};
use self::percent::EncodeSet;
use self::record::{OFFSETS, Record};

/// Returns a URL as the parser would serialize it; text that is no URL is returned unchanged.
pub(crate) fn serialized(text: String) -> String {
    if simple::offsets(&text).is_some() {
        return text;
    }
    match parse(&text, None) {
        Ok(url) => url.write().0,
        Err(Invalid) => text,
    }
}

/// Return values of the ops: the text is unchanged; it has changed, and [`op_url_text`] returns it; it is not a URL.
const SAME: u32 = 0;
const CHANGED: u32 = 1;
const INVALID: u32 = 2;

/// The text of the URL that an op has just created.
struct UrlText(String);

/// Parses `text` and writes the positions of its parts to `offsets`.
#[op2(fast)]
pub(crate) fn op_url_read(state: &mut OpState, #[string] text: &str, #[buffer] offsets: &mut [u32]) -> u32 {
    if let Some(found) = simple::offsets(text) {
        offsets[..OFFSETS].copy_from_slice(&found);
        return SAME;
    }
    answer(state, text, parse(text, None), offsets)
}

/// Parses `text` relative to `base` and writes the positions of its parts to `offsets`.
#[op2(fast)]
pub(crate) fn op_url_read_relative(
    state: &mut OpState,
    #[string] text: &str,
    #[string] base: &str,
    #[buffer] offsets: &mut [u32],
) -> u32 {
    answer(state, text, parse(base, None).and_then(|base| parse(text, Some(&base))), offsets)
}

/// Sets one part of the URL `text`.
#[op2(fast)]
pub(crate) fn op_url_change(
    state: &mut OpState,
    #[string] text: &str,
    #[smi] part: u32,
    #[string] value: &str,
    #[buffer] offsets: &mut [u32],
) -> u32 {
    let changed = parse(text, None).map(|mut url| {
        // After an invalid value, what was changed until then stays.
        let _ = change(&mut url, part, value);
        url
    });
    answer(state, text, changed, offsets)
}

/// Returns the text of the URL that the last op has created.
#[op2]
#[string]
pub(crate) fn op_url_text(state: &mut OpState) -> String {
    state.try_take::<UrlText>().map(|text| text.0).unwrap_or_default()
}

fn answer(state: &mut OpState, given: &str, url: Result<Record, Invalid>, offsets: &mut [u32]) -> u32 {
    let Ok(url) = url else { return INVALID };
    let (text, found) = url.write();
    offsets[..OFFSETS].copy_from_slice(&found);
    if text == given {
        return SAME;
    }
    state.put(UrlText(text));
    CHANGED
}

/// Applies a setter of `URL`; the numbers are those of `url.js`.
fn change(url: &mut Record, part: u32, value: &str) -> Result<(), Invalid> {
    match part {
        0 => return parse_part(url, &format!("{value}:"), State::SchemeStart),
        1 | 2 if url.may_have_credentials() => {
            let part = if part == 1 { &mut url.username } else { &mut url.password };
            part.clear();
            EncodeSet::USERINFO.push_all(part, value.as_bytes());
        }
        3 if !url.is_opaque => return parse_part(url, value, State::Host),
        4 if !url.is_opaque => return parse_part(url, value, State::Hostname),
        5 if url.may_have_credentials() && value.is_empty() => url.port = None,
        5 if url.may_have_credentials() => return parse_part(url, value, State::Port),
        6 if !url.is_opaque => {
            url.path.clear();
            return parse_part(url, value, State::PathStart);
        }
        7 => {
            url.query = (!value.is_empty()).then(String::new);
            let value = value.strip_prefix('?').unwrap_or(value);
            return if url.query.is_some() { parse_part(url, value, State::Query) } else { Ok(()) };
        }
        8 => {
            url.fragment = (!value.is_empty()).then(String::new);
            let value = value.strip_prefix('#').unwrap_or(value);
            return if url.fragment.is_some() { parse_part(url, value, State::Fragment) } else { Ok(()) };
        }
        _ => {}
    }
    Ok(())
}
