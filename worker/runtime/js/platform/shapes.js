// Corrects the names, lengths and members of interfaces of deno_web and deno_fetch that differ from Web IDL.
// https://webidl.spec.whatwg.org/#js-interfaces
(function () {
  const { core, primordials } = __bootstrap;
  const {
    FunctionPrototypeApply,
    ObjectDefineProperty,
    ObjectGetOwnPropertyDescriptor,
    ObjectGetOwnPropertyDescriptors,
    ObjectKeys,
  } = primordials;
  const { assertBranded } = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  const rename = (method, name) => ObjectDefineProperty(method, "name", { __proto__: null, value: name, configurable: true });

  const LENGTHS = {
    __proto__: null,
    FormData: { of: 0, append: 2, set: 2 },
    Response: { json: 1 },
  };

  function correctLengths(Interface, { of, ...methods }) {
    const set = (method, value) => ObjectDefineProperty(method, "length", { __proto__: null, value, configurable: true });
    if (of !== undefined) set(Interface, of);
    for (const name in methods) {
      set((ObjectGetOwnPropertyDescriptor(Interface, name) ?? ObjectGetOwnPropertyDescriptor(Interface.prototype, name)).value,
        methods[name]);
    }
  }

  /** The attributes of a request that have a fixed value outside of a browser. */
  const requestMembers = ({ prototype }) => ({
    get destination() {
      assertBranded(this, prototype);
      return "";
    },
    get duplex() {
      assertBranded(this, prototype);
      return "half";
    },
    get isHistoryNavigation() {
      assertBranded(this, prototype);
      return false;
    },
    get isReloadNavigation() {
      assertBranded(this, prototype);
      return false;
    },
  });

  function correctInterfaces(interfaces) {
    const members = ObjectGetOwnPropertyDescriptors(requestMembers(interfaces.Request));
    for (const name in members) ObjectDefineProperty(interfaces.Request.prototype, name, members[name]);
    for (const name in LENGTHS) correctLengths(interfaces[name], LENGTHS[name]);
    for (const name in interfaces) {
      const { prototype } = interfaces[name];
      const keys = ObjectKeys(prototype);
      for (let i = 0; i < keys.length; i++) {
        const { get, set } = ObjectGetOwnPropertyDescriptor(prototype, keys[i]);
        if (get !== undefined) rename(get, `get ${keys[i]}`);
        if (set !== undefined) rename(set, `set ${keys[i]}`);
      }
    }
  }

  function correctConsole(console) {
    const { group } = console;
    console.groupCollapsed = {
      groupCollapsed(...label) {
        FunctionPrototypeApply(group, console, label);
      },
    }.groupCollapsed;
  }

  return { correctConsole, correctInterfaces };
})();
