//! Which requests end workers, as far as that can be told, and those of them that are refused for it (`quarantine`).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::crashes::{Crash, LostRequest};
use crate::registry::AppId;

/// Crashes that are looked at, the latest.
const LOOKED_AT: usize = 5;

/// With so many of them named for one kind of request, it is a culprit, and no accident.
const NAMED: usize = 2;

/// With so many of them, more than half, that nobody was named for and at which a request was in flight, it is a suspect.
const IN_FLIGHT: usize = 3;

/// Kinds of requests of one app that are refused at once; the oldest go first.
const MOST: usize = 32;

/// A kind of request: what requests have in common that do the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Kind {
    /// Its method.
    pub method: String,
    /// Its path, without the query.
    pub path: String,
}

/// A kind of request, and how often it was there when a worker ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// Which.
    #[serde(flatten)]
    pub kind: Kind,
    /// For how many of the latest crashes it is named.
    pub named: usize,
    /// At how many of them it was in flight, and nobody is named.
    pub in_flight: usize,
    /// How many crashes that is of.
    pub of: usize,
    /// Whether it is refused.
    pub is_refused: bool,
}

impl Kind {
    /// Of a request that was lost; none if no more than its id is known.
    pub fn of(request: &LostRequest) -> Option<Self> {
        let path = request.target.split('?').next().unwrap_or_default();
        (!request.method.is_empty()).then(|| Self { method: request.method.clone(), path: path.to_owned() })
    }

    /// Whether a request is one of these. What was kept of a long path is its beginning.
    pub fn has(&self, method: &str, path: &str) -> bool {
        let is_path = match self.path.strip_suffix(LostRequest::CUT) {
            Some(beginning) => path.starts_with(beginning) && path.len() > beginning.len(),
            None => self.path == path,
        };
        is_path && self.method == method
    }
}

/// Who is suspected of the latest of these crashes of one app, latest first; those who are named come first.
pub fn suspects<'a>(crashes: impl IntoIterator<Item = &'a Crash>) -> Vec<Suspect> {
    let latest: Vec<_> = crashes.into_iter().filter(|crash| crash.was_ready()).take(LOOKED_AT).collect();
    let mut found = BTreeMap::<Kind, (usize, usize)>::new();
    for crash in &latest {
        if let Some(culprit) = &crash.culprit {
            let kind = Kind::of(culprit).filter(|_| !crash.is_last_straw());
            kind.into_iter().for_each(|kind| found.entry(kind).or_default().0 += 1);
            continue;
        }
        let mut there: Vec<_> = crash.requests.iter().filter_map(Kind::of).collect();
        there.sort_unstable();
        there.dedup();
        there.into_iter().for_each(|kind| found.entry(kind).or_default().1 += 1);
    }
    let is_suspect = |named: usize, in_flight: usize| {
        named > 0 || (in_flight >= IN_FLIGHT && 2 * in_flight > latest.len())
    };
    let found = found.into_iter().filter(|(_, (named, in_flight))| is_suspect(*named, *in_flight));
    let mut suspects: Vec<_> = found
        .map(|(kind, (named, in_flight))| Suspect {
            kind,
            named,
            in_flight,
            of: latest.len(),
            is_refused: false,
        })
        .collect();
    suspects.sort_by_key(|suspect| std::cmp::Reverse((suspect.named, suspect.in_flight)));
    suspects
}

/// Which of the suspects may be refused: those who were named again and again, and whoever alone was in flight when nobody
/// was. Where several were, all but one are innocent, and nobody knows which.
fn to_refuse(suspects: &[Suspect]) -> impl Iterator<Item = &Kind> {
    let unnamed = suspects.iter().filter(|suspect| suspect.named == 0).count();
    let is_clear = move |suspect: &&Suspect| {
        suspect.named >= NAMED || (suspect.named == 0 && suspect.in_flight > 0 && unnamed == 1)
    };
    suspects.iter().filter(is_clear).map(|suspect| &suspect.kind)
}

/// What is refused of every app. Lives on the main thread.
#[derive(Debug, Default)]
pub struct Quarantine(RefCell<BTreeMap<AppId, Refused>>);

#[derive(Debug, Default)]
struct Refused {
    /// Oldest first.
    kinds: Vec<Kind>,
    /// Crashes up to this number do not count any more.
    forgiven: u64,
}

/// What the I/O threads are told to refuse.
pub type Kinds = Arc<[Kind]>;

impl Refused {
    fn bounded(&mut self) -> Kinds {
        let surplus = self.kinds.len().saturating_sub(MOST);
        self.kinds.drain(..surplus);
        self.kinds.as_slice().into()
    }
}

impl Quarantine {
    /// Who is suspected of the crashes of an app, latest first, and what of that is refused.
    pub fn suspects(&self, app: AppId, crashes: &[Crash]) -> Vec<Suspect> {
        let all = self.0.borrow();
        let refused = all.get(&app);
        let forgiven = refused.map_or(0, |refused| refused.forgiven);
        let mut found = suspects(crashes.iter().filter(|crash| crash.number > forgiven));
        let kinds = refused.map(|refused| refused.kinds.as_slice()).unwrap_or_default();
        for suspect in &mut found {
            suspect.is_refused = kinds.contains(&suspect.kind);
        }
        for kind in kinds
            .iter()
            .filter(|kind| !found.iter().any(|suspect| suspect.kind == **kind))
            .cloned()
            .collect::<Vec<_>>()
        {
            found.push(Suspect { kind, named: 0, in_flight: 0, of: 0, is_refused: true });
        }
        found
    }

    /// An app whose suspects are refused has crashed; what is refused from now on, if that is more than before.
    pub fn crashed(&self, app: AppId, crashes: &[Crash]) -> Option<Kinds> {
        let found = self.suspects(app, crashes);
        let mut all = self.0.borrow_mut();
        let refused = all.entry(app).or_default();
        let new: Vec<_> = to_refuse(&found).filter(|kind| !refused.kinds.contains(kind)).cloned().collect();
        if new.is_empty() {
            return None;
        }
        refused.kinds.extend(new);
        Some(refused.bounded())
    }

    /// Releases one kind of an app's requests, or all; crashes up to the number `latest` do not count any more. What is
    /// refused from now on, if there was anything to release.
    pub fn release(&self, app: AppId, kind: Option<&Kind>, latest: u64) -> Option<Kinds> {
        let mut all = self.0.borrow_mut();
        let refused = all.entry(app).or_default();
        let before = refused.kinds.len();
        refused.kinds.retain(|refused| kind.is_some_and(|kind| kind != refused));
        if before == refused.kinds.len() {
            return None;
        }
        refused.forgiven = latest;
        Some(refused.kinds.as_slice().into())
    }

    /// What is refused of an app.
    pub fn refused(&self, app: AppId) -> Vec<Kind> {
        self.0.borrow().get(&app).map(|refused| refused.kinds.clone()).unwrap_or_default()
    }

    /// Refuses what the supervisor before this one has refused, too; all that is refused from now on.
    pub fn inherit(&self, app: AppId, before: Vec<Kind>) -> Kinds {
        let mut all = self.0.borrow_mut();
        let refused = all.entry(app).or_default();
        let new = before.into_iter().filter(|kind| !refused.kinds.contains(kind));
        let mut kinds: Vec<_> = new.take(MOST).collect();
        kinds.append(&mut refused.kinds);
        refused.kinds = kinds;
        refused.bounded()
    }

    /// Forgets an app that is gone.
    pub fn forget(&self, app: AppId) {
        self.0.borrow_mut().remove(&app);
    }
}

#[cfg(test)]
mod tests {
    use nano_protocol::message::RequestId;

    use super::*;
    use crate::crashes::{Crashes, Remains};
    use crate::worker::ExitReason;

    /// Crashes of one app, each with its culprit, and others that were lost; latest last.
    fn crashes(all: &[(Option<&str>, &[&str])]) -> Vec<Crash> {
        let kept = Crashes::default();
        for (number, (culprit, lost)) in all.iter().enumerate() {
            let request = |target: &&str| LostRequest::new(RequestId(number as u128 + 1), "GET", target);
            let mut remains = Remains { worker: Some((AppId::default(), 1)), ..Remains::default() };
            remains.lost = culprit.iter().map(request).collect();
            if culprit.is_some() {
                remains.blame(RequestId(number as u128 + 1));
            }
            remains.lost.extend(lost.iter().map(request));
            kept.record("app", &ExitReason::Signal(11), remains);
        }
        kept.of(None)
    }

    fn refused(all: &[(Option<&str>, &[&str])]) -> Vec<String> {
        let kinds = Quarantine::default().crashed(AppId::default(), &crashes(all));
        kinds.iter().flat_map(|kinds| kinds.iter()).map(|kind| kind.path.clone()).collect()
    }

    #[test]
    fn whoever_is_named_again_is_a_culprit_and_who_was_there_is_not() {
        let (bad, other) = ((Some("/bad?1"), &["/", "/x"][..]), (Some("/bad?2"), &["/"][..]));
        assert_eq!(refused(&[bad]), [""; 0]);
        assert_eq!(refused(&[bad, other]), ["/bad"]);
        let found = suspects(&crashes(&[bad, other]));
        assert_eq!((found.len(), found[0].named, found[0].of), (1, 2, 2));
    }

    #[test]
    fn whoever_was_there_each_time_is_a_suspect_and_refused_if_nobody_else_was() {
        let both = (None, &["/", "/odd"][..]);
        assert_eq!(refused(&[both, both, both]), [""; 0]);
        assert_eq!(suspects(&crashes(&[both, both, both])).len(), 2);
        let alone = (None, &["/odd?x", "/odd?y"][..]);
        assert_eq!(refused(&[alone, alone]), [""; 0]);
        assert_eq!(refused(&[alone, both, alone]), ["/odd"]);
        // Long ago.
        assert_eq!(refused(&[alone, alone, alone, (None, &[]), (None, &[]), (None, &[])]), [""; 0]);
    }

    #[test]
    fn what_is_released_has_to_be_named_anew() {
        let (quarantine, app) = (Quarantine::default(), AppId::default());
        let bad = (Some("/bad"), &[][..]);
        let two = crashes(&[bad, bad]);
        assert_eq!(quarantine.crashed(app, &two).unwrap().len(), 1);
        assert!(quarantine.crashed(app, &two).is_none());
        assert!(quarantine.suspects(app, &two)[0].is_refused);
        let other = Kind { method: "POST".into(), path: "/bad".into() };
        assert!(quarantine.release(app, Some(&other), 2).is_none());
        assert_eq!(quarantine.release(app, None, 2).unwrap().len(), 0);
        assert!(quarantine.crashed(app, &crashes(&[bad, bad, bad])).is_none());
        assert!(quarantine.crashed(app, &crashes(&[bad, bad, bad, bad])).is_some());
    }

    #[test]
    fn kinds_are_bounded_and_long_paths_are_known_by_their_beginning() {
        let quarantine = Quarantine::default();
        for number in 0..2 * MOST {
            let path = format!("/{number}");
            let bad = (Some(path.as_str()), &[][..]);
            quarantine.crashed(AppId::default(), &crashes(&[bad, bad]));
        }
        let kinds = quarantine.0.borrow().values().map(|refused| refused.kinds.len()).collect::<Vec<_>>();
        assert_eq!(kinds, [MOST]);
        let long = format!("/{}", "x".repeat(1000));
        let kind = Kind::of(&LostRequest::new(RequestId(1), "GET", &long)).unwrap();
        assert!(kind.has("GET", &long) && !kind.has("GET", "/x") && !kind.has("POST", &long));
    }
}
