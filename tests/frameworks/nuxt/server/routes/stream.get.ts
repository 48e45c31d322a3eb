export default defineEventHandler((event) => {
  const gate = String(getQuery(event).gate);
  async function* parts() {
    yield '<!doctype html><html lang="en"><head><title>Nuxt</title><link rel="icon" href="data:,"></head><body><p>waiting</p>';
    yield `<p>${await (await fetch(gate)).text()}</p></body></html>`;
  }
  setResponseHeader(event, "content-type", "text/html; charset=utf-8");
  return ReadableStream.from(parts()).pipeThrough(new TextEncoderStream());
});
