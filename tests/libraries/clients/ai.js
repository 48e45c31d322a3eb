import { createOpenAI } from "@ai-sdk/openai";
import { generateText, simulateReadableStream, streamText } from "ai";
import { used } from "../used.js";

export default used(async (env) => {
  const model = createOpenAI({ apiKey: "hush", baseURL: `${env.UP}/v1` }).chat("m");
  const { text, finishReason } = await generateText({ model, prompt: "hi" });
  const pieces = [];
  for await (const piece of streamText({ model, prompt: "ho" }).textStream) pieces.push(piece);
  const sent = await streamText({ model, prompt: "hey" }).toTextStreamResponse().text();
  return [text, finishReason, pieces.join("|"), sent, await new Response(simulateReadableStream({ chunks: ["a", "b"] }).pipeThrough(new TextEncoderStream())).text()];
}, ["you said hi", "stop", "you |said |ho", "you said hey", "ab"]);
