import { WebClient } from "@slack/web-api";
import { used } from "../used.js";

export default used(async (env) => {
  // On Workers, fetch may not be called as a method of another object, which this package does with the global one.
  const of = (token) => new WebClient(token, { slackApiUrl: `${env.UP}/api/`, fetch: (...args) => fetch(...args), retryConfig: { retries: 0 } });
  const { ok, message } = await of("xoxb").chat.postMessage({ channel: "C1", text: "hello" });
  return [ok, message.text, await of("no").chat.postMessage({ channel: "C1", text: "x" }).catch((error) => error.code)];
}, [true, "hello", "slack_webapi_platform_error"]);
