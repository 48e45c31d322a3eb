//! Tests: a copy is complete and holds nothing else, even if the source changes meanwhile.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use super::*;

static ON: AtomicBool = AtomicBool::new(false);

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn scan(dir: &tempfile::TempDir) -> Result<Tree, String> {
    let root = dir.path().canonicalize().unwrap();
    let scanned = Tree::scan(&root, LIMITS, &ON);
    scanned.map_err(|error| error.to_string().replace(root.to_str().unwrap(), "DIR"))
}

fn digest(dir: &tempfile::TempDir) -> Digest {
    scan(dir).unwrap().digest(&ON).unwrap().digest
}

#[test]
fn a_copy_has_the_digest_of_its_source_and_nobody_may_change_it() {
    let dir = tree(&[("index.js", "a"), ("node_modules/x/run", "b"), ("empty/.keep", "")]);
    fs::set_permissions(dir.path().join("node_modules/x/run"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("../node_modules/x/run", dir.path().join("empty/run")).unwrap();
    symlink("nowhere", dir.path().join("dangling")).unwrap();
    let to = tempfile::tempdir().unwrap();
    let copy = to.path().join("copy");
    let seen = scan(&dir).unwrap().copy(&copy, &ON).unwrap();
    assert_eq!((seen.files, seen.bytes, &seen.digest), (3, 2, &digest(&dir)));
    assert_eq!(Tree::scan(&copy, LIMITS, &ON).unwrap().digest(&ON).unwrap().digest, seen.digest);
    assert_eq!(fs::read_to_string(copy.join("empty/run")).unwrap(), "b");
    let mode = |path: &str| fs::metadata(copy.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode(""), mode("index.js"), mode("node_modules/x/run")], [0o700, 0o400, 0o500]);
    sync_all_below(&copy).unwrap();
}

#[test]
fn whatever_differs_makes_another_digest() {
    let files = [("a", "1"), ("b/c", "2")];
    let first = digest(&tree(&files));
    assert_eq!(digest(&tree(&files)), first);
    for other in [
        &[("a", "1"), ("b/c", "3")][..],
        &[("a", "1"), ("b/d", "2")],
        &[("a", "1"), ("bc", "2")],
        &[("a", "1"), ("b/c", "2"), ("d", "")],
    ] {
        assert_ne!(digest(&tree(other)), first, "{other:?}");
    }
    let changed = tree(&files);
    fs::create_dir(changed.path().join("d")).unwrap();
    assert_ne!(digest(&changed), first);
    let changed = tree(&files);
    fs::set_permissions(changed.path().join("a"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_ne!(digest(&changed), first);
    // Other permissions are not hashed.
    fs::set_permissions(changed.path().join("a"), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(digest(&changed), first);
}

#[test]
fn links_must_stay_inside() {
    let link = |path: &str, target: &str| {
        let dir = tree(&[("a/b", "")]);
        symlink(target, dir.path().join(path)).unwrap();
        scan(&dir).map(|_| ())
    };
    for (path, target) in [("x", "a/b"), ("a/x", "../a/b"), ("a/x", "."), ("x", "none")] {
        assert_eq!(link(path, target), Ok(()), "{path} {target}");
    }
    for (path, target) in [("x", ".."), ("a/x", "../../x"), ("x", "a/../../none")] {
        let expected = format!(
            "DIR/{path} is a symlink that leads out of the folder, to {target}; fix: copy there what it leads to"
        );
        assert_eq!(link(path, target), Err(expected));
    }
    assert_eq!(
        link("x", "/etc"),
        Err("DIR/x is a symlink to an absolute path, /etc; fix: make it relative, or copy there what it leads to"
            .into())
    );
}

#[test]
fn links_must_stay_inside_on_all_their_ways() {
    let dir = tree(&[("sub/file", "")]);
    symlink(".", dir.path().join("sub/here")).unwrap();
    symlink("sub/here/here/file", dir.path().join("fine")).unwrap();
    symlink("loop", dir.path().join("loop")).unwrap();
    assert!(scan(&dir).is_ok());
    symlink("here/../../secret", dir.path().join("sub/x")).unwrap();
    let expected = "DIR/sub/x is a symlink that leads out of the folder, to here/../../secret; fix: copy there what it leads to";
    assert_eq!(scan(&dir).unwrap_err(), expected);
}

/// Another thread keeps exchanging a folder and a file of the app for symlinks during the deploy.
#[test]
fn what_becomes_a_symlink_meanwhile_is_not_followed() {
    let dir = tree(&[("app/data/file", "inside"), ("app/single", "inside"), ("secret/file", "outside")]);
    let root = dir.path().canonicalize().unwrap();
    symlink("../secret", root.join("folder-link")).unwrap();
    symlink("../secret/file", root.join("file-link")).unwrap();
    let is_over = AtomicBool::new(false);
    let exchange = |one: &str, other: &str| {
        let (one, other) = (root.join(one), root.join(other));
        renameat2(AT_FDCWD, &one, AT_FDCWD, &other, RenameFlags::RENAME_EXCHANGE).unwrap();
    };
    let copied = thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                exchange("app/data", "folder-link");
                exchange("app/single", "file-link");
            }
        });
        let mut copied = 0;
        for turn in 0..2000 {
            let copy = root.join(format!("copy-{turn}"));
            let done = Tree::scan(&root.join("app"), LIMITS, &ON).and_then(|mut tree| tree.copy(&copy, &ON));
            copied += usize::from(done.is_ok());
            for file in ["data/file", "single"] {
                let is_file = fs::symlink_metadata(copy.join(file)).is_ok_and(|found| found.is_file());
                let text = is_file.then(|| fs::read_to_string(copy.join(file)).unwrap());
                // A copy that failed may hold an empty file.
                assert!(text.is_none_or(|text| text.is_empty() || text == "inside"), "turn {turn}");
            }
            let _ = fs::remove_dir_all(&copy);
        }
        is_over.store(true, Ordering::Relaxed);
        copied
    });
    // Some copies must succeed, or this test proves nothing.
    assert!(copied > 0);
}

#[test]
fn what_is_too_large_is_refused() {
    let dir = tree(&[("a", "123"), ("b", "456")]);
    let scan = |entries, bytes| {
        let root = dir.path().canonicalize().unwrap();
        let scanned = Tree::scan(&root, Limits { entries, bytes }, &ON).map(|_| ());
        scanned.map_err(|error| error.to_string().replace(root.to_str().unwrap(), "DIR"))
    };
    let fix = "fix: leave out what the app does not need";
    assert_eq!(scan(2, 6), Ok(()));
    assert_eq!(scan(1, 6), Err(format!("DIR holds more than 1 files and folders; {fix}")));
    assert_eq!(scan(2, 5), Err(format!("DIR holds more than 5 B; {fix}")));
    // A file may grow after the scan.
    let limits = Limits { entries: 2, bytes: 6 };
    let mut scanned = Tree::scan(dir.path(), limits, &ON).unwrap();
    fs::write(dir.path().join("a"), "1234").unwrap();
    assert!(scanned.digest(&ON).unwrap_err().to_string().contains("holds more than 6 B"));
}

#[test]
fn it_ends_when_nobody_waits_for_it_any_more() {
    let dir = tree(&[("a", "1")]);
    let mut scanned = scan(&dir).unwrap();
    let off = AtomicBool::new(true);
    assert!(matches!(scanned.digest(&off), Err(CopyError::Cancelled)));
    assert!(Tree::scan(dir.path(), LIMITS, &off).is_err());
}
