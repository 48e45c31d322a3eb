import OpenAI from "openai";
import { used } from "../used.js";

export default used(async (env) => {
  const openai = new OpenAI({ apiKey: "hush", baseURL: `${env.UP}/v1`, maxRetries: 0 });
  const messages = [{ role: "user", content: "hi" }];
  const { choices } = await openai.chat.completions.create({ model: "m", messages });
  let streamed = "";
  for await (const chunk of await openai.chat.completions.create({ model: "m", messages, stream: true })) streamed += chunk.choices[0].delta.content ?? "";
  const lost = await new OpenAI({ apiKey: "x", baseURL: `${env.UP}/missing`, maxRetries: 0 }).get("").catch((error) => [error.status, error instanceof OpenAI.NotFoundError]);
  return [choices[0].message.content, streamed, lost];
}, ["you said hi", "you said hi", [404, true]]);
