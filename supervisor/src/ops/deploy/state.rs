//! `apps.json`: the deployed apps, each with its current deploy and earlier ones.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::copy::Digest;
use super::error::{EntryError, StateError};
use crate::config::{AppName, HostPattern, Listen};
use crate::model::change_error::ChangeError;

/// File name in the state folder.
pub(crate) const FILE: &str = "apps.json";

/// Format version of the file. An incompatible change gets a higher number.
const VERSION: u32 = 1;

/// How many earlier deploys of an app are kept.
pub(crate) const KEPT: usize = 5;

/// All deployed apps.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct DeployState {
    pub apps: BTreeMap<AppName, DeployedApp>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DeployedApp {
    /// Its address and hosts, if the configuration does not contain the app.
    pub site: Option<(Listen, Vec<HostPattern>)>,
    /// The deploy that is served.
    pub current: Deploy,
    /// Earlier deploys, latest first.
    pub previous: Vec<Deploy>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deploy {
    /// Digest of the folder.
    pub digest: Digest,
    /// When the app was last switched to it. Stored with a resolution of one second.
    pub deployed_at: SystemTime,
}

impl DeployState {
    /// The state after a deploy. Without a `site`, the app keeps its address and hosts.
    #[must_use]
    pub(crate) fn with_deploy(
        &self,
        name: &AppName,
        digest: Digest,
        site: Option<(Listen, Vec<HostPattern>)>,
        now: SystemTime,
    ) -> Self {
        let mut next = self.clone();
        let current = Deploy { digest, deployed_at: now };
        match next.apps.get_mut(name) {
            Some(entry) => {
                entry.switch(current);
                entry.site = site.or_else(|| entry.site.take());
            }
            None => {
                next.apps.insert(name.clone(), DeployedApp { site, current, previous: Vec::new() });
            }
        }
        next
    }

    /// The state after a rollback to the previous deploy of an app, or to the one whose digest starts with `to`.
    ///
    /// # Errors
    /// If there is no such deploy, or more than one.
    pub(crate) fn rolled_back(
        &self,
        name: &AppName,
        to: Option<&str>,
        now: SystemTime,
    ) -> Result<Self, ChangeError> {
        let mut next = self.clone();
        let Some(entry) = next.apps.get_mut(name) else {
            return Err(ChangeError::NotFound(format!("app {name} was never deployed")));
        };
        let begins = |deploy: &&Deploy| to.is_none_or(|to| deploy.digest.as_str().starts_with(to));
        let mut found = entry.previous.iter().filter(begins);
        let digest = match (found.next(), to) {
            (Some(deploy), _) => deploy.digest.clone(),
            (None, None) => {
                return Err(ChangeError::NotFound(format!(
                    "app {name} has no earlier deploy to go back to; fix: `remove {name}` ends its deploys: it goes back to \
                     the folder that is configured for it, or is gone if there is none"
                )));
            }
            (None, Some(to)) => {
                let fix = format!("fix: see `deploys {name}` for those there are");
                return Err(ChangeError::NotFound(format!(
                    "app {name} has no earlier deploy whose digest begins with {to:?}; {fix}"
                )));
            }
        };
        if let (Some(to), Some(_)) = (to, found.next()) {
            return Err(ChangeError::Invalid(format!(
                "more than one deploy begins with {to:?}; fix: write more of the digest"
            )));
        }
        entry.switch(Deploy { digest, deployed_at: now });
        Ok(next)
    }

    /// The state without an app.
    #[must_use]
    pub(crate) fn without(&self, name: &AppName) -> Self {
        let mut next = self.clone();
        next.apps.remove(name);
        next
    }

    /// Reads the file in `folder`. A missing file is an empty state.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn read(folder: &Path) -> Result<Self, StateError> {
        let text = match fs::read_to_string(folder.join(FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error.into()),
        };
        let version: Versioned = serde_json::from_str(&text)?;
        if version.version != VERSION {
            return Err(StateError::Version { found: version.version, known: VERSION });
        }
        let written: Written = serde_json::from_str(&text)?;
        let apps = written.apps.into_iter().map(|(name, app)| {
            let entry = app.parse().map_err(|error| StateError::App(name.clone(), error))?;
            let name = name.parse::<AppName>().map_err(StateError::Name)?;
            Ok((name, entry))
        });
        Ok(Self { apps: apps.collect::<Result<_, StateError>>()? })
    }

    /// Replaces the file atomically: a reader finds the old or the new contents, also after a power failure.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let apps = self.apps.iter().map(|(name, entry)| (name.to_string(), WrittenApp::of(entry))).collect();
        let text = serde_json::to_string_pretty(&Written { version: VERSION, apps })?;
        let temporary = folder.join(format!("{FILE}.new"));
        let mut file = File::create(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&temporary, folder.join(FILE))?;
        File::open(folder)?.sync_all()
    }
}

impl DeployedApp {
    /// Makes `next` the current deploy.
    fn switch(&mut self, next: Deploy) {
        let before = std::mem::replace(&mut self.current, next);
        if before.digest != self.current.digest {
            self.previous.insert(0, before);
        }
        self.previous.retain(|deploy| deploy.digest != self.current.digest);
        self.previous.truncate(KEPT);
    }

    /// The current deploy, then earlier ones.
    pub(crate) fn deploys(&self) -> impl Iterator<Item = &Deploy> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    apps: BTreeMap<String, WrittenApp>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenApp {
    listen: Option<WrittenListen>,
    hosts: Vec<String>,
    current: WrittenDeploy,
    previous: Vec<WrittenDeploy>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenListen {
    host: Option<IpAddr>,
    port: u16,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDeploy {
    digest: String,
    deployed_at: String,
}

impl WrittenApp {
    fn of(entry: &DeployedApp) -> Self {
        let (listen, hosts) = entry.site.clone().unzip();
        Self {
            listen: listen.map(|Listen { host, port }| WrittenListen { host, port }),
            hosts: hosts.unwrap_or_default().iter().map(ToString::to_string).collect(),
            current: WrittenDeploy::of(&entry.current),
            previous: entry.previous.iter().map(WrittenDeploy::of).collect(),
        }
    }

    fn parse(self) -> Result<DeployedApp, EntryError> {
        let hosts = self.hosts.iter().map(|host| host.parse::<HostPattern>());
        let hosts = hosts.collect::<Result<Vec<_>, _>>().map_err(EntryError::Host)?;
        let previous = self.previous.into_iter().map(WrittenDeploy::parse);
        Ok(DeployedApp {
            site: self.listen.map(|WrittenListen { host, port }| (Listen { host, port }, hosts)),
            current: self.current.parse()?,
            previous: previous.collect::<Result<_, _>>()?,
        })
    }
}

impl WrittenDeploy {
    fn of(deploy: &Deploy) -> Self {
        Self { digest: deploy.digest.to_string(), deployed_at: show_time(deploy.deployed_at) }
    }

    fn parse(self) -> Result<Deploy, EntryError> {
        let deployed_at = humantime::parse_rfc3339(&self.deployed_at)
            .map_err(|_| EntryError::Time(self.deployed_at.clone()))?;
        Ok(Deploy { digest: self.digest.parse()?, deployed_at })
    }
}

/// Formats a time as RFC 3339, in UTC, to the second.
pub(crate) fn show_time(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn digest(char: char) -> Digest {
        char.to_string().repeat(64).parse().unwrap()
    }

    fn at(second: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(second)
    }

    fn app() -> AppName {
        "app".parse().unwrap()
    }

    fn history(state: &DeployState) -> String {
        state.apps[&app()].deploys().map(|deploy| &deploy.digest.as_str()[..1]).collect()
    }

    #[test]
    fn five_earlier_deploys_are_kept_and_the_same_one_counts_once() {
        let mut state = DeployState::default();
        for char in ['a', 'b', 'c', 'd', 'e', 'f', '0'] {
            state = state.with_deploy(&app(), digest(char), None, at(1));
        }
        assert_eq!(history(&state), "0fedcb");
        state = state.with_deploy(&app(), digest('0'), None, at(2));
        assert_eq!((history(&state), state.apps[&app()].current.deployed_at), ("0fedcb".into(), at(2)));
        state = state.with_deploy(&app(), digest('d'), None, at(3));
        assert_eq!(history(&state), "d0fecb");
        assert_eq!(state.without(&app()), DeployState::default());
    }

    #[test]
    fn a_rollback_goes_to_the_deploy_before_or_to_the_one_that_is_named() {
        let mut state = DeployState::default();
        assert_eq!(
            state.rolled_back(&app(), None, at(1)).unwrap_err().to_string(),
            "app app was never deployed"
        );
        state = state.with_deploy(&app(), digest('a'), None, at(1));
        let alone = state.rolled_back(&app(), None, at(1)).unwrap_err();
        assert_eq!(
            alone.to_string(),
            "app app has no earlier deploy to go back to; fix: `remove app` ends its deploys: it goes back to the folder that is \
             configured for it, or is gone if there is none"
        );
        for char in ['b', 'c'] {
            state = state.with_deploy(&app(), digest(char), None, at(1));
        }
        state = state.rolled_back(&app(), None, at(2)).unwrap();
        assert_eq!(history(&state), "bca");
        assert_eq!(history(&state.rolled_back(&app(), None, at(3)).unwrap()), "cba");
        assert_eq!(history(&state.rolled_back(&app(), Some("aa"), at(3)).unwrap()), "abc");
        assert_eq!(
            state.rolled_back(&app(), Some("b"), at(3)).unwrap_err().to_string(),
            "app app has no earlier deploy whose digest begins with \"b\"; fix: see `deploys app` for those there are"
        );
        let similar: Digest = format!("{}0", "a".repeat(63)).parse().unwrap();
        state = state.with_deploy(&app(), similar, None, at(4)).with_deploy(&app(), digest('e'), None, at(5));
        let error = state.rolled_back(&app(), Some("aaa"), at(6)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "more than one deploy begins with \"aaa\"; fix: write more of the digest"
        );
    }

    #[test]
    fn what_is_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(DeployState::read(dir.path()).unwrap(), DeployState::default());
        let listen = Listen { host: Some("::1".parse().unwrap()), port: 8080 };
        let site = (listen, vec!["*.a.test".parse().unwrap()]);
        let state = DeployState::default()
            .with_deploy(&app(), digest('a'), Some(site.clone()), at(1))
            .with_deploy(&app(), digest('b'), None, at(2))
            .with_deploy(&"other".parse().unwrap(), digest('c'), None, at(3));
        state.write(dir.path()).unwrap();
        assert_eq!(DeployState::read(dir.path()).unwrap(), state);
        assert_eq!(state.apps[&app()].site, Some(site));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_broken_file_says_what_is_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let error = |text: &str| {
            fs::write(dir.path().join(FILE), text).unwrap();
            DeployState::read(dir.path()).unwrap_err().to_string()
        };
        let app = |name: &str, digest: &str, time: &str| {
            error(&format!(
                r#"{{"version":1,"apps":{{"{name}":{{"listen":null,"hosts":[],"previous":[],
                "current":{{"digest":"{digest}","deployed_at":"{time}"}}}}}}}}"#
            ))
        };
        let (fine, time) = ("a".repeat(64), "2026-01-31T12:00:00Z");
        assert!(error("{").starts_with("EOF while parsing"));
        assert_eq!(error(r#"{"version":2}"#), "has version 2, and this executable knows only 1");
        assert!(error(r#"{"version":1,"apps":{},"x":1}"#).starts_with("unknown field `x`"));
        assert_eq!(app("A", &fine, time), "\"A\" is not an app name");
        assert_eq!(
            app("a", "../../etc", time),
            "app \"a\": \"../../etc\" is no digest (64 hexadecimal digits)"
        );
        assert_eq!(app("a", &fine, "now"), "app \"a\": \"now\" is no time such as 2026-01-31T12:00:00Z");
    }
}
