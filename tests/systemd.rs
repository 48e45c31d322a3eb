//! The unit for systemd: systemd reports no error in it and only a low exposure.

use std::fs;
use std::path::Path;

use crate::harness::EXECUTABLE;

/// The highest exposure that `systemd-analyze` may report, from 0 to 10.
const EXPOSURE: f64 = 2.0;

/// Runs `systemd-analyze`. Returns `None` if it is not installed.
#[expect(clippy::disallowed_methods, reason = "a tool that judges what we ship")]
fn analyze(arguments: &[&str], unit: &Path) -> Option<(bool, String)> {
    let Ok(output) = std::process::Command::new("systemd-analyze").args(arguments).arg(unit).output() else {
        eprintln!("skipped: there is no systemd-analyze");
        return None;
    };
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Some((output.status.success(), text))
}

fn unit() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .join("scripts/systemd/nano-supervisor.service");
    fs::read_to_string(path).unwrap()
}

/// Returns the unit as it would be installed, but with the executable under test.
fn installed() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nano-supervisor.service");
    fs::write(&path, unit().replace("/usr/local/bin/nano-supervisor", EXECUTABLE)).unwrap();
    (folder, path)
}

#[test]
fn it_is_valid() {
    let (_folder, path) = installed();
    let Some((is_valid, text)) = analyze(&["verify", "--man=no", "--recursive-errors=no"], &path) else {
        return;
    };
    assert!(is_valid && text.trim().is_empty(), "{text}");
}

#[test]
fn it_is_hardened() {
    let (_folder, path) = installed();
    let Some((_, text)) = analyze(&["security", "--offline=true", "--no-pager"], &path) else { return };
    let line =
        text.lines().find(|line| line.contains("Overall exposure level")).unwrap_or_else(|| panic!("{text}"));
    let level = line.split_whitespace().find_map(|word| word.parse::<f64>().ok()).unwrap();
    assert!(level <= EXPOSURE, "{line}");
}

#[test]
fn it_leaves_the_supervisor_what_it_needs() {
    let unit = unit();
    let fields: Vec<_> = unit.lines().filter(|line| !line.starts_with('#')).collect();
    let has = |field: &str| fields.iter().any(|line| line.starts_with(field));
    // V8 writes machine code, the supervisor divides its control group, and an app that runs out of memory must end alone.
    assert!(!has("MemoryDenyWriteExecute=") && !has("ProtectControlGroups=") && !has("ProcSubset="));
    assert!(has("Delegate=memory pids cpu") && has("OOMPolicy=continue") && has("NotifyAccess=all"));
    for flag in fields.iter().filter(|line| line.starts_with("Exec")).flat_map(|line| line.split_whitespace())
    {
        if flag.starts_with("--") {
            let (_, help, _) = crate::harness::run(Path::new("/"), &["serve", "--help"]);
            assert!(help.contains(flag), "{flag}");
        }
    }
}
