//! Limits of cryptographic calls: a few threads run them, their CPU time is charged to the request that made them, and
//! calls whose request is over are not run.

use http_body_util::Empty;
use serde_json::json;

use super::has;
use crate::harness::origin::whole;
use crate::harness::{App, Origin, process};
use crate::{TestSupervisor, until, within};

/// Derives as many keys as the first number of the query says, each with as many iterations as the second one says.
const DERIVE: &str = "
import { pbkdf2, scrypt } from 'node:crypto';
const key = await crypto.subtle.importKey('raw', new Uint8Array(16), 'PBKDF2', false, ['deriveBits']);
const salt = new Uint8Array(16);
const aes = await crypto.subtle.importKey('raw', salt, 'AES-GCM', false, ['encrypt']);
const later = (call) => new Promise((resolve, reject) => call((error, value) => error ? reject(error) : resolve(value)));
const ways = {
  '/web': (iterations) => crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, key, 256),
  // deno_crypto does not support an IV of this length.
  '/gcm': () => crypto.subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(13) }, aes, salt),
  '/node': (iterations) => later((done) => pbkdf2('secret', salt, iterations, 32, 'sha256', done)),
  '/scrypt': () => later((done) => scrypt('secret', salt, 32, { N: 2 ** 20, r: 8, p: 1, maxmem: 2 ** 31 }, done)),
};
export default { async fetch(request, env, ctx) {
  const { pathname, search } = new URL(request.url);
  const [path, how] = pathname.split('-');
  const [count, iterations] = search.slice(1).split(',').map(Number);
  const derive = ways[path];
  if (derive === undefined) return new Response('fine');
  let refused = 0;
  const calls = Array.from({ length: count }, () => derive(iterations));
  console.log('asked', request.url);
  for (const call of calls) call.catch((error) => { refused++; console.log(`${error.name}: ${error.message}`); });
  if (how === 'asked') {
    ctx.waitUntil(Promise.allSettled(calls));
    await new Promise((resolve) => setTimeout(resolve, 0));
    return new Response(`${refused} refused`);
  }
  await Promise.all(calls);
  return new Response('derived');
} }";

/// A number of iterations that takes longer than any test.
const FOREVER: u32 = 2_000_000_000;

/// Returns how many threads of the worker derive keys.
fn busy(pid: u32) -> usize {
    process::threads(pid).iter().filter(|name| *name == "blocking").count()
}

#[tokio::test]
async fn hundreds_of_long_calls_run_on_two_threads_and_a_neighbour_does_not_notice() {
    let app = App::new("app", DERIVE).set("cpu_time = '1h'\nmemory = false");
    let supervisor = TestSupervisor::plan().app(app).app(App::hello("neighbour")).start().await;
    let (client, worker) = (supervisor.client("app").await, supervisor.worker("app").await);
    assert_eq!(client.get("/").await.unwrap().text(), "fine");
    let before = process::threads(worker).len();
    for path in ["/web-asked", "/node-asked"] {
        let reply = client.get(&format!("{path}?300,{FOREVER}")).await.unwrap();
        assert_eq!((reply.status, reply.text()), (200, "0 refused"));
    }
    // A thread names itself once it runs.
    until("two threads are busy", async || (busy(worker) >= 2).then_some(())).await;
    assert_eq!(busy(worker), 2, "{:?}", process::threads(worker));
    assert!(process::threads(worker).len() <= before + 2, "{:?}", process::threads(worker));
    let neighbour = supervisor.client("neighbour").await;
    for _ in 0..200 {
        assert_eq!(neighbour.get("/").await.unwrap().text(), "hello from neighbour");
    }
    // The app still answers requests that need no such thread.
    assert_eq!(client.get("/").await.unwrap().text(), "fine");
    assert_eq!(supervisor.worker("app").await, worker);
    // The calls would not end before the test does, so the worker is killed.
    process::signal(worker, nix::sys::signal::Signal::SIGKILL);
}

#[tokio::test]
async fn the_request_that_asked_pays_for_what_other_threads_do() {
    let app = App::new("app", DERIVE).set("cpu_time = '200ms'\nmemory = false");
    let supervisor = TestSupervisor::plan().app(app).app(App::hello("neighbour")).start().await;
    let client = supervisor.client("app").await;
    for path in ["/web", "/node", "/scrypt"] {
        let before = supervisor.worker("app").await;
        let request = client.request("GET", &format!("{path}?1,{FOREVER}"));
        let request = request.header("accept", "application/json").body(Empty::new()).unwrap();
        let reply = client.send(request).await.unwrap();
        let code = &reply.json()["error"]["code"];
        assert_eq!((reply.status, code), (503, &json!("cpu_time")), "{path}");
        let after = supervisor.replaced("app", before).await;
        assert_eq!(after.last_exit.as_deref(), Some("CPU time: a request used more than `cpu_time` allows"));
        let text = "the request used more CPU time than `cpu_time` allows";
        let is_told = |record: &serde_json::Value| {
            has(record, &json!({ "app": "app", "message": text, "request_id": reply.header("x-request-id") }))
        };
        until(&format!("the log says so of {path}"), async || {
            supervisor.log.records().iter().any(is_told).then_some(())
        })
        .await;
        assert_eq!(client.get("/").await.unwrap().text(), "fine");
    }
    assert_eq!(supervisor.app("neighbour").await.restarts, 0);
}

#[tokio::test]
async fn more_calls_than_may_wait_are_refused_and_those_of_a_client_that_has_gone_make_room() {
    let app = App::new("app", DERIVE).set("cpu_time = '1h'\nmax_blocking = 4");
    let supervisor = TestSupervisor::plan().app(app).set("io_threads = 1").start().await;
    let (client, worker) = (supervisor.client("app").await, supervisor.worker("app").await);
    // Of the four calls that are allowed, two run and two wait. Further ones are refused.
    let reply = client.get(&format!("/web-asked?2,{FOREVER}")).await.unwrap();
    assert_eq!(reply.text(), "0 refused");
    let patient = tokio::spawn({
        let client = client.clone();
        async move { client.get(&format!("/web?2,{FOREVER}")).await }
    });
    supervisor.log.line_with(&format!("/web?2,{FOREVER}")).await;
    for path in ["/web-asked", "/node-asked", "/gcm-asked"] {
        let reply = client.get(&format!("{path}?3,{FOREVER}")).await.unwrap();
        assert_eq!(reply.text(), "3 refused", "{path}");
    }
    let text = "OperationError: the app has 4 cryptographic calls under way, which is as many as it may (`max_blocking`)";
    supervisor.log.record_with(text).await;
    patient.abort();
    supervisor.in_flight("app", 0).await;
    let reply = client.get(&format!("/node-asked?3,{FOREVER}")).await.unwrap();
    assert_eq!(reply.text(), "1 refused");
    supervisor.log.record_with("AbortError: the request is over, and nobody waits for this any more").await;
    assert_eq!(supervisor.worker("app").await, worker);
    process::signal(worker, nix::sys::signal::Signal::SIGKILL);
}

/// Answers, for each operation, whether a call that waits for a thread has the same result as one that does not,
/// although all of its arguments change after the call.
const ARGUMENTS: &str = "
const { subtle } = crypto;
const bytes = (length) => Uint8Array.from({ length }, (_, at) => at);
const text = (value) => typeof value === 'boolean' ? `${value}` : new Uint8Array(value).join();
const password = await subtle.importKey('raw', bytes(16), 'PBKDF2', false, ['deriveBits']);
const aes = await subtle.importKey('raw', bytes(16), 'AES-GCM', true, ['encrypt', 'decrypt', 'wrapKey']);
const hmac = await subtle.importKey('raw', bytes(16), { name: 'HMAC', hash: 'SHA-256' }, true, ['sign', 'verify']);
const hkdf = await subtle.importKey('raw', bytes(16), 'HKDF', false, ['deriveBits', 'deriveKey']);
const signature = await subtle.sign('HMAC', hmac, bytes(64));
const sealed = await subtle.encrypt({ name: 'AES-GCM', iv: bytes(12) }, aes, bytes(64));
const calls = {
  digest: (data) => [subtle.digest({ name: 'SHA-256' }, data), data],
  view: (data) => [subtle.digest('SHA-512', new DataView(data.buffer, 4, 10)), data],
  encrypt: (data, iv = bytes(12)) => {
    const algorithm = { name: 'AES-GCM', iv };
    const call = subtle.encrypt(algorithm, aes, data.buffer);
    algorithm.name = 'changed';
    return [call, data, iv];
  },
  unusual: (data, iv = bytes(13)) => [subtle.encrypt({ name: 'AES-GCM', iv, tagLength: 32 }, aes, data), data, iv],
  decrypt: (_, given = new Uint8Array(sealed.slice(0))) => [subtle.decrypt({ name: 'AES-GCM', iv: bytes(12) }, aes, given), given],
  sign: (data) => [subtle.sign('HMAC', hmac, data), data],
  verify: (data, given = new Uint8Array(signature.slice(0))) => [subtle.verify('HMAC', hmac, given, data), data, given],
  deriveBits: (_, salt = bytes(8), info = bytes(9)) =>
    [subtle.deriveBits({ name: 'HKDF', hash: { name: 'SHA-256' }, salt, info }, hkdf, 128), salt, info],
  deriveKey: (_, salt = bytes(8), usages = ['sign']) => {
    const type = { name: 'HMAC', hash: 'SHA-1', length: 64 };
    const call = subtle.deriveKey({ name: 'HKDF', hash: 'SHA-256', salt, info: salt }, hkdf, type, true, usages);
    usages[0] = 'changed';
    return [call.then((key) => subtle.exportKey('raw', key)), salt];
  },
  exportKey: () => [subtle.exportKey('raw', aes)],
  wrapKey: (_, iv = bytes(12)) => [subtle.wrapKey('raw', hmac, aes, { name: 'AES-GCM', iv }), iv],
  generateKey: () => [subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
    .then(async (pair) => subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, pair.publicKey,
      await subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, bytes(4)), bytes(4)))],
  refused: () => [subtle.digest('MD-none', bytes(1)).catch((error) => new TextEncoder().encode(error.name))],
};
const busy = () => Promise.all([1, 2].map(() =>
  subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: bytes(16), iterations: 2000 }, password, 256)));
export default { async fetch() {
  const found = {};
  for (const [name, call] of Object.entries(calls)) {
    const expected = text(await call(bytes(64))[0]);
    const threads = busy();
    const [waiting, ...given] = call(bytes(64));
    for (const part of given) part.fill(255);
    found[name] = text(await waiting) === expected;
    await threads;
  }
  return Response.json(found);
} }";

#[tokio::test]
async fn a_call_that_waits_for_its_turn_works_on_what_it_was_given() {
    let supervisor = TestSupervisor::plan().app(App::new("app", ARGUMENTS)).start().await;
    let reply = supervisor.get("app", "/").await;
    assert_eq!(
        reply.json(),
        json!({
            "digest": true, "view": true, "encrypt": true, "unusual": true, "decrypt": true, "sign": true, "verify": true,
            "deriveBits": true, "deriveKey": true, "exportKey": true, "wrapKey": true, "generateKey": true,
            "refused": true,
        }),
        "{}",
        reply.text()
    );
}

/// Makes calls whose arguments run code of the app when they are read. That code fetches and sets timers, or never
/// ends.
const GETTERS: &str = "
const { subtle } = crypto;
const bytes = new Uint8Array(64);
export default { async fetch(request, env) {
  const { pathname } = new URL(request.url);
  const spin = () => { for (;;); };
  if (pathname === '/spin') await subtle.digest({ get name() { spin(); } }, bytes);
  const begun = [];
  const touch = (value) => {
    begun.push(fetch(env.UP).then((response) => response.text()), new Promise((resolve) => setTimeout(resolve, 1, 'timer')));
    return value;
  };
  const algorithm = { get name() { return touch('HMAC'); }, get hash() { return { get name() { return touch('SHA-1'); } }; },
    length: { valueOf: () => touch(128) } };
  const usages = { *[Symbol.iterator]() { yield { toString: () => touch('sign') }; } };
  const key = await subtle.generateKey(algorithm, true, usages);
  const raw = await subtle.exportKey({ toString: () => touch('raw') }, key);
  const signed = await subtle.sign({ get name() { return touch('HMAC'); } }, key, bytes);
  const hash = await subtle.digest({ get name() { return touch('SHA-256'); } }, bytes);
  const bad = await subtle.digest({ get name() { throw new RangeError('thrown'); } }, bytes).catch((error) => error.message);
  return Response.json([raw.byteLength, key.usages, signed.byteLength, hash.byteLength, bad, begun.length > 12,
    [...new Set(await Promise.all(begun))]]);
} }";

#[tokio::test]
async fn arguments_may_run_code_that_does_what_all_code_may_do() {
    let origin = Origin::http(|_| async { hyper::Response::new(whole("fetched")) }).await;
    let settings = format!("env = {{ UP = 'http://{}' }}\nwatchdog = '2s'", origin.address);
    let supervisor = TestSupervisor::plan().app(App::new("app", GETTERS).set(&settings)).start().await;
    let (client, worker) = (supervisor.client("app").await, supervisor.worker("app").await);
    let reply = within(client.get("/")).await.unwrap();
    let expected = json!([16, ["sign"], 20, 32, "thrown", true, ["fetched", "timer"]]);
    assert_eq!(reply.json(), expected, "{}", reply.text());
    assert_eq!(supervisor.worker("app").await, worker);
    let spinning = within(client.get("/spin")).await.unwrap();
    assert_eq!(spinning.status, 504, "{}", spinning.text());
    let after = supervisor.replaced("app", worker).await;
    let ended = after.last_exit.unwrap_or_default();
    assert!(ended.starts_with("watchdog"), "{ended}");
}
