// The module cloudflare:sockets. It can be imported, as drivers of databases do, but an app has no sockets.
(function () {
  const { Error } = __bootstrap.primordials;

  function connect() {
    throw new Error("connect() of cloudflare:sockets is not available: an app opens connections with fetch()");
  }
  return { connect };
})();
