//! The configuration file while it is read. `section` finds fields and knows their lines; `value` and `quantity` convert values
//! to the types they stand for.

pub(crate) mod quantity;
pub(crate) mod section;
pub(crate) mod value;
