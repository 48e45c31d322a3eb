// deno_fetch asks deno_net for TLS client certificates, which apps here cannot set: this stands in for all of deno_net.
(function () {
  return { loadTlsKeyPair: () => null };
})();
