// MIME types. https://mimesniff.spec.whatwg.org/#parsing-a-mime-type
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeFind,
    MapPrototypeGet,
    MapPrototypeHas,
    MapPrototypeSet,
    ObjectGetOwnPropertySymbols,
    RegExpPrototypeSymbolReplace,
    RegExpPrototypeTest,
    SafeMap,
    SafeMapIterator,
    SafeRegExp,
    StringPrototypeCharAt,
    StringPrototypeCharCodeAt,
    StringPrototypeIndexOf,
    StringPrototypeSlice,
    StringPrototypeToLowerCase,
    SymbolPrototypeGetDescription,
  } = primordials;

  const TOKEN = new SafeRegExp(/^[-!#$%&'*+.^_`|~\w]+$/);
  const QUOTABLE = new SafeRegExp(/^[\t\x20-\x7e\x80-\xff]*$/);
  const NEEDS_ESCAPE = new SafeRegExp(/["\\]/g);

  const isSpace = (code) => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;

  // Written as loops: a regular expression for the end of a text would start again at every space in it.
  function trimStart(text) {
    let start = 0;
    while (isSpace(StringPrototypeCharCodeAt(text, start))) start++;
    return StringPrototypeSlice(text, start);
  }

  function trimEnd(text) {
    let end = text.length;
    while (isSpace(StringPrototypeCharCodeAt(text, end - 1))) end--;
    return StringPrototypeSlice(text, 0, end);
  }

  /** Returns the position of `mark` from `start` on, or the length of the text if it does not occur. */
  function find(text, mark, start) {
    const at = StringPrototypeIndexOf(text, mark, start);
    return at === -1 ? text.length : at;
  }

  /** Parses the quoted string that opens at `start`. Returns its value and where it ends. */
  function quoted(text, start) {
    let value = "";
    let at = start + 1;
    for (; at < text.length; at++) {
      let char = StringPrototypeCharAt(text, at);
      if (char === '"') break;
      // A backslash at the end of the text stands for itself.
      if (char === "\\" && at + 1 < text.length) char = StringPrototypeCharAt(text, ++at);
      value += char;
    }
    return { value, end: at };
  }

  /** Parses type, subtype and parameters. Returns null if the text is not a MIME type. */
  function parseMimeType(input) {
    const text = trimEnd(trimStart(input));
    const slash = StringPrototypeIndexOf(text, "/");
    if (slash === -1) return null;
    const type = StringPrototypeSlice(text, 0, slash);
    let end = find(text, ";", slash);
    const subtype = trimEnd(StringPrototypeSlice(text, slash + 1, end));
    if (!RegExpPrototypeTest(TOKEN, type) || !RegExpPrototypeTest(TOKEN, subtype)) return null;
    const parameters = new SafeMap();
    while (end < text.length) {
      const start = end + 1;
      end = find(text, ";", start);
      const parameter = StringPrototypeSlice(text, start, end);
      const equals = StringPrototypeIndexOf(parameter, "=");
      if (equals === -1) continue;
      const name = StringPrototypeToLowerCase(trimStart(StringPrototypeSlice(parameter, 0, equals)));
      let value;
      if (StringPrototypeCharAt(parameter, equals + 1) === '"') {
        const quotation = quoted(text, start + equals + 1);
        value = quotation.value;
        // A semicolon inside the quoted string does not end the parameter.
        end = find(text, ";", quotation.end);
      } else {
        value = trimEnd(StringPrototypeSlice(parameter, equals + 1));
        if (value === "") continue;
      }
      if (
        RegExpPrototypeTest(TOKEN, name) && RegExpPrototypeTest(QUOTABLE, value) && !MapPrototypeHas(parameters, name)
      ) {
        MapPrototypeSet(parameters, name, value);
      }
    }
    return { type: StringPrototypeToLowerCase(type), subtype: StringPrototypeToLowerCase(subtype), parameters };
  }

  const essence = ({ type, subtype }) => `${type}/${subtype}`;

  function serializeMimeType(mimeType) {
    let text = essence(mimeType);
    for (const { 0: name, 1: value } of new SafeMapIterator(mimeType.parameters)) {
      const shown = RegExpPrototypeTest(TOKEN, value)
        ? value
        : `"${RegExpPrototypeSymbolReplace(NEEDS_ESCAPE, value, "\\$&")}"`;
      text += `;${name}=${shown}`;
    }
    return text;
  }

  /** Returns the last usable type of a Content-Type. https://fetch.spec.whatwg.org/#concept-header-extract-mime-type */
  function extractMimeType(values) {
    let found = null;
    let charset;
    for (let i = 0; i < (values?.length ?? 0); i++) {
      const mimeType = parseMimeType(values[i]);
      if (mimeType === null || essence(mimeType) === "*/*") continue;
      const { parameters } = mimeType;
      if (found === null || essence(found) !== essence(mimeType)) {
        charset = MapPrototypeGet(parameters, "charset");
      } else if (charset !== undefined && !MapPrototypeHas(parameters, "charset")) {
        MapPrototypeSet(parameters, "charset", charset);
      }
      found = mimeType;
    }
    return found;
  }

  let typeSlot;

  /** Sets the type of a blob without converting it to lower case. https://fetch.spec.whatwg.org/#dom-body-blob */
  function typed(blob, mimeType) {
    typeSlot ??= ArrayPrototypeFind(
      ObjectGetOwnPropertySymbols(blob),
      (slot) => SymbolPrototypeGetDescription(slot) === "Type",
    );
    if (mimeType !== null) blob[typeSlot] = serializeMimeType(mimeType);
    return blob;
  }

  return { essence, extractMimeType, parseMimeType, serializeMimeType, typed };
})();
