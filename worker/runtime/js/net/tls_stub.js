// Replaces all of deno_net. deno_fetch asks it for TLS client certificates, which apps cannot set here.
(function () {
  return { loadTlsKeyPair: () => null };
})();
