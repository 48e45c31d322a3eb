//! What an HTTP/2 client may send before anybody reads it. hyper has to know before the first frame comes, so it is decided when a
//! connection begins, by what others of the same client, and all clients, have been promised.

use std::rc::Rc;
use std::sync::Arc;

use nano_protocol::Budget;
use nano_protocol::limits::MOST_WINDOW;

/// Bodies of a connection that may come at once, each with all that one may.
const BODIES: usize = 4;

/// The windows of one connection, which are promised for as long as it lives.
#[derive(Debug)]
pub struct Windows {
    /// For one body, in bytes.
    stream: usize,
    /// For all of them together.
    connection: usize,
    total: Arc<Budget>,
    /// That of its client, if the connection is that of one.
    own: Option<Rc<Budget>>,
}

impl Windows {
    /// As large as may be now.
    pub fn new(total: Arc<Budget>, own: Option<Rc<Budget>>) -> Self {
        let stream = total.fair().min(own.as_ref().map_or(MOST_WINDOW, |own| own.fair()));
        let windows = Self { stream, connection: BODIES * stream, total, own };
        windows.promise(0, windows.connection);
        windows
    }

    /// For one body, and for all of them together, in bytes.
    pub fn sizes(&self) -> (u32, u32) {
        let size = |bytes| u32::try_from(bytes).unwrap_or(u32::MAX >> 1);
        (size(self.stream), size(self.connection))
    }

    fn promise(&self, before: usize, after: usize) {
        self.total.promise(before, after);
        if let Some(own) = &self.own {
            own.promise(before, after);
        }
    }
}

impl Drop for Windows {
    fn drop(&mut self) {
        self.promise(self.connection, 0);
    }
}

#[cfg(test)]
mod tests {
    use nano_protocol::limits::LEAST_WINDOW;

    use super::*;

    #[test]
    fn a_client_with_many_connections_may_send_little_on_each_and_others_as_much_as_ever() {
        let total = Arc::new(Budget::new(1 << 30, None));
        let [greedy, modest] = [1, 2].map(|_| Rc::new(Budget::new(8 << 20, None)));
        let mut windows: Vec<_> =
            (0..100).map(|_| Windows::new(total.clone(), Some(greedy.clone()))).collect();
        let sizes: Vec<_> = windows.iter().map(Windows::sizes).collect();
        assert_eq!(sizes[..4], [(256 << 10, 1 << 20); 4]);
        assert_eq!(sizes[4..12], [(64 << 10, 256 << 10); 8]);
        assert_eq!(sizes[12..], [(LEAST_WINDOW as u32, 64 << 10); 88]);
        let other = Windows::new(total.clone(), Some(modest));
        assert_eq!(other.sizes(), (256 << 10, 1 << 20));
        windows.clear();
        assert_eq!(Windows::new(total, Some(greedy)).sizes(), (256 << 10, 1 << 20));
    }
}
