//! No bytes can harm the decoder: a bounded run of what `cargo fuzz run decoder` does endlessly.

use nano_protocol::frame::{FrameHeader, HEADER_LEN, Kind};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use strum::VariantArray as _;

use crate::frames::{Sent, one_of_each, wire};
use crate::generated;
use crate::hostile;
use crate::seeds::{self, Seeds};

/// A change to valid bytes on their way.
#[derive(Debug, Clone)]
enum Mutation {
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    Truncate(Index),
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Flip(at, mask) => {
                let at = at.index(bytes.len());
                bytes[at] ^= mask;
            }
            Self::Insert(at, more) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, more.iter().copied());
            }
            Self::Remove(at, length) => {
                let at = at.index(bytes.len());
                bytes.drain(at..bytes.len().min(at + length));
            }
            Self::Repeat(at, length) => {
                let at = at.index(bytes.len());
                bytes.extend_from_within(at..bytes.len().min(at + length));
            }
            Self::Truncate(at) => bytes.truncate(at.index(bytes.len())),
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), 1..=u8::MAX).prop_map(|(at, mask)| Mutation::Flip(at, mask)),
        1 => (at(), vec(any::<u8>(), 1..16)).prop_map(|(at, more)| Mutation::Insert(at, more)),
        1 => (at(), 1..40_usize).prop_map(|(at, length)| Mutation::Remove(at, length)),
        1 => (at(), 1..400_usize).prop_map(|(at, length)| Mutation::Repeat(at, length)),
        1 => at().prop_map(Mutation::Truncate),
    ]
}

/// Generates a valid header followed by bytes that need not match it.
fn framed() -> impl Strategy<Value = Vec<u8>> {
    // Lengths and variants are more often small bytes than random ones.
    let byte = prop_oneof![3 => 0..6_u8, 1 => any::<u8>()];
    (prop::sample::select(Kind::VARIANTS), any::<bool>(), 1..4_u64, vec(byte, 0..80)).prop_map(
        |(kind, end, stream, mut payload)| {
            payload.truncate(kind.limit());
            let stream = if kind.is_stream() { stream } else { 0 };
            let header = FrameHeader { length: payload.len(), kind, end: end && kind.may_end(), stream };
            [&header.to_bytes()[..], &payload].concat()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..2000)) {
        hostile::decode(&bytes);
    }

    #[test]
    fn arbitrary_payloads_do_no_harm(seed in any::<u8>(), frames in vec(framed(), 0..12)) {
        hostile::decode(&[vec![seed], frames.concat()].concat());
    }

    #[test]
    fn valid_frames_that_were_tampered_with_do_no_harm(
        seed in any::<u8>(),
        frames in vec(generated::frame(), 1..8),
        mutations in vec(mutation(), 1..8),
    ) {
        let mut bytes = wire(&frames);
        mutations.iter().for_each(|mutation| mutation.apply(&mut bytes));
        bytes.insert(0, seed);
        hostile::decode(&bytes);
    }
}

#[test]
fn every_prefix_of_valid_frames_does_no_harm() {
    let bytes = [vec![9], wire(&one_of_each())].concat();
    for length in 0..=bytes.len() {
        hostile::decode(&bytes[..length]);
    }
}

#[test]
fn every_byte_of_every_header_may_have_every_value() {
    for frame in one_of_each() {
        let valid = [vec![3], wire(&[frame])].concat();
        for at in 1..=HEADER_LEN {
            for value in 0..=u8::MAX {
                let mut bytes = valid.clone();
                bytes[at] = value;
                hostile::decode(&bytes);
            }
        }
    }
}

/// Returns the seeds of the fuzzer with their names: one frame of each kind, and all of them. The first byte says in how long
/// pieces they arrive.
fn seeds() -> Seeds {
    let seed = |frames: &[Sent]| [vec![9], wire(frames)].concat();
    let all = one_of_each();
    let each = all.iter().enumerate();
    let each = each.map(|(number, frame)| (format!("{number:02}"), seed(std::slice::from_ref(frame))));
    each.chain([("all".to_owned(), seed(&all))]).collect()
}

#[test]
fn what_the_fuzzer_starts_from_does_no_harm_and_has_the_format_of_today() {
    assert!(seeds().len() > Kind::VARIANTS.len(), "one seed for each kind of frame");
    seeds::replay("decoder", seeds(), hostile::decode);
}

#[test]
#[ignore = "writes fuzz/seeds anew, after a change of the wire format"]
fn write_what_the_fuzzer_starts_from() {
    seeds::write("decoder", seeds());
}
