//! `process.env`: variables that an app and its packages can change, and what they say about the mode.

use serde_json::json;

use crate::TestSupervisor;
use crate::harness::workerd::Both;
use crate::harness::{App, executable, free_address};

/// What can be seen of `process.env`. `NODE_ENV` is left out: Wrangler, not workerd, decides on it.
const PROGRAM: &str = r"
  import * as all from 'node:process';
  import { env as imported } from 'cloudflare:workers';
  export default { fetch(request, handed) {
    const seen = {};
    const { env } = process;
    const see = (name, act) => {
      try { seen[name] = act() ?? null; } catch (error) { seen[name] = `throws ${error.name}`; }
    };
    const known = (names) => names.filter((name) => name !== 'NODE_ENV');
    see('a variable', () => [typeof env.UP, env.UP === handed.UP, 'UP' in env, known(Object.keys(env))]);
    see('one that is not there', () => [env.NONE ?? null, 'NONE' in env, Object.hasOwn(env, 'NONE'), delete env.NONE]);
    for (const value of ['text', 5, true, null, undefined, { toString: () => 'own' }, ['a', 1], 5n]) {
      see(`assigned ${typeof value} ${value}`, () => { env.A = value; return [typeof env.A, env.A]; });
    }
    see('assigned by Object.assign', () => { Object.assign(env, { B: 1, C: 2 }); return [env.B, env.C]; });
    see('assigned a symbol', () => { env.D = Symbol('x'); });
    see('assigned to a symbol', () => { env[Symbol('x')] = 'x'; });
    see('read by a symbol', () => env[Symbol('x')]);
    see('deleted', () => [delete env.B, 'B' in env, env.B ?? null]);
    see('deleted variable', () => [delete env.UP, 'UP' in env, typeof handed.UP, typeof imported.UP]);
    see('assigned variable', () => { env.UP = 'other'; return [env.UP, handed.UP !== 'other', imported.UP !== 'other']; });
    see('names', () => [known(Object.keys(env)), known(Reflect.ownKeys(env)), known(Object.keys({ ...env }))]);
    see('described', () => Object.getOwnPropertyDescriptor(env, 'C'));
    see('defined', () => { Object.defineProperty(env, 'E', { value: 1, writable: true, enumerable: true, configurable: true });
      return [typeof env.E, env.E]; });
    see('defined by a getter', () => Object.defineProperty(env, 'F', { get: () => 1, enumerable: true, configurable: true }));
    see('defined for good', () => Object.defineProperty(env, 'F', { value: 1, writable: false, enumerable: false, configurable: false }));
    see('frozen', () => Object.freeze(env));
    see('as an object', () => [String(env), typeof env.toString, 'toString' in env, Object.hasOwn(env, 'toString')]);
    see('one object', () => [all.default === process, process.env === env, all.env === env]);
    see('replaced', () => { process.env = { G: 1 }; return [process.env === env, typeof process.env.G]; });
    return Response.json(seen);
  } };
";

#[tokio::test]
async fn variables_can_be_changed_as_on_workers() {
    let Some(both) = Both::serve(PROGRAM, free_address()).await else { return };
    both.assert_same_results(25).await;
}

#[tokio::test]
async fn packages_run_their_production_build_unless_in_development() {
    const INDEX: &str = "import which from 'package';
         export default { fetch: (request, env) => Response.json([which, process.env.NODE_ENV, env.NODE_ENV ?? null]) }";
    let app = |name: &str| {
        App::new(name, INDEX).file("node_modules/package/package.json", "{ \"main\": \"index.js\" }").file(
            "node_modules/package/index.js",
            "module.exports = process.env.NODE_ENV === 'production' ? 'small' : 'checked';",
        )
    };
    let supervisor = TestSupervisor::plan()
        .app(app("live"))
        .app(app("dev").set("development = true"))
        .app(app("own").set("env = { NODE_ENV = 'test' }"))
        .start()
        .await;
    for (name, expected) in [
        ("live", json!(["small", "production", null])),
        ("dev", json!(["checked", "development", null])),
        ("own", json!(["checked", "test", "test"])),
    ] {
        assert_eq!(supervisor.get(name, "/").await.json(), expected);
    }
}

#[tokio::test]
async fn an_app_that_has_changed_what_arrays_and_objects_can_do_still_has_its_variables() {
    let index = "delete Array.prototype[Symbol.iterator];
         Object.defineProperty(Object.prototype, 'NODE_ENV', { set() {}, configurable: true });
         export default { fetch: (request, env) => new Response(`${process.env.NODE_ENV} ${process.env.A} ${env.A}`) }";
    let supervisor =
        TestSupervisor::plan().app(App::new("app", index).set("env = { A = 'a' }")).start().await;
    assert_eq!(supervisor.get("app", "/").await.text(), "production a a");
}

#[tokio::test]
async fn a_variable_may_have_the_name_of_the_prototype() {
    let index = "export default { fetch: (request, env) =>
         Response.json([env, process.env, Object.getPrototypeOf(env) === Object.prototype]) }";
    let app = App::new("app", index).set("env = { __proto__ = { a = 1 }, NODE_ENV = 'x' }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    assert_eq!(
        supervisor.get("app", "/").await.text(),
        r#"[{"NODE_ENV":"x","__proto__":{"a":1}},{"NODE_ENV":"x","__proto__":"{\"a\":1}"},true]"#
    );
}

#[test]
fn check_sees_what_production_sees() {
    let folder = tempfile::tempdir().unwrap();
    let index = "if (process.env.NODE_ENV !== 'production') throw new Error(process.env.NODE_ENV);
        export default { fetch: () => new Response() }";
    std::fs::write(folder.path().join("index.js"), index).unwrap();
    let output = executable().arg("check").arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
