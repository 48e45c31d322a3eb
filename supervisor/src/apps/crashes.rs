//! Reports of unexpected exits: the reason, the last lines that the app logged, its usage, and the requests in flight.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use crate::api::crash::Crash;
use crate::api::usage::Usage;
use crate::model::culprit::Culprit;
use crate::model::exit_reason::ExitReason;
use crate::model::ids::WorkerId;
use crate::model::lost_request::LostRequest;
use crate::process::StartFailure;

/// How many crashes are kept of one app.
const OF_ONE: usize = 20;

/// How many crashes are kept of all apps.
const OF_ALL: usize = 1000;

/// How many requests are listed for one crash.
const REQUESTS: usize = 32;

/// What is known of a worker when it ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remains {
    /// The worker, or `None` if it never became ready.
    pub worker: Option<WorkerId>,
    pub pid: Option<u32>,
    /// How long it had been ready.
    pub ready: Duration,
    /// Whether it had answered a request successfully.
    pub has_answered: bool,
    /// The last lines that the app logged, oldest first.
    pub lines: Vec<String>,
    /// The V8 heap in use, and its limit, in bytes.
    pub heap: (u64, u64),
    /// How much of its heap had survived full collections some time before, in bytes.
    pub live: u64,
    /// Whether most of its heap or memory was in use before its last growth.
    pub was_full: bool,
    /// The memory and processor time that it used.
    pub usage: Usage,
    /// The requests that were lost with it.
    pub lost: Vec<LostRequest>,
}

impl Remains {
    /// Describes a worker that did not become ready.
    pub(crate) fn of_start(failure: &StartFailure) -> Self {
        Self { pid: failure.pid, lines: failure.lines.clone(), ..Self::default() }
    }

    /// Marks a request as the one that ended the worker. If it had already been answered, only the worker's name for it is
    /// known, so it may have been answered, or its client may have gone.
    pub(crate) fn blame(&mut self, culprit: &Culprit) {
        let found = self.lost.iter().position(|request| culprit.is(request));
        let mut blamed = match found {
            Some(at) => self.lost.remove(at),
            None => LostRequest::named(culprit.id, culprit.name.clone()),
        };
        blamed.is_culprit = true;
        self.lost.insert(0, blamed);
    }

    /// Returns the request that ended the worker, if it is known.
    pub(crate) fn culprit(&self) -> Option<&LostRequest> {
        self.lost.first().filter(|request| request.is_culprit)
    }
}

/// The latest crashes of all apps. Lives on the main thread.
#[derive(Debug, Default)]
pub(crate) struct Crashes {
    /// Oldest first.
    kept: RefCell<VecDeque<Crash>>,
    /// The number of the latest crash.
    latest: Cell<u64>,
}

impl Crashes {
    /// Records the unexpected exit of a worker of `app`, and returns the report.
    pub(crate) fn record(&self, app: &str, reason: &ExitReason, remains: Remains) -> Crash {
        let culprit = remains.culprit().cloned();
        let mut requests = remains.lost;
        requests.retain(|request| !request.is_culprit);
        requests.truncate(REQUESTS);
        let mut crash = Crash {
            app: app.to_owned(),
            time: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            pid: remains.pid,
            cause: reason.cause().to_owned(),
            reason: reason.to_string(),
            ready_ms: u64::try_from(remains.ready.as_millis()).unwrap_or(u64::MAX),
            lines: remains.lines,
            heap_used: remains.heap.0,
            heap_limit: remains.heap.1,
            usage: remains.usage,
            culprit,
            times: 1,
            requests,
            suspects: Vec::new(),
            number: self.latest() + 1,
            live: remains.live,
            worker: remains.worker,
        };
        self.latest.set(crash.number);
        let mut crashes = self.kept.borrow_mut();
        // Repeated start failures must not push out what happened while the app ran.
        if let Some(at) = crashes.iter().rposition(|crash| crash.app == app)
            && crashes[at].is_same_failure(&crash)
            && let Some(before) = crashes.remove(at)
        {
            crash.times += before.times;
        }
        let of_this = crashes.iter().filter(|crash| crash.app == app).count();
        if of_this >= OF_ONE
            && let Some(oldest) = crashes.iter().position(|crash| crash.app == app)
        {
            crashes.remove(oldest);
        }
        if crashes.len() >= OF_ALL {
            crashes.pop_front();
        }
        crashes.push_back(crash.clone());
        crash
    }

    /// Adds the crashes of the predecessor, latest first, before this supervisor's own. They are only for people to read: they
    /// make no kind of request a suspect.
    pub(crate) fn inherit(&self, before: Vec<Crash>) {
        let mut crashes = self.kept.borrow_mut();
        for crash in before {
            let of_this = crashes.iter().filter(|known| known.app == crash.app).count();
            if of_this < OF_ONE && crashes.len() < OF_ALL {
                crashes.push_front(crash);
            }
        }
    }

    /// Adds a request that was in flight at an ended worker and was reported late.
    pub(crate) fn lost(&self, worker: WorkerId, request: LostRequest) {
        let mut crashes = self.kept.borrow_mut();
        if let Some(crash) = crashes.iter_mut().rev().find(|crash| crash.worker == Some(worker))
            && crash.requests.len() < REQUESTS
        {
            crash.requests.push(request);
        }
    }

    /// Returns the number of the latest crash.
    pub(crate) fn latest(&self) -> u64 {
        self.latest.get()
    }

    /// Returns the crashes of one app or of all apps, latest first.
    pub(crate) fn of(&self, app: Option<&str>) -> Vec<Crash> {
        let crashes = self.kept.borrow();
        let wanted = crashes.iter().rev().filter(|crash| app.is_none_or(|app| crash.app == app));
        wanted.cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use nano_protocol::message::{RequestId, RequestName};

    use super::*;
    use crate::model::ids::AppId;

    #[test]
    fn the_latest_crashes_of_each_app_are_kept() {
        let crashes = Crashes::default();
        crashes.record("rare", &ExitReason::Panic, Remains::default());
        let app = AppId::of_number(7);
        for generation in 0..100 {
            let remains = Remains { worker: Some((app, generation)), ..Remains::default() };
            crashes.record("often", &ExitReason::Watchdog, remains);
        }
        assert_eq!(crashes.of(Some("often")).len(), OF_ONE);
        // Repeated start failures with the same reason take one place, also among the crashes of all apps.
        for reason in [ExitReason::StartTimeout, ExitReason::Panic] {
            for _ in 0..100 {
                crashes.record("often", &reason, Remains::default());
            }
        }
        let often = crashes.of(Some("often"));
        let shown: Vec<_> = often[..3].iter().map(|crash| (crash.cause.as_str(), crash.times)).collect();
        assert_eq!(shown, [("panic", 100), ("start_timeout", 100), ("watchdog", 1)]);
        assert_eq!(often.len(), OF_ONE);
        assert_eq!(crashes.of(Some("rare"))[0].cause, "panic");
        for app in 0..2 * OF_ALL {
            crashes.record(&app.to_string(), &ExitReason::Panic, Remains::default());
        }
        assert_eq!(crashes.of(None).len(), OF_ALL);
    }

    #[test]
    fn of_several_requests_with_one_id_the_one_of_that_name_is_blamed() {
        let lost = |target| LostRequest::new(RequestId(1), "GET", target);
        let name = |path: &str| Some((RequestName { method: "GET".into(), path: path.into() }, true));
        let blamed = |name| {
            let mut remains = Remains { lost: vec![lost("/a"), lost("/b?q")], ..Remains::default() };
            remains.blame(&Culprit { id: RequestId(1), name });
            (remains.culprit().unwrap().target.clone(), remains.lost.len())
        };
        // One that had been answered is to blame, and not another one of its id.
        assert_eq!(
            [None, name("/a"), name("/b"), name("/answered")].map(blamed),
            [("/a".into(), 2), ("/a".into(), 2), ("/b?q".into(), 2), ("/answered".into(), 3)]
        );
    }

    #[test]
    fn requests_are_named_whether_they_are_reported_before_or_after() {
        let (crashes, registry) = (Crashes::default(), crate::apps::registry::Registry::default());
        let traffic = std::sync::Arc::new(crate::telemetry::traffic::Traffic::new(1));
        let spec = crate::config::Sources { folder: Some("../examples/hello".into()), ..Default::default() };
        let app = registry.add(std::sync::Arc::new(spec.load().unwrap().apps.remove(0)), traffic);
        let request = |number| LostRequest::new(RequestId(number), "GET", "/");
        let remains = Remains { worker: Some((app, 1)), lost: vec![request(1)], ..Remains::default() };
        crashes.record("hello", &ExitReason::Panic, remains);
        for number in 2..100 {
            crashes.lost((app, 1), request(number));
        }
        let found = &crashes.of(None)[0].requests;
        assert_eq!((found.len(), &found[0], &found[1]), (REQUESTS, &request(1), &request(2)));
    }
}
