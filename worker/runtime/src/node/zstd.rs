//! The Zstandard codec behind `node:zlib`: one step at a time, from one buffer into another.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use ::zstd::zstd_safe::zstd_sys::ZSTD_EndDirective;
use ::zstd::zstd_safe::{
    CCtx, CParameter, DCtx, DParameter, InBuffer, OutBuffer, SafeResult, get_error_name,
};
use deno_core::op2;

use super::native_memory::NativeMemory;

/// What a step returns besides the number of an error, which is negative: the stream goes on, or it needs more input.
const GOES_ON: i32 = 0;
const NEEDS_INPUT: i32 = 1;
/// A frame is complete: there need be no more input.
const COMPLETE: i32 = 2;

/// A parameter that is not set.
const UNSET: u32 = u32::MAX;

/// The number of the parameter of a decoder for the largest window.
const WINDOW_LOG_MAX: usize = 100;

/// The number of the parameter of an encoder for the way it searches.
const STRATEGY: usize = 107;

/// The numbers of the parameters of an encoder for threads.
const THREADS: RangeInclusive<usize> = 400..=402;

enum ZstdCodec {
    Encoder(CCtx<'static>),
    Decoder(DCtx<'static>),
    /// The stream is closed.
    None,
}

/// The parameter of an encoder with this number; none if it is unknown.
fn parameter(number: usize, value: u32) -> Option<CParameter> {
    let signed = value.cast_signed();
    Some(match number {
        100 => CParameter::CompressionLevel(signed),
        101 => CParameter::WindowLog(value),
        102 => CParameter::HashLog(value),
        103 => CParameter::ChainLog(value),
        104 => CParameter::SearchLog(value),
        105 => CParameter::MinMatch(value),
        106 => CParameter::TargetLength(value),
        STRATEGY => CParameter::Strategy(strategy(value)?),
        160 => CParameter::EnableLongDistanceMatching(value == 1),
        161 => CParameter::LdmHashLog(value),
        162 => CParameter::LdmMinMatch(value),
        163 => CParameter::LdmBucketSizeLog(value),
        164 => CParameter::LdmHashRateLog(value),
        200 => CParameter::ContentSizeFlag(value != 0),
        201 => CParameter::ChecksumFlag(value != 0),
        202 => CParameter::DictIdFlag(value != 0),
        _ => return None,
    })
}

fn strategy(number: u32) -> Option<::zstd::zstd_safe::Strategy> {
    use ::zstd::zstd_safe::Strategy;
    Some(match number {
        1 => Strategy::ZSTD_fast,
        2 => Strategy::ZSTD_dfast,
        3 => Strategy::ZSTD_greedy,
        4 => Strategy::ZSTD_lazy,
        5 => Strategy::ZSTD_lazy2,
        6 => Strategy::ZSTD_btlazy2,
        7 => Strategy::ZSTD_btopt,
        8 => Strategy::ZSTD_btultra,
        9 => Strategy::ZSTD_btultra2,
        _ => return None,
    })
}

impl ZstdCodec {
    /// `params` holds a value for each parameter by its number, or [`UNSET`]. Returns nothing if one of them cannot be set.
    fn encoder(params: &[u32], size: Option<u64>) -> Option<Self> {
        let mut context = CCtx::try_create()?;
        for (number, value) in params.iter().enumerate().filter(|(_, value)| **value != UNSET) {
            // Zero is the default of a strategy. And all is done on one thread.
            if (number == STRATEGY && *value == 0) || THREADS.contains(&number) {
                continue;
            }
            context.set_parameter(parameter(number, *value)?).ok()?;
        }
        context.set_pledged_src_size(size).ok()?;
        Some(Self::Encoder(context))
    }

    fn decoder(params: &[u32]) -> Option<Self> {
        let mut context = DCtx::try_create()?;
        for (number, value) in params.iter().enumerate().filter(|(_, value)| **value != UNSET) {
            if number != WINDOW_LOG_MAX {
                return None;
            }
            context.set_parameter(DParameter::WindowLogMax(*value)).ok()?;
        }
        Some(Self::Decoder(context))
    }

    /// Returns how much was read and written, and the result.
    fn step(&mut self, operation: u32, input: &[u8], output: &mut [u8]) -> (usize, usize, SafeResult) {
        let (mut from, mut to) = (InBuffer::around(input), OutBuffer::around(output));
        let result = match self {
            Self::Encoder(context) => {
                let operation = match operation {
                    0 => ZSTD_EndDirective::ZSTD_e_continue,
                    1 => ZSTD_EndDirective::ZSTD_e_flush,
                    _ => ZSTD_EndDirective::ZSTD_e_end,
                };
                context.compress_stream2(&mut to, &mut from, operation)
            }
            Self::Decoder(context) => context.decompress_stream(&mut to, &mut from),
            Self::None => Ok(0),
        };
        (from.pos(), to.pos(), result)
    }

    /// The memory that it holds, in bytes.
    fn size(&self) -> usize {
        match self {
            Self::Encoder(context) => context.sizeof(),
            Self::Decoder(context) => context.sizeof(),
            Self::None => 0,
        }
    }
}

/// A stream, owned by JavaScript.
pub(crate) struct ZstdStream {
    codec: RefCell<ZstdCodec>,
    memory: NativeMemory,
}

untraced!(ZstdStream, c"ZstdStream");

/// Creates a stream that compresses or decompresses with these parameters, none if they cannot be set. `size` is that of what is
/// compressed, negative if it is not known.
#[op2]
#[cppgc]
pub(crate) fn op_zstd_open(
    is_encoder: bool,
    #[buffer] params: &[u32],
    #[number] size: i64,
) -> Option<ZstdStream> {
    let codec = if is_encoder {
        ZstdCodec::encoder(params, u64::try_from(size).ok())
    } else {
        ZstdCodec::decoder(params)
    }?;
    let memory = NativeMemory::of(codec.size());
    Some(ZstdStream { codec: RefCell::new(codec), memory })
}

/// Performs one step. Writes to `left` how much output room and how much input is left. Returns one of the codes above.
#[op2(fast)]
pub(crate) fn op_zstd_step(
    #[cppgc] stream: &ZstdStream,
    #[smi] operation: u32,
    #[buffer] input: &[u8],
    #[buffer] output: &mut [u8],
    #[buffer] left: &mut [u32],
) -> i32 {
    let mut codec = stream.codec.borrow_mut();
    let (read, written, result) = codec.step(operation, input, output);
    if let [room, rest, ..] = left {
        *room = (output.len() - written) as u32;
        *rest = (input.len() - read) as u32;
    }
    stream.memory.set(codec.size());
    match result {
        // What is returned says how much more a decoder would like to read.
        Ok(more) if more > 0 && written < output.len() => NEEDS_INPUT,
        Ok(0) => COMPLETE,
        Ok(_) => GOES_ON,
        // The number of an error is subtracted from zero.
        Err(code) => i32::try_from(code.cast_signed()).unwrap_or(-1),
    }
}

/// Frees the memory of the stream early: it is large.
#[op2(fast)]
pub(crate) fn op_zstd_close(#[cppgc] stream: &ZstdStream) {
    stream.codec.replace(ZstdCodec::None);
    stream.memory.set(0);
}

/// Returns what an error says, by the code of a step.
#[op2]
#[string]
pub(crate) fn op_zstd_error(#[smi] code: i32) -> &'static str {
    get_error_name((code as isize).cast_unsigned())
}
