//! The latest lines of each app and of the supervisor itself, in bounded memory, for the `logs` command and the API.
//!
//! Followers read from here and have no queues of their own: a slow reader misses lines and is told how many, and blocks
//! nothing.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio::sync::Notify;
use tracing::Level;

use super::line::Line;

/// The overhead of a line beyond its text, in bytes: its entry, doubled because a `VecDeque` may have twice the capacity that
/// it needs, and the reference counts of the text.
const OVERHEAD: usize = 2 * size_of::<Kept>() + 2 * size_of::<usize>();

/// The latest lines, by app.
#[derive(Debug)]
pub(crate) struct Memory {
    rings: Mutex<Rings>,
    more: Notify,
    /// Maximum size of each ring, in bytes.
    max: AtomicUsize,
}

#[derive(Debug, Default)]
struct Rings {
    /// The number of lines so far.
    count: u64,
    /// The key `None` is the supervisor itself.
    by_app: HashMap<Option<Box<str>>, Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    kept: VecDeque<Kept>,
    bytes: usize,
    /// The number of lines so far, including evicted ones.
    count: u64,
}

#[derive(Debug)]
struct Kept {
    /// Its number among all lines.
    number: u64,
    time: SystemTime,
    level: Level,
    json: Arc<str>,
}

/// A query for lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogQuery {
    /// Only lines of this app; otherwise those of all apps and of the supervisor.
    pub app: Option<String>,
    /// Only lines since this time.
    pub since: Option<SystemTime>,
    /// Only lines of this level or a more important one.
    pub level: Option<Level>,
    /// At first, at most this many of the latest lines.
    pub lines: Option<usize>,
}

/// Reads the lines of a query, then new ones as they come.
#[derive(Debug)]
pub(crate) struct LogReader {
    memory: Arc<Memory>,
    query: LogQuery,
    /// How many lines of each app have been read or missed; none before the first read.
    seen: Option<HashMap<Option<Box<str>>, u64>>,
}

/// The result of a read.
#[derive(Debug, Default)]
pub(crate) struct FoundLines {
    /// Lines as JSON, in order.
    pub lines: Vec<Arc<str>>,
    /// How many were evicted before they could be read.
    pub dropped: u64,
}

impl Memory {
    /// Keeps up to `max` bytes of each app.
    pub(crate) fn new(max: usize) -> Self {
        Self { rings: Mutex::default(), more: Notify::new(), max: AtomicUsize::new(max) }
    }

    /// Changes the limit.
    pub(crate) fn keep(&self, max: usize) {
        self.max.store(max, Ordering::Relaxed);
        self.lock().by_app.values_mut().for_each(|ring| ring.shrink(max));
    }

    /// Adds a line; `json` is its JSON format.
    pub(crate) fn push(&self, line: &Line, json: String) {
        let max = self.max.load(Ordering::Relaxed);
        let mut rings = self.lock();
        rings.count += 1;
        let number = rings.count;
        let ring = rings.by_app.entry(line.app().map(Box::from)).or_default();
        ring.count += 1;
        ring.bytes += OVERHEAD + json.len();
        ring.kept.push_back(Kept { number, time: line.time, level: line.level, json: json.into() });
        ring.shrink(max);
        drop(rings);
        self.more.notify_waiters();
    }

    /// Forgets a removed app.
    pub(crate) fn forget(&self, app: &str) {
        self.lock().by_app.remove(&Some(Box::from(app)));
    }

    /// A reader of these lines.
    pub(crate) fn reader(self: Arc<Self>, query: LogQuery) -> LogReader {
        LogReader { memory: self, query, seen: None }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Rings> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    /// Evicts the oldest lines until the rest fits into `max` bytes.
    fn shrink(&mut self, max: usize) {
        while self.bytes > max {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= OVERHEAD + oldest.json.len();
        }
    }

    /// The number of evicted lines.
    fn gone(&self) -> u64 {
        self.count - self.kept.len() as u64
    }
}

impl LogReader {
    /// The lines that have not been read yet.
    pub(crate) fn read(&mut self) -> FoundLines {
        let LogQuery { app, since, level, lines } = &self.query;
        let is_first = self.seen.is_none();
        let seen = self.seen.get_or_insert_default();
        let (mut found, mut dropped) = (Vec::new(), 0);
        let rings = self.memory.lock();
        for (name, ring) in &rings.by_app {
            if app.is_some() && app.as_deref() != name.as_deref() {
                continue;
            }
            // If the app was forgotten meanwhile, its count has started again from 0.
            let read = seen.get(name).copied().filter(|read| *read <= ring.count).unwrap_or_default();
            if !is_first {
                dropped += ring.gone().saturating_sub(read);
            }
            let skip = usize::try_from(read.saturating_sub(ring.gone())).unwrap_or(usize::MAX);
            let is_wanted = |kept: &&Kept| {
                level.is_none_or(|level| kept.level <= level) && since.is_none_or(|since| kept.time >= since)
            };
            let wanted = ring.kept.iter().skip(skip).filter(is_wanted);
            found.extend(wanted.map(|kept| (kept.number, kept.json.clone())));
            if read != ring.count {
                seen.insert(name.clone(), ring.count);
            }
        }
        drop(rings);
        found.sort_unstable_by_key(|(number, _)| *number);
        let first = if is_first { found.len().saturating_sub(lines.unwrap_or(usize::MAX)) } else { 0 };
        FoundLines { lines: found.drain(first..).map(|(_, json)| json).collect(), dropped }
    }

    /// Waits until there is at least one new line, or some were evicted.
    pub(crate) async fn next(&mut self) -> FoundLines {
        let memory = self.memory.clone();
        loop {
            let more = memory.more.notified();
            let found = self.read();
            if !found.lines.is_empty() || found.dropped > 0 {
                return found;
            }
            more.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn push(memory: &Memory, app: Option<&str>, level: Level, message: &str) {
        let mut line = Line::new(level, "app").saying(message);
        if let Some(app) = app {
            line = line.with("app", app);
        }
        memory.push(&line, message.into());
    }

    fn texts(found: &FoundLines) -> Vec<&str> {
        found.lines.iter().map(|line| &**line).collect()
    }

    #[test]
    fn each_app_has_its_share_and_the_oldest_lines_go() {
        let memory = Arc::new(Memory::new(3 * (OVERHEAD + 10)));
        push(&memory, Some("calm"), Level::INFO, "calm");
        push(&memory, None, Level::INFO, "supervisor");
        for number in 0..100 {
            push(&memory, Some("loud"), Level::INFO, &format!("loud{number:06}"));
        }
        let all = memory.clone().reader(LogQuery::default()).read();
        assert_eq!(texts(&all), ["calm", "supervisor", "loud000097", "loud000098", "loud000099"]);
        assert_eq!(all.dropped, 0);
        // A single line that exceeds the limit is not kept either.
        push(&memory, Some("calm"), Level::INFO, &"x".repeat(1000));
        let calm = LogQuery { app: Some("calm".into()), ..LogQuery::default() };
        assert_eq!(texts(&memory.clone().reader(calm).read()), [""; 0]);
        memory.keep(OVERHEAD + 10);
        memory.forget("calm");
        assert_eq!(texts(&memory.reader(LogQuery::default()).read()), ["supervisor", "loud000099"]);
    }

    #[test]
    fn only_what_is_asked_for_is_found() {
        let memory = Arc::new(Memory::new(1 << 20));
        push(&memory, Some("a"), Level::ERROR, "error");
        push(&memory, Some("b"), Level::WARN, "warn");
        push(&memory, Some("a"), Level::INFO, "info");
        let ask = |query| memory.clone().reader(query).read();
        let level = Some(Level::WARN);
        assert_eq!(texts(&ask(LogQuery { level, ..LogQuery::default() })), ["error", "warn"]);
        assert_eq!(texts(&ask(LogQuery { lines: Some(2), ..LogQuery::default() })), ["warn", "info"]);
        let app = || Some("a".to_owned());
        assert_eq!(texts(&ask(LogQuery { app: app(), level, ..LogQuery::default() })), ["error"]);
        let since = Some(SystemTime::now() + Duration::from_secs(60));
        assert_eq!(texts(&ask(LogQuery { since, ..LogQuery::default() })), [""; 0]);
    }

    #[tokio::test]
    async fn a_slow_reader_is_told_what_it_has_missed() {
        let memory = Arc::new(Memory::new(2 * (OVERHEAD + 1)));
        push(&memory, Some("a"), Level::INFO, "1");
        let mut reader = memory.clone().reader(LogQuery::default());
        assert_eq!(texts(&reader.read()), ["1"]);
        for text in ["2", "3", "4", "5"] {
            push(&memory, Some("a"), Level::INFO, text);
        }
        let found = reader.next().await;
        assert_eq!((texts(&found), found.dropped), (vec!["4", "5"], 2));
        push(&memory, None, Level::INFO, "6");
        let found = reader.next().await;
        assert_eq!((texts(&found), found.dropped), (vec!["6"], 0));
    }

    #[tokio::test]
    async fn a_reader_waits_for_lines() {
        let memory = Arc::new(Memory::new(1 << 20));
        let mut reader = memory.clone().reader(LogQuery::default());
        assert_eq!(texts(&reader.read()), [""; 0]);
        let (found, ()) = tokio::join!(reader.next(), async { push(&memory, None, Level::INFO, "late") });
        assert_eq!(texts(&found), ["late"]);
    }
}
