//! Looks through a value that another app has sent before V8 reads it. V8 makes a list as long as it is said to be, however little
//! of it has come, and reads more than [`call_values.js`](../../js/workers/call_values.js) ever writes: that only passes.

/// The version of V8's format.
const VERSION: u8 = 16;

/// How many elements the lists of a message may lack.
const MAX_HOLES: usize = 1024 * 1024;

/// Returns what is wrong with a value that V8 is to read.
pub(super) fn check(message: &[u8]) -> Result<(), &'static str> {
    let mut rest = Rest(message);
    if rest.take(2)? != [0xff, VERSION] {
        return Err(BROKEN);
    }
    let mut elements = 0_usize;
    while let [tag, behind @ ..] = rest.0 {
        rest.0 = behind;
        match tag {
            // Padding, undefined, null, booleans also as objects, and where objects, maps and sets begin.
            b'\0' | b'_' | b'0' | b'T' | b'F' | b'y' | b'x' | b'o' | b';' | b'\'' | b's' => {}
            // Integers, references to earlier objects, and where objects, maps and sets end.
            b'I' | b'U' | b'^' | b'{' | b':' | b',' => _ = rest.varint()?,
            // Numbers, also as objects, and dates.
            b'N' | b'n' | b'D' => _ = rest.take(8)?,
            b'Z' | b'z' => {
                // The lowest bit is the sign.
                let length = rest.varint()? >> 1;
                rest.take(length)?;
            }
            b'"' | b'c' | b'S' | b'B' => rest.bytes()?,
            b'R' => {
                while rest.0.first() == Some(&b'\0') {
                    rest.take(1)?;
                }
                if !matches!(rest.take(1)?, b"\"" | b"c" | b"S") {
                    return Err(BROKEN);
                }
                rest.bytes()?;
                rest.varint()?;
            }
            b'A' | b'a' => {
                elements = elements.saturating_add(rest.varint()?);
                // What is not lacking takes a byte at least.
                if elements > message.len() + MAX_HOLES {
                    return Err("the other app has sent arrays with more than 1048576 empty elements");
                }
            }
            // Where arrays end.
            b'$' | b'@' => {
                rest.varint()?;
                rest.varint()?;
            }
            // A view of the bytes before it.
            b'V' => {
                rest.take(1)?;
                rest.varint()?;
                rest.varint()?;
                rest.varint()?;
            }
            _ => return Err(BROKEN),
        }
    }
    Ok(())
}

const BROKEN: &str = "the other app has sent a value that cannot be read";

/// What has not been looked at yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(BROKEN)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Skips bytes after their length.
    fn bytes(&mut self) -> Result<(), &'static str> {
        let length = self.varint()?;
        self.take(length).map(|_| ())
    }

    /// Reads a number of at most 32 bits, of which each byte has seven, the lowest first.
    fn varint(&mut self) -> Result<usize, &'static str> {
        let mut value = 0;
        for shift in (0..32).step_by(7) {
            let [byte] = self.take(1)? else { return Err(BROKEN) };
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).map(|value| value as usize).map_err(|_| BROKEN);
            }
        }
        Err(BROKEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(parts: &[&[u8]]) -> Vec<u8> {
        [&[0xff, VERSION][..], &parts.concat()].concat()
    }

    #[test]
    fn what_is_not_there_takes_no_memory() {
        let holes = [0x80, 0x80, 0x80, 0x10];
        assert_eq!(check(&message(&[b"a", &holes])), check(&message(&[b"A", &holes])));
        assert!(check(&message(&[b"a", &holes])).unwrap_err().contains("empty elements"));
        // Several lists, each of which could be filled by what follows.
        let many = [b'A', 0x80, 0x80, 0x20].repeat(4);
        assert!(check(&message(&[&many])).unwrap_err().contains("empty elements"));
        assert_eq!(check(&message(&[b"a\x03I\x00I\x02I\x04I\x06@\x02\x03"])), Ok(()));
    }

    #[test]
    fn only_what_the_scripts_write_passes() {
        for tag in 0..=u8::MAX {
            let known = b"\0_0TFyxo;'sIU^{:,NnDZz\"cSBRAa$@V".contains(&tag);
            // Enough for any of them.
            let body = if tag == b'R' { &b"\"\x01a\0"[..] } else { &[0; 8] };
            assert_eq!(check(&message(&[&[tag], body])).is_ok(), known, "{tag:#x}");
        }
        assert!(check(&[]).is_err());
        assert!(check(&[0xff, VERSION - 1, b'_']).is_err());
        assert!(check(&message(&[b"\"\x05abc"])).is_err());
        assert!(check(&message(&[b"I\xff\xff\xff\xff\x1f"])).is_err());
        assert!(check(&message(&[b"RA\xff\xff\xff\x7f"])).is_err());
    }
}
