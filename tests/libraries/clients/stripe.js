import Stripe from "stripe";
import { used } from "../used.js";

export default used(async (env) => {
  const { hostname: host, port } = new URL(env.UP);
  const stripe = new Stripe("sk_test_1", { host, port, protocol: "http", telemetry: false, maxNetworkRetries: 0 });
  const payload = JSON.stringify({ id: "evt_1", object: "event" });
  const header = await stripe.webhooks.generateTestHeaderStringAsync({ payload, secret: "whsec_1" });
  const event = await stripe.webhooks.constructEventAsync(payload, header, "whsec_1");
  const forged = await stripe.webhooks.constructEventAsync(`${payload} `, header, "whsec_1").catch((error) => error.type);
  const made = await stripe.customers.create({ email: "a@b.c" }, { idempotencyKey: "once" });
  const ids = [];
  for await (const { id } of stripe.customers.list({ limit: 2 })) ids.push(id);
  return [event.id, forged, made.email, made.key, ids];
}, ["evt_1", "StripeSignatureVerificationError", "a@b.c", "once", ["cus_1", "cus_2", "cus_3", "cus_4"]]);
