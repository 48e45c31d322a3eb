import { defineNitroConfig } from "nitropack/config";

export default defineNitroConfig({
  preset: "cloudflare_module",
  compatibilityDate: "2026-11-01",
  cloudflare: { deployConfig: true, nodeCompat: true },
});
