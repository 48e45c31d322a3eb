//! The global object is as Web IDL describes it, both for what is loaded at start and for what is loaded on first use.

use serde_json::json;

use crate::TestSupervisor;
use crate::harness::App;

#[tokio::test]
async fn interfaces_are_data_properties_however_late_they_load() {
    let supervisor = TestSupervisor::with(
        "const names = ['Crypto', 'CryptoKey', 'Headers', 'SubtleCrypto', 'URL'];
         const shape = (name) => {
           const { value, ...rest } = Object.getOwnPropertyDescriptor(globalThis, name);
           return [value.name, value === globalThis[name], JSON.stringify(rest)];
         };
         // So close to the end of the stack that loading fails: the reader is told, and the next one gets it.
         let failed = 0;
         const deep = () => {
           try { deep(); } catch { try { SubtleCrypto; } catch (error) { if (error instanceof RangeError) failed++; } }
         };
         deep();
         globalThis.CryptoKey = 'assigned';
         const assigned = globalThis.CryptoKey;
         delete globalThis.CryptoKey;
         const deleted = 'CryptoKey' in globalThis;
         globalThis.CryptoKey = crypto.subtle.constructor && (await crypto.subtle.generateKey(
           { name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])).constructor;
         Object.defineProperty(globalThis, 'CryptoKey', { enumerable: false });
         export default { fetch: () => Response.json({
           failed: failed > 0, assigned, deleted,
           listed: Object.keys(globalThis).filter((name) => names.includes(name)),
           shapes: names.map(shape),
           crypto: (({ get, ...rest }) => [get.name, JSON.stringify(rest)])(
             Object.getOwnPropertyDescriptor(globalThis, 'crypto')),
           same: [crypto === crypto, crypto instanceof Crypto, crypto.subtle instanceof SubtleCrypto],
         }) }",
    )
    .await;
    let data = r#"{"writable":true,"enumerable":false,"configurable":true}"#;
    let shapes =
        ["Crypto", "CryptoKey", "Headers", "SubtleCrypto", "URL"].map(|name| json!([name, true, data]));
    assert_eq!(
        supervisor.get("app", "/").await.json(),
        json!({
            "failed": true, "assigned": "assigned", "deleted": false, "listed": [], "shapes": shapes,
            "crypto": ["get crypto", r#"{"enumerable":true,"configurable":true}"#], "same": [true, true, true]
        })
    );
}

/// Uses what loads on first use, and tells what came of it. Needs no iterator of arrays itself.
const USE: &str = "
  const use = {
    async CompressionStream() {
      const { body } = new Response('text');
      const streams = body.pipeThrough(new CompressionStream('gzip')).pipeThrough(new DecompressionStream('gzip'));
      return new Response(streams).text();
    },
    async FileReader() {
      const reader = new FileReader();
      await new Promise((resolve) => { reader.onloadend = resolve; reader.readAsText(blob); });
      return reader.result;
    },
    URLPattern: () => new URLPattern({ pathname: '/a/:b' }).exec('http://x.example/a/c').pathname.groups.b,
    async BroadcastChannel() {
      const from = new BroadcastChannel('x'), to = new BroadcastChannel('x');
      const heard = new Promise((resolve) => to.onmessage = resolve);
      from.postMessage('heard');
      const { data } = await heard;
      from.close();
      to.close();
      return data;
    },
    async PerformanceObserver() {
      let observer;
      const seen = new Promise((resolve) => observer = new PerformanceObserver(resolve));
      observer.observe({ type: 'mark' });
      performance.mark('seen', { detail: 'told' });
      const entry = (await seen).getEntries()[0];
      return entry.detail;
    },
    performance: () => `${performance.measure('m', { start: 1, end: 3 }).duration} ${performance instanceof Performance}`,
    EventSource: () => new EventSource('http://127.0.0.1:1/').readyState,
    WebSocketPair: () => new WebSocketPair()[0].readyState,
    async crypto() {
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(1)));
      return `${digest[0]} ${crypto instanceof Crypto}`;
    },
  };
  const used = async () => {
    const found = {};
    const names = Object.keys(use);
    for (let i = 0; i < names.length; i++) {
      try { found[names[i]] = await use[names[i]](); } catch (error) { found[names[i]] = String(error.stack); }
    }
    return Response.json(found);
  };";

#[tokio::test]
async fn what_loads_late_works_whatever_an_app_has_changed_before() {
    let changed = "
      delete Array.prototype[Symbol.iterator];
      delete Object.getPrototypeOf(new Map().keys()).next;
      const described = { __proto__: null, configurable: true, get() {}, set() { throw new Error('called'); } };
      for (let i = 0, names = ['get', 'set', 'name', 'detail', 'observe', 'message', 'onmessage']; i < names.length; i++) {
        Object.defineProperty(Object.prototype, names[i], described);
      }";
    let frozen = "Object.freeze(globalThis);";
    let apps = [("changed", changed), ("frozen", frozen)];
    let mut plan = TestSupervisor::plan();
    for (name, before) in apps {
        plan = plan.app(App::new(
            name,
            &format!("const blob = new Blob(['read']); {before} {USE} export default {{ fetch: used }}"),
        ));
    }
    let supervisor = plan.start().await;
    for (name, _) in apps {
        assert_eq!(
            supervisor.get(name, "/").await.json(),
            json!({
                "CompressionStream": "text", "FileReader": "read", "URLPattern": "c", "BroadcastChannel": "heard",
                "PerformanceObserver": "told", "performance": "2 true", "EventSource": 0, "WebSocketPair": 1,
                "crypto": "110 true",
            }),
            "{name}"
        );
    }
}

/// The scripts load in the frame that has room for them, and no frame before it ends the worker.
#[tokio::test]
async fn what_loads_late_may_find_the_stack_used_up() {
    let app = "
      const late = [() => new URLPattern({ pathname: '/a' }), () => new CompressionStream('gzip'), () => new FileReader(),
        () => new BroadcastChannel('a').close(), () => crypto.subtle.digest('SHA-256', new Uint8Array()), () => new WebSocketPair()];
      function descend(use) {
        try { return descend(use); } catch { use(); return 'loaded'; }
      }
      const atTheEdge = (use) => { try { return descend(use); } catch (error) { return String(error); } };
      export default { fetch: () => Response.json(late.map(atTheEdge)) };";
    let supervisor = TestSupervisor::plan().app(App::new("app", app)).start().await;
    let answer = supervisor.get("app", "/").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(supervisor.get("app", "/").await.json(), json!(vec!["loaded"; 6]));
}

#[tokio::test]
async fn what_loads_late_can_be_replaced_and_deleted_and_is_there_for_modules_of_node() {
    let app = "import { performance as imported } from 'node:perf_hooks';
      import * as streams from 'node:stream/web';
      import { BroadcastChannel as another } from 'node:worker_threads';
      const names = ['BroadcastChannel', 'CompressionStream', 'FileReader', 'URLPattern', 'PerformanceObserver', 'performance'];
      const seen = names.map((name) => {
        globalThis[name] = 'own';
        const own = globalThis[name];
        const { value, writable, configurable } = Object.getOwnPropertyDescriptor(globalThis, name);
        return [own, value, writable, configurable, delete globalThis[name], name in globalThis];
      });
      const cloned = (object) => {
        try { return structuredClone(object); } catch (error) { return error.name; }
      };
      export default { async fetch() {
        const clones = [new streams.CompressionStream('gzip'), new another('x')].map(cloned);
        const { readable, writable } = new streams.CompressionStream('gzip');
        const writer = writable.getWriter();
        await writer.write(new Uint8Array(1));
        const { value } = await readable.getReader().read();
        return Response.json([seen, clones, typeof imported.now(), value[0], new another('x').name]);
      } }";
    let supervisor = TestSupervisor::with(app).await;
    let of_one = json!(["own", "own", true, true, true, false]);
    let seen = vec![of_one; 6];
    assert_eq!(
        supervisor.get("app", "/").await.json(),
        json!([seen, ["DataCloneError", "DataCloneError"], "number", 31, "x"])
    );
}
