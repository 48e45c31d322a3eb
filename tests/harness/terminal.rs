//! Runs a command in a pseudo-terminal, sends it keys, and collects its output.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use nix::pty::{Winsize, openpty};
use nix::sys::termios::{LocalFlags, tcgetattr};

use super::until;

/// A command in a pseudo-terminal, killed on drop.
pub(crate) struct Terminal {
    master: File,
    child: Child,
    shown: Arc<Mutex<String>>,
}

impl Terminal {
    /// Starts the command in a terminal of this many columns and lines.
    pub(crate) fn start(mut command: Command, columns: u16, lines: u16) -> Self {
        let size = Winsize { ws_col: columns, ws_row: lines, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).unwrap();
        command.env_remove("COLUMNS").env("TERM", "xterm");
        command.stdin(Stdio::from(pty.slave.try_clone().unwrap()));
        command.stderr(Stdio::from(pty.slave.try_clone().unwrap())).stdout(Stdio::from(pty.slave));
        let child = command.spawn().unwrap();
        let master = File::from(pty.master);
        let (mut reader, shown) = (master.try_clone().unwrap(), Arc::new(Mutex::new(String::new())));
        let text = shown.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Reading fails once the command's side has been closed.
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                let part = String::from_utf8_lossy(&bytes[..length]).into_owned();
                text.lock().unwrap_or_else(PoisonError::into_inner).push_str(&part);
            }
        });
        Self { master, child, shown }
    }

    /// Returns all output so far.
    pub(crate) fn shown(&self) -> String {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the output contains `text`.
    pub(crate) async fn shows(&self, text: &str) {
        until(&format!("{text:?} is shown in {:?}", self.shown()), async || {
            self.shown().contains(text).then_some(())
        })
        .await;
    }

    pub(crate) fn type_keys(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    /// Returns whether the terminal echoes keys and buffers lines, as a shell expects.
    pub(crate) fn is_cooked(&self) -> bool {
        tcgetattr(&self.master).unwrap().local_flags.contains(LocalFlags::ECHO | LocalFlags::ICANON)
    }

    /// Returns the process id of the command.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the exit of the command.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        until("the command has ended", async || self.child.try_wait().unwrap()).await
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
