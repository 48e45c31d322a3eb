import build from "@hono/vite-build/cloudflare-pages";
import { defineConfig } from "vite";

export default defineConfig(({ mode }) =>
  mode === "client"
    ? { build: { rollupOptions: { input: "src/client.tsx", output: { entryFileNames: "client.js", assetFileNames: "[name][extname]" } } } }
    : { plugins: [build()], build: { emptyOutDir: false } },
);
