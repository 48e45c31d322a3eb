//! What strangers have made, handled without harm: their text shown at terminals (`visible`), their folders read without
//! following symlinks (`beneath`).

pub(crate) mod beneath;
pub(crate) mod visible;
