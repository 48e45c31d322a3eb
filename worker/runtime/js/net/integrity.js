// fetch() with `integrity`: returns the response only if the digest of its bytes is one of those that were asked for.
// https://www.w3.org/TR/sri-2/#does-response-match-metadatalist
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypePush,
    RegExpPrototypeExec,
    SafeArrayIterator,
    SafeRegExp,
    StringPrototypeReplaceAll,
    StringPrototypeSplit,
    StringPrototypeToLowerCase,
    TypedArrayPrototypeGetByteLength,
    TypeError,
    Uint8Array,
    uncurryThis,
  } = primordials;
  const load = core.loadExtScript;
  const { forgivingBase64Encode } = load("ext:deno_web/00_infra.js");
  const { crypto } = load("ext:deno_crypto/00_crypto.js");
  const { InnerBody } = load("ext:deno_fetch/22_body.js");
  const { Request, toInnerRequest } = load("ext:deno_fetch/23_request.js");
  const { toInnerResponse } = load("ext:deno_fetch/23_response.js");
  const digest = uncurryThis(crypto.subtle.digest);

  const SPACE = new SafeRegExp(/[\t\n\f\r ]+/);
  const METADATA = new SafeRegExp(/^(sha256|sha384|sha512)-([A-Za-z0-9+/_-]+)={0,2}(?:\?|$)/i);

  /** Returns the strongest algorithm that `integrity` names, and the digests that it allows for it. */
  function strongest(integrity) {
    let algorithm = "";
    let digests = [];
    for (const item of new SafeArrayIterator(StringPrototypeSplit(integrity, SPACE))) {
      const match = RegExpPrototypeExec(METADATA, item);
      if (match === null) continue;
      const name = StringPrototypeToLowerCase(match[1]);
      // The order of the names is the order of strength.
      if (name < algorithm) continue;
      if (name > algorithm) digests = [];
      algorithm = name;
      ArrayPrototypePush(digests, standardAlphabet(match[2]));
    }
    return { algorithm, digests };
  }

  const standardAlphabet = (text) => StringPrototypeReplaceAll(StringPrototypeReplaceAll(text, "-", "+"), "_", "/");
  const withoutPadding = (text) => StringPrototypeReplaceAll(text, "=", "");

  async function fetchIntact(fetch, input, init) {
    const request = new Request(input, init);
    const { algorithm, digests } = strongest(toInnerRequest(request).integrity);
    const response = await fetch(request);
    if (algorithm === "") return response;
    const inner = toInnerResponse(response);
    let bytes = inner.body === null ? new Uint8Array() : await inner.body.consume();
    if (typeof bytes === "string") bytes = core.encode(bytes);
    const name = `SHA-${algorithm[3]}${algorithm[4]}${algorithm[5]}`;
    const actual = withoutPadding(forgivingBase64Encode(new Uint8Array(await digest(crypto.subtle, name, bytes))));
    for (const expected of new SafeArrayIterator(digests)) {
      if (expected !== actual) continue;
      if (inner.body !== null) {
        inner.body = new InnerBody({ body: bytes, consumed: false });
        inner.body.length = TypedArrayPrototypeGetByteLength(bytes);
      }
      return response;
    }
    throw new TypeError(`the body of ${inner.url()} has the digest ${algorithm}-${actual}, which "integrity" does not name`);
  }

  return { fetchIntact };
})();
