"use server";

import { getCloudflareContext } from "@opennextjs/cloudflare";

export async function greet(_: string, form: FormData) {
  const { env } = getCloudflareContext();
  return `${(env as unknown as { GREETING: string }).GREETING} ${form.get("name")}`;
}
