// Modules of Node about networks that an app does not have: their names and numbers.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    RegExpPrototypeSymbolReplace,
    StringPrototypeReplaceAll,
    StringPrototypeSplit,
    StringPrototypeToUpperCase,
    Symbol,
  } = primordials;
  const load = core.loadExtScript;
  const { absent } = load("ext:nano_node/absent.js");

  const NO_SOCKETS = "an app opens connections with fetch(), or with connect() of node:net";
  const NO_HTTP = "requests come to the fetch handler of `export default { fetch }`, and go out with fetch()";

  const METHODS_OF_HTTP2 = "ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK MERGE MKACTIVITY " +
    "MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PRI PROPFIND PROPPATCH PUT REBIND REPORT " +
    "SEARCH TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL";

  /** The constants of the library, which has only those that it uses itself, with all methods and statuses. */
  function constantsOfHttp2() {
    const constants = { ...load("ext:deno_node/internal/http2/constants.ts") };
    const methods = StringPrototypeSplit(METHODS_OF_HTTP2, " ");
    for (let i = 0; i < methods.length; i++) {
      constants[`HTTP2_METHOD_${StringPrototypeReplaceAll(methods[i], "-", "_")}`] = methods[i];
    }
    const codes = load("ext:workerd/internal_http_constants.js").STATUS_CODES;
    for (const code in codes) {
      const name = code === "418" ? "TEAPOT" : StringPrototypeToUpperCase(RegExpPrototypeSymbolReplace(/[ -]/g, codes[code], "_"));
      constants[`HTTP_STATUS_${name}`] = +code;
    }
    return constants;
  }

  const http2 = () => ({
    ...absent("http2", NO_HTTP, {
      classes: ["Http2ServerRequest", "Http2ServerResponse"],
      functions: [
        "connect", "createSecureServer", "createServer", "getDefaultSettings", "getPackedSettings", "getUnpackedSettings",
        "performServerHandshake",
      ],
    }),
    constants: constantsOfHttp2(),
    sensitiveHeaders: Symbol("nodejs.http2.sensitiveHeaders"),
  });

  const streamWrap = () => absent("_stream_wrap", NO_SOCKETS, { classes: ["JSStreamSocket"] }).JSStreamSocket;

  const dgram = () => absent("dgram", NO_SOCKETS, { classes: ["Socket"], functions: ["createSocket"] });

  return { dgram, http2, streamWrap };
})();
