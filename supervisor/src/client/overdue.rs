//! Why connections are ended before their clients do that, and the limits of time that have it so.

/// Why a connection is closed by the sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
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
    pub const ALL: [(Self, &str); 5] = [
        (Self::Idle, "idle"),
        (Self::Head, "head"),
        (Self::Stalled, "stalled"),
        (Self::Shed, "shed"),
        (Self::Flood, "flood"),
    ];
}

/// Time limits of a connection, in ticks.
#[derive(Debug, Clone, Copy)]
pub struct TickLimits {
    /// Without a request.
    pub idle: u64,
    /// For one request head.
    pub head: u64,
    /// For which it may be behind with taking an answer.
    pub send: u64,
}
