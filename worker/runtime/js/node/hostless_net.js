// Modules of Node about the network that an app does not have: their names, numbers and pure functions.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ObjectAssign,
    RegExpPrototypeSymbolReplace,
    RegExpPrototypeTest,
    StringPrototypeReplaceAll,
    StringPrototypeSlice,
    StringPrototypeSplit,
    StringPrototypeToUpperCase,
    Symbol,
  } = primordials;
  const load = core.loadExtScript;
  const { absent } = load("ext:nano_node/absent.js");

  const NO_SOCKETS = "an app opens connections with fetch(), or with connect() of node:net";
  const NO_HTTP = "requests come to the fetch handler of `export default { fetch }`, and go out with fetch()";

  const METHODS = StringPrototypeSplit(
    "ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY " +
      "OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK " +
      "UNLOCK UNSUBSCRIBE",
    " ",
  );

  const STATUSES = "100 Continue|101 Switching Protocols|102 Processing|103 Early Hints|200 OK|201 Created|202 Accepted|" +
    "203 Non-Authoritative Information|204 No Content|205 Reset Content|206 Partial Content|207 Multi-Status|" +
    "208 Already Reported|226 IM Used|300 Multiple Choices|301 Moved Permanently|302 Found|303 See Other|304 Not Modified|" +
    "305 Use Proxy|307 Temporary Redirect|308 Permanent Redirect|400 Bad Request|401 Unauthorized|402 Payment Required|" +
    "403 Forbidden|404 Not Found|405 Method Not Allowed|406 Not Acceptable|407 Proxy Authentication Required|" +
    "408 Request Timeout|409 Conflict|410 Gone|411 Length Required|412 Precondition Failed|413 Payload Too Large|" +
    "414 URI Too Long|415 Unsupported Media Type|416 Range Not Satisfiable|417 Expectation Failed|418 I'm a Teapot|" +
    "421 Misdirected Request|422 Unprocessable Entity|423 Locked|424 Failed Dependency|425 Too Early|426 Upgrade Required|" +
    "428 Precondition Required|429 Too Many Requests|431 Request Header Fields Too Large|451 Unavailable For Legal Reasons|" +
    "500 Internal Server Error|501 Not Implemented|502 Bad Gateway|503 Service Unavailable|504 Gateway Timeout|" +
    "505 HTTP Version Not Supported|506 Variant Also Negotiates|507 Insufficient Storage|508 Loop Detected|" +
    "509 Bandwidth Limit Exceeded|510 Not Extended|511 Network Authentication Required";

  function statusCodes() {
    const codes = {};
    const lines = StringPrototypeSplit(STATUSES, "|");
    for (let i = 0; i < lines.length; i++) codes[StringPrototypeSlice(lines[i], 0, 3)] = StringPrototypeSlice(lines[i], 4);
    return codes;
  }

  // What may be in the name and in the value of a header field (RFC 9110, 5.1 and 5.5).
  const isToken = (value) => RegExpPrototypeTest(/^[\^_`a-zA-Z\-0-9!#$%&'*+.|~]+$/, `${value}`);
  const hasInvalidCharacter = (value) => RegExpPrototypeTest(/[^\t\x20-\x7e\x80-\xff]/, `${value}`);
  const errors = () => load("ext:deno_node/internal/errors.ts");

  function validateHeaderName(name, label = "Header name") {
    if (typeof name !== "string" || !isToken(name)) throw new (errors().ERR_INVALID_HTTP_TOKEN)(label, name);
  }
  function validateHeaderValue(name, value) {
    if (value === undefined) throw new (errors().ERR_HTTP_INVALID_HEADER_VALUE)(value, name);
    if (hasInvalidCharacter(value)) throw new (errors().ERR_INVALID_CHAR)("header content", name);
  }

  /** An agent carries settings. Libraries make agents, and classes of them, while they load. */
  function agents(protocol, defaultPort) {
    const { EventEmitter } = load("ext:deno_node/_events.mjs");
    class Agent extends EventEmitter {
      constructor(options = {}) {
        super();
        this.defaultPort = defaultPort;
        this.protocol = protocol;
        this.options = { __proto__: null, noDelay: true, path: null, ...options };
        this.requests = {};
        this.sockets = {};
        this.freeSockets = {};
        this.keepAliveMsecs = options.keepAliveMsecs ?? 1000;
        this.keepAlive = options.keepAlive ?? false;
        this.maxSockets = options.maxSockets ?? Infinity;
        this.maxFreeSockets = options.maxFreeSockets ?? 256;
        this.scheduling = options.scheduling ?? "lifo";
        this.maxTotalSockets = options.maxTotalSockets;
        this.totalSocketCount = 0;
      }
      destroy() {}
    }
    ObjectAssign(Agent.prototype, absent("Agent", NO_HTTP, { functions: ["addRequest", "createConnection", "createSocket"] }));
    return { Agent, globalAgent: new Agent({ keepAlive: true, scheduling: "lifo", timeout: 5000 }) };
  }

  function http() {
    const { CloseEvent, MessageEvent } = load("ext:deno_web/02_event.js");
    const { WebSocket } = load("ext:nano_net/websocket.js");
    return {
      ...absent("http", NO_HTTP, {
        classes: ["ClientRequest", "OutgoingMessage", "Server", "ServerResponse"],
        functions: ["_connectionListener", "createServer", "get", "request", "setMaxIdleHTTPParsers"],
      }),
      ...agents("http:", 80),
      CloseEvent,
      // A message without a connection: frameworks make one of each request for code that was written for Node.
      IncomingMessage: load("ext:deno_node/_http_incoming.js").IncomingMessage,
      METHODS,
      MessageEvent,
      STATUS_CODES: statusCodes(),
      WebSocket,
      maxHeaderSize: 16384,
      validateHeaderName,
      validateHeaderValue,
    };
  }

  const https = () => ({
    ...absent("https", NO_HTTP, { classes: ["Server"], functions: ["createServer", "get", "request"] }),
    ...agents("https:", 443),
  });

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
    const codes = statusCodes();
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

  /** The parts of `http` that older libraries import by these names. `http` is the module. */
  const parts = {
    __proto__: null,
    _http_agent: ({ Agent, globalAgent }) => ({ Agent, globalAgent }),
    _http_client: ({ ClientRequest }) => ({ ClientRequest }),
    _http_common: () => ({
      CRLF: "\r\n",
      _checkInvalidHeaderChar: hasInvalidCharacter,
      _checkIsHttpToken: isToken,
      chunkExpression: /(?:^|\W)chunked(?:$|\W)/i,
      continueExpression: /(?:^|\W)100-continue(?:$|\W)/i,
      kIncomingMessage: Symbol("IncomingMessage"),
      methods: METHODS,
      parsers: { name: "parsers", max: 1000 },
    }),
    _http_incoming: ({ IncomingMessage }) => ({ IncomingMessage }),
    _http_outgoing: ({ OutgoingMessage }) => ({
      ...absent("_http_outgoing", NO_HTTP, { functions: ["parseUniqueHeadersOption"] }),
      OutgoingMessage,
      kHighWaterMark: Symbol("kHighWaterMark"),
      kUniqueHeaders: Symbol("kUniqueHeaders"),
      validateHeaderName,
      validateHeaderValue,
    }),
    _http_server: ({ STATUS_CODES, Server, ServerResponse, _connectionListener }) => ({
      ...absent("_http_server", NO_HTTP, {
        functions: ["httpServerPreClose", "setupConnectionsTracking", "storeHTTPOptions"],
      }),
      STATUS_CODES,
      Server,
      ServerResponse,
      _connectionListener,
      kConnectionsCheckingInterval: Symbol("http.server.connectionsCheckingInterval"),
      kServerResponse: Symbol("ServerResponse"),
    }),
  };

  /** What of `net` takes connections. */
  const netServers = () =>
    absent("net", "requests come to the fetch handler of `export default { fetch }`", {
      classes: ["BoundSocket", "Server"],
      functions: ["createServer"],
    });

  const streamWrap = () => absent("_stream_wrap", NO_SOCKETS, { classes: ["JSStreamSocket"] }).JSStreamSocket;

  const dgram = () => absent("dgram", NO_SOCKETS, { classes: ["Socket"], functions: ["createSocket"] });

  /** As in Node, the code of an error is its name after an E. */
  function dnsCodes() {
    const names = StringPrototypeSplit(
      "ADDRGETNETWORKPARAMS BADFAMILY BADFLAGS BADHINTS BADNAME BADQUERY BADRESP BADSTR CANCELLED CONNREFUSED DESTRUCTION " +
        "FILE FORMERR LOADIPHLPAPI NODATA NOMEM NONAME NOTFOUND NOTIMP NOTINITIALIZED REFUSED SERVFAIL TIMEOUT",
      " ",
    );
    const codes = { ADDRCONFIG: 1024, ALL: 256, EOF: "EOF", V4MAPPED: 2048 };
    for (let i = 0; i < names.length; i++) codes[names[i]] = `E${names[i]}`;
    return codes;
  }

  const QUERIES = [
    "lookup", "lookupService", "resolve", "resolve4", "resolve6", "resolveAny", "resolveCaa", "resolveCname", "resolveMx",
    "resolveNaptr", "resolveNs", "resolvePtr", "resolveSoa", "resolveSrv", "resolveTxt", "reverse",
  ];
  const DNS_SETTINGS = ["getDefaultResultOrder", "getServers", "setDefaultResultOrder", "setServers"];

  const dnsPromises = () => ({
    ...absent("dns.promises", NO_SOCKETS, { classes: ["Resolver"], functions: DNS_SETTINGS, promised: QUERIES }),
    ...dnsCodes(),
  });
  const dns = (promises) => ({
    ...absent("dns", NO_SOCKETS, { classes: ["Resolver"], functions: DNS_SETTINGS }),
    ...absent("dns", NO_SOCKETS, { functions: QUERIES }),
    ...dnsCodes(),
    promises,
  });

  return { dgram, dns, dnsPromises, http, http2, https, netServers, parts, streamWrap };
})();
