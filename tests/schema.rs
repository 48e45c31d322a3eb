//! `schema`: the JSON Schema of the configuration file, with which editors complete and check it.

use std::fs;
use std::path::Path;

use crate::harness::{folder, run, schema};

/// Reads a file of the repository.
fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path)).unwrap()
}

/// Returns the blocks of a document that are a complete nano.toml.
fn blocks(document: &str) -> Vec<String> {
    let text = file(document);
    let blocks = text.split("\n```toml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned());
    blocks.filter(|block| block.contains("[apps.") || block.contains("[server]")).collect()
}

#[test]
fn what_the_documents_show_is_accepted() {
    schema::check(&file("examples/nano.toml")).unwrap();
    let mut count = 0;
    for document in [
        "README.md",
        "docs/configuration.md",
        "docs/host-fifty-apps.md",
        "docs/from-cloudflare-workers.md",
        "docs/from-pm2.md",
    ] {
        for block in blocks(document) {
            schema::check(&block).unwrap_or_else(|error| panic!("{document}: {error}\n{block}"));
            count += 1;
        }
    }
    assert!(count >= 4, "{count}");
}

#[test]
fn what_is_misspelt_misplaced_or_of_another_type_is_refused_as_check_refuses_it() {
    let here = folder(&[("a/index.js", "export default { fetch: () => new Response() }")]);
    let check = |text: &str| {
        fs::write(here.path().join("nano.toml"), text).unwrap();
        run(here.path(), &["check", "--config", "nano.toml"]).0
    };
    let app = "[apps.a]\npath = 'a'\nport = 0\n";
    for fine in [
        "",
        "heap = '64MiB'",
        "env = { A = [1, { b = true }] }",
        "restart = 'never'",
        "recycle = { memory = false }",
    ] {
        let text = format!("{app}{fine}");
        assert_eq!((check(&text), schema::check(&text)), (0, Ok(())), "{fine}");
    }
    for wrong in [
        &format!("[sever]\n{app}"),
        &format!("[server]\nio_thread = 1\n{app}"),
        &format!("[server]\nio_threads = 0\n{app}"),
        &format!("[server]\nlog_level = 'loud'\n{app}"),
        &format!("[server]\nheap = '64MiB'\n{app}"),
        &format!("[defaults]\nport = 1\n{app}"),
        &format!("[defaults]\nrequest_timeout = 30\n{app}"),
        &format!("[defaults]\nrequest_timeout = '30'\n{app}"),
        &format!("[defaults]\nmemory = true\n{app}"),
        &format!("{app}heap = '64 potatoes'"),
        &format!("{app}hosts = 'a.example'"),
        &format!("{app}restart = {{ policy = 'sometimes' }}"),
        &format!("{app}recycle = {{ after = 1 }}"),
        &format!("{app}[apps.Blog]\npath = 'a'\nport = 0"),
        "[apps.a]\npath = 'a'",
        "[[apps.a]]\npath = 'a'\nport = 0",
    ] {
        assert_eq!(check(wrong), 2, "{wrong}");
        assert!(schema::check(wrong).is_err(), "{wrong}");
    }
}
