//! The crons of the running apps.

use super::Fleet;
use super::member::RunningApp;
use crate::api::schedule::RunReport;
use crate::apps::schedule::Schedule;
use crate::model::change_error::ChangeError;

impl Fleet {
    /// Returns the crons of all apps.
    pub(crate) fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Sets the running apps, and with them when which cron is due.
    pub(super) fn enlist(&self, members: Vec<RunningApp>) {
        let crons: Vec<_> = members.iter().map(|member| (member.app, member.spec.clone())).collect();
        *self.members.borrow_mut() = members;
        self.schedule.set(&crons);
    }

    /// Has the `scheduled` handler of an app run now, and waits for its end. `cron` is the expression that it gets; if there is
    /// none, that of the app's only one.
    ///
    /// # Errors
    /// Fails if there is no such app, if it is not clear which cron is meant, or if it cannot run now.
    pub(crate) async fn trigger(&self, name: &str, cron: Option<&str>) -> Result<RunReport, ChangeError> {
        let found = self.members.borrow().iter().find(|member| member.spec.name.as_str() == name).cloned();
        let Some(member) = found else { return Err(ChangeError::NotFound(self.no_such_app(name))) };
        self.schedule.trigger(member.app, member.spec, cron).await
    }
}
