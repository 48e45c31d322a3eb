//! How many bytes of files are kept in memory: of one app, and of all apps together. Bytes count until nobody uses them any more,
//! even if the app's files have changed meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// Most bytes of the files of an app.
const OF_APP: usize = 16 * 1024 * 1024;

/// Most bytes of the files of all apps.
const OF_ALL: usize = 256 * 1024 * 1024;

/// The bytes of all apps.
static ALL: AtomicUsize = AtomicUsize::new(0);

/// The memory for the files of an app.
#[derive(Debug, Default)]
pub(super) struct AssetMemory(AtomicUsize);

/// Room that was taken. It is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    memory: Arc<AssetMemory>,
    length: usize,
}

/// Bytes in memory, and their room.
struct KeptBytes {
    bytes: Vec<u8>,
    _room: Reservation,
}

impl AsRef<[u8]> for KeptBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AssetMemory {
    /// Returns how many bytes are taken.
    pub(super) fn taken(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns whether there is room for this many bytes.
    pub(super) fn has(&self, length: usize) -> bool {
        is_room(self.taken(), length, OF_APP) && is_room(ALL.load(Ordering::Relaxed), length, OF_ALL)
    }

    /// Takes room for this many bytes, if there is any.
    pub(super) fn take(self: &Arc<Self>, length: usize) -> Option<Reservation> {
        let own = self.0.fetch_add(length, Ordering::Relaxed);
        let all = ALL.fetch_add(length, Ordering::Relaxed);
        // Dropped, and so given back, if there is no room.
        let taken = Reservation { memory: self.clone(), length };
        (is_room(own, length, OF_APP) && is_room(all, length, OF_ALL)).then_some(taken)
    }
}

fn is_room(taken: usize, length: usize, most: usize) -> bool {
    taken.checked_add(length).is_some_and(|sum| sum <= most)
}

impl Reservation {
    /// Puts bytes there. Room that they do not need is given back.
    pub(super) fn keep(mut self, bytes: Vec<u8>) -> Bytes {
        let spare = self.length.saturating_sub(bytes.len());
        self.give_back(spare);
        self.length -= spare;
        Bytes::from_owner(KeptBytes { bytes, _room: self })
    }

    fn give_back(&self, length: usize) {
        self.memory.0.fetch_sub(length, Ordering::Relaxed);
        ALL.fetch_sub(length, Ordering::Relaxed);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.give_back(self.length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_counted_until_it_is_free() {
        let memory = Arc::new(AssetMemory::default());
        assert!(memory.has(OF_APP) && !memory.has(OF_APP + 1) && memory.take(usize::MAX).is_none());
        let kept = memory.take(1000).unwrap().keep(vec![0; 400]);
        assert_eq!(memory.taken(), 400);
        assert!(memory.take(OF_APP - 399).is_none());
        let rest = memory.take(OF_APP - 400).unwrap();
        assert!(!memory.has(1) && memory.take(1).is_none());
        let copy = kept.slice(1..2);
        drop((kept, rest));
        assert_eq!(memory.taken(), 400, "a copy is in use");
        drop(copy);
        assert_eq!(memory.taken(), 0);
    }
}
