//! The keys `text_blobs`, `data_blobs` and `wasm_modules` of a wrangler file: files that are global variables of apps of the service
//! worker format.

use std::path::Path;

use nano_protocol::message::{Blob, ModuleKind};
use serde_json::Value;

use super::found::{leads_out, within};
use crate::config::errors::{Flaw, Place, Problems};

/// Returns what the files of a field are, if it is one of these.
pub(super) fn kind(field: &str) -> Option<ModuleKind> {
    Some(match field {
        "text_blobs" => ModuleKind::Text,
        "data_blobs" => ModuleKind::Data,
        "wasm_modules" => ModuleKind::Wasm,
        _ => return None,
    })
}

/// Reads a field, which is at `place`. Paths are relative to the second of the folders, which is relative to the first, that of the app.
pub(super) fn read(
    kind: ModuleKind,
    value: &Value,
    place: &Place,
    (root, folder): (&Path, &Path),
    problems: &mut Problems,
) -> Vec<Blob> {
    let Value::Object(files) = value else {
        let fix = "write a table of names and files: NAME = \"./file\"";
        problems.add(place.clone(), Flaw::new("is not a table", fix));
        return Vec::new();
    };
    let mut blobs = Vec::new();
    for (name, path) in files {
        let Some(path) = path.as_str() else {
            let fix = format!("write the path of a file: {name} = \"./file\"");
            problems.add(place.clone(), Flaw::new(format!("{name} is not text"), fix));
            continue;
        };
        match within(root, folder, path).map(|inside| inside.to_string_lossy().into_owned()) {
            Some(path) => blobs.push(Blob { name: name.clone(), path, kind }),
            None => problems.add(place.clone(), leads_out(path)),
        }
    }
    blobs
}
