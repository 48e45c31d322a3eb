// Calls the other app with functions and objects that are called, and says what came of each.
import { RpcPromise, RpcProperty, RpcStub, RpcTarget } from "cloudflare:workers";

function shown(value, depth = 0) {
  if (depth > 6) return "deep";
  if (value === undefined) return "undefined";
  if (typeof value === "function") return `function ${value.constructor.name}`;
  if (typeof value === "symbol") return "symbol";
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return { error: [value.constructor.name, value.name, value.message, value.code, value.remote] };
  if (Array.isArray(value)) return value.map((part) => shown(part, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shown(part, depth + 1)]));
}

class Greeter extends RpcTarget {
  log = [];
  greet(name) {
    return `hi ${name}`;
  }
  get title() {
    return "greeter";
  }
  async nested(callback) {
    return [await callback(10), await callback.dup()(20)];
  }
  [Symbol.dispose]() {
    this.log.push("disposed");
  }
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const settled = async (list) => {
  for (let i = 0; i < 50 && list.length === 0; i++) await wait(2);
  await wait(5);
  return list;
};

export default {
  async fetch(request, env) {
    const { STUBS } = env;
    const tried = {};
    const run = async (name, work) => {
      try {
        tried[name] = shown(await Promise.race([work(), wait(3000).then(() => "hangs")]));
      } catch (error) {
        tried[name] = { threw: shown(error) };
      }
    };
    // Results.
    await run("a target", async () => {
      const counter = await STUBS.counter("a", 1);
      return [await counter.increment(), await counter.increment(5), await counter.value, await counter.later];
    });
    await run("kinds", async () => {
      const counter = await STUBS.counter("kinds", 1);
      const add = await STUBS.adder(1);
      return [
        typeof counter, counter.constructor.name, counter instanceof RpcStub, counter instanceof RpcTarget, Object.prototype.toString.call(counter),
        typeof add, add.constructor.name, add instanceof RpcStub, add instanceof Function, Object.prototype.toString.call(add), Object.keys(add),
        typeof counter.increment, counter.increment.constructor.name, counter.increment instanceof RpcProperty,
        typeof counter.dup, typeof counter[Symbol.dispose], typeof counter.onRpcBroken, typeof counter.then,
        counter.increment() instanceof RpcPromise, typeof counter.length, typeof counter.name, typeof counter.missing, "missing" in counter,
        "dup" in counter, typeof counter.fetch, typeof counter.connect, typeof counter.dispose, String(add),
      ];
    });
    await run("a private member", async () => (await STUBS.counter("b")).own);
    await run("a missing member", async () => (await STUBS.counter("b")).missing());
    await run("reading a missing member", async () => (await STUBS.counter("b")).missing);
    await run("calling a target", async () => (await STUBS.counter("b"))());
    await run("an error", async () => (await STUBS.counter("c")).fail("wrong"));
    await run("a member of an error", async () => (await STUBS.counter("c")).fail("wrong").a.b());
    await run("a function", async () => {
      const add = await STUBS.adder(1);
      return [await add(2), await add(3)];
    });
    await run("a member of a function", async () => (await STUBS.adder(1)).apply(null, [1]));
    await run("reading a member of a function", async () => (await STUBS.adder(1)).length);
    await run("functions in a result", async () => {
      const all = await STUBS.adders();
      return [await all.one(1), await all.deep.two(1), await all.list[0](1), all.text, Object.keys(all), typeof all[Symbol.dispose]];
    });
    await run("a result of a stub", async () => {
      const counter = await STUBS.counter("d", 1);
      const made = await counter.make(10);
      return [await made.increment(), await counter.increment(), await (await counter.child).value];
    });
    await run("itself", async () => {
      const counter = await STUBS.counter("e", 1);
      const self = await counter.self();
      await self.increment();
      return counter.value;
    });
    await run("a stub of the other app's own", async () => (await STUBS.stub("f")).increment());
    await run("reading a method", async () => {
      const counter = await STUBS.counter("g", 1);
      const increment = await counter.increment;
      return [typeof increment, increment.constructor.name, await increment(3), await counter.value];
    });
    await run("reading a method of the entrypoint", async () => {
      const adder = await STUBS.adder;
      const add = await adder(3);
      return add(4);
    });
    // Pipelines.
    await run("pipelined calls", async () => [
      await STUBS.counter("p", 1).increment(), await STUBS.counter("p", 1).make(4).make(5).increment(), await STUBS.adder(1)(2),
      await STUBS.adders().deep.two(3), await STUBS.adders().text, await STUBS.counter("p", 3).value,
      await STUBS.counter("p", 3).child.value,
    ]);
    await run("a member of a promise that is a property", async () => (await STUBS.counter("p", 3)).later.value);
    await run("a pipelined one", async () => STUBS.counter("p", 3).later.value);
    await run("order", async () => {
      const counter = STUBS.slowCounter("o", 0);
      const calls = [counter.increment(), counter.increment(10), counter.value, counter.increment(100)];
      const values = await Promise.all(calls);
      const real = await counter;
      return [values, await real.increment(1000)];
    });
    await run("a pipelined error", async () => STUBS.counter("p").fail("broken").further.and());
    await run("a pipeline of what is missing", async () => STUBS.nothing().a.b());
    await run("a pipeline of a value", async () => STUBS.echo({ a: { b: 1 } }).a.b);
    await run("a pipelined call of a value", async () => STUBS.echo({ a: { b: 1 } }).a.b());
    await run("a pipelined call of a string", async () => STUBS.echo("x").length);
    await run("a pipeline with what has come", async () => {
      const promise = STUBS.counter("q", 5);
      await promise;
      return [await promise.increment(), await promise.increment()];
    });
    await run("a pipeline of what fails later", async () => {
      const results = await Promise.allSettled([STUBS.counter("r").fail("one"), STUBS.counter("r").fail("two").x, STUBS.counter("r").fail("three").x()]);
      return results.map(({ reason }) => [reason.name, reason.message, reason.code, reason.remote]);
    });
    // Arguments.
    await run("a callback", () => STUBS.call((a, b) => a + b, 1, 2));
    await run("a callback of several", () => STUBS.callTwice(async (number) => number * 2));
    await run("this in a callback", () => STUBS.call(function () { return this === undefined ? "none" : typeof this; }));
    await run("an object that is called", () => STUBS.member(new Greeter(), "greet", "bob"));
    await run("a property of it", () => STUBS.read(new Greeter(), "title"));
    await run("a private property of it", () => STUBS.read(new Greeter(), "log"));
    await run("a missing member of it", () => STUBS.member(new Greeter(), "missing"));
    await run("what the other app sees", async () => [await STUBS.kinds(() => 1), await STUBS.kinds(new Greeter())]);
    await run("a callback that throws", () => STUBS.catches(() => { throw Object.assign(new TypeError("mine"), { code: 9 }); }));
    await run("a callback that throws through", () => STUBS.call(() => { throw Object.assign(new TypeError("mine"), { code: 9 }); }));
    await run("a callback with a callback", () => STUBS.call(async (stub) => stub, 5));
    await run("a callback that gives a function", async () => {
      const give = await STUBS.call(() => (x) => x + 1);
      return give(5);
    });
    await run("a target that takes a function", async () => (await STUBS.counter("s")).call((a) => a * 2, 21));
    await run("a function that comes back", async () => {
      const back = await STUBS.echo((x) => x + 1);
      return [typeof back, back.constructor.name, await back(4)];
    });
    await run("a target that comes back", async () => {
      const greeter = new Greeter();
      const back = await STUBS.echo(greeter);
      return [back === greeter, back.constructor.name, await back.greet("x"), await settled(greeter.log).then((log) => [...log])];
    });
    await run("a stub of theirs as an argument", async () => {
      const counter = await STUBS.counter("t", 1);
      return [await STUBS.member(counter, "increment", 4), await counter.value];
    });
    await run("a function of theirs as an argument", async () => STUBS.call(await STUBS.adder(5), 1));
    await run("a promise as an argument", async () => STUBS.call(STUBS.adder(5), 1));
    await run("a property as an argument", async () => {
      const counter = await STUBS.counter("t", 1);
      return STUBS.call(counter.increment, 1);
    });
    await run("a method of the entrypoint as an argument", async () => STUBS.call(STUBS.adder, 1));
    await run("a class as an argument", () => STUBS.kinds(class {}));
    await run("a bound function", () => STUBS.call(((a) => a).bind(null), 3));
    await run("an async function", () => STUBS.call(async (a) => a, 3));
    await run("a generator function", () => STUBS.call(function* (a) { yield a; }, 3));
    await run("a built-in function", () => STUBS.call(Math.max, 3, 4));
    await run("this in a method of a result", async () => [await (await STUBS.methods()).f(), await STUBS.methods().f()]);
    await run("nested callbacks", () => STUBS.member(new Greeter(), "nested", (x) => x + 1));
    await run("a function in an object", () => STUBS.member({ f: (x) => x + 1 }, "f", 4));
    await run("a function in a map", async () => {
      const map = await STUBS.echo(new Map([["f", (x) => x * 3]]));
      return map.get("f")(4);
    });
    await run("the same function twice", async () => {
      const f = () => 1;
      const [a, b] = await STUBS.echoAll(f, f);
      return [a === b, await a(), await b()];
    });
    await run("the same target twice", async () => {
      const greeter = new Greeter();
      await STUBS.kinds(greeter);
      await settled(greeter.log);
      return greeter.log;
    });
    await run("one target as two arguments", async () => {
      const greeter = new Greeter();
      await STUBS.kinds([greeter, greeter]);
      await settled(greeter.log);
      return greeter.log;
    });
    await run("a callback that is kept", async () => [await STUBS.keepAndReturn((x) => `${x}!`), await wait(50), await STUBS.log("kept")]);
    await run("a callback that is kept well", async () => [await STUBS.dupAndReturn((x) => `${x}!`), await wait(50), await STUBS.log("dup")]);
    await run("a subscription", async () => {
      const got = [];
      const { publish, stop } = await STUBS.subscriber((value) => { got.push(value); return got.length; });
      const counts = [await publish("a"), await publish("b")];
      await stop();
      let after;
      try {
        after = await publish("c");
      } catch ({ name, message }) {
        after = [name, message];
      }
      return [counts, got, after];
    });
    await run("disposed twice", () => STUBS.disposeTwice(() => 1));
    await run("a function that was kept for its caller", async () => (await STUBS.callBackOnce((x) => x + 1))(1));
    // Disposal.
    await run("use after disposal", async () => {
      const counter = await STUBS.counter("x3", 1);
      counter[Symbol.dispose]();
      return counter.increment();
    });
    await run("read after disposal", async () => {
      const counter = await STUBS.counter("x3", 1);
      counter[Symbol.dispose]();
      return counter.value;
    });
    await run("dup", async () => {
      const counter = await STUBS.counter("x4", 1);
      const other = counter.dup();
      counter[Symbol.dispose]();
      return [other.constructor.name, await STUBS.log("x4"), await other.increment()];
    });
    await run("disposal of a result", async () => {
      const result = await STUBS.withDispose("x6");
      result[Symbol.dispose]();
      let used;
      try {
        used = await result.counter.increment();
      } catch ({ name, message }) {
        used = [name, message];
      }
      return [used, await STUBS.log("x6")];
    });
    await run("a promise that was awaited and is disposed", async () => {
      const promise = STUBS.counter("x10", 1);
      const counter = await promise;
      promise[Symbol.dispose]();
      return [await counter.increment(), await STUBS.log("x10")];
    });
    await run("disposal of arguments", async () => {
      const greeter = new Greeter();
      await STUBS.member(greeter, "greet", "x");
      return settled(greeter.log);
    });
    await run("stubs as arguments stay", async () => {
      const greeter = new Greeter();
      const stub = new RpcStub(greeter);
      const first = [await STUBS.member(stub, "greet", "x"), await STUBS.member(stub, "greet", "y"), [...greeter.log]];
      stub[Symbol.dispose]();
      return [first, await settled(greeter.log)];
    });
    // Stubs of one's own.
    await run("own stubs", async () => {
      const greeter = new Greeter();
      const stub = new RpcStub(greeter);
      return [
        stub.constructor.name, typeof stub, stub instanceof RpcStub, await stub.greet("x"), await stub.title, stub.greet("x") instanceof RpcPromise,
        stub.title instanceof RpcProperty, Object.prototype.toString.call(stub.greet),
      ];
    });
    await run("an own stub of a function", async () => new RpcStub((x) => x + 1)(2));
    await run("an own stub copies", async () => {
      const given = { a: 1 };
      let got;
      const stub = new RpcStub((value) => { got = value; return value; });
      const back = await stub(given);
      return [got === given, back === given, back];
    });
    await run("an own stub and a function", async () => {
      const f = () => 1;
      let same;
      await new RpcStub((value) => { same = [value === f, typeof value, value.constructor.name]; })(f);
      return same;
    });
    await run("an own stub of a stub", async () => {
      const stub = new RpcStub(new RpcStub(() => 3));
      return stub();
    });
    await run("disposal of an own stub", async () => {
      const greeter = new Greeter();
      const stub = new RpcStub(greeter);
      const other = stub.dup();
      stub[Symbol.dispose]();
      await wait(5);
      const before = [...greeter.log];
      other[Symbol.dispose]();
      return [before, await settled(greeter.log)];
    });
    await run("an own stub after disposal", async () => {
      const stub = new RpcStub(new Greeter());
      stub[Symbol.dispose]();
      return stub.greet("x");
    });
    await run("an own stub that fails", async () => new RpcStub(() => { throw new TypeError("own"); })());
    await run("an own stub pipelined", async () => new RpcStub(() => ({ f: (x) => x * 2 }))().f(4));
    await run("an own stub of what cannot be called", async () => {
      const results = [];
      for (const value of [{ a: 1 }, { f() { return 1; } }, 5, "text", null, undefined, new Map(), [1]]) {
        try {
          const stub = new RpcStub(value);
          results.push([stub.constructor.name, shown(await stub.a), shown(await stub)]);
        } catch ({ name, message }) {
          results.push([name, message]);
        }
      }
      return results;
    });
    await run("constructors", () => [RpcPromise, RpcProperty].map((constructor) => {
      try {
        return typeof new constructor();
      } catch ({ name, message }) {
        return [name, message];
      }
    }));
    await run("RpcStub without new", () => RpcStub(() => 1));
    await run("RpcStub without arguments", () => new RpcStub());
    await run("JSON of a stub", () => JSON.stringify({ a: new RpcStub(() => 1) }) ?? "undefined");
    await run("set a member", () => {
      const stub = new RpcStub(new Greeter());
      stub.extra = 1;
      return [typeof stub.extra, Object.keys(stub)];
    });
    await run("an argument that cannot be sent", () => STUBS.call((x) => x, new WeakMap()));
    await run("an argument that cannot be sent beside one that can", async () => {
      const greeter = new Greeter();
      let error;
      try {
        await STUBS.call(greeter, new WeakMap());
      } catch ({ name }) {
        error = name;
      }
      return [error, await settled(greeter.log)];
    });
    await run("a call is refused at once", () => {
      try {
        STUBS.call(new WeakMap()).catch(() => {});
        return "later";
      } catch ({ name }) {
        return name;
      }
    });
    return Response.json(tried);
  },
};
