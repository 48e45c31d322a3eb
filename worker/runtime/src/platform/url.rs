//! URLs by the URL standard: what `URL` in JavaScript is made of. The hosts are those of the url crate.
//!
//! - [`parser`]: from text to a [`record`], and from a new value to a changed part of one.
//! - [`percent`]: what is percent-encoded where.
//! - [`simple`]: a quick look at URLs that need no parser.

pub(crate) mod parser;
pub(crate) mod percent;
pub(crate) mod record;
pub(crate) mod simple;

use deno_core::{OpState, op2};

use self::parser::{Invalid, State, parse, parse_part};
use self::percent::EncodeSet;
use self::record::{OFFSETS, Record};

/// A URL as the parser would write it.
pub(crate) fn serialized(text: String) -> String {
    if simple::offsets(&text).is_some() {
        return text;
    }
    match parse(&text, None) {
        Ok(url) => url.write().0,
        Err(Invalid) => text,
    }
}

/// What the ops return: the text is as it was; it is another, for [`op_url_text`]; it is no URL.
const SAME: u32 = 0;
const CHANGED: u32 = 1;
const INVALID: u32 = 2;

/// The text of the URL that an op has just made.
struct UrlText(String);

/// Parses `text` and says where its parts are.
#[op2(fast)]
pub(crate) fn op_url_read(state: &mut OpState, #[string] text: &str, #[buffer] offsets: &mut [u32]) -> u32 {
    if let Some(found) = simple::offsets(text) {
        offsets[..OFFSETS].copy_from_slice(&found);
        return SAME;
    }
    answer(state, text, parse(text, None), offsets)
}

/// Parses `text` relative to `base` and says where its parts are.
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
        // A value that does not fit changes nothing more.
        let _ = change(&mut url, part, value);
        url
    });
    answer(state, text, changed, offsets)
}

/// The text of the URL that the last op has made.
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

/// The setters of `URL`, numbered as in `url.js`.
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
