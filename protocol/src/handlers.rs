//! The handlers that an app exports.

use serde::{Deserialize, Serialize};

/// The handlers that an app exports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handlers(u8);

impl Handlers {
    /// The names of the handlers that are known, each with its bit: the first has the lowest.
    pub const NAMES: [&str; 6] = ["fetch", "scheduled", "queue", "email", "tail", "trace"];

    /// The handlers with these bits.
    pub fn of_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Returns whether there is a handler of this name.
    pub fn has(self, name: &str) -> bool {
        self.names().any(|found| found == name)
    }

    /// Returns the names of all handlers.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .into_iter()
            .enumerate()
            .filter(move |(bit, _)| self.0 & 1 << bit != 0)
            .map(|(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_is_a_name() {
        let all = Handlers::of_bits(u8::MAX);
        assert!(all.names().eq(Handlers::NAMES));
        let some = Handlers::of_bits(0b10);
        assert!(some.has("scheduled") && !some.has("fetch") && !some.has("nothing"));
        assert_eq!(Handlers::default().names().count(), 0);
    }
}
