//! The types of the control API, and its client. What is public here is a stable interface; the rest of the crate is not.

pub mod changes;
pub mod client;
pub mod crash;
pub mod deploys;
pub mod schedule;
pub mod status;
pub mod usage;

pub use crate::model::change_error::ErrorKind;
pub use crate::model::kind::Kind;
pub use crate::model::run_outcome::RunOutcome;
pub use crate::model::state::AppState;
