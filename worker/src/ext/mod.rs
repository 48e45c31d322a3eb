//! The JavaScript side of a worker: the extensions, our own ops, and the requests they answer.
//!
//! Compiled twice: into the worker, and into its build script, which makes the startup snapshot. Extensions and ops
//! must be the same in both, and in the same order, so both take them from [`extensions`].
//!
//! - [`in_flight`]: the requests that JavaScript may ask about, by id; [`background`]: what `waitUntil` keeps the worker for.
//! - [`request_ops`], [`request_head`], [`body`]: what crosses into JavaScript when a request is touched.
//! - [`response_ops`]: the ways a response leaves.
//! - [`outgoing`]: bodies that leave; [`coding`]: what is known of compression.
//! - [`log_ops`]: console and uncaught errors.
//! - [`error_ops`], [`error_report`], [`error_hints`]: what is said of an error.
//! - [`commonjs_ops`]: what `require()` needs from the loader.
//! - [`crypto`]: what deno_crypto leaves out; [`turns`]: the threads for work that keeps one busy.
//! - [`net`]: what an app reaches outside of its process.
//! - [`node`]: modules of Node.
//! - [`web`]: the web platform's own extension, with [`url`].
//! - [`byte_pipe`], [`cache`], [`digest`], [`html_rewriter`]: what is behind the extras of Workers.

pub mod background;
pub mod body;
pub mod byte_pipe;
pub mod cache;
pub mod coding;
pub mod commonjs_ops;
pub mod crypto;
pub mod digest;
pub mod error_hints;
pub mod error_ops;
pub mod error_report;
pub mod html_rewriter;
pub mod in_flight;
pub mod log_ops;
pub mod net;
pub mod node;
pub mod outgoing;
pub mod request_head;
pub mod request_ops;
pub mod response_ops;
pub mod turns;
pub mod url;
pub mod web;

use deno_core::Extension;

deno_core::extension!(deno_net, lazy_loaded_js = [dir "src/ext/js", "ext:deno_net/02_tls.js" = "tls_stub.js"]);

deno_core::extension!(
    nano_worker,
    deps = [deno_webidl, deno_web, deno_fetch, deno_crypto],
    ops = [
        body::op_request_body,
        body::op_request_body_take,
        body::op_request_body_take_text,
        body::op_request_has_body,
        byte_pipe::op_byte_pipe,
        byte_pipe::op_byte_pipe_abort,
        byte_pipe::op_byte_pipe_close,
        byte_pipe::op_byte_pipe_reader,
        byte_pipe::op_byte_pipe_write,
        cache::op_cache_body,
        cache::op_cache_delete,
        cache::op_cache_incoming,
        cache::op_cache_match,
        cache::op_cache_put,
        cache::op_cache_take_in,
        cache::op_cache_take_in_bytes,
        commonjs_ops::op_require_bytes,
        commonjs_ops::op_require_kind,
        commonjs_ops::op_require_resolve,
        commonjs_ops::op_require_text,
        commonjs_ops::op_require_url,
        digest::op_digest,
        digest::op_digest_finish,
        digest::op_digest_update,
        digest::op_timing_safe_equal,
        error_ops::op_compile_error,
        error_ops::op_describe_error,
        html_rewriter::op_html_rewriter,
        html_rewriter::op_html_rewriter_end,
        html_rewriter::op_html_rewriter_step,
        html_rewriter::op_html_rewriter_take,
        html_rewriter::op_html_rewriter_write,
        html_rewriter::op_html_selector,
        log_ops::op_background_begin,
        log_ops::op_background_end,
        log_ops::op_log,
        log_ops::op_uncaught,
        net::coded_body::op_body_fork,
        net::coded_body::op_body_move,
        request_ops::op_request_cancelled,
        request_ops::op_request_header,
        request_ops::op_request_cf,
        request_ops::op_request_headers,
        request_ops::op_request_method,
        request_ops::op_request_url,
        response_ops::op_fail,
        response_ops::op_respond,
        response_ops::op_respond_bytes,
        response_ops::op_respond_bytes_with_headers,
        response_ops::op_respond_encoded,
        response_ops::op_respond_stream,
        response_ops::op_respond_text,
        response_ops::op_respond_text_with_headers,
    ],
    lazy_loaded_js = [
        dir "src/ext/js",
        "app.js",
        "blob_urls.js",
        "body_streams.js",
        "commonjs.js",
        "context.js",
        "error_classes.js",
        "fetch.js",
        "form_data.js",
        "global_events.js",
        "globals.js",
        "integrity.js",
        "multipart.js",
        "request.js",
        "request_init.js",
        "respond.js",
        "workers/bytes.js",
        "workers/cache.js",
        "workers/cache_policy.js",
        "workers/cloudflare.js",
        "workers/crypto.js",
        "workers/html_rewriter.js",
        "workers/html_tokens.js",
        "workers/identity_stream.js",
        "workers/scheduler.js",
    ],
    synthetic_esm = [
        "cloudflare:workers" = "ext:nano_worker/workers/cloudflare.js",
        // By what an ES module gets at a CommonJS one; the loader lets nothing else import it.
        "nano:commonjs" = "ext:nano_worker/commonjs.js",
    ],
);

/// Every extension of a worker, in the one order that snapshot and worker share.
pub fn extensions() -> Vec<Extension> {
    let [deno_web, nano_web] = web::extensions();
    vec![
        deno_webidl::deno_webidl::init(),
        deno_web,
        nano_web,
        deno_net::init(),
        net::fetch_extension(),
        deno_crypto::deno_crypto::init(None),
        crypto::nano_crypto::init(),
        net::nano_net::init(),
        nano_worker::init(),
        node::extension(),
    ]
}
