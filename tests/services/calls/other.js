// The app that is called: entrypoints of every kind.
import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";

class Custom extends Error {
  constructor(message) {
    super(message);
    this.code = 7;
    this.name = "Custom";
  }
}
class Point {
  x = 1;
}
class List extends Array {}
class Table extends Map {}

const FAILURES = {
  error: () => new Error("boom"),
  type: () => new TypeError("wrong"),
  custom: () => new Custom("mine"),
  dom: () => new DOMException("dom", "AbortError"),
  text: () => "text",
  object: () => ({ a: 1 }),
  null: () => null,
  undefined: () => undefined,
  cause: () => new Error("outer", { cause: new RangeError("inner") }),
  aggregate: () => new AggregateError([new Error("one")], "many"),
  members: () => Object.assign(new Error("with"), { code: "E1", data: { a: [1] } }),
  function: () => Object.assign(new Error("with a function"), { point: new Point() }),
  empty: () => new Error(),
};

const VALUES = {
  class: () => new Point(),
  symbol: () => Symbol("x"),
  weak: () => new WeakMap(),
  promise: () => ({ p: Promise.resolve(1) }),
  "no prototype": () => Object.assign(Object.create(null), { a: 1 }),
  map: () => new Map([[1, { a: new Set([1n]) }]]),
  date: () => new Date(0),
  regexp: () => /a/gi,
  bytes: () => new Uint8Array([1, 2]),
  part: () => new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
  buffer: () => new Uint8Array([1, 2]).buffer,
  error: () => Object.assign(new TypeError("given"), { code: 3 }),
  custom: () => new Custom("given"),
  nested: () => [new Map([["e", new RangeError("in a map")]]), new Set([new Error("in a set")])],
  boxed: () => [new Number(1), new String("s"), new Boolean(false)],
  sparse: () => [1, , 3],
  "array with a member": () => Object.assign([1], { k: 2 }),
  url: () => new URL("http://a/"),
  headers: () => new Headers({ a: "b" }),
  generator: () => (function* () {})(),
  getter: () => ({ get x() { return 4; } }),
  thrower: () => ({ get x() { throw new Error("getter threw"); } }),
  hidden: () => Object.defineProperty({ a: 1 }, "h", { value: 1 }),
  "symbol key": () => ({ [Symbol("a")]: 1, b: 2 }),
  undefined: () => undefined,
  list: () => new List(1, 2),
  table: () => new Table([[1, 2]]),
  view: () => new DataView(new ArrayBuffer(2)),
  floats: () => new Float32Array([1.5]),
  dom: () => new DOMException("m", "AbortError"),
  arguments: () => (function () { return arguments; })(1, 2),
  form: () => new FormData(),
  params: () => new URLSearchParams("a=1"),
};

export class Admin extends WorkerEntrypoint {
  own = 1;
  constructor(ctx, env) {
    super(ctx, env);
    this.made = () => 1;
  }
  async fetch(request) {
    const { url, method } = request;
    return Response.json({ who: "Admin", url, method, role: this.ctx.props.role, body: await request.text() });
  }
  add(a, b) {
    return a + b;
  }
  get name() {
    return "adm";
  }
  get later() {
    return Promise.resolve({ deep: [1, { x: 2 }] });
  }
  get bad() {
    throw new RangeError("bad getter");
  }
  get tree() {
    return { v: 5, o: { z: 1 } };
  }
  get tools() {
    return { twice: (x) => x * 2 };
  }
  #secret() {
    return 1;
  }
  _under() {
    return "under";
  }
  static stat() {
    return "static";
  }
  echo(...args) {
    return args;
  }
  count() {
    return arguments.length;
  }
  cycle() {
    const all = { a: 1 };
    all.self = all;
    return all;
  }
  who() {
    return [this.constructor.name, this instanceof WorkerEntrypoint, this.ctx.props.role, this.own, typeof this.ctx.waitUntil];
  }
  async fail(kind) {
    throw FAILURES[kind]();
  }
  failures() {
    return Object.keys(FAILURES);
  }
  give(kind) {
    return VALUES[kind]();
  }
  values() {
    return Object.keys(VALUES);
  }
  itself() {
    return this;
  }
  context() {
    return this.ctx;
  }
  long(size) {
    return "x".repeat(size);
  }
  dup() {}
  connect() {}
  alarm() {}
  webSocketMessage() {}
  webSocketClose() {}
  webSocketError() {}
  scheduled() {
    return "scheduled";
  }
  queue() {
    return "queue";
  }
  toString() {
    return "mine";
  }
  "odd name/?"() {
    return "odd";
  }
}
Admin.prototype.value = 42;
Admin.prototype.object = { a: 1 };

export class Sub extends Admin {
  extra() {
    return super.add(1, 2) + 1;
  }
}

export const plain = {
  fetch: (request, env, ctx) => Response.json({ who: "plain", props: ctx.props.a }),
  hello(first) {
    return [first, arguments.length];
  },
  value: 9,
};

export class Silent extends WorkerEntrypoint {
  m() {
    return 1;
  }
}

export class Target extends RpcTarget {}

export default class extends WorkerEntrypoint {
  async fetch() {
    return Response.json({ who: "default" });
  }
  greet(name) {
    return `hi ${name}`;
  }
}
