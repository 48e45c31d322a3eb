// An app whose default export is no class.
export default {
  fetch: () => Response.json({ who: "plain default" }),
  hello(first, env, ctx) {
    return [first, typeof env, typeof ctx.waitUntil, arguments.length];
  },
  value: 3,
};
