//! The worker process: runs one app in one V8 isolate, and talks to the supervisor by `nano_protocol`.
//!
//! # Layout
//! The crate `nano_runtime` has the interfaces that an app sees; this crate runs the app.
//!
//! - `process`: the life of a worker from start to end; `sandbox`: confines the process, and ends it at once.
//! - `event_loop`: one thread; in every tick it reads frames, runs JavaScript and writes frames.
//! - `events`: requests and events from the supervisor; `calls`: calls to the supervisor; `stays`: those that keep connections open.
//! - `isolate`: V8 with the startup snapshot, before there is an app; `engine`: loads the app and calls its handler.
//! - `lazy_globals`: interfaces that load when the app first uses them.
//! - `loader`: loads modules from the app's folder, and never from outside it.
//! - `builtins`: modules that every app may import besides those of its folder.
//! - `load_error`: why an app does not load, with file, line, column and source line.
//! - `stack_trace`: the stack of an error as the app sees it.
//! - `guard`, `watchdog`, `cpu_time`, `heap`: interrupt JavaScript that exceeds a limit; `collections`: decides when V8 collects.
//! - `console`: sends log records to the supervisor; `usage`: memory and CPU time of the process.

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
mod service_worker;
mod stack_trace;
mod stays;
mod usage;
mod watchdog;

pub use process::{WorkerArgs, run};
