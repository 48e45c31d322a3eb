const failed = ({ name, message, remote, constructor }) => ["failed", name, message, constructor.name, remote ?? "own"];

export default {
  async fetch(request, env) {
    const results = {};
    const run = async (name, work) => {
      try {
        results[name] = await work();
      } catch (error) {
        results[name] = failed(error);
      }
    };
    for (const name of Object.keys(made)) {
      await run(`sent: ${name}`, async () => env.OTHER.take(await made[name]()));
      await run(`given: ${name}`, async () => shown(await env.OTHER.give(name)));
    }
    await run("and back", async () => shown(await env.OTHER.back({ blob: new Blob(["there"], { type: "a/b" }) })));
    await run("as a member", async () => shown(await env.OTHER.back({ blob: new Blob(["there"]) }).blob));
    await run("unchanged", async () => {
      const blob = new Blob(["kept"]);
      await env.OTHER.take(blob);
      return blob.text();
    });
    return Response.json(results);
  },
};
