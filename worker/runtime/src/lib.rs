//! The JavaScript surface of a worker: what an app sees, and the ops behind it.
//!
//! Linked twice: into the worker, and into the worker's build script, which makes the startup snapshot. Extensions and ops are
//! the same in both, and in the same order: both take them from here.
//!
//! # Layout
//! The scripts are in `js/`, in folders of the same names. Each of these imports only what stands above it:
//!
//! - `requests`: the requests that are under way, and what is done for each.
//! - `platform`: what the standards of the web ask for.
//! - `net`: what an app reaches outside of its process.
//! - `node`: modules of Node.
//! - `workers`: what is Workers' own; it begins with the request and ends with the response.
//! - [`scripts`]: the text of every script, of which those that are not ours are corrected.

mod net;
mod node;
mod platform;
mod requests;
pub mod scripts;
mod workers;

use deno_core::Extension;

pub use net::closed::Closed;
pub use net::network::Network;
pub use net::places::Counts;
pub use net::policy::Policy;
pub use node::MODULES as NODE_MODULES;
pub use node::commonjs::{RequireHost, RequiredKind};
pub use requests::in_flight::{InFlight, LogSink, running_request};
pub use requests::request::Request;
pub use requests::turns::{Turns, clock_of_this_thread, time_of};
pub use workers::errors::report::{AppFolder, excerpt, is_internal, report};

/// Every extension of a worker, in the one order that snapshot and worker share.
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
