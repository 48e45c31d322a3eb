// The objects passed to handlers of HTMLRewriter: parts of the document that a handler can read and change while it runs.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeFilter,
    ArrayPrototypeFind,
    ArrayPrototypeMap,
    ArrayPrototypePush,
    ArrayPrototypeValues,
    ObjectPrototypeIsPrototypeOf,
    PromisePrototypeThen,
    RegExpPrototypeTest,
    SafeRegExp,
    SafeWeakMap,
    StringPrototypeReplace,
    StringPrototypeToLowerCase,
    TypeError,
    WeakMapPrototypeGet,
    WeakMapPrototypeSet,
  } = primordials;
  const { Response, ResponsePrototype } = core.loadExtScript("ext:deno_fetch/23_response.js");
  const { ReadableStreamPrototype } = core.loadExtScript("ext:deno_web/06_streams.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  // The kinds of changes, with the same values as in html_rewriter/writer.rs.
  const BEFORE = 0;
  const AFTER = 1;
  const PREPEND = 2;
  const APPEND = 3;
  const REPLACE = 4;
  const SET_INNER_CONTENT = 5;
  const REMOVE = 6;
  const REMOVE_AND_KEEP_CONTENT = 7;
  const SET_ATTRIBUTE = 8;
  const REMOVE_ATTRIBUTE = 9;
  const SET_NAME = 10;
  const SET_TEXT = 11;
  const AWAIT_END_TAG = 12;

  const TAG_NAME = new SafeRegExp("^[A-Za-z][^ \\n\\r\\t\\f/>]*$");
  const ATTRIBUTE_NAME = new SafeRegExp("^[^ \\n\\r\\t\\f/>=]+$");
  const ENDS_COMMENT = new SafeRegExp("^-?>|--!?>");
  const CAPITALS = new SafeRegExp("[A-Z]+", "g");

  const convertOptions = webidl.createDictionaryConverter("ContentOptions", [
    { key: "html", converter: webidl.converters.boolean, defaultValue: false },
  ]);
  // Names are compared without regard to case, for ASCII letters only.
  const lower = (name) => StringPrototypeReplace(name, CAPITALS, (letters) => StringPrototypeToLowerCase(letters));

  /** The interface of each token, and its part of the document while the handler runs. */
  const meanings = new SafeWeakMap();

  /** Creates a token for one call of a handler. All handlers of a part of the document share `part`. */
  function open(Interface, part) {
    const token = new Interface(webidl.brand);
    WeakMapPrototypeSet(meanings, token, { Interface, part });
    return token;
  }

  /** Makes a token unusable after its handler has returned. */
  function close(token) {
    WeakMapPrototypeGet(meanings, token).part = null;
  }

  function partOf(token, Interface) {
    const meaning = WeakMapPrototypeGet(meanings, token);
    if (meaning?.Interface !== Interface) throw new TypeError("Illegal invocation");
    if (meaning.part === null) {
      throw new TypeError(
        `This ${Interface.name} is no longer valid: it can be used only until its handler returns or its promise resolves`,
      );
    }
    return meaning.part;
  }

  const change = (part, what, text = "", value = "", isHtml = false) => {
    const made = [what, text, value, isHtml];
    ArrayPrototypePush(part.changes, made);
    return made;
  };

  /** Inserts content, which is text or a stream. A stream is read in full before the document goes on. */
  function insert(token, Interface, method, what, args) {
    const part = partOf(token, Interface);
    const prefix = `Failed to execute '${method}' on '${Interface.name}'`;
    webidl.requiredArguments(args.length, 1, prefix);
    const content = args[0];
    const { html } = convertOptions(args[1], prefix, "Argument 2");
    let response;
    if (ObjectPrototypeIsPrototypeOf(ResponsePrototype, content)) response = content;
    else if (ObjectPrototypeIsPrototypeOf(ReadableStreamPrototype, content)) response = new Response(content);
    if (response === undefined) {
      change(part, what, webidl.converters.DOMString(content, prefix, "Argument 1"), "", html);
    } else {
      const made = change(part, what, "", "", html);
      const read = PromisePrototypeThen(response.text(), (text) => made[1] = text);
      // A failure is reported where the reads are awaited, after the handler.
      PromisePrototypeThen(read, undefined, () => {});
      ArrayPrototypePush(part.reads, read);
    }
    if (what === REPLACE) part.removed = true;
    return token;
  }

  function remove(token, Interface, what) {
    const part = partOf(token, Interface);
    change(part, what);
    part.removed = true;
    return token;
  }

  class Element {
    constructor(key = undefined) {
      if (key !== webidl.brand) webidl.illegalConstructor();
    }
    get tagName() {
      return partOf(this, Element).name;
    }
    set tagName(name) {
      const part = partOf(this, Element);
      name = webidl.converters.DOMString(name, "Failed to set 'tagName' on 'Element'", "The value");
      if (!RegExpPrototypeTest(TAG_NAME, name)) throw new TypeError(`${name} cannot be the name of a tag`);
      part.name = lower(name);
      change(part, SET_NAME, name);
    }
    get namespaceURI() {
      return partOf(this, Element).namespace;
    }
    get removed() {
      return partOf(this, Element).removed;
    }
    get attributes() {
      return ArrayPrototypeValues(ArrayPrototypeMap(partOf(this, Element).attributes, (pair) => [pair[0], pair[1]]));
    }
    getAttribute(name) {
      return attributeOf(this, "getAttribute", arguments)?.[1] ?? null;
    }
    hasAttribute(name) {
      return attributeOf(this, "hasAttribute", arguments) !== undefined;
    }
    setAttribute(name, value) {
      const part = partOf(this, Element);
      const prefix = "Failed to execute 'setAttribute' on 'Element'";
      webidl.requiredArguments(arguments.length, 2, prefix);
      name = webidl.converters.DOMString(name, prefix, "Argument 1");
      value = webidl.converters.DOMString(value, prefix, "Argument 2");
      if (!RegExpPrototypeTest(ATTRIBUTE_NAME, name)) {
        throw new TypeError(`${prefix}: "${name}" cannot be the name of an attribute`);
      }
      const attribute = attributeOf(this, "setAttribute", arguments);
      if (attribute === undefined) ArrayPrototypePush(part.attributes, [lower(name), value]);
      else attribute[1] = value;
      change(part, SET_ATTRIBUTE, name, value);
      return this;
    }
    removeAttribute(name) {
      const part = partOf(this, Element);
      const attribute = attributeOf(this, "removeAttribute", arguments);
      if (attribute !== undefined) {
        part.attributes = ArrayPrototypeFilter(part.attributes, (other) => other !== attribute);
        change(part, REMOVE_ATTRIBUTE, attribute[0]);
      }
      return this;
    }
    before(content, options = undefined) {
      return insert(this, Element, "before", BEFORE, arguments);
    }
    after(content, options = undefined) {
      return insert(this, Element, "after", AFTER, arguments);
    }
    prepend(content, options = undefined) {
      return insert(this, Element, "prepend", PREPEND, arguments);
    }
    append(content, options = undefined) {
      return insert(this, Element, "append", APPEND, arguments);
    }
    replace(content, options = undefined) {
      return insert(this, Element, "replace", REPLACE, arguments);
    }
    setInnerContent(content, options = undefined) {
      return insert(this, Element, "setInnerContent", SET_INNER_CONTENT, arguments);
    }
    remove() {
      return remove(this, Element, REMOVE);
    }
    removeAndKeepContent() {
      return remove(this, Element, REMOVE_AND_KEEP_CONTENT);
    }
    onEndTag(handler) {
      const part = partOf(this, Element);
      const prefix = "Failed to execute 'onEndTag' on 'Element'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      if (typeof handler !== "function") throw new TypeError(`${prefix}: Argument 1 is not a function`);
      if (!part.canHaveContent) throw new TypeError(`${prefix}: <${part.name}> has no end tag`);
      if (part.endHandlers.length === 0) change(part, AWAIT_END_TAG);
      ArrayPrototypePush(part.endHandlers, handler);
    }
  }

  function attributeOf(token, method, args) {
    const part = partOf(token, Element);
    const prefix = `Failed to execute '${method}' on 'Element'`;
    webidl.requiredArguments(args.length, 1, prefix);
    const name = lower(webidl.converters.DOMString(args[0], prefix, "Argument 1"));
    return ArrayPrototypeFind(part.attributes, (attribute) => attribute[0] === name);
  }

  class EndTag {
    constructor(key = undefined) {
      if (key !== webidl.brand) webidl.illegalConstructor();
    }
    get name() {
      return partOf(this, EndTag).name;
    }
    set name(name) {
      const part = partOf(this, EndTag);
      name = webidl.converters.DOMString(name, "Failed to set 'name' on 'EndTag'", "The value");
      if (!RegExpPrototypeTest(TAG_NAME, name)) throw new TypeError(`${name} cannot be the name of a tag`);
      part.name = lower(name);
      change(part, SET_NAME, name);
    }
    before(content, options = undefined) {
      return insert(this, EndTag, "before", BEFORE, arguments);
    }
    after(content, options = undefined) {
      return insert(this, EndTag, "after", AFTER, arguments);
    }
    remove() {
      return remove(this, EndTag, REMOVE);
    }
  }

  class Text {
    constructor(key = undefined) {
      if (key !== webidl.brand) webidl.illegalConstructor();
    }
    get text() {
      return partOf(this, Text).text;
    }
    get lastInTextNode() {
      return partOf(this, Text).isLast;
    }
    get removed() {
      return partOf(this, Text).removed;
    }
    before(content, options = undefined) {
      return insert(this, Text, "before", BEFORE, arguments);
    }
    after(content, options = undefined) {
      return insert(this, Text, "after", AFTER, arguments);
    }
    replace(content, options = undefined) {
      return insert(this, Text, "replace", REPLACE, arguments);
    }
    remove() {
      return remove(this, Text, REMOVE);
    }
  }

  class Comment {
    constructor(key = undefined) {
      if (key !== webidl.brand) webidl.illegalConstructor();
    }
    get text() {
      return partOf(this, Comment).text;
    }
    set text(text) {
      const part = partOf(this, Comment);
      text = webidl.converters.DOMString(text, "Failed to set 'text' on 'Comment'", "The value");
      if (RegExpPrototypeTest(ENDS_COMMENT, text)) throw new TypeError("The text would end the comment");
      part.text = text;
      change(part, SET_TEXT, text);
    }
    get removed() {
      return partOf(this, Comment).removed;
    }
    before(content, options = undefined) {
      return insert(this, Comment, "before", BEFORE, arguments);
    }
    after(content, options = undefined) {
      return insert(this, Comment, "after", AFTER, arguments);
    }
    replace(content, options = undefined) {
      return insert(this, Comment, "replace", REPLACE, arguments);
    }
    remove() {
      return remove(this, Comment, REMOVE);
    }
  }

  class Doctype {
    constructor(key = undefined) {
      if (key !== webidl.brand) webidl.illegalConstructor();
    }
    get name() {
      return partOf(this, Doctype).name;
    }
    get publicId() {
      return partOf(this, Doctype).publicId;
    }
    get systemId() {
      return partOf(this, Doctype).systemId;
    }
  }

  class DocumentEnd {
    constructor(key = undefined) {
      if (key !== webidl.brand) webidl.illegalConstructor();
    }
    append(content, options = undefined) {
      return insert(this, DocumentEnd, "append", APPEND, arguments);
    }
  }

  const interfaces = [Element, EndTag, Text, Comment, Doctype, DocumentEnd];
  for (let i = 0; i < interfaces.length; i++) webidl.configureInterface(interfaces[i]);

  return { close, Comment, Doctype, DocumentEnd, Element, EndTag, open, Text };
})();
