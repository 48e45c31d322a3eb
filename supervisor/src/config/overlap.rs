//! Apps against each other: names, ports and hosts that two of them claim.

use std::collections::{BTreeMap, HashMap};

use super::app::Listen;
use super::app_name::AppName;
use super::draft::Draft;
use super::errors::{Flaw, Place, Problems};
use super::host_pattern::HostPattern;

/// Records what each app claims although one before it has claimed it.
pub(super) fn check(apps: &[Draft], problems: &mut Problems) {
    check_names(apps, problems);
    check_ports(apps, problems);
    check_hosts(apps, problems);
}

fn check_names(apps: &[Draft], problems: &mut Problems) {
    let mut claimed: HashMap<&AppName, &Place> = HashMap::new();
    for app in apps {
        let Some(name) = &app.name else { continue };
        if let Some(first) = claimed.get(name) {
            let what = format!("there is an app {name} already ({first})");
            let fix = "give one of them another name; --app NAME=PATH:PORT names an app";
            problems.add(app.places.whole.clone(), Flaw::new(what, fix));
        } else {
            claimed.insert(name, &app.places.whole);
        }
    }
}

fn check_ports(apps: &[Draft], problems: &mut Problems) {
    let mut claimed: BTreeMap<u16, Vec<(&Draft, &Listen)>> = BTreeMap::new();
    for app in apps {
        let Some(listen) = &app.listen else { continue };
        let others = claimed.entry(listen.port).or_default();
        let mut conflicts =
            others.iter().filter_map(|(other, other_listen)| conflict((app, listen), (other, other_listen)));
        if let Some(flaw) = conflicts.next() {
            problems.add(app.places.port.clone(), flaw);
        }
        others.push((app, listen));
    }
}

/// Why two apps cannot both have their port.
fn conflict((app, listen): (&Draft, &Listen), (other, other_listen): (&Draft, &Listen)) -> Option<Flaw> {
    let other_name = describe(other);
    if listen == other_listen {
        // Port 0 is another port for every app.
        if listen.port != 0 && app.hosts.is_empty() && other.hosts.is_empty() {
            let what = format!("{listen} is also where {other_name} listens");
            let fix = "choose another port, or tell them apart with `hosts` in a configuration file";
            return Some(Flaw::new(what, fix));
        }
        return None;
    }
    listen.overlaps(other_listen).then(|| {
        let what = format!("{listen} overlaps with {other_listen}, where {other_name} listens");
        Flaw::new(what, "choose another port, or give both the same host")
    })
}

fn check_hosts(apps: &[Draft], problems: &mut Problems) {
    let mut claimed: HashMap<(&Listen, &HostPattern), &Draft> = HashMap::new();
    for app in apps {
        let Some(listen) = &app.listen else { continue };
        for (pattern, place) in &app.hosts {
            if let Some(first) = claimed.insert((listen, pattern), app) {
                let what = format!("{pattern} on {listen} leads to {} already", describe(first));
                problems.add(place.clone(), Flaw::new(what, "name each host once"));
            }
        }
    }
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
    use crate::config::draft::Places;

    fn app(name: &str, host: Option<&str>, port: u16, hosts: &[&str]) -> Draft {
        let listen = Listen { host: host.map(|host| host.parse().unwrap()), port };
        let place = |host: &str| Place::flag(format!("<{name} {host}>"));
        Draft {
            name: name.parse().ok(),
            hosts: hosts.iter().map(|host| (host.parse().unwrap(), place(host))).collect(),
            ..Draft::new(Places::flag(format!("<{name}>")), listen)
        }
    }

    fn found(apps: &[Draft]) -> Vec<String> {
        let mut problems = Problems::default();
        check(apps, &mut problems);
        problems.texts()
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
        assert_eq!(found(&apps), [""; 0]);
    }

    #[test]
    fn a_name_belongs_to_one_app() {
        assert_eq!(
            found(&[app("a", None, 1, &[]), app("a", None, 2, &[])]),
            [
                "<a>: there is an app a already (<a>); fix: give one of them another name; --app NAME=PATH:PORT names an \
              app"
            ]
        );
    }

    #[test]
    fn a_port_belongs_to_one_app_unless_hosts_tell_them_apart() {
        assert_eq!(
            found(&[app("a", None, 80, &[]), app("b", None, 80, &[]), app("c", Some("::1"), 80, &["c"])]),
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
            found(&[app("a", None, 80, &["x", "X"]), app("b", None, 80, &["y", "x"])]),
            [
                "<a X>: x on *:80 leads to app a already; fix: name each host once",
                "<b x>: x on *:80 leads to app a already; fix: name each host once",
            ]
        );
    }
}
