//! The files that requests have written, and those of the app while it is loaded. They are objects of JavaScript; here is how long
//! each lives, and how many bytes all have.

use std::cell::{Cell, RefCell};
use std::rc::Weak;

use deno_core::v8;
use rustc_hash::FxHashMap;

use super::request::Request;

/// The id of what runs while the app is loaded.
const LOADING: u32 = 0;

/// What a request finds.
pub(crate) enum KeptFiles {
    /// The JavaScript object that holds its files.
    Some(v8::Global<v8::Value>),
    /// It has none yet.
    None,
    /// It is over and can have none.
    Over,
}

/// The files of one request.
struct RequestFiles {
    /// The object that has them.
    store: v8::Global<v8::Value>,
    /// The request; none while the app is loaded.
    request: Weak<Request>,
    bytes: u64,
}

/// All files that have been written.
pub(crate) struct Files {
    kept: RefCell<FxHashMap<u32, RequestFiles>>,
    /// How many bytes they have, together.
    bytes: Cell<u64>,
    /// How many they may have (`max_tmp`).
    max: Cell<u64>,
    /// Whether the app has been loaded.
    is_loaded: Cell<bool>,
    refused: Cell<u64>,
}

impl Files {
    pub(crate) fn new() -> Self {
        Self {
            kept: RefCell::default(),
            bytes: Cell::new(0),
            max: Cell::new(u64::MAX),
            is_loaded: Cell::new(false),
            refused: Cell::new(0),
        }
    }

    /// Sets how many bytes all files may have. Those of one request may have half of it.
    pub(crate) fn set_max(&self, bytes: u64) {
        self.max.set(bytes);
    }

    /// Returns how often more was refused.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.get()
    }

    /// Ends the files that were written while the app was loaded.
    pub(crate) fn end_loading(&self) {
        self.is_loaded.set(true);
        self.end(|id, _| id == LOADING);
    }

    /// What is kept for a request. `is_under_way` says whether it may have something.
    pub(crate) fn of(&self, id: u32, is_under_way: bool) -> KeptFiles {
        if let Some(kept) = self.kept.borrow().get(&id) {
            return KeptFiles::Some(kept.store.clone());
        }
        let may = if id == LOADING { !self.is_loaded.get() } else { is_under_way };
        if may { KeptFiles::None } else { KeptFiles::Over }
    }

    pub(crate) fn keep(&self, id: u32, request: Weak<Request>, store: v8::Global<v8::Value>) {
        self.kept.borrow_mut().insert(id, RequestFiles { store, request, bytes: 0 });
    }

    /// Lets the files of a request have more bytes: `most`, or else `least`. Returns how many more; zero if they may not have even
    /// those.
    pub(crate) fn grow(&self, id: u32, least: u32, most: u32) -> u32 {
        let mut kept = self.kept.borrow_mut();
        let (own, all) = (kept.get(&id).map(|kept| kept.bytes), self.bytes.get());
        let granted = own.and_then(|own| {
            let fits = |more: &u32| {
                own + u64::from(*more) <= self.max.get() / 2 && all + u64::from(*more) <= self.max.get()
            };
            [most, least].into_iter().find(fits)
        });
        let (Some(granted), Some(kept)) = (granted, kept.get_mut(&id)) else {
            self.refused.set(self.refused.get() + 1);
            return 0;
        };
        kept.bytes += u64::from(granted);
        self.bytes.set(all + u64::from(granted));
        granted
    }

    /// Records that the files of a request have so many bytes less.
    pub(crate) fn shrink(&self, id: u32, by: u32) {
        if let Some(kept) = self.kept.borrow_mut().get_mut(&id) {
            let by = u64::from(by).min(kept.bytes);
            kept.bytes -= by;
            self.bytes.set(self.bytes.get() - by);
        }
    }

    /// Ends the files of requests of which nothing is left. `is_worked` says whether `waitUntil` work of one goes on.
    pub(crate) fn end_over(&self, is_worked: impl Fn(u32) -> bool) {
        if !self.kept.borrow().is_empty() {
            self.end(|id, request| id != LOADING && request.strong_count() == 0 && !is_worked(id));
        }
    }

    fn end(&self, is_over: impl Fn(u32, &Weak<Request>) -> bool) {
        self.kept.borrow_mut().retain(|id, kept| {
            let is_over = is_over(*id, &kept.request);
            if is_over {
                self.bytes.set(self.bytes.get() - kept.bytes);
            }
            !is_over
        });
    }
}
