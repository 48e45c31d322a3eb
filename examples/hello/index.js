// The smallest app: one handler, one answer.
export default {
  async fetch(request, env, ctx) {
    return new Response("Hello World", { headers: { "content-type": "text/plain" } });
  },
};
