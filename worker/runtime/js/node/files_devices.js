// The devices in /dev of an app, and its descriptors 0 to 2.
(function () {
  const { core, primordials } = __bootstrap;
  const { TypedArrayPrototypeFill, TypedArrayPrototypeSubarray, Uint8Array } = primordials;
  const { dev, store } = core.loadExtScript("ext:nano_node/files.js");
  const { crypto } = core.loadExtScript("ext:deno_crypto/00_crypto.js");

  /** Most random bytes that can be had at once. */
  const MOST_RANDOM = 65536;

  class Device {
    type = "file";
    writable = true;
    modified = 0n;
    size = 0;
    #fill;
    #takes;
    #touchable;
    /** `fill` reads, `takes` says whether it can be written to, and `touchable` whether its times can be set, to no effect. */
    constructor(fill, { device = true, takes, touchable }) {
      this.device = device;
      this.#fill = fill;
      this.#takes = takes;
      this.#touchable = touchable;
    }
    #refusal(isAllowed) {
      return isAllowed ? undefined : "EPERM";
    }
    resize() {
      return this.#refusal(this.#takes);
    }
    write() {
      return this.#refusal(this.#takes);
    }
    replace() {
      return this.#refusal(this.#takes);
    }
    touch() {
      return this.#refusal(this.#touchable);
    }
    read(_at, into) {
      return this.#fill(into);
    }
    all() {
      return new Uint8Array();
    }
  }

  const nothing = () => 0;
  function zeros(into) {
    TypedArrayPrototypeFill(into, 0);
    return into.length;
  }
  function random(into) {
    // As on Workers, there is none before the first request.
    if (store().id === 0) return 0;
    for (let at = 0; at < into.length; at += MOST_RANDOM) {
      crypto.getRandomValues(TypedArrayPrototypeSubarray(into, at, at + MOST_RANDOM));
    }
    return into.length;
  }

  dev.entries.set("null", new Device(nothing, { takes: true, touchable: true }));
  dev.entries.set("zero", new Device(zeros, { takes: true, touchable: true }));
  dev.entries.set("full", new Device(zeros, { takes: false, touchable: true }));
  dev.entries.set("random", new Device(random, { takes: false, touchable: false }));

  const standard = () => new Device(nothing, { device: false, takes: false, touchable: false });
  return { STDIO: [standard(), standard(), standard()] };
})();
