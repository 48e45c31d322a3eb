//! The Brotli codec behind `node:zlib`: one step at a time, from one buffer into another.

use std::cell::RefCell;
use std::rc::Rc;

use brotli::enc::encode::{BrotliEncoderOperation, BrotliEncoderParameter, BrotliEncoderStateStruct};
use brotli::enc::{Allocator, BrotliAlloc, SliceWrapper as _, StandardAlloc};
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};
use deno_core::op2;

use super::native_memory::NativeMemory;

/// What a step returns besides the number of an error, which is negative: the stream goes on, or it needs more input.
const GOES_ON: i32 = 0;
const NEEDS_INPUT: i32 = 1;
/// The encoder has no numbers for its errors.
const FAILED: i32 = -1;

/// A parameter that is not set.
const UNSET: u32 = u32::MAX;

/// The number of the parameter of a decoder by which it takes windows of more than 16 MiB, which are in no standard.
const LARGE_WINDOW: usize = 1;

/// Allocates the memory of one stream, and counts it.
#[derive(Clone, Default)]
struct CountingAllocator(Rc<NativeMemory>);

impl<T: Clone + Default> Allocator<T> for CountingAllocator {
    type AllocatedMemory = <StandardAlloc as Allocator<T>>::AllocatedMemory;

    fn alloc_cell(&mut self, length: usize) -> Self::AllocatedMemory {
        let memory: Self::AllocatedMemory = StandardAlloc::default().alloc_cell(length);
        self.0.add(size_of_val(memory.slice()));
        memory
    }

    fn free_cell(&mut self, memory: Self::AllocatedMemory) {
        self.0.subtract(size_of_val(memory.slice()));
    }
}

impl BrotliAlloc for CountingAllocator {}

type BrotliDecoder = BrotliState<CountingAllocator, CountingAllocator, CountingAllocator>;

enum BrotliCodec {
    Encoder(Box<BrotliEncoderStateStruct<CountingAllocator>>),
    Decoder(Box<BrotliDecoder>),
    /// The stream is closed.
    None,
}

impl BrotliCodec {
    /// `params` holds a value for each parameter by its number, or [`UNSET`].
    fn encoder(params: &[u32]) -> Self {
        use BrotliEncoderParameter::{
            BROTLI_PARAM_DISABLE_LITERAL_CONTEXT_MODELING, BROTLI_PARAM_LARGE_WINDOW, BROTLI_PARAM_LGBLOCK,
            BROTLI_PARAM_LGWIN, BROTLI_PARAM_MODE, BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT,
        };
        let known = [
            BROTLI_PARAM_MODE,
            BROTLI_PARAM_QUALITY,
            BROTLI_PARAM_LGWIN,
            BROTLI_PARAM_LGBLOCK,
            BROTLI_PARAM_DISABLE_LITERAL_CONTEXT_MODELING,
            BROTLI_PARAM_SIZE_HINT,
            BROTLI_PARAM_LARGE_WINDOW,
        ];
        let mut encoder = Box::new(BrotliEncoderStateStruct::new(CountingAllocator::default()));
        for (parameter, value) in known.into_iter().zip(params) {
            if *value != UNSET {
                // A value out of range is brought into it by the encoder.
                encoder.set_parameter(parameter, *value);
            }
        }
        Self::Encoder(encoder)
    }

    fn decoder(params: &[u32]) -> Self {
        let takes_large = params.get(LARGE_WINDOW).is_some_and(|value| ![0, UNSET].contains(value));
        let make = if takes_large { BrotliState::new } else { BrotliState::new_strict };
        let allocator = CountingAllocator::default();
        Self::Decoder(Box::new(make(allocator.clone(), allocator.clone(), allocator)))
    }

    /// Returns how much was read and written, and a code.
    fn step(&mut self, operation: u32, input: &[u8], output: &mut [u8]) -> (usize, usize, i32) {
        let (mut rest, mut room) = (input.len(), output.len());
        let (mut read, mut written) = (0, 0);
        let code = match self {
            Self::Encoder(encoder) => {
                let operation = match operation {
                    0 => BrotliEncoderOperation::BROTLI_OPERATION_PROCESS,
                    1 => BrotliEncoderOperation::BROTLI_OPERATION_FLUSH,
                    2 => BrotliEncoderOperation::BROTLI_OPERATION_FINISH,
                    _ => BrotliEncoderOperation::BROTLI_OPERATION_EMIT_METADATA,
                };
                let has_gone_on = encoder.compress_stream(
                    operation,
                    &mut rest,
                    input,
                    &mut read,
                    &mut room,
                    output,
                    &mut written,
                    &mut None,
                    &mut |_, _, _, _| (),
                );
                if has_gone_on { GOES_ON } else { FAILED }
            }
            Self::Decoder(decoder) => {
                let result = BrotliDecompressStream(
                    &mut rest,
                    &mut read,
                    input,
                    &mut room,
                    &mut written,
                    output,
                    &mut 0,
                    decoder,
                );
                match result {
                    BrotliResult::NeedsMoreInput => NEEDS_INPUT,
                    BrotliResult::NeedsMoreOutput | BrotliResult::ResultSuccess => GOES_ON,
                    BrotliResult::ResultFailure => decoder.error_code as i32,
                }
            }
            Self::None => GOES_ON,
        };
        (read, written, code)
    }
}

/// A Brotli stream, owned by JavaScript.
pub(crate) struct BrotliStream(RefCell<BrotliCodec>);

untraced!(BrotliStream, c"BrotliStream");

/// Creates a stream that compresses or decompresses with these parameters.
#[op2]
#[cppgc]
pub(crate) fn op_brotli_open(is_encoder: bool, #[buffer] params: &[u32]) -> BrotliStream {
    BrotliStream(RefCell::new(if is_encoder {
        BrotliCodec::encoder(params)
    } else {
        BrotliCodec::decoder(params)
    }))
}

/// Performs one step. Writes to `left` how much output room and how much input is left. Returns one of the codes above.
#[op2(fast)]
pub(crate) fn op_brotli_step(
    #[cppgc] stream: &BrotliStream,
    #[smi] operation: u32,
    #[buffer] input: &[u8],
    #[buffer] output: &mut [u8],
    #[buffer] left: &mut [u32],
) -> i32 {
    let (read, written, code) = stream.0.borrow_mut().step(operation, input, output);
    if let [room, rest, ..] = left {
        *room = (output.len() - written) as u32;
        *rest = (input.len() - read) as u32;
    }
    code
}

/// Frees the memory of the stream early: it is large.
#[op2(fast)]
pub(crate) fn op_brotli_close(#[cppgc] stream: &BrotliStream) {
    stream.0.replace(BrotliCodec::None);
}

/// Returns the name of the last error of a stream that decompresses, as Node.js has it in the code of an error.
#[op2]
#[string]
pub(crate) fn op_brotli_error(#[cppgc] stream: &BrotliStream) -> String {
    match &*stream.0.borrow() {
        BrotliCodec::Decoder(decoder) => {
            let name = format!("{:?}", decoder.error_code);
            format!("ERR_{}", name.strip_prefix("BROTLI_DECODER").unwrap_or(&name))
        }
        BrotliCodec::Encoder(_) | BrotliCodec::None => "ERR_BROTLI_COMPRESSION_FAILED".to_owned(),
    }
}
