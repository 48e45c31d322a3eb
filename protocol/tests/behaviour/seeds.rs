//! The inputs in `fuzz/seeds`, which the fuzzer starts from. Most are written by tests; the others are inputs that once failed.

use std::path::PathBuf;

/// Inputs with the names of their files.
pub(crate) type Seeds = Vec<(String, Vec<u8>)>;

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target)
}

/// Tries every input of a target, and checks that `seeds` are among them, in the wire format of today.
pub(crate) fn replay(target: &str, seeds: Seeds, try_one: impl Fn(&[u8])) {
    let folder = folder(target);
    for seed in std::fs::read_dir(&folder).expect("fuzz/seeds") {
        try_one(&std::fs::read(seed.expect("a seed").path()).expect("read a seed"));
    }
    for (name, bytes) in seeds {
        let found = std::fs::read(folder.join(&name)).ok();
        assert_eq!(found, Some(bytes), "{name}: write the seeds again, see fuzz/README.md");
    }
}

pub(crate) fn write(target: &str, seeds: Seeds) {
    let folder = folder(target);
    std::fs::create_dir_all(&folder).expect("make a folder");
    for (name, bytes) in seeds {
        std::fs::write(folder.join(name), bytes).expect("write a seed");
    }
}
