//! Every global of workerd and every member of its classes is there, or listed with a reason in docs/workers.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::free_address;
use crate::harness::workerd::Both;

/// JavaScript that returns one of each of the objects that handlers of HTMLRewriter get, by the names of their types.
pub(crate) const TOKENS: &str = r"
  const tokens = async () => {
    const found = {};
    const keep = (kind) => (token) => { found[kind] ??= token; };
    const page = new HTMLRewriter()
      .on('a', { element(element) { found.Element ??= element; element.onEndTag(keep('EndTag')); }, text: keep('Text'), comments: keep('Comment') })
      .onDocument({ doctype: keep('Doctype'), end: keep('DocumentEnd') })
      .transform(new Response('<!doctype html><a>x<!--x--></a>'));
    await page.text();
    return found;
  };
";

/// A GET lists globals, statics (`.`), members of prototypes (`#`) and members of single objects (`>`). A POST of such a list
/// returns those that are not there.
const PROGRAM: &str = r"
  const PLAIN = new Set(['length', 'name', 'prototype', 'arguments', 'caller', 'constructor', 'toString']);
  const names = (object) => {
    const found = new Set();
    for (let at = object; at && at !== Object.prototype && at !== Function.prototype; at = Object.getPrototypeOf(at)) {
      for (const key of Reflect.ownKeys(at)) if (typeof key === 'string' && !PLAIN.has(key) && !/^_/.test(key)) found.add(key);
    }
    return found;
  };
  const single = async (request, env, ctx) => ({ ...await tokens(), DigestStream: crypto.DigestStream.prototype,
    Timeout: setTimeout(() => {}), Immediate: setImmediate(() => {}), ctx, request, crypto, 'crypto.subtle': crypto.subtle, caches,
    'caches.default': caches.default, navigator, performance, scheduler, console, Cloudflare, process });
  export default { async fetch(request, env, ctx) {
    const objects = await single(request, env, ctx);
    if (request.method === 'POST') {
      const missing = [];
      for (const path of await request.json()) {
        const [, base, mark, member] = /^(.*?)(?:([.#>])([^.#>]*))?$/.exec(path);
        const on = mark === '>' ? objects[base] : mark === '#' ? globalThis[base]?.prototype : mark === '.' ? globalThis[base] : globalThis;
        if (on === undefined || on === null || !((member ?? base) in Object(on))) missing.push(path);
      }
      return Response.json(missing);
    }
    const found = [];
    for (const name of names(globalThis)) {
      found.push(name);
      const value = globalThis[name];
      if (typeof value !== 'function') continue;
      for (const member of names(value)) found.push(`${name}.${member}`);
      if (value.prototype) for (const member of names(value.prototype)) found.push(`${name}#${member}`);
    }
    for (const name in objects) for (const member of names(objects[name])) found.push(`${name}>${member}`);
    return Response.json(found);
  } };
";

/// Returns what the table of absences in docs/workers.md names. A class stands for its members.
pub(crate) fn absences() -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/workers.md");
    let page = fs::read_to_string(page).unwrap();
    let table = page.split_once("| absent | because |").expect("a table").1;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| row.split('|').nth(1).expect("a column").split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn every_global_and_member_of_workers_is_there_or_listed() {
    let Some(both) = Both::serve(&format!("{TOKENS}{PROGRAM}"), free_address()).await else { return };
    let [_, theirs] = both.send("GET", "/", &[], "").await.map(Result::unwrap);
    let all: Vec<Value> = serde_json::from_slice(&theirs.body).unwrap();
    assert!(all.len() > 1500, "{}", all.len());
    let [ours, theirs] = both.send("POST", "/", &[], theirs.body).await.map(|reply| reply.unwrap().json());
    assert_eq!(theirs, Value::Array(Vec::new()));
    let missing: Vec<String> = serde_json::from_value(ours).unwrap();
    let listed = absences();
    let class = |path: &str| path.split(['.', '#', '>']).next().unwrap_or(path).to_owned();
    let stands_for = |path: &String| listed.contains(path) || listed.contains(&class(path));
    let unlisted: Vec<_> = missing.iter().filter(|path| !stands_for(path)).collect();
    assert!(unlisted.is_empty(), "missing: {unlisted:?}");
    let there: Vec<_> = listed
        .iter()
        .filter(|name| !missing.iter().any(|path| path == *name || class(path) == **name))
        .collect();
    assert!(there.is_empty(), "there after all: {there:?}");
}
