//! The size limits of what is read, in one place. The bounds of each setting stand with its declaration.

use nano_protocol::limits;

use crate::assets::bucket::LONGEST_MANIFEST;

/// Longest configuration file, in bytes.
pub(crate) const CONFIG_FILE: u64 = 4 << 20;
/// Longest package.json or wrangler file looked at, in bytes.
pub(crate) const APP_FILE: u64 = 1 << 20;
/// Longest env of an app, names and JSON texts together, in bytes. It is sent to the worker in one frame.
pub(crate) const ENV: usize = 512 * 1024;
/// Longest file of variables, in bytes.
pub(crate) const ENV_FILE: u64 = 1 << 20;
/// Longest secret, in bytes.
pub(crate) const SECRET_FILE: u64 = ENV as u64;
/// What each variable counts in addition to its name and JSON text: their two lengths in the protocol.
pub(crate) const ENV_ENTRY: usize = 16;
/// Deepest nesting of an env value.
pub(crate) const ENV_DEPTH: usize = 64;
/// Longest props of an app as JSON text, in bytes.
pub(crate) const PROPS: usize = 64 * 1024;
/// Longest `alias`, `define` and `rules` of an app together, in bytes.
pub(crate) const MODULES: usize = 128 * 1024;
/// Longest names and messages of the bindings that an app does not get, in bytes.
pub(crate) const MISSING: usize = 128 * 1024;
/// Longest names and paths of the files that are global variables, in bytes.
pub(crate) const BLOBS: usize = 48 * 1024;
/// Longest names of the bindings that an app can fetch from, in bytes.
pub(crate) const BINDINGS: usize = 16 * 1024;
/// Longest props of a service as JSON text, in bytes. They are part of the head of each request.
pub(crate) const SERVICE_PROPS: usize = 16 * 1024;
/// Most rules in one list of outbound destinations.
pub(crate) const NET_RULES: usize = 256;
/// Most crons of one app, as many as a paid account of Cloudflare may have.
pub(crate) const CRONS: usize = 250;
/// Longest host name, in bytes (RFC 1035).
pub(crate) const HOST: usize = 253;
/// Largest whole number that JavaScript represents exactly.
pub(crate) const ENV_INTEGER: u64 = (1 << 53) - 1;
/// Longest path and query of a health check, in bytes.
pub(crate) const HEALTH_PATH: usize = 1024;

/// The message that loads an app must fit into its frame: env, props, what its wrangler file says, the manifest of a Workers Site,
/// and rules, each with its lengths, and four paths, whose lengths the kernel limits.
const _: () = {
    let rules = 2 * NET_RULES * (HOST + 2 * ENV_ENTRY);
    let texts = ENV + PROPS + MODULES + MISSING + BLOBS + BINDINGS + LONGEST_MANIFEST;
    assert!(texts + rules + 4 * 4096 <= limits::MAX_LOAD);
};
