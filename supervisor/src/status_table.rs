//! `status` for people: one aligned line per app.

use std::time::Duration;

use crate::status::AppStatus;

const HEADINGS: [&str; 14] = [
    "APP",
    "STATE",
    "PID",
    "UPTIME",
    "RESTARTS",
    "REQ/S",
    "P50",
    "P99",
    "IN FLIGHT",
    "MEMORY",
    "HEAP",
    "CPU",
    "LISTEN",
    "LAST EXIT",
];

/// Two spaces between columns; the last column is as long as it needs to be.
pub fn render(apps: &[AppStatus]) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    rows.extend(apps.iter().map(row));
    let widths: Vec<usize> = (0..HEADINGS.len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells: Vec<_> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:width$}", width = *width))
                .collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}

fn row(app: &AppStatus) -> [String; HEADINGS.len()] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let listen = match app.hosts.as_slice() {
        [] => app.listen.clone(),
        hosts => format!("{} ({})", app.listen, hosts.join(" ")),
    };
    // Reasons may go over several lines; the first says what it was.
    let last_exit = app.last_exit.as_ref().and_then(|text| text.lines().next()).map(str::to_owned);
    let size = |bytes: u64| or_dash((bytes > 0).then(|| bytesize::ByteSize(bytes).to_string()));
    let ms = |ms: Option<f64>| or_dash(ms.map(|ms| format!("{ms:.1}ms")));
    let is_running = app.pid.is_some();
    [
        app.app.clone(),
        app.state.clone(),
        or_dash(app.pid.map(|pid| pid.to_string())),
        or_dash(app.uptime_seconds.map(|seconds| {
            humantime::format_duration(Duration::from_secs(seconds)).to_string().replace(' ', "")
        })),
        app.restarts.to_string(),
        format!("{:.1}", app.rates.requests_per_second),
        ms(app.rates.p50_ms),
        ms(app.rates.p99_ms),
        app.in_flight.to_string(),
        size(app.memory),
        size(app.heap_used),
        or_dash(is_running.then(|| format!("{:.0}%", app.rates.cpu_percent))),
        listen,
        or_dash(last_exit),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::Rates;

    #[test]
    fn columns_are_aligned() {
        let app = |name: &str, pid, last_exit: Option<&str>| AppStatus {
            app: name.into(),
            state: "ready".into(),
            pid,
            uptime_seconds: Some(61),
            in_flight: 3,
            restarts: 0,
            last_exit: last_exit.map(str::to_owned),
            heap_used: 3 << 20,
            heap_limit: 0,
            memory: 0,
            rss: 0,
            cpu_seconds: 0.0,
            requests: 0,
            errors: 0,
            rates: Rates {
                requests_per_second: 12.34,
                p50_ms: Some(0.456),
                cpu_percent: 7.8,
                ..Rates::default()
            },
            listen: "*:80".into(),
            hosts: Vec::new(),
        };
        assert_eq!(
            render(&[app("a", Some(12), None), app("long-name", None, Some("killed by SIGKILL\nmore"))]),
            "APP        STATE  PID  UPTIME  RESTARTS  REQ/S  P50    P99  IN FLIGHT  MEMORY  HEAP     CPU  LISTEN  LAST EXIT\n\
             a          ready  12   1m1s    0         12.3   0.5ms  -    3          -       3.0 MiB  8%   *:80    -\n\
             long-name  ready  -    1m1s    0         12.3   0.5ms  -    3          -       3.0 MiB  -    *:80    killed by SIGKILL"
        );
    }
}
