//! Decides how much of a configuration takes effect. An app that cannot run with its new configuration keeps its old one; if it
//! has none, it fails. Other apps are not affected.

use std::sync::Arc;

use crate::config::{AppSpec, collision};

/// The configuration of an app after the decision.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) spec: Arc<AppSpec>,
    /// Why it differs from what was configured.
    pub(super) trouble: Option<Arc<str>>,
}

impl Settled {
    /// Refuses the configuration: the app keeps its old one, or fails if it has none.
    pub(super) fn refuse(&mut self, before: &[Arc<AppSpec>], why: &str) {
        let known = self.trouble.take();
        let why: Arc<str> = match known {
            Some(known) if &*known != why => format!("{known}\n{why}").into(),
            _ => why.into(),
        };
        self.spec = match running(before, &self.spec) {
            Some(old) => old.clone(),
            None => Arc::new(self.spec.broken(why.clone())),
        };
        self.trouble = Some(why);
    }

    /// Whether the app keeps its old configuration, and with that its address.
    pub(super) fn is_kept(&self, before: &[Arc<AppSpec>]) -> bool {
        before.contains(&self.spec)
    }
}

/// Decides which configuration each of the wanted apps gets. `before` holds the current ones.
pub(super) fn settle(
    before: &[Arc<AppSpec>],
    wanted: impl IntoIterator<Item = Arc<AppSpec>>,
) -> Vec<Settled> {
    let mut settled: Vec<_> = wanted
        .into_iter()
        .map(|spec| {
            let trouble = spec.fault.clone();
            // A new app keeps its address even with a fault, so that its clients are told what is wrong.
            let old = running(before, &spec).filter(|_| trouble.is_some()).cloned();
            Settled { spec: old.unwrap_or(spec), trouble }
        })
        .collect();
    keep_apart(before, &mut settled);
    settled
}

/// Refuses apps that want an address of an app that keeps its old configuration.
pub(super) fn keep_apart(before: &[Arc<AppSpec>], settled: &mut [Settled]) {
    // Each iteration leaves one app fewer that can be refused.
    while let Some((at, why)) = find_collision(before, settled) {
        if let Some(refused) = settled.get_mut(at) {
            refused.refuse(before, &why);
        }
    }
}

fn find_collision(before: &[Arc<AppSpec>], settled: &[Settled]) -> Option<(usize, String)> {
    let (kept, others): (Vec<_>, Vec<_>) =
        settled.iter().enumerate().partition(|(_, app)| app.is_kept(before));
    others.into_iter().find_map(|(at, app)| {
        let flaw = kept.iter().find_map(|(_, holder)| collision(&app.spec, &holder.spec))?;
        let name = &app.spec.name;
        Some((at, format!("app {name}: {flaw} (that app goes on as it was)")))
    })
}

/// Returns the previous configuration of an app, if it could be run.
fn running<'a>(before: &'a [Arc<AppSpec>], spec: &AppSpec) -> Option<&'a Arc<AppSpec>> {
    before.iter().find(|old| old.name == spec.name && old.fault.is_none())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::config::Sources;

    /// Loads a configuration whose apps all have the same folder.
    fn specs(dir: &TempDir, sections: &[(&str, &str)]) -> Vec<Arc<AppSpec>> {
        fs::write(dir.path().join("index.js"), "").unwrap();
        let section = |(name, lines): &(&str, &str)| format!("[apps.{name}]\npath = '.'\n{lines}\n");
        let file = dir.path().join("nano.toml");
        fs::write(&file, sections.iter().map(section).collect::<String>()).unwrap();
        let sources = Sources { config: Some(file), ..Sources::default() };
        let config = sources.load_with(|_| Ok(Vec::new())).unwrap();
        config.apps.into_iter().map(Arc::new).collect()
    }

    fn shown(before: &[Arc<AppSpec>], wanted: Vec<Arc<AppSpec>>) -> Vec<String> {
        let shown = |app: Settled| {
            let state = match (app.is_kept(before), &app.trouble, &app.spec.fault) {
                (true, None, _) => "same",
                (true, Some(_), _) => "kept",
                (false, _, Some(_)) => "broken",
                (false, None, None) => "new",
                (false, Some(_), None) => "wrong",
            };
            let port = app.spec.listen.as_ref().map_or("-".into(), |listen| listen.port.to_string());
            format!("{} {state} {port}", app.spec.name)
        };
        settle(before, wanted).into_iter().map(shown).collect()
    }

    #[test]
    fn what_runs_goes_on_and_whoever_wants_its_address_has_to_wait() {
        let dir = tempfile::tempdir().unwrap();
        let before = specs(&dir, &[("a", "port = 1"), ("b", "port = 2"), ("c", "port = 3")]);
        // `a` is to move and cannot. `b` wants its port, and stays where it was. `d` wants the port of `b`.
        let wanted = specs(
            &dir,
            &[
                ("a", "port = 9\nheap = '1B'"),
                ("b", "port = 1"),
                ("c", "port = 4"),
                ("d", "port = 2"),
                ("e", "port = 5\nheap = '1B'"),
            ],
        );
        assert_eq!(shown(&before, wanted), ["a kept 1", "b kept 2", "c new 4", "d broken -", "e broken 5"]);
    }

    #[test]
    fn who_runs_comes_before_who_is_named_first() {
        let dir = tempfile::tempdir().unwrap();
        let before = specs(&dir, &[("old", "port = 1")]);
        let wanted = specs(&dir, &[("early", "port = 1"), ("old", "port = 1")]);
        assert_eq!(shown(&before, wanted), ["early broken -", "old kept 1"]);
    }

    #[test]
    fn what_had_failed_before_has_nothing_to_go_on_with() {
        let dir = tempfile::tempdir().unwrap();
        let before = specs(&dir, &[("a", "port = 1\nheap = '1B'")]);
        assert_eq!(shown(&before, specs(&dir, &[("a", "port = 1\nheap = '2B'")])), ["a broken 1"]);
        assert_eq!(shown(&before, specs(&dir, &[("a", "port = 1")])), ["a new 1"]);
    }
}
