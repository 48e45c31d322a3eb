import axios from "axios";
import { used } from "../used.js";

export default used(async (env) => {
  const api = axios.create({ baseURL: env.UP, headers: { "x-own": "1" }, timeout: 20_000 });
  api.interceptors.response.use((response) => ({ ...response, seen: true }));
  const posted = await api.post("/echo", { a: 1 }, { params: { q: "a b" } });
  const form = await api.postForm("/echo", { b: "2" });
  const aborted = await api.get("/echo", { signal: AbortSignal.abort() }).catch((error) => error.code);
  return [posted.status, posted.seen, posted.data.path, posted.data.body, posted.data.own, form.data.type.split(";")[0], await api.get("/missing").catch((error) => [error.response.status, error.response.data, error.code]), aborted, (await api.get("/moved")).data.path];
}, [200, true, "/echo?q=a+b", '{"a":1}', "1", "multipart/form-data", [404, { error: "none" }, "ERR_BAD_REQUEST"], "ERR_CANCELED", "/echo?moved"]);
