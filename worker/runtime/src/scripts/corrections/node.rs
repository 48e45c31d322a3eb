//! Corrections of Node's library, where it departs from Node.

use super::correction::Correction;

/// Applied before the types of the scripts are stripped.
pub(crate) const NODE: &[Correction] = &[
    Correction {
        script: "ext:deno_node/_util/_util_callbackify.js",
        why: "callbackify() took promises only, not what has `then`: https://nodejs.org/api/util.html",
        passage: "    PromisePrototypeThen(
      ReflectApply(original, this, args),
",
        instead: "    ReflectApply(original, this, args).then(
",
    },
    Correction {
        script: "ext:deno_node/_next_tick.ts",
        why: "callbackify() never called back unless something else had loaded `process`, which enables ticks there",
        passage: "let nextTickEnabled = false;
",
        instead: "let nextTickEnabled = true;
core.setAsyncHooksEmit(emitBefore, emitAfter, emitDestroy);
",
    },
    Correction {
        script: "ext:deno_node/internal/streams/end-of-stream.js",
        why: "a message of node:http, which is a stream on Workers, ends when its exchange does: a signal that aborts it was let go of \
            as soon as the request was sent",
        passage: "  const readable = options.readable ?? isReadableNodeStream(stream);
",
        instead: "  const readable = options.readable ??
    (typeof stream._removedContLen === \"boolean\" && typeof stream._defaultKeepAlive === \"boolean\" ||
      isReadableNodeStream(stream));
",
    },
    Correction {
        script: "ext:deno_node/internal/net.ts",
        why: "telling addresses apart loaded the file system, for a function that is not offered",
        passage: "const { writeBuffer } = core.loadExtScript(
  \"ext:deno_node/internal_binding/node_file.ts\",
);
",
        instead: "const writeBuffer = undefined;
",
    },
    Correction {
        script: "ext:deno_node/path/_posix.ts",
        why: "as on Workers, a relative path is resolved from the root, whatever the working directory is",
        passage: "  return () => globalThis.process.cwd();
",
        instead: "  return () => \"/\";
",
    },
    Correction {
        script: "ext:deno_node/url.ts",
        why: "url.parse() found another host than `URL` where there are tabs and line ends, which Node removes: \
            https://github.com/nodejs/node/blob/main/lib/url.js",
        passage: "          case CHAR_TAB:
          case CHAR_LINE_FEED:
          case CHAR_CARRIAGE_RETURN:
          case CHAR_SPACE:
          case CHAR_DOUBLE_QUOTE:
",
        instead: "          case CHAR_TAB:
          case CHAR_LINE_FEED:
          case CHAR_CARRIAGE_RETURN:
            rest = StringPrototypeSlice(rest, 0, i) + StringPrototypeSlice(rest, i + 1);
            i -= 1;
            break;
          case CHAR_SPACE:
          case CHAR_DOUBLE_QUOTE:
",
    },
    Correction {
        script: "ext:deno_node/url.ts",
        why: "url.parse() kept control characters before and after a URL, and saw no host behind them, where `URL` and Node see \
            one: https://github.com/nodejs/node/blob/main/lib/url.js",
        passage: "      const isWs = code === CHAR_SPACE ||
        code === CHAR_TAB ||
        code === CHAR_CARRIAGE_RETURN ||
        code === CHAR_LINE_FEED ||
        code === CHAR_FORM_FEED ||
",
        instead: "      const isWs = code <= CHAR_SPACE ||
",
    },
    Correction {
        script: "ext:deno_node/url.ts",
        why: "url.format() of a URL gave a host to what has none, such as `mailto:a@b`",
        passage: "  if (urlObject.host !== null) {
    ret += \"//\";
",
        instead: "  if (StringPrototypeStartsWith(urlObject.href, `${ret}//`)) {
    ret += \"//\";
",
    },
    Correction {
        script: "ext:deno_node/url.ts",
        why: "url.format() left out a host that cannot be told in Unicode",
        passage: "      ? domainToUnicode(urlObject.hostname)
      : urlObject.hostname;
",
        instead: "      ? domainToUnicode(urlObject.hostname) || urlObject.hostname
      : urlObject.hostname;
",
    },
    Correction {
        script: "ext:deno_node/url.ts",
        why: "url.parse() ended a host, and began a path, at characters that may be in a host: \
            https://github.com/nodejs/node/blob/main/lib/url.js, getHostname()",
        passage: "    const isValid = (code >= CHAR_LOWERCASE_A && code <= CHAR_LOWERCASE_Z) ||
      code === CHAR_DOT ||
      (code >= CHAR_UPPERCASE_A && code <= CHAR_UPPERCASE_Z) ||
      (code >= CHAR_0 && code <= CHAR_9) ||
      code === CHAR_HYPHEN_MINUS ||
      code === CHAR_PLUS ||
      code === CHAR_UNDERSCORE ||
      code > 127;
",
        instead: "    if (code === CHAR_COLON) throw new ERR_INVALID_ARG_VALUE(\"url\", \"Invalid port in url\", url);
    const isValid = code !== CHAR_FORWARD_SLASH && code !== CHAR_BACKWARD_SLASH && code !== CHAR_HASH &&
      code !== CHAR_QUESTION_MARK;
",
    },
    Correction {
        script: "ext:deno_node/url.ts",
        why: "the second part of the one before: what is said of an invalid port names the URL",
        passage: "function getHostname(self: Url, rest: string, hostname: string) {
",
        instead: "function getHostname(self: Url, rest: string, hostname: string, url: string) {
",
    },
    Correction {
        script: "ext:deno_node/url.ts",
        why: "the third part of the one before",
        passage: "        rest = getHostname(this, rest, hostname);
",
        instead: "        rest = getHostname(this, rest, hostname, url);
",
    },
    Correction {
        script: "ext:deno_node/url.ts",
        why: "the fourth part of the one before",
        passage: "  CHAR_HYPHEN_MINUS,
",
        instead: "  CHAR_COLON,
  CHAR_HYPHEN_MINUS,
",
    },
    Correction {
        script: "ext:deno_node/url.ts",
        why: "what has a user name has a host, also without a scheme",
        passage: "    let hasHash = false;
    let start = -1;
",
        instead: "    let hasHash = false;
    let hasAt = false;
    let start = -1;
",
    },
    Correction {
        script: "ext:deno_node/url.ts",
        why: "the second part of the one before",
        passage: "        switch (code) {
          case CHAR_HASH:
            hasHash = true;
",
        instead: "        switch (code) {
          case CHAR_AT:
            hasAt = true;
            break;
          case CHAR_HASH:
            hasHash = true;
",
    },
    Correction {
        script: "ext:deno_node/url.ts",
        why: "the third part of the one before",
        passage: "    if (!slashesDenoteHost && !hasHash) {
",
        instead: "    if (!slashesDenoteHost && !hasHash && !hasAt) {
",
    },
    Correction {
        script: "ext:deno_node/url.ts",
        why: "hosts of ASCII are left as they are by Node's toASCII()",
        passage: "          this.hostname = idnaToASCII(this.hostname);
",
        instead: "          if (RegExpPrototypeTest(beyondAscii, this.hostname)) this.hostname = idnaToASCII(this.hostname);
",
    },
    Correction {
        script: "ext:deno_node/url.ts",
        why: "the second part of the one before",
        passage: "const hostnameMaxLen = 255;
",
        instead: "const hostnameMaxLen = 255;
const beyondAscii = new SafeRegExp(/[^\\0-\\x7f]/);
",
    },
];
