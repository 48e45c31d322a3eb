// Calls the other apps in every way that there is, and says what came of each.
class Point {
  x = 1;
}

function shown(value, depth = 0) {
  if (depth > 6) return "deep";
  if (value === undefined) return "undefined";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function" || typeof value === "symbol") return typeof value;
  if (typeof value !== "object" || value === null) return value;
  const of = (part) => shown(part, depth + 1);
  const text = (message) => message.replace(/: \d+ bytes/, "");
  const members = () => Object.fromEntries(Object.keys(value).sort().filter((key) => key !== "stack").map((key) => [key, of(value[key])]));
  const name = Object.getPrototypeOf(value)?.constructor?.name ?? "null";
  // Those of Workers have all members as their own.
  if (value instanceof DOMException) return { name, error: [value.name, value.message, value.code, value.remote] };
  if (value instanceof Error) return { name, error: [value.name, text(value.message)], members: members() };
  if (value instanceof Map || value instanceof Set) return { [name]: [...value].map(of) };
  if (value instanceof Date) return { [name]: value.getTime() };
  if (value instanceof RegExp) return { [name]: String(value) };
  if (value instanceof Headers) return { [name]: [...value] };
  if (ArrayBuffer.isView(value)) return { [name]: [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)] };
  if (value instanceof ArrayBuffer) return { [name]: [...new Uint8Array(value)] };
  if (value instanceof Number || value instanceof String || value instanceof Boolean) return { [name]: value.valueOf() };
  return { [name]: members() };
}

export default {
  async fetch(request, env) {
    const { ADMIN, OTHER, PLAIN, PLAIN_DEFAULT, SUB, SILENT } = env;
    const tried = {};
    const run = async (name, work) => {
      try {
        tried[name] = shown(await work());
      } catch (error) {
        tried[name] = { threw: shown(error) };
      }
    };
    const json = async (response) => (await response).json();
    await run("fetch: a class", () => json(ADMIN.fetch("http://x/y", { method: "POST", body: "b" })));
    await run("fetch: a class below it", () => json(SUB.fetch("http://x/y")));
    await run("fetch: the default one", () => json(OTHER.fetch("http://x/y")));
    await run("fetch: an object", () => json(PLAIN.fetch("http://x/y")));
    await run("fetch: a default object", () => json(PLAIN_DEFAULT.fetch("http://x/y")));
    await run("fetch: none", () => json(SILENT.fetch("http://x/y")));

    await run("call", () => ADMIN.add(1, 2));
    await run("call the default one", () => OTHER.greet("bob"));
    await run("call what is inherited", async () => [await SUB.extra(), await SUB.add(3, 4)]);
    await run("call one without fetch", () => SILENT.m());
    await run("who", () => ADMIN.who());
    await run("call an object", () => PLAIN.hello(1));
    await run("call a default object", () => PLAIN_DEFAULT.hello(1));
    await run("call an object with two arguments", () => PLAIN_DEFAULT.hello(1, 2));
    await run("call an object with none", () => PLAIN_DEFAULT.hello());
    await run("read an object", async () => [await PLAIN.value, await PLAIN_DEFAULT.value]);
    await run("call many at once", () => Promise.all(Array.from({ length: 50 }, (_, number) => ADMIN.add(number, 1))));
    await run("call by another name", () => {
      const { add } = ADMIN;
      return add(5, 6);
    });

    const members = [
      "name", "later", "bad", "tree", "own", "made", "missing", "value", "object", "ctx", "env", "secret", "#secret", "_under", "stat",
      "dup", "alarm", "webSocketMessage", "webSocketClose", "webSocketError", "scheduled", "queue", "count", "", "a.b", "odd name/?",
    ];
    // A function would be a stub.
    const functions = ["_under", "scheduled", "queue", "count", "odd name/?"];
    for (const member of members) {
      if (!functions.includes(member)) await run(`read ${member}`, () => ADMIN[member]);
      await run(`call ${member}`, () => ADMIN[member]());
    }
    await run("read tree.v", () => ADMIN.tree.v);
    await run("read tree.o.z", () => ADMIN.tree.o.z);
    await run("read tree.missing", () => ADMIN.tree.missing);
    await run("read name.size", () => ADMIN.name.size);
    await run("read later.deep", () => ADMIN.later.deep);
    await run("call tools.twice", () => ADMIN.tools.twice(4));
    await run("call add.apply", () => ADMIN.add.apply(null, [1, 2]));
    await run("call add.call", () => ADMIN.add.call(null, 1, 2));
    await run("call add.bind", () => ADMIN.add.bind(null, 1)(2));

    for (const kind of await ADMIN.failures()) await run(`fail: ${kind}`, () => ADMIN.fail(kind));
    for (const kind of await ADMIN.values()) await run(`value: ${kind}`, () => ADMIN.give(kind));
    await run("value: a cycle", async () => {
      const all = await ADMIN.cycle();
      return all.self === all;
    });
    await run("value: itself", () => ADMIN.itself());
    await run("value: the context", () => ADMIN.context());

    const twice = { a: 1 };
    const given = {
      none: [],
      undefined: [undefined],
      many: [1, "a", null, true, 1n, -0, NaN, Infinity, new Date(5)],
      twice: [twice, twice],
      class: [new Point()],
      "a class inside": [{ a: { b: new Point() } }],
      symbol: [Symbol("y")],
      weak: [new WeakSet()],
      promise: [Promise.resolve(1)],
      url: [new URL("http://a/")],
      error: [Object.assign(new RangeError("r"), { x: 1, cause: { c: [new Error("deep")] } })],
      "a member": [ADMIN.add],
      "a promise of another app": [ADMIN.add(1, 2)],
    };
    for (const [name, args] of Object.entries(given)) await run(`argument: ${name}`, () => ADMIN.echo(...args));
    await run("the same object", async () => {
      const [one, other] = await ADMIN.echo(twice, twice);
      return one === other;
    });
    await run("too long a result", () => ADMIN.long(33 << 20));
    await run("too long an argument", () => ADMIN.count("x".repeat(33 << 20)));
    await run("long both ways", async () => {
      const [text] = await ADMIN.echo("y".repeat(3 << 20));
      return [text.length, text[5]];
    });

    const promise = ADMIN.add(1, 2);
    await run("kinds", () => [
      typeof ADMIN.add, typeof ADMIN.add.further, typeof ADMIN.then, typeof ADMIN.missing, "missing" in ADMIN, "fetch" in ADMIN,
      Object.keys(ADMIN), String(ADMIN.add), Object.prototype.toString.call(ADMIN.add), ADMIN.add instanceof Function,
      ADMIN.add.constructor.name, ADMIN.add === ADMIN.add, ADMIN.constructor.name, typeof ADMIN[Symbol.iterator], typeof ADMIN[0],
      typeof promise, promise instanceof Promise, Object.prototype.toString.call(promise), promise.constructor.name,
      typeof promise.then, typeof promise.catch, typeof promise.finally, typeof promise[Symbol.dispose], typeof promise.further,
      Object.keys(promise),
    ]);
    await run("then", () => promise.then((sum) => sum + 1));
    await run("again", () => promise);
    await run("finally", () => promise.finally(() => 7));
    await run("catch", () => ADMIN.fail("error").catch((error) => error.message));
    await run("a member of what is to come", () => ADMIN.echo({ a: { b: 5 } })[0]);
    await run("members of what is to come", async () => [await ADMIN.cycle().a, await SUB.cycle().self.self.a]);
    await run("what it does not have", () => ADMIN.cycle().missing);
    await run("nor its members", () => ADMIN.cycle().missing.further);
    await run("calling what it does not have", () => ADMIN.cycle().missing());
    await run("calling what is no function", () => ADMIN.cycle().a());
    await run("a member of what fails", () => ADMIN.fail("type").a.b);
    await run("set", () => {
      PLAIN.extra = 1;
      return [PLAIN.extra, Object.keys(PLAIN)];
    });
    await run("an unknown member of the default one", () => OTHER.nope());
    return Response.json(tried);
  },
};
