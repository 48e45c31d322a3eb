import fetch, { Headers } from "cross-fetch";
import { used } from "../used.js";

export default used(async (env) => {
  const answer = await fetch(`${env.UP}/echo`, { method: "POST", body: "text", headers: new Headers({ "x-own": "1" }) });
  const { body, own } = await answer.json();
  return [answer.status, body, own, (await fetch(`${env.UP}/missing`)).status];
}, [200, "text", "1", 404]);
