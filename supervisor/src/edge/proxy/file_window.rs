//! What a response has of a file that is read: a descriptor, and how many bytes may be in memory. The bytes are promised by the budgets of the app and of the client, as the
//! windows of responses from workers are, so that clients that read nothing cannot have more of files than of those.

use std::rc::Rc;
use std::sync::Arc;

use nano_protocol::Budget;

use crate::model::shares::Holding;

/// Bytes that are promised to a response until this is dropped.
#[derive(Debug)]
pub(crate) struct FileWindow {
    app: Arc<Budget>,
    client: Rc<Budget>,
    bytes: usize,
    /// The open file, among those of all clients and among those of its own.
    _descriptor: [Holding; 2],
}

impl FileWindow {
    /// Promises as many bytes as both budgets allow, and at most `most`.
    pub(crate) fn new(app: Arc<Budget>, client: Rc<Budget>, descriptor: [Holding; 2], most: usize) -> Self {
        let bytes = app.fair().min(client.fair()).min(most);
        let window = Self { bytes, app, client, _descriptor: descriptor };
        window.change(0, window.bytes);
        window
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn change(&self, before: usize, after: usize) {
        for budget in [&*self.app, &*self.client] {
            budget.promise(before, after);
            budget.hold(before, after);
        }
    }
}

impl Drop for FileWindow {
    fn drop(&mut self) {
        self.change(self.bytes, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::shares::Held;

    #[test]
    fn windows_shrink_with_the_budgets_and_are_given_back() {
        let app = Arc::new(Budget::new(1 << 20, None));
        let client = Rc::new(Budget::new(1 << 19, None));
        let held = [Held::default(), Held::default()];
        let descriptor = || held.clone().map(Holding::new);
        let window = |_| FileWindow::new(app.clone(), client.clone(), descriptor(), 128 << 10);
        let mut windows: Vec<_> = (0..40).map(window).collect();
        assert_eq!(held.clone().map(|held| held.get()), [40, 40]);
        let bytes: Vec<_> = windows.iter().map(|window| window.bytes() >> 10).collect();
        assert_eq!(bytes[..3], [128, 128, 64]);
        assert_eq!(bytes[4..], [16; 36], "{bytes:?}");
        assert_eq!(app.held(), windows.iter().map(FileWindow::bytes).sum::<usize>());
        windows.clear();
        assert_eq!(held.map(|held| held.get()), [0, 0]);
        assert_eq!((app.held(), client.held(), app.is_spent()), (0, 0, false));
    }
}
