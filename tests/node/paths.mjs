// path, url, querystring, punycode: names of things.
import path, { basename, posix, win32 } from "node:path";
import posixPath from "node:path/posix";
import win32Path from "node:path/win32";
import url, { domainToASCII, domainToUnicode, fileURLToPath, pathToFileURL, urlToHttpOptions } from "node:url";
import querystring from "node:querystring";
import punycode from "node:punycode";

export default async function (is, throws) {
  is("join", [path.join("/a", "..", "b", "./c"), path.join("a", "", ".."), path.join()], ["/b/c", ".", "."]);
  is("resolve", [path.resolve("/a", "b", "../c"), path.resolve("/a", "/b")], ["/a/c", "/b"]);
  is("normalize", path.normalize("/a//b/../c/."), "/a/c");
  is("relative", path.relative("/a/b/c", "/a/d"), "../../d");
  is("parts", [path.dirname("/a/b.txt"), basename("/a/b.txt", ".txt"), path.extname("a.b.c"), path.extname(".rc")], ["/a", "b", ".c", ""]);
  is("parse", path.parse("/home/u/f.txt"), { root: "/", dir: "/home/u", base: "f.txt", ext: ".txt", name: "f" });
  is("format", path.format({ dir: "/a", name: "b", ext: ".c" }), "/a/b.c");
  is("isAbsolute", [path.isAbsolute("/a"), path.isAbsolute("a"), win32.isAbsolute("C:\\a")], [true, false, true]);
  is("win32", [win32.join("C:\\a", "..", "b"), win32.basename("C:\\a\\b.c"), win32.parse("C:\\x").root, win32.sep, win32.normalize("a/b\\..\\c")], ["C:\\b", "b.c", "C:\\", "\\", "a\\c"]);
  is("flavours", [path === posix, posixPath === posix, win32Path === win32, path.posix === posix, path.sep, path.delimiter], [true, true, true, true, "/", ":"]);
  throws("a path is a string", () => path.join(5), "TypeError", "ERR_INVALID_ARG_TYPE");

  const parsed = url.parse("http://u:p@Host.com:8080/p/a?q=1&r#h", true);
  is("url.parse", [parsed.protocol, parsed.auth, parsed.host, parsed.port, parsed.pathname, parsed.search, { ...parsed.query }, parsed.hash, parsed.href], ["http:", "u:p", "host.com:8080", "8080", "/p/a", "?q=1&r", { q: "1", r: "" }, "#h", "http://u:p@host.com:8080/p/a?q=1&r#h"]);
  for (const [text, host, href] of [
    ["http://a@b\r\nc/d", "bc", "http://a@bc/d"],
    ["http://a\tb:8\n0/c", "ab:80", "http://ab:80/c"],
    ["//a\nb/c", null, "//a%0Ab/c"],
    ["http://x/a\nb?c\td", "x", "http://x/a%0Ab?c%09d"],
  ]) is(`the host of ${JSON.stringify(text)}`, [url.parse(text).host, url.parse(text).href], [host, href]);
  for (const text of ["\0http://a@b/c", " \x1fHTTP:\\\\b/c", "\x01\t http://b/c\0", "http://b/c\x1f\n"]) {
    is(`both parsers see the host of ${JSON.stringify(text)}`, [url.parse(text).host, new URL(text).host, url.parse(text).pathname], ["b", "b", "/c"]);
  }
  is("controls at the end of a query", url.parse("//a?b\0").search, "?b");
  is("url.resolve of controls", url.resolve("http://a/b", "\0http://c/d"), "http://c/d");
  is("url.format without a host", ["mailto:a@b?c", "javascript:/a", "x:///a", "data:a,b#c"].map((text) => url.format(new URL(text))), ["mailto:a@b?c", "javascript:/a", "x:///a", "data:a,b#c"]);
  is("url.format in Unicode", ["http://xn--bcher-kva.example/", "x://xn--/a"].map((text) => url.format(new URL(text), { unicode: true })), ["http://b\u00fccher.example/", "x://xn--/a"]);
  is("url.domainToUnicode", ["xn--bcher-kva.example", "a b", "B\u00dcCHER"].map((text) => url.domainToUnicode(text)), ["b\u00fccher.example", "", "b\u00fccher"]);
  for (const [text, host, path] of [
    ["http://a!b,c*d/e", "a!b,c*d", "/e"],
    ["http://0x7f.1/", "0x7f.1", "/"],
    ["http://xn--a/", "xn--a", "/"],
    ["http://b\u00fccher.example/", "xn--bcher-kva.example", "/"],
    ["//u:p@h/x", "h", "/x"],
    ["http://a;b@c/", "c", "/"],
    ["http://a\\b@c", "a", "/b@c"],
  ]) is(`the host of ${text}`, [url.parse(text).host, url.parse(text).path], [host, path]);
  for (const text of ["http://h:8a/", "http://h:a", "http://[::1", "http://javascript:x/"]) {
    throws(`no port in ${text}`, () => url.parse(text), "TypeError", "ERR_INVALID_ARG_VALUE");
  }
  is("the host without a scheme", url.parse("//a\nb/c", false, true).host, "ab");
  is("both parsers see one host", [url.parse("http://a@b\r\nc/d").host], [new URL("http://a@b\r\nc/d").host]);
  is("url.format", [url.format({ protocol: "https", host: "h.com", pathname: "/a", query: { x: 1 } }), url.format(new URL("http://user:pw@h.com/#f"), { auth: false, fragment: false })], ["https://h.com/a?x=1", "http://h.com/"]);
  is("url.resolve", [url.resolve("/one/two/three", "four"), url.resolve("http://example.com/one", "/two")], ["/one/two/four", "http://example.com/two"]);
  is("the web's classes", [url.URL === globalThis.URL, url.URLSearchParams === globalThis.URLSearchParams], [true, true]);
  is("file urls", [fileURLToPath("file:///a%20b/c"), pathToFileURL("/a b/#c").href], ["/a b/c", "file:///a%20b/%23c"]);
  throws("not a file url", () => fileURLToPath("http://h/"), "TypeError", "ERR_INVALID_URL_SCHEME");
  is("domains", [domainToASCII("espa\u00f1ol.com"), domainToASCII("xn--i\u00f1valid.com"), domainToUnicode("xn--espaol-zwa.com")], ["xn--espaol-zwa.com", "", "espa\u00f1ol.com"]);
  const options = urlToHttpOptions(new URL("https://a:b@h.com:1/p?q"));
  is("urlToHttpOptions", [options.hostname, options.port, options.path, options.auth], ["h.com", 1, "/p?q", "a:b"]);

  is("querystring.parse", { ...querystring.parse("a=1&b=2&a=%C3%A4&c&d=x+y") }, { a: ["1", "\u00e4"], b: "2", c: "", d: "x y" });
  is("querystring.stringify", querystring.stringify({ a: ["1", "\u00e4"], b: true, c: "", d: "x y", e: {} }), "a=1&a=%C3%A4&b=true&c=&d=x%20y&e=");
  is("own separators", [querystring.stringify({ a: 1, b: 2 }, ";", ":"), { ...querystring.parse("a:1;b:2", ";", ":") }], ["a:1;b:2", { a: "1", b: "2" }]);
  is("escape", [querystring.escape("a&\u00e4"), querystring.unescape("a%26%C3%A4%zz")], ["a%26%C3%A4", "a&\u00e4%zz"]);

  is("punycode", [punycode.encode("ma\u00f1ana"), punycode.decode("maana-pta"), punycode.toASCII("ma\u00f1ana.com"), punycode.toUnicode("xn--maana-pta.com")], ["maana-pta", "ma\u00f1ana", "xn--maana-pta.com", "ma\u00f1ana.com"]);
  is("punycode of an address", [punycode.toASCII("\u0434\u0436@\u0434\u0436\u3002com"), punycode.encode("abc"), punycode.decode("abc-")], ["\u0434\u0436@xn--d1ae.com", "abc-", "abc"]);
  is("ucs2", [punycode.ucs2.decode("\ud83c\udf0da"), punycode.ucs2.encode([0x1f30d, 97])], [[0x1f30d, 97], "\ud83c\udf0da"]);
  throws("punycode that is none", () => punycode.decode("\u0080-x"), "RangeError");
}
