//! Node's library, from its published package: each listed file becomes a script that loads the others.
//!
//! The package contains scripts, which load others by `core.loadExtScript`, and ES modules, which import them. ES modules would
//! have to be evaluated by the module loader, which runs the app's promises in the middle of the function that first needs the
//! module. So they are converted to scripts as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::Path;

use deno_ast::{
    EmitOptions, MediaType, ModuleSpecifier, ParseParams, SourceMapOption, TranspileModuleOptions,
    TranspileOptions,
};
use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};

use super::corrections::correct;
use super::corrections::node::NODE;

/// The folder with the package, the list of files used from it, and its checksum.
const FOLDER: &str = "../../third_party/node";

/// The scripts that the files refer to by the names of Node's modules.
const MODULES: &[(&str, &str)] = &[
    ("node:_stream_duplex", "ext:deno_node/internal/streams/duplex.js"),
    ("node:_stream_passthrough", "ext:deno_node/internal/streams/passthrough.js"),
    ("node:_stream_readable", "ext:deno_node/internal/streams/readable.js"),
    ("node:_stream_transform", "ext:deno_node/internal/streams/transform.js"),
    ("node:_stream_writable", "ext:deno_node/internal/streams/writable.js"),
    ("node:assert", "ext:deno_node/assert.ts"),
    ("node:async_hooks", "ext:deno_node/async_hooks.ts"),
    ("node:path", "ext:deno_node/path/mod.ts"),
    ("node:process", "ext:nano_node/process.js"),
    ("node:stream", "ext:deno_node/stream.ts"),
    ("node:stream/promises", "ext:deno_node/stream/promises.js"),
    ("node:timers", "ext:nano_node/timers.js"),
    ("node:url", "ext:deno_node/url.ts"),
];

/// Circular imports. Modules may have them, scripts may not. Each entry is a file, what it imports, and what it loads instead.
const CYCLES: &[(&str, &str, Option<&str>)] = &[
    ("internal/streams/duplexpair.js", "node:stream", Some("ext:deno_node/internal/streams/duplex.js")),
    ("stream/promises.js", "node:stream", None),
];

/// Loaded only by functions that are not offered.
const LEFT_OUT: &[&str] =
    &["ext:deno_node/_fs/_fs_glob.ts", "ext:deno_node/internal/crypto/cipher.ts", "node:v8"];

/// Returns every script by its specifier. `own` are the specifiers of our own scripts, some of which replace files of the
/// package.
pub(crate) fn scripts(own: &BTreeSet<String>) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    let list = fs::read_to_string(folder.join("scripts.txt")).expect("read the list of files");
    let listed: BTreeSet<&str> = list.lines().collect();
    let files = unpack(&folder, &listed);
    let missing: Vec<_> = listed.iter().filter(|file| !files.contains_key(**file)).collect();
    assert!(missing.is_empty(), "listed in scripts.txt, but not in the package: {missing:?}");
    let scripts: BTreeMap<_, _> = files
        .iter()
        .map(|(file, text)| {
            let specifier = format!("ext:deno_node/{file}");
            let text = script(file, &correct(&specifier, text));
            (specifier, text)
        })
        .collect();
    let gone: Vec<_> = NODE
        .iter()
        .map(|correction| correction.script)
        .filter(|script| !scripts.contains_key(*script))
        .collect();
    assert!(gone.is_empty(), "to be corrected, but not in the package: {gone:?}");
    for (specifier, text) in &scripts {
        for load in text.split(['"', '\n']).filter(|literal| literal.starts_with("ext:")) {
            let known = scripts.contains_key(load)
                || own.contains(load)
                || LEFT_OUT.contains(&load)
                || ["ext:deno_web/", "ext:deno_crypto/"].iter().any(|prefix| load.starts_with(prefix));
            assert!(known, "{specifier} loads {load}, which is neither listed in scripts.txt nor left out");
        }
    }
    scripts
}

/// Reads the listed files from the package.
fn unpack(folder: &Path, listed: &BTreeSet<&str>) -> BTreeMap<String, String> {
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).expect("read the checksum");
    let (sum, name) = sums.trim().split_once("  ").expect("a checksum and a name");
    let package = fs::read(folder.join(name)).expect("read the package");
    let digest: String = Sha256::digest(&package).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, sum, "{name} is not what SHA256SUMS says");
    let top = Path::new(name.trim_end_matches(".crate")).join("polyfills");
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(GzDecoder::new(&package[..])).entries().expect("a package") {
        let mut entry = entry.expect("an entry of the package");
        let path = entry.path().expect("a path").into_owned();
        let Some(file) = path.strip_prefix(&top).ok().and_then(Path::to_str) else { continue };
        if listed.contains(file) {
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("a file of text");
            files.insert(file.to_owned(), text);
        }
    }
    files
}

fn script(file: &str, text: &str) -> String {
    let is_module = text.lines().any(|line| line.starts_with("import ") || line.starts_with("export "));
    let text = if is_module { from_module(file, text) } else { text.to_owned() };
    let text = if file.ends_with(".ts") { without_types(file, text) } else { text };
    bind_loaders(file, &text)
}

fn without_types(file: &str, text: String) -> String {
    let parsed = deno_ast::parse_module(ParseParams {
        specifier: ModuleSpecifier::parse(&format!("ext:deno_node/{file}")).expect("a specifier"),
        text: text.into(),
        media_type: MediaType::TypeScript,
        capture_tokens: false,
        scope_analysis: false,
        maybe_syntax: None,
    });
    let emit =
        EmitOptions { source_map: SourceMapOption::None, remove_comments: true, ..EmitOptions::default() };
    let options = TranspileOptions { jsx: None, ..TranspileOptions::default() };
    let emitted = parsed
        .expect("a file that parses")
        .transpile(&options, &TranspileModuleOptions::default(), &emit)
        .expect("a file whose types can be stripped");
    emitted.into_source().text
}

/// Replaces every lazy loader of a module by a lazy loader of the corresponding script.
fn bind_loaders(file: &str, text: &str) -> String {
    let mut pieces = text.split(".createLazyLoader(");
    let mut bound = pieces.next().expect("text").to_owned();
    for piece in pieces {
        let (name, rest) = piece
            .trim_start()
            .strip_prefix('"')
            .and_then(|piece| piece.split_once('"'))
            .unwrap_or_else(|| panic!("{file} makes a loader of something else than a literal"));
        let rest = rest.trim_start_matches([',', ' ', '\n']).strip_prefix(')').expect("the end of a call");
        let core = bound.trim_end().strip_suffix("core").expect("a function of core").len();
        bound.truncate(core);
        bound += &format!("(() => core.loadExtScript(\"{}\")){rest}", target(name));
    }
    bound
}

/// Returns the script that corresponds to a module.
fn target(name: &str) -> &str {
    match MODULES.iter().find(|(module, _)| *module == name) {
        Some((_, script)) => script,
        None => {
            let known = name.starts_with("ext:") || LEFT_OUT.contains(&name);
            assert!(known, "no script stands for {name}");
            name
        }
    }
}

/// Converts an ES module to a script that returns its exports. Expects that every import and export begins a line.
fn from_module(file: &str, text: &str) -> String {
    let mut body = String::from("(function () {\nconst { core, primordials } = __bootstrap;\n");
    let mut exports = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut statement = line.to_owned();
        if ["import ", "export {", "export default {"].iter().any(|start| line.starts_with(start)) {
            while !statement.ends_with(';') {
                statement += lines.next().expect("the end of a statement");
            }
        }
        if let Some(import) = statement.strip_prefix("import ") {
            body += &load(file, import);
        } else if let Some(names) = statement.strip_prefix("export {") {
            let names = names.trim_end_matches(['}', ';']).replace(" as ", ": ");
            exports.extend(names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(flip));
        } else if let Some(value) = statement.strip_prefix("export default function ") {
            exports.push(format!("default: {}", value.split('(').next().expect("a name")));
            body += &format!("function {value}\n");
        } else if let Some(value) = statement.strip_prefix("export default ") {
            exports.push("default: defaultExport".into());
            body += &format!("const defaultExport = {value}\n");
        } else if let Some(value) = statement.strip_prefix("export const ") {
            exports.push(value.split(' ').next().expect("a name").to_owned());
            body += &format!("const {value}\n");
        } else {
            body += &format!("{statement}\n");
        }
    }
    format!("{body}return {{ {} }};\n}})();\n", exports.join(", "))
}

/// Converts `local: exported` of an export list to a property.
fn flip(name: &str) -> String {
    name.split_once(": ").map_or_else(|| name.to_owned(), |(local, exported)| format!("{exported}: {local}"))
}

/// Converts an import to the loading of a script.
fn load(file: &str, import: &str) -> String {
    let (names, module) = import.trim_end_matches(['"', ';']).split_once(" from \"").expect("an import");
    if module == "ext:core/mod.js" {
        return String::new();
    }
    if module == "ext:core/ops" {
        return format!("const {names} = core.ops;\n");
    }
    let cycle = CYCLES.iter().find(|(at, imported, _)| *at == file && *imported == module);
    let script = match cycle {
        Some((_, _, instead)) => *instead,
        None => Some(target(module)),
    };
    let Some(script) = script else {
        return format!("const {} = undefined;\n", names.trim_start_matches("* as "));
    };
    let (pattern, property) = if let Some(name) = names.strip_prefix("* as ") {
        (name.to_owned(), "")
    } else if names.starts_with('{') {
        (names.replace(" as ", ": "), "")
    } else {
        (names.to_owned(), ".default")
    };
    format!("const {pattern} = core.loadExtScript(\"{script}\"){property};\n")
}
