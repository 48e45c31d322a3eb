//! Writes the table of media types as a text, whose pages all processes share. The table of `mime_guess` has thousands of
//! pointers, so that each worker, which is the same executable, would have a copy of its own (60 KiB).

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let extensions = mime_guess::get_mime_extensions_str("*/*").expect("all extensions");
    let media_type = |extension: &str| mime_guess::from_ext(extension).first_raw();
    let row =
        |extension: &&str| Some(format!("{} {}", extension.to_ascii_lowercase(), media_type(extension)?));
    let mut rows: Vec<_> = extensions.iter().filter_map(row).collect();
    rows.sort();
    rows.dedup();
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("media_types.txt"), rows.join("\n")).expect("write the table");
}
