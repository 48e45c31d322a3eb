//! Counts the queued bytes that no other limit covers: those of streams that are over, and those whose number the peer decides
//! without having to read them.
//!
//! Bytes are counted in two parts, an older and a newer one. Each part is removed when its last byte has been written. So no list
//! of frames has to be kept, and the count does not grow on a busy connection that always has something queued.

/// Counts queued bytes until they are written.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    older: Part,
    newer: Part,
}

/// A number of bytes, the last of which lies before `end` in the byte stream.
#[derive(Debug, Default)]
struct Part {
    bytes: usize,
    end: u64,
}

impl Backlog {
    /// Adds queued bytes, the last of which lies before `end`.
    pub(crate) fn add(&mut self, bytes: usize, end: u64) {
        self.newer.bytes += bytes;
        self.newer.end = end;
    }

    /// Removes bytes that have been written: the stream has left up to `position`.
    pub(crate) fn written(&mut self, position: u64) {
        if position >= self.older.end {
            self.older = std::mem::take(&mut self.newer);
            if position >= self.older.end {
                self.older = Part::default();
            }
        }
    }

    /// Returns how many counted bytes may still be queued, at most.
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
