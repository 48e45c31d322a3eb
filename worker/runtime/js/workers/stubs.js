// What stands for something that is called from afar: `RpcStub`, of another app's or of one's own, `RpcPromise` and `RpcProperty`. Behind
// each is a hook, which knows how to call it.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypePush,
    Error,
    ObjectDefineProperty,
    ObjectGetPrototypeOf,
    ObjectPrototype,
    ObjectPrototypeIsPrototypeOf,
    ObjectSetPrototypeOf,
    PromisePrototypeFinally,
    PromisePrototypeThen,
    PromiseReject,
    PromiseResolve,
    Proxy,
    ReflectGet,
    RegExpPrototypeTest,
    SafeArrayIterator,
    SafeRegExp,
    Symbol,
    SymbolDispose,
    SymbolToStringTag,
    TypeError,
    WeakMapPrototypeGet,
    WeakMapPrototypeSet,
  } = primordials;
  const { pack, packError, unpack } = core.loadExtScript("ext:nano_workers/call_values.js");
  const { RpcTarget } = core.loadExtScript("ext:nano_workers/entrypoints.js");
  const { log } = core.loadExtScript("ext:nano_workers/globals.js");
  const { reachInto, states } = core.loadExtScript("ext:nano_workers/reach.js");
  const { describe } = core.loadExtScript("ext:nano_workers/respond.js");
  const { RequestPrototype } = core.loadExtScript("ext:deno_fetch/23_request.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  const ERROR = 3;
  const nothing = () => {};
  /** Disposes of a result with which nothing has come. */
  const disposeNothing = () => {};

  const stateOf = (object) => WeakMapPrototypeGet(states, object) ?? webidl.illegalConstructor();

  const disposed = () => new Error("RPC stub used after being disposed.");

  /** Marks what was thrown where a call has led to. */
  function remote(error) {
    if (typeof error === "object" && error !== null) error.remote = true;
    return error;
  }

  /** What a call gives that fails. */
  function failed(error) {
    const promise = PromiseReject(error);
    return { promise, reach: () => failed(error), dispose: nothing };
  }

  /** Disposes what a call has returned. */
  function disposeResult(value) {
    if (value !== null && (typeof value === "object" || typeof value === "function")) value[SymbolDispose]?.();
  }

  /** Disposes soon of a value of this app. Nobody waits for that, so what its disposer throws is logged. */
  function disposeSoon(value) {
    PromisePrototypeThen(
      PromisePrototypeThen(PromiseResolve(), () => disposeResult(value)),
      undefined,
      (error) => log(`Uncaught (in Symbol.dispose) ${describe(error)}`, ERROR),
    );
  }

  /** What a call gives whose result is this app's already. */
  function settled(promise) {
    return {
      promise,
      reach: (path, args) => settled(PromisePrototypeThen(promise, (value) => reachInto(value, path, args))),
      dispose: () => PromisePrototypeThen(promise, disposeResult, nothing),
    };
  }

  /** Has the result of a call dispose of what came with it. */
  function own(value, dispose) {
    if (typeof value === "object" && value !== null) {
      ObjectDefineProperty(value, SymbolDispose, { __proto__: null, value: dispose, configurable: true, enumerable: false, writable: true });
    }
    return value;
  }

  function disposeAll(stubs) {
    for (let i = 0; i < stubs.length; i++) disposeStub(stubs[i]);
  }

  /** Copies a value as if it had come from another app. Stubs that are returned are given away. */
  function copied(value, isResult) {
    const hooks = [];
    const given = [];
    const exporter = {
      take(part) {
        const hook = hookOf(part);
        if (hook === undefined) return undefined;
        if (isResult && WeakMapPrototypeGet(states, part) !== undefined) ArrayPrototypePush(given, part);
        return ArrayPrototypePush(hooks, hook) - 1;
      },
    };
    let message;
    try {
      message = pack([], value, exporter);
    } catch (error) {
      for (let i = 0; i < hooks.length; i++) hooks[i].dispose();
      throw error;
    }
    disposeAll(given);
    const stubs = [];
    const importer = {
      hook: (number) => hooks[number],
      stub(hook) {
        const stub = stubOf(hook);
        ArrayPrototypePush(stubs, stub);
        return stub;
      },
    };
    return { value: unpack(message, importer)[0], stubs };
  }

  function copiedResult(value) {
    const { value: copy, stubs } = copied(value, true);
    const dispose = () => {
      disposeAll(stubs);
      disposeResult(value);
    };
    return own(copy, dispose);
  }

  /** What a call of something of this app gives: a copy, as it would come from another app. `raw` is a promise of what was returned. */
  function ofOwn(raw) {
    const promise = PromisePrototypeThen(raw, copiedResult, (error) => {
      throw remote(unpack(packError([], error))[0]);
    });
    return {
      promise,
      reach: (path, args) => callOwn((given) => PromisePrototypeThen(raw, (value) => reachInto(value, path, given)), args),
      dispose: () => PromisePrototypeThen(promise, disposeResult, nothing),
    };
  }

  /** Has `run` called soon with copies of the arguments, which are its until it has returned. */
  function callOwn(run, args) {
    let given;
    try {
      given = args === undefined ? undefined : copied(args, false);
    } catch (error) {
      return failed(error);
    }
    const raw = PromisePrototypeThen(PromiseResolve(), () => run(given?.value));
    if (given !== undefined && given.stubs.length > 0) {
      const done = () => disposeAll(given.stubs);
      PromisePrototypeThen(raw, done, done);
    }
    return ofOwn(raw);
  }

  /** Holds something of this app, until nobody does any more. */
  class TargetHook {
    #target;

    constructor(target) {
      this.#target = target;
    }
    /** Begins to hold a value. */
    static of(value) {
      return new TargetHook({ value, holders: 1 });
    }
    reach(path, args) {
      const { value } = this.#target;
      return callOwn((given) => reachInto(value, path, given), args);
    }
    /** Calls it with arguments that are its own, and returns what it does. */
    use(path, args) {
      return reachInto(this.#target.value, path, args);
    }
    dup() {
      this.#target.holders++;
      return new TargetHook(this.#target);
    }
    dispose() {
      if (--this.#target.holders === 0) disposeSoon(this.#target.value);
    }
    whenBroken() {}
  }

  /** Stands for a service that this app reaches. It is nobody's to dispose. */
  class ServiceHook {
    #service;

    constructor(service) {
      this.#service = service;
    }
    reach(path, args) {
      const isFetch = path.length === 1 && path[0] === "fetch" && args !== undefined;
      if (!isFetch) return this.#service.reach(path, args);
      // The other app's scripts make one of what its app fetches.
      const isRequest = ObjectPrototypeIsPrototypeOf(RequestPrototype, args[0]);
      return isRequest ? settled(this.#service.fetch(args[0])) : failed(new TypeError("a service fetches a Request and nothing else"));
    }
    use(path, args) {
      return this.reach(path, args).promise;
    }
    dup() {
      return this;
    }
    dispose() {}
    whenBroken() {}
  }

  /** Returns a hook of what can be called from afar; none of anything else. */
  function hookOf(value) {
    const state = WeakMapPrototypeGet(states, value);
    if (state === undefined) return TargetHook.of(value);
    if (state.isService) return new ServiceHook(state);
    if (!state.isStub) return undefined;
    if (state.hook === undefined) throw disposed();
    return state.hook.dup();
  }

  /** Returns the hook of a stub that was not disposed; none of anything else. */
  const hookBehind = (value) => WeakMapPrototypeGet(states, value)?.hook;

  const made = Symbol("made here");

  /** A member of what is called from afar. It can be called, awaited, or asked for its own members. */
  class RpcProperty {
    constructor() {
      if (arguments[0] !== made) webidl.illegalConstructor();
    }
    then(resolved, rejected) {
      return PromisePrototypeThen(stateOf(this).read(), resolved, rejected);
    }
    catch(rejected) {
      return PromisePrototypeThen(stateOf(this).read(), undefined, rejected);
    }
    finally(settled) {
      return PromisePrototypeFinally(stateOf(this).read(), settled);
    }
  }

  /** What a call will return. */
  class RpcPromise {
    constructor() {
      if (arguments[0] !== made) webidl.illegalConstructor();
    }
    then(resolved, rejected) {
      return PromisePrototypeThen(stateOf(this).read(), resolved, rejected);
    }
    catch(rejected) {
      return PromisePrototypeThen(stateOf(this).read(), undefined, rejected);
    }
    finally(settled) {
      return PromisePrototypeFinally(stateOf(this).read(), settled);
    }
  }

  /** Whether a stub of one's own can stand for this. */
  const canBeCalled = (value) =>
    typeof value === "function" || ObjectGetPrototypeOf(value) === ObjectPrototype ||
    ObjectPrototypeIsPrototypeOf(RpcTarget.prototype, value);

  /** Stands for an object or a function: of another app, or of this one as if it were another's. */
  function RpcStub() {
    const prefix = "Failed to construct 'JsRpcStub'";
    if (new.target === undefined) {
      throw new TypeError(`${prefix}: Please use the 'new' operator, this object constructor cannot be called as a function.`);
    }
    const value = arguments[0];
    if (value === null || (typeof value !== "object" && typeof value !== "function")) {
      throw new TypeError(`${prefix}: constructor parameter 1 is not of type 'Object'.`);
    }
    const hook = canBeCalled(value) ? hookOf(value) : undefined;
    if (hook === undefined) throw new TypeError("RpcStubs can only wrap plain objects, functions, and RpcTarget derivatives.");
    return callable(new.target.prototype, stubState(hook));
  }

  const stubState = (hook) => ({
    __proto__: null,
    isStub: true,
    hook,
    reach(path, args) {
      return this.hook === undefined ? failed(disposed()) : this.hook.reach(path, args);
    },
  });

  function disposeStub(stub) {
    const state = stateOf(stub);
    const { hook } = state;
    state.hook = undefined;
    hook?.dispose();
  }

  const hookOfThis = (stub) => {
    const state = stateOf(stub);
    if (!state.isStub) webidl.illegalConstructor();
    if (state.hook === undefined) throw disposed();
    return state.hook;
  };

  const methods = {
    /** Returns another stub of the same. It stays until all of them are disposed. */
    dup() {
      return stubOf(hookOfThis(this).dup());
    },
    /** Has `callback` called with the error when the app that it is of cannot be called any more. */
    onRpcBroken(callback) {
      hookOfThis(this).whenBroken(webidl.converters.Function(callback, "Failed to execute 'onRpcBroken' on 'RpcStub'", "Argument 1"));
    },
  };

  const INDEX = new SafeRegExp(/^(?:0|[1-9]\d*)$/u);

  /** Whether a member of this name is never called from afar: a symbol, an index, or what the language itself asks for. */
  const isOurs = (key) => typeof key === "symbol" || key === "then" || key === "toJSON" || RegExpPrototypeTest(INDEX, key);

  const handler = {
    __proto__: null,
    get: (target, key, receiver) =>
      key in target || isOurs(key) ? ReflectGet(target, key, receiver) : property(WeakMapPrototypeGet(states, target), key),
    has: (target, key) => key in target || !isOurs(key),
    apply: (target, _, args) => promised(WeakMapPrototypeGet(states, target).reach([], args)),
  };

  /** Makes a callable object of a class with this state. */
  function callable(prototype, state) {
    const target = () => {};
    delete target.length;
    delete target.name;
    ObjectSetPrototypeOf(target, prototype);
    const object = new Proxy(target, handler);
    WeakMapPrototypeSet(states, target, state);
    WeakMapPrototypeSet(states, object, state);
    return object;
  }

  const stubOf = (hook) => callable(RpcStub.prototype, stubState(hook));

  /** The member of this name of what has the state. */
  function property(of, name) {
    const reach = (path, args) => of.reach([name, ...new SafeArrayIterator(path)], args);
    return callable(RpcProperty.prototype, { __proto__: null, reach, read: () => reach([]).promise });
  }

  /** What is to come. */
  function promised(answer) {
    return callable(RpcPromise.prototype, {
      __proto__: null,
      reach(path, args) {
        // If it fails, so does what is called of it.
        PromisePrototypeThen(answer.promise, undefined, nothing);
        return answer.reach(path, args);
      },
      read: () => answer.promise,
      dispose() {
        PromisePrototypeThen(answer.promise, undefined, nothing);
        answer.dispose();
      },
    });
  }

  const define = (object, key, value) =>
    ObjectDefineProperty(object, key, { __proto__: null, value, configurable: true, writable: true });

  const tag = (constructor, name) =>
    ObjectDefineProperty(constructor.prototype, SymbolToStringTag, { __proto__: null, value: name, configurable: true });

  tag(RpcProperty, "JsRpcProperty");
  tag(RpcPromise, "JsRpcPromise");
  tag(RpcStub, "JsRpcStub");
  define(RpcStub.prototype, "dup", methods.dup);
  define(RpcStub.prototype, "onRpcBroken", methods.onRpcBroken);
  define(RpcStub.prototype, SymbolDispose, function () {
    disposeStub(this);
  });
  define(RpcPromise.prototype, SymbolDispose, function () {
    stateOf(this).dispose();
  });

  return {
    callOwn, disposeAll, disposeNothing, disposeResult, disposeSoon, failed, hookBehind, hookOf, isOurs, own, promised, property, remote, RpcPromise,
    RpcProperty, RpcStub, settled, stubOf,
  };
})();
