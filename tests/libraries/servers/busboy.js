import { Readable } from "node:stream";
import busboy from "busboy";
import { used } from "../used.js";

export default used(async () => {
  const form = new FormData();
  form.append("name", "ada");
  form.append("file", new File(["x".repeat(100_000)], "ä.txt", { type: "text/plain" }));
  const request = new Request("https://x.example/", { method: "POST", body: form });
  const parser = busboy({ headers: Object.fromEntries(request.headers), defParamCharset: "utf8" });
  const seen = [];
  parser.on("field", (name, value) => seen.push([name, value]));
  parser.on("file", (name, stream, { filename, mimeType }) => {
    let size = 0;
    stream.on("data", (data) => { size += data.length; }).on("end", () => seen.push([name, filename, mimeType, size]));
  });
  await new Promise((resolve, reject) => Readable.fromWeb(request.body).pipe(parser).on("close", resolve).on("error", reject));
  return seen;
}, [["name", "ada"], ["file", "ä.txt", "text/plain", 100_000]]);
