//! The worker process: one app in one V8 isolate, behind the protocol.
//!
//! # Layout
//! - [`process`]: what a worker does first (descriptors, parent-death signal) and how it ends.
//! - `event_loop`: one thread, one tick: read frames, run JavaScript, write frames.
//! - `isolate`: V8 with the startup snapshot, before there is an app; `engine`: loads the app, calls its handler.
//! - `lazy_globals`: interfaces that load when the app first touches them.
//! - `ext`: the JavaScript side: extensions, ops, requests in flight.
//! - `loader`: modules from the app's folder, and never from outside it.
//! - `builtins`: modules that every app may import besides those of its folder.
//! - `load_error`: why an app does not load, with file, line, column and source line.
//! - `stack_trace`: what an app sees of the stack of an error.
//! - `guard`, `watchdog`, `heap`: what ends JavaScript that will not end by itself; `collections`: when V8 is to collect.
//! - `console`: log records on their way to the supervisor.

mod builtins;
mod collections;
mod console;
mod cpu_time;
mod engine;
mod event_loop;
#[allow(unreachable_pub, reason = "shared with the build script, where it is a private module as well")]
mod ext;
mod guard;
mod heap;
mod isolate;
mod lazy_globals;
mod load_error;
mod loader;
pub mod process;
mod stack_trace;
mod watchdog;

pub use process::{WorkerArgs, run};
