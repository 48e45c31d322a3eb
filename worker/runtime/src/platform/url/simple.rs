//! A quick look at the commonest URLs: `http` or `https` with a host in small letters, already as the parser would write
//! them. Whatever is not plainly so is left to the parser.

use super::record::OFFSETS;

/// Where the parts of `text` are, if the parser would leave it as it is; see `Record::write`.
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

/// Whether it is a number as the parser writes it, and not the scheme's own.
fn is_port(digits: &[u8], default: u32) -> bool {
    let number = digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u32::from(digit - b'0'))
            .filter(|number| *number <= 65535)
    });
    !digits.is_empty() && digits[0] != b'0' && number.is_some_and(|number| number != default)
}

/// Whether it is a name of which no label looks like an international one, or an IPv4 address in four parts.
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

/// Whether it is a number up to 255, without zeros before it.
fn is_byte(label: &[u8]) -> bool {
    label.len() <= 3
        && label.iter().all(u8::is_ascii_digit)
        && (label.len() == 1 || label[0] != b'0')
        && label.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')) <= 255
}

/// Whether no segment is one or two dots, however written.
fn is_path(path: &[u8]) -> bool {
    path.iter().all(|byte| is_plain(*byte)) && !path.windows(2).any(|pair| matches!(pair, b"/." | b"/%"))
}

/// Whether path and query hold this byte as it is.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&()*+,;=:@/%".contains(&byte)
}
