//! What the fleet does once a second: takes counts, reports limits that are nearly reached, and replaces spares.

use std::time::Instant;

use super::Fleet;
use crate::telemetry::monitor;
use crate::telemetry::occupancy::Occupied;

impl Fleet {
    /// Takes the counts, reports limits that are nearly reached, and replaces dead spares, once a second. Never returns.
    pub(crate) async fn look_after(&self) {
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

    /// Reports limits that are nearly reached.
    fn look_for_nearness(&self) {
        let (now, mut nearness) = (Instant::now(), self.nearness.borrow_mut());
        let max_buffered = self.settings.borrow().max_buffered as u64;
        let Occupied { taken, max_connections, max_heads, max_per_client, .. } = self.occupied();
        nearness.look(now, "max_connections", "", "connections", taken.connections, max_connections);
        nearness.look(now, "max_heads", "", "bytes of unfinished heads", taken.heads, max_heads);
        if let Some((client, held)) = taken.heaviest {
            let whose = format!("bytes of bodies of client {client}");
            nearness.look(now, "max_buffered_per_client", "", &whose, held, max_per_client);
        }
        let apps = self.registry().gauges();
        let buffered = apps.iter().map(|app| app.buffered).sum();
        nearness.look(now, "server.max_buffered", "", "bytes of bodies", buffered, max_buffered);
        for app in apps {
            let (in_flight, waiting) = (app.in_flight as u64, app.waiting as u64);
            for (field, what, taken, limit) in [
                ("max_in_flight", "requests in flight", in_flight, app.max_in_flight as u64),
                ("max_queue", "waiting requests", waiting, app.max_queue as u64),
                ("max_buffered", "bytes of bodies", app.buffered, app.max_buffered),
                ("max_blocking", "blocking calls", app.stats.blocking.into(), app.max_blocking.into()),
                ("max_outbound", "outbound connections", app.stats.outbound.into(), app.max_outbound.into()),
            ] {
                nearness.look(now, field, &app.name, &format!("{what} of app {}", app.name), taken, limit);
            }
        }
    }

    /// Returns what all connections hold, with the limits.
    pub(crate) fn occupied(&self) -> Occupied {
        let settings = self.settings.borrow();
        let listening = self.listening.borrow();
        let taken = self.occupancy.taken();
        let listeners = listening.iter().map(|listening| {
            let open = taken.listeners.get(&listening.id).copied().unwrap_or_default();
            (listening.address.to_string(), open)
        });
        Occupied {
            listeners: listeners.collect(),
            max_connections: settings.max_connections as u64,
            max_heads: settings.max_heads as u64,
            max_per_client: settings.buffered_per_client() as u64,
            taken,
        }
    }
}
