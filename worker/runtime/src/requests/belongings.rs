//! What ends with the request that has opened or fetched it: connections and bodies.

use std::cell::RefCell;
use std::rc::Weak;

use super::request::Request;

/// The body of a response that a request has fetched.
pub(crate) trait FetchedBody {
    /// Ends the body because its request is over, unless a reader waits for its bytes. Returns whether there was anything to end.
    fn end_unless_awaited(&self) -> bool;
    /// Ends the body because its request is over. Returns whether there was anything to end.
    fn end_with_request(&self) -> bool;
}

/// Something that ends with the request that has opened it, once all of its work is done.
pub(crate) trait OfRequest {
    /// Ends it because its request is over.
    fn end_with_request(&self);
}

/// What a request has opened. Nothing is kept alive by it.
struct Belonging {
    /// The id of the request.
    id: u32,
    request: Weak<Request>,
    what: Weak<dyn OfRequest>,
}

/// Everything that requests have opened.
#[derive(Default)]
pub(crate) struct Belongings(RefCell<Vec<Belonging>>);

impl Belongings {
    pub(crate) fn add(&self, id: u32, request: Weak<Request>, what: Weak<dyn OfRequest>) {
        self.0.borrow_mut().push(Belonging { id, request, what });
    }

    /// Ends what belongs to requests of which nothing is left. `is_worked` says whether `waitUntil` work of one goes on.
    pub(crate) fn end_over(&self, is_worked: impl Fn(u32) -> bool) {
        if self.0.borrow().is_empty() {
            return;
        }
        let mut over = Vec::new();
        self.0.borrow_mut().retain(|Belonging { id, request, what }| {
            let is_over = request.strong_count() == 0 && !is_worked(*id);
            if is_over {
                over.extend(what.upgrade());
            }
            !is_over && what.strong_count() > 0
        });
        for what in over {
            what.end_with_request();
        }
    }
}
