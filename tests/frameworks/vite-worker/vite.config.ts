import { cloudflare } from "@cloudflare/vite-plugin";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react(), cloudflare()],
  environments: {
    client: {
      build: {
        rollupOptions: { input: "src/client.tsx", output: { entryFileNames: "[name].js", assetFileNames: "[name][extname]" } },
      },
    },
  },
});
