//! When an app's worker is started again, and when it is replaced: `restart` and `recycle`.

use std::time::Duration;

use clap::ValueEnum;
use toml::de::DeValue;

use crate::config::bounds;
use crate::config::document::quantity::show_duration;
use crate::config::document::section::Section;
use crate::config::document::value::{choice, decimal, duration, size, switch, whole};
use crate::config::errors::{Flaw, Problems};

const RESTART_FIELDS: &[&str] =
    &["policy", "initial", "max", "factor", "jitter", "min_uptime", "crash_loop", "slow_retry"];

const RECYCLE_FIELDS: &[&str] = &["requests", "lifetime", "memory", "growth"];

/// When a worker that has ended is started again: at once after one that was useful; after others, pauses grow.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RestartPolicy {
    /// After which ends.
    pub mode: RestartMode,
    /// First pause. Not greater than [`Self::max`].
    pub initial: Duration,
    /// Longest pause.
    pub max: Duration,
    /// By which each pause is longer than the one before; at least 1.
    pub factor: f64,
    /// By which fraction of itself, 0 to 1, a pause is made shorter or longer at random.
    pub jitter: f64,
    /// A worker that was ready for this long was useful, even if nobody has asked it for anything.
    pub min_uptime: Duration,
    /// After this many ends in a row, at least one, that a useless app has brought about by itself, it has failed.
    pub crash_loop: u32,
    /// Pause after which a failed app is tried again.
    pub slow_retry: Duration,
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

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            mode: RestartMode::Always,
            initial: Duration::from_millis(100),
            max: Duration::from_secs(1),
            factor: 2.0,
            jitter: 0.2,
            min_uptime: Duration::from_secs(5),
            crash_loop: 5,
            slow_retry: Duration::from_secs(30),
        }
    }
}

impl RestartPolicy {
    /// Takes over what `restart` says: a word for the mode alone, or a table.
    pub(crate) fn overridden(&mut self, section: &Section<'_>, problems: &mut Problems) {
        let is_word = |value: &DeValue<'_>| Ok(value.as_str().is_some());
        if section.read("restart", is_word, problems) == Some(true) {
            section.set("restart", choice, &mut self.mode, problems);
            return;
        }
        let Some(section) = section.section("restart", problems) else { return };
        section.only(&[RESTART_FIELDS], former, problems);
        section.set("policy", choice, &mut self.mode, problems);
        section.set("initial", duration(bounds::RESTART_INITIAL), &mut self.initial, problems);
        section.set("max", duration(bounds::RESTART_MAX), &mut self.max, problems);
        section.set("factor", decimal(bounds::RESTART_FACTOR), &mut self.factor, problems);
        section.set("jitter", decimal(bounds::RESTART_JITTER), &mut self.jitter, problems);
        let min_uptime = duration(bounds::RESTART_MIN_UPTIME);
        section.set("min_uptime", min_uptime, &mut self.min_uptime, problems);
        section.set("crash_loop", whole(bounds::RESTART_CRASH_LOOP), &mut self.crash_loop, problems);
        section.set("slow_retry", duration(bounds::RESTART_SLOW_RETRY), &mut self.slow_retry, problems);
        let field = if section.has("initial") { "initial" } else { "max" };
        if section.has(field) && self.initial > self.max {
            let (initial, max) = (show_duration(self.initial), show_duration(self.max));
            let what = format!("initial ({initial}) must not be longer than max ({max})");
            problems.add(section.place(field), Flaw::new(what, "lower `initial` or raise `max`"));
        }
    }
}

/// What to do about a field that earlier versions had.
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

/// When a worker is replaced, start-before-stop, although it is well. Each is none for never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecyclePolicy {
    /// After this many requests.
    pub requests: Option<u64>,
    /// After this long, give or take a tenth, so that apps started together do not go together.
    pub lifetime: Option<Duration>,
    /// Above this much memory, in bytes, measured as the limit `memory` is.
    pub memory: Option<u64>,
    /// When it has grown so much since it became ready that it comes near a limit, `heap` or `memory`.
    pub growth: bool,
}

impl Default for RecyclePolicy {
    fn default() -> Self {
        Self { requests: None, lifetime: None, memory: None, growth: true }
    }
}

impl RecyclePolicy {
    /// Takes over what `recycle` says.
    pub(crate) fn overridden(&mut self, section: &Section<'_>, problems: &mut Problems) {
        let Some(section) = section.section("recycle", problems) else { return };
        section.only(&[RECYCLE_FIELDS], |_| None, problems);
        let requests = |value: &DeValue<'_>| or_never(value, whole(bounds::RECYCLE_REQUESTS));
        section.set("requests", requests, &mut self.requests, problems);
        let lifetime = |value: &DeValue<'_>| or_never(value, duration(bounds::RECYCLE_LIFETIME));
        section.set("lifetime", lifetime, &mut self.lifetime, problems);
        let memory = |value: &DeValue<'_>| or_never(value, size(bounds::MEMORY));
        section.set("memory", memory, &mut self.memory, problems);
        section.set("growth", switch, &mut self.growth, problems);
    }
}

/// A value, or `false` for none.
pub(crate) fn or_never<T>(
    value: &DeValue<'_>,
    convert: impl FnOnce(&DeValue<'_>) -> Result<T, Flaw>,
) -> Result<Option<T>, Flaw> {
    if matches!(value, DeValue::Boolean(false)) { Ok(None) } else { convert(value).map(Some) }
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    use super::*;
    use crate::config::document::section::Document;

    fn read(text: &str) -> (RestartPolicy, RecyclePolicy, Vec<String>) {
        let table = DeTable::parse(text).unwrap();
        let mut problems = Problems::default();
        let top = Section::top(Document::config("nano.toml", text), table.get_ref());
        let (mut restart, mut recycle) = (RestartPolicy::default(), RecyclePolicy::default());
        restart.overridden(&top, &mut problems);
        recycle.overridden(&top, &mut problems);
        (restart, recycle, problems.texts())
    }

    #[test]
    fn the_defaults_are_valid() {
        let restart = RestartPolicy::default();
        assert!(bounds::RESTART_INITIAL.contains(&restart.initial) && restart.initial <= restart.max);
        assert!(bounds::RESTART_MAX.contains(&restart.max));
        assert!(bounds::RESTART_FACTOR.contains(&restart.factor));
        assert!(bounds::RESTART_JITTER.contains(&restart.jitter));
        assert!(bounds::RESTART_MIN_UPTIME.contains(&restart.min_uptime));
        assert!(bounds::RESTART_CRASH_LOOP.contains(&restart.crash_loop));
        assert!(bounds::RESTART_SLOW_RETRY.contains(&restart.slow_retry));
    }

    #[test]
    fn every_field_can_be_set() {
        let (restart, recycle, found) = read(
            "restart = { policy = 'never', initial = '1ms', max = '2ms', factor = 3, jitter = 0.4, min_uptime = '5s', \
             crash_loop = 7, slow_retry = '8s' }\n\
             recycle = { requests = 1000, lifetime = '1h', memory = '64MiB', growth = false }",
        );
        let seconds = Duration::from_secs;
        assert_eq!(found, [""; 0]);
        assert_eq!(
            restart,
            RestartPolicy {
                mode: RestartMode::Never,
                initial: Duration::from_millis(1),
                max: Duration::from_millis(2),
                factor: 3.0,
                jitter: 0.4,
                min_uptime: seconds(5),
                crash_loop: 7,
                slow_retry: seconds(8),
            }
        );
        let expected = RecyclePolicy {
            requests: Some(1000),
            lifetime: Some(seconds(3600)),
            memory: Some(64 << 20),
            growth: false,
        };
        assert_eq!(recycle, expected);
    }

    #[test]
    fn a_word_is_enough_and_false_is_never() {
        assert_eq!(read("restart = 'on-failure'").0.mode, RestartMode::OnFailure);
        let (_, recycle, found) = read("recycle = { requests = false, lifetime = false, memory = false }");
        assert_eq!((recycle, found), (RecyclePolicy::default(), vec![]));
    }

    #[test]
    fn what_is_wrong_is_reported() {
        assert_eq!(
            read("restart = { stable = '1m', windo = '1m' }").2,
            [
                "nano.toml:1: restart.stable: unknown field; fix: remove it; a worker that has answered, or was ready for \
                 `min_uptime`, clears the history",
                "nano.toml:1: restart.windo: unknown field; fix: remove it; what can be set here is: policy, initial, max, \
                 factor, jitter, min_uptime, crash_loop, slow_retry",
            ]
        );
        assert_eq!(
            read("restart = 'sometimes'\nrecycle = { requests = true, after = 1 }").2,
            [
                "nano.toml:1: restart: \"sometimes\" is none of its values; fix: write \"always\" or \"on-failure\" or \
                 \"never\"",
                "nano.toml:2: recycle.after: unknown field; fix: remove it; what can be set here is: requests, \
                 lifetime, memory, growth",
                "nano.toml:2: recycle.requests: expected a whole number, found true or false; fix: write digits, without \
                 quotes",
            ]
        );
    }
}
