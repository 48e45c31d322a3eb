//! The clock of one cron: waits until it is due, has it run, and goes on.

use std::time::{Duration, SystemTime};

use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::due::{Dueness, look, not_ahead};
use crate::config::Cron;

/// Longest time between two looks at the time of day, which may be set while the clock waits.
const LOOK: Duration = Duration::from_secs(30);

/// What a clock acts on.
pub(super) trait Duty {
    /// Returns up to when the cron was looked after before the clock was started. Called once.
    async fn since(&self) -> SystemTime;
    /// Is told when the cron is due next, or that this is unknown.
    fn next(&self, time: Option<SystemTime>);
    /// Runs what has been due since `time`. Nothing else is run meanwhile.
    async fn run(&self, time: SystemTime);
    /// Is told that the cron was due at `time`, during a run, so that it was skipped.
    fn skipped(&self, time: SystemTime);
}

/// Runs a cron when it is due, until `is_removed`. Stands still while `is_on` is false. `now` returns the time of day.
pub(super) async fn keep(
    cron: &Cron,
    now: impl Fn() -> SystemTime,
    mut is_on: watch::Receiver<bool>,
    is_removed: &Notify,
    duty: &impl Duty,
) {
    let mut looked = None;
    loop {
        tokio::select! {
            biased;
            () = is_removed.notified() => return,
            on = is_on.wait_for(|is_on| *is_on) => if on.is_err() { return },
        }
        let since = match &mut looked {
            Some(since) => since,
            none => none.insert(duty.since().await),
        };
        let due = async {
            loop {
                let at = now();
                *since = not_ahead(*since, at);
                match look(cron, *since, at) {
                    Dueness::Due(time) => return time,
                    Dueness::Next(next) => {
                        duty.next(Some(next));
                        sleep(next.duration_since(now()).unwrap_or_default().min(LOOK)).await;
                    }
                    Dueness::Never => std::future::pending().await,
                }
            }
        };
        tokio::select! {
            biased;
            () = is_removed.notified() => return,
            _ = is_on.wait_for(|is_on| !*is_on) => duty.next(None),
            time = due => {
                duty.run(time).await;
                let over = now();
                if let Dueness::Due(time) = look(cron, time, over) {
                    duty.skipped(time);
                }
                looked = Some(over.max(time));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use tokio::time::Instant;

    use super::*;

    /// Writes down what happens. A run takes `lasts`.
    struct Diary {
        lines: RefCell<Vec<String>>,
        since: SystemTime,
        lasts: Duration,
    }

    fn shown(time: SystemTime) -> String {
        humantime::format_rfc3339_seconds(time).to_string()[11..19].to_owned()
    }

    impl Duty for Diary {
        async fn since(&self) -> SystemTime {
            self.since
        }

        fn next(&self, time: Option<SystemTime>) {
            let line = format!("next {}", time.map_or_else(|| "unknown".into(), shown));
            let mut lines = self.lines.borrow_mut();
            if lines.last() != Some(&line) {
                lines.push(line);
            }
        }

        async fn run(&self, time: SystemTime) {
            self.lines.borrow_mut().push(format!("run {}", shown(time)));
            sleep(self.lasts).await;
        }

        fn skipped(&self, time: SystemTime) {
            self.lines.borrow_mut().push(format!("skipped {}", shown(time)));
        }
    }

    /// A time of day that passes as tokio's time does.
    fn clock(start: &str) -> impl Fn() -> SystemTime + use<> {
        let (start, began) = (humantime::parse_rfc3339_weak(start).unwrap(), Instant::now());
        move || start + began.elapsed()
    }

    /// What happens within `time` to a cron that was last looked after at `last`. Every run takes `lasts` seconds.
    async fn diary(cron: &str, last: Option<&str>, lasts: u64, time: u64) -> Vec<String> {
        let (cron, removed, now) = (cron.parse().unwrap(), Notify::new(), clock("2026-11-25 12:00:30"));
        let (_on, is_on) = watch::channel(true);
        let since = last.map_or_else(&now, |last| humantime::parse_rfc3339_weak(last).unwrap());
        let duty = Diary { lines: RefCell::default(), since, lasts: Duration::from_secs(lasts) };
        let kept = keep(&cron, now, is_on, &removed, &duty);
        let _ = tokio::time::timeout(Duration::from_secs(time), kept).await;
        duty.lines.into_inner()
    }

    #[tokio::test(start_paused = true)]
    async fn it_runs_when_it_is_due() {
        assert_eq!(
            diary("*/2 * * * *", None, 1, 300).await,
            ["next 12:02:00", "run 12:02:00", "next 12:04:00", "run 12:04:00", "next 12:06:00"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_missed_runs_once_and_at_once() {
        assert_eq!(
            diary("*/2 * * * *", Some("2026-11-25 11:00:00"), 1, 100).await,
            ["run 12:00:00", "next 12:02:00", "run 12:02:00", "next 12:04:00"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_run_at_a_time() {
        assert_eq!(
            diary("* * * * *", None, 150, 330).await,
            ["next 12:01:00", "run 12:01:00", "skipped 12:03:00", "next 12:04:00", "run 12:04:00"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_after_the_time_of_day_was_set() {
        let (cron, removed, passing) =
            ("* * * * *".parse().unwrap(), Notify::new(), clock("2026-11-25 12:00:30"));
        let back = Cell::new(Duration::ZERO);
        let now = || passing() - back.get();
        let (_on, is_on) = watch::channel(true);
        let duty = Diary { lines: RefCell::default(), since: now(), lasts: Duration::ZERO };
        let kept = keep(&cron, now, is_on, &removed, &duty);
        let others = async {
            sleep(Duration::from_secs(40)).await;
            assert_eq!(duty.lines.take(), ["next 12:01:00", "run 12:01:00", "next 12:02:00"]);
            // From 12:01:10 to 11:59:10, which is too little to run anything again.
            back.set(Duration::from_secs(120));
            sleep(Duration::from_secs(150)).await;
            assert_eq!(duty.lines.take(), ["next 12:02:00"]);
            // From 12:01:40 to 11:01:40. This is seen at the next look.
            back.set(Duration::from_secs(3720));
            sleep(Duration::from_secs(90)).await;
            assert_eq!(duty.lines.take(), ["next 11:03:00", "run 11:03:00", "next 11:04:00"]);
            removed.notify_one();
        };
        tokio::join!(kept, others);
    }

    #[tokio::test(start_paused = true)]
    async fn it_stands_still_until_it_is_started_and_makes_up_for_a_pause() {
        let (cron, removed, now) =
            ("* * * * *".parse().unwrap(), Notify::new(), clock("2026-11-25 12:00:30"));
        let (on, is_on) = watch::channel(false);
        let since = now() + Duration::from_secs(600);
        let duty = Diary { lines: RefCell::default(), since, lasts: Duration::ZERO };
        let kept = keep(&cron, now, is_on, &removed, &duty);
        let others = async {
            sleep(Duration::from_secs(600)).await;
            assert_eq!(duty.lines.take(), [""; 0]);
            on.send_replace(true);
            sleep(Duration::from_secs(60)).await;
            assert_eq!(duty.lines.take(), ["next 12:11:00", "run 12:11:00", "next 12:12:00"]);
            on.send_replace(false);
            sleep(Duration::from_secs(600)).await;
            assert_eq!(duty.lines.take(), ["next unknown"]);
            on.send_replace(true);
            sleep(Duration::from_secs(1)).await;
            assert_eq!(duty.lines.take(), ["run 12:21:00", "next 12:22:00"]);
            removed.notify_one();
        };
        // It ends when it is removed.
        tokio::join!(kept, others);
    }
}
