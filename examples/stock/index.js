// An app that others ask: see examples/shop.
const left = new Map([["lamp", 3], ["chair", 12]]);

export default {
  fetch(request) {
    const item = decodeURIComponent(new URL(request.url).pathname.slice(1));
    return left.has(item) ? Response.json({ item, left: left.get(item) }) : new Response("", { status: 404 });
  },
};
