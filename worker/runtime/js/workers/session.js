// One side of a session between two apps: a call, and all further calls of what was given and returned, in both directions. Each message
// is a list. What a side has given the other one, and the calls that it has made, have numbers; those of its calls are counted by both.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayIsArray,
    ArrayPrototypeConcat,
    ArrayPrototypePush,
    Error,
    MapPrototypeDelete,
    MapPrototypeForEach,
    MapPrototypeGet,
    MapPrototypeGetSize,
    MapPrototypeHas,
    MapPrototypeSet,
    NumberIsSafeInteger,
    Promise,
    PromisePrototypeThen,
    PromiseResolve,
    SafeMap,
    TypedArrayPrototypeGetByteLength,
  } = primordials;
  const { op_session_next, op_session_send, op_session_thrown } = core.ops;
  const { prepare, unpack, unreadable, write } = core.loadExtScript("ext:nano_workers/call_values.js");
  const { reachInto } = core.loadExtScript("ext:nano_workers/reach.js");
  const { disposeAll, disposeNothing, disposeResult, disposeSoon, failed, hookBehind, hookOf, own, remote, settled, stubOf } = core
    .loadExtScript("ext:nano_workers/stubs.js");

  const {
    CALL, checked, COMES, DISPOSED, disposeKept, FORGET, full, isNumber, isPath, isWithDispose, MOST_CALLS, MOST_STUBS, NOT, over, packThrown,
    RELEASE, RemoteHook, RESULT, THROWN,
  } = core.loadExtScript("ext:nano_workers/session_parts.js");

  class Session {
    /** The resource; none before the first message is sent. */
    #rid;
    #open;
    /** Answers the first call of the other side; none if this side makes it. */
    #main;
    #fail;
    #report;
    /** Why nothing can be called any more. */
    #broken;
    #watchers = [];
    /** What the other side holds, by number: hooks. */
    #given = new SafeMap();
    #lastGiven = 0;
    /** What this side holds, by number. */
    #held = new SafeMap();
    /** Calls of this side without an answer, by number. */
    #calls = new SafeMap();
    #lastCall = 0;
    /** Calls of the other side that have no answer, or whose results are kept until they have come, by number. */
    #answers = new SafeMap();
    /** Those whose results are kept until they are disposed. */
    #kept = new SafeMap();
    #lastAnswer = 0;
    /** Results that the other side keeps until it is told that they are disposed. */
    #owed = 0;
    /** What is to be released. */
    #released = [];
    #isTidying = false;
    #hasSent = false;

    /**
     * `open` returns the resource. On the side that is called, `main(path, args)` answers the first call, `fail(error)` ends a session with
     * an error, and `report(error)` logs one that is sent.
     */
    constructor({ open, main, fail, report }) {
      this.#open = open;
      this.#main = main;
      this.#fail = fail;
      this.#report = report;
    }

    /** Receives messages until the end. */
    async run() {
      this.#rid ??= this.#open();
      while (this.#broken === undefined) {
        let message;
        try {
          message = await op_session_next(this.#rid);
        } catch (error) {
          const failure = this.#failureOf(error);
          this.#fail?.(failure);
          return this.#end(failure);
        }
        if (this.#broken !== undefined) return;
        if (message === null) return this.#isGone();
        try {
          this.#receive(message);
          this.#tidy();
        } catch (error) {
          this.#fail?.(error);
          this.#end(error);
        }
      }
    }

    /** Ends the session because whoever has begun it is no more. */
    #isGone() {
      if (this.#main !== undefined) return this.#end(new Error("the app that has called has gone"));
      // Nobody waits any more.
      MapPrototypeForEach(this.#calls, ({ promise }) => PromisePrototypeThen(promise, undefined, () => {}));
      this.#end(new Error("the call ended with the request that made it, which is over: await it before that, or within waitUntil()"));
    }

    #failureOf(error) {
      const thrown = op_session_thrown(this.#rid);
      if (TypedArrayPrototypeGetByteLength(thrown) > 0) {
        try {
          return remote(unpack(thrown)[0]);
        } catch (other) {
          return other;
        }
      }
      const name = error?.remoteName;
      if (typeof name !== "string") return error;
      delete error.remoteName;
      if (error.name !== name) error.name = name;
      return remote(error);
    }

    #send(message, isLast = false) {
      if (this.#rid === undefined) {
        this.#rid = this.#open();
        this.run();
      }
      if (!op_session_send(this.#rid, message, isLast)) throw new Error("the other app does not take what is sent to it");
      this.#hasSent = true;
    }

    /** Sends something that no call waits for. */
    #tell(kind, value) {
      try {
        this.#send(write([kind], { copy: value, table: [] }));
      } catch (error) {
        this.#end(error);
      }
    }

    /** Gives the other side what it can call. Stubs that are returned are given away. */
    #exporter(isResult) {
      const numbers = [];
      const stubs = [];
      return {
        /** Whether there is anything to call. */
        isUsed: () => numbers.length > 0 || stubs.length > 0,
        given: isResult ? stubs : [],
        take: (value) => {
          const held = hookBehind(value);
          if (held !== undefined) ArrayPrototypePush(stubs, value);
          // It is told by its own number what is its own.
          if (held !== undefined && held.session === this) return -held.entry.number;
          const hook = hookOf(value);
          if (hook === undefined) return undefined;
          if (MapPrototypeGetSize(this.#given) >= MOST_STUBS) {
            hook.dispose();
            throw full(true);
          }
          const number = ++this.#lastGiven;
          MapPrototypeSet(this.#given, number, hook);
          ArrayPrototypePush(numbers, number);
          return number;
        },
        undo: () => {
          for (let i = 0; i < numbers.length; i++) this.#drop(numbers[i]);
        },
      };
    }

    /** Takes what the other side gives. */
    #importer() {
      const stubs = [];
      return {
        /** What is disposed with the call or the result that it came with. */
        stubs,
        hook: (number) => {
          if (!isNumber(number)) {
            const own = NumberIsSafeInteger(number) ? MapPrototypeGet(this.#given, -number)?.dup() : undefined;
            if (own === undefined) throw unreadable();
            return own;
          }
          if (MapPrototypeHas(this.#held, number)) throw unreadable();
          if (MapPrototypeGetSize(this.#held) >= MOST_STUBS) throw full(true);
          const entry = { number, holders: 1 };
          MapPrototypeSet(this.#held, number, entry);
          return new RemoteHook(this, entry);
        },
        stub(hook) {
          const stub = stubOf(hook);
          ArrayPrototypePush(stubs, stub);
          return stub;
        },
      };
    }

    #drop(number) {
      const hook = MapPrototypeGet(this.#given, number);
      if (hook === undefined) throw unreadable();
      MapPrototypeDelete(this.#given, number);
      hook.dispose();
    }

    /** Calls what has this number. `base` is the call whose result that is. */
    call(target, path, args, base = undefined) {
      if (this.#broken !== undefined) return failed(this.#broken);
      if (MapPrototypeGetSize(this.#calls) >= MOST_CALLS) return failed(full(false));
      const exporter = this.#exporter(false);
      const call = { base, path, args: base && args, isSettled: false, value: undefined, error: undefined, hasFollowers: false };
      try {
        this.#send(checked(write([CALL, target, path, args !== undefined], prepare(args, exporter))));
      } catch (error) {
        exporter.undo();
        if (this.#rid !== undefined) this.#tidy();
        return failed(error);
      }
      const number = ++this.#lastCall;
      MapPrototypeSet(this.#calls, number, call);
      call.promise = new Promise((resolve, reject) => {
        call.resolve = resolve;
        call.reject = reject;
      });
      return {
        promise: call.promise,
        reach: (path, args) => {
          if (!call.isSettled) {
            call.hasFollowers = true;
            return this.call(-number, path, args, number);
          }
          if (call.error !== undefined) return failed(call.error.thrown);
          try {
            return settled(PromiseResolve(reachInto(call.value, path, args)));
          } catch (error) {
            return failed(remote(error));
          }
        },
        dispose: () => {
          if (call.isSettled) disposeResult(call.value);
          else PromisePrototypeThen(call.promise, disposeResult, () => {});
        },
      };
    }

    /** Tells the other side that this is held no more. */
    release(number) {
      MapPrototypeDelete(this.#held, number);
      if (this.#broken !== undefined) return;
      ArrayPrototypePush(this.#released, number);
      if (this.#isTidying) return;
      this.#isTidying = true;
      // What else is disposed now goes along.
      PromisePrototypeThen(PromiseResolve(), () => {
        this.#isTidying = false;
        this.#tidy();
      });
    }

    whenBroken(callback) {
      if (this.#broken !== undefined) this.#notify(callback);
      else ArrayPrototypePush(this.#watchers, callback);
    }

    #notify(callback) {
      PromisePrototypeThen(PromiseResolve(this.#broken), (error) => callback(error));
    }

    #isIdle() {
      return this.#owed === 0 && MapPrototypeGetSize(this.#calls) === 0 && MapPrototypeGetSize(this.#answers) === 0 &&
        MapPrototypeGetSize(this.#given) === 0 && MapPrototypeGetSize(this.#held) === 0 && MapPrototypeGetSize(this.#kept) === 0;
    }

    /** Sends what is to be released, or ends the session if neither side can call anything any more. */
    #tidy() {
      if (this.#broken !== undefined) return;
      if (this.#isIdle()) return this.#end(over());
      if (this.#released.length === 0) return;
      const numbers = this.#released;
      this.#released = [];
      this.#tell(RELEASE, numbers);
    }

    #receive(message) {
      const importer = this.#importer();
      const parts = unpack(message, importer);
      const value = parts[parts.length - 1];
      switch (parts[0]) {
        case CALL:
          return this.#called(parts[1], parts[2], parts[3], value, importer.stubs);
        case RESULT:
          return this.#returned(parts[1], parts[2], value, importer.stubs);
        case THROWN:
          return this.#threw(parts[1], parts[2], value);
        case RELEASE:
          if (!ArrayIsArray(value)) throw unreadable();
          for (let i = 0; i < value.length; i++) this.#drop(value[i]);
          return;
        case FORGET:
          return this.#forget(value);
        default:
          throw unreadable();
      }
    }

    #called(target, path, isCall, args, stubs) {
      const number = ++this.#lastAnswer;
      if (!isPath(path) || !NumberIsSafeInteger(target)) throw unreadable();
      // Anything with a length would be made a list of that length.
      if (isCall ? !ArrayIsArray(args) : args !== undefined) throw unreadable();
      if (MapPrototypeGetSize(this.#answers) >= MOST_CALLS) throw full(false);
      let raw;
      if (target < 0) {
        if (-target >= number) throw unreadable();
        const base = MapPrototypeGet(this.#answers, -target) ?? MapPrototypeGet(this.#kept, -target);
        // The result was sent before this was known of. The other side has it, and finds there what it has asked for.
        if (base === undefined) return disposeAll(stubs);
        base.hasFollowers = true;
        raw = PromisePrototypeThen(base.raw, (value) => reachInto(value, path, args));
      } else {
        const hook = target === 0 ? undefined : MapPrototypeGet(this.#given, target);
        if (hook === undefined && (target !== 0 || number !== 1 || path.length === 0 || this.#main === undefined)) throw unreadable();
        try {
          raw = PromiseResolve(hook === undefined ? this.#main(path, args) : hook.use(path, args));
        } catch (error) {
          raw = new Promise((_, reject) => reject(error));
        }
      }
      const answer = { raw, hasFollowers: false, value: undefined, stubs: undefined };
      MapPrototypeSet(this.#answers, number, answer);
      PromisePrototypeThen(
        raw,
        (value) => this.#answer(number, answer, value, stubs),
        (error) => this.#refuse(number, answer, error, stubs),
      );
    }

    /** Sends the result of a call. `stubs` came with the call. */
    #answer(number, answer, value, stubs) {
      if (this.#broken !== undefined) {
        disposeAll(stubs);
        return disposeSoon(value);
      }
      const exporter = this.#exporter(true);
      let kept = NOT;
      let message;
      try {
        const prepared = prepare(value, exporter);
        if (isWithDispose(value)) kept = DISPOSED;
        else if (answer.hasFollowers || exporter.isUsed()) kept = COMES;
        if (kept === DISPOSED && MapPrototypeGetSize(this.#kept) >= MOST_STUBS) throw full(true);
        message = checked(write([RESULT, number, kept], prepared));
      } catch (error) {
        exporter.undo();
        return this.#refuse(number, answer, error, stubs);
      }
      if (kept === DISPOSED) {
        answer.value = value;
        MapPrototypeDelete(this.#answers, number);
        MapPrototypeSet(this.#kept, number, answer);
      }
      this.#finish(number, answer, kept, message, ArrayPrototypeConcat(stubs, exporter.given));
    }

    /** Sends what a call has thrown. */
    #refuse(number, answer, error, stubs) {
      if (this.#broken !== undefined) return disposeAll(stubs);
      const kept = answer.hasFollowers ? COMES : NOT;
      // Usually, nothing is left of the session.
      if (number === 1 && this.#fail !== undefined && !this.#hasSent && kept === NOT) {
        MapPrototypeDelete(this.#answers, number);
        disposeAll(stubs);
        if (this.#isIdle()) {
          this.#fail(error);
          return this.#end(error);
        }
      }
      this.#report?.(error);
      this.#finish(number, answer, kept, packThrown([THROWN, number, kept], error), stubs);
    }

    #finish(number, answer, kept, message, stubs) {
      if (kept === NOT) {
        MapPrototypeDelete(this.#answers, number);
        disposeAll(stubs);
      } else {
        // Calls of the result may need them.
        answer.stubs = stubs;
      }
      const isLast = this.#isIdle();
      try {
        this.#send(message, isLast);
      } catch (error) {
        return this.#end(error);
      }
      this.#tidy();
    }

    #settles(number) {
      const call = isNumber(number) ? MapPrototypeGet(this.#calls, number) : undefined;
      if (call === undefined) throw unreadable();
      MapPrototypeDelete(this.#calls, number);
      call.isSettled = true;
      return call;
    }

    #returned(number, kept, value, stubs) {
      const call = this.#settles(number);
      if (kept === COMES) this.#tell(FORGET, number);
      let isKept = kept === DISPOSED;
      if (isKept) this.#owed++;
      const dispose = () => {
        disposeAll(stubs);
        if (!isKept || this.#broken !== undefined) return;
        isKept = false;
        // What of it was held is disposed first.
        this.#tidy();
        this.#owed--;
        this.#tell(FORGET, number);
        this.#tidy();
      };
      call.value = own(value, isKept || stubs.length > 0 ? dispose : disposeNothing);
      call.args = undefined;
      call.resolve(call.value);
      if (kept === NOT && call.hasFollowers) this.#settleFollowers(number, (follower) => reachInto(value, follower.path, follower.args));
    }

    #threw(number, kept, error) {
      const call = this.#settles(number);
      if (kept !== NOT) this.#tell(FORGET, number);
      this.#reject(number, call, remote(error), kept === NOT);
    }

    #reject(number, call, error, isAll) {
      call.isSettled = true;
      call.error = { thrown: error };
      call.args = undefined;
      call.reject(error);
      if (isAll && call.hasFollowers) {
        this.#settleFollowers(number, () => {
          throw error;
        });
      }
    }

    /** Settles calls of a result which the other side did not keep for them: it will not answer them. */
    #settleFollowers(base, settle) {
      const followers = [];
      MapPrototypeForEach(this.#calls, (call, number) => call.base === base && ArrayPrototypePush(followers, [number, call]));
      for (let i = 0; i < followers.length; i++) {
        const { 0: number, 1: call } = followers[i];
        MapPrototypeDelete(this.#calls, number);
        let value;
        try {
          value = settle(call);
        } catch (error) {
          this.#reject(number, call, remote(error), true);
          continue;
        }
        call.isSettled = true;
        call.value = value;
        call.resolve(value);
        if (call.hasFollowers) this.#settleFollowers(number, (follower) => reachInto(value, follower.path, follower.args));
      }
    }

    #forget(number) {
      const answer = isNumber(number) ? MapPrototypeGet(this.#answers, number) ?? MapPrototypeGet(this.#kept, number) : undefined;
      // One that has not been sent goes on, and is counted until then.
      if (answer?.stubs === undefined) throw unreadable();
      MapPrototypeDelete(this.#answers, number);
      MapPrototypeDelete(this.#kept, number);
      disposeKept(answer);
    }

    /** Ends the session. What is called from now on fails with the error. */
    #end(error) {
      if (this.#broken !== undefined) return;
      this.#broken = error;
      const watchers = this.#watchers;
      if (!this.#isIdle()) for (let i = 0; i < watchers.length; i++) this.#notify(watchers[i]);
      this.#watchers = [];
      MapPrototypeForEach(this.#calls, (call, number) => this.#reject(number, call, error, false));
      MapPrototypeForEach(this.#given, (hook) => hook.dispose());
      MapPrototypeForEach(this.#answers, disposeKept);
      MapPrototypeForEach(this.#kept, disposeKept);
      this.#calls = new SafeMap();
      this.#given = new SafeMap();
      this.#answers = new SafeMap();
      this.#kept = new SafeMap();
      if (this.#rid !== undefined) core.tryClose(this.#rid);
    }
  }

  return { Session };
})();
