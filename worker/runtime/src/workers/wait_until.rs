//! `waitUntil`: work that keeps the worker after the answer.

use deno_core::{OpState, op2};

use crate::requests::in_flight::in_flight;

/// Work begins that `waitUntil` keeps the worker alive for. Returns the number with which it ends.
#[op2(fast)]
pub(crate) fn op_background_begin(state: &OpState, #[smi] request: u32) -> u32 {
    in_flight(state).begin_background(request)
}

/// That work is done.
#[op2(fast)]
pub(crate) fn op_background_end(state: &OpState, number: u32) {
    in_flight(state).end_background(number);
}
