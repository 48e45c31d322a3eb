//! Renders metrics in the text format of Prometheus, version 0.0.4:
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::fmt::{Display, Write as _};

use strum::VariantArray as _;

use crate::api::status::{AssetsStatus, SpareStatus};
use crate::api::usage::Usage;
use crate::model::overdue::Overdue;
use crate::model::refusal::Refusal;
use crate::model::run_outcome::RunOutcome;
use crate::model::state::AppState;
use crate::telemetry::histogram::Snapshot;
use crate::telemetry::occupancy::Occupied;
use crate::telemetry::seen::Gauges;
use crate::telemetry::traces;
use crate::telemetry::traffic::Limit;

pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The values at one moment.
#[derive(Debug)]
pub(crate) struct Sample {
    pub apps: Vec<Gauges>,
    /// Idle workers without an app.
    pub spares: Vec<SpareStatus>,
    /// Whether control groups enforce the limits of workers.
    pub has_cgroups: bool,
    /// Apps that wait to start a worker.
    pub starts_waiting: usize,
    /// CPU time and memory of the supervisor itself.
    pub supervisor: Usage,
    /// Open descriptors of the supervisor.
    pub descriptors: usize,
    /// Usage of the limits that all clients share.
    pub occupied: Occupied,
    pub spans: traces::SpanCounts,
    pub log_lines_dropped: usize,
    /// Seconds since the supervisor started.
    pub uptime: f64,
}

/// Renders all metrics.
pub(crate) fn render(sample: &Sample) -> String {
    let mut text = Text(String::with_capacity(16 * 1024));
    text.family("nano_info", "gauge", "The supervisor's version.");
    text.line("nano_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    of_apps(&mut text, &sample.apps);
    of_workers(&mut text, &sample.apps);
    of_limits(&mut text, &sample.apps);
    of_assets(&mut text, &sample.apps);
    of_crons(&mut text, &sample.apps);
    of_connections(&mut text, &sample.occupied);
    let Sample { spares, has_cgroups, supervisor, descriptors, log_lines_dropped, uptime, .. } = sample;
    text.family("nano_cgroups", "gauge", "Whether control groups hold workers to their limits.");
    text.line("nano_cgroups", &[], u8::from(*has_cgroups));
    text.family("nano_spares", "gauge", "Workers that have no app yet.");
    text.line("nano_spares", &[], spares.len());
    text.family("nano_spares_memory_bytes", "gauge", "Resident memory of all spares that is their own.");
    text.line("nano_spares_memory_bytes", &[], spares.iter().map(|spare| spare.memory).sum::<u64>());
    text.family("nano_starts_waiting", "gauge", "Apps that wait for their turn to start a worker.");
    text.line("nano_starts_waiting", &[], sample.starts_waiting);
    text.family("nano_spans_total", "counter", "Spans, by what has become of them.");
    let traces::SpanCounts { exported, failed, dropped } = sample.spans;
    for (outcome, count) in [("exported", exported), ("failed", failed), ("dropped", dropped)] {
        text.line("nano_spans_total", &[("outcome", outcome)], count);
    }
    text.family("nano_log_lines_dropped_total", "counter", "Log lines dropped because they came too fast.");
    text.line("nano_log_lines_dropped_total", &[], log_lines_dropped);
    text.family(
        "nano_supervisor_memory_bytes",
        "gauge",
        "Resident memory of the supervisor that is its own.",
    );
    text.line("nano_supervisor_memory_bytes", &[], supervisor.memory);
    text.family("nano_supervisor_cpu_seconds_total", "counter", "CPU time of the supervisor.");
    text.line("nano_supervisor_cpu_seconds_total", &[], supervisor.cpu.as_secs_f64());
    text.family("nano_supervisor_descriptors", "gauge", "Descriptors that the supervisor has open.");
    text.line("nano_supervisor_descriptors", &[], descriptors);
    text.family("nano_supervisor_uptime_seconds", "gauge", "Time since the supervisor started.");
    text.line("nano_supervisor_uptime_seconds", &[], uptime);
    text.0
}

fn of_apps(text: &mut Text, apps: &[Gauges]) {
    text.family("nano_requests_total", "counter", "Responses, by class of their status.");
    for app in apps {
        for (class, count) in app.seen.totals.responses.iter().enumerate().skip(1) {
            let class = format!("{}xx", class + 1);
            text.line("nano_requests_total", &[("app", &app.name), ("status", &class)], count);
        }
    }
    text.family(
        "nano_refusals_total",
        "counter",
        "Answers of the supervisor in place of the app, by their code.",
    );
    for app in apps {
        for (refusal, count) in
            Refusal::VARIANTS.iter().zip(&app.seen.totals.refusals).filter(|(_, count)| **count > 0)
        {
            text.line("nano_refusals_total", &[("app", &app.name), ("code", refusal.code())], count);
        }
    }
    text.each("nano_requests_waiting", "gauge", "Requests that wait for a worker.", apps, |app| app.waiting);
    text.each("nano_requests_in_flight", "gauge", "Requests in flight or waiting.", apps, |app| {
        app.in_flight
    });
    let (name, help) =
        ("nano_requests_in_flight_limit", "Requests in flight that there may be (`max_in_flight`).");
    text.each(name, "gauge", help, apps, |app| app.max_in_flight);
    let (name, help) = ("nano_requests_waiting_limit", "Requests that may wait for a worker (`max_queue`).");
    text.each(name, "gauge", help, apps, |app| app.max_queue);
    text.each("nano_websockets", "gauge", "WebSockets that clients have open.", apps, |app| app.websockets);
    let (name, help) = ("nano_websockets_limit", "WebSockets that there may be (`max_websockets`).");
    text.each(name, "gauge", help, apps, |app| app.max_websockets);
    let (name, help) =
        ("nano_websocket_messages_total", "Messages over WebSockets, of clients (`in`) and of the app.");
    text.family(name, "counter", help);
    for app in apps {
        let totals = &app.seen.totals;
        for (direction, count) in [("in", totals.messages_in), ("out", totals.messages_out)] {
            text.line(name, &[("app", &app.name), ("direction", direction)], count);
        }
    }
    let (name, help) =
        ("nano_request_body_bytes_total", "Bytes of request bodies, and of messages of clients.");
    text.each(name, "counter", help, apps, |app| app.seen.totals.bytes_in);
    let (name, help) =
        ("nano_response_body_bytes_total", "Bytes of response bodies, and of messages to clients.");
    text.each(name, "counter", help, apps, |app| app.seen.totals.bytes_out);
    let (name, help) = (
        "nano_buffered_bytes",
        "Bytes of bodies that the supervisor holds: clients have not taken them, or the worker has not.",
    );
    text.each(name, "gauge", help, apps, |app| app.buffered);
    let help =
        "Bytes of bodies that the supervisor may hold before responses have only the least (`max_buffered`).";
    text.each("nano_buffered_limit_bytes", "gauge", help, apps, |app| app.max_buffered);
    let (name, help) = ("nano_fetches_total", "What the workers of an app have fetched from their bindings.");
    text.each(name, "counter", help, apps, |app| app.seen.totals.fetches);
    let (name, help) = ("nano_responses_cut_off_total", "Responses that ended before they were complete.");
    text.each(name, "counter", help, apps, |app| app.seen.totals.cut_off);
    let (name, help) = (
        "nano_credit_stalls_total",
        "Times at which a request body had to wait because its worker did not read on.",
    );
    text.each(name, "counter", help, apps, |app| app.seen.totals.stalls);
    let help = "From the arrival of a request to its response head.";
    text.histogram("nano_request_seconds", help, apps, |app| &app.seen.totals.total);
    let help = "From the arrival of a request to the moment at which a worker took it.";
    text.histogram("nano_request_queue_seconds", help, apps, |app| &app.seen.totals.queue);
    let help = "From the moment at which a worker took a request to the response head: JavaScript, and what it waits for.";
    text.histogram("nano_request_worker_seconds", help, apps, |app| &app.seen.totals.worker);
}

fn of_assets(text: &mut Text, apps: &[Gauges]) {
    let with_files = || apps.iter().filter_map(|app| Some((&*app.name, app.assets?)));
    text.family("nano_asset_files", "gauge", "Static files of an app.");
    for (app, AssetsStatus { files, .. }) in with_files() {
        text.line("nano_asset_files", &[("app", app)], files);
    }
    let help = "Bytes of static files that are kept in memory, as they are and compressed.";
    text.family("nano_asset_memory_bytes", "gauge", help);
    for (app, AssetsStatus { memory, .. }) in with_files() {
        text.line("nano_asset_memory_bytes", &[("app", app)], memory);
    }
}

/// Limits that neither refuse a request nor end a worker. The others are counted with the refusals and the worker exits.
fn of_limits(text: &mut Text, apps: &[Gauges]) {
    let help =
        "How often a limit was broken, by the field that sets it; those of workers since the worker started.";
    text.family("nano_limit_broken_total", "counter", help);
    for app in apps {
        let stats = &app.stats;
        let of_worker = [
            ("wait_until_timeout", stats.late_background),
            ("max_outbound", stats.outbound_refused),
            ("max_fds", stats.no_descriptor),
            ("max_blocking", stats.blocking_refused),
            ("fetches", stats.fetches_refused),
            ("max_tmp", stats.tmp_refused),
            ("session_calls", stats.session_calls),
            ("session_stubs", stats.session_stubs),
            ("session_bytes", stats.session_bytes),
        ];
        let counted =
            Limit::VARIANTS.iter().map(|limit| (limit.name(), app.seen.totals.broken[*limit as usize]));
        for (field, count) in counted.chain(of_worker) {
            text.line("nano_limit_broken_total", &[("app", &app.name), ("limit", field)], count);
        }
    }
    let (name, help) =
        ("nano_worker_outbound_connections", "Outbound connections of the worker that are open.");
    text.each(name, "gauge", help, apps, |app| app.stats.outbound);
    let help = "Fetched bodies that were cancelled because nobody read them, since the worker started: with their request (`over`), or \
                to make room for another connection (`room`).";
    text.family("nano_worker_unread_bodies_total", "counter", help);
    for app in apps {
        for (why, count) in [("over", app.stats.unread_over), ("room", app.stats.unread_room)] {
            text.line("nano_worker_unread_bodies_total", &[("app", &app.name), ("why", why)], count);
        }
    }
    let (name, help) =
        ("nano_worker_blocking_calls", "Cryptographic calls of the worker that run or wait for a thread.");
    text.each(name, "gauge", help, apps, |app| app.stats.blocking);
}

/// Scheduled runs. No expression contains a character that a label value would have to escape.
fn of_crons(text: &mut Text, apps: &[Gauges]) {
    text.family("nano_scheduled_runs_total", "counter", "Scheduled runs, by how they ended.");
    let crons = || apps.iter().flat_map(|app| app.crons.iter().map(move |cron| (app, cron)));
    for (app, cron) in crons() {
        for (outcome, count) in RunOutcome::VARIANTS.iter().zip(cron.runs) {
            let labels = [("app", &*app.name), ("cron", &cron.cron), ("outcome", outcome.name())];
            text.line("nano_scheduled_runs_total", &labels, count);
        }
    }
    let help = "When the last scheduled run began, in seconds since 1970.";
    text.family("nano_scheduled_last_run_timestamp_seconds", "gauge", help);
    for (app, cron) in crons() {
        let labels = [("app", &*app.name), ("cron", &*cron.cron)];
        cron.last_began
            .iter()
            .for_each(|began| text.line("nano_scheduled_last_run_timestamp_seconds", &labels, began));
    }
}

/// Limits that all clients share, and the connections that were refused or closed for them.
fn of_connections(text: &mut Text, occupied: &Occupied) {
    let Occupied { taken, listeners, max_connections, max_heads, max_per_client } = occupied;
    text.family("nano_connections", "gauge", "Open client connections, by listening address.");
    for (address, open) in listeners {
        text.line("nano_connections", &[("listen", address)], open);
    }
    text.family(
        "nano_connections_limit",
        "gauge",
        "Client connections that there may be (`max_connections`).",
    );
    text.line("nano_connections_limit", &[], max_connections);
    let help = "Client connections that the supervisor has ended, by why.";
    text.family("nano_connections_ended_total", "counter", help);
    for (why, count) in Overdue::VARIANTS.iter().zip(&taken.ended) {
        text.line("nano_connections_ended_total", &[("why", why.name())], count);
    }
    let help =
        "Client connections that were not let in: there is little room, and their client has much of it.";
    text.family("nano_connections_refused_total", "counter", help);
    text.line("nano_connections_refused_total", &[], taken.refused);
    let help = "Answers over HTTP/2 that were reset because their client was too slow to take them.";
    text.family("nano_streams_reset_total", "counter", help);
    text.line("nano_streams_reset_total", &[], taken.reset);
    let help = "Times at which nothing more was read of a client for a moment: its connections had sent too much that asks for nothing.";
    text.family("nano_clients_held_up_total", "counter", help);
    text.line("nano_clients_held_up_total", &[], taken.held_up);
    text.family("nano_heads_bytes", "gauge", "Bytes of unfinished request heads.");
    text.line("nano_heads_bytes", &[], taken.heads);
    let help = "Bytes of unfinished request heads that there may be (`max_heads`).";
    text.family("nano_heads_limit_bytes", "gauge", help);
    text.line("nano_heads_limit_bytes", &[], max_heads);
    let help = "Bytes of response bodies held for the client that is nearest to its share, as if all I/O threads held as many as the one that holds most.";
    text.family("nano_client_buffered_bytes", "gauge", help);
    text.line("nano_client_buffered_bytes", &[], taken.heaviest.map_or(0, |(_, held)| held));
    let help =
        "Bytes that bodies of one client may hold (`max_buffered_per_client`); each I/O thread has its part.";
    text.family("nano_client_buffered_limit_bytes", "gauge", help);
    text.line("nano_client_buffered_limit_bytes", &[], max_per_client);
    let help = "Clients whose share of that is given out, to bodies or to what they may send next: they get the least at a time.";
    text.family("nano_clients_at_their_share", "gauge", help);
    text.line("nano_clients_at_their_share", &[], taken.spent);
}

fn of_workers(text: &mut Text, apps: &[Gauges]) {
    text.each("nano_app_ready", "gauge", "Whether the app is ready.", apps, |app| {
        u8::from(app.state == AppState::Ready)
    });
    text.each("nano_worker_starts_total", "counter", "Workers started after the first.", apps, |app| {
        app.starts
    });
    text.family("nano_worker_ends_total", "counter", "Workers that ended unasked, by cause.");
    for app in apps {
        for (cause, count) in &app.ends {
            text.line("nano_worker_ends_total", &[("app", &app.name), ("cause", cause)], count);
        }
    }
    let (name, help) = ("nano_worker_memory_bytes", "Resident memory of the worker that is its own.");
    text.each(name, "gauge", help, apps, |app| app.seen.usage.memory);
    let (name, help) =
        ("nano_worker_resident_bytes", "All resident memory of the worker, shared files included.");
    text.each(name, "gauge", help, apps, |app| app.seen.usage.rss);
    text.each("nano_worker_heap_bytes", "gauge", "V8 heap in use.", apps, |app| app.stats.heap_used);
    text.each("nano_worker_heap_limit_bytes", "gauge", "V8 heap limit.", apps, |app| app.stats.heap_limit);
    let (name, help) =
        ("nano_worker_external_bytes", "Memory outside of the heap that JavaScript keeps alive.");
    text.each(name, "gauge", help, apps, |app| app.stats.external);
    let (name, help) = ("nano_worker_cpu_seconds", "CPU time of the present worker.");
    text.each(name, "gauge", help, apps, |app| app.seen.usage.cpu.as_secs_f64());
}

struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Label values need no escaping: they are app names, causes and numbers.
    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (at, (label, value)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"{value}\"", if at == 0 { '{' } else { ',' });
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{end} {value}");
    }

    fn each<T: Display>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        apps: &[Gauges],
        value: impl Fn(&Gauges) -> T,
    ) {
        self.family(name, kind, help);
        apps.iter().for_each(|app| self.line(name, &[("app", &app.name)], value(app)));
    }

    fn histogram(&mut self, name: &str, help: &str, apps: &[Gauges], of: impl Fn(&Gauges) -> &Snapshot) {
        self.family(name, "histogram", help);
        for app in apps {
            let (snapshot, bucket) = (of(app), format!("{name}_bucket"));
            for (bound, below) in snapshot.cumulative() {
                self.line(&bucket, &[("app", &app.name), ("le", &bound.to_string())], below);
            }
            self.line(&bucket, &[("app", &app.name), ("le", "+Inf")], snapshot.count());
            self.line(&format!("{name}_sum"), &[("app", &app.name)], snapshot.sum().as_secs_f64());
            self.line(&format!("{name}_count"), &[("app", &app.name)], snapshot.count());
        }
    }
}
