//! HTMLRewriter while a page arrives: slow handlers, errors halfway, back-pressure, and charsets.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use serde_json::json;

use crate::harness::checks;
use crate::{TestSupervisor, until, within};

#[tokio::test]
async fn handlers_are_awaited_and_what_stands_before_them_is_not_held_back() {
    let found = checks::results(
        "await it('order', async () => {
           const log = [];
           const pause = async (what, time) => { await scheduler.wait(time); log.push(what); };
           const text = await new HTMLRewriter()
             .on('p', { async element(e) { await pause('p', 10); e.before('1'); e.onEndTag(async (end) => { await pause('/p', 5); end.before('5'); }); },
               async text(t) { await pause('text', 1); if (t.text) t.after('4'); } })
             .on('b', { async element(e) { e.before('2'); await pause('b', 1); e.append('3'); } })
             .onDocument({ async end(e) { await pause('end', 1); e.append('6'); } })
             .transform(new Response('<p><b></b>x</p>')).text();
           return [text, log];
         });
         await it('thenable', () => new HTMLRewriter().on('p', { element: (e) => ({ then(done) { e.before('1'); setTimeout(done, 1); } }) })
           .transform(new Response('<p>')).text());
         await it('while waiting', async () => {
           let first;
           const rewriter = new HTMLRewriter().on('b', { element: (e) => new Promise((resolve) => first = () => { e.before('late'); resolve(); }) });
           const reader = rewriter.transform(new Response('<p>early</p><b>bold</b><i>')).body.getReader();
           const decode = ({ value, done }) => done ? 'done' : new TextDecoder().decode(value);
           const before = decode(await reader.read());
           const next = reader.read();
           await scheduler.wait(1);
           first();
           let rest = decode(await next);
           for (let part; (part = decode(await reader.read())) !== 'done';) rest += part;
           return [before, rest];
         });
         await it('late token', async () => {
           let late;
           const page = new HTMLRewriter().on('p', { element(e) { late = (async () => { await scheduler.wait(5); e.before('late'); })().catch((error) => error.name); } });
           return [await page.transform(new Response('<p>')).text(), await late];
         });
         await it('fails', () => new HTMLRewriter().on('b', { async element() { await 0; throw new RangeError('broken'); } })
           .transform(new Response('<p><b>')).text());
         await it('content fails', () => new HTMLRewriter().on('b', { element(e) {
             e.before(new ReadableStream({ pull(controller) { controller.error(new RangeError('cut')); } })); } })
           .transform(new Response('<p><b>')).text());
         await it('source fails', async () => {
           let cancelled;
           const source = new ReadableStream({ pull(controller) { controller.enqueue(encode('<p>')); }, cancel(reason) { cancelled = reason.message; } });
           const text = await new HTMLRewriter().on('p', { element() { throw new RangeError('broken'); } })
             .transform(new Response(source)).text().catch((error) => error.message);
           return [text, cancelled];
         });
         await it('cancelled', async () => {
           let cancelled, calls = 0;
           const source = new ReadableStream({ pull(controller) { controller.enqueue(encode('<p>'.repeat(1000))); }, cancel(reason) { cancelled = reason; } });
           const { body } = new HTMLRewriter().on('p', { async element() { calls++; await 0; } }).transform(new Response(source));
           const reader = body.getReader();
           await reader.read();
           await reader.cancel('enough');
           const now = calls;
           await scheduler.wait(5);
           return [cancelled, now < 1000, calls - now < 2];
         });
         await it('byob', async () => {
           const reader = new HTMLRewriter().transform(new Response('<p>')).body.getReader({ mode: 'byob' });
           const parts = [];
           for (;;) {
             const { value, done } = await reader.read(new Uint8Array(2));
             parts.push(value.byteLength);
             if (done) return parts;
           }
         });
         await it('many', async () => {
           const rewriter = new HTMLRewriter().on('p', { async element(e) { await scheduler.wait(20); e.setInnerContent('x'); } });
           const texts = await Promise.all(Array.from({ length: 1000 }, () => rewriter.transform(new Response('<p>a</p>')).text()));
           return texts.filter((text) => text === '<p>x</p>').length;
         });
         await it('chain', async () => {
           let response = new Response('<p></p>');
           for (let i = 0; i < 50; i++) {
             response = new HTMLRewriter().on('p', { async element(e) { await 0; e.append(`${i},`); } }).transform(response);
           }
           return (await response.text()).length;
         });
         await it('within', () => new HTMLRewriter().on('p', { async element(e) {
             e.setInnerContent(await new HTMLRewriter().on('b', { async element(b) { await 0; b.append('!'); } }).transform(new Response('<b>in</b>')).text(), { html: true });
           } }).transform(new Response('<p></p>')).text());",
    )
    .await;
    assert_eq!(
        found,
        json!({
            "order": ["1<p>2<b>3</b>x45</p>6", ["p", "b", "text", "text", "/p", "end"]],
            "thenable": "1<p>",
            "while waiting": ["<p>early</p>", "late<b>bold</b><i>"],
            "late token": ["<p>", "TypeError"],
            "fails": "RangeError: broken",
            "content fails": "RangeError: cut",
            "source fails": ["broken", "broken"],
            "cancelled": ["enough", true, true],
            "byob": [2, 1, 0],
            "many": 1000,
            "chain": 147,
            "within": "<p><b>in!</b></p>",
        })
    );
}

#[tokio::test]
async fn large_pages_are_streamed() {
    let supervisor = TestSupervisor::with(
        "const filler = 'x'.repeat(400);
         const row = (i) => `<tr class=\"row\"><td>${i}</td><td><a href=\"/item/${i}\">${filler}</a><!-- ${i} --></td></tr>\n`;
         let produced = 0;
         const page = (rows) => {
           let i = 0;
           return new ReadableStream({
             pull(controller) {
               let part = '';
               for (let n = 0; n < 100 && i < rows; n++) part += row(i++);
               produced = i;
               controller.enqueue(new TextEncoder().encode(part));
               if (i >= rows) controller.close();
             },
           });
         };
         export default { fetch(request) {
           const { pathname } = new URL(request.url);
           if (pathname === '/produced') return Response.json(produced);
           if (pathname === '/echo') {
             return new HTMLRewriter().on('b', { element(e) { e.setAttribute('seen', ''); } }).transform(new Response(request.body));
           }
           const rewriter = new HTMLRewriter()
             .on('a', { element(e) { e.setAttribute('href', 'https://x.test' + e.getAttribute('href')); } })
             .on('tr', { comments(c) { c.remove(); } });
           if (pathname === '/broken') {
             let count = 0;
             rewriter.on('tr', { element() { if (++count === 1000) throw new RangeError('broken row'); } });
           }
           return rewriter.transform(new Response(page(pathname === '/slow' ? 1e9 : 10000), {
             status: 203, headers: { 'content-type': 'text/html', 'content-length': '1', 'x-own': 'yes' } }));
         } }",
    )
    .await;
    let client = supervisor.client("app").await;
    let reply = client.get("/").await.unwrap();
    assert_eq!((reply.status, reply.header("x-own"), reply.header("content-length")), (203, "yes", ""));
    let filler = "x".repeat(400);
    let expected: String = (0..10_000)
        .map(|i| {
            format!("<tr class=\"row\"><td>{i}</td><td><a href=\"https://x.test/item/{i}\">{filler}</a></td></tr>\n")
        })
        .collect();
    assert!(reply.body.len() > 4_500_000 && reply.text() == expected, "{} bytes", reply.body.len());

    // A handler that throws cuts the page and logs the reason.
    let broken =
        client.begin(client.request("GET", "/broken").body(Full::<Bytes>::default()).unwrap()).await.unwrap();
    assert_eq!(broken.status(), 203);
    within(broken.into_body().collect()).await.expect_err("it is cut");
    supervisor.log.record_with("Uncaught (in the response body) RangeError: broken row").await;

    // A client that does not read slows the app down. A client that leaves ends the page.
    let slow =
        client.begin(client.request("GET", "/slow").body(Full::<Bytes>::default()).unwrap()).await.unwrap();
    let produced = async || client.get("/produced").await.unwrap().json().as_u64().unwrap();
    let mut last = produced().await;
    until("it is held up", async || {
        let now = produced().await;
        std::mem::replace(&mut last, now).eq(&now).then_some(())
    })
    .await;
    assert!(last < 100_000, "{last} rows");
    drop(slow);
    supervisor.in_flight("app", 0).await;

    let upload = format!("<b>{filler}</b>").repeat(3000);
    let reply = client.post("/echo", upload).await.unwrap();
    assert!(reply.text() == format!("<b seen=\"\">{filler}</b>").repeat(3000));
}

#[tokio::test]
async fn documents_are_read_in_their_charset() {
    let found = checks::results(
        "const rewrite = async (bytes, type) => {
           const headers = type === undefined ? {} : { 'content-type': type };
           let seen = '';
           const response = new HTMLRewriter().on('p', { element(e) { seen += e.getAttribute('x'); e.append('ü€'); }, text(t) { seen += t.text; } })
             .transform(new Response(new Blob([new Uint8Array(bytes)]).stream(), { headers }));
           return [seen = '', await response.arrayBuffer().then((buffer) => [...new Uint8Array(buffer)].slice(10).join(' ')), seen];
         };
         const tag = (byte) => [0x3c, 0x70, 0x20, 0x78, 0x3d, ...[byte].flat(), 0x3e];
         const end = [0x3c, 0x2f, 0x70, 0x3e];
         await it('latin', () => rewrite([...tag(0xe4), 0xf6, 0x62, 0x63, 0x64, ...end], 'text/html; charset=iso-8859-1'));
         await it('cyrillic', () => rewrite([...tag(0xe4), 0xf6, 0x62, 0x63, 0x64, ...end], 'text/html;charset=\"windows-1251\"'));
         await it('utf-8', () => rewrite([...tag([0xc3, 0xa4]), 0xc3, 0xb6, 0x63, ...end]));
         await it('split', async () => {
           let seen = '';
           const bytes = encode('<p x=ä>ö€</p>');
           const source = new ReadableStream({ start(c) { for (const byte of bytes) c.enqueue(new Uint8Array([byte])); c.close(); } });
           const text = await new HTMLRewriter().on('p', { element(e) { seen += e.getAttribute('x'); }, text(t) { seen += t.text; } }).transform(new Response(source)).text();
           return [text, seen];
         });",
    )
    .await;
    assert_eq!(
        found,
        json!({
            "latin": ["", "100 252 128 60 47 112 62", "äöbcd"],
            "cyrillic": ["", "100 38 35 50 53 50 59 136 60 47 112 62", "дцbcd"],
            "utf-8": ["", "99 195 188 226 130 172 60 47 112 62", "äöc"],
            "split": ["<p x=ä>ö€</p>", "äö€"],
        })
    );
}

#[tokio::test]
async fn documents_come_out_the_same_however_they_are_cut() {
    let found = checks::results(
        "const page = `<!DOCTYPE html><html><head><title>a <b> &lt; c</title><style>p > a { }</style><!-- <p> -- > --><!-->
           <script>if (a < b && c > d) { x = '<p></p><\\/script>'; } <!-- <script> --></script></head>
           <body a='<p>' b=\"x > y\" c=<d><p>one<p>two <b>bold<i>both</b>it</i></p><br/><ul><li>1<li>2<ul><li>3</ul></ul><![CDATA[x<y]]>
           <svg><path d=1 /><![CDATA[<p>]]><foreignObject><p>in</p></foreignObject></svg><math><mi>x</mi></math><textarea><p></textarea>
           <table><tr><td>1<td>2<tr></table></div></nothing>< p>a<>b</><?php x ?><p/>ö€<plaintext></p> & <i>`;
         const bytes = encode(page);
         const rewrite = async (size, change) => {
           const source = new ReadableStream({ start(controller) {
             for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
             controller.close();
           } });
           return new HTMLRewriter().on('*', change).on('p, li', change).onDocument({ comments() {}, text() {} }).transform(new Response(source)).text();
         };
         const changes = {
           none: { element(e) { if (!['br', 'path'].includes(e.tagName)) try { e.onEndTag(() => {}); } catch {} }, comments() {}, text() {} },
           some: {
             n: 0,
             element(e) {
               e.setAttribute('n', e.tagName);
               if (e.tagName === 'ul') e.append('[end]').after('[after]');
               if (e.tagName === 'b') e.remove();
               if (e.tagName === 'td') e.setInnerContent('[cell]');
               if (e.tagName === 'svg') e.removeAndKeepContent();
               if (e.tagName === 'p') try { e.onEndTag((end) => void end.before('[/p]')); } catch {}
             },
             comments(c) { c.before('[comment]'); },
             text(t) { if (t.lastInTextNode) t.after('|'); },
           },
         };
         for (const name in changes) {
           await it(name, async () => {
             const whole = await rewrite(bytes.length, changes[name]);
             const cut = [];
             for (let size = 1; size < 200; size += size < 20 ? 1 : 17) if (await rewrite(size, changes[name]) !== whole) cut.push(size);
             return [name === 'none' ? whole === page : whole.includes('[cell]') && whole.includes('[/p]') && !whole.includes('bold'), cut];
           });
         }",
    )
    .await;
    assert_eq!(found, json!({ "none": [true, []], "some": [true, []] }));
}
