//! No peer can harm an end: a bounded run of what `cargo fuzz run peer` does endlessly.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::frames::{one_of_each, wire};
use crate::hostile_peer::speak;
use crate::seeds::{self, Seeds};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn arbitrary_peers_do_no_harm(script in vec(any::<u8>(), 0..2000)) {
        speak(&script);
    }

    #[test]
    fn peers_that_use_few_streams_do_no_harm(
        side in any::<u8>(),
        // What happens, to which stream, and how. Small numbers make it more likely that steps affect the same stream.
        steps in vec((0..8_u8, any::<u8>(), 0..8_u8, any::<u8>()), 0..200),
    ) {
        let steps = steps.into_iter().flat_map(|(step, kind, stream, number)| [step, kind, stream, number]);
        let script: Vec<_> = std::iter::once(side).chain(steps).collect();
        speak(&script);
    }
}

/// Returns the seeds of the fuzzer with their names: a short conversation for each side, and each kind of frame after it.
fn seeds() -> Seeds {
    let mut seeds = Vec::new();
    for (side, name) in ["supervisor", "worker"].iter().enumerate() {
        let mut script = vec![side as u8];
        // Streams of this end, one of them answered. Streams of the peer: one answered, one upgraded, one failed.
        let (ours, theirs) = if side == 0 { (1, 2) } else { (2, 1) };
        let head = if side == 0 { 2 } else { 0 };
        script.extend([5, 0, 0, 1, 4, ours, 107, 1, 5, ours, 1, 6, 0, 9, 6, 0, 10]);
        for (number, action) in [(0, 6), (1, 5), (2, 3), (3, 2)] {
            script.extend([1, head, theirs + 2 * number, 16, 6, number + 1, action]);
            script.extend([1, 5, theirs + 2 * number, 3, 6, number + 1, 10, 6, number + 1, 7]);
        }
        script.extend([1, 9, theirs + 2, 0, 7]);
        for (number, frame) in one_of_each().iter().enumerate() {
            let bytes = wire(std::slice::from_ref(frame));
            let raw =
                [&script[..], &[0, bytes.len().min(255) as u8], &bytes[..bytes.len().min(255)]].concat();
            seeds.push((format!("{name}-{number:02}"), raw));
        }
        seeds.push(((*name).to_owned(), script));
    }
    seeds
}

#[test]
fn what_the_fuzzer_starts_from_does_no_harm_and_has_the_format_of_today() {
    seeds::replay("peer", seeds(), speak);
}

#[test]
#[ignore = "writes fuzz/seeds anew, after a change of the wire format"]
fn write_what_the_fuzzer_starts_from() {
    seeds::write("peer", seeds());
}
