// node:domain: one listener for the errors of several emitters and functions. A domain follows no promises or timers.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeIndexOf,
    ArrayPrototypePush,
    ArrayPrototypeSlice,
    ArrayPrototypeSplice,
    ReflectApply,
  } = primordials;
  const { EventEmitter } = core.loadExtScript("ext:deno_node/_events.mjs");

  class Domain extends EventEmitter {
    members = [];
    #report = (error) => {
      this.emit("error", error);
    };
    add(emitter) {
      emitter.on("error", this.#report);
      ArrayPrototypePush(this.members, emitter);
    }
    remove(emitter) {
      emitter.removeListener("error", this.#report);
      const at = ArrayPrototypeIndexOf(this.members, emitter);
      if (at !== -1) ArrayPrototypeSplice(this.members, at, 1);
    }
    run(action, ...args) {
      try {
        return ReflectApply(action, this, args);
      } catch (error) {
        this.#report(error);
      }
    }
    bind(action) {
      return (...args) => this.run(action, ...args);
    }
    intercept(action) {
      return (error, ...args) => error ? this.#report(error) : this.run(action, ...args);
    }
    enter() {}
    exit() {}
    dispose() {
      const members = ArrayPrototypeSlice(this.members);
      for (let i = 0; i < members.length; i++) this.remove(members[i]);
      this.removeAllListeners();
    }
  }

  const create = () => new Domain();
  return { Domain, active: null, create, createDomain: create };
})();
