//! What holds for the repository as a whole: who may name whom, what the README promises, what V8's library must be.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// The top of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

/// Every Rust file below these folders, with its text.
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

/// The files that hold `word`, comments aside.
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
fn only_main_names_the_worker_crate_and_only_the_codec_names_bincode() {
    assert_eq!(files_with(&["supervisor/src", "protocol/src"], "nano_worker::"), ["supervisor/src/main.rs"]);
    assert_eq!(
        files_with(&["supervisor/src", "protocol/src", "worker/src"], "bincode::"),
        ["protocol/src/codec.rs"]
    );
    assert_eq!(files_with(&["supervisor/src", "protocol/src"], "deno_core"), [""; 0]);
    let outbound = files_with(&["worker/src"], "hyper::");
    assert!(outbound.iter().all(|file| file.starts_with("worker/src/ext/net/")), "{outbound:?}");
    // Every connection that leaves a worker is opened where the app's rules are applied.
    assert_eq!(files_with(&["worker/src"], "HttpConnector"), ["worker/src/ext/net/dial.rs"]);
    assert_eq!(files_with(&["worker/src"], "TcpStream::connect"), [""; 0]);
    assert_eq!(
        files_with(&["supervisor/src"], "Command::new"),
        ["supervisor/src/upgrade.rs", "supervisor/src/worker/spawn.rs"]
    );
}

#[test]
fn every_source_file_opens_with_its_role_and_holds_one_idea() {
    for (path, text) in sources(&["supervisor/src", "protocol/src", "worker/src", "tests"]) {
        assert!(text.starts_with("//! "), "{} has no module documentation", path.display());
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines", path.display());
    }
}

#[test]
fn the_documents_name_only_files_that_exist() {
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "docs/container.md",
        "docs/develop.md",
        "docs/operate.md",
        "docs/benchmark.md",
        "docs/limits.md",
        "docs/logs.md",
        "third_party/node/README.md",
        "third_party/v8/README.md",
    ] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let target = link.split('#').next().unwrap();
            let base = root().join(document);
            assert!(base.parent().unwrap().join(target).exists(), "{document} links to {link}");
        }
    }
}

/// Every field of the configuration.
fn config_fields() -> Vec<String> {
    let files = fs::read_dir(root().join("supervisor/src/config")).unwrap();
    let mut fields = Vec::new();
    for file in files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some()) {
        let source = fs::read_to_string(file).unwrap();
        for list in source.split("FIELDS: &[&str] =").skip(1) {
            let list = list.split("];").next().unwrap();
            fields.extend(list.split('"').skip(1).step_by(2).map(str::to_owned));
        }
    }
    assert!(fields.len() > 60, "{fields:?}");
    fields
}

/// The integration tests, as text.
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
fn the_readme_names_every_field_of_the_configuration_and_every_answer() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for field in config_fields() {
        assert!(readme.contains(&format!("`{field}`")), "{field} is not documented");
    }
    let answers = fs::read_to_string(root().join("supervisor/src/proxy/answer.rs")).unwrap();
    let rows = answers.split("fn row(").nth(1).unwrap().split("/// The status.").next().unwrap();
    let codes: Vec<_> = rows
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        .collect();
    assert!(codes.len() >= 15, "{codes:?}");
    for code in codes {
        assert!(readme.contains(&format!("`{code}`")), "{code} is not in the README's table");
    }
}
