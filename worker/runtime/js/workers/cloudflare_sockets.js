// The module cloudflare:sockets. Drivers of databases import it before they use it, if at all.
(function () {
  const { loadExtScript } = __bootstrap.core;

  const connect = (address, options = undefined) => loadExtScript("ext:nano_net/socket.js").connect(address, options);
  return { connect };
})();
