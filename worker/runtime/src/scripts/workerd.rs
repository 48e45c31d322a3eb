//! The scripts of `node:crypto`, `node:fs`, `node:net`, `node:http` and others, from the published package of workerd (`third_party/workerd`): each
//! module becomes a script that loads the others. What they import beyond them is in `js/node/workerd_host.js`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// The folder with the modules and their checksums.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../third_party/workerd");

/// The script with everything that the modules import from elsewhere: by name of the module, what it exports.
const HOST: &str = "ext:nano_node/workerd_host.js";

/// Modules of which others get what [`HOST`] makes of them.
const ADAPTED: [&str; 1] = ["node-internal:internal_dns"];

/// Returns every script by its specifier.
pub(crate) fn scripts() -> BTreeMap<String, String> {
    let folder = Path::new(FOLDER);
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).expect("read the checksums");
    let sums: Vec<_> =
        sums.lines().map(|line| line.split_once("  ").expect("a checksum and a name")).collect();
    let names: Vec<_> = sums.iter().map(|(_, file)| file.trim_end_matches(".js")).collect();
    sums.iter()
        .map(|(sum, file)| {
            let text = fs::read_to_string(folder.join(file)).expect("read a module");
            let digest = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            assert_eq!(digest, *sum, "{file} is not what SHA256SUMS says");
            (format!("ext:workerd/{file}"), script(&text, &names))
        })
        .collect()
}

/// Converts a module to a script that returns its exports. Expects that every import and export begins a line, as those do that
/// TypeScript's compiler writes.
fn script(text: &str, names: &[&str]) -> String {
    let mut body = String::from("(function () {\n\"use strict\";\nconst { core } = __bootstrap;\n");
    let mut exports = Vec::new();
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    while let Some(line) = lines.next() {
        let mut statement = line.to_owned();
        let is_list = ["import ", "export {", "export *"].iter().any(|start| line.starts_with(start));
        while is_list && !statement.ends_with(';') {
            statement += lines.next().expect("the end of a statement");
        }
        if let Some(import) = statement.strip_prefix("import ") {
            body += &imported(import, names);
        } else if let Some(from) = statement.strip_prefix("export * from ") {
            exports.push(format!("...{}", load(from, names)));
        } else if let Some(list) = statement.strip_prefix("export {") {
            let (list, from) = list.split_once('}').expect("the end of a list");
            let list = list.split(',').map(str::trim).filter(|name| !name.is_empty());
            match from.strip_prefix(" from ") {
                Some(from) => {
                    let from = load(from, names);
                    exports.extend(list.map(|name| format!("{name}: {from}.{name}")));
                }
                None => exports.extend(list.map(str::to_owned)),
            }
        } else if let Some(value) = statement.strip_prefix("export default ") {
            body += &format!("const defaultExport = {value}\n");
            exports.push("default: defaultExport".to_owned());
        } else if let Some(declared) = statement.strip_prefix("export ") {
            exports.push(name_of(declared).to_owned());
            body += &format!("{declared}\n");
        } else {
            body += &format!("{statement}\n");
        }
    }
    format!("{body}return {{ __proto__: null, {} }};\n}})();\n", exports.join(", "))
}

/// Returns what a declaration declares.
fn name_of(declared: &str) -> &str {
    let rest = ["async ", "function", "class ", "const ", "let ", "*", " "]
        .iter()
        .fold(declared, |rest, word| rest.strip_prefix(word).unwrap_or(rest));
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().expect("a name")
}

/// Converts an import to the loading of a script.
fn imported(import: &str, names: &[&str]) -> String {
    let (what, from) = import.split_once(" from ").expect("an import of names");
    let load = load(from, names);
    if let Some(all) = what.strip_prefix("* as ") {
        return format!("const {all} = {load};\n");
    }
    if what.starts_with('{') {
        return format!("const {} = {load};\n", what.replace(" as ", ": "));
    }
    format!("const {what} = {load}.default;\n")
}

/// Returns the expression that loads a module, which is in quotes.
fn load(module: &str, names: &[&str]) -> String {
    let module = module.trim_matches([';', '\'', '"']);
    let file = match module.split_once(':') {
        Some(("node-internal", name)) => Some(name.to_owned()),
        Some(("cloudflare-internal", name)) => Some(format!("cloudflare_{name}")),
        _ => None,
    };
    let name = file.filter(|name| names.contains(&&**name) && !ADAPTED.contains(&module));
    match name {
        Some(name) => format!("core.loadExtScript(\"ext:workerd/{name}.js\")"),
        None => format!("core.loadExtScript(\"{HOST}\")[\"{module}\"]"),
    }
}
