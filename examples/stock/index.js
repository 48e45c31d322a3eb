// An app that others ask and call: see examples/shop.
import { WorkerEntrypoint } from "cloudflare:workers";

const left = new Map([["lamp", 3], ["chair", 12]]);

/** What apps call that have it among their services. Clients do not reach it. */
export class Orders extends WorkerEntrypoint {
  order(item, count) {
    const there = left.get(item) ?? 0;
    if (!(count > 0 && count <= there)) throw new RangeError(`There are ${there} of ${item}`);
    left.set(item, there - count);
    return { left: there - count, note: `${count} of ${item} for ${this.ctx.props.customer}` };
  }
}

export default {
  fetch(request) {
    const item = decodeURIComponent(new URL(request.url).pathname.slice(1));
    return left.has(item) ? Response.json({ item, left: left.get(item) }) : new Response("", { status: 404 });
  },
};
