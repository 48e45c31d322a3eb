import { Agent, fetch, MockAgent, request } from "undici";
import { used } from "../used.js";

export default used(async (env) => {
  const agent = new Agent({ connections: 2 });
  const { statusCode, body, headers } = await request(`${env.UP}/echo`, { method: "POST", body: '{"a":1}', dispatcher: agent, headers: { "x-own": "1" } });
  const posted = await body.json();
  const fetched = await (await fetch(`${env.UP}/packed`, { dispatcher: agent })).text();
  await agent.close();
  const mock = new MockAgent();
  mock.disableNetConnect();
  mock.get("http://x.example").intercept({ path: "/" }).reply(200, "mocked");
  return [statusCode, headers["content-type"], posted.body, posted.own, fetched, await (await request("http://x.example/", { dispatcher: mock })).body.text()];
}, [200, "application/json", '{"a":1}', "1", "unpacked", "mocked"]);
