//! Rules for the layout of the code: imports point one way, between rooms and between files.

pub(crate) mod imports;

use std::path::{Path, PathBuf};

use imports::Imports;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

/// The crates that have modules.
const CRATES: [&str; 4] = ["protocol/src", "supervisor/src", "worker/runtime/src", "worker/src"];

/// Returns the rooms of the supervisor, lowest first, from the table in ARCHITECTURE.md.
fn rooms() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let table = text.split_once("| room |").expect("a table of rooms").1;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('`').nth(1).expect("a room").to_owned()).collect()
}

#[test]
fn a_room_of_the_supervisor_imports_only_rooms_below_it() {
    let rooms = rooms();
    let floor = |room: &str| {
        let found = rooms.iter().position(|known| known == room);
        found.unwrap_or_else(|| panic!("{room} is not in the table of rooms of ARCHITECTURE.md"))
    };
    let imports = Imports::of(&root().join("supervisor/src")).pairs();
    let between = imports.iter().filter(|((from, to), _)| !from.is_empty() && !to.is_empty());
    let upwards: Vec<_> = between
        .filter(|((from, to), _)| floor(&from[0]) < floor(&to[0]))
        .map(|((from, _), name)| format!("{} imports {name}", from.join("::")))
        .collect();
    assert!(upwards.is_empty(), "{upwards:#?}");
    assert!(imports.len() > 300, "{}", imports.len());
}

#[test]
fn a_room_of_the_runtime_imports_only_what_it_is_made_of() {
    let rooms = [
        ("requests", &[][..]),
        ("platform", &["requests"]),
        ("node", &["requests"]),
        ("net", &["requests", "platform"]),
        ("workers", &["requests", "platform", "net"]),
        ("scripts", &["node"]),
    ];
    let imports = Imports::of(&root().join("worker/runtime/src")).pairs();
    let between: Vec<_> = imports
        .iter()
        .filter(|((from, to), _)| !from.is_empty() && !to.is_empty() && from[0] != to[0])
        .collect();
    let others = between.iter().filter(|((from, to), _)| {
        let (_, may) = rooms.iter().find(|(room, _)| from[0] == *room).expect("a room of the runtime");
        !may.contains(&to[0].as_str())
    });
    let others: Vec<_> =
        others.map(|((from, _), name)| format!("{} imports {name}", from.join("::"))).collect();
    assert!(others.is_empty(), "{others:#?}");
    assert!(between.len() > 20, "{}", between.len());
}

#[test]
fn no_modules_import_each_other() {
    let circles: Vec<_> = CRATES
        .iter()
        .flat_map(|source| {
            Imports::of(&root().join(source)).circles().into_iter().map(move |part| (source, part))
        })
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn a_name_of_a_type_means_one_thing_in_a_crate() {
    let mut twice = Vec::new();
    for source in CRATES {
        for (name, modules) in Imports::of(&root().join(source)).types() {
            if modules.len() > 1 {
                twice.push(format!("{source}: {name} in {}", modules.join(", ")));
            }
        }
    }
    assert!(twice.is_empty(), "{twice:#?}");
}

#[test]
fn the_types_that_the_lexicon_names_are_in_the_code() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let table = text.split_once("## Words").expect("a lexicon").1;
    let table = table.split("\n## ").next().unwrap();
    let crates = CRATES.map(|source| Imports::of(&root().join(source)));
    let is_type = |name: &str| crates.iter().any(|imports| imports.types().contains_key(name));
    let names: Vec<_> = table
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.starts_with(char::is_uppercase) && name.chars().all(char::is_alphanumeric))
        // These are variants of `Head`, not types.
        .filter(|name| !["Request", "Event", "Call"].contains(name))
        .collect();
    let missing: Vec<_> = names.iter().filter(|name| !is_type(name)).collect();
    assert!(missing.is_empty() && names.len() > 10, "{missing:?} of {names:?}");
}
