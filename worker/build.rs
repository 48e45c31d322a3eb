//! Builds the startup snapshot: the JavaScript of all extensions, compiled and evaluated once, at build time.

#![allow(clippy::print_stdout, reason = "that is how a build script talks to cargo")]

use std::path::{Path, PathBuf};
use std::{env, fs};

use deno_core::snapshot::{CreateSnapshotOptions, create_snapshot};
use nano_runtime::scripts;

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let options = CreateSnapshotOptions {
        cargo_manifest_dir: env!("CARGO_MANIFEST_DIR"),
        startup_snapshot: None,
        skip_op_registration: false,
        extensions: scripts::corrected_extensions(),
        extension_transpiler: None,
        with_runtime_cb: Some(Box::new(|runtime| {
            runtime
                .execute_script(
                    "ext:nano_workers/start.js",
                    "globalThis.__bootstrap.core.loadExtScript('ext:nano_workers/app.js');",
                )
                .expect("the extensions' JavaScript evaluates");
        })),
    };
    let snapshot = create_snapshot(options, None).expect("snapshot");
    fs::write(out.join("snapshot.bin"), &snapshot.output).expect("write snapshot");
    write_residual(&out, &snapshot.consumed_lazy_specifiers);
    for file in &snapshot.files_loaded_during_snapshot {
        println!("cargo:rerun-if-changed={}", file.display());
    }
    println!("cargo:rerun-if-changed=runtime/js");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../third_party/node");
    println!("cargo:rerun-if-changed=../third_party/workerd");
}

/// Writes a table of the sources that are not part of the snapshot. The worker needs them, as the app may still use what they
/// define.
fn write_residual(out: &Path, consumed: &[String]) {
    let mut sources = scripts::all();
    sources.retain(|specifier, _| !consumed.contains(specifier));
    // deno_core finds them by binary search, and assumes that they are ASCII.
    let mut table = String::from("&[\n");
    for (index, (specifier, source)) in sources.iter().enumerate() {
        assert!(source.is_ascii(), "{specifier} is not ASCII");
        let path = out.join(format!("residual-{index}.js"));
        // Wrapped now, so that V8 compiles this static text and needs no copy of it on its heap.
        fs::write(&path, deno_core::wrap_lazy_ext_script(source)).expect("write source");
        table += &format!("({specifier:?}, include_str!({path:?})),\n");
    }
    fs::write(out.join("residual.rs"), table + "]").expect("write residual table");
}
