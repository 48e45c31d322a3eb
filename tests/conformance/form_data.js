// FormData in bodies. https://fetch.spec.whatwg.org/#dom-body-formdata and RFC 7578
import { equal, ok, rejects, same } from "./harness.js";

const multipart = (body, boundary = "b") =>
  new Response(body, { headers: { "content-type": `multipart/form-data; boundary=${boundary}` } }).formData();
const part = (head, content = "v") => `--b\r\n${head}\r\n\r\n${content}\r\n`;
const END = "--b--\r\n";
/** Entries as data: files as name, type and text. */
const entries = async (form) => {
  const list = [];
  for (const [name, value] of await form) {
    list.push(typeof value === "string" ? [name, value] : [name, value.name, value.type, await value.text()]);
  }
  return list;
};
const one = async (head, content) => (await entries(multipart(part(head, content) + END)))[0];

export default {
  async "every name, file name, type and content comes back"() {
    const form = new FormData();
    form.append('n"a\r\nme%22', "line\nline");
    form.append("a", "1");
    form.append("a", "");
    form.append("f", new File(["\r\n--b\r\n\0"], 'f;i=l"e.txt', { type: "text/x;a=b" }));
    form.append("ü", new Blob(["x"]), "ö.bin");
    const back = await entries(new Response(form).formData());
    same(back, [
      ['n"a\r\nme%22', "line\r\nline"].map((text) => text.replace("%22", '"')),
      ["a", "1"],
      ["a", ""],
      ["f", 'f;i=l"e.txt', "text/x;a=b", "\r\n--b\r\n\0"],
      ["ü", "ö.bin", "application/octet-stream", "x"],
    ]);
  },
  async "parameters may hold what separates them"() {
    same(await one('Content-Disposition: form-data; name="a=b;c"; filename="d; name=e.txt"'),
      ["a=b;c", "d; name=e.txt", "text/plain", "v"]);
  },
  async "escapes of browsers and of others"() {
    same(await one('Content-Disposition: form-data; name="a%22%0D%0A%0d%0a%41"'), ['a"\r\n\r\n%41', "v"]);
    same(await one('Content-Disposition: form-data; name="a"; filename="say \\"hi\\".txt"'),
      ["a", 'say "hi".txt', "text/plain", "v"]);
    same(await one('Content-Disposition: form-data; name="a"; filename="C:\\dir\\"'), ["a", "C:\\dir\\", "text/plain", "v"]);
  },
  async "names of fields and parameters are case-insensitive, values may be bare"() {
    same(await one("CONTENT-disposition:Form-Data ;  NAME=a ;FileName=f.txt\r\nContent-TYPE: Text/X"),
      ["a", "f.txt", "text/x", "v"]);
  },
  async "other header fields are passed over"() {
    same(await one('X-Other: 1\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: binary'), ["a", "v"]);
  },
  async "a file name makes a file, also an empty one"() {
    same(await one('Content-Disposition: form-data; name="a"; filename=""\r\nContent-Type: application/x', ""),
      ["a", "", "application/x", ""]);
  },
  async "text keeps its byte order mark and is UTF-8"() {
    same(await one('Content-Disposition: form-data; name="\u00e4"', "\ufeff\u00fc"), ["\u00e4", "\ufeff\u00fc"]);
    const broken = new Uint8Array([...new TextEncoder().encode('--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n'), 0xff,
      ...new TextEncoder().encode(`\r\n${END}`)]);
    same(await entries(multipart(broken)), [["a", "\ufffd"]]);
  },
  async "what looks like a delimiter is content"() {
    const content = "x\r\n--bc\r\n --b\r\n-b\r\n--b x\r\n\r\r\n\n";
    same(await one('Content-Disposition: form-data; name="a"', content), ["a", content]);
  },
  async "preamble, padding and epilogue are passed over"() {
    const body = `preamble\r\n--b \t\r\nContent-Disposition: form-data; name="a"\r\n\r\nv\r\n--b-- \r\nepilogue`;
    same(await entries(multipart(body)), [["a", "v"]]);
  },
  async "a form without entries"() {
    same(await entries(multipart("--b--")), []);
    same(await entries(new Response(new FormData()).formData()), []);
  },
  async "a boundary may be quoted"() {
    same(await entries(multipart('--a b\r\nContent-Disposition: form-data; name="a"\r\n\r\nv\r\n--a b--', '"a b"')), [["a", "v"]]);
  },
  async "what is no form is refused, not cut short"() {
    const head = 'Content-Disposition: form-data; name="a"';
    const bodies = [
      "", "--b", "--c--", part(head), `${part(head)}--b\r\n${head}\r\n\r\nlost`, `--b\r\n${head}`,
      part("Content-Disposition: form-data") + END, part("Content-Type: text/plain") + END,
      part('Content-Disposition: attachment; name="a"') + END, part("no colon") + END,
      part('Content-Disposition: form-data; name="a') + END,
    ];
    for (const body of bodies) await rejects(TypeError, multipart(body));
    const noBoundary = new Response("--b--", { headers: { "content-type": "multipart/form-data" } });
    await rejects(TypeError, noBoundary.formData());
    await rejects(TypeError, new Response("a=b").formData());
  },
  async "a megabyte with many line ends is read soon"() {
    const content = "\r\n".repeat(500_000);
    const [, value] = await one('Content-Disposition: form-data; name="a"', content);
    equal(value.length, content.length, "its length");
  },
  async "urlencoded bodies"() {
    const form = await new Response(new URLSearchParams([["a b", "ü&="], ["c", ""], ["a b", "2"]])).formData();
    same([...form], [["a b", "ü&="], ["c", ""], ["a b", "2"]]);
    const typed = new Response("a=%EF%BB%BF%FF+", { headers: { "content-type": "application/X-www-form-urlencoded;x=y" } });
    same([...(await typed.formData())], [["a", "\ufeff\ufffd "]]);
  },
  async "a form's body names its boundary"() {
    const form = new FormData();
    form.set("a", "b");
    const request = new Request("https://origin.example/", { method: "POST", body: form });
    const [, boundary] = /^multipart\/form-data; boundary=(\S+)$/.exec(request.headers.get("content-type"));
    ok((await request.text()).startsWith(`--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--${boundary}--`),
      "the body does not use the boundary");
  },
};
