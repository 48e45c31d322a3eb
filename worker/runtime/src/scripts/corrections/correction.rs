//! The form of a correction.

/// A few lines of a script, and their replacement.
pub(crate) struct Correction {
    pub(crate) script: &'static str,
    /// What is wrong, with a reference to the standard.
    pub(super) why: &'static str,
    /// The text to replace. It occurs in the script exactly once.
    pub(super) passage: &'static str,
    pub(super) instead: &'static str,
}
