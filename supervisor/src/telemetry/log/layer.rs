//! What the supervisor itself says, through tracing: made lines of, and handed on.

use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::hub::LogHub;
use super::line::Line;

/// Hands every event on as a line.
#[derive(Debug)]
pub(super) struct LineLayer(pub(super) &'static LogHub);

impl<S: Subscriber> Layer<S> for LineLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut line = Line::new(*metadata.level(), target(metadata.target()));
        event.record(&mut line);
        self.0.write(line);
    }
}

/// Whom the line is by. All that this crate says is by the supervisor, wherever in the code it is said: files move.
pub(super) fn target(module: &'static str) -> &'static str {
    let rest = module.strip_prefix(env!("CARGO_CRATE_NAME"));
    if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::")) { "supervisor" } else { module }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_supervisor_are_known_by_one_name() {
        for (module, shown) in [
            (module_path!(), "supervisor"),
            ("nano_supervisor", "supervisor"),
            ("dev", "dev"),
            ("h2::x", "h2::x"),
        ] {
            assert_eq!(target(module), shown);
        }
    }
}
