//! The names in a certificate as text, in the form that Node gives them.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::ssl::{Memory, copied, ffi, ssl, taken_text};

/// How a whole name is written: one part on each line.
const LINES: u64 = (ffi::ASN1_STRFLGS_ESC_2253
    | ffi::ASN1_STRFLGS_ESC_CTRL
    | ffi::ASN1_STRFLGS_UTF8_CONVERT
    | ffi::XN_FLAG_SEP_MULTILINE
    | ffi::XN_FLAG_FN_SN) as u64;

/// How a name is written inside of another one.
const INSIDE: u64 = (ffi::XN_FLAG_RFC2253 & !ffi::ASN1_STRFLGS_ESC_MSB & !ffi::ASN1_STRFLGS_ESC_CTRL) as u64;

/// A name of a person or a server, one part on each line.
pub(super) fn lines(name: *const ffi::X509_NAME) -> Option<String> {
    let out = Memory::new().ok()?;
    (ssl!(X509_NAME_print_ex(out.get(), name, 0, LINES)) > 0).then(|| out.text())
}

/// The parts of a name, each by the short name of what it is.
pub(super) fn parts(name: *const ffi::X509_NAME) -> Vec<(String, String)> {
    (0..ssl!(X509_NAME_entry_count(name)))
        .filter_map(|at| {
            let entry = ssl!(X509_NAME_get_entry(name, at));
            let kind = ssl!(X509_NAME_ENTRY_get_object(entry));
            let nid = ssl!(OBJ_obj2nid(kind));
            let key = if nid == ffi::NID_undef {
                object(kind, true)?
            } else {
                super::ssl::copied_text(ssl!(OBJ_nid2sn(nid)))?
            };
            let mut text = std::ptr::null_mut();
            let length = ssl!(ASN1_STRING_to_UTF8(&raw mut text, ssl!(X509_NAME_ENTRY_get_data(entry))));
            let length = usize::try_from(length).ok()?;
            let value = String::from_utf8_lossy(&copied(text, length)).into_owned();
            ssl!(OPENSSL_free(text.cast()));
            Some((key, value))
        })
        .collect()
}

/// The name of an object, or its number.
pub(super) fn object(of: *const ffi::ASN1_OBJECT, as_number: bool) -> Option<String> {
    let mut text = [0u8; 256];
    let room = i32::try_from(text.len()).ok()?;
    let length = ssl!(OBJ_obj2txt(text.as_mut_ptr().cast(), room, of, i32::from(as_number)));
    let length = usize::try_from(length).ok().filter(|length| *length > 0)?.min(text.len() - 1);
    Some(String::from_utf8_lossy(&text[..length]).into_owned())
}

/// The bytes of a string of ASN.1.
pub(super) fn string(of: *const ffi::ASN1_STRING) -> Vec<u8> {
    if of.is_null() {
        return Vec::new();
    }
    copied(ssl!(ASN1_STRING_get0_data(of)), usize::try_from(ssl!(ASN1_STRING_length(of))).unwrap_or_default())
}

/// Writes a value. It is in quotes if it could be taken for more than one.
fn value(out: &mut String, bytes: &[u8], is_utf8: bool) {
    let is_plain = |byte: u8| match byte {
        b'"' | b'\\' | b',' | b'\'' => false,
        _ if is_utf8 => byte >= b' ' && byte != 0x7f,
        _ => (b' '..=b'~').contains(&byte),
    };
    let text = String::from_utf8_lossy(bytes);
    if bytes.iter().all(|byte| is_plain(*byte)) {
        out.push_str(&text);
        return;
    }
    out.push('"');
    if is_utf8 {
        text.chars().for_each(|letter| escaped(out, letter, true));
    } else {
        bytes.iter().for_each(|byte| escaped(out, char::from(*byte), false));
    }
    out.push('"');
}

fn escaped(out: &mut String, letter: char, is_utf8: bool) {
    match letter {
        '\\' | '"' => {
            out.push('\\');
            out.push(letter);
        }
        ',' => out.push_str("\\u002c"),
        ' '..='~' => out.push(letter),
        '\u{80}'.. if is_utf8 => out.push(letter),
        _ => {
            let _ = write!(out, "\\u{:04x}", u32::from(letter));
        }
    }
}

/// Writes one of the names that a certificate is for.
#[allow(unsafe_code, reason = "the structures of AWS-LC are those of C")]
pub(super) fn general(out: &mut String, name: *const ffi::GENERAL_NAME) {
    if name.is_null() {
        return;
    }
    // SAFETY: it belongs to a list that lives until this has returned.
    let name = unsafe { &*name };
    // SAFETY: every member is a pointer, and which one it is, is told by `type_` below.
    let (text, directory, number) = unsafe { (name.d.ia5, name.d.directoryName, name.d.registeredID) };
    let mut plain = |label: &str| {
        out.push_str(label);
        value(out, &string(text), false);
    };
    match name.type_ {
        ffi::GEN_EMAIL => plain("email:"),
        ffi::GEN_DNS => plain("DNS:"),
        ffi::GEN_URI => plain("URI:"),
        ffi::GEN_DIRNAME => {
            out.push_str("DirName:");
            if let Ok(memory) = Memory::new() {
                ssl!(X509_NAME_print_ex(memory.get(), directory, 0, INSIDE));
                value(out, &memory.bytes(), true);
            }
        }
        ffi::GEN_IPADD => {
            let bytes = string(text);
            out.push_str("IP Address:");
            if let Ok(four) = <[u8; 4]>::try_from(&bytes[..]) {
                let _ = write!(out, "{}", Ipv4Addr::from(four));
            } else if let Ok(sixteen) = <[u8; 16]>::try_from(&bytes[..]) {
                let words = Ipv6Addr::from(sixteen).segments().map(|word| format!("{word:X}"));
                out.push_str(&words.join(":"));
            } else {
                let _ = write!(out, "<invalid length={}>", bytes.len());
            }
        }
        ffi::GEN_RID => {
            out.push_str("Registered ID:");
            out.push_str(&object(number, true).unwrap_or_default());
        }
        ffi::GEN_OTHERNAME => out.push_str("othername:<unsupported>"),
        ffi::GEN_X400 => out.push_str("X400Name:<unsupported>"),
        ffi::GEN_EDIPARTY => out.push_str("EdiPartyName:<unsupported>"),
        _ => out.push_str("<unsupported>"),
    }
}

/// A number in hexadecimal digits.
pub(super) fn digits(number: *const ffi::BIGNUM) -> Option<String> {
    if number.is_null() { None } else { taken_text(ssl!(BN_bn2hex(number))) }
}
