//! News: the apps whose status has changed since a client's last request, so that a dashboard that polls for hours is not
//! sent everything each time.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::api::status::AppStatus;

/// The changes since a client's mark.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct News {
    /// The mark to send with the next request.
    pub mark: u64,
    /// The names of all apps in order, if apps were added, removed or reordered; else `None`.
    pub names: Option<Vec<String>>,
    pub apps: Vec<AppStatus>,
}

/// Remembers the last reported status of each app. Lives on the main thread.
#[derive(Debug)]
pub(crate) struct Newsroom(RefCell<SentNews>);

#[derive(Debug)]
struct SentNews {
    /// The first mark of this supervisor. Lower marks come from an earlier one.
    first: u64,
    /// Incremented with every change.
    mark: u64,
    /// The mark at which the names, or their order, last changed.
    names_changed: u64,
    apps: Vec<App>,
}

#[derive(Debug)]
struct App {
    /// Its status when it last changed.
    told: AppStatus,
    /// The mark of its last change.
    changed: u64,
    /// Its status now. Differs from `told` only insignificantly.
    now: AppStatus,
}

impl Default for Newsroom {
    /// Marks start at the current time, so that those of an earlier supervisor are recognised.
    fn default() -> Self {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let first = u64::try_from(time.as_millis()).unwrap_or_default();
        Self(RefCell::new(SentNews { first, mark: first, names_changed: first, apps: Vec::new() }))
    }
}

impl Newsroom {
    /// What has changed since `mark`, given the current status of all apps. Everything, if there is no mark or it comes from
    /// another supervisor.
    pub(crate) fn since(&self, mark: Option<u64>, apps: Vec<AppStatus>) -> News {
        let mut told = self.0.borrow_mut();
        told.update(apps);
        let known = mark.filter(|mark| (told.first..=told.mark).contains(mark));
        let is_new = |changed: u64| known.is_none_or(|known| changed > known);
        let names = || told.apps.iter().map(|app| app.now.app.clone()).collect();
        let changed = told.apps.iter().filter(|app| is_new(app.changed));
        News {
            mark: told.mark,
            apps: changed.map(|app| app.now.clone()).collect(),
            names: is_new(told.names_changed).then(names),
        }
    }
}

impl SentNews {
    fn update(&mut self, apps: Vec<AppStatus>) {
        let next = self.mark + 1;
        let before = std::mem::take(&mut self.apps);
        let are_same = before.len() == apps.len()
            && before.iter().zip(&apps).all(|(before, now)| before.now.app == now.app);
        let mut place = 0;
        for now in apps.into_iter().map(rounded) {
            // Most apps keep their position.
            if before.get(place).is_none_or(|app| app.now.app != now.app) {
                place = before.iter().position(|app| app.now.app == now.app).unwrap_or(place);
            }
            match before.get(place).filter(|app| app.now.app == now.app) {
                Some(app) if !is_worth_sending(&app.told, &now) => {
                    let (told, changed) = (app.told.clone(), app.changed);
                    self.apps.push(App { told, changed, now });
                }
                _ => self.apps.push(App { told: now.clone(), changed: next, now }),
            }
            place += 1;
        }
        if !are_same {
            self.names_changed = next;
        }
        if !are_same || self.apps.iter().any(|app| app.changed == next) {
            self.mark = next;
        }
    }
}

/// Whether the difference between two statuses is worth sending. Numbers change all the time, even those of an idle app: they
/// count only when the change is visible to a reader.
fn is_worth_sending(told: &AppStatus, now: &AppStatus) -> bool {
    let mut same = now.clone();
    // Clocks, and totals whose rates are sent as well.
    for (same, told) in [
        (&mut same.uptime_seconds, told.uptime_seconds),
        (&mut same.retry_in_ms, told.retry_in_ms),
        (&mut same.busy_ms, told.busy_ms),
    ] {
        *same = told.filter(|_| same.is_some());
    }
    (same.cpu_seconds, same.rss) = (told.cpu_seconds, told.rss);
    (same.requests, same.errors) = (told.requests, told.errors);
    let settle = |now: &mut f64, told: f64, least: f64| {
        let is_near = (*now - told).abs() <= f64::max(least, 0.04 * told);
        if is_near && (*now > 0.0) == (told > 0.0) {
            *now = told;
        }
    };
    let settle_whole = |now: &mut u64, told: u64| {
        if now.abs_diff(told) <= told / 25 {
            *now = told;
        }
    };
    let settle_some = |now: &mut Option<f64>, told: Option<f64>| {
        if let (Some(now), Some(told)) = (now, told) {
            settle(now, told, 0.01);
        }
    };
    settle_whole(&mut same.memory, told.memory);
    settle_whole(&mut same.heap_used, told.heap_used);
    settle(&mut same.rates.requests_per_second, told.rates.requests_per_second, 0.05);
    settle(&mut same.rates.errors_per_second, told.rates.errors_per_second, 0.05);
    settle_some(&mut same.rates.p50_ms, told.rates.p50_ms);
    settle_some(&mut same.rates.p99_ms, told.rates.p99_ms);
    if (same.rates.cpu_percent - told.rates.cpu_percent).abs() < 1.5 {
        same.rates.cpu_percent = told.rates.cpu_percent;
    }
    same != *told
}

/// Rounds numbers to the digits that are displayed.
fn rounded(mut app: AppStatus) -> AppStatus {
    let round = |number: f64| (number * 100.0).round() / 100.0;
    let rates = &mut app.rates;
    for number in [&mut rates.requests_per_second, &mut rates.errors_per_second, &mut rates.cpu_percent] {
        *number = round(*number);
    }
    (rates.p50_ms, rates.p99_ms) = (rates.p50_ms.map(round), rates.p99_ms.map(round));
    app
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::state::AppState;

    fn app(name: &str) -> AppStatus {
        let rates = json!({ "requests_per_second": 10.0, "errors_per_second": 0.0, "p50_ms": 1.0, "p99_ms": 2.0, "cpu_percent": 3.0 });
        let mut app = json!({
            "app": name, "state": "ready", "waits_for_turn": false, "pid": 7, "uptime_seconds": 1, "in_flight": 0, "websockets": 0, "crashes": 0, "restarts": 0, "deploys": 0,
            "heap_used": 1_000_000, "heap_limit": 2_000_000, "memory": 8_000_000, "rss": 9_000_000, "cpu_seconds": 1.0,
            "requests": 5, "errors": 0, "listen": "*:80", "hosts": [],
        });
        app.as_object_mut().unwrap().extend(rates.as_object().unwrap().clone());
        serde_json::from_value(app).unwrap()
    }

    fn names(news: &News) -> Vec<&str> {
        news.apps.iter().map(|app| app.app.as_str()).collect()
    }

    #[test]
    fn only_what_has_changed_is_told() {
        let room = Newsroom::default();
        let all = room.since(None, vec![app("a"), app("b")]);
        assert_eq!((names(&all), all.names.as_deref().map(<[_]>::len)), (vec!["a", "b"], Some(2)));
        let mut restless = app("a");
        restless.uptime_seconds = Some(900);
        restless.cpu_seconds = 9.0;
        restless.rss = 1;
        restless.memory += 100_000;
        restless.rates.requests_per_second = 10.2;
        restless.rates.cpu_percent = 4.0;
        let quiet = room.since(Some(all.mark), vec![restless.clone(), app("b")]);
        assert_eq!(quiet, News { mark: all.mark, names: None, apps: Vec::new() });
        // A first request gets the current status, not the last reported one.
        let fresh = room.since(None, vec![restless.clone(), app("b")]);
        assert_eq!((fresh.mark, fresh.apps[0].uptime_seconds), (all.mark, Some(900)));
        // Slow growth is news once it adds up.
        restless.memory += 1_000_000;
        let grown = room.since(Some(quiet.mark), vec![restless.clone(), app("b")]);
        assert_eq!((names(&grown), grown.names.as_deref()), (vec!["a"], None));
        let mut failed = app("b");
        (failed.state, failed.uptime_seconds) = (AppState::Failed, None);
        let now = vec![restless.clone(), failed];
        assert_eq!(names(&room.since(Some(grown.mark), now.clone())), ["b"]);
        // An older mark gets more, and an unknown mark everything.
        assert_eq!(names(&room.since(Some(quiet.mark), now.clone())), ["a", "b"]);
        for mark in [None, Some(0), Some(u64::MAX)] {
            assert_eq!(names(&room.since(mark, now.clone())), ["a", "b"], "{mark:?}");
        }
    }

    #[test]
    fn the_names_are_told_when_apps_come_or_go() {
        let room = Newsroom::default();
        let first = room.since(None, vec![app("a"), app("b")]);
        let gone = room.since(Some(first.mark), vec![app("b")]);
        assert_eq!((names(&gone), gone.names.as_deref()), (vec![], Some(&["b".to_owned()][..])));
        let back = room.since(Some(gone.mark), vec![app("a"), app("b")]);
        assert_eq!((names(&back), back.names.as_deref().map(<[_]>::len)), (vec!["a"], Some(2)));
        assert_eq!(room.since(Some(back.mark), vec![app("a"), app("b")]).names, None);
    }

    #[test]
    fn the_first_request_of_an_idle_app_is_news_and_so_is_the_last() {
        let room = Newsroom::default();
        let mut idle = app("a");
        idle.rates.requests_per_second = 0.0;
        let first = room.since(None, vec![idle.clone()]);
        let mut touched = idle.clone();
        touched.rates.requests_per_second = 0.02;
        let second = room.since(Some(first.mark), vec![touched]);
        assert_eq!(names(&second), ["a"]);
        assert_eq!(names(&room.since(Some(second.mark), vec![idle])), ["a"]);
    }
}
