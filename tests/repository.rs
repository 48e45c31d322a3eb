//! Rules for the repository as a whole: which crate may use which, what the README promises, and which library of V8 is used.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::harness::executable;
use crate::layout::imports::{crates_named, texts_of};

/// Returns the root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

/// Returns every Rust file below these folders with its text.
fn sources(folders: &[&str]) -> Vec<(PathBuf, String)> {
    let mut pending: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut found = Vec::new();
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
        }
    }
    assert!(!found.is_empty());
    found
}

/// Returns the files that contain `word` outside of comments.
fn files_with(folders: &[&str], word: &str) -> Vec<String> {
    let holds =
        |text: &str| text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word));
    let mut files: Vec<_> = sources(folders)
        .into_iter()
        .filter(|(_, text)| holds(text))
        .map(|(path, _)| path.display().to_string())
        .collect();
    files.sort();
    files
}

/// The files that name a crate, or anything else that a path can begin with.
fn files_naming(folders: &[&str], name: &str) -> Vec<String> {
    let named = sources(folders).into_iter().filter(|(_, text)| crates_named(text).contains(name));
    let mut files: Vec<_> = named.map(|(path, _)| path.display().to_string()).collect();
    files.sort();
    files
}

#[test]
fn the_library_of_v8_is_the_one_that_was_built_for_it() {
    let folder = root().join("third_party/v8/v150.4.0");
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let (sum, name) = sums.trim().split_once("  ").expect("a sum and a name");
    let library = fs::read(folder.join(name)).unwrap();
    let digest: String = Sha256::digest(&library).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, sum);
    let cargo = fs::read_to_string(root().join(".cargo/config.toml")).unwrap();
    assert!(cargo.contains(&format!("third_party/v8/v150.4.0/{name}")), "{cargo}");
    // The library fits exactly one release of the crate.
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    assert!(lock.contains("name = \"v8\"\nversion = \"150.4.0\"\n"));
}

#[test]
fn the_library_of_node_is_the_one_that_was_published() {
    let folder = root().join("third_party/node");
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let (sum, name) = sums.trim().split_once("  ").expect("a sum and a name");
    let package = fs::read(folder.join(name)).unwrap();
    let digest: String = Sha256::digest(&package).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, sum);
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    assert!(readme.contains(name), "{name} is not the package that README.md is about");
}

#[test]
fn the_scripts_of_workerd_are_those_that_were_published() {
    let folder = root().join("third_party/workerd");
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    for line in sums.lines() {
        let (sum, name) = line.split_once("  ").expect("a sum and a name");
        let digest = Sha256::digest(fs::read(folder.join(name)).unwrap());
        assert_eq!(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), sum, "{name}");
    }
    // They are of the release with which the tests compare.
    let package: Value =
        serde_json::from_str(&fs::read_to_string(root().join("tests/npm/package.json")).unwrap()).unwrap();
    let version = package["dependencies"]["workerd"].as_str().expect("a version");
    let script = fs::read_to_string(root().join("scripts/vendor_workerd.py")).unwrap();
    assert!(script.contains(&format!("VERSION = \"{version}\"")), "{version}");
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    assert!(readme.contains(version), "{version}");
}

#[test]
fn only_main_names_the_worker_crate_and_only_the_codec_names_bincode() {
    assert_eq!(files_naming(&["supervisor/src", "protocol/src"], "nano_worker"), ["supervisor/src/main.rs"]);
    assert_eq!(
        files_naming(&["supervisor/src", "protocol/src", "worker/src", "worker/runtime/src"], "bincode"),
        ["protocol/src/codec.rs"]
    );
    assert_eq!(files_naming(&["supervisor/src", "protocol/src"], "nano_runtime"), [""; 0]);
    assert_eq!(files_naming(&["supervisor/src", "protocol/src"], "deno_core"), [""; 0]);
    let worker = &["worker/src", "worker/runtime/src"][..];
    let outbound = files_naming(worker, "hyper");
    let net = "worker/runtime/src/net";
    assert!(outbound.len() > 5 && outbound.iter().all(|file| file.starts_with(net)), "{outbound:?}");
    // Every outbound connection of a worker is opened where the app's rules are applied.
    assert_eq!(files_with(worker, "HttpConnector"), ["worker/runtime/src/net/dial.rs"]);
    assert_eq!(files_with(worker, "TcpStream::connect"), [""; 0]);
    // A worker's blocking threads resolve host names. All other blocking work waits for its turn.
    assert_eq!(files_with(worker, "spawn_blocking("), ["worker/runtime/src/requests/turns.rs"]);
    assert_eq!(
        files_with(&["supervisor/src"], "Command::new"),
        ["supervisor/src/ops/upgrade.rs", "supervisor/src/process/spawn.rs"]
    );
}

/// If features differ between the build script's dependencies and those of the executable, a dependency and everything that uses
/// it is compiled once for each. `worker/runtime/Cargo.toml` keeps the features equal.
#[test]
#[expect(clippy::disallowed_methods, reason = "cargo knows what it would do")]
fn no_crate_is_compiled_twice() {
    for command in [&["build", "--release"][..], &["build"], &["test", "--no-run"]] {
        let mut cargo = std::process::Command::new(env!("CARGO"));
        cargo.current_dir(root()).args(command).args(["--workspace", "--locked", "--offline"]);
        // cargo prints the plan of a build only with an unstable option, because its format may change.
        cargo.args(["--unit-graph", "-Zunstable-options"]).env("RUSTC_BOOTSTRAP", "1");
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut compiled = BTreeMap::<_, Vec<_>>::new();
        for unit in plan["units"].as_array().unwrap().iter().filter(|unit| unit["mode"] == "build") {
            let features = unit["features"].to_string();
            compiled
                .entry((unit["pkg_id"].to_string(), unit["target"].to_string()))
                .or_default()
                .push(features);
        }
        assert!(compiled.len() > 500);
        let twice: Vec<_> = compiled.into_iter().filter(|(_, with)| with.len() > 1).collect();
        assert!(twice.is_empty(), "with `cargo {}`: {twice:#?}", command.join(" "));
    }
}

/// Of these, a second version would be linked, and each process would have a copy of its tables.
#[test]
fn large_libraries_are_used_in_the_version_that_others_bring() {
    let lock: toml::Table = fs::read_to_string(root().join("Cargo.lock")).unwrap().parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let version = |user: &str, library: &str| {
        let user = packages.iter().find(|package| package["name"].as_str() == Some(user)).unwrap();
        let used = user["dependencies"].as_array().unwrap().iter().filter_map(toml::Value::as_str);
        used.map(str::to_owned).find(|used| used.split(' ').next() == Some(library)).unwrap()
    };
    for (library, ours, theirs) in [
        ("aws-lc-sys", "nano-runtime", "aws-lc-rs"),
        ("brotli", "nano-runtime", "deno_web"),
        ("brotli", "nano-supervisor", "deno_web"),
    ] {
        assert_eq!(version(ours, library), version(theirs, library), "{ours} and {theirs}");
    }
}

#[test]
fn every_source_file_opens_with_its_role_and_holds_one_idea() {
    for (path, text) in
        sources(&["supervisor/src", "protocol/src", "worker/src", "worker/runtime/src", "tests"])
    {
        assert!(text.starts_with("//! "), "{} has no module documentation", path.display());
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines", path.display());
    }
}

/// Returns the paths of all documents for people.
fn documents() -> Vec<String> {
    let named = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
    let others = ["third_party/node/README.md", "third_party/v8/README.md", "third_party/workerd/README.md"];
    let pages =
        files_below("docs").into_iter().filter(|path| path.extension().is_some_and(|end| end == "md"));
    let pages = pages.map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
    named.iter().chain(&others).map(|path| (*path).to_owned()).chain(pages).collect()
}

/// Returns the anchors of a document as GitHub names them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let slug = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|char| char.is_alphanumeric() || matches!(char, '-' | '_')).collect()
    };
    headings.map(slug).collect()
}

#[test]
fn the_documents_name_only_places_that_exist() {
    for document in documents() {
        let path = root().join(&document);
        let text = fs::read_to_string(&path).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://")) {
            let (file, anchor) =
                link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{document} links to {link}");
            if let Some(anchor) = anchor {
                let there = anchors(&fs::read_to_string(target).unwrap());
                assert!(
                    there.iter().any(|known| known == anchor),
                    "{document} links to {link}; there is {there:?}"
                );
            }
        }
    }
}

#[test]
fn every_page_is_reached_from_the_readme() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for page in documents().iter().filter(|path| path.starts_with("docs/")) {
        assert!(readme.contains(&format!("]({page}")), "the README does not name {page}");
    }
}

#[test]
fn what_the_documents_deny_is_not_there() {
    let text = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let (readme, security) = (text("README.md"), text("SECURITY.md"));
    let missing = readme.split("What it does not do yet:").nth(1).unwrap().split(". ").next().unwrap();
    let open = security.split("## What not to rely on, yet").nth(1).unwrap();
    let fields = config_fields();
    // These limits exist as fields. Where a document says what one does not cover, it must name the field.
    for (word, field) in
        [("memory", "memory"), ("CPU", "max_cpus"), ("processes", "max_pids"), ("descriptors", "max_fds")]
    {
        assert!(fields.iter().any(|known| known == field), "{field}");
        assert!(!missing.contains(word), "the README denies limits of {word}: {missing}");
        for point in open.split("\n- ").filter(|point| point.contains(word)) {
            assert!(point.contains(&format!("`{field}`")), "SECURITY.md says of {word}: {point}");
        }
    }
    // Features that the documents call missing are not in the code. Whoever adds one must update the documents.
    let anywhere = &["supervisor/src", "worker/src", "worker/runtime/src"][..];
    for (word, sign, folders) in [
        ("seccomp", "seccompiler", anywhere),
        ("namespaces", "unshare(", anywhere),
        ("TLS", "TlsAcceptor", &["supervisor/src"]),
    ] {
        assert!(missing.contains(word), "{word}");
        assert_eq!(files_with(folders, sign), [""; 0], "{word} is there");
    }
}

/// Returns every field of the configuration, as `schema` lists them.
fn config_fields() -> Vec<String> {
    let output = executable().arg("schema").output().unwrap();
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let app = &schema["properties"]["apps"]["additionalProperties"];
    let sections = [&schema["properties"]["server"], &schema["properties"]["defaults"], app];
    let fields: Vec<_> = sections.into_iter().flat_map(fields_of).collect();
    assert!(fields.len() > 60, "{fields:?}");
    fields
}

/// Returns the fields of a section, including those of tables inside it.
fn fields_of(section: &Value) -> Vec<String> {
    let mut fields = Vec::new();
    for (name, field) in section["properties"].as_object().into_iter().flatten() {
        fields.push(name.clone());
        let forms = field["anyOf"].as_array().into_iter().flatten();
        fields.extend([field].into_iter().chain(forms).flat_map(fields_of));
    }
    fields
}

/// Returns the text of all integration tests.
fn all_tests() -> String {
    let mut text = String::new();
    for file in
        files_below("tests").into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"))
    {
        text += &fs::read_to_string(file).unwrap();
    }
    text
}

fn files_below(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let (folders, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    for below in folders {
        let below = below.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        files.extend(files_below(&below));
    }
    files
}

/// Scripts that load on first use run after apps, which may have changed the iterator of arrays.
#[test]
fn our_scripts_go_through_arrays_by_nothing_that_apps_can_change() {
    // The library of Node does it everywhere.
    let folders = ["net", "platform", "workers"].map(|folder| format!("worker/runtime/js/{folder}"));
    let scripts: Vec<_> = folders.iter().flat_map(|folder| files_below(folder)).collect();
    assert!(scripts.len() > 50, "{scripts:?}");
    let mut found = Vec::new();
    for script in scripts {
        let text = fs::read_to_string(&script).unwrap();
        for (line, number) in text.lines().zip(1..) {
            let is_loop = line.contains("for (") && line.contains(" of ") && !line.contains(" of new Safe");
            let is_list = ["const [", "let ["].iter().any(|list| line.trim_start().starts_with(list))
                && !line.contains("] = new Safe");
            let is_spread = line.contains("[...") && !line.contains("[...new Safe");
            if is_loop || is_list || is_spread {
                found.push(format!("{}:{number}: {line}", script.display()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_field_of_the_configuration_is_set_in_a_test_of_the_whole() {
    let tests = all_tests();
    for field in config_fields() {
        let flag = format!("--{}", field.replace('_', "-"));
        let is_set = [format!("{field} ="), format!("{field}."), flag].iter().any(|way| tests.contains(way));
        assert!(is_set, "no test sets {field} and looks what it does");
    }
}

#[test]
fn every_answer_has_a_row() {
    let table = fs::read_to_string(root().join("docs/answers.md")).unwrap();
    let answers = fs::read_to_string(root().join("supervisor/src/model/refusal.rs")).unwrap();
    let codes = texts_of(&answers, "code");
    assert!(codes.len() >= 15, "{codes:?}");
    for code in codes {
        assert!(table.contains(&format!("| `{code}` |")), "{code} is not in the table of docs/answers.md");
    }
}
