//! Functions and objects that apps call of each other: what is disposed, what ends with a request or a crash, and what is too much.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::TestSupervisor;
use crate::admin::metrics;
use crate::harness::{App, Client, free_address, process};

/// An app with a counter and functions to keep, which says in its log what was disposed.
const OTHER: &str = "import { RpcTarget, WorkerEntrypoint } from 'cloudflare:workers';
class Counter extends RpcTarget {
  #name; #value = 0;
  constructor(name) { super(); this.#name = name; }
  increment() { return ++this.#value; }
  child() { return new Counter(`${this.#name} child`); }
  spin() { for (;;); }
  wait() { console.log('waits'); return new Promise(() => {}); }
  broken() { return { [Symbol.dispose]: () => { throw new RangeError(`${this.#name} cannot be disposed`); } }; }
  hold(stub) { return new Promise((resolve) => letGo = resolve); }
  [Symbol.dispose]() { console.log(`${this.#name} disposed`); }
}
let kept, letGo;
export default class extends WorkerEntrypoint {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === '/kept') try { return new Response(await kept()); } catch ({ message }) { return new Response(message); }
    if (pathname === '/let-go') letGo();
    return new Response('other');
  }
  counter(name) { return new Counter(name); }
  result(name) { return { counter: new Counter(name), [Symbol.dispose]() { console.log(`${name} result disposed`); } }; }
  many(count) { return Array.from({ length: count }, (_, number) => () => number); }
  count(list) { return list.length; }
  keep(callback) {
    kept = callback.dup();
    kept.onRpcBroken(({ message }) => console.log(`broken: ${message}`));
    return 'kept';
  }
  async use(stub, ...args) { return await stub(...args); }
  wait() { return new Promise(() => {}); }
}";

/// Does what `work` says with `env.OTHER`, and answers with what it returns.
fn caller(work: &str) -> App {
    caller_of("services = { OTHER = 'other' }", work)
}

fn caller_of(services: &str, work: &str) -> App {
    let code = format!(
        "export default {{ async fetch(request, env, ctx) {{
           const {{ pathname }} = new URL(request.url);
           const outcome = async (work) => {{
             try {{ return await work(); }} catch ({{ name, message, remote }}) {{ return [name, message, remote ?? null]; }}
           }};
           {work}
         }} }}"
    );
    App::new("caller", &code).set(services)
}

async fn both(work: &str) -> (TestSupervisor, Client) {
    let settings = "watchdog = '2s'\nrestart = { initial = '1ms', crash_loop = 100 }";
    let plan = TestSupervisor::plan().app(caller(work)).app(App::new("other", OTHER).set(settings));
    let supervisor = plan.start().await;
    let client = supervisor.client("caller").await;
    (supervisor, client)
}

#[tokio::test]
async fn what_is_disposed_is_told_to_the_app_that_it_is_of() {
    let work = "
      const first = await env.OTHER.counter('first');
      const second = first.dup();
      first[Symbol.dispose]();
      const counts = [await second.increment(), await second.increment()];
      second[Symbol.dispose]();
      using result = await env.OTHER.result('third');
      counts.push(await result.counter.increment());
      const promise = env.OTHER.counter('fourth');
      promise[Symbol.dispose]();
      await promise;
      return Response.json(counts);";
    let (supervisor, client) = both(work).await;
    assert_eq!(client.get("/").await.unwrap().json(), json!([1, 2, 1]));
    for line in ["first disposed", "third disposed", "third result disposed", "fourth disposed"] {
        supervisor.log.line_with(line).await;
    }
    supervisor.in_flight("other", 0).await;
}

#[tokio::test]
async fn a_disposer_that_throws_is_logged_and_ends_nothing_else() {
    let work = "
      const counter = await env.OTHER.counter(pathname);
      const result = await counter.broken();
      if (pathname === '/disposed') result[Symbol.dispose]();
      return Response.json([await counter.increment(), await counter.increment()]);";
    let (supervisor, client) = both(work).await;
    // By the app that has called, and by the end of the request.
    for path in ["/disposed", "/left"] {
        assert_eq!(client.get(path).await.unwrap().json(), json!([1, 2]));
        supervisor.log.line_with(&format!("RangeError: {path} cannot be disposed")).await;
    }
    supervisor.in_flight("other", 0).await;
}

#[tokio::test]
async fn what_a_call_was_given_is_disposed_when_it_returns_too_late() {
    let work = "
      const counter = await env.OTHER.counter('given');
      counter.hold(counter).catch(() => {});
      return Response.json(await counter.increment());";
    let (supervisor, client) = both(work).await;
    assert_eq!(client.get("/").await.unwrap().json(), json!(1));
    supervisor.in_flight("other", 0).await;
    supervisor.get("other", "/let-go").await;
    supervisor.log.line_with("given disposed").await;
}

#[tokio::test]
async fn what_a_request_holds_ends_with_it() {
    let work = "
      const counter = await env.OTHER.counter('held');
      await env.OTHER.keep(() => 'from the caller');
      return Response.json(await counter.increment());";
    let (supervisor, client) = both(work).await;
    assert_eq!(client.get("/").await.unwrap().json(), json!(1));
    supervisor.log.line_with("held disposed").await;
    supervisor.log.line_with("broken: the app that has called has gone").await;
    supervisor.in_flight("other", 0).await;
    assert_eq!(supervisor.get("other", "/kept").await.text(), "the app that has called has gone");
}

#[tokio::test]
async fn work_that_goes_on_keeps_what_it_holds() {
    let work = "
      await env.OTHER.keep(() => 'from the caller');
      const counter = await env.OTHER.counter('held');
      ctx.waitUntil((async () => {
        while (await (await env.SWITCH.fetch('http://x/')).text() !== 'go on') await new Promise((done) => setTimeout(done, 10));
        console.log(`counted ${await counter.increment()}`);
      })());
      return new Response('answered');";
    let switch = "let text = 'wait'; export default { fetch(request) {
      if (new URL(request.url).pathname === '/go') text = 'go on';
      return new Response(text);
    } }";
    let caller = caller_of("services = { OTHER = 'other', SWITCH = 'switch' }", work);
    let plan =
        TestSupervisor::plan().app(caller).app(App::new("other", OTHER)).app(App::new("switch", switch));
    let supervisor = plan.start().await;
    assert_eq!(supervisor.get("caller", "/").await.text(), "answered");
    assert_eq!(supervisor.get("other", "/kept").await.text(), "from the caller");
    supervisor.get("switch", "/go").await;
    supervisor.log.line_with("counted 1").await;
    supervisor.log.line_with("held disposed").await;
    supervisor.in_flight("other", 0).await;
}

#[tokio::test]
async fn a_crash_of_the_other_app_ends_what_was_held_of_it() {
    let work = "
      const counter = await env.OTHER.counter('lost');
      const child = await counter.child();
      const broken = new Promise((resolve) => child.onRpcBroken(({ message }) => resolve(message)));
      const waits = outcome(() => counter.wait());
      const outcomes = [await outcome(() => counter.spin()), await waits, await outcome(() => child.increment()), await broken];
      using fresh = await env.OTHER.counter('fresh');
      return Response.json([outcomes, await fresh.increment()]);";
    let (supervisor, client) = both(work).await;
    let before = supervisor.worker("caller").await;
    let found = client.get("/").await.unwrap().json();
    let said = found[0].as_array().unwrap();
    for error in &said[..3] {
        assert_eq!((&error[0], &error[1]), (&json!("Error"), &said[3]), "{found}");
    }
    assert_eq!(found[1], 1);
    assert_eq!(supervisor.worker("caller").await, before);
    supervisor.in_flight("other", 0).await;
}

#[tokio::test]
async fn a_crash_of_the_caller_ends_what_was_held_of_it() {
    let work = "
      if (pathname === '/') return new Response('ready');
      await env.OTHER.keep(() => 'from the caller');
      console.log('is kept');
      await new Promise(() => {});";
    let (supervisor, client) = both(work).await;
    let asked = tokio::spawn(async move { client.get("/keep").await.map(|reply| reply.status) });
    supervisor.log.line_with("is kept").await;
    supervisor.in_flight("other", 1).await;
    let before = supervisor.worker("other").await;
    process::signal(supervisor.worker("caller").await, Signal::SIGKILL);
    supervisor.log.line_with("broken: ").await;
    supervisor.in_flight("other", 0).await;
    assert_eq!(supervisor.get("other", "/kept").await.text(), "the app that has called has gone");
    assert_eq!(supervisor.worker("other").await, before);
    assert_eq!(asked.await.unwrap().unwrap(), 500);
}

#[tokio::test]
async fn what_a_session_has_is_limited_and_counted() {
    let work = "
      const { OTHER } = env;
      const counter = await OTHER.counter('counts');
      const calls = Array.from({ length: 1100 }, () => outcome(() => counter.increment()));
      const messages = new Set((await Promise.all(calls)).filter((found) => typeof found !== 'number').map((found) => found[1]));
      const functions = Array.from({ length: 5000 }, () => () => 1);
      const several = [
        await OTHER.many(4000).then((list) => list.length), await outcome(() => OTHER.many(5000)), await OTHER.count(functions.slice(0, 4000)),
        await outcome(() => OTHER.count(functions)),
      ];
      return Response.json([calls.length - 1024, [...messages], several, await counter.increment() >= 1024]);";
    let admin = free_address();
    let plan = TestSupervisor::plan().set(&format!("admin = '{admin}'"));
    let supervisor = plan.app(caller(work)).app(App::new("other", OTHER)).start().await;
    let calls = "apps that call each other may have 1024 calls in flight in one session: await some of them";
    let stubs = "apps that call each other may hold 4096 stubs in one session: dispose of those that are not used any more";
    let found = supervisor.get("caller", "/").await.json();
    let several = json!([4000, ["Error", stubs, true], 4000, ["Error", stubs, Value::Null]]);
    assert_eq!(found, json!([76, [calls], several, true]));
    crate::until("the refusals are counted", async || {
        let counts = metrics(&Client::afresh(admin)).await;
        let of = |app: &str, limit: &str| {
            counts[&format!("nano_limit_broken_total{{app=\"{app}\",limit=\"{limit}\"}}")]
        };
        let counted =
            [of("caller", "session_calls"), of("caller", "session_stubs"), of("other", "session_stubs")];
        (counted == [76.0, 1.0, 1.0]).then_some(())
    })
    .await;
    supervisor.in_flight("other", 0).await;
}

#[tokio::test]
async fn a_stub_goes_on_to_a_third_app_through_the_second() {
    let middle = "import { WorkerEntrypoint } from 'cloudflare:workers';
      export default class extends WorkerEntrypoint {
        pass(callback) { return this.env.OTHER.use(callback, 'through'); }
        counter() { return this.env.OTHER.counter('passed on'); }
      }";
    let work = "
      using counter = await env.MIDDLE.counter();
      return Response.json([await env.MIDDLE.pass((text) => `${text} and back`), await counter.increment(), await counter.child().increment()]);";
    let first = caller_of("services = { MIDDLE = 'middle' }", work);
    let middle = App::new("middle", middle).set("services = { OTHER = 'other' }");
    let plan = TestSupervisor::plan().app(first).app(middle).app(App::new("other", OTHER));
    let supervisor = plan.start().await;
    assert_eq!(supervisor.get("caller", "/").await.json(), json!(["through and back", 1, 1]));
    supervisor.log.line_with("passed on disposed").await;
    supervisor.in_flight("middle", 0).await;
    supervisor.in_flight("other", 0).await;
}

#[tokio::test]
async fn pipelined_calls_wait_for_no_answer() {
    let other = "import { RpcTarget, WorkerEntrypoint } from 'cloudflare:workers';
      let go;
      const all = new Promise((resolve) => go = resolve);
      class Opened extends RpcTarget {
        read(name) { console.log(`reads ${name}`); return { name }; }
      }
      export default class extends WorkerEntrypoint {
        async open() { await all; return new Opened(); }
        fetch() { go(); return new Response(); }
      }";
    let work = "
      const opened = env.OTHER.open(7);
      const found = Promise.all([opened.read('a').name, opened.read('b').name]);
      await new Promise((done) => setTimeout(done, 1));
      console.log('has sent them');
      return Response.json(await found);";
    let caller = caller_of("services = { OTHER = 'other' }\nwatchdog = '60s'\nhung_timeout = '300s'", work);
    let plan = TestSupervisor::plan().app(caller).app(App::new("other", other));
    let supervisor = plan.start().await;
    let client = supervisor.client("caller").await;
    let asked = tokio::spawn(async move { client.get("/").await.unwrap().json() });
    supervisor.log.line_with("has sent them").await;
    // The app that calls does nothing more, and so does not see what `open` has returned.
    let worker = supervisor.worker("caller").await;
    process::signal(worker, Signal::SIGSTOP);
    supervisor.get("other", "/").await;
    supervisor.log.line_with("reads a").await;
    supervisor.log.line_with("reads b").await;
    process::signal(worker, Signal::SIGCONT);
    assert_eq!(asked.await.unwrap(), json!(["a", "b"]));
    supervisor.in_flight("other", 0).await;
}

#[tokio::test]
async fn apps_that_have_changed_what_arrays_can_do_still_call_each_other() {
    let change = "delete Array.prototype[Symbol.iterator]; Promise.prototype.then = undefined;";
    let other = format!(
        "import {{ RpcTarget, WorkerEntrypoint }} from 'cloudflare:workers';
         {change}
         class Counter extends RpcTarget {{ increment(by) {{ return by + 1; }} get child() {{ return {{ a: {{ b: new Counter() }} }}; }} }}
         export class Own extends WorkerEntrypoint {{ name() {{ return 'own'; }} }}
         export default class extends WorkerEntrypoint {{
           counter() {{ return new Counter(); }}
           async use(callback) {{ return await callback(1); }}
           async own() {{ return await this.ctx.exports.Own.name(); }}
           response(text) {{ return new Response(text, {{ headers: new Headers({{ 'x-a': text }}) }}); }}
         }}"
    );
    let code = format!(
        "{change}
         export default {{ async fetch(request, {{ OTHER }}) {{
           const counter = await OTHER.counter();
           const response = await OTHER.response('text');
           return Response.json([
             await counter.increment(1), await counter.child.a.b.increment(2), await OTHER.use((number) => number + 3), await OTHER.own(),
             response.headers.get('x-a'), await response.text(),
           ]);
         }} }}"
    );
    let caller = App::new("caller", &code).set("services = { OTHER = 'other' }");
    let supervisor = TestSupervisor::plan().app(caller).app(App::new("other", &other)).start().await;
    assert_eq!(supervisor.get("caller", "/").await.json(), json!([2, 3, 4, "own", "text", "text"]));
    supervisor.in_flight("other", 0).await;
}

#[tokio::test]
async fn a_stream_that_nobody_reads_on_ends() {
    let other = "import { WorkerEntrypoint } from 'cloudflare:workers';
      export default class extends WorkerEntrypoint {
        endless() {
          return new ReadableStream({
            type: 'bytes',
            pull(controller) { controller.enqueue(new Uint8Array(1024)); },
            cancel() { console.log('cancelled'); },
          });
        }
      }";
    let work = "
      const stream = await env.OTHER.endless();
      const reader = stream.getReader();
      const { value } = await reader.read();
      return Response.json(value.length);";
    let plan = TestSupervisor::plan().app(caller(work)).app(App::new("other", other));
    let supervisor = plan.start().await;
    assert_eq!(supervisor.get("caller", "/").await.json(), json!(1024));
    supervisor.log.line_with("cancelled").await;
    supervisor.in_flight("other", 0).await;
}
