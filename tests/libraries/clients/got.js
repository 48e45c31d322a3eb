import got from "got";
import { used } from "../used.js";

export default used(async (env) => {
  const api = got.extend({ prefixUrl: env.UP, headers: { "x-own": "1" } });
  const posted = await api.post("echo", { json: { a: 1 }, searchParams: { q: "a b" } }).json();
  const missing = await api("missing").catch((error) => [error.name, error.response.statusCode]);
  const flaky = await api(`flaky?key=${crypto.randomUUID()}`, { retry: { limit: 3, backoffLimit: 1 } }).json();
  return [posted.path, posted.body, posted.own, missing, flaky, await api("packed").text(), (await api("moved").json()).path];
}, ["/echo?q=a+b", '{"a":1}', "1", ["HTTPError", 404], { tries: 3 }, "unpacked", "/echo?moved"]);
