export default defineEventHandler((event) => {
  const gate = String(getQuery(event).gate);
  async function* parts() {
    yield `${head}<p>waiting</p>`;
    yield `<p>${escape(await (await fetch(gate)).text())}</p></body></html>`;
  }
  setResponseHeader(event, "content-type", "text/html; charset=utf-8");
  return ReadableStream.from(parts()).pipeThrough(new TextEncoderStream());
});
