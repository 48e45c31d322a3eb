// Clients of web services, against a server that is named in `env`: axios, ky, Stripe, AWS signatures.
import { AwsClient } from "aws4fetch";
import axios from "axios";
import ky from "ky";
import Stripe from "stripe";

export default {
  async fetch(_request: Request, env: { UPSTREAM: string }) {
    const upstream = env.UPSTREAM;
    const stripe = new Stripe("sk_test_1", {
      host: new URL(upstream).hostname,
      port: new URL(upstream).port,
      protocol: "http",
      httpClient: Stripe.createFetchHttpClient(),
      telemetry: false,
    });
    const payload = JSON.stringify({ id: "evt_1", object: "event" });
    const header = await stripe.webhooks.generateTestHeaderStringAsync({ payload, secret: "whsec_1" });
    const event = await stripe.webhooks.constructEventAsync(payload, header, "whsec_1");
    const aws = new AwsClient({ accessKeyId: "AKID", secretAccessKey: "secret", region: "eu-west-1", service: "s3" });
    const signed = await aws.sign(`${upstream}/bucket/key`, { method: "PUT", body: "data", aws: { datetime: "20260101T000000Z" } });
    const posted = await axios.post(`${upstream}/echo`, { from: "axios" }, { params: { q: "a b" }, adapter: "fetch" });
    const missing = await axios.get(`${upstream}/missing`, { adapter: "fetch" }).catch((error) => error.response.status);
    return Response.json({
      axios: [posted.status, posted.data, missing],
      ky: await ky.post(`${upstream}/echo`, { json: { from: "ky" }, retry: 0 }).json(),
      stripe: [event.id, (await stripe.customers.create({ email: "a@b.c" })).id],
      aws: [signed.headers.get("authorization")?.split(",")[0], (await aws.fetch(signed)).status],
    });
  },
};
