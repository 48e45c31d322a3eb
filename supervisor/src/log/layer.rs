//! What the supervisor itself says, through tracing: made lines of, and handed on.

use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::Hub;
use super::line::Line;

/// Hands every event on as a line.
#[derive(Debug)]
pub(super) struct Lines(pub(super) &'static Hub);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut line = Line::new(*metadata.level(), metadata.target());
        event.record(&mut line);
        self.0.write(line);
    }
}
