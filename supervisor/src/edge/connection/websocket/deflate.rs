//! Compresses messages of apps (RFC 7692). Each part of a message is compressed by itself, so that nothing is kept between two parts, nor
//! between two messages.

use std::cell::RefCell;

use flate2::{Compress, Compression, FlushCompress};

/// Messages shorter than this are sent as they are: they fit into one packet in any case.
pub(crate) const DEFLATE_FROM: usize = 1024;

/// How hard compression tries. It is done on an I/O thread.
const LEVEL: u32 = 3;

/// What the compression of a message ends with that is not sent (RFC 7692, 7.2.1).
const TAIL: usize = 4;

thread_local! {
    static STATE: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(LEVEL), false));
}

/// Compresses a part of a message, which refers to no more than `window` bytes before. What it returns follows what other parts became.
pub(crate) fn deflate(part: &[u8], window: usize, is_last: bool) -> Vec<u8> {
    let mut deflated = Vec::new();
    STATE.with_borrow_mut(|state| {
        for piece in part.chunks(window) {
            state.reset();
            // More than the worst case, so that it is flushed once.
            deflated.reserve(piece.len() + piece.len() / 4 + 64);
            // It fails only if it is used wrongly.
            let _ = state.compress_vec(piece, &mut deflated, FlushCompress::Sync);
        }
    });
    if is_last {
        match deflated.len().checked_sub(TAIL) {
            Some(length) => deflated.truncate(length),
            // An empty block.
            None => deflated.push(0),
        }
    }
    deflated
}

#[cfg(test)]
mod tests {
    use flate2::{Decompress, FlushDecompress};
    use proptest::prelude::*;

    use super::*;

    /// Inflates what parts became, with a window of this many bits.
    fn inflated(parts: &[Vec<u8>], bits: u8) -> Vec<u8> {
        let (mut state, mut found) = (Decompress::new_with_window_bits(false, bits), Vec::new());
        let input = [parts.concat(), vec![0, 0, 0xff, 0xff]].concat();
        found.reserve(1 << 20);
        state.decompress_vec(&input, &mut found, FlushDecompress::Sync).unwrap();
        assert_eq!(state.total_in(), input.len() as u64);
        found
    }

    proptest! {
        #[test]
        fn parts_that_are_compressed_by_themselves_are_one_message(
            parts in proptest::collection::vec(
                proptest::collection::vec(prop_oneof![9 => 97u8..101, 1 => any::<u8>()], 0..3000), 1..5,
            ),
            bits in 9u8..16,
        ) {
            let deflated: Vec<_> = parts
                .iter()
                .enumerate()
                .map(|(number, part)| deflate(part, 1 << bits, number + 1 == parts.len()))
                .collect();
            prop_assert_eq!(inflated(&deflated, bits), parts.concat());
        }
    }

    #[test]
    fn what_cannot_be_compressed_becomes_little_longer() {
        let mut random = 1u64;
        let noise = std::iter::repeat_with(|| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 56) as u8
        });
        let noise: Vec<u8> = noise.take(64 * 1024).collect();
        let deflated = deflate(&noise, 1 << 15, true);
        assert!(deflated.len() < noise.len() + 100, "{}", deflated.len());
        assert!(inflated(&[deflated], 15) == noise);
        assert!(deflate(&vec![b'a'; 64 * 1024], 1 << 15, true).len() < 1000);
    }
}
