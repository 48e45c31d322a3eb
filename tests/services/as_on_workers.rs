//! Two apps, here and in workerd: what the one that answers sees, and what the other one gets.

use crate::TestSupervisor;
use crate::harness::workerd::Workerd;
use crate::harness::{App, Client};

/// Fetches in every way that there is, and says what came of each.
const APP: &str = r#"
  const seen = async (response) => [
    response.status, response.statusText, response.url, response.redirected, [...response.headers], await response.text(),
  ];
  const failed = (error) => [error.constructor.name, error.name, error.message, error instanceof Error, error.remote ?? "ours"];
  export default {
    async fetch(request, env) {
      const { OTHER } = env;
      const at = (path) => `http://other.example${path}`;
      const tried = {};
      const run = async (name, work, show = seen) => {
        try {
          tried[name] = await show(await work());
        } catch (error) {
          tried[name] = failed(error);
        }
      };
      const as = (value) => value;
      await run("kind", () => [typeof OTHER, Object.prototype.toString.call(OTHER), OTHER.constructor.name, typeof globalThis.Fetcher,
        JSON.stringify(env), Object.keys(OTHER), OTHER.fetch.name], as);
      await run("text", () => OTHER.fetch("http://x.example:81/a?b#c"));
      await run("url", () => OTHER.fetch(new URL("https://x.example/%61/../b")));
      await run("port", () => OTHER.fetch("http://x.example:6667/"));
      await run("credentials", () => OTHER.fetch("http://user:word@x.example/"), async (response) => [await response.text()]);
      await run("post", () => OTHER.fetch(at("/echo"), {
        method: "POST", body: "hello", headers: { a: "b", Host: "else.example", "user-agent": "me", "X-Forwarded-For": "1.2.3.4", "cf-ray": "1" },
      }));
      await run("bytes", () => OTHER.fetch(at("/echo"), { method: "PUT", body: new Uint8Array([65, 66]) }));
      await run("form", () => OTHER.fetch(at("/echo"), { method: "POST", body: new URLSearchParams("a=1&b=2") }));
      await run("stream", () => OTHER.fetch(at("/size"), { method: "POST", body: new Blob(["x".repeat(300000)]).stream() }));
      await run("request", () => OTHER.fetch(new Request(at("/echo"), { method: "PATCH", body: "text" })));
      await run("over", () => OTHER.fetch(new Request(at("/echo"), { method: "PATCH", body: "text" }), { method: "POST", headers: { z: "1" } }));
      await run("passed", () => OTHER.fetch(new Request(at("/names"), request)));
      await run("purge", () => OTHER.fetch(at("/echo"), { method: "PURGE" }));
      await run("head", () => OTHER.fetch(at("/"), { method: "HEAD" }), ({ status, body }) => [status, body]);
      await run("redirect", () => OTHER.fetch(at("/redirect")));
      await run("manual", () => OTHER.fetch(at("/redirect"), { redirect: "manual" }));
      await run("loop", () => OTHER.fetch(at("/loop")), as).then(() => tried.loop.splice(2, 1));
      await run("throw", () => OTHER.fetch(at("/throw")));
      await run("type", () => OTHER.fetch(at("/type")));
      await run("custom", () => OTHER.fetch(at("/custom")));
      await run("primitive", () => OTHER.fetch(at("/primitive")));
      await run("rejected", () => OTHER.fetch(at("/rejected")));
      await run("nothing", () => OTHER.fetch(at("/nothing")), as).then(() => tried.nothing.splice(2, 1));
      await run("broken", () => OTHER.fetch(at("/broken"))).then(() => tried.broken.splice(4, 1));
      await run("none", () => OTHER.fetch(at("/204")));
      await run("same", () => OTHER.fetch(at("/304")));
      await run("reason", () => OTHER.fetch(at("/reason")));
      await run("cookies", () => OTHER.fetch(at("/cookies")), (response) => response.headers.getSetCookie());
      await run("coded", () => OTHER.fetch(at("/coded")), async (response) => [response.headers.get("content-encoding"), await response.text()]);
      await run("copy", async () => {
        const response = await OTHER.fetch(at("/echo"), { method: "POST", body: "twice" });
        return [await response.clone().json(), await response.json()].map(({ body }) => body);
      }, as);
      await run("at once", async () => {
        const got = await Promise.all(Array.from({ length: 50 }, (_, number) => OTHER.fetch(at(`/echo?${number}`))));
        return (await Promise.all(got.map((response) => response.json()))).map(({ url }) => url);
      }, as);
      await run("relative", () => OTHER.fetch("/a"), as).then(() => tried.relative.splice(2, 1));
      await run("scheme", () => OTHER.fetch("ftp://other.example/"), as).then(() => tried.scheme.splice(2, 1));
      await run("nothing given", () => OTHER.fetch(), as).then(() => tried["nothing given"].splice(2, 1));
      await run("used", async () => {
        const used = new Request(at("/echo"), { method: "POST", body: "x" });
        await used.text();
        return OTHER.fetch(used);
      }, as).then(() => tried.used.splice(2, 1));
      await run("abort", async () => {
        const controller = new AbortController();
        const got = OTHER.fetch(at("/slow"), { signal: controller.signal });
        setTimeout(() => controller.abort(), 5);
        return got;
      }, as).then(() => tried.abort.splice(2, 1));
      await run("foreign", () => { const { fetch } = OTHER; return fetch(at("/")); }, as).then(() => tried.foreign.splice(2, 1));
      return Response.json(tried);
    },
  };
"#;

/// Says what it is asked, or does what the path says.
const OTHER: &str = r#"
  class Custom extends Error {
    name = "Custom";
  }
  const OURS = ["x-request-id", "traceparent"];
  const headers = (request) => [...request.headers].filter(([name]) => !OURS.includes(name));
  export default {
    async fetch(request, env, ctx) {
      const { pathname } = new URL(request.url);
      const { url, method, redirect } = request;
      switch (pathname) {
        case "/echo": return Response.json({ url, method, headers: headers(request), body: await request.text() }, { headers: { "x-own": "1" } });
        case "/size": return Response.json((await request.arrayBuffer()).byteLength);
        case "/names": return Response.json(headers(request).map(([name]) => name).filter((name) => name === "x-client" || name === "host"));
        case "/redirect": return Response.redirect("http://further.example/target", 302);
        case "/loop": return Response.redirect("http://further.example/loop", 302);
        case "/throw": throw new Error("boom");
        case "/type": throw new TypeError("wrong type");
        case "/custom": throw new Custom("of its own");
        case "/primitive": throw "text";
        case "/rejected": return Promise.reject(new RangeError("too far"));
        case "/nothing": return undefined;
        case "/slow": await new Promise((resolve) => setTimeout(resolve, 5000)); return new Response("slow");
        case "/broken": return new Response(new ReadableStream({
          start(controller) { controller.enqueue(new TextEncoder().encode("part")); },
          pull(controller) { controller.error(new RangeError("broken")); },
        }));
        case "/204": return new Response(null, { status: 204, headers: { a: "b" } });
        case "/304": return new Response(null, { status: 304, headers: { etag: '"x"' } });
        case "/reason": return new Response("x", { status: 299, statusText: "Odd" });
        case "/cookies": return new Response("", { headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"]] });
        case "/coded": return new Response("coded".repeat(100), { headers: { "content-encoding": "gzip" } });
      }
      return Response.json({ url, method, redirect, headers: headers(request), body: request.body });
    },
  };
"#;

#[tokio::test]
async fn a_fetch_from_another_app_is_what_it_is_on_workers() {
    let Some(theirs) = Workerd::serve_two(APP, OTHER) else { return };
    let plan = TestSupervisor::plan()
        .app(App::new("app", APP).set("services = { OTHER = 'other' }"))
        .app(App::new("other", OTHER));
    let ours = plan.start().await;
    let clients = [ours.client("app").await, Client::afresh(theirs.address())];
    let [ours, theirs] = clients.map(async |client| {
        let request = client.request("GET", "/").header("x-client", "1");
        let request = request.body(http_body_util::Full::<bytes::Bytes>::default()).unwrap();
        let mut tried = crate::within(client.send(request)).await.unwrap().json();
        // A length that is known is sent along here.
        for value in tried.as_object_mut().unwrap().values_mut() {
            if let Some(headers) = value.get_mut(4).and_then(|headers| headers.as_array_mut()) {
                headers.retain(|field| field[0] != "content-length");
            }
        }
        tried
    });
    let (mut ours, mut theirs) = (ours.await, theirs.await);
    // The length of a body is compared in `stream` alone.
    for tried in [&mut ours, &mut theirs] {
        for name in ["post", "bytes", "form", "request", "over", "purge"] {
            let text =
                tried[name][5].as_str().unwrap_or_else(|| panic!("{name}: {}", tried[name])).to_owned();
            let mut seen: serde_json::Value = serde_json::from_str(&text).unwrap();
            seen["headers"].as_array_mut().unwrap().retain(|field| field[0] != "content-length");
            tried[name][5] = seen;
        }
    }
    assert!(theirs.as_object().unwrap().len() > 35, "{theirs}");
    let differ = theirs.as_object().unwrap().iter().filter(|(name, value)| ours[*name] != **value);
    let differ: Vec<_> = differ.map(|(name, value)| format!("{name}: {} for {value}", ours[name])).collect();
    assert!(differ.is_empty(), "{differ:#?}");
    assert_eq!(ours["stream"][5], "300000");
}
