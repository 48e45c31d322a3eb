// Parses a multipart/form-data body into FormData, as in the fetch standard, with additions of RFC 7578 and of common
// clients. https://andreubotella.github.io/multipart-form-data/#multipart-form-data-parser
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypePush,
    MathMax,
    RegExpPrototypeExec,
    SafeRegExp,
    StringPrototypeIndexOf,
    StringPrototypeReplace,
    StringPrototypeReplaceAll,
    StringPrototypeSlice,
    StringPrototypeSplit,
    StringPrototypeToLowerCase,
    StringPrototypeTrim,
    TypedArrayPrototypeIndexOf,
    TypedArrayPrototypeSubarray,
    TypeError,
  } = primordials;
  const { formDataFromEntries } = core.loadExtScript("ext:deno_fetch/21_formdata.js");
  const { HTTP_TOKEN_CODE_POINT_RE } = core.loadExtScript("ext:deno_web/00_infra.js");
  const { File } = core.loadExtScript("ext:deno_web/09_file.js");

  const TAB = 0x09;
  const LF = 0x0a;
  const CR = 0x0d;
  const SPACE = 0x20;
  const DASH = 0x2d;
  const HEAD_END = core.encode("\r\n\r\n");
  const BYTE_ORDER_MARK = core.encode("\ufeff");

  const FORM_DATA = new SafeRegExp(/^form-data[\t ]*/i);
  const PARAMETER = new SafeRegExp(/^;[\t ]*([^\t =;"]+)[\t ]*=[\t ]*/);
  const UNQUOTED = new SafeRegExp(/^[^;"]*/);
  const BEHIND_QUOTE = new SafeRegExp(/^[\t ]*(?=;|$)/);
  const ESCAPED = new SafeRegExp(/%0a|%0d|%22/gi);
  const NOT_ASCII = new SafeRegExp(/[^\0-\x7f]/);

  function malformed(why) {
    return new TypeError(`the body is not multipart/form-data: ${why}`);
  }

  /** Decodes text and keeps its byte order mark, which is part of the value here. */
  function decode(bytes) {
    const text = core.decode(bytes);
    return holds(bytes, BYTE_ORDER_MARK, 0) ? `\ufeff${text}` : text;
  }

  function holds(bytes, pattern, at) {
    for (let i = 0; i < pattern.length; i++) {
      if (bytes[at + i] !== pattern[i]) return false;
    }
    return true;
  }

  function isLineEnd(bytes, at) {
    return bytes[at] === CR && bytes[at + 1] === LF;
  }

  function find(bytes, pattern, from) {
    for (let at = from; (at = TypedArrayPrototypeIndexOf(bytes, pattern[0], at)) !== -1; at++) {
      if (holds(bytes, pattern, at)) return at;
    }
    return -1;
  }

  /** Returns the position behind a delimiter and its padding, or -1 if there is no delimiter at `at`. */
  function behindDelimiter(bytes, delimiter, at) {
    if (!holds(bytes, delimiter, at)) return -1;
    at += delimiter.length;
    if (bytes[at] === DASH && bytes[at + 1] === DASH) return at;
    while (bytes[at] === SPACE || bytes[at] === TAB) at++;
    return isLineEnd(bytes, at) ? at : -1;
  }

  /** Returns the position of the line end before the next delimiter, or -1. */
  function findDelimiter(bytes, delimiter, from) {
    for (let at = from; (at = TypedArrayPrototypeIndexOf(bytes, CR, at)) !== -1; at++) {
      if (bytes[at + 1] === LF && behindDelimiter(bytes, delimiter, at + 2) !== -1) return at;
    }
    return -1;
  }

  /** Finds the end of a quoted value: the first quote that is followed by another parameter or the end of the line. */
  function quotedEnd(text) {
    for (let at = 1; (at = StringPrototypeIndexOf(text, '"', at)) !== -1; at++) {
      if (RegExpPrototypeExec(BEHIND_QUOTE, StringPrototypeSlice(text, at + 1)) !== null) return at;
      // Browsers write a quote as %22, other clients as \".
      if (text[at - 1] !== "\\") break;
    }
    throw malformed("a quoted parameter does not end");
  }

  const unescape = (escape) => escape === "%22" ? '"' : escape === "%0a" || escape === "%0A" ? "\n" : "\r";

  function disposition(value) {
    const start = RegExpPrototypeExec(FORM_DATA, value);
    if (start === null) throw malformed("a part has another disposition than form-data");
    const parameters = { __proto__: null };
    let rest = StringPrototypeSlice(value, start[0].length);
    while (rest !== "") {
      const parameter = RegExpPrototypeExec(PARAMETER, rest);
      if (parameter === null) throw malformed("a part's disposition has no list of parameters");
      rest = StringPrototypeSlice(rest, parameter[0].length);
      let text;
      if (rest[0] === '"') {
        const end = quotedEnd(rest);
        text = StringPrototypeReplaceAll(StringPrototypeSlice(rest, 1, end), '\\"', '"');
        text = StringPrototypeReplace(text, ESCAPED, unescape);
        rest = StringPrototypeTrim(StringPrototypeSlice(rest, end + 1));
      } else {
        const { 0: unquoted } = RegExpPrototypeExec(UNQUOTED, rest);
        text = StringPrototypeTrim(unquoted);
        rest = StringPrototypeSlice(rest, unquoted.length);
      }
      parameters[StringPrototypeToLowerCase(parameter[1])] ??= text;
    }
    return parameters;
  }

  /** Parses the name, file name and type of a part. */
  function parseHead(text) {
    const head = { __proto__: null, name: undefined, filename: undefined, type: undefined };
    const lines = StringPrototypeSplit(text, "\r\n");
    for (let i = 0; i < lines.length; i++) {
      const colon = StringPrototypeIndexOf(lines[i], ":");
      const field = StringPrototypeTrim(StringPrototypeSlice(lines[i], 0, MathMax(colon, 0)));
      if (RegExpPrototypeExec(HTTP_TOKEN_CODE_POINT_RE, field) === null) {
        throw malformed("a part has a line among its header fields that is none");
      }
      const value = StringPrototypeTrim(StringPrototypeSlice(lines[i], colon + 1));
      switch (StringPrototypeToLowerCase(field)) {
        case "content-disposition": {
          const { name, filename } = disposition(value);
          head.name = name;
          head.filename = filename;
          break;
        }
        case "content-type":
          head.type = RegExpPrototypeExec(NOT_ASCII, value) === null ? value : "";
          break;
      }
    }
    if (head.name === undefined) throw malformed("a part has no name");
    return head;
  }

  function parse(bytes, boundary) {
    if (!boundary) throw new TypeError("the content type multipart/form-data has no boundary");
    const delimiter = core.encode(`--${boundary}`);
    const entries = [];
    // Text before the first delimiter is meant for readers without MIME support, so it is skipped.
    let position = behindDelimiter(bytes, delimiter, 0) === -1 ? findDelimiter(bytes, delimiter, 0) + 2 : 0;
    for (;;) {
      position = behindDelimiter(bytes, delimiter, position);
      if (position === -1) throw malformed("it does not begin with its boundary");
      if (bytes[position] === DASH) return formDataFromEntries(entries);
      const headEnd = find(bytes, HEAD_END, position);
      if (headEnd === -1) throw malformed("a part's header fields do not end");
      const { name, filename, type } = parseHead(decode(TypedArrayPrototypeSubarray(bytes, position + 2, headEnd)));
      const start = headEnd + HEAD_END.length;
      // The search starts at the empty line: a part without content has nothing else before the delimiter.
      const end = findDelimiter(bytes, delimiter, start - 2);
      if (end === -1) throw malformed("it ends before its last boundary");
      const content = TypedArrayPrototypeSubarray(bytes, start, MathMax(start, end));
      const value = filename === undefined
        ? decode(content)
        : new File([content], filename, { __proto__: null, type: type ?? "text/plain" });
      ArrayPrototypePush(entries, { name, value });
      position = end + 2;
    }
  }

  return { parse };
})();
