//! The `dev` command's file watcher: reloads an app after each change of its files. If the new code does not load, clients of
//! the app get an error page that says why.
//!
//! Folders are watched one by one, not recursively: `node_modules` may hold tens of thousands of them, and each would use up
//! one of the user's inotify watches.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use notify::event::{EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, timeout, timeout_at};
use tracing::{error, info, warn};

use crate::api::status::{AppStatus, Phase};
use crate::apps::lifecycle::Action;
use crate::model::state::AppState;
use crate::ops::operator::Operator;

/// The log target of these lines. `dev` shows all of them.
const TARGET: &str = "dev";

/// Folders whose contents are ignored: git writes there all the time, and installing packages writes thousands of files. An
/// installation is noticed by its change of `package.json` or of a lock file.
const IGNORED: [&str; 2] = [".git", "node_modules"];

/// Debounce: a change is complete when nothing else has changed for this long. An editor may write a file in several steps.
const DEBOUNCE: Duration = Duration::from_millis(5);

/// A reload starts after this long even if files are still changing.
const MAX_DEBOUNCE: Duration = Duration::from_millis(250);

/// Capacity of the event queue. When it is full, further events are dropped: those in the queue cause a reload anyway.
const QUEUE: usize = 64;

/// A load that takes longer than this is logged, and again after each such interval.
const SLOW: Duration = Duration::from_secs(2);

/// At most this many changed files are named in a log line.
const MAX_NAMED: usize = 3;

/// Whether a change may have added folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Contents,
    /// Files or folders were created, renamed or removed.
    Names,
}

/// A change and its files, relative to the app's folder.
type Changed = (Change, Vec<PathBuf>);

/// Watches the folder `root`, an absolute path without symlinks, of the app `app`. Never returns.
pub(crate) async fn watch(operator: Rc<Operator>, mut app: String, root: PathBuf) {
    let (changes, mut changed) = mpsc::channel::<Changed>(QUEUE);
    let watched = root.clone();
    let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // An error means that events were lost: then anything may have changed. A full queue already causes a reload, so a
        // failed send needs no handling.
        let changed = match event {
            Ok(event) => classify(&event, &watched).map(|change| (change, files(&event, &watched))),
            Err(_) => Some((Change::Names, Vec::new())),
        };
        if let Some(changed) = changed {
            let _ = changes.try_send(changed);
        }
    });
    let mut watcher = match watcher {
        Ok(watcher) => watcher,
        Err(error) => {
            error!(target: TARGET, %error, "files cannot be watched; fix: raise fs.inotify.max_user_instances");
            return;
        }
    };
    watch_folders(&mut watcher, &root);
    if let Some(listen) = operator.status().into_iter().find(|status| status.app == app).map(|app| app.listen)
    {
        info!(target: TARGET, "http://{listen}/ is {}; each save is followed, Ctrl-C ends", root.display());
    }
    let mut next_change = None;
    loop {
        let next = match next_change.take() {
            Some(next) => Some(next),
            None => tokio::select! {
                next = changed.recv() => next,
                () = log_slow_start(&operator, &app) => changed.recv().await,
            },
        };
        let Some((mut change, mut files)) = next else { return };
        let begun = Instant::now();
        let deadline = begun + MAX_DEBOUNCE;
        while let Ok(Ok(Some((next, more)))) = timeout_at(deadline, timeout(DEBOUNCE, changed.recv())).await {
            if next == Change::Names {
                change = next;
            }
            files.extend(more);
        }
        if change == Change::Names {
            watch_folders(&mut watcher, &root);
        }
        let (name, mut refreshing) = (app.clone(), Box::pin(refresh(&operator, &mut app)));
        let mut slow = interval_at(Instant::now() + SLOW, SLOW);
        let refreshed = loop {
            tokio::select! {
                refreshed = &mut refreshing => break refreshed,
                _ = slow.tick() => log_slow_load(&describe(&files, &root), begun),
                Some(next) = changed.recv(), if next_change.is_none() => {
                    next_change = Some(next);
                    // The load in progress is outdated and may never become ready: replace it at once.
                    operator.hurry(&name, Action::Roll);
                }
            }
        };
        drop(refreshing);
        if next_change.is_some() {
            continue;
        }
        match refreshed {
            _ if operator.phase() == Phase::Draining => return,
            Ok(()) => {
                info!(target: TARGET, "reloaded {} in {} ms", describe(&files, &root), begun.elapsed().as_millis())
            }
            Err(why) => {
                error!(target: TARGET, "{why}");
                // The worker with the old code must not go on answering: its answers would be taken for those of the new
                // code.
                let why = why.strip_prefix("does not load: ").unwrap_or(&why).to_owned();
                let _ = operator.tell(&app, Action::Break(why)).await;
            }
        }
    }
}

/// Logs at intervals that the app's first worker is still loading. Returns when it is no longer starting.
async fn log_slow_start(operator: &Operator, app: &str) {
    let (begun, mut slow) = (Instant::now(), interval_at(Instant::now() + SLOW, SLOW));
    loop {
        slow.tick().await;
        let is_starting = |status: &AppStatus| status.app == app && status.state == AppState::Starting;
        if !operator.status().iter().any(is_starting) {
            return;
        }
        log_slow_load(app, begun);
    }
}

fn log_slow_load(what: &str, begun: Instant) {
    let seconds = begun.elapsed().as_secs();
    info!(target: TARGET, "still loading {what} after {seconds} s: a top-level `await` that does not settle?");
}

/// Reloads the app from its files. They may also have renamed it; then `app` becomes the new name.
///
/// # Errors
/// Why the new code cannot run, for people.
async fn refresh(operator: &Operator, app: &mut String) -> Result<(), String> {
    let worker = |app: &str| operator.status().into_iter().find(|status| status.app == app)?.pid;
    let before = worker(app);
    // The changed files may be part of the configuration, such as .env and wrangler files.
    let changes = operator.apply().await.map_err(|error| error.to_string())?;
    if let Some((_, why)) = changes.failed.into_iter().chain(changes.broken).next() {
        return Err(why);
    }
    if !operator.has(app)
        && let Some(renamed) = operator.status().into_iter().find(|status| operator.has(&status.app))
    {
        *app = renamed.app;
        operator.tell(app, Action::Start).await.map_err(|error| error.to_string())?;
    } else if worker(app) == before {
        operator.tell(app, Action::Roll).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The relevant files of an event, relative to `root`.
fn files(event: &Event, root: &Path) -> Vec<PathBuf> {
    let of_app = event.paths.iter().filter(|path| is_relevant(path, root));
    let inside = of_app.filter_map(|path| Some(path.strip_prefix(root).ok()?.to_owned()));
    // An event about `root` itself gives an empty path.
    inside.filter(|path| !path.as_os_str().is_empty()).collect()
}

/// Names the changed files, for people. Files that are gone are left out if any other exists: editors create and delete
/// temporary files.
fn describe(files: &[PathBuf], root: &Path) -> String {
    let all: BTreeSet<&PathBuf> = files.iter().collect();
    let there: Vec<_> = all.iter().filter(|path| root.join(path).is_file()).copied().collect();
    let named = if there.is_empty() { all.into_iter().collect() } else { there };
    let names: Vec<_> = named.iter().take(MAX_NAMED).map(|path| path.display().to_string()).collect();
    match named.len() {
        0 => "the app".to_owned(),
        count if count > MAX_NAMED => format!("{} and {} more", names.join(", "), count - MAX_NAMED),
        _ => names.join(", "),
    }
}

/// Watches all relevant folders. Watching one again has no effect.
fn watch_folders(watcher: &mut RecommendedWatcher, root: &Path) {
    let mut pending = vec![root.to_owned()];
    while let Some(folder) = pending.pop() {
        match watcher.watch(&folder, RecursiveMode::NonRecursive) {
            Ok(()) => {}
            // The folder was deleted meanwhile.
            Err(_) if !folder.is_dir() => continue,
            Err(error) => {
                let folder = folder.display();
                warn!(target: TARGET, %folder, %error, "changes here are not seen; fix: raise fs.inotify.max_user_watches");
                return;
            }
        }
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        pending.extend(folders.map(|folder| folder.path()).filter(|folder| is_relevant(folder, root)));
    }
}

/// The kind of change of an event; none if it is irrelevant to the app.
fn classify(event: &Event, root: &Path) -> Option<Change> {
    let change = match event.kind {
        // Reading is no change, and the app's worker reads whenever it starts.
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)) => return None,
        EventKind::Modify(ModifyKind::Data(_)) => Change::Contents,
        _ => Change::Names,
    };
    let is_of_app = event.paths.is_empty() || event.paths.iter().any(|path| is_relevant(path, root));
    is_of_app.then_some(change)
}

fn is_relevant(path: &Path, root: &Path) -> bool {
    let inside = path.strip_prefix(root).unwrap_or(path);
    !inside.components().any(|part| IGNORED.iter().any(|ignored| part.as_os_str() == *ignored))
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind, DataChange, Flag, MetadataKind, RenameMode};

    use super::*;

    #[test]
    fn what_has_changed_is_named_as_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("a.js"), "").unwrap();
        let files = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(describe(&files(&["a.js", ".a.js.swp", "a.js"]), root), "a.js");
        assert_eq!(describe(&files(&["gone.js"]), root), "gone.js");
        assert_eq!(describe(&files(&["1", "2", "3", "4", "5"]), root), "1, 2, 3 and 2 more");
        assert_eq!(describe(&[], root), "the app");
    }

    #[test]
    fn what_a_worker_or_git_or_npm_does_is_no_change() {
        let of = |kind, path: &str| {
            classify(
                &Event::new(kind).add_path(Path::new("/node_modules/app").join(path)),
                Path::new("/node_modules/app"),
            )
        };
        let data = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        assert_eq!(of(data, "src/index.js"), Some(Change::Contents));
        assert_eq!(of(EventKind::Create(CreateKind::Folder), "src"), Some(Change::Names));
        assert_eq!(of(EventKind::Modify(ModifyKind::Name(RenameMode::To)), "index.js"), Some(Change::Names));
        assert_eq!(of(data, ".git/index"), None);
        assert_eq!(of(data, "packages/a/node_modules/x/index.js"), None);
        assert_eq!(of(EventKind::Create(CreateKind::Folder), "node_modules"), None);
        assert_eq!(of(EventKind::Access(AccessKind::Any), "index.js"), None);
        assert_eq!(of(EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)), "index.js"), None);
        let lost = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(classify(&lost, Path::new("/")), Some(Change::Names));
    }
}
