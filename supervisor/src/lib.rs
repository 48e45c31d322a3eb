//! The supervisor: keeps the app registry, owns every listening socket, runs no JavaScript.
//!
//! # Layout
//! The modules below are called rooms. Each imports only rooms above it in this list; `tests/layout.rs` enforces that.
//!
//! - `model`: values and pure rules that every room uses; `untrusted`: safe handling of text and folders made by others.
//! - `assets`: static files of apps, and the rules by which they are found.
//! - [`api`]: the types of the control API, and its client. Only this and [`cli`] are public.
//! - `config`: what to run. No other room sees a raw flag.
//! - `telemetry`: logs, traces, counters, rates.
//! - `process`: spawns, watches and kills worker processes.
//! - `edge`: the data plane, from a client's socket to a worker.
//! - `apps`: the control plane: which apps there are, and the lifecycle of each.
//! - `ops`: what operators see and change.
//! - `serve`: runs a supervisor from start to exit; [`cli`]: the command line.
//!
//! Invariant: this library never sees the JavaScript engine. Only `main.rs` names the worker crate.

pub mod api;
mod apps;
mod assets;
pub mod cli;
mod config;
mod edge;
mod model;
mod ops;
mod process;
mod serve;
mod telemetry;
mod untrusted;
