//! Console output and uncaught errors.

use deno_core::{OpState, op2};
use nano_protocol::message::LogLevel;

use crate::requests::in_flight::in_flight;

/// The level of `console.trace` in deno_web, which logs a stack and then a separate line break.
const TRACE: u32 = 4;

/// Logs a line of the console. `level` is a level of `Console` in deno_web.
#[op2(fast)]
pub(crate) fn op_log(state: &OpState, #[smi] level: u32, #[string] message: String, #[smi] request: u32) {
    if level == TRACE && message == "\n" {
        return;
    }
    let level = match level {
        0 => LogLevel::Debug,
        1 | TRACE => LogLevel::Info,
        2 => LogLevel::Warn,
        _ => LogLevel::Error,
    };
    in_flight(state).log(level, request, message);
}

/// Logs an uncaught error outside a handler. `request` is the id of the request that the code ran for; zero for none.
#[op2(fast)]
pub(crate) fn op_uncaught(state: &OpState, #[string] message: String, #[smi] request: u32) {
    let in_flight = in_flight(state);
    in_flight.add_uncaught(request);
    in_flight.log(LogLevel::Error, request, message);
}
