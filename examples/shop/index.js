// An app that asks another one: env.STOCK is the app `stock`, by `services` in nano.toml.
// Try it: curl http://shop.localhost:8080/lamp
export default {
  async fetch(request, env) {
    const item = new URL(request.url).pathname.slice(1) || "lamp";
    let stock;
    try {
      stock = await env.STOCK.fetch(`http://stock/${encodeURIComponent(item)}`);
    } catch (error) {
      // It crashed, or took too long. This app goes on.
      console.warn("no answer of stock:", error.message);
      return new Response("Ask again later\n", { status: 502 });
    }
    if (!stock.ok) return new Response(`There is no ${item}\n`, { status: stock.status });
    const { left } = await stock.json();
    return new Response(`${left} left of ${item}\n`);
  },
};
