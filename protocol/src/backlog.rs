//! Bytes that are queued for streams that are over, and for peers that need not read them: nothing else counts them.
//!
//! They are forgotten in two steps, so that neither a list of frames has to be kept, nor do they add up where a busy connection
//! always has something queued.

/// Counts them.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    older: Part,
    newer: Part,
}

/// So many bytes, of which the last lies before `end` in the byte stream.
#[derive(Debug, Default)]
struct Part {
    bytes: usize,
    end: u64,
}

impl Backlog {
    /// So many bytes were queued, the last of them before `end`.
    pub(crate) fn add(&mut self, bytes: usize, end: u64) {
        self.newer.bytes += bytes;
        self.newer.end = end;
    }

    /// The byte stream has left up to here.
    pub(crate) fn written(&mut self, position: u64) {
        if position >= self.older.end {
            self.older = std::mem::take(&mut self.newer);
            if position >= self.older.end {
                self.older = Part::default();
            }
        }
    }

    /// How many there may still be.
    pub(crate) fn bytes(&self) -> usize {
        self.older.bytes + self.newer.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_forgotten_although_something_is_always_queued() {
        let mut backlog = Backlog::default();
        for position in 1..1000 {
            backlog.add(10, position * 10);
            // The peer is always a hundred bytes behind.
            backlog.written((position * 10).saturating_sub(100));
            assert!(backlog.bytes() <= 220, "{}", backlog.bytes());
        }
        backlog.written(9990);
        assert_eq!(backlog.bytes(), 0);
    }

    #[test]
    fn what_is_not_written_is_counted() {
        let mut backlog = Backlog::default();
        (1..=100).for_each(|position| {
            backlog.add(7, position * 10);
            backlog.written(5);
        });
        assert_eq!(backlog.bytes(), 700);
    }
}
