//! Ids of apps, workers and listening addresses, the same on all threads.

/// Identifies an app for as long as it exists; never reused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct AppId(pub(crate) u32);

#[cfg(test)]
impl AppId {
    pub(crate) fn of_number(number: u32) -> Self {
        Self(number)
    }
}

/// Identifies a listening address for as long as it is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ListenerId(pub u32);

/// An app, and the number of one of its workers.
pub(crate) type WorkerId = (AppId, u64);
