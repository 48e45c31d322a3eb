//! The bounded queue to a terminal, pipe or file, and the thread that writes it. Lines that do not fit are dropped and
//! counted. Each app has at most its share of the queue, so that an app that floods its log costs others no lines when the
//! writer is slow.

use std::collections::{HashMap, VecDeque};
use std::io::Write;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Capacity of the queue, in lines and bytes.
const LINES: usize = 16 * 1024;
const BYTES: usize = 16 * 1024 * 1024;

/// One app may have this fraction of the queue: one in `SHARE`.
const SHARE: usize = 4;

/// Timeout for flushing the queue at shutdown.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// The source of a line: an app's name, or empty for the supervisor itself, which may use the whole queue.
type LineSource = str;

/// The sending side, for any thread. Clones share the queue.
#[derive(Debug, Clone)]
pub(super) struct Queue(Arc<QueueInner>);

/// Keeps the thread alive. Dropping it flushes the queue.
#[derive(Debug)]
pub(super) struct Writing(Arc<QueueInner>);

#[derive(Debug)]
struct QueueInner {
    waiting: Mutex<QueuedLines>,
    /// Signalled when there is something to write, or nothing more will come.
    changed: Condvar,
    /// Signalled when everything has been written.
    done: Condvar,
    dropped: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct QueuedLines {
    lines: VecDeque<(Box<LineSource>, String)>,
    bytes: usize,
    /// The queued lines of each source.
    shares: HashMap<Box<LineSource>, Share>,
    is_closed: bool,
    is_done: bool,
}

#[derive(Debug, Default)]
struct Share {
    lines: usize,
    bytes: usize,
    /// Dropped lines that have not been reported yet.
    dropped: usize,
}

impl Queue {
    /// Starts the thread that writes lines to `writer`.
    pub(super) fn start(name: &str, writer: impl Write + Send + 'static) -> std::io::Result<(Self, Writing)> {
        let shared = Arc::new(QueueInner {
            waiting: Mutex::default(),
            changed: Condvar::new(),
            done: Condvar::new(),
            dropped: Arc::default(),
        });
        let own = shared.clone();
        thread::Builder::new().name(name.to_owned()).spawn(move || own.write(writer))?;
        Ok((Self(shared.clone()), Writing(shared)))
    }

    /// Queues a line of an app, or of the supervisor if `source` is none. Returns how many lines of that source were dropped
    /// before it and not reported yet; none if this one is dropped, too.
    pub(super) fn push(&self, source: Option<&str>, line: String) -> Option<usize> {
        let mut waiting = self.0.waiting();
        let taken = waiting.push(source.unwrap_or_default(), line);
        drop(waiting);
        match taken {
            Some(_) => self.0.changed.notify_one(),
            None => {
                self.0.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
        taken
    }

    /// The number of dropped lines so far.
    pub(super) fn dropped(&self) -> Arc<AtomicUsize> {
        self.0.dropped.clone()
    }
}

impl QueuedLines {
    fn push(&mut self, source: &LineSource, line: String) -> Option<usize> {
        let part = if source.is_empty() { 1 } else { SHARE };
        if !self.shares.contains_key(source) {
            self.shares.insert(source.into(), Share::default());
        }
        let share = self.shares.get_mut(source)?;
        let is_full = self.lines.len() >= LINES || self.bytes + line.len() > BYTES;
        // After a drop, more room is required before a line is accepted. Otherwise every second line would be a notice of
        // dropped lines.
        let part = if share.dropped > 0 { 2 * part } else { part };
        if is_full || share.lines >= LINES / part || share.bytes + line.len() > BYTES / part {
            share.dropped += 1;
            return None;
        }
        share.lines += 1;
        share.bytes += line.len();
        self.bytes += line.len();
        let dropped = mem::take(&mut share.dropped);
        self.lines.push_back((source.into(), line));
        Some(dropped)
    }

    fn pop(&mut self) -> Option<String> {
        let (source, line) = self.lines.pop_front()?;
        self.bytes -= line.len();
        if let Some(share) = self.shares.get_mut(&source) {
            share.lines -= 1;
            share.bytes -= line.len();
            if share.lines == 0 && share.dropped == 0 {
                self.shares.remove(&source);
            }
        }
        Some(line)
    }
}

impl QueueInner {
    fn waiting(&self) -> MutexGuard<'_, QueuedLines> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes until the queue is closed. Errors are ignored: a writer may recover, as files do.
    fn write(&self, mut writer: impl Write) {
        loop {
            let mut waiting = self.waiting();
            let line = loop {
                match waiting.pop() {
                    None if waiting.is_closed => {
                        waiting.is_done = true;
                        self.done.notify_all();
                        return;
                    }
                    None => waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                    line => break line.unwrap_or_default(),
                }
            };
            let is_last = waiting.lines.is_empty();
            drop(waiting);
            let _ = writer.write_all(line.as_bytes());
            if is_last {
                let _ = writer.flush();
            }
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.is_closed = true;
        self.0.changed.notify_all();
        // A pipe that nobody reads must not block the shutdown.
        drop(self.0.done.wait_timeout_while(waiting, FLUSH_TIMEOUT, |waiting| !waiting.is_done));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_has_its_share_and_others_keep_theirs() {
        let mut waiting = QueuedLines::default();
        let mut push = |source: &str| waiting.push(source, "line".into());
        let taken = (0..LINES).filter(|_| push("loud").is_some()).count();
        assert_eq!(taken, LINES / SHARE);
        assert!((0..100).all(|_| push("quiet") == Some(0) && push("") == Some(0)));
        // The number is reported once there is enough room.
        for _ in 0..LINES / SHARE / 2 {
            waiting.pop();
        }
        assert_eq!(waiting.push("loud", "line".into()), None);
        waiting.pop();
        assert_eq!(waiting.push("loud", "line".into()), Some(LINES - LINES / SHARE + 1));
        assert_eq!(waiting.push("loud", "line".into()), Some(0));
        while waiting.pop().is_some() {}
        assert_eq!((waiting.bytes, waiting.shares.len()), (0, 0));
    }

    #[test]
    fn long_lines_have_a_share_of_the_bytes() {
        let mut waiting = QueuedLines::default();
        let line = "x".repeat(64 * 1024);
        let taken = (0..LINES).filter(|_| waiting.push("loud", line.clone()).is_some()).count();
        assert_eq!(taken, BYTES / SHARE / line.len());
        assert_eq!(waiting.push("quiet", line.clone()), Some(0));
        let taken = (0..LINES).filter(|_| waiting.push("", line.clone()).is_some()).count();
        assert_eq!(taken, BYTES / line.len() - BYTES / SHARE / line.len() - 1);
    }

    #[test]
    fn everything_is_written_in_order_before_the_end() {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let (queue, writing) = Queue::start("log", ours).unwrap();
        for number in 0..1000 {
            assert_eq!(queue.push(Some("app"), format!("{number}\n")), Some(0));
        }
        drop((writing, queue));
        let text = std::io::read_to_string(theirs).unwrap();
        let lines: Vec<usize> = text.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(lines, (0..1000).collect::<Vec<_>>());
    }
}
