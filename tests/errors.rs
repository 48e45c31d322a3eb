//! Reports of errors at run time: place, source line, stack, causes and hints. No error can prevent a worker from reporting
//! it.

use serde_json::Value;

use crate::harness::App;
use crate::{TestSupervisor, until};

/// An app whose handler runs the function that the path names.
fn app(functions: &str) -> App {
    let source = format!(
        "const failures = {{\n{functions}\n}};\n\
         export default {{ fetch: (request, env, ctx) => failures[new URL(request.url).pathname.slice(1)](ctx) }};\n\
         async function failing() {{ throw new Error('late'); }}"
    );
    App::new("app", &source)
}

/// Returns what is logged for each of these functions.
async fn logged(functions: &str, names: impl Iterator<Item = &str>) -> Vec<String> {
    let supervisor = TestSupervisor::plan().app(app(functions)).start().await;
    let mut messages = Vec::new();
    for name in names {
        supervisor.get("app", &format!("/{name}")).await;
        let seen = messages.len();
        let find = async || {
            let errors =
                supervisor.log.records().into_iter().filter(|record: &Value| record["level"] == "ERROR");
            errors.skip(seen).map(|record| record["message"].as_str().unwrap_or_default().to_owned()).next()
        };
        messages.push(until(&format!("{name} is logged"), find).await);
    }
    messages
}

#[tokio::test]
async fn an_error_is_told_with_place_source_line_stack_causes_and_hint() {
    let functions = "\
thrown() { throw new RangeError('one'); },
caused() {
  const inner = () => { throw new Error('in\\nner'); };
  try { inner(); } catch (cause) { throw new TypeError('outer', { cause }); }
},
several() { throw new AggregateError([new Error('first'), 'second'], 'both'); },
hinted() { document.title; },
carrying() { throw Object.assign(new Error('carries'), { code: 'E_CODE', deep: { a: [1] } }); },
async later() { await new Promise((resolve) => setTimeout(resolve, 1)); await failing(); },
waiting(ctx) { ctx.waitUntil(Promise.reject(new Error('waited for'))); return new Response(); },
timer() { setTimeout(() => { throw new Error('in a timer'); }, 1); return new Response(); },
rejected() { Promise.reject(new Error('nobody cares')); return new Response(); },
builtin() { new URL('no url'); },
circle() { const a = new Error('a'); a.cause = new Error('b', { cause: a }); throw a; },
object() { throw { a: 1 }; },
nothing() { throw undefined; },";
    let fetch = "\n    at Object.fetch (index.js:19:96)";
    let place = |name: &str, line: usize, column: usize| {
        let source = functions.lines().nth(line - 2).unwrap();
        let margin = " ".repeat(line.to_string().len());
        let caret = " ".repeat(column - 1);
        let site = if name.is_empty() {
            format!("index.js:{line}:{column}")
        } else {
            format!("{name} (index.js:{line}:{column})")
        };
        format!("\n    at {site}\n    {line} | {source}\n    {margin} | {caret}^")
    };
    let expected = [
        ("thrown", format!("Uncaught RangeError: one{}{fetch}", place("Object.thrown", 2, 18))),
        (
            "caused",
            format!(
                "Uncaught TypeError: outer{}{fetch}\n  caused by Error: in\nner{}\n    at Object.caused (index.js:5:9){fetch}",
                place("Object.caused", 5, 42),
                place("inner", 4, 31)
            ),
        ),
        (
            "several",
            format!(
                "Uncaught AggregateError: both{}{fetch}\n  error 1 of 2: Error: first{}{fetch}\n  error 2 of 2: second",
                place("Object.several", 7, 19),
                place("Object.several", 7, 39)
            ),
        ),
        (
            "hinted",
            format!(
                "Uncaught ReferenceError: document is not defined{}{fetch}\n    hint: a worker has no page: this code, or the package \
                 it is from, is made for browsers",
                place("Object.hinted", 8, 12)
            ),
        ),
        (
            "carrying",
            format!(
                "Uncaught Error: carries{}{fetch}\n    with {{ code: \"E_CODE\", deep: {{ a: [Array] }} }}",
                place("Object.carrying", 9, 34)
            ),
        ),
        (
            "later",
            "Uncaught Error: late\n    at failing (index.js:20:34)\n    20 | async function failing() { throw new Error('late'); }\n       \
             |                                  ^\n    at Object.later (index.js:10:79)"
                .to_owned(),
        ),
        ("waiting", format!("Uncaught (in waitUntil) Error: waited for{}{fetch}", place("Object.waiting", 11, 45))),
        ("timer", format!("Uncaught Error: in a timer{}", place("", 12, 36))),
        ("rejected", format!("Uncaught (in promise) Error: nobody cares{}{fetch}", place("Object.rejected", 13, 29))),
        ("builtin", format!("Uncaught TypeError: Invalid URL: 'no url'{}{fetch}", place("Object.builtin", 14, 13))),
        (
            "circle",
            format!(
                "Uncaught Error: a{a}{fetch}\n  caused by Error: b{b}{fetch}\n  caused by Error: a{a}{fetch}",
                a = place("Object.circle", 15, 22),
                b = place("Object.circle", 15, 48)
            ),
        ),
        ("object", "Uncaught { a: 1 }".to_owned()),
        ("nothing", "Uncaught undefined".to_owned()),
    ];
    let messages = logged(functions, expected.iter().map(|(name, _)| *name)).await;
    for (message, (_, expected)) in messages.iter().zip(&expected) {
        assert_eq!(message, expected);
    }
}

#[tokio::test]
async fn no_error_keeps_a_worker_from_telling_it_and_serving_on() {
    let functions = "\
fine() { return new Response('fine'); },
message() { throw Object.defineProperty(new Error(), 'message', { get() { throw new Error('message'); } }); },
name() { throw Object.defineProperty(new Error('a'), 'name', { get() { throw new Error('name'); } }); },
stack() { throw Object.defineProperty(new Error('a'), 'stack', { get() { throw new Error('stack'); } }); },
cause() { throw Object.defineProperty(new Error('a'), 'cause', { get() { throw new Error('cause'); } }); },
code() { throw Object.defineProperty(new Error('a'), 'code', { enumerable: true, get() { throw new Error('code'); } }); },
errors() { throw Object.defineProperty(new AggregateError([]), 'errors', { get() { throw new Error('errors'); } }); },
proxy() {
  const trap = () => { throw new Error('trap'); };
  throw new Proxy(new Error('a'), { get: trap, getPrototypeOf: trap, ownKeys: trap, getOwnPropertyDescriptor: trap });
},
half() { throw new Proxy(new Error('a'), { get() { throw new Error('trap'); } }); },
text() { throw { __proto__: Error.prototype, message: Symbol('no text'), name: 1n }; },
revoked() { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy; },
inspect() { throw { [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('inspect'); } }; },
prepare() { Error.prepareStackTrace = () => { throw new Error('prepare'); }; throw new Error('prepared'); },
unprepare() { Error.prepareStackTrace = 1; throw new Error('unprepared'); },
own() { const error = new Error('a'); error.stack = 'Mine: own\\n    at nowhere (file:///none.js:1:1)'; throw error; },
long() { throw new Error('x'.repeat(1e6)); },
deep() { let error = new Error('end'); for (let i = 0; i < 1000; i++) error = new Error(`e${i}`, { cause: error }); throw error; },
wide() { throw new AggregateError(Array.from({ length: 1e5 }, (_, i) => new Error(`e${i}`)), 'wide'); },
self() { throw new AggregateError([new AggregateError([])], 'self'); },
native() { [1].map(() => { throw new Error('in map'); }); },
evaluated() { eval('throw new Error(\"in eval\")'); },
again() { throw new Error('at last'); },";
    let supervisor = TestSupervisor::plan().app(app(functions)).start().await;
    let names: Vec<_> = functions
        .lines()
        .filter(|line| !line.starts_with([' ', '}']))
        .filter_map(|line| line.split('(').next())
        .collect();
    assert!(names.len() > 20 && names.contains(&"again"), "{names:?}");
    let pid = supervisor.worker("app").await;
    for name in &names {
        let status = supervisor.get("app", &format!("/{name}")).await.status;
        assert_eq!(status, if *name == "fine" { 200 } else { 500 }, "{name}");
    }
    assert_eq!(supervisor.get("app", "/fine").await.text(), "fine");
    assert_eq!(supervisor.worker("app").await, pid);
    supervisor.log.record_with("at last").await;
    let messages: Vec<_> = supervisor
        .log
        .records()
        .into_iter()
        .filter(|record| record["level"] == "ERROR")
        .map(|record| record["message"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(messages.len(), names.len() - 1, "{messages:#?}");
    for (name, part) in [
        ("own", "Mine: own\n    at nowhere (file:///none.js:1:1)"),
        ("native", "at Array.map (<anonymous>)"),
        ("evaluated", "eval at"),
    ] {
        let message = &messages[names.iter().position(|known| *known == name).unwrap() - 1];
        assert!(message.contains(part), "{message}");
    }
    let longest = messages.iter().map(String::len).max().unwrap();
    assert!(longest < 17 * 1024, "{longest}");
}

#[tokio::test]
async fn an_app_sees_no_frames_but_its_own() {
    let supervisor = TestSupervisor::with(
        "const frames = (error) => error.stack.split('\\n').slice(1);
         export default { async fetch(request) {
           const errors = [new Error()];
           try { new URL('none'); } catch (error) { errors.push(error); }
           try { await new Response('{').json(); } catch (error) { errors.push(error); }
           try { new Response(null, { status: 1 }); } catch (error) { errors.push(error); }
           try { structuredClone(() => {}); } catch (error) { errors.push(error); }
           const target = new EventTarget();
           target.addEventListener('a', () => errors.push(new Error()));
           target.dispatchEvent(new Event('a'));
           const stacks = errors.map((error) => error.stack);
           let sites;
           Error.prepareStackTrace = (_, given) => given.map((site) => site.getFileName() + site.getThis() + site.getFunction());
           target.addEventListener('b', () => sites = new Error().stack);
           target.dispatchEvent(new Event('b'));
           return Response.json({ stacks, sites });
         } };",
    )
    .await;
    let found = supervisor.get("app", "/").await.json();
    let stacks: Vec<_> =
        found["stacks"].as_array().unwrap().iter().map(|stack| stack.as_str().unwrap()).collect();
    assert_eq!(stacks.len(), 6, "{stacks:?}");
    for stack in stacks {
        assert!(stack.contains("/app/index.js:") && !stack.contains("ext:"), "{stack}");
    }
    let sites = found["sites"].as_array().unwrap();
    assert!(!sites.is_empty());
    for site in sites {
        let site = site.as_str().unwrap();
        assert!(site.contains("/app/index.js") && site.ends_with("undefinedundefined"), "{site}");
    }
}
