// Reaches the app's own entrypoints, and says what came of each.
import * as workers from "cloudflare:workers";
import { WorkerEntrypoint } from "cloudflare:workers";

export class Admin extends WorkerEntrypoint {
  fetch(request) {
    return new Response(`admin ${new URL(request.url).pathname} ${JSON.stringify(this.ctx.props)}`);
  }
  who(...args) {
    return [this.ctx.props, args, typeof this.env, typeof this.ctx.exports, this.constructor.name];
  }
  adder(to) {
    return (by) => to + by;
  }
  async call(callback) {
    return [typeof callback, callback.constructor.name, await callback(5)];
  }
  fail() {
    throw Object.assign(new RangeError("failed"), { code: 3 });
  }
  async again(depth) {
    return depth === 0 ? "deepest" : this.ctx.exports.Admin.again(depth - 1);
  }
}

export class Failing extends WorkerEntrypoint {
  fetch() {
    throw new TypeError("no response");
  }
}

export const plain = {
  fetch: () => new Response("plain"),
  hello(first, env, ctx) {
    return [first, typeof env, typeof ctx];
  },
};

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname !== "/") return new Response(`default ${pathname}`);
    const { Admin, Failing } = ctx.exports;
    const tried = {};
    const run = async (name, work) => {
      try {
        tried[name] = (await work()) ?? "undefined";
      } catch (error) {
        tried[name] = { threw: [error.name, error.message, error.code, error.remote] };
      }
    };
    await run("names", () => [Object.keys(ctx.exports), Object.keys(workers.exports), "Admin" in workers.exports, "nope" in ctx.exports]);
    await run("kinds", () => [
      typeof Admin, typeof ctx.exports.default, typeof ctx.exports.plain, typeof ctx.exports.nope, Object.prototype.toString.call(ctx.exports),
      Object.prototype.toString.call(Admin), Admin.constructor.name, Admin instanceof workers.ServiceStub, ctx.exports.Admin === Admin,
      ctx.exports === ctx.exports, typeof Admin.who, Admin.who().constructor.name, workers.ServiceStub.name,
    ]);
    await run("a call", () => Admin.who(1, { a: 1 }));
    await run("with props", () => Admin({ props: { a: [1] } }).who(1));
    await run("without props", () => Admin({}).who(1));
    await run("with no options", () => Admin().who(1));
    await run("what that is", () => {
      const stub = Admin({ props: {} });
      return [typeof stub, stub.constructor.name, Object.prototype.toString.call(stub), stub instanceof workers.ServiceStub];
    });
    await run("a fetch", async () => (await Admin.fetch("http://x/y")).text());
    await run("a fetch with props", async () => (await Admin({ props: { b: 2 } }).fetch("http://x/y", { method: "POST", body: "x" })).text());
    await run("a fetch that fails", () => Failing.fetch("http://x/"));
    await run("a fetch of an object", async () => (await ctx.exports.plain.fetch("http://x/y")).text());
    await run("a fetch of the default one", async () => (await ctx.exports.default.fetch("http://x/other")).text());
    await run("an object", () => ctx.exports.plain.hello(1));
    await run("a function", async () => (await Admin.adder(1))(2));
    await run("pipelined", () => Admin.adder(1)(3));
    await run("a callback", () => Admin.call((x) => x * 2));
    await run("an error", () => Admin.fail());
    await run("what is missing", () => Admin.missing());
    await run("what is missing of the default one", () => ctx.exports.default.missing());
    await run("arguments are copied", async () => {
      const given = { a: 1 };
      const [, [back]] = await Admin.who(given);
      return [back === given, back];
    });
    await run("deep", () => Admin.again(5));
    await run("from the module", () => workers.exports.Admin.who(2));
    await run("withExports", () => workers.withExports({ A: 1 }, () => [workers.exports.A, typeof ctx.exports.A]));
    await run("withEnv", () => workers.withEnv({ A: 1 }, () => [workers.env.A, typeof env.A]));
    await run("withEnvAndExports", () => workers.withEnvAndExports({ A: 1 }, { B: 2 }, () => [workers.env.A, workers.exports.B]));
    await run("a constructor", () => {
      try {
        return new workers.ServiceStub();
      } catch ({ name, message }) {
        return [name, message];
      }
    });
    return Response.json(tried);
  },
};
