//! The table of `status`: the columns that fit, apps with problems first, and notes on separate lines.

use std::time::{Duration, SystemTime};

use bytesize::ByteSize;

use super::super::terminal::{Paint, Tone, columns, cut, many, wrap};
use super::problem::{AppHealth, Severity, age, state};
use crate::api::status::AppStatus;

/// A column: heading, how early it is left out for lack of room (higher is earlier), and the value for an app.
type Column = (&'static str, u8, fn(&AppStatus) -> String);

const COLUMNS: &[Column] = &[
    ("APP", 0, |app| app.app.clone()),
    ("STATE", 0, |app| state(app).to_owned()),
    ("PID", 10, |app| or_dash(app.pid.map(|pid| pid.to_string()))),
    ("UPTIME", 1, |app| {
        or_dash(app.uptime_seconds.map(|seconds| age(Duration::from_secs(seconds)).replace(' ', "")))
    }),
    ("CRASHES", 2, |app| app.crashes.to_string()),
    ("RESTARTS", 11, |app| app.restarts.to_string()),
    ("DEPLOYS", 12, |app| app.deploys.to_string()),
    ("REQ/S", 3, |app| format!("{:.1}", app.rates.requests_per_second)),
    ("P50", 9, |app| ms(app.rates.p50_ms)),
    ("P99", 7, |app| ms(app.rates.p99_ms)),
    ("IN FLIGHT", 8, |app| app.in_flight.to_string()),
    ("MEMORY", 4, |app| size(app.memory)),
    ("HEAP", 13, |app| size(app.heap_used)),
    ("CPU", 5, |app| or_dash(app.pid.map(|_| format!("{:.0}%", app.rates.cpu_percent)))),
    ("LISTEN", 6, listen),
];

/// Blanks between two columns.
const GAP: usize = 2;

/// Prefixes of the first line of a note and of its further lines.
const NOTE: &str = "  └ ";
const NOTE_ON: &str = "    ";

/// Minimum and maximum width of a truncated name or address.
const LEAST: usize = 12;

/// Renders the apps as lines of at most `width` columns. Without a width, each app is one line that ends with its last exit,
/// for programs that read lines.
pub(in crate::cli) fn render(
    apps: &[AppStatus],
    width: Option<usize>,
    paint: Paint,
    now: SystemTime,
) -> Vec<String> {
    let mut apps: Vec<_> = apps.iter().map(|app| (AppHealth::of(app, now), app)).collect();
    apps.sort_by(|(one, first), (other, second)| {
        (one.severity, &first.app).cmp(&(other.severity, &second.app))
    });
    let Some(width) = width else { return full(&apps) };
    let shown = chosen(&apps, width);
    let mut lines = vec![paint.tone(Tone::Head, row(&shown, None, paint))];
    for (problem, app) in &apps {
        lines.push(row(&shown, Some((problem, app)), paint));
        let mut notes = problem.notes.iter().flat_map(|note| {
            let wrapped = wrap(note, width.saturating_sub(columns(NOTE)).max(LEAST));
            wrapped
                .into_iter()
                .enumerate()
                .map(|(index, line)| (if index == 0 { NOTE } else { NOTE_ON }, line))
        });
        lines.extend(
            notes.by_ref().map(|(begin, note)| paint.tone(problem.severity.tone(), format!("{begin}{note}"))),
        );
    }
    lines
}

/// The number of apps in each state.
pub(in crate::cli) fn summary(apps: &[AppStatus]) -> String {
    let mut states: Vec<(&str, usize)> = Vec::new();
    for app in apps {
        match states.iter_mut().find(|(known, _)| *known == state(app)) {
            Some((_, count)) => *count += 1,
            None => states.push((state(app), 1)),
        }
    }
    states.sort_by_key(|(state, count)| (std::cmp::Reverse(*count), *state));
    let states: Vec<_> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let apps = many(apps.len() as u64, "app", "apps");
    if states.is_empty() { apps } else { format!("{apps}: {}", states.join(", ")) }
}

/// A visible column, and its width.
type Shown = (&'static Column, usize);

/// The columns that fit, in order.
fn chosen(apps: &[(AppHealth, &AppStatus)], width: usize) -> Vec<Shown> {
    let natural = |(name, _, cell): &Column| {
        let cells = apps.iter().map(|(_, app)| columns(&cell(app)));
        cells.max().unwrap_or(0).max(columns(name))
    };
    let mut shown: Vec<Shown> = COLUMNS.iter().map(|column| (column, natural(column))).collect();
    let total = |shown: &[Shown]| shown.iter().map(|(_, width)| width + GAP).sum::<usize>() - GAP;
    // Long names and addresses are truncated before a column is left out.
    for name in ["LISTEN", "APP"] {
        let over = total(&shown).saturating_sub(width);
        if let Some((_, width)) = shown.iter_mut().find(|((found, ..), _)| *found == name) {
            *width = width.saturating_sub(over).max((*width).min(LEAST));
        }
    }
    while total(&shown) > width
        && let Some(least) = (0..shown.len()).filter(|at| shown[*at].0.1 > 0).max_by_key(|at| shown[*at].0.1)
    {
        shown.remove(least);
    }
    // Truncated columns get the room that is left.
    for name in ["APP", "LISTEN"] {
        let free = width.saturating_sub(total(&shown));
        if let Some((column, width)) = shown.iter_mut().find(|((found, ..), _)| *found == name) {
            *width = natural(column).min(*width + free);
        }
    }
    shown
}

fn row(shown: &[Shown], app: Option<(&AppHealth, &AppStatus)>, paint: Paint) -> String {
    let mut cells = Vec::with_capacity(shown.len());
    for (index, ((name, _, cell), width)) in shown.iter().enumerate() {
        let text = cut(&app.map_or_else(|| (*name).to_owned(), |(_, app)| cell(app)), *width);
        let is_last = index + 1 == shown.len();
        let padding = if is_last { 0 } else { width - columns(&text) };
        let tone = match app {
            Some((problem, app)) if *name == "STATE" => state_tone(problem.severity, app),
            _ => Tone::Plain,
        };
        cells.push(paint.tone(tone, text) + &" ".repeat(padding));
    }
    cells.join(&" ".repeat(GAP)).trim_end().to_owned()
}

/// The colour of a state.
pub(super) fn state_tone(severity: Severity, app: &AppStatus) -> Tone {
    match severity {
        Severity::None | Severity::Warning if app.pid.is_some() => Tone::Good,
        Severity::None | Severity::Warning => Tone::Faint,
        severity => severity.tone(),
    }
}

fn full(apps: &[(AppHealth, &AppStatus)]) -> Vec<String> {
    let last_exit: Column = ("LAST EXIT", 0, |app| {
        or_dash(app.last_exit.as_ref().and_then(|text| text.lines().next()).map(str::to_owned))
    });
    let all: Vec<&Column> = COLUMNS.iter().chain([&last_exit]).collect();
    let widths = all.iter().map(|(name, _, cell)| {
        apps.iter().map(|(_, app)| columns(&cell(app))).max().unwrap_or(0).max(columns(name))
    });
    let shown: Vec<_> = all.iter().copied().zip(widths).collect();
    let line = |app: Option<&AppStatus>| {
        let cells = shown.iter().map(|((name, _, cell), width)| {
            let text = app.map_or_else(|| (*name).to_owned(), cell);
            format!("{text}{}", " ".repeat(width - columns(&text)))
        });
        cells.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end().to_owned()
    };
    [line(None)].into_iter().chain(apps.iter().map(|(_, app)| line(Some(app)))).collect()
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".into())
}

fn ms(ms: Option<f64>) -> String {
    or_dash(ms.map(|ms| format!("{ms:.1}ms")))
}

fn size(bytes: u64) -> String {
    or_dash((bytes > 0).then(|| ByteSize(bytes).to_string().replace(' ', "")))
}

/// The address and hosts of an app.
pub(in crate::cli) fn listen(app: &AppStatus) -> String {
    match app.hosts.as_slice() {
        [] => app.listen.clone(),
        hosts => format!("{} ({})", app.listen, hosts.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::status::Rates;
    use crate::model::state::AppState;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn app(name: &str, state: AppState, last_exit: Option<&str>) -> AppStatus {
        let is_up = state == AppState::Ready;
        AppStatus {
            app: name.into(),
            state,
            pid: is_up.then_some(123),
            uptime_seconds: is_up.then_some(61),
            in_flight: 3,
            websockets: 0,
            crashes: u64::from(last_exit.is_some()) * 7,
            failed_starts: 0,
            restarts: 0,
            deploys: 0,
            problem: None,
            last_exit: last_exit.map(str::to_owned),
            last_exit_at: last_exit.map(|_| "1970-01-01T00:00:00Z".into()),
            waits_for_turn: false,
            retry_in_ms: (state == AppState::Failed).then_some(28_000),
            busy_ms: None,
            heap_used: 3 << 20,
            heap_limit: 128 << 20,
            memory: 30 << 20,
            memory_limit: Some(512 << 20),
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
            crons: Vec::new(),
            assets: None,
        }
    }

    fn lines(apps: &[AppStatus], width: usize) -> Vec<String> {
        render(apps, Some(width), Paint(false), NOW)
    }

    #[test]
    fn problems_come_first_and_say_what_they_are() {
        let apps = [
            app("blog", AppState::Ready, None),
            app(
                "shop",
                AppState::Failed,
                Some("does not load: SyntaxError: missing ) after argument list\n  at x"),
            ),
        ];
        assert_eq!(
            lines(&apps, 60),
            [
                "APP   STATE   UPTIME  CRASHES  REQ/S  MEMORY   CPU  LISTEN",
                "shop  failed  -       7        12.3   30.0MiB  -    *:80",
                "  └ does not load: SyntaxError: missing ) after argument",
                "    list (0 ms ago, crash 7)",
                "  └ retry in 28s",
                "blog  ready   1m1s    0        12.3   30.0MiB  8%   *:80",
            ]
        );
    }

    #[test]
    fn what_reads_lines_gets_one_of_each_app_with_everything() {
        let apps = [app("blog", AppState::Ready, Some("killed by SIGKILL\nmore"))];
        assert_eq!(
            render(&apps, None, Paint(false), NOW),
            [
                "APP   STATE  PID  UPTIME  CRASHES  RESTARTS  DEPLOYS  REQ/S  P50    P99  IN FLIGHT  MEMORY   HEAP    CPU  LISTEN  LAST EXIT",
                "blog  ready  123  1m1s    7        0         0        12.3   0.5ms  -    3          30.0MiB  3.0MiB  8%   *:80    killed by SIGKILL",
            ]
        );
    }

    #[test]
    fn a_worker_near_its_limit_or_without_an_answer_is_a_problem() {
        let mut full = app("full", AppState::Ready, None);
        full.memory = 500 << 20;
        let mut busy = app("busy", AppState::Ready, None);
        busy.busy_ms = Some(3_200);
        let found = lines(&[app("fine", AppState::Ready, None), full, busy], 200);
        assert!(found[1].starts_with("busy  busy "), "{found:#?}");
        assert_eq!(found[2], "  └ JavaScript has not returned to the event loop for 3s");
        assert_eq!(found[4], "  └ memory 500.0 MiB of 512.0 MiB");
    }

    #[test]
    fn apps_are_counted_by_state() {
        let apps = [
            app("a", AppState::Ready, None),
            app("b", AppState::Failed, None),
            app("c", AppState::Ready, None),
        ];
        assert_eq!(summary(&apps), "3 apps: 2 ready, 1 failed");
        assert_eq!((summary(&apps[..1]), summary(&[])), ("1 app: 1 ready".into(), "0 apps".into()));
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal_and_no_app_is_missing(
            width in 40usize..200,
            names in proptest::collection::vec("[a-z]{1,63}", 1..8),
            hosts in proptest::collection::vec("[a-z]{1,30}\\.example", 0..8),
            why in "[a-z :]{0,200}",
        ) {
            let apps: Vec<_> = names.iter().enumerate().map(|(index, name)| {
                let state = [AppState::Ready, AppState::Failed, AppState::BackingOff][index % 3];
                AppStatus { hosts: hosts.clone(), ..app(name, state, (state != AppState::Ready).then_some(&why)) }
            }).collect();
            let found = lines(&apps, width);
            prop_assert!(found.iter().all(|line| columns(line) <= width), "{:#?}", found);
            let states = found.iter().filter(|line| {
                ["ready", "failed", "backing-off"].iter().any(|state| line.contains(&format!(" {state}")))
            });
            prop_assert!(states.count() >= apps.len());
            // The complete reason is there, however narrow the terminal is.
            let letters = |text: &str| text.chars().filter(char::is_ascii_alphabetic).collect::<String>();
            if apps.len() > 1 {
                prop_assert!(letters(&found.concat()).contains(&letters(why.trim())), "{:#?}", found);
            }
        }
    }
}
