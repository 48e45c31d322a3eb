//! APIs that are specific to Workers: requests and responses as an app sees them, and the additional classes.
//!
//! - [`request`], [`response`]: how the parts of a request reach JavaScript when they are accessed, and the ways to send a
//!   response; [`outgoing`]: bodies that are sent. [`scheduled`]: how a scheduled run ends; [`wait_until`]: work that continues
//!   after the response; [`socket`]: WebSockets of clients.
//! - [`console`], [`errors`]: log records, and how errors are reported.
//! - [`byte_pipe`], [`cache`], [`digest`], [`html_rewriter`]: the native part of `IdentityTransformStream`, `caches`,
//!   `DigestStream` and `HTMLRewriter`. [`blob`]: the bytes of a `Blob`.

pub(crate) mod blob;
pub(crate) mod byte_pipe;
pub(crate) mod cache;
pub(crate) mod console;
pub(crate) mod digest;
pub(crate) mod errors;
pub(crate) mod html_rewriter;
pub(crate) mod outgoing;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod scheduled;
pub(crate) mod socket;
pub(crate) mod wait_until;

use crate::requests::body;

deno_core::extension!(
    nano_workers,
    deps = [deno_webidl, deno_web, deno_fetch, deno_crypto],
    ops = [
        blob::op_blob_bytes,
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
        console::op_log,
        console::op_uncaught,
        digest::op_digest,
        digest::op_digest_finish,
        digest::op_digest_update,
        digest::op_timing_safe_equal,
        errors::op_compile_error,
        errors::op_describe_error,
        html_rewriter::ops::op_html_rewriter,
        html_rewriter::ops::op_html_rewriter_end,
        html_rewriter::ops::op_html_rewriter_step,
        html_rewriter::ops::op_html_rewriter_take,
        html_rewriter::ops::op_html_rewriter_write,
        html_rewriter::ops::op_html_selector,
        request::op_request_cancelled,
        request::op_request_cf,
        request::op_request_header,
        request::op_request_headers,
        request::op_request_method,
        request::op_request_url,
        response::op_fail_body,
        response::op_fail_call,
        response::op_fail_handler,
        response::op_fail_response,
        response::op_respond,
        response::op_respond_bytes,
        response::op_respond_bytes_with_headers,
        response::op_respond_encoded,
        response::op_respond_stream,
        response::op_respond_text,
        response::op_respond_text_with_headers,
        scheduled::op_scheduled_ended,
        socket::op_socket_accept,
        socket::op_socket_close,
        socket::op_socket_open,
        socket::op_socket_send_bytes,
        socket::op_socket_send_text,
        socket::op_socket_unsent,
        wait_until::op_background_begin,
        wait_until::op_background_end,
    ],
    lazy_loaded_js = [
        dir "js/workers",
        "app.js",
        "bindings.js",
        "bytes.js",
        "cache.js",
        "cache_policy.js",
        "call_bodies.js",
        "calls.js",
        "call_values.js",
        "cloudflare.js",
        "cloudflare_durable_objects.js",
        "cloudflare_email.js",
        "cloudflare_pipelines.js",
        "cloudflare_sockets.js",
        "cloudflare_workflows.js",
        "compatibility.js",
        "context.js",
        "crypto.js",
        "entrypoints.js",
        "fetcher.js",
        "global_events.js",
        "globals.js",
        "html_rewriter.js",
        "html_tokens.js",
        "identity_stream.js",
        "kv_namespace.js",
        "loopback.js",
        "loopback_fetch.js",
        "missing_binding.js",
        "provided.js",
        "reach.js",
        "request.js",
        "respond.js",
        "scheduled.js",
        "scheduler.js",
        "service_worker.js",
        "session.js",
        "session_parts.js",
        "stubs.js",
        "tracing.js",
        "websocket_pair.js",
    ],
    synthetic_esm = [
        // The loader knows them, and gives them to those who import them by their names without `nano:`.
        "nano:cloudflare:durable-objects" = "ext:nano_workers/cloudflare_durable_objects.js",
        "nano:cloudflare:email" = "ext:nano_workers/cloudflare_email.js",
        "nano:cloudflare:node" = "ext:workerd/cloudflare_node.js",
        "nano:cloudflare:pipelines" = "ext:nano_workers/cloudflare_pipelines.js",
        "nano:cloudflare:sockets" = "ext:nano_workers/cloudflare_sockets.js",
        "nano:cloudflare:workers" = "ext:nano_workers/cloudflare.js",
        "nano:cloudflare:workflows" = "ext:nano_workers/cloudflare_workflows.js",
        // Used by ES modules that import a CommonJS one; the loader lets nothing else import it.
        "nano:commonjs" = "ext:nano_node/commonjs.js",
    ],
);
