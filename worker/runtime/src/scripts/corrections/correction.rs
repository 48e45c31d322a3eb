//! What a correction is.

/// A few lines of a script, and what stands there instead.
pub(crate) struct Correction {
    pub(crate) script: &'static str,
    /// What is wrong, and where the standard says so.
    pub(super) why: &'static str,
    /// Occurs in the script exactly once.
    pub(super) passage: &'static str,
    pub(super) instead: &'static str,
}
