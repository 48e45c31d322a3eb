//! Safe handling of untrusted input: text shown at terminals (`visible`), folders read without following symlinks
//! (`beneath`).

pub(crate) mod beneath;
pub(crate) mod visible;
