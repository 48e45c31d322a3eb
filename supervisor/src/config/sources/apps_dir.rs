//! Reads a folder of apps: each folder in it is an app that is served under its own name as host.
//!
//! `blog` is served as host `blog` and `blog.localhost` (which resolves to this machine, RFC 6761), and as
//! `blog.example.com` if that is the domain; `blog.example.com` with its dots is served as just that. The app in
//! `default` gets every other host.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::config::errors::{Flaw, Place, Problems};
use crate::config::sources::draft::{Draft, Places};
use crate::config::types::app_name::AppName;
use crate::config::types::host_pattern::HostPattern;
use crate::config::types::listen::Listen;

/// The app that serves the hosts that no other app claims.
const DEFAULT_APP: &str = "default";

/// Folders that file systems and package managers create. They are not apps, and neither are hidden folders.
const OTHERS: [&str; 2] = ["lost+found", "node_modules"];

/// Reads the apps below `folder`, sorted by name. All share one port.
pub(crate) fn read(
    folder: &Path,
    domain: Option<&str>,
    listen: &Listen,
    problems: &mut Problems,
) -> Vec<Draft> {
    let flag = || Place::flag(format!("--apps-dir {}", folder.display()));
    let entries = crate::config::sources::draft::folder(folder).and_then(|folder| {
        let error = |error| Flaw::new(format!("cannot be read: {error}"), "make it readable for this user");
        let entries: Result<BTreeMap<_, _>, _> = fs::read_dir(folder)
            .map_err(error)?
            .map(|entry| entry.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())))
            .collect();
        entries.map_err(error)
    });
    let domain = domain.and_then(|domain| {
        let place = || Place::flag(format!("--domain {domain}"));
        problems.keep(place, domain.parse::<HostPattern>())
    });
    let mut apps = Vec::new();
    for (name, path) in problems.keep(flag, entries).unwrap_or_default() {
        // A dangling symlink counts as an app, so that it is reported as missing.
        let is_app = path.is_dir() || (path.is_symlink() && !path.exists());
        if name.starts_with('.') || OTHERS.contains(&&*name) || !is_app {
            continue;
        }
        let place = Place::flag(format!("--apps-dir {}", path.display()));
        let mut own = Problems::default();
        let hosts = own.keep(|| place.clone(), hosts(&name, domain.as_ref()));
        apps.push(Draft {
            name: Some(AppName::from_folder(&name)),
            path: Some(path),
            // Without a host of its own, the app must not serve the hosts of all others.
            listen: hosts.is_some().then(|| listen.clone()),
            hosts: hosts.unwrap_or_default().into_iter().map(|host| (host, place.clone())).collect(),
            problems: own,
            ..Draft::new(Places::all(place), listen.clone())
        });
    }
    apps
}

fn hosts(name: &str, domain: Option<&HostPattern>) -> Result<Vec<HostPattern>, Flaw> {
    if name == DEFAULT_APP {
        return Ok(Vec::new());
    }
    // Hosts that browsers can resolve come first. A name without dots cannot be looked up.
    let (bare, mut hosts) = (name.parse()?, Vec::new());
    if !name.contains('.') {
        if let Some(domain) = domain {
            hosts.push(format!("{name}.{domain}").parse()?);
        }
        hosts.push(format!("{name}.localhost").parse()?);
    }
    hosts.push(bare);
    Ok(hosts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[&str], domain: Option<&str>) -> (Vec<String>, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        fs::write(dir.path().join("README.md"), "").unwrap();
        let mut problems = Problems::default();
        let listen = Listen { host: None, port: 80 };
        let apps = read(dir.path(), domain, &listen, &mut problems);
        let shown = |app: &Draft| {
            let hosts: Vec<_> = app.hosts.iter().map(|(host, _)| host.as_str()).collect();
            format!("{}: {}", app.name.as_ref().unwrap(), hosts.join(" "))
        };
        let problems = problems.texts().into_iter().chain(apps.iter().flat_map(|app| app.problems.texts()));
        let problems = problems.map(|text| text.replace(dir.path().to_str().unwrap(), "DIR"));
        (apps.iter().map(shown).collect(), problems.collect())
    }

    #[test]
    fn every_folder_is_an_app_under_its_name() {
        assert_eq!(
            found(
                &["blog", "shop.example", "default", ".git", "lost+found", "node_modules"],
                Some("example.com")
            )
            .0,
            ["blog: blog.example.com blog.localhost blog", "default: ", "shop.example: shop.example"]
        );
        assert_eq!(found(&["blog"], None).0, ["blog: blog.localhost blog"]);
    }

    #[test]
    fn a_symlink_to_a_folder_is_an_app_also_where_that_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("real")).unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        for (name, target) in [("linked", "real"), ("gone", "nowhere"), ("text", "file")] {
            std::os::unix::fs::symlink(target, dir.path().join(name)).unwrap();
        }
        let apps = read(dir.path(), None, &Listen { host: None, port: 80 }, &mut Problems::default());
        let names: Vec<_> = apps.iter().map(|app| app.name.as_ref().unwrap().to_string()).collect();
        assert_eq!(names, ["gone", "linked", "real"]);
    }

    #[test]
    fn folders_whose_names_differ_in_capitals_alone_are_told_once() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["Good", "good"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let mut apps = read(dir.path(), None, &Listen { host: None, port: 80 }, &mut Problems::default());
        crate::config::sources::overlap::check(&mut apps);
        let texts: Vec<_> = apps.iter().flat_map(|app| app.problems.texts()).collect();
        let texts: Vec<_> =
            texts.iter().map(|text| text.replace(dir.path().to_str().unwrap(), "DIR")).collect();
        assert_eq!(
            texts,
            [
                "--apps-dir DIR/good: there is an app good already (--apps-dir DIR/Good); fix: rename one of the two folders \
              (capitals are not told apart)"
            ]
        );
    }

    #[test]
    fn a_name_that_is_no_host_is_reported() {
        let (_, problems) = found(&["my blog"], Some("http://x"));
        assert_eq!(
            problems,
            [
                "--domain http://x: \"http://x\" is not a host name; fix: leave out the scheme: write the bare name, \
                 such as \"blog.example\"",
                "--apps-dir DIR/my blog: \"my blog\" is not a host name; fix: write a name such as \"blog.example\", \
                 or \"*.blog.example\" for all names below it",
            ]
        );
    }
}
