//! The tools for contributors: the justfile, CONTRIBUTING and the gate name the same commands, and every script is valid.

#![expect(clippy::disallowed_methods, reason = "these tests run the tools")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs a tool on the repository, which must succeed, and returns its output. Returns `None` if the tool cannot be run.
fn printed(tool: &str, arguments: &[&str]) -> Option<String> {
    let output = match Command::new(tool).args(arguments).current_dir(root()).output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("skipped: {tool} cannot be run here: {error}");
            return None;
        }
    };
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{tool}: {text}{}", String::from_utf8_lossy(&output.stderr));
    Some(text)
}

/// Returns the public recipes of the justfile, each with its one command as it would be typed without `just`.
fn recipes() -> BTreeMap<String, String> {
    let justfile = text("justfile");
    let mut recipes = BTreeMap::new();
    for recipe in justfile.split("\n\n").filter(|part| part.contains(":\n") && !part.contains("[private]")) {
        let lines: Vec<_> = recipe.trim_end().lines().skip_while(|line| line.starts_with('#')).collect();
        let [head, command] = lines[..] else { panic!("more than one command: {recipe}") };
        let mut words = head.trim_end_matches(':').split(' ');
        let name = words.next().unwrap();
        let mut command = command.trim().to_owned();
        for parameter in words {
            // `*OPTIONS` may be empty.
            let optional = parameter.strip_prefix('*');
            let placeholder = format!("{{{{ {} }}}}", optional.unwrap_or(parameter));
            assert!(command.contains(&placeholder), "{recipe}");
            command = command.replace(&placeholder, if optional.is_some() { "" } else { parameter });
        }
        recipes.insert(name.to_owned(), command.trim_end().to_owned());
    }
    recipes
}

#[test]
fn contributing_says_what_each_recipe_runs() {
    let contributing = text("CONTRIBUTING.md");
    let rows = contributing.lines().filter_map(|row| row.strip_prefix("| `just "));
    let named: BTreeMap<_, _> = rows
        .map(|row| {
            let mut cells = row.split('`');
            let name = cells.next().unwrap().split(' ').next().unwrap();
            (name.to_owned(), cells.nth(1).unwrap().to_owned())
        })
        .collect();
    assert_eq!(named, recipes());
}

#[test]
fn just_knows_these_recipes() {
    let Some(summary) = printed("just", &["--summary"]) else { return };
    let mut known: Vec<_> = summary.split_whitespace().collect();
    known.sort_unstable();
    assert_eq!(known, recipes().keys().collect::<Vec<_>>());
}

#[test]
fn every_script_that_is_named_is_there_and_the_gate_runs_known_recipes() {
    let recipes = recipes();
    for (name, command) in &recipes {
        let program = command.split(' ').next().unwrap();
        assert!(!program.contains('/') || root().join(program).is_file(), "{name}: there is no {program}");
    }
    let gate = text(".ci/run");
    let run: Vec<_> = gate.lines().filter_map(|line| line.strip_prefix("just ")).collect();
    assert!(!run.is_empty());
    for recipe in run {
        assert!(recipes.contains_key(recipe), ".ci/run runs {recipe}, which the justfile does not have");
    }
}

/// Returns the scripts that this program runs, according to their first line.
fn scripts(program: &str) -> Vec<String> {
    let folder = fs::read_dir(root().join("scripts")).unwrap();
    let names = folder.map(|entry| format!("scripts/{}", entry.unwrap().file_name().into_string().unwrap()));
    let files = names.filter(|path| root().join(path).is_file()).chain([".ci/run".to_owned()]);
    let first = format!("#!/usr/bin/env {program}\n");
    let found: Vec<_> = files.filter(|path| text(path).starts_with(&first)).collect();
    assert!(found.len() > 2, "{found:?}");
    found
}

#[test]
fn shellcheck_finds_nothing_in_the_shell_scripts() {
    let scripts = scripts("bash");
    printed("shellcheck", &scripts.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn python_can_read_its_scripts() {
    let scripts = scripts("python3");
    let compile = "import ast, sys\nfor path in sys.argv[1:]: ast.parse(open(path).read(), path)";
    let arguments = ["-c", compile].into_iter().chain(scripts.iter().map(String::as_str));
    printed("python3", &arguments.collect::<Vec<_>>());
}
