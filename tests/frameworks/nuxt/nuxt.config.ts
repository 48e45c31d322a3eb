export default defineNuxtConfig({
  compatibilityDate: "2026-11-01",
  app: { head: { title: "Nuxt", htmlAttrs: { lang: "en" }, link: [{ rel: "icon", href: "data:," }] } },
  css: ["~/assets/style.css"],
  features: { inlineStyles: false },
  nitro: { preset: "cloudflare_module", cloudflare: { deployConfig: true, nodeCompat: true } },
  devtools: { enabled: false },
  telemetry: false,
});
