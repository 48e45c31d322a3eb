//! TypeScript and JSX run without a build step: what is translated, with which options, and what errors look like.

use serde_json::json;

use crate::TestSupervisor;
use crate::harness::{App, Folder};

#[test]
fn typescript_runs_as_it_is() {
    let folder = Folder::of(&[
        ("index.js", "import './main.ts';"),
        (
            "main.ts",
            "import { add, type Sum } from './lib/add';
             import same, { Shape } from './lib/shape.js';
             import { Gone } from './types-only';
             import * as all from './lib';
             import old from './old.cts';
             import view from './view.jsx';
             export type { Sum };

             enum Level { Low, High = 'high', Next = 1 << 3 }
             const enum Fixed { One = 1 }
             namespace Space { export const inside = 5; }
             declare const nowhere: Gone;
             abstract class Base<T> {
               constructor(protected readonly first: T, public second?: number) {}
               abstract name(): string;
             }
             class Derived extends Base<string> {
               declare ignored: number;
               accessor counted = 1;
               override name(): string { return `${this.first}${this.second!}`; }
             }
             function logged<T extends (...args: any[]) => any>(method: T, context: ClassMethodDecoratorContext) {
               return function (this: any, ...args: any[]) { return [context.name, method.apply(this, args)]; };
             }
             class Decorated { @logged run(value: number) { return value; } }
             let freed = 0;
             { using held = { [Symbol.dispose]() { freed++; } }; }
             const value = <number>(await Promise.resolve(1) as unknown);
             const derived = new Derived('a', 2);
             derived.counted += value;
             throw JSON.stringify({
               sum: add(1, 2) satisfies Sum, level: [Level.Low, Level.High, Level[8], Fixed.One], inside: Space.inside,
               name: derived.name(), counted: derived.counted, decorated: new Decorated().run(3), freed,
               shape: [same(7), new Shape().sides], all: all.index, view, old: old.word,
             });",
        ),
        ("types-only.ts", "export interface Gone { a: string }"),
        ("lib/add.ts", "export type Sum = number; export const add = (a: number, b: number): Sum => a + b;"),
        ("lib/shape.tsx", "export class Shape { sides?: number = 4 } export default <T,>(a: T) => a;"),
        ("lib/index.mts", "export const index: string = import.meta.filename.split('/').pop();"),
        ("old.cts", "import older = require('./older.cts'); export = { word: older.word as string };"),
        ("older.cts", "exports.word = __filename.split('/').pop() + typeof module;"),
        (
            "view.jsx",
            "/** @jsxRuntime classic\n @jsx h\n @jsxFrag null */
             const h = (type, props, ...children) => [type, props, ...children];
             export default <b id='x'>{1}<i/><>{2}</></b>;",
        ),
    ]);
    assert_eq!(
        folder.thrown(),
        json!({
            "sum": 3, "level": [0, "high", "Next", 1], "inside": 5, "name": "a2", "counted": 2,
            "decorated": ["run", 3], "freed": 1, "shape": [7, 4], "all": "index.mts",
            "view": ["b", { "id": "x" }, 1, ["i", null], [null, null, 2]], "old": "older.ctsobject"
        })
    );
}

#[test]
fn extensions_may_be_left_out_or_be_those_of_the_output() {
    let names = "export default import.meta.filename.split('/app/').pop();";
    for (specifier, files, expected) in [
        ("./x", &["x.js", "x.ts", "x/index.ts"][..], "x.ts"),
        ("./x", &["x.tsx", "x.js"], "x.tsx"),
        ("./x", &["x.mts", "x.js"], "x.mts"),
        ("./x", &["x.mjs"], "x.mjs"),
        ("./x", &["x.jsx"], "x.jsx"),
        ("./x", &["x/index.js", "x/index.tsx"], "x/index.tsx"),
        ("./x/", &["x.ts", "x/index.js"], "x/index.js"),
        ("./x.js", &["x.js", "x.ts"], "x.js"),
        ("./x.js", &["x.ts"], "x.ts"),
        ("./x.js", &["x.tsx"], "x.tsx"),
        ("./x.mjs", &["x.mts"], "x.mts"),
        ("./x.y", &["x.y.ts"], "x.y.ts"),
        ("./x%20y.ts?a=1#b", &["x y.ts"], "x y.ts"),
        (".", &["index.ts"], "index.ts"),
    ] {
        let entry = format!("import x from '{specifier}'; throw JSON.stringify(x);");
        let folder = Folder::new().file("index.mjs", entry);
        let folder = files.iter().fold(folder, |folder, path| folder.file(path, names));
        assert_eq!(folder.thrown(), json!(expected), "{specifier}");
    }
}

#[test]
fn jsx_takes_its_runtime_from_pragma_and_configuration() {
    let package = |name: &str| {
        let path = format!("node_modules/{name}");
        let exports = r#""exports": { "./jsx-runtime": "./runtime.js" }"#;
        (
            (
                format!("{path}/package.json"),
                format!(r#"{{ "name": "{name}", "type": "module", {exports} }}"#),
            ),
            (
                format!("{path}/runtime.js"),
                format!(
                    "export const Fragment = 'fragment';
                     export const jsx = (type, props) => ['{name}', type, props]; export {{ jsx as jsxs }};
                     export const jsxTemplate = (texts) => texts; export const jsxAttr = String;
                     export const jsxEscape = String;"
                ),
            ),
        )
    };
    let simple = "export default <p id='a'>b</p>;";
    let classic = "const h = (...all) => all; const F = 'F'; const React = { createElement: h, Fragment: F };
        export default <p>{<>{1}</>}</p>;";
    for (source, configuration, expected) in [
        (simple, None, json!(["react", "p", { "id": "a", "children": "b" }])),
        (
            "/** @jsxImportSource preact */ export default <p id='a'>b</p>;",
            None,
            json!(["preact", "p", { "id": "a", "children": "b" }]),
        ),
        (
            simple,
            Some((
                "tsconfig.json",
                "{ // a comment\n \"compilerOptions\": { \"jsxImportSource\": \"preact\", } }",
            )),
            json!(["preact", "p", { "id": "a", "children": "b" }]),
        ),
        (
            simple,
            Some((
                "deno.jsonc",
                "{ \"compilerOptions\": { \"jsx\": \"react-jsx\", \"jsxImportSource\": \"@x/hono\" } }",
            )),
            json!(["@x/hono", "p", { "id": "a", "children": "b" }]),
        ),
        (
            simple,
            Some((
                "tsconfig.json",
                r#"{ "extends": "not-installed", "compilerOptions": { "jsxImportSource": "preact" } }"#,
            )),
            json!(["preact", "p", { "id": "a", "children": "b" }]),
        ),
        (
            simple,
            Some((
                "deno.json",
                r#"{ "compilerOptions": { "jsx": "precompile", "jsxImportSource": "preact" } }"#,
            )),
            json!(["<p id=\"a\">b</p>"]),
        ),
        (
            classic,
            Some(("tsconfig.json", r#"{ "compilerOptions": { "jsx": "react" } }"#)),
            json!(["p", null, ["F", null, 1]]),
        ),
        (
            classic,
            Some((
                "tsconfig.json",
                r#"{ "compilerOptions": { "jsxFactory": "h", "jsxFragmentFactory": "F" } }"#,
            )),
            json!(["p", null, ["F", null, 1]]),
        ),
    ] {
        let mut folder = Folder::new()
            .file("index.js", "import view from './view'; throw JSON.stringify(view);")
            .file("view.tsx", source);
        for name in ["react", "preact", "@x/hono"] {
            let (description, runtime) = package(name);
            folder = folder.file(&description.0, description.1).file(&runtime.0, runtime.1);
        }
        if let Some((path, text)) = configuration {
            folder = folder.file(path, text);
        }
        assert_eq!(folder.thrown(), expected, "{configuration:?}");
    }
}

#[test]
fn a_tsconfig_says_how_decorators_imports_and_names_are_meant() {
    let folder = Folder::of(&[
        ("index.js", "import './main.ts';"),
        (
            "tsconfig.json",
            r##"{
              "extends": "./base.json",
              "compilerOptions": { "experimentalDecorators": true, "paths": { "@/*": ["./src/*"], "config": ["./src/config.ts"] } }
            }"##,
        ),
        ("base.json", r#"{ "compilerOptions": { "verbatimModuleSyntax": true } }"#),
        (
            "main.ts",
            "import { word } from '@/word';
             import { config } from 'config';
             import { type Side } from './side.ts';
             const seen: unknown[] = [];
             const mark = (...all: any[]) => { seen.push(all.slice(1)); };
             class A { @mark field = 1; run(@mark value: number) {} }
             throw JSON.stringify({ word, config, seen, side: globalThis.side });",
        ),
        ("src/word.ts", "export const word = 'word';"),
        ("src/config.ts", "export const config = 'config';"),
        ("side.ts", "globalThis.side = 'evaluated'; export type Side = 1;"),
    ]);
    assert_eq!(
        folder.thrown(),
        json!({ "word": "word", "config": "config", "seen": [["field", null], ["run", 0]], "side": "evaluated" })
    );
    let text = Folder::of(&[("index.js", "import './a.ts';"), ("a.ts", ""), ("tsconfig.json", "{ 1 }")])
        .load_error();
    assert!(
        text.starts_with("tsconfig.json is not valid: key must be a string at line 1 column 3"),
        "{text}"
    );
}

#[test]
fn mistakes_name_file_line_and_column_of_the_source() {
    for (source, expected) in [
        (
            "const fine = 1;\nconst broken: = 2;\n",
            "SyntaxError: Unexpected token `=`. Expected an identifier, void, yield, null, await, break, a string literal, a numeric \
             literal, true, false, `, -, import, this, typeof, {, [, (\n    at lib/a.ts:2:15\n    2 | const broken: = 2;\n      |               ^",
        ),
        (
            "interface Long {\n  a: string;\n}\n\n\tconst twice = 1, twice = 2;",
            "SyntaxError: Identifier 'twice' has already been declared\n    at lib/a.ts:5:19\n    5 | \tconst twice = 1, twice = 2;\n      | \t                 ^",
        ),
        (
            "interface Long {\n  a: string;\n}\nfunction fail(long?: Long): never {\n  throw new TypeError(long!.a);\n}\nfail();",
            "TypeError: Cannot read properties of undefined (reading 'a')\n    at fail (lib/a.ts:5:29)\n    5 |   throw new \
             TypeError(long!.a);\n      |                             ^\n    at lib/a.ts:7:1",
        ),
        (
            "interface Long {\n  a: string;\n}\nimport { none } from './b.ts';\nconsole.log(none);",
            "SyntaxError: The requested module './b.ts' does not provide an export named 'none'\n    at lib/a.ts:4:10\n    \
             4 | import { none } from './b.ts';\n      |          ^\n    hint: if it is a type, say so: `import { type \
             Name }`, `export { type Name }`",
        ),
        (
            "interface Long {\n  a: string;\n}\nimport none from './none.ts';\nconsole.log(none);",
            "there is no file \"lib/none.ts\" in the app's folder\n    at lib/a.ts:4:18\n    4 | import none from \
             './none.ts';\n      |                  ^",
        ),
    ] {
        let folder = Folder::of(&[
            ("index.js", "import './lib/a.ts';"),
            ("lib/a.ts", source),
            ("lib/b.ts", "export {};"),
        ]);
        assert_eq!(folder.load_error(), expected);
    }
}

#[tokio::test]
async fn errors_at_run_time_are_told_by_places_of_the_source() {
    let app = App::new("app", "export { default } from './main.ts';").file(
        "main.ts",
        "interface Unused {\n  a: string;\n}\n\nexport default {\n  async fetch(request: Request): Promise<Response> {\n    \
         if (request.url.endsWith('/stack')) return new Response(new Error('seen').stack);\n    throw new \
         Error('thrown' as string);\n  },\n};\n",
    );
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let stack = supervisor.get("app", "/stack").await.text().to_owned();
    let (message, frames) = stack.split_once('\n').unwrap();
    assert_eq!(message, "Error: seen");
    assert!(
        frames.starts_with("    at Object.fetch (file:///") && frames.ends_with("/app/main.ts:7:61)"),
        "{stack}"
    );
    assert_eq!(supervisor.get("app", "/").await.status, 500);
    let record = supervisor.log.record_with("thrown").await;
    assert_eq!(
        record["message"],
        "Uncaught Error: thrown\n    at Object.fetch (main.ts:8:11)\n    8 |     throw new Error('thrown' as string);\n      \
         |           ^"
    );
}

#[test]
fn maps_that_bundlers_leave_lead_to_their_sources() {
    // Maps the whole first line of the output to line 5, column 3 of the source.
    let map = r#"{ "version": 3, "sources": ["../src/app.ts"], "names": [], "mappings": "AAIE" }"#;
    let bundle = "throw new Error('bundled');\n//# sourceMappingURL=index.js.map";
    let folder = Folder::of(&[
        ("package.json", r#"{ "main": "dist/index.js" }"#),
        ("dist/index.js", bundle),
        ("dist/index.js.map", map),
    ]);
    assert_eq!(folder.load_error(), "Error: bundled\n    at src/app.ts:5:3");
    let folder = folder.file("src/app.ts", "\n\n\n\n  throw fault;\n");
    assert_eq!(
        folder.load_error(),
        "Error: bundled\n    at src/app.ts:5:3\n    5 |   throw fault;\n      |   ^"
    );
    let outside = map.replace("../src/app.ts", "../../secret.txt");
    let folder = folder.file("../secret.txt", "\n\n\n\nsecret").file("dist/index.js.map", outside);
    let text = folder.load_error();
    assert!(text.ends_with("/secret.txt:5:3") && !text.contains("secret\n"), "{text}");
    for broken in ["", "{", r#"{ "version": 3 }"#] {
        let folder = Folder::of(&[("index.js", bundle), ("index.js.map", broken)]);
        assert_eq!(
            folder.load_error(),
            "Error: bundled\n    at index.js:1:7\n    1 | throw new Error('bundled');\n      |       ^"
        );
    }
}
