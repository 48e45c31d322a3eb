//! Waits for apps whose next worker is slow to start, and then records the outcome.

use std::rc::Rc;

use tokio::task::JoinSet;

use super::Fleet;
use super::changes::{Late, outcome_of};
use crate::api::changes::Changes;

impl Fleet {
    /// Waits for late apps, and adds the outcomes to `changes`.
    pub(crate) async fn conclude(self: &Rc<Self>, late: Vec<Late>, changes: &mut Changes) {
        let mut waiting = JoinSet::new();
        for late in late {
            let fleet = self.clone();
            waiting.spawn_local(async move { fleet.conclude_one(late).await });
        }
        while let Some(Ok(more)) = waiting.join_next().await {
            changes.changed.extend(more.changed);
            changes.failed.extend(more.failed);
        }
    }

    async fn conclude_one(&self, late: Late) -> Changes {
        let (mut changes, mut all) = (Changes::default(), vec![late]);
        while let Some(Late { new, lifeline, turn, told }) = all.pop() {
            let outcome = outcome_of(told.await);
            let _changing = self.changing.lock().await;
            // If a later change has superseded this one, that change decides what holds now.
            let is_superseded = lifeline.turn() != turn;
            let why = outcome.as_ref().err().map(ToString::to_string);
            changes.record(&new, outcome, true);
            match why {
                _ if is_superseded => {}
                Some(why) => self.note_failure(&new.name, why.into()),
                None => all = self.mend_now(new).await,
            }
        }
        changes.changed.dedup();
        changes
    }
}
