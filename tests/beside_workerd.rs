//! Small programs about what Workers add to the platform, beside workerd: checksums, `cf`, `withEnv`, flags.

use crate::harness::free_address;
use crate::harness::workerd::Both;

const PROGRAMS: &str = r"
  import { cache, restore, env, exports, withEnv, withExports, withEnvAndExports, tracing, RpcPromise, RpcProperty, ServiceStub, RpcTarget, WorkerEntrypoint } from 'cloudflare:workers';
  const attempt = (run) => { try { return run(); } catch (error) { return String(error); } };
  const Tracing = tracing.constructor;
  const ofNoRequest = [tracing.getActiveSpan() ?? null, tracing.enterSpan('x', (span) => tracing.getActiveSpan() === span)];
  const encode = (text) => new TextEncoder().encode(text);
  const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const digest = async (algorithm, ...chunks) => {
    const stream = new crypto.DigestStream(algorithm);
    const writer = stream.getWriter();
    for (const chunk of chunks) writer.write(chunk);
    await writer.close();
    return [hex(await stream.digest), String(stream.bytesWritten)];
  };
  const programs = {
    'the import env': (handed) => [typeof env.UP, env.UP === handed.UP, 'UP' in env, env === handed, Object.keys(env)],
    'another env': (handed) => withEnv({ A: 1 }, () => [env.A, env.UP ?? null, Object.keys(env), 'A' in env, { ...env }, handed.A ?? null]),
    'afterwards': () => [env.A ?? null, typeof env.UP],
    'another env, later': async () => { const later = withEnv({ A: 2 }, async () => { await scheduler.wait(1); return env.A; });
      return [env.A ?? null, await later, env.A ?? null]; },
    'another env, in a timer': () => withEnv({ A: 3 }, () => new Promise((resolve) => setTimeout(() => resolve(env.A), 1))),
    'another env in another': () => withEnv({ A: 3 }, () => [env.A, withEnv({ B: 4 }, () => [env.A ?? null, env.B]), env.A]),
    'another env and an error': () => { try { withEnv({ A: 3 }, () => { throw new Error(); }); } catch { return env.A ?? 'over'; } },
    'no function': () => withEnv({}, 5),
    'other exports': async () => [withExports({ X: 1 }, () => [exports.X, Object.keys(exports), 'X' in exports]),
      await withExports({ X: 2 }, async () => { await scheduler.wait(1); return exports.X; })],
    'other env and exports': () => withEnvAndExports({ A: 9 }, { X: 1 }, () => [env.A, exports.X]),
    'cloudflare:workflows': async () => { const { NonRetryableError } = await import('cloudflare:workflows');
      const error = new NonRetryableError('text', 'Own');
      return [error.name, error.message, error instanceof Error, String(new NonRetryableError('text'))]; },
    'cloudflare:pipelines': async () => { const { PipelineTransformationEntrypoint: Base } = await import('cloudflare:pipelines');
      const made = new (class extends Base {})({ waitUntil() {} }, { A: 1 });
      return [Object.getPrototypeOf(Base) === WorkerEntrypoint, made.env, await made.run([]).catch((error) => error.message)]; },
    'cloudflare:durable-objects': async () => { const { retryable, ...rest } = await import('cloudflare:durable-objects');
      return [retryable(() => {}) ?? null, 'onHibernate' in rest, retryable.length, retryable(1)]; },
    'the cache of entrypoints': () => [typeof cache, Object.keys(cache), 'purge' in cache, cache.purge ?? null, String(restore)],
    'cloudflare:sockets': async () => typeof (await import('cloudflare:sockets')).connect,
    'cloudflare:node': async () => Object.keys(await import('cloudflare:node')).filter((name) => name !== 'default').sort(),
    'no env': () => [withEnv(5, () => env.A ?? null), withEnv(null, () => env.A ?? null), withEnv(undefined, () => typeof env.UP)],
    'env is set': (handed) => { env.NEW = 5; const seen = [env.NEW, handed.NEW]; delete env.NEW; return [...seen, handed.NEW ?? null]; },
    'another env is set': () => { const other = {}; withEnv(other, () => { env.Z = 1; }); return [other, env.Z ?? null]; },
    'process.env in another env': () => withEnv({ A: 'a' }, () => [process.env.A ?? null, typeof process.env.UP]),
    'a span': () => tracing.enterSpan('name', (span, a) => [span.isTraced, a, typeof span.setAttribute('a', 1), typeof span.end], 5),
    'what spans are': () => [Tracing, tracing.Span].map(({ name, prototype }) => [name, Object.getOwnPropertyNames(prototype).sort(), String(prototype),
      Object.keys(prototype).sort()]),
    'spans cannot be made': () => [tracing.Span, Tracing].map((Class) => attempt(() => new Class())),
    'the context of a span': () => { const span = tracing.startSpan('x'); return [span.spanContext(), span.spanContext() === span.spanContext(),
      span instanceof tracing.Span, span.end() ?? null, span.end() ?? null, span.isTraced, JSON.stringify([span, tracing])]; },
    'the active span': async () => { const first = tracing.getActiveSpan(); const seen = [String(first), first === tracing.getActiveSpan(), first.isTraced];
      for (const name of ['enterSpan', 'startActiveSpan']) seen.push(tracing[name]('x', (span) => [span === tracing.getActiveSpan(), span === first]),
        await tracing[name]('x', async (span) => { await scheduler.wait(1); return span === tracing.getActiveSpan(); }),
        await tracing[name]('x', (span) => new Promise((resolve) => setTimeout(() => resolve(span === tracing.getActiveSpan()), 1))),
        attempt(() => tracing[name]('x', () => { throw new RangeError('thrown'); })), first === tracing.getActiveSpan());
      return [...seen, tracing.startSpan('x') === tracing.getActiveSpan()]; },
    'another active span': async () => { const span = tracing.startSpan('x'); const isActive = () => tracing.getActiveSpan() === span;
      const seen = [isActive(), tracing.withActiveSpan(span, (...given) => [given, isActive()], 1, 2), isActive(),
        await tracing.withActiveSpan(span, async () => { await scheduler.wait(1); return isActive(); }),
        tracing.withActiveSpan(span, () => [tracing.startActiveSpan('y', () => [isActive(), tracing.withActiveSpan(span, isActive), isActive()]), isActive()])];
      span.end(); return [...seen, tracing.withActiveSpan(span, isActive)]; },
    'the active span of no request': () => ofNoRequest,
    'what a span calls': () => tracing.enterSpan('x', function () { return this === globalThis; }),
    'what cannot be traced': () => { const span = tracing.startSpan('x'); return [['enterSpan'], ['enterSpan', 'x', 5], ['enterSpan', Symbol(), () => 1],
      ['startActiveSpan'], ['startActiveSpan', 'x'], ['startSpan'], ['startSpan', undefined], ['withActiveSpan'], ['withActiveSpan', null, () => 1],
      ['withActiveSpan', {}, () => 1], ['withActiveSpan', Object.create(tracing.Span.prototype), () => 1], ['withActiveSpan', span, 5]].map(
      ([name, ...given]) => attempt(() => String(tracing[name](...given)))); },
    'methods of other spans': () => { const { enterSpan } = tracing; return [attempt(() => enterSpan('x', () => 1)), attempt(() => tracing.Span.prototype.end.call({})),
      attempt(() => tracing.Span.prototype.isTraced)].map((text) => text.slice(0, 29)); },
    'attributes of spans': () => { const span = tracing.startSpan('x'); const seen = []; const told = (name) => ({ toString() { seen.push(name); return name; } });
      const given = { setAttribute: [[], [undefined], ['a'], ['a', 1], ['a', 'x'], ['a', null], ['a', told('value')], [told('key'), 1], ['a', Symbol()], ['a', 1n],
          ['a', { toString() { throw new RangeError('thrown'); } }]],
        setAttributes: [[], [{}], [{ a: told('of many'), b: undefined }], [null], ['x'], [[1]], [() => 1], [{ a: Symbol() }], [{ get a() { throw new RangeError('got'); } }]],
        recordException: [[], ['x'], [new Error('x')], [{ get message() { seen.push('message'); } }], [null]],
        updateName: [[], ['x'], [told('name')], [Symbol()]],
        setStatus: [[], [{ code: 'ok' }], [{ get message() { seen.push('read'); return told('message'); }, get code() { seen.push('code'); return told('ok'); } }],
          [{ code: 'bad' }], [{}], ['ok'], [() => 1], [{ code: 'error', message: 5 }]] };
      for (const [name, calls] of Object.entries(given)) for (const call of calls) seen.push(`${name} ${calls.indexOf(call)}: ${attempt(() => {
        const value = span[name](...call); return value === span ? 'itself' : String(value); })}`);
      return [seen, ['null', 'undefined'].map((text) => { try { span.setStatus(text === 'null' ? null : undefined); } catch (error) { return error.name; } })]; },
    'a promise of RPC': () => new RpcPromise(),
    'a property of RPC': () => new RpcProperty(),
    'a stub of a service': () => new ServiceStub(),
    'a target': () => new (class extends RpcTarget {})() instanceof RpcTarget,
    'an entrypoint': () => typeof WorkerEntrypoint,
    'flags': () => [String(Cloudflare), Object.isFrozen(Cloudflare.compatibilityFlags), Cloudflare.compatibilityFlags.nodejs_compat,
      Cloudflare.compatibilityFlags === Cloudflare.compatibilityFlags, Cloudflare.compatibilityFlags.no_such_flag ?? null],
    'setting flags': () => { 'use strict'; Cloudflare.compatibilityFlags = {}; },
    'setting a flag': () => { 'use strict'; Cloudflare.compatibilityFlags.experimental = true; },
    'cf of a response': () => { const cf = { a: 1, b: { c: 2 } }; const response = new Response('x', { cf }); cf.a = 2;
      const [second, third] = [new Response('y', response), response.clone()]; third.cf.b.c = 3;
      return [response.cf, second.cf, third.cf, response.cf === response.cf, Response.json({}, { cf: { d: 1 } }).cf, 'cf' in response]; },
    'cf of no response': () => [new Response().cf ?? null, Response.error().cf ?? null, Response.redirect('http://x/').cf ?? null,
      new Response('', {}).cf ?? null, new Response('', { cf: undefined }).cf ?? null],
    'cf of a rewritten response': () => new HTMLRewriter().transform(new Response('x', { cf: { a: 1 } })).cf ?? null,
    'cf that is a number': () => new Response('', { cf: 5 }),
    'cf that is text': () => new Response('', { cf: 'x' }),
    'cf that is null': () => new Response('', { cf: null }),
    'cf that is a list': () => new Response('', { cf: [1] }).cf,
    'cf of a request': () => { const request = new Request('http://x/', { cf: { a: 1 } }); request.cf.b = 2;
      return [request.cf, new Request(request).cf, request.clone().cf, new Request(request, { cf: { z: 1 } }).cf]; },
    'no such checksum': () => new crypto.DigestStream('crc64'),
    'no checksum of subtle': () => crypto.subtle.digest('crc32', encode('a')),
    'a digest that is disposed of': async () => { const stream = new crypto.DigestStream('MD5'); stream[Symbol.dispose]();
      return stream.digest.then(() => 'told', (error) => error.name); },
    'a checksum as an object': () => digest({ name: 'crc32' }, encode('123456789')),
  };
  for (const algorithm of ['crc32', 'CRC32C', 'crc64nvme']) {
    programs[`${algorithm} of nothing`] = () => digest(algorithm);
    programs[`${algorithm} in parts`] = () => digest(algorithm, encode('123'), '456', encode('789').buffer);
    programs[`${algorithm} of much`] = () => digest(algorithm, new Uint8Array(100000).map((_, index) => index * 7));
  }
  export default { async fetch(request, handed) {
    const results = {};
    for (const [name, run] of Object.entries(programs)) {
      try { results[name] = (await run(handed)) ?? null; } catch (error) { results[name] = `throws ${error.name}`; }
    }
    if (request.url.endsWith('/flags')) return Response.json(Cloudflare.compatibilityFlags);
    return Response.json(results);
  } };
";

#[tokio::test]
async fn what_workers_add_is_what_it_is_in_workerd() {
    let Some(both) = Both::serve(PROGRAMS, free_address()).await else { return };
    both.assert_same_results(40).await;
    // No flag is claimed that Workers do not have at this date.
    let [ours, theirs] = both.send("GET", "/flags", &[], "").await.map(|reply| reply.unwrap().json());
    let claimed = ours.as_object().unwrap();
    assert!(claimed.len() > 20, "{claimed:#?}");
    let wrong: Vec<_> = claimed.iter().filter(|(name, value)| theirs[*name] != **value).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
