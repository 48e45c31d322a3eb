//! Deploys in progress whose worker is not ready yet. A later command for the same app supersedes them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use tokio::sync::oneshot;

use crate::config::AppName;
use crate::model::change_error::ChangeError;

/// The latest attempt of each app. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attempts(Rc<RefCell<HashMap<AppName, oneshot::Sender<()>>>>);

impl Attempts {
    /// Starts an attempt. Supersedes the app's earlier one.
    pub(crate) fn begin(&self, app: &AppName) -> Attempt {
        let (hold, superseded) = oneshot::channel();
        self.0.borrow_mut().insert(app.clone(), hold);
        Attempt { attempts: self.clone(), app: app.clone(), superseded }
    }

    /// Supersedes the app's attempt, if there is one.
    pub(crate) fn supersede(&self, app: &str) {
        self.0.borrow_mut().retain(|known, _| known.as_str() != app);
    }
}

/// An attempt in progress, until it is dropped.
#[derive(Debug)]
pub(crate) struct Attempt {
    attempts: Attempts,
    app: AppName,
    superseded: oneshot::Receiver<()>,
}

impl Attempt {
    /// Waits until it is superseded.
    pub(crate) async fn superseded(&mut self) {
        // Nothing is ever sent. Dropping the sender is the signal.
        let _ = (&mut self.superseded).await;
    }

    /// Fails if it was superseded.
    ///
    /// # Errors
    /// If a later command has superseded it.
    pub(crate) fn check(&mut self) -> Result<(), ChangeError> {
        match self.superseded.try_recv() {
            Err(oneshot::error::TryRecvError::Empty) => Ok(()),
            _ => Err(ChangeError::Superseded),
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.check().is_ok() {
            self.attempts.supersede(self.app.as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_attempt_of_an_app_counts_until_something_else_is_asked_for() {
        let attempts = Attempts::default();
        let [app, other] = ["app", "other"].map(|name| name.parse().unwrap());
        let (mut first, mut neighbour) = (attempts.begin(&app), attempts.begin(&other));
        let mut second = attempts.begin(&app);
        assert!(first.check().is_err() && second.check().is_ok());
        // Dropping a superseded attempt does not affect the current one.
        drop(first);
        assert!(second.check().is_ok());
        attempts.supersede("app");
        assert!(second.check().is_err() && neighbour.check().is_ok());
        drop((second, neighbour));
        assert!(attempts.0.borrow().is_empty());
    }
}
