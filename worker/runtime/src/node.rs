//! The `node:` modules: their names, and the native functions that their scripts call.
//!
//! The scripts are Node's library as published (`third_party/node`), so the ops have the names that it uses. Only ops that need
//! nothing from the host are implemented here. Scripts of ours replace the parts of the library that would need more.
//!
//! - [`brotli`], [`compression`], [`zstd`]: the codecs behind `node:zlib`; [`native_memory`]: how much memory they hold.
//! - [`bytes`]: byte and string operations for `Buffer`.
//! - [`commonjs`]: the loader behind `require()`.
//! - [`hash`], [`mod@derive`], [`secret`], [`crypto`]: the algorithms behind `node:crypto`.
//! - [`domain`]: host names and punycode.
//! - [`files`]: what the scripts of `node:fs` ask for: the modules of the app, and what a request keeps.
//! - [`objects`]: properties of objects and calls that JavaScript itself cannot see.

pub(crate) mod brotli;
pub(crate) mod bytes;
pub(crate) mod commonjs;
pub(crate) mod compression;
pub(crate) mod crypto;
pub(crate) mod derive;
pub(crate) mod domain;
pub(crate) mod files;
pub(crate) mod hash;
pub(crate) mod native_memory;
pub(crate) mod objects;
pub(crate) mod secret;
pub(crate) mod zstd;

use std::borrow::Cow;

use deno_core::Extension;

macro_rules! modules {
    ($($name:literal)*) => {
        /// The modules that apps may import, each with the specifier of the script that returns its exports.
        pub const MODULES: &[(&str, &str)] = &[$((concat!("node:", $name), concat!("ext:nano_node/node:", $name))),*];

        /// The same, by the names that deno_core knows. They are not those that apps write: deno_core would take such a module
        /// for what an app writes, without asking the loader, which may know of something in its place.
        const SYNTHETIC: &[(&str, &str)] =
            &[$((concat!("nano:node:", $name), concat!("ext:nano_node/node:", $name))),*];
    };
}

/// The modules, by the first part of their names, of which little or nothing works without a host.
pub const ABOUT_A_HOST: &[&str] = &[
    "_http_agent",
    "_http_client",
    "_http_common",
    "_http_incoming",
    "_http_outgoing",
    "_http_server",
    "_tls_common",
    "_tls_wrap",
    "child_process",
    "cluster",
    "dgram",
    "dns",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "net",
    "repl",
    "sqlite",
    "test",
    "tls",
    "trace_events",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
];

/// The modules that have no name without `node:`: packages may have it.
pub const ONLY_PREFIXED: &[&str] = &["node:sqlite", "node:test"];

modules!(
    "_http_agent" "_http_client" "_http_common" "_http_incoming" "_http_outgoing" "_http_server" "_stream_duplex"
    "_stream_passthrough" "_stream_readable" "_stream_transform" "_stream_wrap" "_stream_writable" "_tls_common" "_tls_wrap"
    "assert" "assert/strict" "async_hooks" "buffer" "child_process" "cluster" "console" "constants" "crypto" "dgram"
    "diagnostics_channel" "dns" "dns/promises" "domain" "events" "fs" "fs/promises" "http" "http2" "https" "inspector"
    "inspector/promises" "module" "net" "os" "path" "path/posix" "path/win32" "perf_hooks" "process" "punycode"
    "querystring" "readline" "readline/promises" "repl" "sqlite" "stream" "stream/consumers" "stream/promises" "stream/web"
    "string_decoder" "sys" "test" "timers" "timers/promises" "tls" "trace_events" "tty" "url" "util" "util/types" "v8" "vm"
    "wasi" "worker_threads" "zlib"
);

deno_core::extension!(
    deno_node,
    deps = [deno_web, deno_crypto, nano_workers],
    ops = [
        brotli::op_brotli_close,
        brotli::op_brotli_error,
        brotli::op_brotli_open,
        brotli::op_brotli_step,
        bytes::op_is_ascii,
        bytes::op_is_utf8,
        bytes::op_mark_as_untransferable,
        bytes::op_node_buffer_compare,
        bytes::op_node_buffer_compare_offset,
        bytes::op_node_encoding_slice,
        bytes::op_transcode,
        commonjs::op_require_bytes,
        commonjs::op_require_kind,
        commonjs::op_require_resolve,
        commonjs::op_require_text,
        commonjs::op_require_url,
        compression::op_zlib_close,
        compression::op_zlib_crc32,
        compression::op_zlib_crc32_string,
        compression::op_zlib_error,
        compression::op_zlib_level,
        compression::op_zlib_members,
        compression::op_zlib_open,
        compression::op_zlib_reset,
        compression::op_zlib_step,
        crypto::certificate::op_crypto_spkac_challenge,
        crypto::certificate::op_crypto_spkac_key,
        crypto::certificate::op_crypto_spkac_verify,
        crypto::certificate::op_crypto_x509,
        crypto::certificate::op_crypto_x509_contents,
        crypto::certificate::op_crypto_x509_has_key,
        crypto::certificate::op_crypto_x509_host,
        crypto::certificate::op_crypto_x509_is_for,
        crypto::certificate::op_crypto_x509_is_issued,
        crypto::certificate::op_crypto_x509_is_signed,
        crypto::certificate::op_crypto_x509_key,
        crypto::certificate::op_crypto_x509_key_contents,
        crypto::cipher::op_crypto_cipher,
        crypto::cipher::op_crypto_cipher_aad,
        crypto::cipher::op_crypto_cipher_final,
        crypto::cipher::op_crypto_cipher_get_tag,
        crypto::cipher::op_crypto_cipher_info,
        crypto::cipher::op_crypto_cipher_padding,
        crypto::cipher::op_crypto_cipher_set_tag,
        crypto::cipher::op_crypto_cipher_update,
        crypto::cipher::op_crypto_ciphers,
        crypto::exchange::op_crypto_dh,
        crypto::exchange::op_crypto_dh_checked,
        crypto::exchange::op_crypto_dh_compute,
        crypto::exchange::op_crypto_dh_generate,
        crypto::exchange::op_crypto_dh_group,
        crypto::exchange::op_crypto_dh_number,
        crypto::exchange::op_crypto_dh_set,
        crypto::exchange::op_crypto_dh_size,
        crypto::exchange::op_crypto_ecdh,
        crypto::exchange::op_crypto_ecdh_compute,
        crypto::exchange::op_crypto_ecdh_convert,
        crypto::exchange::op_crypto_ecdh_generate,
        crypto::exchange::op_crypto_ecdh_private,
        crypto::exchange::op_crypto_ecdh_public,
        crypto::exchange::op_crypto_ecdh_set,
        crypto::exchange::op_crypto_shared,
        crypto::key::op_crypto_key_algorithm,
        crypto::key::op_crypto_key_bytes,
        crypto::key::op_crypto_key_details,
        crypto::key::op_crypto_key_equals,
        crypto::key::op_crypto_key_public_half,
        crypto::key::op_crypto_key_secret,
        crypto::key::op_crypto_key_type,
        crypto::key_read::op_crypto_key_read_jwk,
        crypto::key_read::op_crypto_key_read_private,
        crypto::key_read::op_crypto_key_read_public,
        crypto::key_write::op_crypto_key_write,
        crypto::key_write::op_crypto_key_write_jwk,
        crypto::make::op_crypto_make,
        crypto::make::op_crypto_make_later,
        crypto::make::op_crypto_make_public,
        crypto::primes::op_crypto_is_prime,
        crypto::primes::op_crypto_is_prime_later,
        crypto::primes::op_crypto_prime,
        crypto::primes::op_crypto_prime_later,
        crypto::rsa::op_crypto_rsa,
        crypto::sign::op_crypto_sign,
        crypto::sign::op_crypto_sign_finish,
        crypto::sign::op_crypto_sign_start,
        crypto::sign::op_crypto_sign_update,
        crypto::sign::op_crypto_verify,
        crypto::sign::op_crypto_verify_finish,
        derive::op_node_hkdf,
        derive::op_node_hkdf_async,
        derive::op_node_pbkdf2,
        derive::op_node_pbkdf2_async,
        derive::op_node_pbkdf2_validate,
        derive::op_node_scrypt_async,
        derive::op_node_scrypt_sync,
        domain::op_node_idna_domain_to_ascii,
        domain::op_node_idna_domain_to_unicode,
        domain::op_node_idna_punycode_decode,
        domain::op_node_idna_punycode_encode,
        domain::op_node_idna_punycode_to_ascii,
        domain::op_node_idna_punycode_to_unicode,
        domain::op_node_idna_to_ascii,
        files::op_files_bundled,
        files::op_files_grow,
        files::op_files_keep,
        files::op_files_of,
        files::op_files_read,
        files::op_files_shrink,
        hash::op_node_create_hash,
        hash::op_node_get_hash_size,
        hash::op_node_get_hashes,
        hash::op_node_hash_clone,
        hash::op_node_hash_digest,
        hash::op_node_hash_digest_hex,
        hash::op_node_hash_update,
        hash::op_node_hash_update_str,
        native_memory::op_native_memory,
        objects::op_get_env_no_permission_check,
        objects::op_node_arch,
        objects::op_node_build_os,
        objects::op_node_call_is_from_dependency,
        objects::op_node_fs_constants,
        objects::op_node_get_own_non_index_properties,
        objects::op_node_new_async_id,
        secret::op_node_create_secret_key,
        secret::op_node_export_secret_key,
        secret::op_node_export_secret_key_b64url,
        secret::op_node_fill_random,
        secret::op_node_fill_random_async,
        secret::op_node_get_symmetric_key_size,
        secret::op_node_key_equals,
        secret::op_node_random_int,
        secret::op_node_timing_safe_equal,
        zstd::op_zstd_close,
        zstd::op_zstd_error,
        zstd::op_zstd_open,
        zstd::op_zstd_step,
    ],
    lazy_loaded_js = [
        dir "js/node",
        "ext:nano_node/absent.js" = "absent.js",
        "ext:nano_node/builtins.js" = "builtins.js",
        "ext:nano_node/commonjs.js" = "commonjs.js",
        "ext:nano_node/console.js" = "console.js",
        "ext:nano_node/crypto.js" = "crypto.js",
        "ext:nano_node/crypto_digests.js" = "crypto_digests.js",
        "ext:nano_node/crypto_host.js" = "crypto_host.js",
        "ext:nano_node/dns_host.js" = "dns_host.js",
        "ext:nano_node/domain.js" = "domain.js",
        "ext:nano_node/files.js" = "files.js",
        "ext:nano_node/files_change.js" = "files_change.js",
        "ext:nano_node/files_copy.js" = "files_copy.js",
        "ext:nano_node/files_devices.js" = "files_devices.js",
        "ext:nano_node/files_open.js" = "files_open.js",
        "ext:nano_node/hostless.js" = "hostless.js",
        "ext:nano_node/hostless_net.js" = "hostless_net.js",
        "ext:nano_node/module.js" = "module.js",
        "ext:nano_node/perf_hooks.js" = "perf_hooks.js",
        "ext:nano_node/process.js" = "process.js",
        "ext:nano_node/process_host.js" = "process_host.js",
        "ext:nano_node/stdio.js" = "stdio.js",
        "ext:nano_node/timers.js" = "timers.js",
        "ext:nano_node/tty.js" = "tty.js",
        "ext:nano_node/util.js" = "util.js",
        "ext:nano_node/workerd_host.js" = "workerd_host.js",
        "ext:deno_io/12_io.js" = "terminal.js",
        "ext:deno_node/_process/process.ts" = "next_tick.js",
        "ext:deno_node/_zlib_binding.mjs" = "zlib_binding.js",
        "ext:deno_node/internal/errors/error_source.ts" = "error_source.js",
        "ext:deno_node/internal/options.ts" = "options.js",
        "ext:deno_node/os.ts" = "os.js",
        "ext:deno_node/readline/promises.ts" = "readline_promises.js",
    ],
    state = |state| state.put(objects::LastAsyncId::default()),
);

/// Returns the extension with everything behind `node:` modules.
pub(crate) fn extension() -> Extension {
    let mut extension = deno_node::init();
    extension.synthetic_esm_modules = Cow::Borrowed(SYNTHETIC);
    extension
}
