//! The event loop of a worker. In every tick, its one thread reads frames, runs JavaScript and writes frames.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use nano_protocol::message::{Control, LogLevel, StreamError, StreamErrorKind};
use nano_protocol::witness::CONTROL;
use nano_protocol::{Connection, Handle, Incoming, ProtocolError, exit};
use nano_runtime::InFlight;

use crate::calls::Calls;
use crate::engine::Engine;
use crate::events::Arrived;
use crate::guard::Termination;
use crate::stays::Stays;

/// How long a worker that ends tries to send its last frames.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A loaded app and its connections.
#[derive(Debug)]
pub(crate) struct EventLoop {
    pub(crate) engine: Engine,
    pub(crate) in_flight: Rc<InFlight>,
    pub(crate) control: Connection,
    /// Sends on `control`.
    pub(crate) control_handle: Handle,
    pub(crate) calls: Rc<Calls>,
    /// The request connections, one per I/O thread of the supervisor, with their numbers.
    pub(crate) requests: Vec<(usize, Connection)>,
    /// Keep the request connections open.
    pub(crate) stays: Stays,
    /// Whether an uncaught error ends the worker.
    pub(crate) fatal_uncaught: bool,
    /// Whether the supervisor has asked the worker to drain.
    pub(crate) draining: bool,
    /// What was read in this tick and not yet passed to JavaScript. A field, so that its allocation is reused.
    pub(crate) arrived: Vec<Arrived>,
}

impl EventLoop {
    /// Serves until the supervisor ends the worker, or until the isolate is terminated. Returns the exit code.
    pub(crate) async fn run(mut self) -> u8 {
        let code = poll_fn(|cx| self.tick(cx)).await;
        // Sends the answers and log records that are still queued.
        let flush = poll_fn(|cx| self.poll_flush(cx));
        let _ = tokio::time::timeout(LAST_WORDS, flush).await;
        code
    }

    fn tick(&mut self, cx: &mut Context<'_>) -> Poll<u8> {
        if let Some(code) = self.read(cx) {
            return Poll::Ready(code);
        }
        if self.engine.termination().is_none() {
            let begun = self.engine.dispatch(&self.arrived);
            self.arrived.drain(..begun);
        }
        if self.engine.termination().is_none() {
            self.engine.receive(cx);
        }
        if self.engine.termination().is_none() {
            self.engine.poll(cx);
            self.in_flight.poll_unsent(cx);
            self.in_flight.poll_background(cx);
            self.in_flight.end_fetched();
            self.in_flight.end_belongings();
        }
        if let Some(cause) = self.engine.termination() {
            self.blame(cause);
            return Poll::Ready(cause.exit_code());
        }
        if self.fatal_uncaught && self.in_flight.uncaught() > 0 {
            self.engine.record_culprit(self.in_flight.uncaught_of());
            return Poll::Ready(exit::UNCAUGHT);
        }
        if self.engine.look_at_heap() {
            // The supervisor needs this soon to decide whether to replace this worker.
            let stats = self.engine.stats();
            self.send(&Control::Stats(stats));
        }
        self.calls.poll(cx);
        let bindings = &self.engine.bindings;
        self.stays.poll(cx, |connection| bindings.accepted(connection));
        if self.draining && self.in_flight.is_idle() {
            self.stays.end();
        }
        let written = self.write(cx);
        self.in_flight.report_dropped();
        match written {
            Ok(flushed) if flushed && self.is_drained() => Poll::Ready(exit::OK),
            Ok(_) => Poll::Pending,
            Err(error) => Poll::Ready(self.broken(&error)),
        }
    }

    /// Reads everything that has arrived. Requests are passed to JavaScript only after that, so that a body which came with its
    /// head is already complete.
    fn read(&mut self, cx: &mut Context<'_>) -> Option<u8> {
        loop {
            match self.control.poll_event(cx) {
                Poll::Ready(Ok(Some(Incoming::Control(message)))) => {
                    if let Some(code) = self.on_control(message) {
                        return Some(code);
                    }
                }
                Poll::Ready(Ok(Some(Incoming::Stream { head, sender, receiver }))) => {
                    match Arrived::new(CONTROL, head, sender, receiver, &self.in_flight) {
                        Ok(event) => self.arrived.push(event),
                        Err(error) => return Some(self.broken(&error)),
                    }
                }
                Poll::Ready(Ok(None)) => return Some(exit::ORPHANED),
                Poll::Ready(Err(error)) => return Some(self.broken(&error)),
                Poll::Pending => break,
            }
        }
        let mut closed = None;
        for (index, (number, connection)) in self.requests.iter_mut().enumerate() {
            loop {
                match connection.poll_event(cx) {
                    Poll::Ready(Ok(Some(Incoming::Stream { head, sender, receiver }))) => {
                        match Arrived::new(*number, head, sender, receiver, &self.in_flight) {
                            Ok(request) => self.arrived.push(request),
                            Err(error) => return Some(self.broken(&error)),
                        }
                    }
                    Poll::Ready(Ok(Some(Incoming::Control(_)))) => {
                        return Some(
                            self.broken(&ProtocolError::Unexpected("control on a request connection")),
                        );
                    }
                    Poll::Ready(Ok(None)) => {
                        closed = Some(index);
                        break;
                    }
                    Poll::Ready(Err(error)) => return Some(self.broken(&error)),
                    Poll::Pending => break,
                }
            }
        }
        if let Some(index) = closed {
            // That I/O thread has finished its connection. The others go on.
            self.requests.swap_remove(index);
            cx.waker().wake_by_ref();
        }
        None
    }

    /// Returns whether the worker is drained: no request is in flight, and none can come, as all I/O threads have finished their
    /// connections and everything that they sent was read.
    fn is_drained(&self) -> bool {
        self.draining && self.requests.is_empty() && self.in_flight.is_idle()
    }

    fn on_control(&mut self, message: Control) -> Option<u8> {
        match message {
            Control::Ping(number) => {
                self.in_flight.sweep();
                self.send(&Control::Pong(number));
                let stats = self.engine.stats();
                self.send(&Control::Stats(stats));
                None
            }
            Control::Drain => {
                self.draining = true;
                None
            }
            Control::Shutdown => Some(exit::OK),
            _ => Some(self.broken(&ProtocolError::Unexpected("control frame"))),
        }
    }

    fn write(&mut self, cx: &mut Context<'_>) -> Result<bool, ProtocolError> {
        let mut flushed = self.control.poll_flush(cx)?.is_ready();
        for (_, connection) in &mut self.requests {
            flushed &= connection.poll_flush(cx)?.is_ready();
        }
        Ok(flushed)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.write(cx) {
            Ok(false) => Poll::Pending,
            Ok(true) | Err(_) => Poll::Ready(()),
        }
    }

    /// Fails the request that tore the isolate or, if it is not known which one did, all requests that have begun. The others are
    /// retried by the next worker.
    fn blame(&mut self, cause: Termination) {
        let (kind, message) = match cause {
            Termination::Watchdog => {
                (StreamErrorKind::Watchdog, "JavaScript ran longer than `watchdog` allows without returning")
            }
            Termination::CpuTime => {
                (StreamErrorKind::CpuTime, "the request used more CPU time than `cpu_time` allows")
            }
            Termination::OutOfMemory => {
                (StreamErrorKind::OutOfMemory, "the V8 heap reached its limit (`heap`)")
            }
        };
        let error = StreamError::new(kind, message);
        let culprit = self.engine.running_request();
        self.engine.record_culprit(culprit);
        let blamed = culprit.and_then(|id| self.in_flight.answer(id));
        match (&blamed, culprit) {
            (Some(request), _) => request.sender.fail(&error),
            // The culprit has been answered already, so nothing is failed here; the other requests fail with the worker.
            (None, Some(culprit)) => return self.in_flight.log(LogLevel::Error, culprit, message.to_owned()),
            (None, None) => {
                let is_waiting = |id| self.arrived.iter().any(|waiting| waiting.id == id);
                self.in_flight.fail_all(&error, is_waiting);
            }
        }
        self.in_flight.log_error(blamed.as_deref(), message.to_owned());
    }

    fn send(&self, message: &Control) {
        // Cannot fail: these frames are far below their limits.
        let _ = self.control_handle.control(message);
    }

    fn broken(&self, error: &ProtocolError) -> u8 {
        if matches!(error, ProtocolError::Io(_) | ProtocolError::Disconnected) {
            return exit::ORPHANED;
        }
        self.in_flight.log_error(None, format!("protocol error: {error}"));
        exit::PROTOCOL
    }
}
