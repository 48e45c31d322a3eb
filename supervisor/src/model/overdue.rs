//! The reasons for which the supervisor closes a client's connection.

use strum::VariantArray;

/// Why the periodic sweep closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub(crate) enum Overdue {
    /// It was idle for too long.
    Idle,
    /// Its request head took too long.
    Head,
    /// The client did not read its response, or too slowly.
    Stalled,
    /// It had no request in flight, and its place was needed for another connection.
    Shed,
    /// It sent too many frames that request nothing.
    Flood,
}

impl Overdue {
    /// Returns the name that metrics have for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Head => "head",
            Self::Stalled => "stalled",
            Self::Shed => "shed",
            Self::Flood => "flood",
        }
    }
}
