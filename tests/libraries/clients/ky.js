import ky, { HTTPError } from "ky";
import { used } from "../used.js";

export default used(async (env) => {
  const api = ky.create({ prefixUrl: env.UP, hooks: { beforeRequest: [(request) => request.headers.set("x-own", "1")] } });
  const posted = await api.post("echo", { json: { a: 1 }, searchParams: { q: "a b" } }).json();
  const missing = await api("missing").catch((error) => [error instanceof HTTPError, error.response.status]);
  const flaky = await api(`flaky?key=${crypto.randomUUID()}`, { retry: { limit: 3, delay: () => 1 } }).json();
  return [posted.path, posted.body, posted.own, missing, flaky, await api("packed").text()];
}, ["/echo?q=a+b", '{"a":1}', "1", [true, 404], { tries: 3 }, "unpacked"]);
