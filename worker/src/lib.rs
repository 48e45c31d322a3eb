//! The worker process: one app in one V8 isolate, behind the protocol.
//!
//! # Layout
//! What an app sees is in the crate `nano_runtime`; here is what runs it.
//!
//! - `process`: a worker from its start to its end; `sandbox`: what confines it, and what ends it at once.
//! - `event_loop`: one thread, one tick: read frames, run JavaScript, write frames.
//! - `events`: what happens besides requests; `calls`: what is asked of the supervisor.
//! - `isolate`: V8 with the startup snapshot, before there is an app; `engine`: loads the app, calls its handler.
//! - `lazy_globals`: interfaces that load when the app first touches them.
//! - `loader`: modules from the app's folder, and never from outside it.
//! - `builtins`: modules that every app may import besides those of its folder.
//! - `load_error`: why an app does not load, with file, line, column and source line.
//! - `stack_trace`: what an app sees of the stack of an error.
//! - `guard`, `watchdog`, `heap`: what ends JavaScript that will not end by itself; `collections`: when V8 is to collect.
//! - `console`: log records on their way to the supervisor; `usage`: what the process uses.

mod builtins;
mod calls;
mod collections;
mod console;
mod cpu_time;
mod engine;
mod event_loop;
mod events;
mod guard;
mod heap;
mod isolate;
mod lazy_globals;
mod load_error;
mod loader;
mod process;
mod sandbox;
mod stack_trace;
mod usage;
mod watchdog;

pub use process::{WorkerArgs, run};
