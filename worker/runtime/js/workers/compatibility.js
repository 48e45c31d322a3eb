// The global Cloudflare: the compatibility flags of Workers by which an app can tell what it finds.
(function () {
  const { core, primordials } = __bootstrap;
  const { ObjectDefineProperty, ObjectFreeze } = primordials;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  // Those of date 2026-11-01 that are true here. A flag that is not listed is undefined.
  const FLAGS = [
    "allow_custom_ports", "allow_eval_during_startup", "blob_standard_mime_type", "brotli_content_encoding",
    "crypto_preserve_public_exponent", "enable_global_performance_classes", "enable_navigator_language",
    "enable_nodejs_child_process_module", "enable_nodejs_cluster_module", "enable_nodejs_console_module",
    "enable_nodejs_dgram_module", "enable_nodejs_domain_module", "enable_nodejs_fs_module", "enable_nodejs_global_timers",
    "enable_nodejs_http2_module", "enable_nodejs_http_modules", "enable_nodejs_http_server_modules", "enable_nodejs_inspector_module",
    "enable_nodejs_os_module", "enable_nodejs_perf_hooks_module", "enable_nodejs_process_v2",
    "enable_nodejs_punycode_module", "enable_nodejs_readline_module", "enable_nodejs_repl_module",
    "enable_nodejs_sqlite_module", "enable_nodejs_stream_wrap_module", "enable_nodejs_trace_events_module", "enable_nodejs_tty_module",
    "enable_nodejs_v8_module", "enable_nodejs_vm_module", "enable_nodejs_wasi_module",
    "enable_nodejs_worker_threads_module", "enable_weak_ref", "expose_global_message_channel",
    "fetch_refuses_unknown_protocols", "fetch_standard_url", "fixup-transform-stream-backpressure",
    "formdata_parser_supports_files", "global_navigator", "http_headers_getsetcookie", "no_global_importscripts",
    "nodejs_compat", "nodejs_compat_populate_process_env", "nodejs_compat_v2", "response_redirect_url_standard",
    "set_event_target_this", "set_tostring_tag", "streams_byob_reader_detaches_buffer", "streams_enable_constructors",
    "strict_compression_checks", "strict_crypto_checks", "strip_authorization_on_cross_origin_redirect",
    "text_decoder_replace_surrogates", "transformstream_enable_standard_constructor", "unique_ctx_per_invocation",
    "upper_case_all_http_methods", "url_standard", "urlpattern_standard", "urlsearchparams_delete_has_value_arg",
    "workers_api_getters_setters_on_prototype",
  ];

  class Cloudflare {
    constructor() {
      webidl.illegalConstructor();
    }
  }
  webidl.configureInterface(Cloudflare);

  const compatibilityFlags = { __proto__: null };
  for (let i = 0; i < FLAGS.length; i++) compatibilityFlags[FLAGS[i]] = true;
  const cloudflare = webidl.createBranded(Cloudflare);
  ObjectDefineProperty(cloudflare, "compatibilityFlags", {
    __proto__: null,
    configurable: true,
    enumerable: true,
    value: ObjectFreeze(compatibilityFlags),
    writable: false,
  });
  return { Cloudflare: cloudflare };
})();
