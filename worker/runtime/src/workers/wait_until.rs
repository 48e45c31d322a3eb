//! `waitUntil`: work that keeps the worker alive after the response.

use deno_core::{OpState, op2};

use crate::requests::in_flight::in_flight;

/// Registers `waitUntil` work. Returns a number to pass to [`op_background_end`].
#[op2(fast)]
pub(crate) fn op_background_begin(state: &OpState, #[smi] request: u32) -> u32 {
    in_flight(state).begin_background(request)
}

/// Removes work that has settled.
#[op2(fast)]
pub(crate) fn op_background_end(state: &OpState, number: u32) {
    in_flight(state).end_background(number);
}
