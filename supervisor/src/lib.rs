//! The supervisor: keeps the app registry, owns every listening socket, runs no JavaScript.
//!
//! # Layout
//! Rooms, from the ground up. A room imports those above it in this list and none below it; `tests/layout.rs` holds that.
//!
//! - `model`: the values that every room speaks of; `untrusted`: what strangers have made, handled without harm.
//! - [`api`]: what operators and programs are told, and may ask; with [`cli`] all that is public.
//! - `config`: what to run; nothing behind it sees a raw flag.
//! - `telemetry`: logs, traces, counts, rates.
//! - `process`: a worker process: spawned, watched, ended.
//! - `edge`: the data plane, from socket to worker.
//! - `apps`: the control plane: which apps there are, and the life of each.
//! - `ops`: what operators see and change.
//! - `serve`: from start to end of a supervisor; [`cli`]: the command line.
//!
//! Invariant: this library never sees the JavaScript engine. Only `main.rs` names the worker crate.

pub mod api;
mod apps;
pub mod cli;
mod config;
mod edge;
mod model;
mod ops;
mod process;
mod serve;
mod telemetry;
mod untrusted;
