import fetch, { FormData, Headers, Request } from "node-fetch";
import { used } from "../used.js";

export default used(async (env) => {
  const posted = await (await fetch(new Request(`${env.UP}/echo`, { method: "POST", body: "text", headers: new Headers({ "x-own": "1" }) }))).json();
  const form = new FormData();
  form.set("a", "1");
  const sent = await (await fetch(`${env.UP}/echo`, { method: "POST", body: form })).json();
  return [posted.body, posted.own, sent.type.split(";")[0], (await fetch(`${env.UP}/missing`)).ok];
}, ["text", "1", "multipart/form-data", false]);
