//! Why connections are ended before their clients do that.

/// Why a connection is closed by the sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// It was idle for too long.
    Idle,
    /// Its request head took too long.
    Head,
    /// It did not take its answer, or too slowly.
    Stalled,
    /// Others needed its place, and it had nothing under way.
    Shed,
    /// It sent frame after frame that asks for nothing.
    Flood,
}

impl Overdue {
    /// All of them, in the order of their numbers (`as usize`), with their names in metrics.
    pub(crate) const ALL: [(Self, &str); 5] = [
        (Self::Idle, "idle"),
        (Self::Head, "head"),
        (Self::Stalled, "stalled"),
        (Self::Shed, "shed"),
        (Self::Flood, "flood"),
    ];
}
