//! What is read from wrangler files of every form, and from those of a build.

use std::fs;

use nano_protocol::message::{ModuleKind, ModuleRule};
use serde_json::json;

use super::*;

/// Returns what is read from the wrangler file among these files, and the problems.
fn read(files: &[(&str, &str)]) -> (Wrangler, Vec<String>) {
    read_in(files, None)
}

/// Like [`read`], in this environment.
fn read_in(files: &[(&str, &str)], environment: Option<&str>) -> (Wrangler, Vec<String>) {
    read_for(None, files, environment)
}

/// Like [`read_in`], for an app with this entry module.
fn read_for(
    entry: Option<&str>,
    files: &[(&str, &str)],
    environment: Option<&str>,
) -> (Wrangler, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut problems = Problems::default();
    let root = dir.path().canonicalize().unwrap();
    let place = Place::flag("--env");
    let environment = environment.map(|name| (name, &place));
    (Wrangler::read(&root, Path::new("app"), entry, environment, &mut problems), problems.texts())
}

fn missing(wrangler: &Wrangler) -> Vec<&str> {
    wrangler.missing.iter().map(|binding| &*binding.name).collect()
}

#[test]
fn toml_and_json_say_the_same() {
    let toml = "name = 'My Worker'\nmain = './src/index.ts'\ncompatibility_date = '2025-01-01'\n\
                compatibility_flags = ['nodejs_compat', 'odd']\nroutes = ['example.com/*']\n\
                [vars]\nT = 'x'\nN = 1\nB = true\nO = { a = { b = [1] } }\n\
                [[kv_namespaces]]\nbinding = 'KV'\n[env.staging]\nname = 's'\n[env.prod]\n[triggers]\ncrons = ['*/5 * * * *', '0 0 * * SUN']\n\
                [site]\nbucket = 'public'";
    let json = r#"{
        "$schema": "x", // a comment
        "name": "My Worker", "main": "./src/index.ts", "compatibility_date": "2025-01-01",
        "compatibility_flags": ["nodejs_compat", "odd"],
        "routes": ["example.com/*"],
        "vars": { "T": "x", "N": 1, "B": true, "O": { "a": { "b": [1] } } },
        "kv_namespaces": [{ "binding": "KV" }],
        "env": { "staging": { "name": "s" }, "prod": {} },
        "triggers": { "crons": ["*/5 * * * *", "0 0 * * SUN"] },
        "site": { "bucket": "public" },
    }"#;
    let with_mark = format!("\u{feff}{json}");
    let files = [
        ("wrangler.toml", toml),
        ("wrangler.jsonc", json),
        ("wrangler.json", json),
        ("wrangler.jsonc", &with_mark),
    ];
    for (file, text) in files {
        let (found, problems) = read(&[(file, text)]);
        assert_eq!(problems, [""; 0]);
        assert_eq!(missing(&found), ["KV"]);
        let (site, _) = found.site.unwrap();
        assert_eq!((&*site.bucket, &*found.provided[0].name), ("public", "__STATIC_CONTENT"));
        let crons: Vec<_> = found.crons.iter().map(Cron::as_str).collect();
        assert_eq!(crons, ["*/5 * * * *", "0 0 * * SUN"]);
        assert_eq!(found.name.unwrap().as_str(), "my-worker");
        assert_eq!(found.main.unwrap().0, "src/index.ts");
        let vars = json!({ "T": "x", "N": 1, "B": true, "O": { "a": { "b": [1] } } });
        assert_eq!(json!(found.vars.0), vars);
        assert_eq!(
            found.warning.unwrap(),
            format!(
                "app/{file}: ignored, because it is set otherwise here: routes (by `hosts` and `port`); ignored, because \
                 nano-supervisor has nothing like it: compatibility flag odd; missing bindings, which throw an error \
                 when the app uses them: KV (kv_namespaces)"
            )
        );
    }
}

#[test]
fn what_a_build_has_made_counts() {
    let redirect = r#"{"configPath":"../../dist/server/wrangler.json","auxiliaryWorkers":[]}"#;
    let built = r#"{ "name": "built", "main": "index.js", "assets": { "directory": "../client" },
        "targetEnvironment": "prod", "vars": { "A": 1 } }"#;
    let source = ("wrangler.toml", "name = 'source'\nmain = 'src/index.ts'\n[env.prod]\nname = 'other'");
    let redirect_file = (".wrangler/deploy/config.json", redirect);
    let files = [source, redirect_file, ("dist/server/wrangler.json", built)];
    for environment in [None, Some("prod")] {
        let (found, problems) = read_in(&files, environment);
        assert_eq!(problems, [""; 0]);
        assert_eq!(
            (found.name.unwrap().as_str(), found.main.unwrap().0),
            ("built", "dist/server/index.js".into())
        );
        assert_eq!(json!(found.vars.0), json!({ "A": 1 }));
    }
    assert_eq!(
        read_in(&files, Some("test")).1,
        [
            "--env: \"test\" is not the environment that app/dist/server/wrangler.json was built for, \"prod\"; fix: \
          build it for this environment: CLOUDFLARE_ENV=test npm run build"
        ]
    );
    let alone = read_in(&[redirect_file, ("dist/server/wrangler.json", "{}")], Some("test")).0;
    assert_eq!(
        alone.warning.unwrap(),
        "app/dist/server/wrangler.json: was built without an environment, so that \"test\" has no effect; fix: build it for \
         this environment: CLOUDFLARE_ENV=test npm run build"
    );
    let place = "app/.wrangler/deploy/config.json:1";
    let fix = "fix: build first: npm run build, or delete this file if it is left over from an earlier build";
    for (redirect, expected) in [
        (redirect, format!("{place}: configPath: there is no file app/dist/server/wrangler.json; {fix}")),
        ("{}", format!("{place}: does not say `configPath`; {fix}")),
        ("{\"configPath\": 1}", format!("{place}: configPath: is not text; fix: write it in quotes")),
        (
            "{\"configPath\": \"../../../x.json\"}",
            format!(
                "{place}: configPath: \"../../../x.json\" leads out of the app's folder; fix: serve the folder that \
                 holds both, such as that of the workspace"
            ),
        ),
    ] {
        let (found, problems) = read(&[source, (".wrangler/deploy/config.json", redirect)]);
        assert_eq!((problems, found.name), (vec![expected], None));
    }
    let others =
        r#"{"configPath":"../../wrangler.toml","auxiliaryWorkers":[{"configPath":"../../b/wrangler.json"}]}"#;
    let (found, _) = read(&[source, (".wrangler/deploy/config.json", others)]);
    assert_eq!(
        found.warning.unwrap(),
        "app/wrangler.toml: the same build made other workers, which are apps of their own here: ../../b/wrangler.json"
    );
}

#[test]
fn the_file_nearest_to_the_entry_counts() {
    let files = [
        ("wrangler.toml", "name = 'root'"),
        ("apps/web/wrangler.jsonc", "{ \"name\": \"web\", \"pages_build_output_dir\": \"dist\" }"),
        ("apps/site/.wrangler/deploy/config.json", "{\"configPath\":\"../../dist/wrangler.json\"}"),
        ("apps/site/dist/wrangler.json", "{ \"name\": \"site\", \"main\": \"a.js\" }"),
    ];
    let read = |entry| {
        let (found, problems) = read_for(entry, &files, None);
        assert_eq!(problems, [""; 0]);
        (
            found.name.unwrap().as_str().to_owned(),
            found.home,
            found.assets.map(|(assets, _)| assets.directory),
        )
    };
    for entry in [None, Some("index.js"), Some("apps/other/index.js"), Some("../apps/web/index.js")] {
        assert_eq!(read(entry), ("root".into(), "".into(), None));
    }
    assert_eq!(
        read(Some("./apps/web/src/index.ts")),
        ("web".into(), "apps/web".into(), Some("apps/web/dist".into()))
    );
    assert_eq!(read(Some("apps/site/src/index.ts")), ("site".into(), "apps/site".into(), None));
}

#[test]
fn an_environment_inherits_all_but_variables_and_bindings() {
    let text = "name = 'shop'\nmain = 'a.js'\nroutes = ['a.example/*']\nalias = { a = 'b' }\n\
                compatibility_flags = ['odd']\n[vars]\nA = 'top'\nB = 'top'\n[[kv_namespaces]]\nbinding = 'KV'\n\
                [env.staging]\nmain = 'b.js'\nroutes = []\n[env.staging.vars]\nA = { b = 1 }\n\
                [env.prod]\nname = 'buy'\n[[env.prod.r2_buckets]]\nbinding = 'R2'";
    let files = [("wrangler.toml", text)];
    let (staging, problems) = read_in(&files, Some("staging"));
    assert_eq!((problems, missing(&staging)), (vec![], vec![]));
    assert_eq!((staging.name.unwrap().as_str(), staging.main.unwrap().0), ("shop-staging", "b.js".into()));
    assert_eq!(json!(staging.vars.0), json!({ "A": { "b": 1 } }));
    assert_eq!(
        staging.warning.unwrap(),
        "app/wrangler.toml: ignored, because nano-supervisor has nothing like it: compatibility flag odd; not in [env.staging], which does not inherit them from the top level: kv_namespaces"
    );
    assert_eq!(staging.modules.alias, [("a".into(), "b".into())]);
    let (prod, problems) = read_in(&files, Some("prod"));
    assert_eq!((problems, missing(&prod)), (vec![], vec!["R2"]));
    assert_eq!((prod.name.unwrap().as_str(), prod.main.unwrap().0), ("buy", "a.js".into()));
    assert!(prod.vars.0.is_empty());
    assert_eq!(
        read_in(&files, Some("test")).1,
        [
            "--env: app/wrangler.toml has no environment \"test\"; fix: choose one that it has (staging, prod), or add \
          [env.test]"
        ]
    );
    let (alone, problems) = read_in(&[("wrangler.toml", "name = 'x'\n[vars]\nA = 1")], Some("test"));
    assert_eq!((problems, json!(alone.vars.0)), (vec![], json!({ "A": 1 })));
    assert_eq!(alone.warning.unwrap(), "app/wrangler.toml: has no [env.test], so that its top level counts");
}

#[test]
fn what_is_said_about_modules_is_taken_as_far_as_it_goes() {
    let text = "define = { A = '\"x\"', B = 'globalThis', 'process.env.C' = '1', D = 'f()', undefined = '1', 'process.env.E' = '\"e\"' }\n\
                rules = [{ type = 'Text', globs = ['**/*.md', '*.glsl'], fallthrough = true },\n\
                { type = 'PythonModule', globs = ['**/*.py'] }]";
    let (found, problems) = read(&[("wrangler.toml", text)]);
    assert_eq!(problems, [""; 0]);
    let text = |glob: &str| ModuleRule { glob: glob.into(), kind: ModuleKind::Text };
    assert_eq!(found.modules.rules, [text("**/*.md"), text("*.glsl")]);
    assert_eq!(
        found.modules.define,
        [("A", "\"x\""), ("B", "globalThis"), ("process.env.E", "\"e\"")]
            .map(|(name, value)| (name.into(), value.into()))
    );
    assert!(
        found.warning.unwrap().ends_with(
            "define of process.env.C, define of D, define of undefined, rules of type PythonModule"
        )
    );
    let mistakes = read(&[("wrangler.toml", "alias = 1\nrules = [{ type = 'Text' }]\n[define]\nA = 1")]).1;
    assert_eq!(
        mistakes,
        [
            "app/wrangler.toml:1: alias: is not a table; fix: write NAME = \"value\" for each name",
            "app/wrangler.toml:2: rules: is no list of rules; fix: write each as { type = \"Text\", globs = [\"**/*.md\"] }",
            "app/wrangler.toml:4: define.A: is not text; fix: write it in quotes",
        ]
    );
}

#[test]
fn what_an_app_is_loaded_with_is_bounded() {
    let alias = |length: usize| format!("[alias]\na = '{}'\n", "x".repeat(length));
    let bindings = |count: usize| "[[kv_namespaces]]\nbinding = 'KV'\n".repeat(count);
    let fits = alias(bounds::MODULES - 100) + &bindings(100);
    let (found, problems) = read(&[("wrangler.toml", &fits)]);
    assert_eq!((problems, found.modules.alias.len(), found.missing.len()), (vec![], 1, 100));
    let too_long = alias(bounds::MODULES) + &bindings(1000);
    assert_eq!(
        read(&[("wrangler.toml", &too_long)]).1,
        [
            "app/wrangler.toml: `alias`, `define` and `rules` are too long: 131089 bytes; fix: keep them below 131072 bytes \
             together",
            "app/wrangler.toml: has 1000 bindings that nano-supervisor does not have, which are too many; fix: leave out those \
             that the app can do without",
        ]
    );
}

#[test]
fn of_long_names_the_beginning_is_told() {
    let text = format!("[define]\n{} = 1", "x".repeat(300));
    let mistakes = read(&[("wrangler.toml", &text)]).1;
    let beginning = format!("app/wrangler.toml:2: define.\"{}...\"", "x".repeat(128));
    assert!(mistakes[0].starts_with(&beginning), "{mistakes:?}");
}

#[test]
fn mistakes_in_an_environment_name_their_lines() {
    let text = "[env.a]\nname = 1\n[env.a.vars]\nB = inf";
    assert_eq!(
        read_in(&[("wrangler.toml", text)], Some("a")).1,
        [
            "app/wrangler.toml:2: env.a.name: is not text; fix: write it in quotes",
            "app/wrangler.toml:4: env.a.vars.B: JSON has no number inf; fix: write it as text: \"inf\"",
        ]
    );
    assert_eq!(read(&[("wrangler.toml", text)]).1, [""; 0]);
}

#[test]
fn wrangler_looks_at_json_first() {
    let files = [("wrangler.toml", "name = 'toml'"), ("wrangler.json", "{ \"name\": \"json\" }")];
    assert_eq!(read(&files).0.name.unwrap().as_str(), "json");
    let (found, problems) = read(&[]);
    assert!(found.name.is_none() && found.main.is_none() && found.warning.is_none() && problems.is_empty());
}

#[test]
fn mistakes_name_file_line_and_field() {
    for (file, text, expected) in [
        ("wrangler.toml", "name = 'x'\nmain = ", "app/wrangler.toml:2: syntax: "),
        ("wrangler.toml", "\nmain = 1", "app/wrangler.toml:2: main: is not text; fix: write it in quotes"),
        ("wrangler.toml", "name = []", "app/wrangler.toml:1: name: is not text; fix: write it in quotes"),
        ("wrangler.toml", "vars = 1", "app/wrangler.toml:1: vars: is not a table; fix: write a table"),
        (
            "wrangler.toml",
            "[vars]\nA = 1\nB = inf",
            "app/wrangler.toml:3: vars.B: JSON has no number inf; fix: write it as text: \"inf\"",
        ),
        (
            "wrangler.jsonc",
            "{\n  \"main\": \"a.js\"\n  \"name\": \"x\"\n}",
            "app/wrangler.jsonc:2: syntax: Expected comma; fix: correct the JSON of this line",
        ),
        (
            "wrangler.jsonc",
            "{\n  \"compatibility_flags\": [1]\n}",
            "app/wrangler.jsonc:2: compatibility_flags: is not a list of texts; fix: write texts in brackets",
        ),
        (
            "wrangler.toml",
            "\n[triggers]\ncrons = ['* * * * *', '0 0 * * 0']",
            "app/wrangler.toml:3: triggers.crons: \"0 0 * * 0\" has \"0\" as its day of the week; fix: ",
        ),
        ("wrangler.toml", "triggers = 1", "app/wrangler.toml:1: triggers: is not a table; fix: write crons"),
        (
            "wrangler.jsonc",
            "{ \"triggers\": {\n \"crons\": \"* * * * *\" } }",
            "app/wrangler.jsonc:2: triggers.crons: is not a list of texts; fix: ",
        ),
        ("wrangler.json", "[]", "app/wrangler.json:1: is not an object; fix: write the settings in braces"),
        ("wrangler.json", "", "app/wrangler.json:1: is not an object; fix: write the settings in braces"),
    ] {
        let (_, problems) = read(&[(file, text)]);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with(expected), "{problems:?}");
    }
}

#[test]
fn no_shape_of_a_field_is_too_odd() {
    let shapes =
        ["null", "true", "1", "\"x\"", "[]", "[1]", "[{}]", "[[]]", "{}", "{\"a\":1}", "{\"a\":{\"b\":[]}}"];
    let names = [
        "name",
        "main",
        "pages_build_output_dir",
        "vars",
        "secrets",
        "compatibility_flags",
        "rules",
        "alias",
    ];
    let others = [
        "define",
        "env",
        "assets",
        "queues",
        "durable_objects",
        "unsafe",
        "ai",
        "text_blobs",
        "odd",
        "triggers",
    ];
    for name in names.into_iter().chain(others) {
        for shape in shapes {
            let of_field = format!("{{\"{name}\":{shape}}}");
            for text in [&of_field, &format!("{{\"{name}\":{shape},\"env\":{{\"a\":{of_field}}}}}")] {
                read_in(&[("wrangler.json", text)], Some("a"));
            }
        }
    }
}

#[test]
fn what_changes_nothing_is_not_mentioned() {
    let text = "compatibility_flags = ['nodejs_compat_v2', 'enable_nodejs_http_modules', 'global_navigator']\n\
                compatibility_date = 2025-01-01\nworkers_dev = true\n[observability]\nenabled = true";
    // What the plugin for Vite writes.
    let built = r#"{ "configPath": "/x/wrangler.jsonc", "userConfigPath": "/x/wrangler.jsonc", "topLevelName": "x",
        "definedEnvironments": [], "legacy_env": true, "compatibility_date": "2025-10-01", "compatibility_flags": [],
        "jsx_factory": "React.createElement", "jsx_fragment": "React.Fragment", "no_bundle": true, "triggers": {},
        "python_modules": { "exclude": ["**/*.pyc"] }, "dev": { "ip": "localhost", "generate_types": false },
        "vars": {}, "durable_objects": { "bindings": [] }, "workflows": [], "migrations": [], "kv_namespaces": [],
        "cloudchamber": {}, "send_email": [], "queues": { "producers": [], "consumers": [] }, "r2_buckets": [],
        "logfwdr": { "bindings": [] }, "pipelines": [], "observability": { "enabled": true }, "name": "x" }"#;
    // What Nitro writes.
    let nitro = r#"{ "compatibility_date": "2026-11-01", "name": "x", "compatibility_flags": ["no_nodejs_compat_v2"] }"#;
    for (file, text) in [("wrangler.toml", text), ("wrangler.json", built), ("wrangler.json", nitro)] {
        let (found, problems) = read(&[(file, text)]);
        assert_eq!((found.warning, problems), (None, vec![]));
        assert!(found.missing.is_empty());
    }
}
