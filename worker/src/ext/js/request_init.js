// The `duplex` member of RequestInit, which deno_fetch does not know: libraries find out by whether it is read if a request's
// body may be a stream. https://fetch.spec.whatwg.org/#dom-requestinit-duplex
(function () {
  const { core } = __bootstrap;
  const { converters, createEnumConverter } = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  core.loadExtScript("ext:deno_fetch/23_request.js");

  converters.RequestDuplex = createEnumConverter("RequestDuplex", ["half"]);
  const convert = converters.RequestInit;
  converters.RequestInit = (value, prefix, context, options) => {
    const init = convert(value, prefix, context, options);
    // Streams are taken without it as well: other server runtimes do not ask for it.
    const duplex = value?.duplex;
    if (duplex !== undefined) {
      converters.RequestDuplex(duplex, prefix, `'duplex' of 'RequestInit' (${context})`, options);
    }
    return init;
  };
  return {};
})();
