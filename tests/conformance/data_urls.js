// data: URLs, by the tables of the data-url crate's own tests. https://fetch.spec.whatwg.org/#data-url-processor
import { base64, urls } from "./data.js";
import { equal, rejects, same } from "./harness.js";

const checks = {};
export default checks;

async function holds(url, type, bytes) {
  if (bytes === null) return rejects(TypeError, fetch(url));
  const response = await fetch(url);
  if (type !== undefined) equal(response.headers.get("content-type"), type, "its type");
  same([...new Uint8Array(await response.arrayBuffer())], bytes, "its bytes");
}

for (const [url, type, bytes] of urls) checks[url] = () => holds(url, type ?? undefined, type === null ? null : bytes);
for (const [text, bytes] of base64) {
  checks[`base64 ${JSON.stringify(text)}`] = () => holds(`data:;base64,${text}`, undefined, bytes);
}
