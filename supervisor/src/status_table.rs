//! `status` for people: one aligned line per app.

use std::time::Duration;

use crate::registry::AppStatus;

const HEADINGS: [&str; 9] =
    ["APP", "STATE", "PID", "UPTIME", "IN FLIGHT", "RESTARTS", "HEAP", "LISTEN", "LAST EXIT"];

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
    [
        app.app.clone(),
        app.state.clone(),
        or_dash(app.pid.map(|pid| pid.to_string())),
        or_dash(app.uptime_seconds.map(|seconds| {
            humantime::format_duration(Duration::from_secs(seconds)).to_string().replace(' ', "")
        })),
        app.in_flight.to_string(),
        app.restarts.to_string(),
        or_dash((app.heap_used > 0).then(|| bytesize::ByteSize(app.heap_used).to_string())),
        listen,
        or_dash(last_exit),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let app = |name: &str, last_exit: Option<&str>| AppStatus {
            app: name.into(),
            state: "ready".into(),
            pid: Some(12),
            uptime_seconds: Some(61),
            in_flight: 3,
            restarts: 0,
            last_exit: last_exit.map(str::to_owned),
            heap_used: 3 << 20,
            requests: 0,
            listen: "*:80".into(),
            hosts: Vec::new(),
        };
        assert_eq!(
            render(&[app("a", None), app("long-name", Some("killed by SIGKILL\nmore"))]),
            "APP        STATE  PID  UPTIME  IN FLIGHT  RESTARTS  HEAP     LISTEN  LAST EXIT\n\
             a          ready  12   1m1s    3          0         3.0 MiB  *:80    -\n\
             long-name  ready  12   1m1s    3          0         3.0 MiB  *:80    killed by SIGKILL"
        );
    }
}
