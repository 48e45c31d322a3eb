//! The codecs behind `node:zlib`: one step at a time, from one buffer into another.
//!
//! Strategy and memory level are not supported: they trade speed for size, and the data after decompression is the same.

use std::cell::RefCell;

use deno_core::op2;
use deno_error::JsErrorBox;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::native_memory::NativeMemory;

/// About how many bytes a stream holds with the largest window, which few streams do without.
const COMPRESSING: usize = 256 * 1024;
const DECOMPRESSING: usize = 40 * 1024;

/// Return codes of zlib's functions.
const STREAM_END: i32 = 1;
const NEED_DICTIONARY: i32 = 2;
const DATA_ERROR: i32 = -3;
const BUFFER_ERROR: i32 = -5;

/// The modes of the library, which numbers them from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Deflate,
    Inflate,
    Gzip,
    Gunzip,
    DeflateRaw,
    InflateRaw,
    /// `Gunzip` or `Inflate`, depending on the first byte.
    Unzip,
}

impl Mode {
    fn new(number: u32) -> Option<Self> {
        let modes = [
            Self::Deflate,
            Self::Inflate,
            Self::Gzip,
            Self::Gunzip,
            Self::DeflateRaw,
            Self::InflateRaw,
            Self::Unzip,
        ];
        modes.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
    }
}

enum Codec {
    Compress(Compress),
    Decompress(Decompress),
    /// No data has arrived yet, or the stream is closed.
    None,
}

struct Zlib {
    codec: Codec,
    mode: Mode,
    window_bits: u8,
    level: Compression,
    dictionary: Option<Vec<u8>>,
    /// Whether the data is gzip, and whether another gzip stream may follow the end of one (`members`).
    gunzip: bool,
    members: bool,
    error: &'static str,
    memory: NativeMemory,
}

/// The result of one step.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    read: usize,
    written: usize,
    code: i32,
}

impl Zlib {
    fn reset(&mut self) {
        let (bits, level) = (self.window_bits, self.level);
        self.gunzip = self.mode == Mode::Gunzip;
        self.codec = match self.mode {
            Mode::Deflate => Codec::Compress(Compress::new_with_window_bits(level, true, bits)),
            Mode::DeflateRaw => Codec::Compress(Compress::new_with_window_bits(level, false, bits)),
            Mode::Gzip => Codec::Compress(Compress::new_gzip(level, bits)),
            Mode::Inflate => Codec::Decompress(Decompress::new_with_window_bits(true, bits)),
            Mode::InflateRaw => Codec::Decompress(Decompress::new_with_window_bits(false, bits)),
            Mode::Gunzip => Codec::Decompress(Decompress::new_gzip(bits)),
            Mode::Unzip => Codec::None,
        };
        self.memory.set(match self.mode {
            Mode::Deflate | Mode::DeflateRaw | Mode::Gzip => COMPRESSING,
            Mode::Inflate | Mode::InflateRaw | Mode::Gunzip | Mode::Unzip => DECOMPRESSING,
        });
        // In the other modes, the data itself tells that a dictionary is needed.
        match (&mut self.codec, &self.dictionary) {
            (Codec::Compress(codec), Some(dictionary)) if self.mode != Mode::Gzip => {
                let _ = codec.set_dictionary(dictionary);
            }
            (Codec::Decompress(codec), Some(dictionary)) if self.mode == Mode::InflateRaw => {
                let _ = codec.set_dictionary(dictionary);
            }
            _ => {}
        }
    }

    fn step(&mut self, flush: u32, input: &[u8], output: &mut [u8]) -> Progress {
        if matches!(self.codec, Codec::None)
            && let Some(first) = input.first()
        {
            // The first byte of a gzip stream; no zlib stream begins with it.
            self.gunzip = *first == 0x1f;
            self.codec = Codec::Decompress(if self.gunzip {
                Decompress::new_gzip(self.window_bits)
            } else {
                Decompress::new_with_window_bits(true, self.window_bits)
            });
        }
        let step = match &mut self.codec {
            Codec::Compress(codec) => compress(codec, flush, input, output),
            Codec::Decompress(codec) => {
                let members = self.gunzip && self.members;
                decompress(codec, flush, input, output, self.dictionary.as_deref(), members, &mut self.error)
            }
            Codec::None => Progress::default(),
        };
        if step.code == BUFFER_ERROR || step.code == 0 {
            // A step without progress is an error only if the output had room for the rest.
            let cut = flush == FINISH && step.written < output.len();
            self.error = "unexpected end of file";
            return Progress { code: if cut { BUFFER_ERROR } else { 0 }, ..step };
        }
        step
    }
}

const FINISH: u32 = 4;

fn compress(codec: &mut Compress, flush: u32, input: &[u8], output: &mut [u8]) -> Progress {
    let flush = match flush {
        0 => FlushCompress::None,
        1 => FlushCompress::Partial,
        3 => FlushCompress::Full,
        FINISH => FlushCompress::Finish,
        _ => FlushCompress::Sync,
    };
    let (read, written) = (codec.total_in(), codec.total_out());
    let code = match codec.compress(input, output, flush) {
        Ok(Status::Ok) => 0,
        Ok(Status::BufError) => BUFFER_ERROR,
        Ok(Status::StreamEnd) => STREAM_END,
        Err(_) => DATA_ERROR,
    };
    Progress {
        read: (codec.total_in() - read) as usize,
        written: (codec.total_out() - written) as usize,
        code,
    }
}

fn decompress(
    codec: &mut Decompress,
    flush: u32,
    input: &[u8],
    output: &mut [u8],
    dictionary: Option<&[u8]>,
    members: bool,
    error: &mut &'static str,
) -> Progress {
    let flush = match flush {
        0 => FlushDecompress::None,
        FINISH => FlushDecompress::Finish,
        _ => FlushDecompress::Sync,
    };
    let mut step = Progress::default();
    loop {
        let (read, written) = (codec.total_in(), codec.total_out());
        let result = codec.decompress(&input[step.read..], &mut output[step.written..], flush);
        step.read += (codec.total_in() - read) as usize;
        step.written += (codec.total_out() - written) as usize;
        step.code = match result {
            Ok(Status::Ok) => 0,
            Ok(Status::BufError) => BUFFER_ERROR,
            Ok(Status::StreamEnd) => STREAM_END,
            Err(failed) if failed.needs_dictionary().is_some() => match dictionary {
                Some(dictionary) if codec.set_dictionary(dictionary).is_ok() => continue,
                Some(_) => {
                    *error = "Bad dictionary";
                    NEED_DICTIONARY
                }
                None => {
                    *error = "Missing dictionary";
                    NEED_DICTIONARY
                }
            },
            Err(failed) => {
                *error = known(failed.message().unwrap_or_default());
                DATA_ERROR
            }
        };
        let another =
            members && step.code == STREAM_END && input.get(step.read).is_some_and(|byte| *byte != 0);
        if !another {
            return step;
        }
        codec.reset(true);
    }
}

/// Returns the message as a static string; zlib has only these messages.
fn known(message: &str) -> &'static str {
    const MESSAGES: [&str; 15] = [
        "incorrect header check",
        "unknown compression method",
        "invalid window size",
        "unknown header flags set",
        "header crc mismatch",
        "invalid block type",
        "invalid stored block lengths",
        "too many length or distance symbols",
        "invalid code lengths set",
        "invalid bit length repeat",
        "invalid literal/length code",
        "invalid distance code",
        "invalid distance too far back",
        "incorrect data check",
        "incorrect length check",
    ];
    MESSAGES.into_iter().find(|known| *known == message).unwrap_or("invalid data")
}

/// A zlib stream, owned by JavaScript.
pub(crate) struct ZlibStream(RefCell<Zlib>);

untraced!(ZlibStream, c"ZlibStream");

fn level(level: i32) -> Compression {
    u32::try_from(level).map_or_else(|_| Compression::default(), |level| Compression::new(level.min(9)))
}

#[op2]
#[cppgc]
pub(crate) fn op_zlib_open(
    #[smi] mode: u32,
    #[smi] window_bits: u32,
    #[smi] compression: i32,
    #[buffer] dictionary: Option<&[u8]>,
) -> Result<ZlibStream, JsErrorBox> {
    let mode = Mode::new(mode).ok_or_else(|| JsErrorBox::type_error("unknown mode"))?;
    // Zero means the window size in the data's header, and zlib itself does not support eight. The largest window reads all data.
    let window_bits = match window_bits {
        9..=15 => window_bits as u8,
        8 => 9,
        _ => 15,
    };
    let mut state = Zlib {
        codec: Codec::None,
        mode,
        window_bits,
        level: level(compression),
        dictionary: dictionary.map(<[u8]>::to_vec),
        gunzip: false,
        members: true,
        error: "",
        memory: NativeMemory::default(),
    };
    state.reset();
    Ok(ZlibStream(RefCell::new(state)))
}

/// Performs one step. Writes to `left` how much output room and how much input is left. Returns zlib's return code.
#[op2(fast)]
pub(crate) fn op_zlib_step(
    #[cppgc] stream: &ZlibStream,
    #[smi] flush: u32,
    #[buffer] input: &[u8],
    #[buffer] output: &mut [u8],
    #[buffer] left: &mut [u32],
) -> i32 {
    let step = stream.0.borrow_mut().step(flush, input, output);
    if let [room, rest, ..] = left {
        *room = (output.len() - step.written) as u32;
        *rest = (input.len() - step.read) as u32;
    }
    step.code
}

/// Returns the error message of the last step.
#[op2]
#[string]
pub(crate) fn op_zlib_error(#[cppgc] stream: &ZlibStream) -> &'static str {
    stream.0.borrow().error
}

/// Resets the stream to its initial state.
#[op2(fast)]
pub(crate) fn op_zlib_reset(#[cppgc] stream: &ZlibStream) {
    stream.0.borrow_mut().reset();
}

/// Frees the memory of the stream early: it is large.
#[op2(fast)]
pub(crate) fn op_zlib_close(#[cppgc] stream: &ZlibStream) {
    let mut state = stream.0.borrow_mut();
    state.codec = Codec::None;
    state.memory.set(0);
}

/// Changes the compression level for the following data.
#[op2(fast)]
pub(crate) fn op_zlib_level(#[cppgc] stream: &ZlibStream, #[smi] compression: i32) {
    let mut state = stream.0.borrow_mut();
    state.level = level(compression);
    let new = state.level;
    if let Codec::Compress(codec) = &mut state.codec {
        // Fails only if data has not been flushed before, which the library does.
        let _ = codec.set_level(new);
    }
}

/// Sets whether a gzip stream may be followed by another.
#[op2(fast)]
pub(crate) fn op_zlib_members(#[cppgc] stream: &ZlibStream, members: bool) {
    stream.0.borrow_mut().members = members;
}

/// Returns the CRC-32 of the bytes, continued from `value`.
#[op2(fast)]
#[smi]
pub(crate) fn op_zlib_crc32(#[buffer] bytes: &[u8], #[number] value: u64) -> u32 {
    crc32(bytes, value as u32)
}

/// Returns the CRC-32 of a string as UTF-8, continued from `value`.
#[op2(fast)]
#[smi]
pub(crate) fn op_zlib_crc32_string(#[string] text: &str, #[number] value: u64) -> u32 {
    crc32(text.as_bytes(), value as u32)
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { value >> 1 ^ 0xedb8_8320 } else { value >> 1 };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
};

fn crc32(bytes: &[u8], value: u32) -> u32 {
    !bytes.iter().fold(!value, |crc, byte| CRC_TABLE[usize::from(crc as u8 ^ byte)] ^ crc >> 8)
}
