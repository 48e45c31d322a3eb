// What a shared cache may store and for how long (RFC 9111 with the defaults of Workers), and how it answers conditional
// and range requests (RFC 9110).
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeIncludes,
    ArrayPrototypePush,
    DateNow,
    DateParse,
    MathMin,
    Number,
    NumberIsNaN,
    RegExpPrototypeExec,
    RegExpPrototypeTest,
    SafeArrayIterator,
    SafeRegExp,
    StringPrototypeSplit,
    StringPrototypeStartsWith,
    StringPrototypeSubstring,
    StringPrototypeToLowerCase,
    StringPrototypeTrim,
  } = primordials;
  const { getHeader } = core.loadExtScript("ext:deno_fetch/20_headers.js");

  const MINUTE = 60;
  /** The lifetime in seconds by status, for responses that do not set one. */
  const DEFAULT_LIFETIMES = {
    __proto__: null,
    200: 120 * MINUTE,
    301: 120 * MINUTE,
    302: 20 * MINUTE,
    303: 20 * MINUTE,
    404: 3 * MINUTE,
    410: 3 * MINUTE,
  };

  const DIGITS = new SafeRegExp("^[0-9]+$");
  const RANGE = new SafeRegExp("^bytes=([0-9]*)-([0-9]*)$");

  /** Splits a comma-separated list into its parts, in lower case. */
  function listOf(value) {
    const parts = [];
    for (const part of new SafeArrayIterator(StringPrototypeSplit(value ?? "", ","))) {
      const name = StringPrototypeToLowerCase(StringPrototypeTrim(part));
      if (name !== "") ArrayPrototypePush(parts, name);
    }
    return parts;
  }

  /** Parses the directives of Cache-Control. The value is the text after the `=`, or empty. */
  function directivesOf(value) {
    const directives = { __proto__: null };
    const pattern = new SafeRegExp(`([^\\s,=]+)\\s*(?:=\\s*(?:"([^"]*)"|([^\\s,]*)))?`, "g");
    for (let found; (found = RegExpPrototypeExec(pattern, value ?? "")) !== null;) {
      directives[StringPrototypeToLowerCase(found[1])] ??= found[2] ?? found[3] ?? "";
    }
    return directives;
  }

  // A number that cannot be read counts as stale.
  const secondsOf = (text) => RegExpPrototypeTest(DIGITS, text) ? Number(text) : 0;

  function lifetimeOf(status, headers, directives) {
    const maxAge = directives["s-maxage"] ?? directives["max-age"];
    if (maxAge !== undefined) return secondsOf(maxAge);
    const expires = getHeader(headers, "expires");
    if (expires !== null) {
      const date = DateParse(getHeader(headers, "date") ?? "");
      const lifetime = (DateParse(expires) - (NumberIsNaN(date) ? DateNow() : date)) / 1000;
      return NumberIsNaN(lifetime) ? 0 : lifetime;
    }
    return DEFAULT_LIFETIMES[status] ?? 0;
  }

  /** Returns for how many seconds a response may be stored, its age so far, and the header fields to leave out. */
  function policyOf(status, headers) {
    const directives = directivesOf(getHeader(headers, "cache-control"));
    const age = secondsOf(getHeader(headers, "age") ?? "");
    const isForbidden = directives["no-store"] !== undefined || directives.private === "" || directives["no-cache"] === "";
    if (isForbidden) return { age, lifetime: 0, without: [] };
    // A directive with field names applies to those fields only.
    const without = listOf(`${directives.private ?? ""},${directives["no-cache"] ?? ""}`);
    const isPersonal = getHeader(headers, "set-cookie") !== null && !ArrayPrototypeIncludes(without, "set-cookie");
    return { age, lifetime: isPersonal ? 0 : lifetimeOf(status, headers, directives), without };
  }

  // The weak comparison: a weak and a strong tag with the same text are equal.
  const opaque = (tag) => StringPrototypeStartsWith(tag, "W/") ? StringPrototypeSubstring(tag, 2) : tag;

  /** Returns whether the conditions of a request show that its sender already has this response. */
  function isNotModified(request, response) {
    const ifNoneMatch = getHeader(request, "if-none-match");
    if (ifNoneMatch !== null) {
      const etag = getHeader(response, "etag");
      if (StringPrototypeTrim(ifNoneMatch) === "*") return true;
      if (etag === null) return false;
      for (const tag of new SafeArrayIterator(StringPrototypeSplit(ifNoneMatch, ","))) {
        if (opaque(StringPrototypeTrim(tag)) === opaque(etag)) return true;
      }
      return false;
    }
    // The comparison is false if a date is missing or invalid.
    return DateParse(getHeader(response, "last-modified") ?? "") <= DateParse(getHeader(request, "if-modified-since") ?? "");
  }

  /** Returns the range that a request asks for: `null` for the whole body, `undefined` if it cannot be satisfied. */
  function rangeOf(request, response, length) {
    const found = RegExpPrototypeExec(RANGE, getHeader(request, "range") ?? "");
    if (found === null || (found[1] === "" && found[2] === "")) return null;
    const ifRange = getHeader(request, "if-range");
    const isOther = ifRange !== null && ifRange !== getHeader(response, "etag") &&
      ifRange !== getHeader(response, "last-modified");
    if (isOther) return null;
    if (found[1] === "") {
      const last = MathMin(Number(found[2]), length);
      return last > 0 ? { start: length - last, end: length } : undefined;
    }
    const start = Number(found[1]);
    const end = found[2] === "" ? length : MathMin(Number(found[2]) + 1, length);
    if (found[2] !== "" && Number(found[2]) < start) return null;
    return start < length ? { start, end } : undefined;
  }

  return { isNotModified, listOf, policyOf, rangeOf };
})();
