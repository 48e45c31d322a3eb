// The module cloudflare:node, which serves requests by servers of node:http. There are none.
(function () {
  const { Error, SafeArrayIterator } = __bootstrap.primordials;

  const exports = {};
  const names = ["connectHandler", "handleAsNodeConnection", "handleAsNodeRequest", "httpServerHandler"];
  for (const name of new SafeArrayIterator(names)) {
    exports[name] = () => {
      throw new Error(
        `${name}() of cloudflare:node is not available: requests come to the fetch handler of \`export default { fetch }\``,
      );
    };
  }
  return exports;
})();
