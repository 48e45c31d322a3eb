//! What names an app, a worker and a listening address, from the first to the last thread that hears of it.

/// Names an app for as long as it is there; never given to another one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct AppId(pub(crate) u32);

#[cfg(test)]
impl AppId {
    /// The app of this number.
    pub(crate) fn of_number(number: u32) -> Self {
        Self(number)
    }
}

/// Names a listening address for as long as it is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ListenerId(pub u32);

/// An app, and which of its workers.
pub(crate) type WorkerId = (AppId, u64);
