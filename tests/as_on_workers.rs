//! Small behaviours that apps written for Workers rely on. Each was compared with workerd.

use bytes::Bytes;
use http_body_util::Empty;
use serde_json::json;

use crate::TestSupervisor;
use crate::harness::checks::results;
use crate::harness::origin::whole;
use crate::harness::workerd::Both;
use crate::harness::{App, Origin, free_address};

/// Many small programs. Each has a result that can be compared: a value or the name of an error.
const PROGRAMS: &str = r"
  const encode = (text) => new TextEncoder().encode(text);
  const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const { subtle } = crypto;
  const curve = { name: 'NODE-ED25519', namedCurve: 'NODE-ED25519' };
  const gcm = { name: 'AES-GCM', iv: new Uint8Array() };
  const aes = () => subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt', 'decrypt']);
  const events = (stream) => new Promise((resolve) => {
    const log = [];
    const source = EventSource.from(stream);
    log.push(source.url, source.readyState, source.withCredentials);
    source.onmessage = (event) => log.push(event.data, event.lastEventId);
    source.onerror = (event) => { log.push(event.constructor.name, source.readyState); resolve(log); };
  });
  const of = (...chunks) => new ReadableStream({ start(controller) {
    for (const chunk of chunks) controller.enqueue(chunk);
    controller.close();
  } });
  const hmac = (hash, key = 'k', usages = ['sign', 'verify']) => subtle.importKey('raw', encode(key), { name: 'HMAC', hash }, true, usages);
  const pbkdf2 = (hash) => ({ name: 'PBKDF2', hash, salt: encode('s'), iterations: 2 });
  const secret = (name) => subtle.importKey('raw', encode('k'), name, false, ['deriveBits', 'deriveKey']);
  const programs = {
    timer: () => { const timer = setTimeout(() => {}, 1); return [typeof timer, timer.constructor.name, typeof +timer, Object.keys(timer),
      timer.unref() === timer, timer.ref() === timer, timer.refresh() === timer, typeof timer.close, typeof timer[Symbol.dispose]]; },
    interval: () => { const timer = setInterval(() => {}, 1); clearInterval(timer); return timer.constructor.name; },
    immediate: () => { const immediate = setImmediate(() => {}); clearImmediate(immediate); return immediate.constructor.name; },
    cleared: async () => { let ran = 0; clearTimeout(setTimeout(() => ran++, 1)); clearTimeout(+setTimeout(() => ran++, 1));
      await scheduler.wait(20); return ran; },
    'cleared by node': async () => { let ran = 0; const { clearTimeout } = await import('node:timers');
      clearTimeout(setTimeout(() => ran++, 1)); await scheduler.wait(20); return ran; },
    'no timers': () => { clearTimeout(null); clearTimeout({}); clearTimeout('abc'); clearTimeout(undefined); },
    status: () => new Response(null, { status: 101 }),
    cf: () => { const given = { a: { b: 1 } }; const first = new Request('http://x/', { cf: given }); const second = first.clone();
      second.cf.a.b = 2; return [first.cf === given, first.cf, second.cf, new Request(first).cf, new Request('http://y/', first).cf]; },
    'cf of none': () => typeof new Request('http://x/').cf,
    'cf undefined': () => new Request(new Request('http://x/', { cf: { a: 1 } }), { cf: undefined }).cf,
    'cf of another': () => new Request(new Request('http://x/', { cf: { a: 1 } }), { cf: { b: 1 } }).cf,
    'cf that is a number': () => new Request('http://x/', { cf: 5 }),
    'cf that is null': () => new Request('http://x/', { cf: null }),
    'cf of a request': (request) => typeof request.cf,
    events: () => { const { readable, writable } = new TransformStream(); const writer = writable.getWriter();
      writer.write(encode('id: 7\ndata: a\ndata: b\n\ndata: never')); writer.close(); return events(readable); },
    'events that fail': () => events(new ReadableStream({ pull() { throw new Error('broken'); } })),
    'events of text': () => events(of('data: a\n', '\ndata: \u00e9', '\ud83d\n\n', encode('data: b\n\n'), '')),
    'events of numbers': () => events(of(5)),
    'events of undefined': () => events(of(undefined)),
    'events that fail with a symbol': () => events(new ReadableStream({ pull(controller) { controller.error(Symbol('why')); } })),
    'events that fail with what is no text': () => events(new ReadableStream({ pull(controller) { controller.error(Object.create(null)); } })),
    'events of nothing': () => EventSource.from(5),
    'events of a locked stream': () => { const stream = new ReadableStream(); stream.getReader(); EventSource.from(stream); },
    'digest MD5': async () => hex(await subtle.digest('MD5', encode('abc'))),
    'digest md5': async () => hex(await subtle.digest({ name: 'md5' }, encode('abc'))),
    'digest sha-256': async () => hex(await subtle.digest('sha-256', encode('abc'))),
    'digest sha256': () => subtle.digest('sha256', encode('abc')),
    'digest MD4': () => subtle.digest('MD4', encode('abc')),
    'hmac of MD5': async () => { const key = await hmac('md5'); return [key.algorithm, hex(await subtle.sign('HMAC', key, encode('abc')))]; },
    'hmac of MD5 and a long key': async () => hex(await subtle.sign('HMAC', await hmac({ name: 'MD5' }, 'k'.repeat(65)), encode('abc'))),
    'hmac of MD5 that fits': async () => { const key = await hmac('MD5'); const signature = await subtle.sign('HMAC', key, encode('abc'));
      return [await subtle.verify('HMAC', key, signature, encode('abc')), await subtle.verify('HMAC', key, signature, encode('abd')),
        await subtle.verify('HMAC', key, new Uint8Array(3), encode('abc'))]; },
    'hmac of MD5 made': async () => { const key = await subtle.generateKey({ name: 'HMAC', hash: 'MD5' }, true, ['sign']);
      return [key.algorithm, (await subtle.exportKey('raw', key)).byteLength]; },
    'hmac of MD5 to verify with': async () => subtle.sign('HMAC', await hmac('MD5', 'k', ['verify']), encode('abc')),
    'hmac of MD4': () => hmac('MD4'),
    'hmac of SHA-224': () => hmac('SHA-224'),
    'pbkdf2 of MD5': async () => hex(await subtle.deriveBits(pbkdf2('md5'), await secret('PBKDF2'), 256)),
    'pbkdf2 of MD5 for a key': async () => { const aes = { name: 'AES-GCM', length: 128 };
      return hex(await subtle.exportKey('raw', await subtle.deriveKey(pbkdf2('MD5'), await secret('PBKDF2'), aes, true, ['encrypt']))); },
    'pbkdf2 for a key of MD5': async () => { const made = { name: 'HMAC', hash: 'MD5' };
      const key = await subtle.deriveKey(pbkdf2('SHA-256'), await secret('PBKDF2'), made, true, ['sign']);
      return [key.algorithm, hex(await subtle.exportKey('raw', key))]; },
    'pbkdf2 of MD5 never': async () => subtle.deriveBits({ ...pbkdf2('MD5'), iterations: 0 }, await secret('PBKDF2'), 256),
    'hkdf of MD5': async () => hex(await subtle.deriveBits({ name: 'HKDF', hash: 'MD5', salt: encode('s'), info: encode('i') },
      await secret('HKDF'), 128)),
    'text of text': () => new Response(of('a')).text(),
    'a reader of text': async () => (await new Response(of('a')).body.getReader().read()).value,
    'text through an identity': () => { const { readable, writable } = new IdentityTransformStream();
      of('a', '\u00e9').pipeTo(writable).catch(() => {}); return new Response(readable).text(); },
    'digest stream': async () => { const stream = new crypto.DigestStream('md5'); const writer = stream.getWriter();
      writer.write(encode('abc')); await writer.close(); return hex(await stream.digest); },
    'timing safe': () => [subtle.timingSafeEqual(encode('a'), encode('a')), subtle.timingSafeEqual(encode('a'), encode('b'))],
    'timing safe of other lengths': () => subtle.timingSafeEqual(encode('a'), encode('ab')),
    'seal without a vector': async () => subtle.encrypt(gcm, await aes(), encode('abc')),
    'open without a vector': async () => subtle.decrypt(gcm, await aes(), new Uint8Array(30)),
    'open what is short': async () => subtle.decrypt({ ...gcm, iv: new Uint8Array(12) }, await aes(), new Uint8Array(3)),
    'a tag of 33 bits': async () => subtle.encrypt({ ...gcm, iv: new Uint8Array(12), tagLength: 33 }, await aes(), encode('abc')),
    'node-ed25519': async () => { const { privateKey, publicKey } = await subtle.generateKey(curve, true, ['sign', 'verify']);
      const signature = await subtle.sign('node-ed25519', privateKey, encode('a'));
      return [privateKey.algorithm, publicKey.algorithm, privateKey.usages, publicKey.usages, signature.byteLength,
        await subtle.verify(curve, publicKey, signature, encode('a')), await subtle.verify(curve, publicKey, signature, encode('b')),
        (await subtle.exportKey('raw', publicKey)).byteLength, (await subtle.exportKey('spki', publicKey)).byteLength,
        { ...await subtle.exportKey('jwk', publicKey), x: null }]; },
    'node-ed25519 without a curve': () => subtle.generateKey('NODE-ED25519', true, ['sign']),
    'node-ed25519 of another curve': () => subtle.generateKey({ ...curve, namedCurve: 'P-256' }, true, ['sign']),
    'node-ed25519 as ed25519': async () => subtle.sign('Ed25519', (await subtle.generateKey(curve, true, ['sign'])).privateKey, encode('a')),
    'ed25519 as node-ed25519': async () => subtle.sign(curve, (await subtle.generateKey('Ed25519', true, ['sign'])).privateKey, encode('a')),
    'node-ed25519 to sign with a public key': () => subtle.importKey('raw', new Uint8Array(32), curve, true, ['sign']),
    callbackify: async () => { const { callbackify } = await import('node:util');
      return new Promise((resolve) => callbackify(() => ({ then: (done) => done(5) }))((...all) => resolve(all))); },
    'url.parse': async () => { const { default: url } = await import('node:url'); const { host, href, auth } = url.parse('http://a@b\r\nc/d');
      return [host, href, auth]; },
    'a header of Latin-1': () => new Headers({ a: '\xe9' }).get('a'),
    'a header with an end of line': () => new Headers({ a: 'a\r\nb' }),
  };
  export default { async fetch(request) {
    if (request.url.endsWith('/text')) return new Response(of('a', encode('b'), '\u00e9', '\ud83d', ''));
    const results = {};
    for (const [name, run] of Object.entries(programs)) {
      try { results[name] = (await run(request)) ?? null; } catch (error) { results[name] = `throws ${error.name}`; }
    }
    return Response.json(results);
  } };
";

#[tokio::test]
async fn small_programs_come_to_what_they_come_to_in_workerd() {
    let Some(both) = Both::serve(PROGRAMS, free_address()).await else { return };
    both.assert_same_results(39).await;
    let [ours, theirs] = both.send("GET", "/text", &[], "").await.map(Result::unwrap);
    assert_eq!((ours.status, ours.text()), (200, "abé\u{fffd}"));
    assert_eq!(ours.body, theirs.body);
}

#[tokio::test]
async fn timers_are_objects_that_stand_for_their_number() {
    let found = results(
        "const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
         const timers = await import('node:timers');
         let ran = 0;
         const run = () => ran++;
         await it('shape', () => {
           const timeout = setTimeout(run, 1e6);
           const found = [typeof timeout, timeout.constructor.name, Object.keys(timeout), typeof +timeout, timeout.unref() === timeout,
             timeout.hasRef(), timeout.ref().hasRef(), timeout.refresh() === timeout, timeout.close() === timeout, typeof Timeout];
           clearTimeout(timeout);
           return found;
         });
         await it('constructor', () => new (setTimeout(run, 1e6).unref().close().constructor)());
         await it('unref', async () => { ran = 0; setTimeout(run, 1).unref(); await pause(); return ran; });
         for (const [name, clear] of Object.entries({
           object: (timer) => clearTimeout(timer), number: (timer) => clearTimeout(+timer), text: (timer) => clearTimeout(`${timer}`),
           interval: (timer) => clearInterval(timer), node: (timer) => timers.clearTimeout(timer), close: (timer) => timer.close(),
           dispose: (timer) => timer[Symbol.dispose](),
         })) {
           await it('cleared by ' + name, async () => {
             ran = 0;
             for (const start of [setTimeout, setInterval, timers.setTimeout, timers.setInterval]) clear(start(run, 1));
             await pause();
             return ran;
           });
         }
         await it('refreshed', async () => {
           ran = 0;
           const timeout = setTimeout(() => { if (++ran < 3) timeout.refresh(); }, 1);
           while (ran < 3) await pause();
           await pause();
           const first = ran;
           timeout.refresh();
           while (ran < 4) await pause();
           clearTimeout(timeout.refresh());
           timeout.refresh();
           await pause();
           return [first, ran];
         });
         await it('this', () => new Promise((resolve) => {
           const timeout = timers.setTimeout(function () { resolve(this === timeout); }, 1);
         }));
         await it('nothing to clear', () => { for (const clear of [clearTimeout, timers.clearTimeout, timers.clearInterval])
           [null, undefined, {}, 'abc', -1, NaN].forEach((timer) => clear(timer)); return 'fine'; });
         await it('immediate', () => { const immediate = setImmediate(run); clearImmediate(immediate);
           return [immediate.constructor.name, immediate.unref().hasRef()]; });",
    )
    .await;
    let mut expected = json!({
        "shape": ["object", "Timeout", [], "number", true, false, true, true, true, "undefined"],
        "constructor": "TypeError: Illegal constructor",
        "unref": 1, "refreshed": [3, 4], "this": true, "nothing to clear": "fine", "immediate": ["Immediate", false],
    });
    for how in ["object", "number", "text", "interval", "node", "close", "dispose"] {
        expected[format!("cleared by {how}")] = 0.into();
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn cf_goes_with_a_request() {
    let found = results(
        "await it('of an init', () => new Request('http://x/', { cf: { a: 1, b: { c: [2] } } }).cf);
         await it('none', () => typeof new Request('http://x/').cf);
         await it('undefined', () => new Request(new Request('http://x/', { cf: { a: 1 } }), { cf: undefined }).cf);
         await it('another', () => new Request(new Request('http://x/', { cf: { a: 1 } }), { cf: { b: 1 } }).cf);
         await it('copies', () => {
           const given = { a: { b: 1 } };
           const first = new Request('http://x/', { cf: given });
           const copies = [first.clone(), new Request(first), new Request('http://y/', first)];
           copies.forEach((copy, index) => copy.cf.a.b = index + 2);
           return [first.cf === given, first.cf === first.cf, first.cf, copies.map((copy) => copy.cf)];
         });
         await it('number', () => new Request('http://x/', { cf: 5 }));
         await it('null', () => new Request('http://x/', { cf: null }));
         await it('shape', () => [typeof Object.getOwnPropertyDescriptor(Request.prototype, 'cf').get, 'cf' in request]);
         await it('of no request', () => Request.prototype.cf);",
    )
    .await;
    let refused = "TypeError: Failed to construct 'Request': 'cf' of 'RequestInit' is not an object";
    let expected = json!({
        "of an init": { "a": 1, "b": { "c": [2] } }, "none": "undefined", "undefined": { "a": 1 }, "another": { "b": 1 },
        "copies": [false, true, { "a": { "b": 1 } }, [{ "a": { "b": 2 } }, { "a": { "b": 3 } }, { "a": { "b": 4 } }]],
        "number": refused, "null": refused, "shape": ["function", true], "of no request": "TypeError: Illegal invocation",
    });
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_response_has_a_status_of_its_own() {
    let found = results(
        "for (const status of [100, 101, 199, 200, 599, 600]) await it(status, () => new Response(null, { status }).status);",
    )
    .await;
    let refused =
        |status| format!("RangeError: The status provided ({status}) is outside the range [200, 599]");
    let expected = json!({
        "100": refused(100), "101": refused(101), "199": refused(199), "200": 200, "599": 599, "600": refused(600),
    });
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_stream_is_a_source_of_events() {
    let found = results(
        "const follow = (stream) => {
           const log = [];
           const source = EventSource.from(stream);
           log.push([source.url, source.readyState, source.withCredentials, stream.locked]);
           source.onopen = () => log.push('open');
           source.onmessage = (event) => log.push([event.data, event.lastEventId]);
           source.addEventListener('named', (event) => log.push([event.type, event.data, event.lastEventId]));
           const over = new Promise((resolve) => {
             source.onerror = (event) => { log.push([event.constructor.name, String(event.error), source.readyState]); resolve(log); };
           });
           return { log, source, over };
         };
         await it('events', () => {
           const { readable, writable } = new TransformStream();
           const { over } = follow(readable);
           const writer = writable.getWriter();
           writer.write(encode('data: 1\\n\\nid: 7\\nevent: named\\ndata: a\\nda'));
           writer.write(encode('ta: b\\n\\nretry: 5\\ndata: never ended'));
           writer.close();
           return over;
         });
         await it('failure', () => follow(new ReadableStream({ pull() { throw new Error('broken'); } })).over);
         await it('text', () => follow(new ReadableStream({ start(controller) {
           for (const chunk of ['data: 1\\n', encode('\\nda'), 'ta: 2\\r\\n\\r', '\\n']) controller.enqueue(chunk);
           controller.close();
         } })).over);
         await it('numbers', () => follow(new ReadableStream({ start: (controller) => controller.enqueue(5) })).over
           .then((log) => log.at(-1)[1]));
         await it('close', async () => {
           let reason = 'none';
           const { log, source } = follow(new ReadableStream({ cancel: () => reason = 'cancelled' }));
           source.close();
           await scheduler.wait(1);
           return [reason, source.readyState, log.length];
         });
         await it('no stream', () => EventSource.from(5));
         await it('locked', () => { const stream = new ReadableStream(); stream.getReader(); EventSource.from(stream); });",
    )
    .await;
    let begin = json!(["", 1, false, true]);
    let expected = json!({
        "events": [begin, ["1", ""], ["named", "a\nb", "7"], ["ErrorEvent", "Error: the stream has ended", 2]],
        "failure": [begin, ["ErrorEvent", "Error: broken", 2]],
        "text": [begin, ["1", ""], ["2", ""], ["ErrorEvent", "Error: the stream has ended", 2]],
        "numbers": "TypeError: a chunk of the stream is neither bytes nor text, but number: encode it, as with JSON.stringify",
        "close": ["cancelled", 2, 1],
        "no stream": "TypeError: Failed to execute 'from' on 'EventSource': Argument 1 is not of type ReadableStream",
        "locked": "TypeError: Failed to execute 'from' on 'EventSource': the stream is locked",
    });
    let mut found = found;
    if let Some(text) = found["no stream"].as_str() {
        found["no stream"] = text.trim_end_matches('.').into();
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn cryptography_has_the_names_of_workers() {
    let found = results(
        "const { subtle } = crypto;
         for (const name of ['MD5', 'md5', { name: 'Md5' }, 'sha-1', 'SHA-256']) {
           await it('digest ' + JSON.stringify(name), async () => hex(await subtle.digest(name, encode('abc'))).slice(0, 16));
         }
         await it('a view of bytes', async () => hex(await subtle.digest('MD5', new Uint8Array([0, 97, 98, 99, 0]).subarray(1, 4))).slice(0, 16));
         await it('digest of nothing', async () => (await subtle.digest('MD5')));
         await it('digest of text', () => subtle.digest('MD5', 'abc'));
         await it('unknown digest', async () => (await subtle.digest('MD4', encode('abc'))));
         const aes = await subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey']);
         const gcm = { name: 'aes-gcm', iv: new Uint8Array() };
         await it('seal', () => subtle.encrypt(gcm, aes, encode('abc')));
         await it('open', () => subtle.decrypt(gcm, aes, new Uint8Array(30)));
         await it('wrap', () => subtle.wrapKey('raw', aes, aes, gcm));
         await it('unwrap', () => subtle.unwrapKey('raw', new Uint8Array(32), aes, gcm, 'AES-GCM', true, ['encrypt']));
         await it('wrap with another vector', async () => {
           const other = { name: 'AES-GCM', iv: new Uint8Array(7), tagLength: 96 };
           const unwrapped = [];
           for (const format of ['raw', 'jwk']) {
             const wrapped = await subtle.wrapKey(format, aes, aes, other);
             const key = await subtle.unwrapKey(format, wrapped, aes, other, 'AES-GCM', true, ['encrypt']);
             unwrapped.push(hex(await subtle.exportKey('raw', key)) === hex(await subtle.exportKey('raw', aes)), key.usages);
           }
           const fixed = await subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt']);
           await subtle.wrapKey('raw', fixed, aes, other).catch((error) => unwrapped.push(error.name));
           await subtle.unwrapKey('raw', new Uint8Array(28), aes, other, 'AES-GCM', true, []).catch((error) => unwrapped.push(error.name));
           return unwrapped;
         });
         const algorithm = { name: 'NODE-ED25519', namedCurve: 'NODE-ED25519' };
         const pair = await subtle.generateKey({ ...algorithm, name: 'node-Ed25519' }, true, ['sign', 'verify']);
         const standard = await subtle.generateKey('Ed25519', true, ['sign', 'verify']);
         const data = encode('data');
         const signature = await subtle.sign('NODE-ED25519', pair.privateKey, data);
         await it('keys', () => [pair.privateKey.algorithm, pair.publicKey.algorithm, pair.publicKey.algorithm === pair.publicKey.algorithm,
           pair.privateKey.usages, pair.publicKey.usages, pair.privateKey.extractable]);
         await it('signature', async () => [signature.byteLength, await subtle.verify(algorithm, pair.publicKey, signature, data),
           await subtle.verify(algorithm, pair.publicKey, signature, encode('other'))]);
         await it('jwk', async () => { const { x, ...rest } = await subtle.exportKey('jwk', pair.publicKey); return rest; });
         await it('formats', async () => {
           const verified = [];
           for (const format of ['raw', 'spki', 'jwk']) {
             const key = await subtle.importKey(format, await subtle.exportKey(format, pair.publicKey), algorithm, true, ['verify']);
             verified.push(await subtle.verify(algorithm, key, signature, data));
           }
           const key = await subtle.importKey('pkcs8', await subtle.exportKey('pkcs8', pair.privateKey), algorithm, false, ['sign']);
           return [...verified, hex(await subtle.sign(algorithm, key, data)) === hex(signature), key.algorithm.name];
         });
         await it('clone', () => structuredClone(pair.publicKey).algorithm.name);
         await it('by the other name', () => subtle.sign('Ed25519', pair.privateKey, data));
         await it('another key', () => subtle.verify('NODE-ED25519', standard.publicKey, signature, data));
         await it('no key', () => subtle.sign('NODE-ED25519', {}, data));
         await it('no curve', () => subtle.generateKey('NODE-ED25519', true, ['sign']));
         await it('other curve', () => subtle.generateKey({ ...algorithm, namedCurve: 'P-256' }, true, ['sign']));
         await it('wrong use', () => subtle.importKey('raw', new Uint8Array(32), algorithm, true, ['sign']).catch((error) => error.name));
         await it('the standard one', async () => [standard.publicKey.algorithm, await subtle.verify('Ed25519', standard.publicKey,
           await subtle.sign('Ed25519', standard.privateKey, data), data)]);",
    )
    .await;
    let named = json!({ "name": "NODE-ED25519", "namedCurve": "NODE-ED25519" });
    let empty = "OperationError: AES-GCM needs an initialization vector that is not empty";
    let mut found = found;
    for (name, begin) in [
        ("digest of nothing", "TypeError: "),
        ("digest of text", "TypeError: "),
        ("unknown digest", "NotSupportedError: "),
        ("no key", "TypeError: "),
    ] {
        assert!(found[name].as_str().is_some_and(|text| text.starts_with(begin)), "{name}: {}", found[name]);
        found.as_object_mut().unwrap().remove(name);
    }
    let expected = json!({
        "digest \"MD5\"": "900150983cd24fb0", "digest \"md5\"": "900150983cd24fb0",
        "digest {\"name\":\"Md5\"}": "900150983cd24fb0", "digest \"sha-1\"": "a9993e364706816a",
        "digest \"SHA-256\"": "ba7816bf8f01cfea", "a view of bytes": "900150983cd24fb0",
        "seal": empty, "open": empty, "wrap": empty, "unwrap": empty,
        "wrap with another vector": [true, ["encrypt"], true, ["encrypt"], "InvalidAccessError", "OperationError"],
        "keys": [named, named, true, ["sign"], ["verify"], true],
        "signature": [64, true, false],
        "jwk": { "kty": "OKP", "crv": "Ed25519", "ext": true, "key_ops": ["verify"] },
        "formats": [true, true, true, true, "NODE-ED25519"],
        "clone": "NODE-ED25519",
        "by the other name": "InvalidAccessError: the key is for another algorithm",
        "another key": "InvalidAccessError: the key is for another algorithm",
        "no curve": "TypeError: \"namedCurve\" of NODE-ED25519 is missing",
        "other curve": "NotSupportedError: NODE-ED25519 has no curve P-256",
        "wrong use": "SyntaxError",
        "the standard one": [{ "name": "Ed25519" }, true],
    });
    assert_eq!(found, expected);
}

/// Reads a request after it has been answered, in work passed to `waitUntil`. The next request gets the result.
const AFTERWARDS: &str = r"
  let asked = 0;
  let found;
  const uses = {
    method: (request) => request.method,
    path: (request) => new URL(request.url).pathname,
    header: (request) => request.headers.get('x-own'),
    headers: (request) => [...request.headers].some(([name]) => name === 'x-own'),
    cf: (request) => typeof request.cf,
    'cf again': (request) => request.cf === request.cf,
    clone: (request) => request.clone().headers.get('x-own'),
    copy: (request) => new URL(new Request(request).url).pathname,
    'copy with an init': (request) => new Request(request, { headers: { a: 'b' } }).headers.get('a'),
    'another of its kind': (request) => new Request('http://log/', request).headers.get('x-own'),
    'cf of a copy': (request) => typeof new Request(request).cf,
    sent: async (request, { UP }) => (await fetch(UP, request)).status,
    forwarded: async (request, { UP }) => (await fetch(new Request(UP, request))).status,
    aborted: (request) => request.signal.aborted,
  };
  async function look(request, env) {
    const results = {};
    for (const [name, use] of Object.entries(uses)) {
      try { results[name] = await use(request, env); } catch (error) { results[name] = `throws ${error.name}: ${error.message}`; }
    }
    return results;
  }
  export default { async fetch(request, env, ctx) {
    switch (asked++) {
      case 0:
        ctx.waitUntil(scheduler.wait(5).then(() => look(request, env)).then((results) => found = results));
        return new Response('answered');
      case 2: {
        const { url, method, headers } = request;
        headers.get('x-own');
        ctx.waitUntil(scheduler.wait(5).then(() => look(request, env)).then((results) => found = results));
        return new Response('answered');
      }
    }
    while (found === undefined) await scheduler.wait(5);
    const results = found;
    found = undefined;
    return Response.json(results);
  } };
";

#[tokio::test]
async fn a_request_can_be_read_copied_and_sent_on_when_it_has_been_answered() {
    let origin = Origin::http(|_| async { hyper::Response::new(whole("logged")) }).await;
    let Some(both) = Both::serve(AFTERWARDS, origin.address).await else { return };
    for touched in ["untouched", "touched"] {
        for reply in both.send("GET", "/path?query", &[("x-own", "own")], "").await {
            assert_eq!(reply.unwrap().text(), "answered");
        }
        let [ours, theirs] = both.send("GET", "/found", &[], "").await.map(|reply| reply.unwrap().json());
        assert_eq!(ours["sent"], 200, "{touched}: {ours}");
        // In workerd, only requests from Cloudflare's network have `cf`.
        let (mut ours, mut theirs) = (ours, theirs);
        for of_here in ["cf", "cf of a copy"] {
            assert_eq!(ours[of_here], "object", "{touched}");
            ours[of_here].take();
            theirs[of_here].take();
        }
        assert_eq!(ours, theirs, "{touched}");
    }
}

#[tokio::test]
async fn what_goes_on_beyond_wait_until_is_told_that_the_request_is_over() {
    const STRAY: &str = "
      let found, go;
      const gone = new Promise((resolve) => go = resolve);
      const tried = (use) => { try { return use(); } catch (error) { return `${error.name}: ${error.message}`; } };
      export default { async fetch(request) {
        if (found !== undefined) {
          go();
          return Response.json(await found);
        }
        const { url, method, headers } = request;
        if ([...headers].length === 0) return new Response('nothing');
        // Its client has the whole answer when it sends the next request, which lets this go on.
        found = gone.then(() => [tried(() => request.cf), tried(() => request.clone().method),
          tried(() => new Request('http://log/', request).headers.get('x-own'))]);
        return new Response('answered');
      } };";
    let supervisor = TestSupervisor::plan().app(App::new("app", STRAY)).start().await;
    let client = supervisor.client("app").await;
    let request = client.request("GET", "/").header("x-own", "own").body(Empty::<Bytes>::new()).unwrap();
    assert_eq!(client.send(request).await.unwrap().text(), "answered");
    let over =
        "TypeError: the request is over: it can be read until it is answered, and in work of waitUntil()";
    assert_eq!(client.get("/").await.unwrap().json(), json!([over, "GET", "own"]));
}
