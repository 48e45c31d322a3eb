// The app that is called: it gives and takes functions, objects that are called, and streams of them.
import { RpcStub, RpcTarget, WorkerEntrypoint } from "cloudflare:workers";

// What has happened to the objects of this app, by the name that a caller has given them.
const logs = {};
const note = (name, what) => (logs[name] ??= []).push(what);

class Counter extends RpcTarget {
  #name;
  #value;
  own = 1;
  constructor(name, value = 0) {
    super();
    this.#name = name;
    this.#value = value;
  }
  increment(by = 1) {
    return (this.#value += by);
  }
  get value() {
    return this.#value;
  }
  get later() {
    return Promise.resolve({ value: this.#value });
  }
  get child() {
    return new Counter(`${this.#name}.child`, 100);
  }
  make(value) {
    return new Counter(`${this.#name}.made`, value);
  }
  self() {
    return this;
  }
  fail(message) {
    throw Object.assign(new RangeError(message), { code: 5 });
  }
  async call(callback, ...args) {
    return callback(...args);
  }
  [Symbol.dispose]() {
    note(this.#name, "disposed");
  }
}

export class Stubs extends WorkerEntrypoint {
  #kept;
  async log(name) {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 1));
    return logs[name] ?? [];
  }
  counter(name, value) {
    return new Counter(name, value);
  }
  async slowCounter(name, value) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return new Counter(name, value);
  }
  adder(to) {
    return (by) => to + by;
  }
  adders() {
    return { one: (by) => by + 1, deep: { two: (by) => by + 2 }, list: [(by) => by + 3], text: "t" };
  }
  methods() {
    return {
      f() {
        return [typeof this, Object.keys(this)];
      },
    };
  }
  withDispose(name) {
    return { a: 1, counter: new Counter(name, 5), [Symbol.dispose]() { note(name, "result disposed"); } };
  }
  stub(name) {
    return new RpcStub(new Counter(name, 7));
  }
  async call(callback, ...args) {
    return await callback(...args);
  }
  async callTwice(callback) {
    return [await callback(1), await callback(2)];
  }
  async member(object, name, ...args) {
    return await object[name](...args);
  }
  async read(object, name) {
    return await object[name];
  }
  async kinds(value) {
    return [typeof value, value.constructor.name, Object.prototype.toString.call(value), value instanceof RpcStub, value instanceof RpcTarget];
  }
  echo(value) {
    return value;
  }
  echoAll(...values) {
    return values;
  }
  async keepAndReturn(callback) {
    this.ctx.waitUntil((async () => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      try {
        note("kept", await callback("kept"));
      } catch ({ name, message }) {
        note("kept", [name, message]);
      }
    })());
    return "returned";
  }
  async dupAndReturn(callback) {
    const kept = callback.dup();
    this.ctx.waitUntil((async () => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      try {
        note("dup", await kept("dup"));
      } catch ({ name, message }) {
        note("dup", [name, message]);
      }
      kept[Symbol.dispose]();
    })());
    return "returned";
  }
  subscriber(callback) {
    const kept = callback.dup();
    return {
      publish: async (value) => await kept(value),
      stop() {
        kept[Symbol.dispose]();
      },
    };
  }
  async tryToUse(stub) {
    try {
      return await stub();
    } catch ({ name, message }) {
      return [name, message];
    }
  }
  async catches(callback) {
    try {
      await callback();
      return "no error";
    } catch (error) {
      return [error.constructor.name, error.name, error.message, error.code, error.remote, "stack" in error];
    }
  }
  async disposeTwice(callback) {
    callback[Symbol.dispose]();
    callback[Symbol.dispose]();
    return await this.tryToUse(callback);
  }
  callBackOnce(callback) {
    return callback.dup();
  }
}

export default { fetch: () => new Response("other") };
