// TypeScript as it is: no build step. Types are stripped, not checked; an editor checks them by tsconfig.json.
import { greet } from "./greet.ts";

interface Env {
  GREETING?: string;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const name: string = new URL(request.url).searchParams.get("name") ?? "World";
    return new Response(greet(name, env.GREETING), { headers: { "content-type": "text/plain" } });
  },
};
