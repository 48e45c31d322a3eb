//! Packages in node_modules, as ES modules and as CommonJS: which file is found, what it exports, and the errors if there
//! is none.

use serde_json::json;

use crate::harness::Folder;

/// A folder whose index.js throws the value of `expression`, evaluated after these imports.
fn finding(imports: &str, expression: &str, files: &[(&str, &str)]) -> Folder {
    Folder::of(files).file("index.js", format!("{imports}\nthrow JSON.stringify({expression});"))
}

#[test]
fn exports_maps_are_followed_by_the_conditions_of_workers() {
    let name = "export default import.meta.filename.split('node_modules/').pop();";
    let folder = finding(
        "import worker from 'conditions';
         import fallback from 'conditions/fallback';
         import pattern from 'conditions/features/a.js';
         import nested from 'conditions/nested';
         import list from 'conditions/list';
         import scoped from '@scope/name';
         import below from '@scope/name/below';
         import self from 'conditions/self';
         import json, { version } from 'conditions/package.json';
         import internal from '#internal';
         import { createRequire } from './require.cjs';",
        "{ worker, fallback, pattern, nested, list, scoped, below, self, version, json: json.name, internal, required: createRequire() }",
        &[
            ("package.json", r##"{ "imports": { "#internal": { "worker": "./lib/internal.js" } } }"##),
            ("lib/internal.js", "export default 'internal'"),
            (
                "node_modules/conditions/package.json",
                r#"{ "name": "conditions", "version": "1.2.3", "type": "module", "exports": {
                  ".": { "node": "./node.js", "require": "./required.cjs", "workerd": "./workerd.js", "default": "./none.js" },
                  "./fallback": { "deno": "./none.js", "default": "./fallback.js" },
                  "./features/*.js": "./features/*.js", "./features/private/*": null,
                  "./nested": { "import": { "node": "./none.js", "browser": "./browser.js" }, "default": "./none.js" },
                  "./list": ["invalid", "./list.js"], "./self": "./self.js", "./package.json": "./package.json" } }"#,
            ),
            ("node_modules/conditions/workerd.js", name),
            ("node_modules/conditions/required.cjs", "module.exports = 'required'"),
            ("node_modules/conditions/fallback.js", name),
            ("node_modules/conditions/features/a.js", name),
            ("node_modules/conditions/browser.js", name),
            ("node_modules/conditions/list.js", name),
            ("node_modules/conditions/self.js", "export { default } from 'conditions/fallback';"),
            (
                "node_modules/@scope/name/package.json",
                r#"{ "module": "./lib/module.js", "main": "./lib/main.js" }"#,
            ),
            ("node_modules/@scope/name/lib/module.js", name),
            ("node_modules/@scope/name/below/index.js", name),
            ("require.cjs", "exports.createRequire = () => require('conditions');"),
        ],
    );
    assert_eq!(
        folder.thrown(),
        json!({
            "worker": "conditions/workerd.js", "fallback": "conditions/fallback.js",
            "pattern": "conditions/features/a.js", "nested": "conditions/browser.js", "list": "conditions/list.js",
            "scoped": "@scope/name/lib/module.js", "below": "@scope/name/below/index.js",
            "self": "conditions/fallback.js", "version": "1.2.3", "json": "conditions", "internal": "internal",
            "required": "required"
        })
    );
}

#[test]
fn packages_without_exports_are_entered_as_bundlers_do() {
    let name = "export default import.meta.filename.split('node_modules/').pop();";
    let folder = finding(
        "import main from 'main'; import folder from 'folder'; import browser from 'browser'; import mapped from 'mapped';
         import deep from 'main/deep/file';",
        "{ main, folder, browser, mapped, deep }",
        &[
            ("node_modules/main/package.json", r#"{ "main": "lib/start" }"#),
            ("node_modules/main/lib/start.js", name),
            ("node_modules/main/lib/start.ts", "throw 'JavaScript comes first in packages'"),
            ("node_modules/main/deep/file.js", name),
            ("node_modules/folder/index.js", name),
            ("node_modules/browser/package.json", r#"{ "main": "node.js", "browser": "browser.js" }"#),
            ("node_modules/browser/browser.js", name),
            (
                "node_modules/mapped/package.json",
                r#"{ "main": "index.js", "browser": { "./node.js": "./worker.js", "fs": false, "http": "./http.js", "helper": "./helper.js" } }"#,
            ),
            (
                "node_modules/mapped/index.js",
                "import a from './node.js'; import fs from 'fs'; import http from 'http'; import { METHODS } from 'node:http';
                 import helper from 'helper'; export default [a, fs, helper, http, METHODS[0]];",
            ),
            ("node_modules/mapped/node.js", "throw 'replaced'"),
            ("node_modules/mapped/worker.js", name),
            ("node_modules/mapped/helper.js", name),
            ("node_modules/mapped/http.js", name),
            ("node_modules/http/index.js", "throw 'the module of Node comes first'"),
        ],
    );
    assert_eq!(
        folder.thrown(),
        json!({
            "main": "main/lib/start.js", "folder": "folder/index.js", "browser": "browser/browser.js",
            "mapped": ["mapped/worker.js", {}, "mapped/helper.js", "mapped/http.js", "ACL"], "deep": "main/deep/file.js"
        })
    );
}

#[test]
fn each_package_gets_the_version_it_asks_for_and_stores_of_symlinks_are_followed() {
    let version = |version: &str| format!("export default '{version}';");
    let folder = finding(
        "import top from 'dep'; import { nested, same } from 'user'; import * as linked from './lib/linked.js';",
        "{ top, nested, same, linked }",
        &[
            ("node_modules/dep/index.js", &version("2")),
            ("node_modules/user/index.js", "import nested from 'dep'; import same from 'plain'; export { nested, same };"),
            ("node_modules/user/node_modules/dep/index.js", &version("1")),
            ("node_modules/plain/index.js", &version("plain")),
            ("lib/linked.js", "export { default as store } from 'stored'; export { default as file } from './link.js';"),
            ("lib/target.js", &version("target")),
            (
                "node_modules/.pnpm/stored@1.0.0/node_modules/stored/index.js",
                "import peer from 'peer'; export default [peer, import.meta.filename.split('.pnpm/').pop()];",
            ),
            ("node_modules/.pnpm/peer@3.0.0/node_modules/peer/index.js", &version("3")),
        ],
    )
    .link("node_modules/stored", ".pnpm/stored@1.0.0/node_modules/stored")
    .link("node_modules/.pnpm/stored@1.0.0/node_modules/peer", "../../peer@3.0.0/node_modules/peer")
    .link("lib/link.js", "target.js");
    assert_eq!(
        folder.thrown(),
        json!({
            "top": "2", "nested": "1", "same": "plain",
            "linked": { "store": ["3", "stored@1.0.0/node_modules/stored/index.js"], "file": "target" }
        })
    );
}

#[test]
fn commonjs_modules_run_as_in_node() {
    let folder = finding(
        "import all, { a, b, starred, fromFile, late } from 'cjs';
         import * as space from 'cjs/babel';
         import cycle from 'cjs/cycle-a';
         import data from 'cjs/data';
         import meta from 'cjs/meta';
         import umd from 'cjs/umd';
         import { value, default as whole } from './own.cjs';
         import twice from 'cjs';
         import dual from 'dual'; import dualRequired from './dual.cjs';",
        "{ named: [a, b, starred, fromFile, late], same: all === twice, space: { ...space, default: space.default },
           cycle, data, meta, umd, own: [value, whole.value], dual: [dual, dualRequired],
           sloppy: all.sloppy, import: await all.dynamic() }",
        &[
            (
                "node_modules/cjs/index.js",
                "#!/usr/bin/env node
                 // export default 'a comment is no syntax'
                 exports.a = 1; module.exports.b = 2;
                 Object.defineProperty(exports, 'late', { enumerable: true, get: function () { return starred.late; } });
                 function __exportStar(from, to) { for (const name in from) to[name] = from[name]; }
                 const starred = require('./starred'); __exportStar(require('./starred'), exports);
                 exports.fromFile = require('./lib/').fromFile;
                 exports.sloppy = (function () { return this === globalThis; })() && this === exports;
                 exports.dynamic = async () => (await import('./module.mjs')).default;",
            ),
            ("node_modules/cjs/starred.js", "exports.starred = 's'; exports.late = 'l';"),
            ("node_modules/cjs/lib/index.js", "exports.fromFile = __filename.split('/').slice(-2).join('/');"),
            ("node_modules/cjs/lib.js", "throw new Error('the folder is meant')"),
            ("node_modules/cjs/lib/up.js", "module.exports = [require('..').a, require('.').fromFile, require('./').fromFile];"),
            ("node_modules/cjs/module.mjs", "export default 'module'"),
            (
                "node_modules/cjs/babel.js",
                "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = 'inner'; exports.x = 1;",
            ),
            ("node_modules/cjs/cycle-a.js", "exports.early = 1; exports.b = require('./cycle-b'); exports.done = true;"),
            ("node_modules/cjs/cycle-b.js", "const a = require('./cycle-a'); module.exports = { seen: Object.keys(a) };"),
            ("node_modules/cjs/data.js", "module.exports = [require('./data.json').x, require('./text.txt')];"),
            ("node_modules/cjs/data.json", "\u{feff}{ \"x\": [1] }"),
            ("node_modules/cjs/text.txt", "text"),
            (
                "node_modules/cjs/meta.js",
                "const short = (path) => path.split('/node_modules/').pop();
                 const main = require.main === undefined && module.parent === undefined;
                 let counted = require('./counter').count; const key = require.resolve('./counter');
                 delete require.cache[key]; counted += require('./counter').count;
                 let message; try { require('./throws'); } catch (error) { message = error.message; }
                 try { require('./throws'); } catch (error) { message += error.message; }
                 module.exports = {
                   id: short(module.id), dir: short(__dirname), loaded: module.loaded, main, counted, message,
                   paths: module.paths.slice(0, 2).map((path) => path.split('/app/').pop()),
                   children: module.children.length, resolved: short(require.resolve('dual')), via: module.require('./counter').count,
                   up: require('./lib/up'),
                   keys: Object.keys(require), from: short(require.resolve('dual', { paths: [__dirname] })),
                 };",
            ),
            ("node_modules/cjs/counter.js", "globalThis.count = (globalThis.count ?? 0) + 1; exports.count = globalThis.count;"),
            ("node_modules/cjs/throws.js", "globalThis.thrown = (globalThis.thrown ?? 0) + 1; throw new Error(`t${thrown}`);"),
            (
                "node_modules/cjs/umd.js",
                "(function (root, factory) { typeof exports === 'object' && typeof module !== 'undefined' ? module.exports = factory()
                 : root.umd = factory(); })(this, function () { return 'umd'; });",
            ),
            ("own.cjs", "module.exports = { value: 'own' };"),
            ("node_modules/dual/package.json", r#"{ "exports": { "import": "./index.mjs", "require": "./index.cjs" } }"#),
            ("node_modules/dual/index.mjs", "export default 'import'"),
            ("node_modules/dual/index.cjs", "module.exports = 'require'"),
            ("dual.cjs", "module.exports = require('dual');"),
        ],
    );
    assert_eq!(
        folder.thrown(),
        json!({
            "named": [1, 2, "s", "lib/index.js", "l"], "same": true,
            "space": { "default": { "default": "inner", "x": 1 }, "__esModule": true, "x": 1, "module.exports": { "default": "inner", "x": 1 } },
            "cycle": { "early": 1, "b": { "seen": ["early"] }, "done": true }, "data": [[1], "text"],
            "meta": {
                "id": "cjs/meta.js", "dir": "cjs", "loaded": false, "main": true, "counted": 3, "message": "t1t2",
                "paths": ["node_modules/cjs/node_modules", "node_modules"], "children": 2,
                "resolved": "dual/index.cjs", "via": 2,
                "up": [1, "lib/index.js", "lib/index.js"],
                "keys": ["resolve", "main", "cache", "extensions"], "from": "dual/index.cjs"
            },
            "umd": "umd", "own": ["own", "own"], "dual": ["import", "require"], "sloppy": true, "import": "module"
        })
    );
}

#[test]
fn names_that_only_show_when_a_commonjs_module_runs_can_be_imported_all_the_same() {
    let folder = finding(
        "import whole, { computed as renamed, missing } from 'hidden';
         import { other } from './lib/reexport.ts';
         import * as space from 'hidden';",
        "{ renamed, missing: missing === undefined, other, same: [other === whole.other, whole === space.default],
           static: Object.keys(space).sort() }",
        &[
            ("node_modules/hidden/index.js", "const make = () => ({ computed: 1, other: { a: 2 } }); module.exports = make();"),
            ("lib/reexport.ts", "export { other } from 'hidden'; import { type Unused } from 'hidden'; export type U = Unused;"),
        ],
    );
    assert_eq!(
        folder.thrown(),
        json!({
            "renamed": 1, "missing": true, "other": { "a": 2 }, "same": [true, true],
            "static": ["computed", "default", "missing", "module.exports"]
        })
    );
}

#[test]
fn es_modules_can_be_required_unless_they_wait() {
    let folder = finding(
        "import found from './main.cjs';",
        "found",
        &[
            (
                "main.cjs",
                "const error = (run) => { try { run(); } catch (error) { return error; } };
                 const es = require('./module.mjs');
                 class Mine extends Error {}
                 globalThis.Mine = Mine;
                 const thrown = error(() => require('./throws.mjs'));
                 exports.found = [es.default, es.named, es.__esModule, require('./module.mjs') === es];
                 exports.bare = require('./whole.mjs');
                 exports.waits = error(() => require('./waits.mjs')).message.replace(/\"[^\"]*\\//, '\"');
                 exports.thrown = [thrown instanceof Mine, thrown.message, thrown.stack.split('\\n')[1].split('/app/').pop()];
                 exports.missing = error(() => require('./missing.mjs')).message.split('\\n')[0];",
            ),
            ("module.mjs", "export default 'default'; export const named = import.meta.url.split('/').pop();"),
            ("whole.mjs", "const whole = 'whole'; export { whole as 'module.exports' };"),
            ("waits.mjs", "await 0; export default 1;"),
            ("throws.mjs", "\nthrow new Mine('mine');"),
            ("missing.mjs", "import './none.js';"),
        ],
    );
    assert_eq!(
        folder.thrown(),
        json!({
            "found": ["default", "module.mjs", true, true], "bare": "whole",
            "waits": "require() cannot wait for the ES module \"waits.mjs\", which has a top-level await: use import()",
            "thrown": [true, "mine", "throws.mjs:2:7"],
            "missing": "there is no file \"none.js\" in the app's folder"
        })
    );
}

#[test]
fn the_format_of_a_file_follows_its_name_its_package_and_its_text() {
    for (files, expected) in [
        (&[("x.js", "module.exports = { a: typeof require }")][..], "function"),
        (&[("x.js", "export const a = typeof require")], "undefined"),
        (&[("x.js", "// require(1)\nexport const a = typeof require")], "undefined"),
        (&[("x.js", "'require'; export const a = await typeof require")], "undefined"),
        (&[("x.js", "const { a } = { a: typeof require }; export { a }; var exports;")], "undefined"),
        (&[("x.js", "exports.a = typeof require; async () => await 1; return; 'export'")], "function"),
        (
            &[("x.js", "exports.a = typeof require"), ("package.json", r#"{ "type": "commonjs" }"#)],
            "function",
        ),
        (&[("x.ts", "exports.a = typeof require as string")], "function"),
        (&[("x.ts", "export const a: string = typeof require")], "undefined"),
    ] {
        let folder = finding("import { a } from './x';", "a", files);
        assert_eq!(folder.thrown(), json!(expected), "{files:?}");
    }
    let text = finding(
        "import './x.js';",
        "1",
        &[("x.js", "exports.a = 1"), ("package.json", r#"{ "type": "module" }"#)],
    )
    .load_error();
    assert_eq!(
        text,
        "ReferenceError: exports is not defined\n    at x.js:1:1\n    1 | exports.a = 1\n      | ^\n    hint: this file is an \
         ES module: use `import` and `export`, or name it .cjs"
    );
}

#[test]
fn an_es_module_may_require_as_after_a_bundler() {
    let index = "import { posix } from 'node:path';
        const path = require('node:path');
        export const found = [path.posix === posix, require('./x.cjs').a, require('cjs'), require('./data.json').a, require('./m').b];
        try { require('./none'); } catch (error) { found.push(error.message.split('\\n')[0]); }
        found.push(((require) => require('own'))((name) => name));";
    let files = [
        ("x.cjs", "exports.a = 'cjs'"),
        ("node_modules/cjs/index.js", "module.exports = 'package'"),
        ("data.json", "{\"a\":\"json\"}"),
        ("m.js", "export const b = 'module'"),
        (
            "declared.js",
            "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url); export const a = require('./x.cjs').a;",
        ),
    ];
    let folder = finding(
        "import { found } from './y.mjs'; import { a } from './declared.js'",
        "[found, a]",
        &[&files[..], &[("y.mjs", index)]].concat(),
    );
    assert_eq!(
        folder.thrown(),
        json!([
            [
                true,
                "cjs",
                "package",
                "json",
                "module",
                "there is no file \"none\" in the app's folder",
                "own"
            ],
            "cjs"
        ])
    );
}

#[test]
fn a_module_is_parsed_however_deeply_it_is_nested() {
    let (nested, long) = ("[".repeat(1500) + &"]".repeat(1500), vec!["1"; 10_000].join("+"));
    let module = format!("export const a = [{nested}, {long}, require('node:path').sep];");
    let folder = finding("import { a } from './a.mjs'", "[a[1], a[2]]", &[("a.mjs", &module)]);
    assert_eq!(folder.thrown(), json!([10_000, "/"]));
    // Where it is too much for the stack, that is what ends the worker.
    let module =
        format!("export const a = [{}{}, require('a')];", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let folder = finding("import { a } from './a.mjs'", "a", &[("a.mjs", &module)]);
    assert_eq!(folder.load_error(), "app: stack overflow: its code is nested too deeply");
}

#[test]
fn errors_in_commonjs_modules_name_their_places() {
    let index = "import 'cjs';";
    for (source, expected) in [
        (
            "exports.a = 1;\n  null.x;",
            "TypeError: Cannot read properties of null (reading 'x')\n    at Object.<anonymous> (node_modules/cjs/index.js:2:8)\n    \
             2 |   null.x;\n      |        ^",
        ),
        (
            "exports.a = 1;\nlet a; let a;",
            "SyntaxError: Identifier 'a' has already been declared\n    at node_modules/cjs/index.js:2:12\n    2 | let a; let a;\n      \
             |            ^",
        ),
        (
            "exports.a = 1;\nrequire('./none');",
            "Error: there is no file \"node_modules/cjs/none\" in the app's folder\n    at node_modules/cjs/index.js:2:9\n    2 | \
             require('./none');\n      |         ^\n    at Object.<anonymous> (node_modules/cjs/index.js:2:1)\n    2 | \
             require('./none');\n      | ^",
        ),
        (
            "exports.a = 1;\nrequire('./data.json');",
            "TypeError: \"node_modules/cjs/data.json\" is not valid JSON: key must be a string at line 1 column 2\n    at \
             node_modules/cjs/data.json:1:2\n    1 | {]\n      |  ^\n    at Object.<anonymous> (node_modules/cjs/index.js:2:1)\n    2 \
             | require('./data.json');\n      | ^",
        ),
        (
            "exports.a = 1;\nrequire(1);",
            "TypeError: require() takes the name of a module: a string that is not empty\n    at Object.<anonymous> \
             (node_modules/cjs/index.js:2:1)\n    2 | require(1);\n      | ^",
        ),
        (
            "exports.a = 1;\nrequire('node:none');",
            "Error: cannot import \"node:none\" from node_modules/cjs/index.js: there is no module `none` of Node.js in a worker\n    \
             at node_modules/cjs/index.js:2:9\n    2 | require('node:none');\n      |         ^\n    at Object.<anonymous> \
             (node_modules/cjs/index.js:2:1)\n    2 | require('node:none');\n      | ^",
        ),
    ] {
        let folder = Folder::of(&[
            ("index.js", index),
            ("node_modules/cjs/index.js", source),
            ("node_modules/cjs/data.json", "{]"),
        ]);
        assert_eq!(folder.load_error(), expected);
    }
}

#[test]
fn a_package_that_cannot_be_found_is_named_with_the_way_to_get_it() {
    let place = |specifier: &str, from: &str| {
        let caret = " ".repeat(7);
        format!("\n    at {from}:1:8\n    1 | import '{specifier}';\n      | {caret}^")
    };
    for (specifier, expected) in [
        (
            "hono",
            "there is no package \"hono\" in the app's folder; install it there: `npm install hono` (a file of the app is imported by \
             its relative path, as in \"./hono\")",
        ),
        (
            "@hono/node-server/serve",
            "there is no package \"@hono/node-server\" in the app's folder; install it there: `npm install @hono/node-server` (a file \
             of the app is imported by its relative path, as in \"./@hono/node-server/serve\")",
        ),
        ("node:none", "there is no module `none` of Node.js in a worker"),
        ("npm:hono@4", "packages are imported by their plain names from node_modules, without `npm:`"),
        (
            "@/lib/x",
            "there is no such name; define it in \"imports\" of package.json or \"paths\" of tsconfig.json, or, where a bundler \
             defines it, build first: npm run build",
        ),
        ("there/none", "the package has no file \"/none\" (node_modules/there)"),
        ("empty", "the package has no module to start with (node_modules/empty/package.json)"),
        (
            "closed/inner.js",
            "the package exports no \"./inner.js\" for workers (see \"exports\" in node_modules/closed/package.json)",
        ),
        ("broken", "node_modules/broken/package.json is not valid JSON"),
        ("#none", "\"#none\" is not defined in \"imports\" of package.json"),
        (
            "linked",
            "the package is outside the app's folder, at TMP/outside/index.js; an app may only import files inside it (symlinks \
             included); for a package of a workspace, set `path` to the root of the workspace, and `entry` to the module in it",
        ),
    ] {
        let folder = Folder::of(&[
            ("index.js", &format!("import '{specifier}';")),
            ("package.json", r##"{ "imports": { "#some": "./some.js" } }"##),
            ("node_modules/there/index.js", ""),
            ("node_modules/empty/package.json", "{}"),
            ("node_modules/closed/package.json", r#"{ "exports": "./index.js" }"#),
            ("node_modules/closed/inner.js", ""),
            ("node_modules/broken/package.json", "{ 1 }"),
            ("../outside/index.js", ""),
            // This package.json is outside the app's folder and is not read.
            ("../outside/package.json", r#"{ "main": "lib/other.js" }"#),
            ("../outside/lib/other.js", ""),
            ("../node_modules/hono/index.js", "throw 'from outside'"),
        ])
        .link("node_modules/linked", "../../outside");
        let text = folder.load_error();
        let expected = format!("cannot import {specifier:?} from index.js: {expected}");
        if specifier == "broken" {
            assert!(text.starts_with(&expected), "{text}");
            continue;
        }
        assert_eq!(text, format!("{expected}{}", place(specifier, "index.js")));
    }
    let text =
        Folder::of(&[("index.js", "import 'user';"), ("node_modules/user/index.js", "import 'peer';")])
            .load_error();
    assert!(
        text.starts_with(
            "cannot import \"peer\" from node_modules/user/index.js: there is no package \"peer\""
        ),
        "{text}"
    );
    assert!(text.ends_with(&place("peer", "node_modules/user/index.js")), "{text}");
}
