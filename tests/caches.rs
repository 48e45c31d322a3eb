//! `caches`: what is stored and for how long, what it answers, and its limits.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Empty;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

use crate::harness::checks;
use crate::harness::{App, Origin};
use crate::{TestSupervisor, until, within};

#[tokio::test]
async fn caches_keep_what_may_be_kept() {
    let found = checks::results(
        "const url = (name) => `https://cache.test/${name}?q=1`;
         const response = (headers, body = 'body', status = 200) => new Response(body, { status, headers });
         const show = async (found) => found && [found.status, await found.text()];
         const kept = async (name, response) => {
           await caches.default.put(url(name), response);
           return (await show(await caches.default.match(url(name)))) ?? null;
         };
         await it('puts', () => caches.default.put(url('a') + '#fragment', response({ 'X-Own': 'yes', 'Cache-Control': 'max-age=60' })));
         await it('matches', async () => {
           const found = await caches.default.match(new Request(url('a') + '#other'));
           const { headers } = found;
           return [found.status, found.statusText, found instanceof Response, headers.get('x-own'), headers.get('content-length'),
             headers.get('cf-cache-status'), /^\\d$/.test(headers.get('age')), await found.text(),
             (() => { try { headers.set('a', 'b'); } catch (error) { return error.name; } })()];
         });
         await it('misses', async () => [await caches.default.match(url('b')) === undefined,
           await (await caches.open('default')).match(url('a')) === undefined]);
         await it('replaces', () => kept('a', response({}, 'newer')));
         await it('names', async () => {
           const [one, two] = [await caches.open('one'), await caches.open('two')];
           await one.put(url('a'), response({}, 'one'));
           return [await show(await (await caches.open('one')).match(url('a'))), await two.match(url('a')) === undefined];
         });
         await it('deletes', async () => [await caches.default.delete(url('a')), await caches.default.delete(url('a')),
           await caches.default.match(url('a')) === undefined]);
         await it('streams', () => kept('stream', response({}, new Blob(['s'.repeat(300000)]).stream())).then(([status, text]) => [status, text.length]));
         await it('statuses', async () => [await kept('404', response({}, 'gone', 404)), await kept('500', response({}, 'oops', 500)),
           await kept('500', response({ 'cache-control': 'max-age=90' }, 'oops', 500)), await kept('204', response({ 'cache-control': 'max-age=90' }, null, 204))]);
         for (const [name, headers] of Object.entries({
           'no-store': { 'cache-control': 'no-store' }, private: { 'cache-control': 'max-age=9, Private' },
           'no-cache': { 'cache-control': 'no-cache' }, zero: { 'cache-control': 'max-age=0' },
           shared: { 'cache-control': 's-maxage=0, max-age=9' }, nonsense: { 'cache-control': 'max-age=soon' },
           past: { expires: 'Thu, 01 Jan 1970 00:00:00 GMT' }, invalid: { expires: '0' }, cookie: { 'set-cookie': 'a=b' },
           old: { 'cache-control': 'max-age=60', age: '60' },
         })) await it(name, () => kept(name, response(headers)));
         for (const [name, headers] of Object.entries({
           's-maxage': { 'cache-control': 's-maxage=90, max-age=0' }, public: { 'cache-control': 'public' },
           future: { expires: new Date(Date.now() + 60000).toUTCString() },
           dated: { date: 'Thu, 01 Jan 1970 00:00:00 GMT', expires: 'Thu, 01 Jan 1970 00:01:00 GMT' },
           young: { 'cache-control': 'max-age=60', age: '50' },
         })) await it(name, () => kept(name, response(headers)));
         await it('young age', async () => Number((await caches.default.match(url('young'))).headers.get('age')) >= 50);
         await it('without cookies', async () => {
           await kept('c', response({ 'set-cookie': 'a=b', 'cache-control': 'private=Set-Cookie, max-age=90', 'x-own': '1' }));
           const { headers } = await caches.default.match(url('c'));
           return [headers.get('set-cookie'), headers.get('x-own')];
         });
         await it('refused', () => Promise.all([
           [new Request(url('x'), { method: 'POST' }), response({})], [url('x'), response({}, 'part', 206)],
           [url('x'), response({ vary: 'accept, *' })], ['ftp://x/', response({})], ['/relative', response({})], [url('x'), 1],
         ].map(([request, response]) => caches.default.put(request, response).then(() => 'kept', (error) => error.name))));
         await it('used', async () => {
           const used = response({});
           await used.text();
           return caches.default.put(url('x'), used);
         });
         await it('methods', async () => {
           await kept('m', response({}));
           const head = new Request(url('m'), { method: 'HEAD' });
           const found = async (options) => (await caches.default.match(head, options))?.status ?? null;
           return [await found(), await found({ ignoreMethod: true }), await caches.default.delete(head),
             await caches.default.delete(head, { ignoreMethod: true }), await found({ ignoreMethod: true })];
         });
         await it('vary', async () => {
           const ask = (language) => new Request(url('v'), language && { headers: { 'Accept-Language': language } });
           const headers = { vary: 'accept-language, Accept' };
           for (const language of ['de', 'en', undefined]) await caches.default.put(ask(language), response(headers, `${language}`));
           await caches.default.put(ask('en'), response(headers, 'EN'));
           return Promise.all(['de', 'en', undefined, 'fr'].map(async (language) => (await (await caches.default.match(ask(language)))?.text()) ?? null));
         });
         await it('failing body', () => caches.default.put(url('f'), response({}, new ReadableStream({
           pull(controller) { controller.error(new RangeError('cut')); } }))));
         await it('shape', () => [String(caches), String(caches.default), caches.default === caches.default,
           caches.default instanceof Cache, caches instanceof CacheStorage, Object.keys(Cache.prototype),
           Object.keys(CacheStorage.prototype), Cache.prototype.put.length, Object.keys(globalThis).includes('caches')]);
         await it('illegal', () => new Cache());",
    )
    .await;
    let body = json!([200, "body"]);
    assert_eq!(
        found,
        json!({
            "matches": [200, "", true, "yes", "4", "HIT", true, "body", "TypeError"],
            "misses": [true, true],
            "replaces": [200, "newer"],
            "names": [[200, "one"], true],
            "deletes": [true, false, true],
            "streams": [200, 300_000],
            "statuses": [[404, "gone"], null, [500, "oops"], [204, ""]],
            "no-store": null, "private": null, "no-cache": null, "zero": null, "shared": null, "nonsense": null,
            "past": null, "invalid": null, "cookie": null, "old": null,
            "s-maxage": body, "public": body, "future": body, "dated": body, "young": body, "young age": true,
            "without cookies": [null, "1"],
            "refused": ["TypeError", "TypeError", "TypeError", "TypeError", "TypeError", "TypeError"],
            "used": "TypeError: Failed to execute 'put' on 'Cache': the body of the response was used already",
            "methods": [null, 200, false, true, null],
            "vary": ["de", "EN", "undefined", null],
            "failing body": "RangeError: cut",
            "shape": ["[object CacheStorage]", "[object Cache]", true, true, true, ["put", "match", "delete"],
                ["default", "open"], 2, true],
            "illegal": "TypeError: Illegal constructor",
        })
    );
}

#[tokio::test]
async fn caches_answer_conditions_and_ranges() {
    let found = checks::results(
        "const url = 'https://cache.test/';
         const modified = 'Wed, 21 Oct 2015 07:28:00 GMT';
         await caches.default.put(url, new Response('0123456789', { headers: { etag: '\"v1\"', 'last-modified': modified, 'x-own': '1' } }));
         const ask = async (headers) => {
           const found = await caches.default.match(new Request(url, { headers }));
           return [found.status, found.headers.get('content-range'), found.headers.get('content-length'), found.headers.get('x-own'), await found.text()];
         };
         for (const [name, headers] of Object.entries({
           first: { range: 'bytes=0-3' }, middle: { range: 'bytes=4-5' }, rest: { range: 'bytes=7-' }, last: { range: 'bytes=-2' },
           beyond: { range: 'bytes=8-99' }, outside: { range: 'bytes=10-' }, nothing: { range: 'bytes=-0' }, reversed: { range: 'bytes=5-2' },
           several: { range: 'bytes=0-1,3-4' }, unit: { range: 'pages=1-2' }, same: { range: 'bytes=0-0', 'if-range': '\"v1\"' },
           other: { range: 'bytes=0-0', 'if-range': '\"v2\"' }, tag: { 'if-none-match': '\"v0\", W/\"v1\"' }, star: { 'if-none-match': '*' },
           'other tag': { 'if-none-match': '\"v2\"', 'if-modified-since': modified }, since: { 'if-modified-since': modified },
           before: { 'if-modified-since': 'Wed, 21 Oct 2015 07:27:59 GMT' }, 'no date': { 'if-modified-since': 'yesterday' },
         })) await it(name, () => ask(headers));",
    )
    .await;
    let part = |range: &str, body: &str| {
        json!([206, format!("bytes {range}/10"), body.len().to_string(), "1", body])
    };
    let (whole, none) =
        (json!([200, null, "10", "1", "0123456789"]), json!([416, "bytes */10", null, "1", ""]));
    let not_modified = json!([304, null, null, "1", ""]);
    assert_eq!(
        found,
        json!({
            "first": part("0-3", "0123"), "middle": part("4-5", "45"), "rest": part("7-9", "789"),
            "last": part("8-9", "89"), "beyond": part("8-9", "89"), "outside": none, "nothing": none,
            "reversed": whole, "several": whole, "unit": whole, "same": part("0-0", "0"), "other": whole,
            "tag": not_modified, "star": not_modified, "other tag": whole, "since": not_modified,
            "before": whole, "no date": whole,
        })
    );
}

#[tokio::test]
async fn caches_forget_in_time_and_stay_within_their_bounds() {
    let supervisor = TestSupervisor::plan().app(App::new(
        "app",
        "const url = (name) => `https://cache.test/${name}`;
         const has = async (name) => await caches.default.match(url(name)) !== undefined;
         const megabyte = new Uint8Array(1024 * 1024);
         export default { async fetch(request) {
           switch (new URL(request.url).pathname) {
             case '/put':
               await caches.default.put(url('short'), new Response('x', { headers: { 'cache-control': 'max-age=4' } }));
               return Response.json(await has('short'));
             case '/short': return Response.json(await has('short'));
             case '/fill':
               for (let i = 0; i < 12; i++) await caches.default.put(url(i), new Response(megabyte));
               await has(0);
               for (let i = 12; i < 20; i++) await caches.default.put(url(i), new Response(megabyte));
               return Response.json(await Promise.all(Array.from({ length: 20 }, (_, i) => has(i))));
             case '/long':
               let pulled = 0;
               await caches.default.put(url('long'), new Response(new ReadableStream({
                 pull(controller) { pulled++; controller.enqueue(megabyte.slice()); },
               })));
               return Response.json([await has('long'), pulled < 10]);
             case '/many':
               for (let i = 0; i < 6000; i++) await caches.default.put(url(`many/${i}`), new Response('x'));
               return Response.json([await has('many/0'), await has('many/5999')]);
             case '/body':
               return caches.default.match(url('19'));
           }
         } }",
    )
    // Megabytes take a while on a busy machine.
    .set("watchdog = '60s'\nhung_timeout = '120s'"))
    .start()
    .await;
    assert_eq!(supervisor.get("app", "/put").await.json(), true);
    until("it is forgotten", async || (supervisor.get("app", "/short").await.json() == false).then_some(()))
        .await;
    let kept = supervisor.get("app", "/fill").await.json();
    let kept: Vec<_> = kept.as_array().unwrap().iter().map(|kept| kept == true).collect();
    // The entry that was used in between outlives unused ones. The oldest of those are gone, the newest are still stored.
    assert!(kept[0] && !kept[1] && kept[19], "{kept:?}");
    assert!((10..=15).contains(&kept.iter().filter(|kept| **kept).count()), "{kept:?}");
    let reply = supervisor.get("app", "/body").await;
    assert_eq!((reply.header("content-length"), reply.body.len()), ("1048576", 1024 * 1024));
    assert_eq!(supervisor.get("app", "/long").await.json(), json!([false, true]));
    supervisor
        .log
        .record_with("cache.put: the body for https://cache.test/long is too long to be kept")
        .await;
    assert_eq!(supervisor.get("app", "/many").await.json(), json!([false, true]));
}

#[tokio::test]
async fn a_response_is_kept_under_a_request_that_is_answered_meanwhile() {
    let go = Arc::new(Notify::new());
    let held = go.clone();
    let origin = Origin::raw(move |mut stream, _| {
        let held = held.clone();
        async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.unwrap_or(0) > 0 {}
            held.notified().await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nvary: x-own\r\ncontent-length: 4\r\n\r\n").await;
            held.notified().await;
            let _ = stream.write_all(b"kept").await;
        }
    })
    .await;
    let index = "let put, first = true;
        export default { async fetch(request, env, ctx) {
          if (!first) {
            const failed = await put;
            return failed ? new Response(failed) : await caches.default.match(request) ?? new Response('missed');
          }
          first = false;
          const { promise, resolve } = Promise.withResolvers();
          put = promise;
          const response = await fetch(env.UP);
          const putting = caches.default.put(request, response).then(() => '', (error) => error.message);
          // Beyond any work that keeps the request.
          putting.then(resolve);
          return new Response('answered');
        } }";
    let settings = format!("env = {{ UP = 'http://{}' }}", origin.address);
    let supervisor = TestSupervisor::plan().app(App::new("app", index).set(&settings)).start().await;
    let client = supervisor.client("app").await;
    let get = async |own: &str| {
        let request = client.request("GET", "/").header("x-own", own).body(Empty::<Bytes>::new()).unwrap();
        within(client.send(request)).await.unwrap().text().to_owned()
    };
    go.notify_one();
    assert_eq!(get("a").await, "answered");
    go.notify_one();
    assert_eq!(get("a").await, "kept");
    assert_eq!(get("b").await, "missed");
}
