//! A tracing layer that turns events of the supervisor into log lines.

use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::hub::LogHub;
use super::line::Line;

/// Logs every event as a line.
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

/// The target of a line. All modules of this crate log as `supervisor`: module paths are not part of the interface.
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
