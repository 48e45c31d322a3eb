//! The supervisor: keeps the app registry, owns every listening socket, runs no JavaScript.
//!
//! # Layout
//! In the order of a start: [`cli`] and [`config`] decide what to run; [`serve`] runs it: [`fleet`] (all apps, changed as a
//! whole), [`sockets`] (what is bound, and for which apps), [`registry`] (what is known of each app), [`lifecycle`] (one app:
//! starts and replaces its workers, with [`restart`] and [`budget`] as policies and [`worker`] as the process), [`routes`] (what the main
//! thread tells the I/O threads).
//!
//! In the order of a request, all on one [`io_thread`]: [`listener`] accepts, [`crowd`] (all connections) lets in,
//! [`client`] watches the connection, [`proxy`] checks and forwards ([`host_name`]: by which host), [`upstream`] gives the
//! connection to the app's worker.
//!
//! Beside them: [`admin`] (health, [`metrics`] and dashboard over HTTP), [`monitor`] (rates), [`news`] (what has changed),
//! [`machine`] (what is in use of it), [`log`], [`traffic`] (what is counted),
//! [`shares`] (how much one client may hold of it), [`occupancy`] (what all connections hold),
//! [`descriptors`] (how many there are for them),
//! [`record`] (what is remembered of one request, for the access log and for [`traces`], with its [`trace_context`]),
//! [`crashes`] (what is left of workers), [`quarantine`] (which [`kind`]s of requests end them), [`probation`] (which let others go first for it), [`control`] and [`operator`] (what operators see and change), [`deploy`] (copies that
//! apps are served from), [`dev`] (watches files), [`init`], [`check`], [`orphans`] (PID 1), [`beneath`] (files without symlinks), [`visible`] (text of others, for
//! terminals).
//!
//! Invariant: this library never sees the JavaScript engine. Only `main.rs` names the worker crate.

pub mod admin;
pub mod beneath;
pub mod budget;
pub mod check;
pub mod cli;
pub mod client;
pub mod config;
pub mod control;
pub mod crashes;
pub mod crowd;
pub mod deploy;
pub mod descriptors;
pub mod dev;
pub mod fleet;
pub mod forwarded_for;
pub mod histogram;
pub mod host_name;
pub mod inherited;
pub mod init;
pub mod io_thread;
pub mod kind;
pub mod lifecycle;
pub mod listener;
pub mod log;
pub mod machine;
pub mod metrics;
pub mod monitor;
pub mod news;
pub mod notify;
pub mod occupancy;
pub mod operator;
pub mod orphans;
pub mod probation;
pub mod proxy;
pub mod quarantine;
pub mod record;
pub mod registry;
pub mod restart;
pub mod routes;
pub mod serve;
pub mod shares;
pub mod sockets;
pub mod status;
pub mod trace_context;
pub mod traces;
pub mod traffic;
pub mod upgrade;
pub mod upstream;
pub mod visible;
pub mod worker;
