//! `status --watch` at a terminal: uses the alternate screen, scrolls by pages, and restores the terminal at the end.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use nix::libc;
use nix::sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::super::output::{FAILED, complain};
use super::super::runtime::runtime;
use super::super::terminal::{self, Paint, Tone, cut};
use crate::untrusted::visible;

/// Capacity of the key queue.
const KEYS: usize = 8;

/// The terminal in raw mode with the alternate screen; restored on drop.
struct Screen {
    /// The former settings, if keys can be read.
    before: Option<Termios>,
}

impl Screen {
    fn take() -> Self {
        let before = if io::stdin().is_terminal() { tcgetattr(io::stdin()).ok() } else { None };
        if let Some(before) = &before {
            // No line buffering and no echo. Ctrl-C remains a signal; Ctrl-Z is disabled.
            let mut ours = before.clone();
            ours.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
            ours.control_chars[SpecialCharacterIndices::VSUSP as usize] = libc::_POSIX_VDISABLE;
            let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &ours);
        }
        // Alternate screen, cursor hidden.
        put("\x1b[?1049h\x1b[?25l");
        Self { before }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        put("\x1b[?25h\x1b[?1049l");
        if let Some(before) = &self.before {
            let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, before);
        }
    }
}

/// The command of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Next,
    Back,
    First,
    Last,
    Quit,
}

/// Shows a new `frame` after each `pause`, until q or a signal.
pub(super) fn show(frame: impl FnMut() -> io::Result<String> + Send + 'static, pause: Duration) -> ExitCode {
    let shown = runtime().and_then(|runtime| {
        runtime.block_on(async {
            // Signal handlers come before the screen, so that every exit restores the terminal.
            let mut signals = ScreenSignals::listen()?;
            let screen = Screen::take();
            let mut keys = if screen.before.is_some() { Some(read_keys()) } else { None };
            let (again, mut frames) = read_frames(frame, pause);
            let mut view = View::default();
            loop {
                tokio::select! {
                    Some(frame) = frames.recv() => view.update(&frame),
                    number = signals.next() => match number {
                        Some(number) => return Ok(128 + number),
                        // If a request is queued already, its frame will have the new size.
                        None => drop(again.try_send(())),
                    },
                    key = key(&mut keys) => match key {
                        Key::Quit => return Ok(0),
                        key => view.turn(key),
                    },
                }
                view.draw();
            }
        })
    });
    match shown {
        Ok(code) => code.into(),
        Err(error) => complain(&error, FAILED),
    }
}

/// Fetches frames in a separate thread, which ends with the process, so that keys work while a supervisor hangs. A message on
/// the channel requests a frame at once.
fn read_frames(
    mut frame: impl FnMut() -> io::Result<String> + Send + 'static,
    pause: Duration,
) -> (SyncSender<()>, mpsc::Receiver<io::Result<String>>) {
    let (again, wanted) = sync_channel(1);
    let (sender, frames) = mpsc::channel(1);
    std::thread::spawn(move || {
        // Errors are sent as well, and fetching continues: the supervisor may be restarting.
        while sender.blocking_send(frame()).is_ok()
            && wanted.recv_timeout(pause) != Err(RecvTimeoutError::Disconnected)
        {}
    });
    (again, frames)
}

/// The terminating signals, and SIGWINCH.
struct ScreenSignals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    resize: Signal,
}

impl ScreenSignals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            resize: signal(SignalKind::window_change())?,
        })
    }

    /// The number of a terminating signal; none if the terminal was resized.
    async fn next(&mut self) -> Option<u8> {
        tokio::select! {
            _ = self.interrupt.recv() => Some(2),
            _ = self.terminate.recv() => Some(15),
            _ = self.hangup.recv() => Some(1),
            _ = self.resize.recv() => None,
        }
    }
}

/// Reads keys in a separate thread, which ends with the process: a blocking read cannot be interrupted.
fn read_keys() -> mpsc::Receiver<Key> {
    let (sender, receiver) = mpsc::channel(KEYS);
    std::thread::spawn(move || {
        let mut bytes = [0; 16];
        while let Ok(length @ 1..) = io::stdin().lock().read(&mut bytes) {
            let mut left = &bytes[..length];
            while !left.is_empty() {
                let (key, taken) = meaning(left);
                left = &left[taken..];
                if let Some(key) = key
                    && sender.blocking_send(key).is_err()
                {
                    return;
                }
            }
        }
    });
    receiver
}

/// The command of the first key in the input, if it has one, and its length in bytes.
fn meaning(bytes: &[u8]) -> (Option<Key>, usize) {
    const SEQUENCES: [(&[u8], Key); 6] = [
        (b"\x1b[B", Key::Next),
        (b"\x1b[6~", Key::Next),
        (b"\x1b[A", Key::Back),
        (b"\x1b[5~", Key::Back),
        (b"\x1b[H", Key::First),
        (b"\x1b[F", Key::Last),
    ];
    if let Some((sequence, key)) = SEQUENCES.iter().find(|(sequence, _)| bytes.starts_with(sequence)) {
        return (Some(*key), sequence.len());
    }
    let key = match bytes.first() {
        // An unknown escape sequence is not the Escape key.
        Some(b'\x1b') if bytes.len() > 1 => return (None, bytes.len()),
        Some(b'q' | b'Q' | b'\x1b') => Key::Quit,
        Some(b' ' | b'j' | b'f' | b'\r' | b'\n') => Key::Next,
        Some(b'b' | b'k') => Key::Back,
        Some(b'g') => Key::First,
        Some(b'G') => Key::Last,
        _ => return (None, 1),
    };
    (Some(key), 1)
}

async fn key(keys: &mut Option<mpsc::Receiver<Key>>) -> Key {
    if let Some(keys) = keys
        && let Some(key) = keys.recv().await
    {
        return key;
    }
    std::future::pending().await
}

/// The content, and the scroll position.
#[derive(Debug, Default)]
struct View {
    lines: Vec<String>,
    /// Why the content is outdated, if it is.
    stale: Option<String>,
    /// The first visible line.
    top: usize,
}

impl View {
    fn update(&mut self, frame: &io::Result<String>) {
        match frame {
            Ok(text) => {
                self.lines = text.lines().map(|line| visible::styled(line).into_owned()).collect();
                self.stale = None;
            }
            Err(error) => self.stale = Some(visible::line(&error.to_string()).into_owned()),
        }
    }

    /// Lines of a page, without the status line below it.
    fn page(&self) -> usize {
        terminal::size().1.saturating_sub(1).max(1)
    }

    fn turn(&mut self, key: Key) {
        let last = self.lines.len().saturating_sub(self.page());
        self.top = match key {
            Key::Next => (self.top + self.page()).min(last),
            Key::Back => self.top.saturating_sub(self.page()),
            Key::First => 0,
            Key::Last => last,
            Key::Quit => self.top,
        };
    }

    fn draw(&mut self) {
        let (width, _) = terminal::size();
        let (page, count) = (self.page(), self.lines.len());
        self.top = self.top.min(count.saturating_sub(page));
        let paint = Paint(terminal::has_colours());
        let end = (self.top + page).min(count);
        let mut out = String::from("\x1b[H");
        for line in &self.lines[self.top..end] {
            out += line;
            // Erases the rest of the line.
            out += "\x1b[K\r\n";
        }
        let place = match (&self.stale, count > page) {
            (Some(why), _) => paint.tone(Tone::Bad, cut(why, width)),
            (None, true) => {
                let place = format!("lines {}-{end} of {count}: space next, b back, q quit", self.top + 1);
                paint.tone(Tone::Faint, cut(&place, width))
            }
            (None, false) => paint.tone(Tone::Faint, cut("q quit", width)),
        };
        put(&(out + &place + "\x1b[K\x1b[J"));
    }
}

/// Writes to the terminal at once. If it is gone, a signal ends the process.
fn put(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_come_together_are_heeded_one_by_one() {
        assert_eq!(meaning(b"bq"), (Some(Key::Back), 1));
        assert_eq!(meaning(b"\x1b[6~q"), (Some(Key::Next), 4));
        assert_eq!(meaning(b"\x1b"), (Some(Key::Quit), 1));
        assert_eq!(meaning(b"\x1b[31;1~"), (None, 7));
        assert_eq!(meaning(b"x"), (None, 1));
    }
}
