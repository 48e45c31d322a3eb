//! The whole system, tested from outside: the real executable, real worker processes, real sockets, and real kills.
//!
//! - [`harness`]: starts supervisors, sends them requests over HTTP, inspects their processes.
//! - The other modules are named after a behaviour. Their test names state what they prove.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stderr, reason = "that is where a test tells its reader")]

mod harness;

mod access_log;
mod admin;
mod admin_guard;
mod answers;
mod as_on_workers;
mod assets;
mod bad_apps;
mod beside_workerd;
mod bodies;
mod caches;
mod cli;
mod conformance;
mod console;
mod container;
mod crash_cost;
mod crypto;
mod dashboard;
mod databases;
mod deploy;
mod deploy_refused;
mod dev;
mod development;
mod drain;
mod eager_streams;
mod encodings;
mod errors;
mod escapes;
mod event_source;
mod files;
mod finishing;
mod forwarded;
mod frameworks;
mod framing;
mod globals;
mod handlers;
mod hanging;
mod hosts;
mod html_rewriter;
mod html_streaming;
mod http;
mod init;
mod isolation;
mod kinds;
mod layout;
mod lengths;
mod libraries;
mod lifecycle;
mod limits;
mod log_files;
mod logs;
mod logs_blame;
mod logs_command;
mod modules;
mod node;
mod node_exports;
mod node_http;
mod npm_apps;
mod outbound;
mod packages;
mod pages;
mod process_env;
mod provided;
mod proxying;
mod reachable;
mod readiness;
mod readme;
mod reload;
mod repository;
mod request_url;
mod scheduled;
mod schema;
mod server_websockets;
mod services;
mod serving;
mod settings;
mod settings_env;
mod shares;
mod sites;
mod sockets;
mod status;
mod supervision;
mod systemd;
mod tooling;
mod traces;
mod typescript;
mod unread;
mod upgrade;
mod uploads;
mod webassembly;
mod websocket;
mod workers_api;
mod workers_surface;
mod workers_types;
mod wrangler;

pub(crate) use harness::{TestSupervisor, until, within};
