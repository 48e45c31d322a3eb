// An app that asks another one: env.STOCK is the app `stock`, and env.ORDERS its entrypoint `Orders`, by `services` in nano.toml.
// Try it: curl http://shop.localhost:8080/lamp, and with -d 2 to order two.
export default {
  async fetch(request, env) {
    const item = new URL(request.url).pathname.slice(1) || "lamp";
    try {
      if (request.method === "POST") {
        const { left, note } = await env.ORDERS.order(item, Number(await request.text()));
        return new Response(`${note}, ${left} left\n`);
      }
      const stock = await env.STOCK.fetch(`http://stock/${encodeURIComponent(item)}`);
      if (!stock.ok) return new Response(`There is no ${item}\n`, { status: stock.status });
      const { left } = await stock.json();
      return new Response(`${left} left of ${item}\n`);
    } catch (error) {
      if (error instanceof RangeError) return new Response(`${error.message}\n`, { status: 409 });
      // It crashed, or took too long. This app goes on.
      console.warn("no answer of stock:", error.message);
      return new Response("Ask again later\n", { status: 502 });
    }
  },
};
