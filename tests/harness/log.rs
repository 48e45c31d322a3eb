//! The collected log of a supervisor.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::Value;

use super::until;

/// The lines of a stream, collected as they arrive.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Collects `stream` until its end.
    pub(crate) fn collect(&self, stream: impl Read + Send + 'static) {
        let lines = self.0.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
    }

    /// Returns all lines so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns all lines so far that are JSON, parsed.
    pub(crate) fn records(&self) -> Vec<Value> {
        self.lines().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits for a line that contains `text`.
    pub(crate) async fn line_with(&self, text: &str) -> String {
        let find = || self.lines().into_iter().find(|line| line.contains(text));
        until(&format!("the log has {text:?}"), async || find()).await
    }

    /// Waits for a JSON record whose message contains `text`.
    pub(crate) async fn record_with(&self, text: &str) -> Value {
        serde_json::from_str(&self.line_with(text).await).expect("a line of JSON")
    }
}
