//! Finds out which kinds of requests end workers, and which of them are refused for that (`quarantine`).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::api::crash::{Crash, Suspect};
use crate::model::ids::AppId;
use crate::model::kind::{Kind, Kinds};

/// How many of the latest crashes are considered.
const LOOKED_AT: usize = 5;

/// A kind that is named as culprit in this many of them is to blame, and not there by accident.
const NAMED: usize = 2;

/// A kind is a suspect if a request of it was in flight in this many crashes without a named culprit, and in more than half of
/// all.
const IN_FLIGHT: usize = 3;

/// How many kinds of one app may be refused at the same time. The oldest are dropped first.
const MOST: usize = 32;

/// Returns the suspects of the latest of these crashes of one app. The crashes are given latest first. Kinds that were named as
/// culprits come first. A kind does not count for crashes for which it was released.
fn suspects<'a>(
    crashes: impl IntoIterator<Item = &'a Crash>,
    is_released: impl Fn(&Kind, &Crash) -> bool,
) -> Vec<Suspect> {
    let counts = |crash: &&Crash| {
        crash.was_ready() && crash.kind_to_blame().is_none_or(|kind| !is_released(kind, crash))
    };
    let latest: Vec<_> = crashes.into_iter().filter(counts).take(LOOKED_AT).collect();
    let mut found = BTreeMap::<&Kind, (usize, usize)>::new();
    for crash in &latest {
        if crash.culprit.is_some() {
            let kind = crash.kind_to_blame();
            kind.into_iter().for_each(|kind| found.entry(kind).or_default().0 += 1);
            continue;
        }
        let there: BTreeSet<_> = crash.kinds().filter(|kind| !is_released(kind, crash)).collect();
        there.into_iter().for_each(|kind| found.entry(kind).or_default().1 += 1);
    }
    let is_suspect = |named: usize, in_flight: usize| {
        named > 0 || (in_flight >= IN_FLIGHT && 2 * in_flight > latest.len())
    };
    let found = found.into_iter().filter(|(_, (named, in_flight))| is_suspect(*named, *in_flight));
    let mut suspects: Vec<_> = found
        .map(|(kind, (named, in_flight))| Suspect {
            kind: kind.clone(),
            named,
            in_flight,
            of: latest.len(),
            is_refused: false,
        })
        .collect();
    suspects.sort_by_key(|suspect| std::cmp::Reverse((suspect.named, suspect.in_flight)));
    suspects
}

/// Returns the suspects that may be refused: kinds that were named repeatedly, and a kind that is the only suspect of crashes
/// without a named culprit. If there are several such kinds, all but one are innocent, and it is unknown which.
fn to_refuse(suspects: &[Suspect]) -> impl Iterator<Item = &Kind> {
    let unnamed = suspects.iter().filter(|suspect| suspect.named == 0).count();
    let is_clear = move |suspect: &&Suspect| {
        suspect.named >= NAMED || (suspect.named == 0 && suspect.in_flight > 0 && unnamed == 1)
    };
    suspects.iter().filter(is_clear).map(|suspect| &suspect.kind)
}

/// Returns whether `quarantine` would refuse one of these suspects but does not, because it is off.
pub(crate) fn is_missed(suspects: &[Suspect]) -> bool {
    let is_refused = |kind: &Kind| suspects.iter().any(|suspect| suspect.kind == *kind && suspect.is_refused);
    to_refuse(suspects).any(|kind| !is_refused(kind))
}

/// The kinds of requests that are refused, for every app. Lives on the main thread.
#[derive(Debug, Default)]
pub(crate) struct Quarantine(RefCell<BTreeMap<AppId, AppQuarantine>>);

#[derive(Debug, Default)]
struct AppQuarantine {
    /// Oldest first.
    kinds: Vec<Kind>,
    /// Crashes up to this number no longer count.
    forgiven: u64,
    /// Kinds that were released. Crashes up to the number no longer count for the kind. Oldest first.
    released: Vec<(Kind, u64)>,
}

impl AppQuarantine {
    fn is_released(&self, kind: &Kind, crash: &Crash) -> bool {
        let released =
            self.released.iter().any(|(released, latest)| released == kind && crash.number <= *latest);
        released || crash.number <= self.forgiven
    }
}

impl AppQuarantine {
    fn bounded(&mut self) -> Kinds {
        let surplus = self.kinds.len().saturating_sub(MOST);
        self.kinds.drain(..surplus);
        self.kinds.as_slice().into()
    }
}

impl Quarantine {
    /// Returns the suspects of the crashes of an app, and which of them are refused. The crashes are given latest first.
    pub(crate) fn suspects(&self, app: AppId, crashes: &[Crash]) -> Vec<Suspect> {
        let (all, none) = (self.0.borrow(), AppQuarantine::default());
        let refused = all.get(&app).unwrap_or(&none);
        let counting = crashes.iter().filter(|crash| crash.number > refused.forgiven);
        let mut found = suspects(counting, |kind, crash| refused.is_released(kind, crash));
        for suspect in &mut found {
            suspect.is_refused = refused.kinds.contains(&suspect.kind);
        }
        let (known, refused) = (found.len(), &refused.kinds);
        for kind in refused {
            if !found[..known].iter().any(|suspect| suspect.kind == *kind) {
                found.push(Suspect { kind: kind.clone(), named: 0, in_flight: 0, of: 0, is_refused: true });
            }
        }
        found
    }

    /// Adds the suspects to those crashes of one app that have no named culprit.
    pub(crate) fn tell(&self, app: AppId, crashes: &mut [Crash]) {
        let suspects = self.suspects(app, crashes);
        let all = self.0.borrow();
        for crash in crashes.iter_mut().filter(|crash| crash.culprit.is_none()) {
            let was_there = |suspect: &&Suspect| {
                let is_released =
                    all.get(&app).is_some_and(|refused| refused.is_released(&suspect.kind, crash));
                suspect.of > 0 && !is_released && crash.kinds().any(|kind| *kind == suspect.kind)
            };
            crash.suspects = suspects.iter().filter(was_there).cloned().collect();
        }
    }

    /// Refuses the suspects of an app that has crashed, as far as that is justified. Returns all kinds that are refused, if
    /// there are new ones.
    pub(crate) fn crashed(&self, app: AppId, crashes: &[Crash]) -> Option<Kinds> {
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

    /// Releases one kind of an app's requests: crashes up to the number `latest` no longer count for it. Returns the kinds that
    /// are still refused.
    pub(crate) fn release(&self, app: AppId, kind: &Kind, latest: u64) -> Kinds {
        let mut all = self.0.borrow_mut();
        let refused = all.entry(app).or_default();
        refused.kinds.retain(|refused| refused != kind);
        refused.released.retain(|(released, _)| released != kind);
        refused.released.push((kind.clone(), latest));
        let surplus = refused.released.len().saturating_sub(MOST);
        refused.released.drain(..surplus);
        refused.kinds.as_slice().into()
    }

    /// Releases all kinds of an app's requests: crashes up to the number `latest` no longer count.
    pub(crate) fn release_all(&self, app: AppId, latest: u64) {
        let now = AppQuarantine { forgiven: latest, ..AppQuarantine::default() };
        self.0.borrow_mut().insert(app, now);
    }

    /// Returns the kinds of an app that are refused.
    pub(crate) fn refused(&self, app: AppId) -> Vec<Kind> {
        self.0.borrow().get(&app).map(|refused| refused.kinds.clone()).unwrap_or_default()
    }

    /// Also refuses the kinds that the predecessor refused. Returns all kinds that are refused.
    pub(crate) fn inherit(&self, app: AppId, before: Vec<Kind>) -> Kinds {
        let mut all = self.0.borrow_mut();
        let refused = all.entry(app).or_default();
        let new = before.into_iter().filter(|kind| !refused.kinds.contains(kind));
        let mut kinds: Vec<_> = new.take(MOST).collect();
        kinds.append(&mut refused.kinds);
        refused.kinds = kinds;
        refused.bounded()
    }

    /// Removes an app that is gone.
    pub(crate) fn forget(&self, app: AppId) {
        self.0.borrow_mut().remove(&app);
    }
}

#[cfg(test)]
mod tests {
    use nano_protocol::message::RequestId;

    use super::*;
    use crate::apps::crashes::{Crashes, Remains};
    use crate::model::culprit::Culprit;
    use crate::model::exit_reason::ExitReason;
    use crate::model::lost_request::LostRequest;

    /// Builds crashes of one app, each with its culprit and the other lost requests. The latest is given last.
    fn crashes(all: &[(Option<&str>, &[&str])]) -> Vec<Crash> {
        let kept = Crashes::default();
        for (number, (culprit, lost)) in all.iter().enumerate() {
            let request = |target: &&str| LostRequest::new(RequestId(number as u128 + 1), "GET", target);
            let mut remains = Remains { worker: Some((AppId::default(), 1)), ..Remains::default() };
            remains.lost = culprit.iter().map(request).collect();
            if culprit.is_some() {
                remains.blame(&Culprit { id: RequestId(number as u128 + 1), name: None });
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
        let found = Quarantine::default().suspects(AppId::default(), &crashes(&[bad, other]));
        assert_eq!((found.len(), found[0].named, found[0].of), (1, 2, 2));
    }

    #[test]
    fn whoever_was_there_each_time_is_a_suspect_and_refused_if_nobody_else_was() {
        let both = (None, &["/", "/odd"][..]);
        assert_eq!(refused(&[both, both, both]), [""; 0]);
        let mut three = crashes(&[both, both, both]);
        Quarantine::default().tell(AppId::default(), &mut three);
        assert!(three.iter().all(|crash| crash.suspects.len() == 2 && crash.suspects[0].in_flight == 3));
        let alone = (None, &["/odd?x", "/odd?y"][..]);
        assert_eq!(refused(&[alone, alone]), [""; 0]);
        assert_eq!(refused(&[alone, both, alone]), ["/odd"]);
        // The crashes are too long ago.
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
        assert_eq!(quarantine.release(app, &Kind::of("POST", "/bad"), 2).len(), 1);
        quarantine.release_all(app, 2);
        assert_eq!(quarantine.suspects(app, &two), []);
        assert!(quarantine.crashed(app, &crashes(&[bad, bad, bad])).is_none());
        assert!(quarantine.crashed(app, &crashes(&[bad, bad, bad, bad])).is_some());
    }

    #[test]
    fn who_is_released_does_not_take_others_along() {
        let (quarantine, app) = (Quarantine::default(), AppId::default());
        let [one, other] = ["/one", "/other"].map(|path| (Some(path), &[][..]));
        let three = crashes(&[one, other, one]);
        assert_eq!(*quarantine.crashed(app, &three).unwrap(), [Kind::of("GET", "/one")]);
        assert_eq!(quarantine.release(app, &Kind::of("GET", "/x/../one"), 3).len(), 0);
        let found = quarantine.suspects(app, &three);
        assert_eq!((found.len(), found[0].kind.path.as_str(), found[0].named), (1, "/other", 1));
        let five = crashes(&[one, other, one, one, other]);
        assert_eq!(*quarantine.crashed(app, &five).unwrap(), [Kind::of("GET", "/other")]);
    }

    #[test]
    fn new_code_is_suspected_of_nothing_even_if_nothing_was_refused() {
        let (quarantine, app) = (Quarantine::default(), AppId::default());
        let one = crashes(&[(Some("/bad"), &[])]);
        assert_eq!(quarantine.suspects(app, &one).len(), 1);
        quarantine.release_all(app, 1);
        assert_eq!(quarantine.suspects(app, &one), []);
    }

    #[test]
    fn who_is_only_suspected_is_released_too() {
        let (quarantine, app) = (Quarantine::default(), AppId::default());
        let bad = (Some("/bad"), &[][..]);
        assert_eq!(quarantine.release(app, &Kind::of("GET", "/bad"), 1).len(), 0);
        assert_eq!(quarantine.suspects(app, &crashes(&[bad])), []);
        assert!(quarantine.crashed(app, &crashes(&[bad, bad])).is_none());
    }

    #[test]
    fn kinds_are_bounded() {
        let (quarantine, app) = (Quarantine::default(), AppId::default());
        for number in 0..2 * MOST {
            let path = format!("/{number}");
            let bad = (Some(path.as_str()), &[][..]);
            quarantine.crashed(app, &crashes(&[bad, bad]));
        }
        let count = |of: fn(&AppQuarantine) -> usize| of(&quarantine.0.borrow()[&app]);
        assert_eq!(count(|refused| refused.kinds.len()), MOST);
        for number in 0..2 * MOST {
            quarantine.release(app, &Kind::of("GET", &format!("/{number}")), 0);
        }
        assert_eq!(
            (count(|refused| refused.kinds.len()), count(|refused| refused.released.len())),
            (0, MOST)
        );
    }
}
