//! What is looked at once a second: counts, limits that are near, spares.

use std::time::Instant;

use super::Fleet;
use crate::monitor;
use crate::occupancy::Occupied;

impl Fleet {
    /// Does what nobody else does: takes the counts, and replaces spares that have died. Never returns.
    pub async fn look_after(&self) {
        let mut looks = tokio::time::interval(monitor::LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            self.monitor.look(Instant::now(), self.registry().seen());
            self.look_for_nearness();
            self.shared.tend_spares();
            self.spares().cgroups().tidy();
        }
    }

    /// Says which limits are near.
    fn look_for_nearness(&self) {
        let (now, mut nearness) = (Instant::now(), self.nearness.borrow_mut());
        let Occupied { taken, max_connections, max_heads, .. } = self.occupied();
        nearness.look(now, "max_connections", "connections", taken.connections, max_connections);
        nearness.look(now, "max_heads", "bytes of unfinished heads", taken.heads, max_heads);
        for member in &*self.members.borrow() {
            let (app, limits, traffic) = (member.spec.name.as_str(), &member.spec.limits, &member.traffic);
            let whose = |what: &str| format!("{what} of app {app}");
            let (in_flight, waiting) = (traffic.in_flight() as u64, traffic.waiting() as u64);
            nearness.look(
                now,
                "max_in_flight",
                &whose("requests in flight"),
                in_flight,
                limits.max_in_flight as u64,
            );
            nearness.look(now, "max_queue", &whose("waiting requests"), waiting, limits.max_queue as u64);
        }
    }

    /// What all connections hold.
    pub fn occupied(&self) -> Occupied {
        let settings = self.settings.borrow();
        let listening = self.listening.borrow();
        let taken = self.occupancy.taken();
        let doors = listening.iter().map(|listening| {
            let open = taken.doors.get(&listening.id).copied().unwrap_or_default();
            (listening.address.to_string(), open)
        });
        Occupied {
            doors: doors.collect(),
            max_connections: settings.max_connections as u64,
            max_heads: settings.max_heads as u64,
            taken,
        }
    }
}
