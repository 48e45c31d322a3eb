//! A fast path for the most common URLs: `http` or `https` with a lower-case host, already in the form that the parser would
//! produce. All other URLs are left to the parser.

use super::record::OFFSETS;

/// Returns the offsets of the parts of `text`, if the parser would leave it unchanged; see `Record::write`.
pub(crate) fn offsets(text: &str) -> Option<[u32; OFFSETS]> {
    let bytes = text.as_bytes();
    let (colon, default_port) = if bytes.starts_with(b"https://") {
        (6, 443)
    } else if bytes.starts_with(b"http://") {
        (5, 80)
    } else {
        return None;
    };
    let host = colon + 2;
    let path = host + bytes[host..].iter().position(|byte| *byte == b'/')?;
    let host_end = bytes[host..path].iter().position(|byte| *byte == b':').map_or(path, |at| host + at);
    if host_end != path && !is_port(&bytes[host_end + 1..path], default_port)
        || !is_host(&bytes[host..host_end])
    {
        return None;
    }
    let query = path + bytes[path..].iter().position(|byte| *byte == b'?').unwrap_or(bytes.len() - path);
    if !is_path(&bytes[path..query]) || !bytes[query..].iter().all(|byte| is_plain(*byte) || *byte == b'?') {
        return None;
    }
    let [colon, host, host_end, path, query, end] = [colon, host, host_end, path, query, bytes.len()]
        .map(|offset| u32::try_from(offset).unwrap_or(u32::MAX));
    Some([colon, host, host, host, host, host_end, path, path, query, end])
}

/// Returns whether these digits are a port as the parser writes it, and not the scheme's default.
fn is_port(digits: &[u8], default: u32) -> bool {
    let number = digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u32::from(digit - b'0'))
            .filter(|number| *number <= 65535)
    });
    !digits.is_empty() && digits[0] != b'0' && number.is_some_and(|number| number != default)
}

/// Returns whether `host` is a name without international labels, or an IPv4 address in four parts.
fn is_host(host: &[u8]) -> bool {
    let mut labels = 0;
    let mut numbers = 0;
    for label in host.split(|byte| *byte == b'.') {
        let is_name = label.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if label.is_empty() || !is_name || label.starts_with(b"xn--") {
            return false;
        }
        labels += 1;
        numbers += usize::from(is_byte(label));
    }
    let last = host.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    labels == 4 && numbers == 4 || !last[0].is_ascii_digit()
}

/// Returns whether `label` is a number up to 255 without leading zeros.
fn is_byte(label: &[u8]) -> bool {
    label.len() <= 3
        && label.iter().all(u8::is_ascii_digit)
        && (label.len() == 1 || label[0] != b'0')
        && label.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')) <= 255
}

/// Returns whether the path needs no encoding, and no segment is one or two dots, in whatever spelling.
fn is_path(path: &[u8]) -> bool {
    path.iter().all(|byte| is_plain(*byte)) && !path.windows(2).any(|pair| matches!(pair, b"/." | b"/%"))
}

/// Returns whether path and query contain this byte unencoded.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&()*+,;=:@/%".contains(&byte)
}
