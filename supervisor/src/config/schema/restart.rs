//! The settings `restart` and `recycle`: when an app's worker is started again, and when it is replaced.

use std::time::Duration;

use clap::ValueEnum;

use crate::config::document::quantity::show_duration;
use crate::config::document::section::Section;
use crate::config::errors::{Flaw, Problems};
use crate::config::setting::kinds::{choice, decimal, duration, size, switch, table, whole};
use crate::config::setting::units::{DAY, GIB, HOUR, MIB, ms, secs};
use crate::config::setting::{Setting, settings};

settings! {
    /// When a worker that has ended is started again: at once after one that was useful; after others, pauses grow.
    pub(crate) struct RestartPolicy {
        /// After which ends a worker is started again. `"always"`; `"on-failure"`, not after exit code 0; or `"never"`: the
        /// app is stopped then.
        policy: RestartMode = RestartMode::Always, choice();

        /// First pause.
        initial: Duration = ms(100), duration(ms(1)..=HOUR);

        /// Longest pause. It must not be shorter than `initial`.
        max: Duration = secs(1), duration(ms(1)..=DAY);

        /// How many times as long each pause is as the one before.
        factor: f64 = 2.0, decimal(1.0..=100.0);

        /// By which fraction of itself a pause is made shorter or longer at random.
        jitter: f64 = 0.2, decimal(0.0..=1.0);

        /// A worker that was ready for this long was useful, even if it got no request.
        min_uptime: Duration = secs(5), duration(ms(1)..=DAY);

        /// After how many workers in a row that did not become ready, or soon ended by themselves, an app that was never
        /// useful has failed.
        crash_loop: u32 = 5, whole(1..=1000);

        /// Pause after which a failed app is tried again. An app that does not load fails at once, unless the same code has
        /// been useful before.
        slow_retry: Duration = secs(30), duration(ms(100)..=DAY);
    }
}

settings! {
    /// When a worker is replaced, start-before-stop, although it is well.
    pub(crate) struct RecyclePolicy {
        /// After how many requests, counted when the worker is pinged.
        requests: Option<u64> = None, whole(1..=1_000_000_000_000).or_false();

        /// After how long, give or take a tenth, so that not all workers are replaced at once.
        lifetime: Option<Duration> = None, duration(ms(100)..=365 * DAY).or_false();

        /// Above how much memory, measured as for the limit `memory`. Set it below that limit.
        memory: Option<u64> = None, size(32 * MIB..=1024 * GIB).or_false();

        /// Whether a worker is replaced when V8's heap, or its memory, has grown by half of the room that there was up to
        /// `heap` or `memory` when it became ready. So a leak does not end in a crash. If that comes soon, the next worker
        /// may take three quarters of its room, then seven eighths, so that an app that only grows to a certain size is
        /// left alone. If one comes to the limit after all, half is the measure again for the next 16 workers (32 the next
        /// time, and so on). A worker that is merely large is never replaced for it.
        growth: bool = true, switch();
    }
}

/// After which ends of a worker there is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RestartMode {
    /// After every end.
    Always,
    /// Unless it has ended by itself with exit code 0.
    OnFailure,
    /// After none: the app is stopped then.
    Never,
}

/// The setting `restart`: a table, or a word that sets only its `policy`.
pub(crate) fn restart() -> Setting<RestartPolicy> {
    table(former, check_pauses).or_word(choice(), |restart, policy| restart.policy = policy)
}

/// The setting `recycle`: a table.
pub(crate) fn recycle() -> Setting<RecyclePolicy> {
    table(|_| None, |_, _, _| ())
}

fn check_pauses(policy: &RestartPolicy, section: &Section<'_>, problems: &mut Problems) {
    let field = if section.has("initial") { "initial" } else { "max" };
    if section.has(field) && policy.initial > policy.max {
        let (initial, max) = (show_duration(policy.initial), show_duration(policy.max));
        let what = format!("initial ({initial}) must not be longer than max ({max})");
        problems.add(section.place(field), Flaw::new(what, "lower `initial` or raise `max`"));
    }
}

/// Returns advice about a field that earlier versions had.
fn former(name: &str) -> Option<String> {
    let fix = match name {
        "stable" => {
            "remove it; a worker that has answered, or was ready for `min_uptime`, clears the history"
        }
        "window" => "remove it; ends count until a worker is useful, see `min_uptime` and `crash_loop`",
        _ => return None,
    };
    Some(fix.to_owned())
}
