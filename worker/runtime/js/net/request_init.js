// Members of RequestInit and ResponseInit that deno_fetch does not know. Libraries look for `duplex` to learn if a request's body may be a stream
// (https://fetch.spec.whatwg.org/#dom-requestinit-duplex). `cf` is part of Workers; an attribute of the request or response returns it.
// So is `encodeResponseBody`: with "manual", the body of the response is read as it came, compressed or not.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    JSONParse,
    JSONStringify,
    ObjectDefineProperty,
    ObjectGetOwnPropertyDescriptor,
    ObjectPrototypeIsPrototypeOf,
    TypeError,
  } = primordials;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { converters, createAsyncSequenceConverter, createEnumConverter } = webidl;
  const { Request, RequestPrototype, toInnerRequest } = core.loadExtScript("ext:deno_fetch/23_request.js");
  const { Response, toInnerResponse } = core.loadExtScript("ext:deno_fetch/23_response.js");

  // An iterable used as a body may yield text as well. Its items are checked when they are sent.
  converters["async_sequence<Uint8Array>"] = createAsyncSequenceConverter(converters.any);
  converters.RequestDuplex = createEnumConverter("RequestDuplex", ["half"]);
  const convert = converters.RequestInit;
  converters.RequestInit = (value, prefix, context, options) => {
    const init = convert(value, prefix, context, options);
    // A stream is accepted without `duplex`, too: other server runtimes do not require it.
    const duplex = value?.duplex;
    if (duplex !== undefined) {
      converters.RequestDuplex(duplex, prefix, `'duplex' of 'RequestInit' (${context})`, options);
    }
    // An incoming request may be a GET with a body.
    const inner = ObjectPrototypeIsPrototypeOf(RequestPrototype, value) ? toInnerRequest(value) : undefined;
    init.isOfRequest = inner !== undefined && init.method === value.method;
    const cf = inner?.copyCf === undefined ? value?.cf : inner.copyCf();
    const coding = value?.encodeResponseBody;
    if (coding !== undefined) {
      if (coding !== "automatic" && coding !== "manual") {
        throw new TypeError(`${prefix}: 'encodeResponseBody' of 'RequestInit' (${context}) is not one of "automatic" and "manual"`);
      }
      init.isManual = coding === "manual";
    }
    if (cf !== undefined) {
      if (typeof cf !== "object" || cf === null) throw new TypeError(`${prefix}: 'cf' of 'RequestInit' is not an object`);
      init.cf = JSONParse(JSONStringify(cf));
    }
    return init;
  };

  const ofRequest = {
    get cf() {
      webidl.assertBranded(this, Request.prototype);
      return toInnerRequest(this).cf;
    },
  };
  ObjectDefineProperty(Request.prototype, "cf", ObjectGetOwnPropertyDescriptor(ofRequest, "cf"));
  const ofResponse = {
    get cf() {
      webidl.assertBranded(this, Response.prototype);
      return toInnerResponse(this).cf;
    },
  };
  ObjectDefineProperty(Response.prototype, "cf", ObjectGetOwnPropertyDescriptor(ofResponse, "cf"));
  return {};
})();
