import superagent from "superagent";
import { used } from "../used.js";

export default used(async (env) => {
  const posted = await superagent.post(`${env.UP}/echo`).query({ q: "a" }).set("x-own", "1").send({ a: 1 });
  const missing = await superagent.get(`${env.UP}/missing`).catch((error) => [error.status, error.response.body]);
  return [posted.status, posted.body.path, posted.body.body, posted.body.own, missing, (await superagent.get(`${env.UP}/flaky?key=${crypto.randomUUID()}`).retry(3)).body];
}, [200, "/echo?q=a", '{"a":1}', "1", [404, { error: "none" }], { tries: 3 }]);
