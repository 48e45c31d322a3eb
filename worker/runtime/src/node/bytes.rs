//! Byte and string operations for `Buffer`.

use deno_core::convert::Uint8Array;
use deno_core::{op2, v8};
use deno_error::JsErrorBox;

/// Returns whether all bytes are below 128.
#[op2(fast)]
pub(crate) fn op_is_ascii(#[buffer] bytes: &[u8]) -> bool {
    bytes.is_ascii()
}

/// Returns whether the bytes are well-formed UTF-8.
#[op2(fast)]
pub(crate) fn op_is_utf8(#[buffer] bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok()
}

/// Prevents an `ArrayBuffer` from being detached: the pool that small buffers share.
#[op2(fast)]
pub(crate) fn op_mark_as_untransferable(
    scope: &mut v8::PinScope<'_, '_>,
    buffer: v8::Local<v8::ArrayBuffer>,
) {
    if let Some(key) = v8::String::new(scope, "untransferable") {
        buffer.set_detach_key(key.into());
    }
}

/// Compares the bytes. Returns -1, 0 or 1.
#[op2(fast)]
#[smi]
pub(crate) fn op_node_buffer_compare(#[buffer] a: &[u8], #[buffer] b: &[u8]) -> i32 {
    a.cmp(b) as i32
}

/// Compares a part of each buffer. Returns -1, 0 or 1.
#[op2(fast)]
#[smi]
pub(crate) fn op_node_buffer_compare_offset(
    #[buffer] source: &[u8],
    #[buffer] target: &[u8],
    #[smi] source_start: usize,
    #[smi] target_start: usize,
    #[smi] source_end: usize,
    #[smi] target_end: usize,
) -> Result<i32, JsErrorBox> {
    let part =
        |bytes: &'static str| JsErrorBox::range_error(format!("The range of the {bytes} is out of range."));
    let source = source.get(source_start..source_end).ok_or_else(|| part("source"))?;
    let target = target.get(target_start..target_end).ok_or_else(|| part("target"))?;
    Ok(source.cmp(target) as i32)
}

/// Decodes a part of the bytes. Encodings are 0: UTF-8, 1: Latin-1, 2: ASCII, 3: UTF-16, little-endian.
#[op2(reentrant)]
pub(crate) fn op_node_encoding_slice<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    view: v8::Local<v8::ArrayBufferView>,
    start: v8::Local<v8::Value>,
    end: v8::Local<v8::Value>,
    encoding: u8,
) -> Result<v8::Local<'s, v8::String>, JsErrorBox> {
    let start = index(scope, start, 0)?;
    let end = index(scope, end, view.byte_length())?.max(start);
    let mut storage = [0; v8::TYPED_ARRAY_MAX_SIZE_IN_HEAP];
    let bytes = view.get_contents(&mut storage);
    let bytes = bytes.get(start..end).ok_or_else(out_of_range)?;
    let normal = v8::NewStringType::Normal;
    let string = match encoding {
        0 if bytes.is_ascii() => v8::String::new_from_one_byte(scope, bytes, normal),
        // For malformed input, V8 inserts other replacement characters than the Encoding Standard and Node.
        0 => v8::String::new_from_utf8(scope, String::from_utf8_lossy(bytes).as_bytes(), normal),
        1 => v8::String::new_from_one_byte(scope, bytes, normal),
        2 => {
            let bytes: Vec<u8> = bytes.iter().map(|byte| byte & 0x7f).collect();
            v8::String::new_from_one_byte(scope, &bytes, normal)
        }
        _ => v8::String::new_from_two_byte(scope, &utf16(bytes), normal),
    };
    string.ok_or_else(|| {
        JsErrorBox::generic(format!(
            "Cannot create a string longer than {:#x} characters",
            v8::String::MAX_LENGTH
        ))
    })
}

/// Converts an index from JavaScript; returns `default` if there is none.
fn index(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<v8::Value>,
    default: usize,
) -> Result<usize, JsErrorBox> {
    if value.is_undefined() {
        return Ok(default);
    }
    let index = value.integer_value(scope).ok_or_else(|| JsErrorBox::type_error("Index is not a number"))?;
    usize::try_from(index).map_err(|_| out_of_range())
}

fn out_of_range() -> JsErrorBox {
    JsErrorBox::range_error("Index out of range")
}

fn utf16(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// Converts the bytes to another encoding. Characters that it cannot represent become question marks.
#[op2]
pub(crate) fn op_transcode(
    #[buffer] bytes: &[u8],
    #[string] from: &str,
    #[string] to: &str,
) -> Result<Uint8Array, JsErrorBox> {
    let text = match from {
        "utf8" => String::from_utf8_lossy(bytes).into_owned(),
        "latin1" | "ascii" => bytes.iter().map(|byte| char::from(*byte)).collect(),
        "utf16le" => String::from_utf16_lossy(&utf16(bytes)),
        _ => String::new(),
    };
    let narrow = |limit: u32| text.chars().map(|c| if (c as u32) < limit { c as u8 } else { b'?' }).collect();
    let bytes: Vec<u8> = match (from, to) {
        ("utf8", "ascii") => narrow(0x80),
        ("utf8", "latin1") => narrow(0x100),
        ("utf16le", "utf8") => text.into_bytes(),
        ("utf8" | "latin1" | "ascii", "utf16le") => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ => return Err(JsErrorBox::generic(format!("Unable to transcode Buffer {from}->{to}"))),
    };
    Ok(bytes.into())
}
