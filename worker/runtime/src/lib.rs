//! The JavaScript environment of a worker: the APIs that an app sees, and the ops behind them.
//!
//! This crate is linked twice: into the worker, and into the worker's build script, which makes the startup snapshot. Both need
//! the same extensions and ops in the same order, so both take them from here.
//!
//! # Layout
//! The scripts are in `js/`, in folders of the same names. Each of these modules imports only from those above it:
//!
//! - `untraced`: Rust values that JavaScript owns.
//! - `requests`: the requests in flight, and the state and work of each.
//! - `platform`: APIs of the web standards.
//! - `net`: outbound network access.
//! - `node`: Node.js modules.
//! - `workers`: APIs that are specific to Workers, from reading the request to sending the response.
//! - [`scripts`]: the source text of every script; third-party scripts are corrected.

#[macro_use]
mod untraced;

mod net;
mod node;
mod platform;
mod requests;
pub mod scripts;
mod workers;

use deno_core::Extension;

pub use net::bindings::Bindings;
pub use net::closed::Closed;
pub use net::network::Network;
pub use net::places::Counts;
pub use net::policy::Policy;
pub use net::session_limits::SessionLimit;
pub use net::socket_share::SocketShare;
pub use node::commonjs::{RequireHost, RequiredKind};
pub use node::{ABOUT_A_HOST, MODULES as NODE_MODULES, ONLY_PREFIXED};
pub use requests::in_flight::{InFlight, LogSink, running_request};
pub use requests::request::Request;
pub use requests::sockets::{SocketEvent, Sockets};
pub use requests::turns::{Turns, clock_of_this_thread, time_of};
pub use workers::errors::report::{AppFolder, excerpt, is_internal, report};

/// Returns every extension of a worker, in the order that both the snapshot and the worker use.
pub fn extensions() -> Vec<Extension> {
    let [deno_web, nano_platform] = platform::extensions();
    vec![
        deno_webidl::deno_webidl::init(),
        deno_web,
        nano_platform,
        net::tls_extension(),
        net::fetch_extension(),
        deno_crypto::deno_crypto::init(None),
        platform::crypto::nano_crypto::init(),
        net::nano_net::init(),
        workers::nano_workers::init(),
        node::extension(),
    ]
}
