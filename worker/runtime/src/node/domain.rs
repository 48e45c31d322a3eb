//! Host names: `url.domainToASCII`, `url.domainToUnicode`, and `punycode`.

use deno_core::{op2, url};
use deno_error::JsErrorBox;

const PREFIX: &str = "xn--";

/// Returns a domain after UTS #46 ToASCII; empty if that fails.
#[op2]
#[string]
pub(crate) fn op_node_idna_to_ascii(#[string] domain: &str) -> String {
    idna::domain_to_ascii(domain).unwrap_or_default()
}

/// Returns a domain after the host parser of the URL Standard; empty if that fails.
#[op2]
#[string]
pub(crate) fn op_node_idna_domain_to_ascii(#[string] domain: &str) -> String {
    parsed(domain)
}

fn parsed(domain: &str) -> String {
    let domain = domain.replace(['\t', '\n', '\r'], "");
    let host = domain.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    url::Host::parse(host).map(|host| host.to_string()).unwrap_or_default()
}

/// Returns a domain in Unicode, after the host parser of the URL Standard; empty if that fails, and in ASCII if it cannot be
/// converted.
#[op2]
#[string]
pub(crate) fn op_node_idna_domain_to_unicode(#[string] domain: &str) -> String {
    let host = parsed(domain);
    match idna::domain_to_unicode(&host) {
        (text, Ok(())) => text,
        _ => host,
    }
}

/// Implements `punycode.toASCII`: encodes each label that needs it, without checking or normalizing any.
#[op2]
#[string]
pub(crate) fn op_node_idna_punycode_to_ascii(#[string] domain: &str) -> Result<String, JsErrorBox> {
    // These separators count as full stops.
    let domain = domain.replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".");
    each_label(&domain, |label| {
        if label.is_ascii() {
            return Ok(label.to_owned());
        }
        let encoded = idna::punycode::encode_str(label);
        encoded.map(|encoded| format!("{PREFIX}{encoded}")).ok_or_else(|| JsErrorBox::range_error("Overflow"))
    })
}

/// Implements `punycode.toUnicode`, the reverse.
#[op2]
#[string]
pub(crate) fn op_node_idna_punycode_to_unicode(#[string] domain: &str) -> Result<String, JsErrorBox> {
    each_label(domain, |label| match label.strip_prefix(PREFIX) {
        Some(encoded) => decode(&encoded.to_lowercase()),
        None => Ok(label.to_owned()),
    })
}

/// Implements `punycode.decode`.
#[op2]
#[string]
pub(crate) fn op_node_idna_punycode_decode(#[string] text: &str) -> Result<String, JsErrorBox> {
    decode(text)
}

/// Implements `punycode.encode`.
#[op2]
#[string]
pub(crate) fn op_node_idna_punycode_encode(#[string] text: &str) -> Result<String, JsErrorBox> {
    idna::punycode::encode_str(text).ok_or_else(|| JsErrorBox::range_error("Overflow"))
}

fn decode(text: &str) -> Result<String, JsErrorBox> {
    if let Some((basic, _)) = text.rsplit_once('-')
        && !basic.is_ascii()
    {
        return Err(JsErrorBox::range_error("Illegal input >= 0x80 (not a basic code point)"));
    }
    idna::punycode::decode_to_string(text).ok_or_else(|| JsErrorBox::range_error("Invalid input"))
}

/// Maps the labels of a host name. Of an email address, the part before the @ is unchanged.
fn each_label(domain: &str, map: impl Fn(&str) -> Result<String, JsErrorBox>) -> Result<String, JsErrorBox> {
    let (local, host) = domain.split_once('@').map_or(("", domain), |(local, host)| (local, host));
    let labels = host.split('.').map(map).collect::<Result<Vec<_>, _>>()?.join(".");
    Ok(if local.is_empty() { labels } else { format!("{local}@{labels}") })
}
