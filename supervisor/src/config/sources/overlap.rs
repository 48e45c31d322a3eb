//! Finds conflicts between apps: names, ports and hosts that two of them claim.

use crate::config::app::AppSpec;
use crate::config::errors::{Flaw, Place};
use crate::config::sources::draft::Draft;
use crate::config::types::host_pattern::HostPattern;
use crate::config::types::listen::Listen;

/// Records the conflicts of each app with those before it; the first app keeps what both claim. The later one has no address, or
/// no name if that is what both claim.
pub(crate) fn check(apps: &mut [Draft]) {
    for at in 0..apps.len() {
        let (before, rest) = apps.split_at_mut(at);
        let Some(app) = rest.first_mut() else { continue };
        check_name(app, before);
        check_port(app, before);
        check_hosts(app, before);
    }
}

fn check_name(app: &mut Draft, before: &[Draft]) {
    let Some(name) = &app.name else { return };
    if let Some(first) = before.iter().find(|other| other.name.as_ref() == Some(name)) {
        let what = format!("there is an app {name} already ({})", first.places.whole);
        let fix = match is_all_in_its_name(app) {
            true => "rename one of the two folders (capitals are not told apart)",
            false => "give one of them another name; --app NAME=PATH:PORT names an app",
        };
        app.problems.add(app.places.whole.clone(), Flaw::new(what, fix));
        app.name = None;
    }
}

fn check_port(app: &mut Draft, before: &[Draft]) {
    let flaw = before.iter().find_map(|other| {
        let (mine, theirs) = (app.listen.as_ref()?, other.listen.as_ref()?);
        conflict((mine, app.hosts.is_empty()), (theirs, other.hosts.is_empty()), &describe(other))
    });
    if let Some(flaw) = flaw {
        app.problems.add(app.places.port.clone(), flaw);
        app.listen = None;
    }
}

fn check_hosts(app: &mut Draft, before: &[Draft]) {
    let Some(listen) = &app.listen else { return };
    let (mut flaws, mut is_taken) = (Vec::new(), false);
    for (at, (pattern, place)) in app.hosts.iter().enumerate() {
        let has = |hosts: &[(HostPattern, Place)]| hosts.iter().any(|(known, _)| known == pattern);
        let other = before.iter().find(|other| other.listen.as_ref() == Some(listen) && has(&other.hosts));
        let mine = app.hosts.get(..at).is_some_and(has);
        is_taken |= other.is_some();
        if app.name.is_none() && *place == app.places.whole {
            // The app has lost its name, so the hosts derived from that name are not reported as well.
            continue;
        }
        if let Some(first) = other.or(mine.then_some(&*app)) {
            let what = format!("{pattern} on {listen} leads to {} already", describe(first));
            flaws.push((place.clone(), Flaw::new(what, "name each host once")));
        }
    }
    if is_taken {
        app.listen = None;
    }
    flaws.into_iter().for_each(|(place, flaw)| app.problems.add(place, flaw));
}

/// Returns why an app cannot have its address while `other` has its current one.
pub(crate) fn collision(app: &AppSpec, other: &AppSpec) -> Option<Flaw> {
    let (mine, theirs) = (app.listen.as_ref()?, other.listen.as_ref()?);
    let name = format!("app {}", other.name);
    let shared = || app.hosts.iter().find(|host| mine == theirs && other.hosts.contains(host));
    conflict((mine, app.hosts.is_empty()), (theirs, other.hosts.is_empty()), &name).or_else(|| {
        shared()
            .map(|host| Flaw::new(format!("{host} on {mine} leads to {name} already"), "name each host once"))
    })
}

/// Returns why two apps cannot both have their ports. The second part of each pair says whether the app serves all hosts.
fn conflict(
    (listen, serves_all): (&Listen, bool),
    (other, other_serves_all): (&Listen, bool),
    other_name: &str,
) -> Option<Flaw> {
    if listen == other {
        // With port 0 every app gets a different port.
        if listen.port != 0 && serves_all && other_serves_all {
            let what = format!("{listen} is also where {other_name} listens");
            let fix = "choose another port, or tell them apart with `hosts` in a configuration file";
            return Some(Flaw::new(what, fix));
        }
        return None;
    }
    listen.overlaps(other).then(|| {
        let what = format!("{listen} overlaps with {other}, where {other_name} listens");
        Flaw::new(what, "choose another port, or give both the same host")
    })
}

/// Returns whether the app's hosts are derived from its name, as in a folder of apps.
fn is_all_in_its_name(app: &Draft) -> bool {
    !app.hosts.is_empty() && app.hosts.iter().all(|(_, place)| *place == app.places.whole)
}

fn describe(app: &Draft) -> String {
    match &app.name {
        Some(name) => format!("app {name}"),
        None => format!("another app ({})", app.places.whole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sources::draft::Places;

    fn app(name: &str, host: Option<&str>, port: u16, hosts: &[&str]) -> Draft {
        let listen = Listen { host: host.map(|host| host.parse().unwrap()), port };
        let place = |host: &str| Place::flag(format!("<{name} {host}>"));
        Draft {
            name: name.parse().ok(),
            hosts: hosts.iter().map(|host| (host.parse().unwrap(), place(host))).collect(),
            ..Draft::new(Places::flag(format!("<{name}>")), listen)
        }
    }

    fn found<const N: usize>(mut apps: [Draft; N]) -> Vec<String> {
        check(&mut apps);
        apps.iter().flat_map(|app| app.problems.texts()).collect()
    }

    #[test]
    fn apps_may_share_a_port_by_host() {
        let local = Some("127.0.0.1");
        let apps = [
            app("a", local, 80, &["a.example"]),
            app("b", local, 80, &["b.example", "*.a.example"]),
            app("rest", local, 80, &[]),
            app("other-address", Some("127.0.0.2"), 80, &["a.example"]),
            app("other-port", None, 81, &[]),
            app("any", None, 0, &[]),
            app("any-local", local, 0, &[]),
            app("any-too", None, 0, &[]),
        ];
        assert_eq!(found(apps), [""; 0]);
    }

    #[test]
    fn a_name_belongs_to_one_app() {
        assert_eq!(
            found([app("a", None, 1, &[]), app("a", None, 2, &[])]),
            [
                "<a>: there is an app a already (<a>); fix: give one of them another name; --app NAME=PATH:PORT names an \
              app"
            ]
        );
    }

    #[test]
    fn a_port_belongs_to_one_app_unless_hosts_tell_them_apart() {
        assert_eq!(
            found([app("a", None, 80, &[]), app("b", None, 80, &[]), app("c", Some("::1"), 80, &["c"])]),
            [
                "<b>: *:80 is also where app a listens; fix: choose another port, or tell them apart with `hosts` in a \
                 configuration file",
                "<c>: [::1]:80 overlaps with *:80, where app a listens; fix: choose another port, or give both the \
                 same host",
            ]
        );
    }

    #[test]
    fn a_host_belongs_to_one_app() {
        assert_eq!(
            found([app("a", None, 80, &["x", "X"]), app("b", None, 80, &["y", "x"])]),
            [
                "<a X>: x on *:80 leads to app a already; fix: name each host once",
                "<b x>: x on *:80 leads to app a already; fix: name each host once",
            ]
        );
    }
}
