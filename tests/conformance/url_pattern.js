// URLPattern. https://urlpattern.spec.whatwg.org/
import { equal, ok, same, throws } from "./harness.js";

export default {
  "names, wildcards and groups are found"() {
    const pattern = new URLPattern({ pathname: "/users/:id/*" });
    const { pathname, inputs } = pattern.exec("https://a.example/users/7/x/y?q");
    same(pathname, { input: "/users/7/x/y", groups: { 0: "x/y", id: "7" } });
    same(inputs, ["https://a.example/users/7/x/y?q"]);
    equal(pattern.exec("https://a.example/users/"), null);
    equal(new URLPattern({ pathname: "/:year(\\d+)" }).test({ pathname: "/2026" }), true);
    equal(new URLPattern({ pathname: "/:year(\\d+)" }).test({ pathname: "/now" }), false);
    equal(new URLPattern({ pathname: "/a{/:b}?" }).exec({ pathname: "/a" }).pathname.groups.b, undefined);
  },
  "a string gives all parts"() {
    const pattern = new URLPattern("https://:sub.example.com:8*/books/:id\\?x#y");
    same(
      [pattern.protocol, pattern.hostname, pattern.port, pattern.pathname, pattern.search, pattern.hash],
      ["https", ":sub.example.com", "8*", "/books/:id", "x", "y"],
    );
    const relative = new URLPattern("/foo/*", "https://example.com");
    same([relative.hostname, relative.pathname, relative.search], ["example.com", "/foo/*", "*"]);
    ok(relative.test("/foo/bar", "https://example.com"), "it does not match");
    ok(!relative.test("/foo/bar", "https://example.org"), "it matches another host");
    throws(TypeError, () => new URLPattern("/foo"));
  },
  "without anything it matches everything"() {
    const pattern = new URLPattern();
    ok(pattern.test("https://a.example/"), "a URL");
    ok(pattern.test(), "nothing");
    ok(pattern.test({}), "an empty dictionary");
    same(pattern.exec().inputs, [{}]);
    equal(pattern.hasRegExpGroups, false);
    equal(new URLPattern({ pathname: "/(a|b)" }).hasRegExpGroups, true);
    equal(pattern.test("no URL"), false);
  },
  "case and Unicode sets"() {
    ok(new URLPattern({ pathname: "/Foo" }, { ignoreCase: true }).test({ pathname: "/fOO" }), "ignoreCase");
    ok(!new URLPattern({ pathname: "/Foo" }).test({ pathname: "/foo" }), "with case");
    ok(new URLPattern({ pathname: "/([[a-z]--[aeiou]])" }).test({ pathname: "/b" }), "a set");
    ok(new URLPattern({ pathname: "/:id([\\w-]+)/:rest" }).test({ pathname: "/a-b/c" }), "a class of the older mode");
  },
  "what makes no sense is refused"() {
    throws(TypeError, () => new URLPattern({ pathname: "/(" }));
    throws(TypeError, () => new URLPattern({ pathname: "/:a/:a" }));
    throws(TypeError, () => new URLPattern({}, "https://example.com"));
    throws(TypeError, () => new URLPattern("https://a/", 1, 2, 3));
    throws(TypeError, () => new URLPattern({}).test({}, "https://example.com"));
  },
};
