import Anthropic from "@anthropic-ai/sdk";
import { used } from "../used.js";

export default used(async (env) => {
  const anthropic = new Anthropic({ apiKey: "hush", baseURL: env.UP, maxRetries: 0 });
  const question = { model: "m", max_tokens: 10, messages: [{ role: "user", content: "hi" }] };
  const { content } = await anthropic.messages.create(question);
  const pieces = [];
  const stream = anthropic.messages.stream(question).on("text", (text) => pieces.push(text));
  const { stop_reason } = await stream.finalMessage();
  const refused = await new Anthropic({ apiKey: "x", baseURL: env.UP, maxRetries: 0 }).messages.create(question).catch((error) => [error.status, error instanceof Anthropic.AuthenticationError]);
  return [content[0].text, pieces, stop_reason, refused];
}, ["you said hi", ["you ", "said ", "hi"], "end_turn", [401, true]]);
