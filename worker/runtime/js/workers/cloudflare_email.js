// The module cloudflare:email: a message as a value. No handler gets one, and no binding sends one.
(function () {
  const { core, primordials } = __bootstrap;
  const { String } = primordials;
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  class EmailMessage {
    #from;
    #to;

    constructor(from, to, raw) {
      webidl.requiredArguments(arguments.length, 3, "Failed to construct 'EmailMessage'");
      this.#from = String(from);
      this.#to = String(to);
      this.raw = raw;
    }
    get from() {
      return this.#from;
    }
    get to() {
      return this.#to;
    }
  }
  return { EmailMessage };
})();
