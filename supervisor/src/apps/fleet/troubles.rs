//! Records what keeps apps from running with their configuration, and when each is checked again.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use tracing::error;

use super::Fleet;
use super::trouble::{Trouble, Troubles};
use crate::apps::lifecycle::Lifeline;
use crate::config::AppName;
use crate::edge::commands::UpstreamSpec;

impl Fleet {
    /// Records what keeps apps from running with their configuration, and logs what is new.
    pub(super) fn note_troubles(
        &self,
        routed: &[(UpstreamSpec, Option<Rc<Lifeline>>)],
        mut troubles: Troubles,
        only: Option<&AppName>,
    ) {
        let mut known = self.troubles.borrow_mut();
        for (UpstreamSpec { app, spec, .. }, lifeline) in routed {
            let name = &spec.name;
            if only.is_some_and(|only| only != name) {
                troubles.extend(known.get(name).map(|trouble| (name.clone(), trouble.clone())));
                continue;
            }
            let why = troubles.get(name).map(|trouble| trouble.why.clone());
            let is_known = known.get(name).map(|trouble| &trouble.why) == why.as_ref();
            if let Some(why) = &why
                && lifeline.is_some()
                && spec.fault.is_none()
                && !is_known
            {
                error!(app = %name, %why, "the app cannot be run as it is configured now; it goes on as before");
            }
            self.shared.registry.set_problem(*app, why);
        }
        *known = troubles;
    }

    /// Records that an app keeps its old configuration because its new code does not work.
    pub(super) fn note_failure(&self, name: &AppName, why: Arc<str>) {
        self.troubles.borrow_mut().insert(name.clone(), Trouble { why: why.clone(), next: None });
        if let Some(app) = self.registry().find(name.as_str()) {
            self.registry().set_problem(app, Some(why));
        }
    }

    /// Records that an app runs with its configuration.
    pub(super) fn clear_trouble(&self, name: &AppName) {
        self.troubles.borrow_mut().remove(name);
        if let Some(app) = self.registry().find(name.as_str()) {
            self.registry().set_problem(app, None);
        }
    }

    /// Returns whether an app has a trouble that another try may resolve.
    pub(crate) fn is_troubled(&self, name: &str) -> bool {
        self.troubles.borrow().iter().any(|(known, trouble)| known.as_str() == name && trouble.next.is_some())
    }

    /// Returns why an app keeps its old configuration, if it does and its code is not the reason.
    pub(crate) fn stays_because(&self, name: &str) -> Option<String> {
        let members = self.members.borrow();
        let member = members.iter().find(|member| member.spec.name.as_str() == name)?;
        let troubles = self.troubles.borrow();
        let trouble = troubles.get(&member.spec.name).filter(|trouble| trouble.next.is_some())?;
        member.spec.fault.is_none().then(|| trouble.why.to_string())
    }

    /// Returns the apps whose configuration is due to be checked again, and schedules the next check of each.
    pub(crate) fn due(&self, now: Instant) -> Vec<AppName> {
        let members = self.members.borrow();
        let pause = |name: &AppName| {
            let member = members.iter().find(|member| member.spec.name == *name);
            member.map(|member| member.spec.settings.restart.slow_retry)
        };
        let mut due = Vec::new();
        for (name, trouble) in self.troubles.borrow_mut().iter_mut() {
            if trouble.next.is_some_and(|next| next <= now) {
                trouble.next = pause(name).map(|pause| now + pause);
                if let Some(app) = self.registry().find(name.as_str()) {
                    self.registry().retries(app, trouble.next);
                }
                due.push(name.clone());
            }
        }
        due
    }

    /// Returns whether there are apps and none of them can be run.
    pub(crate) fn is_all_broken(&self) -> bool {
        let members = self.members.borrow();
        !members.is_empty() && members.iter().all(|member| member.spec.fault.is_some())
    }
}
