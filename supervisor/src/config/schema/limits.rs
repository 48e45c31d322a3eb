//! The limits of one app.

use std::time::Duration;

use nano_protocol::limits::{MAX_IN_FLIGHT, MAX_SOCKETS};
use serde_json::{Value as Json, json};
use toml::de::DeValue;

use crate::config::document::quantity::{show_duration, show_size};
use crate::config::document::section::Section;
use crate::config::document::value;
use crate::config::errors::{Flaw, Problems};
use crate::config::setting::kinds::{self, duration, size, whole};
use crate::config::setting::units::{DAY, GIB, HOUR, KIB, MIB, ms, secs};
use crate::config::setting::{Setting, SettingGroup as _, settings};
use crate::model::shares;

settings! {
    /// What one app may use.
    pub(crate) struct AppLimits {
        /// How long an app may take from the complete request to the response head. After that the answer is 504. The
        /// client has as long between two parts of its body, and may be as far behind `min_rate` with it; after that the
        /// answer is 408.
        request_timeout: Duration = secs(30), duration(ms(10)..=DAY);

        /// How long a request may wait for a worker. After that the answer is 503.
        queue_timeout: Duration = secs(5), duration(Duration::ZERO..=HOUR);

        /// How long a new worker may take to start and to load the app.
        start_timeout: Duration = secs(10), duration(ms(50)..=HOUR);

        /// Greatest number of requests at once. Further ones are answered 503.
        max_in_flight: usize = 2048, whole(1..=MAX_IN_FLIGHT);

        /// Greatest number of requests at once of one client address. Further ones are answered 429; the value of
        /// `max_in_flight` means no limit.
        max_in_flight_per_client: Option<usize> = None,
            whole(1..=MAX_IN_FLIGHT).optional().by_default("three quarters of `max_in_flight`");

        /// Least number of bytes per second at which clients must send bodies and receive responses. While the client is
        /// waited for, a slower one has `request_timeout` for a body and `send_timeout` for a response; `false` accepts any
        /// rate.
        // The default of Apache's mod_reqtimeout. Any phone is faster.
        min_rate: Option<u64> = Some(500), size(1..=MIB).or_false();

        /// Greatest number of requests that wait for a worker. Further ones are answered 503.
        max_queue: usize = 1024, whole(0..=MAX_IN_FLIGHT);

        /// Greatest number of WebSockets at once that clients have open to the app; 0 for none. Further ones are answered 503. They do
        /// not count as requests in flight.
        max_websockets: usize = 8192, whole(0..=MAX_SOCKETS);

        /// Longest message that a client may send over a WebSocket, or a server or another app over one that the app has opened. A longer
        /// one closes it with the code 1009.
        max_websocket_message: u64 = 32 * MIB, size(KIB..=GIB);

        /// How much the messages of all WebSockets may hold in the worker: those from clients until they are complete, and those of
        /// the app until they have left. Beyond it, the WebSocket that holds most is ended: with the code 1013 if that is
        /// because of what its client sends. WebSockets that the app has opened may hold as much again.
        // A message of the greatest length has to fit.
        max_websocket_buffered: u64 = 64 * MIB, size(MIB..=64 * GIB);

        /// How long the client of a WebSocket may be silent before it is pinged, or `false` for never.
        websocket_ping: Option<Duration> = Some(secs(30)), duration(ms(50)..=DAY).or_false();

        /// How long the client of a WebSocket may be silent, pongs included. After that it counts as gone. Where clients are
        /// pinged, it must be longer than `websocket_ping`.
        websocket_timeout: Option<Duration> = Some(secs(90)), duration(ms(50)..=DAY).or_false();

        /// Longest request body. A longer one is answered 413.
        max_body: u64 = 128 * MIB, size(0..=1024 * GIB);

        /// Longest response body, or `false` for no limit. A longer one is answered 500 if its length is known beforehand,
        /// otherwise it is cut off.
        max_response: Option<u64> = None, size(0..=1024 * GIB).or_false();

        /// How much bodies may hold in the supervisor on their way. Beyond it, each response has only 16 KiB, see [how it
        /// is measured](limits.md#how-they-are-measured).
        // The windows of a few responses have to fit.
        max_buffered: u64 = 64 * MIB, size(MIB..=64 * GIB);

        /// CPU time of one request, including work after the response, however often it waits in between. Beyond it the
        /// answer is 503, and the worker is replaced.
        cpu_time: Duration = secs(30), duration(ms(50)..=DAY);

        /// How long a run of the `scheduled` handler may take, with all that it hands to `waitUntil`. After that it is given
        /// up, and the next one may begin.
        scheduled_timeout: Duration = secs(15 * 60), duration(ms(50)..=DAY);

        /// How long work handed to `waitUntil` keeps a worker that is to end, after the response.
        wait_until_timeout: Duration = secs(30), duration(Duration::ZERO..=DAY);

        /// How much an app may log per second, and at once. Further lines are dropped, and a line says how many; each
        /// counts its text and 128 bytes.
        // A line of the greatest length has to fit.
        log_rate: u64 = MIB, size(128 * KIB..=GIB);

        /// Greatest number of outbound connections at once. Further ones wait up to 10 s, and close a connection that is
        /// kept for later, or whose response nobody reads, if there is one.
        max_outbound: u32 = 256, whole(1..=65_536);

        /// Greatest number of calls of `crypto.subtle`, and of `pbkdf2`, `scrypt` and `hkdf` of `node:crypto`, that run or
        /// wait at once. Two run at a time; calls beyond the limit fail.
        max_blocking: u32 = 1024, whole(2..=65_536);

        /// How many bytes the [files](web-platform.md#files) may have that the requests of a worker write to `/tmp`. Those of one
        /// request may have half of it. Writing more fails with `ENOSPC`.
        max_tmp: u64 = 128 * MIB, size(0..=64 * GIB);

        /// Greatest number of descriptors that the worker may have open: files, and connections of either kind.
        // A worker needs about 30 to boot and to load an app.
        max_fds: u64 = 1024, whole(64..=MIB);

        /// Greatest number of processes and threads of the worker. It needs a [control group](limits.md#control-groups).
        // A worker needs about 10 to boot, and V8 more with the number of CPUs.
        max_pids: u64 = 256, whole(32..=MIB);

        /// How many CPUs the worker may use on average, such as `0.5`, or `false` for no limit. It needs a [control
        /// group](limits.md#control-groups).
        max_cpus: Option<u32> = None, cpus().or_false();

        /// Greatest size of V8's heap. The worker is replaced when it is used up.
        heap: u64 = 128 * MIB,
            size(16 * MIB..=64 * GIB).by_default("`\"128MiB\"`, at most an eighth of the memory of the machine or container");

        /// How much memory the worker process may have resident besides its code: V8's heap, buffers, WebAssembly. The
        /// worker is replaced when it has more; `false` for no limit. It is measured twice a second, or held by the kernel
        /// in a [control group](limits.md#control-groups), and must not be less than `heap`.
        memory: Option<u64> = Some(512 * MIB), size(32 * MIB..=1024 * GIB).or_false()
            .by_default("`\"512MiB\"`, at most half of the machine's or container's, and at least twice `heap`");

        /// Longest time that JavaScript may run without returning to the event loop. After that the answer is 504, and the
        /// worker is replaced. It must be shorter than `hung_timeout`.
        watchdog: Duration = secs(5), duration(ms(50)..=HOUR);

        /// How long a worker may leave pings unanswered before it is killed. It must be longer than `watchdog`.
        hung_timeout: Duration = secs(10), duration(ms(100)..=DAY);
    }
}

/// A number of CPUs, in thousandths of a CPU.
fn cpus() -> Setting<u32> {
    // The kernel requires at least a millisecond per period.
    let bounds = 0.01..=1024.0;
    let schema = json!({ "type": "number", "minimum": bounds.start(), "maximum": bounds.end() });
    // Cannot overflow within the bounds.
    let convert = move |found: &DeValue<'_>| {
        value::decimal(bounds.clone())(found).map(|cpus| (cpus * 1000.0).round() as u32)
    };
    kinds::value("number", schema, convert, |cpus| json!(f64::from(*cpus) / 1000.0))
}

impl AppLimits {
    /// Returns each limit with its value as it would be written in the file, without quotes.
    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let shown = |value: Json| match value {
            Json::String(text) => text,
            value => value.as_f64().map_or_else(|| value.to_string(), |number| number.to_string()),
        };
        let mut all: Vec<_> = self.in_force().into_iter().map(|(name, value)| (name, shown(value))).collect();
        let per_client = all.iter_mut().filter(|(name, _)| *name == "max_in_flight_per_client");
        per_client.for_each(|(_, shown)| *shown = self.per_client().to_string());
        all
    }

    /// Returns how many requests of one client may be in flight.
    pub(crate) fn per_client(&self) -> usize {
        self.max_in_flight_per_client.unwrap_or_else(|| shares::common(self.max_in_flight))
    }

    /// Returns whether one client may use only a part of the requests in flight.
    pub(crate) fn has_client_share(&self) -> bool {
        self.per_client() < self.max_in_flight
    }

    /// Returns whether a client with `own` of the `taken` requests in flight may have one more, on one of `threads` I/O threads.
    pub(crate) fn may_enter(&self, taken: usize, own: usize, threads: usize) -> bool {
        !self.has_client_share()
            || (own < self.per_client() && shares::may_have(self.max_in_flight, taken, own, threads))
    }

    /// Records limits that contradict each other, if the section sets one of them.
    pub(crate) fn check(&self, section: &Section<'_>, problems: &mut Problems) {
        // While JavaScript runs, the worker answers no pings. The watchdog knows why and has to act first.
        let field = if section.has("watchdog") { "watchdog" } else { "hung_timeout" };
        if section.has(field) && self.watchdog >= self.hung_timeout {
            let (watchdog, hung_timeout) = (show_duration(self.watchdog), show_duration(self.hung_timeout));
            let what = format!("watchdog ({watchdog}) must be shorter than hung_timeout ({hung_timeout})");
            let fix = "set `hung_timeout` to about twice `watchdog`";
            problems.add(section.place(field), Flaw::new(what, fix));
        }
        let field = if section.has("websocket_timeout") { "websocket_timeout" } else { "websocket_ping" };
        if let (Some(ping), Some(timeout)) = (self.websocket_ping, self.websocket_timeout)
            && section.has(field)
            && ping >= timeout
        {
            let (ping, timeout) = (show_duration(ping), show_duration(timeout));
            let what = format!("websocket_timeout ({timeout}) must be longer than websocket_ping ({ping})");
            let fix = "set `websocket_timeout` to about three times `websocket_ping`";
            problems.add(section.place(field), Flaw::new(what, fix));
        }
        let field = match section.has("max_websocket_buffered") {
            true => "max_websocket_buffered",
            false => "max_websocket_message",
        };
        if section.has(field) && self.max_websocket_buffered < self.max_websocket_message {
            let (all, one) = (show_size(self.max_websocket_buffered), show_size(self.max_websocket_message));
            let what = format!(
                "max_websocket_buffered ({all}) must not be less than max_websocket_message ({one}), or no such message arrives"
            );
            let fix = "raise `max_websocket_buffered` or lower `max_websocket_message`";
            problems.add(section.place(field), Flaw::new(what, fix));
        }
        // Otherwise the worker would be killed before V8 reports that its heap is full.
        let field = if section.has("memory") { "memory" } else { "heap" };
        if let Some(memory) = self.memory
            && section.has(field)
            && memory < self.heap
        {
            let (memory, heap) = (show_size(memory), show_size(self.heap));
            let what = format!("memory ({memory}) must not be less than heap ({heap})");
            problems.add(section.place(field), Flaw::new(what, "raise `memory` or lower `heap`"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_may_have_three_quarters_unless_something_else_is_said() {
        let limits = AppLimits { max_in_flight: 8, ..AppLimits::default() };
        assert_eq!((limits.per_client(), limits.may_enter(5, 5, 1)), (6, true));
        assert!(!limits.may_enter(6, 6, 1) && limits.may_enter(7, 0, 1));
        let few = AppLimits { max_in_flight_per_client: Some(2), ..limits.clone() };
        assert!(few.may_enter(5, 1, 1) && !few.may_enter(2, 2, 1));
        let all = AppLimits { max_in_flight_per_client: Some(8), ..limits };
        assert!(all.may_enter(7, 7, 1));
        // One request cannot be divided among clients.
        let one = AppLimits { max_in_flight: 1, ..AppLimits::default() };
        assert!(one.may_enter(0, 0, 1));
    }
}
