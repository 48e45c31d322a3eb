// URL and URLSearchParams. https://url.spec.whatwg.org/
import { equal, ok, same, throws } from "./harness.js";

const PARTS = ["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash"];
const parts = (url) => PARTS.map((part) => url[part]);

/** `url` after `part` was set to `value`. */
const set = (url, part, value) => {
  url = new URL(url);
  url[part] = value;
  return url.href;
};

export default {
  "a URL has its parts"() {
    const url = new URL("https://us%65r:p:w@Example.COM:8080/a/./b/../c?q=1&r#frag ment");
    same(parts(url), ["https:", "us%65r", "p%3Aw", "example.com", "8080", "/a/c", "?q=1&r", "#frag%20ment"]);
    same([url.origin, url.host], ["https://example.com:8080", "example.com:8080"]);
    same([String(url), JSON.stringify(url)], [url.href, JSON.stringify(url.href)]);
  },
  "spaces, tabs and new lines around and in it do not count"() {
    equal(new URL("  \u0000ht\ntp:\t//a\r/b\u001F ").href, "http://a/b");
  },
  "special schemes are lenient about slashes"() {
    for (const text of ["http:a/b", "http:/a/b", "http:\\\\a\\b", "http:////a/b", "HTTP://a/b"]) {
      equal(new URL(text).href, "http://a/b", text);
    }
    equal(new URL("//b/c", "http://a/").href, "http://b/c");
    equal(new URL("///b/c", "http://a/").href, "http://b/c");
    equal(new URL("\\\\b\\c", "http://a/").href, "http://b/c");
    equal(new URL("http:c", "http://a/b").href, "http://a/c");
  },
  "other schemes are not"() {
    equal(new URL("foo:/a\\b").pathname, "/a\\b");
    equal(new URL("foo:a b ?c").href, "foo:a b%20?c");
    equal(new URL("foo:a  #b").href, "foo:a %20#b");
    equal(new URL("foo://A%41/").hostname, "A%41");
    equal(new URL("foo:///p").host, "");
    same([new URL("foo:/.//p").href, new URL("foo:/.//p").pathname, new URL("foo:/.//p").host], ["foo:/.//p", "//p", ""]);
    throws(TypeError, () => new URL("p", "foo:opaque"));
    equal(new URL("#f", "foo:opaque").href, "foo:opaque#f");
  },
  "paths are resolved and dots removed"() {
    const base = "http://a/b/c/d?q#f";
    for (const [text, wanted] of [
      ["", "http://a/b/c/d?q"],
      ["g", "http://a/b/c/g"],
      ["./g/.", "http://a/b/c/g/"],
      ["../g", "http://a/b/g"],
      ["../../../g", "http://a/g"],
      ["%2e%2E/g", "http://a/b/g"],
      [".%2e", "http://a/b/"],
      ["?y", "http://a/b/c/d?y"],
      ["#s", "http://a/b/c/d?q#s"],
      ["/..", "http://a/"],
      ["g;x=1/../y", "http://a/b/c/y"],
      ["...", "http://a/b/c/..."],
    ]) {
      equal(new URL(text, base).href, wanted, text);
    }
  },
  "files have drive letters and may have hosts"() {
    for (const [text, base, wanted] of [
      ["file:c|/x", undefined, "file:///c:/x"],
      ["file://localhost/x", undefined, "file:///x"],
      ["file://host/C:/", undefined, "file://host/C:/"],
      ["..", "file:///C:/", "file:///C:/"],
      ["/x", "file:///C:/y/z", "file:///C:/x"],
      ["D|/x", "file:///C:/y", "file:///D:/x"],
      ["file:////x", undefined, "file:////x"],
      ["x", "file:///a/b?q", "file:///a/x"],
    ]) {
      equal(new URL(text, base).href, wanted, text);
    }
  },
  "hosts are names in ASCII, or addresses"() {
    for (const [host, wanted] of [
      ["ExAmPlE.com.", "example.com."],
      ["m%C3%BCnchen.de", "xn--mnchen-3ya.de"],
      ["faß.de", "xn--fa-hia.de"],
      ["0x7f.1", "127.0.0.1"],
      ["017700000001", "127.0.0.1"],
      ["127.0.0.1.", "127.0.0.1"],
      ["[::1:0:0:2]", "[::1:0:0:2]"],
      ["[1:0::0:1]", "[1::1]"],
      ["[::127.0.0.1]", "[::7f00:1]"],
      ["a_b", "a_b"],
    ]) {
      equal(new URL(`http://${host}/`).hostname, wanted, host);
    }
    for (const host of ["", "a b", "a<b", "%00", "256.256.256.256", "1.2.3.4.5", "09", "[::1", "[1:2]", "a%", "xn--", "a^b"]) {
      throws(TypeError, () => new URL(`http://${host}/`));
    }
  },
  "ports are numbers, and the scheme's own is left out"() {
    equal(new URL("http://a:0080/").port, "");
    equal(new URL("https://a:80/").port, "80");
    equal(new URL("http://a:/").href, "http://a/");
    equal(new URL("http://a:0/").port, "0");
    for (const port of ["65536", "x", "-1", "1 "]) throws(TypeError, () => new URL(`http://a:${port}x/`));
  },
  "each part encodes what it must"() {
    const all = "!\"$&'()*+,-.;<=>[]^_`{|}~\u00E9";
    const url = new URL(`http://${all.replace(/[[\]^|<>]/g, "")}@h/${all}?${all}#${all}`);
    equal(url.username, "!%22$&'()*+,-.%3B%3D_%60%7B%7D~%C3%A9");
    equal(url.pathname, "/!%22$&'()*+,-.;%3C=%3E[]%5E_%60%7B|%7D~%C3%A9");
    equal(url.search, "?!%22$&%27()*+,-.;%3C=%3E[]^_`{|}~%C3%A9");
    equal(url.hash, "#!%22$&'()*+,-.;%3C=%3E[]^_%60{|}~%C3%A9");
    equal(new URL("foo:?'").search, "?'");
    equal(new URL("http://a/%zz%4").pathname, "/%zz%4");
    equal(new URL("http://a/\uD800").pathname, "/%EF%BF%BD");
  },
  "an empty query or fragment shows only in the whole"() {
    const url = new URL("http://a/?#");
    same([url.search, url.hash, url.href], ["", "", "http://a/?#"]);
  },
  "origins are those of what can have one"() {
    for (const [text, origin] of [
      ["http://a:80/", "http://a"],
      ["wss://a:1/", "wss://a:1"],
      ["ftp://a/", "ftp://a"],
      ["file:///a", "null"],
      ["foo://a", "null"],
      ["blob:https://a:1/id", "https://a:1"],
      ["blob:ftp://a/id", "null"],
      ["blob:x", "null"],
      ["data:,", "null"],
    ]) {
      equal(new URL(text).origin, origin, text);
    }
  },
  "setters take what fits and leave the rest"() {
    equal(set("http://a/", "protocol", "https:ignored"), "https://a/");
    equal(set("http://a/", "protocol", "foo"), "http://a/");
    equal(set("foo://a/", "protocol", "http"), "foo://a/");
    equal(set("https://a:80/", "protocol", "http"), "http://a/");
    equal(set("http://a/", "username", "u:/@"), "http://u%3A%2F%40@a/");
    equal(set("http://u:p@a/", "password", ""), "http://u@a/");
    equal(set("file:///a", "username", "u"), "file:///a");
    equal(set("http://a/", "host", "b:81/x"), "http://b:81/");
    equal(set("http://a:1/", "hostname", "b:81"), "http://a:1/");
    equal(set("http://a:1/", "hostname", ""), "http://a:1/");
    equal(set("http://a/", "port", "81x"), "http://a:81/");
    equal(set("http://a:1/", "port", ""), "http://a/");
    equal(set("http://a:1/", "port", "65536"), "http://a:1/");
    equal(set("http://a/b", "pathname", "c?d#e"), "http://a/c%3Fd%23e");
    equal(set("foo:/x", "pathname", "//y"), "foo:/.//y");
    equal(set("foo:/.//p", "hostname", "h"), "foo://h//p");
    equal(set("foo:opaque", "pathname", "x"), "foo:opaque");
    equal(set("http://a/?b", "search", "?c d"), "http://a/?c%20d");
    equal(set("http://a/?b#c", "search", ""), "http://a/#c");
    equal(set("http://a/", "hash", "#b c"), "http://a/#b%20c");
    equal(set("http://a/#b", "hash", ""), "http://a/");
    equal(set("http://a/", "href", "foo:x"), "foo:x");
    const url = new URL("http://a/");
    throws(TypeError, () => url.href = "no URL");
    equal(url.href, "http://a/");
  },
  "parse() and canParse() do not throw"() {
    equal(URL.parse("x", "http://a/").href, "http://a/x");
    ok(URL.parse("http://a/") instanceof URL, "it is no URL");
    equal(URL.parse("x"), null);
    equal(URL.canParse("x"), false);
    equal(URL.canParse("x", "http://a/"), true);
    equal(URL.canParse("http://a/", "no base"), false);
    throws(TypeError, () => URL.canParse());
    throws(TypeError, () => new URL());
    throws(TypeError, () => new URL(Symbol()));
    equal(new URL("b", new URL("http://a/")).href, "http://a/b");
    equal(new URL("http://a/", undefined).href, "http://a/");
    throws(TypeError, () => new URL("http://a/", null));
  },
  "searchParams and search follow each other"() {
    const url = new URL("http://a/?a=1&b=2#f");
    const { searchParams } = url;
    equal(url.searchParams, searchParams);
    searchParams.append("c", "x y&");
    equal(url.href, "http://a/?a=1&b=2&c=x+y%26#f");
    url.search = "?d=%20";
    same([...searchParams], [["d", " "]]);
    searchParams.delete("d");
    equal(url.href, "http://a/#f");
    url.href = "http://b/?e";
    same([...searchParams], [["e", ""]]);
    const opaque = new URL("foo:x  ?q#f");
    opaque.searchParams.delete("q");
    equal(opaque.href, "foo:x %20#f");
  },
  "parameters come from text, pairs, records and each other"() {
    const list = (init) => [...new URLSearchParams(init)];
    same(list("?a=b&c&=d&&e=f=g+%2B%zz"), [["a", "b"], ["c", ""], ["", "d"], ["e", "f=g +%zz"]]);
    same(list([["a", 1], new Set(["b", "c"])]), [["a", "1"], ["b", "c"]]);
    same(list({ b: 1, a: undefined }), [["b", "1"], ["a", "undefined"]]);
    same(list(new URLSearchParams("a=1&a=2")), [["a", "1"], ["a", "2"]]);
    same(list(undefined), []);
    same(list(null), [["null", ""]]);
    same(list(() => {}), []);
    same(list({ "\uD800": 1, "\uFFFD": 2 }), [["\uFFFD", "2"]]);
    throws(TypeError, () => list([["a"]]));
    throws(TypeError, () => list([1]));
    throws(TypeError, () => list({ [Symbol.iterator]: 1 }));
    const form = new FormData();
    form.set("x", "y");
    same(list(form), [["x", "y"]]);
  },
  "parameters are read, written and sorted"() {
    const params = new URLSearchParams("b=1&a=2&b=3&a=4");
    same([params.get("b"), params.get("x"), params.getAll("b"), params.has("a"), params.has("a", "4"), params.has("a", "5")],
      ["1", null, ["1", "3"], true, true, false]);
    equal(params.size, 4);
    params.sort();
    equal(String(params), "a=2&a=4&b=1&b=3");
    params.set("a", "new");
    params.delete("b", "1");
    params.delete("b", undefined);
    equal(String(params), "a=new");
    params.set("c", "d e~!'()*\u00E9");
    equal(String(params), "a=new&c=d+e%7E%21%27%28%29*%C3%A9");
    const unsorted = new URLSearchParams("\uFFFD=1&\uD83D\uDE00=2&\uFFFD=3");
    unsorted.sort();
    same([...unsorted.values()], ["2", "1", "3"]);
    throws(TypeError, () => params.append("a"));
    throws(TypeError, () => params.get());
  },
  "iteration is live"() {
    const params = new URLSearchParams("a=1&b=2&c=3");
    const seen = [];
    for (const [name] of params) {
      seen.push(name);
      params.delete("b");
    }
    same(seen, ["a", "c"]);
    same([[...params.keys()], [...params.values()]], [["a", "c"], ["1", "3"]]);
    const calls = [];
    params.forEach(function (value, name, all) {
      calls.push(value, name, all === params, this.own);
    }, { own: 1 });
    same(calls, ["1", "a", true, 1, "3", "c", true, 1]);
    const iterator = params.entries();
    equal(Object.prototype.toString.call(iterator), "[object URLSearchParams Iterator]");
    equal(iterator[Symbol.iterator](), iterator);
    throws(TypeError, () => params.forEach());
  },
};
