//! Sends on a connection: opens streams and control frames from anywhere on its thread.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::ProtocolError;
use crate::budget::{Bounds, Budget};
use crate::codec;
use crate::frame::Kind;
use crate::head::Head;
use crate::inner::Inner;
use crate::message::Control;
use crate::side::Side;
use crate::stream::{Receiver, Sender, State};

/// Sends on a connection from anywhere on its thread.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(crate) inner: Rc<RefCell<Inner>>,
}

impl Handle {
    /// Opens a stream. `count` is the number of header fields that `fields` yields; with `end`, it has no body.
    ///
    /// # Errors
    /// [`ProtocolError::Disconnected`] if the connection has ended or is finishing, [`ProtocolError::TooManyStreams`] if this side has as
    /// many open as it may, [`ProtocolError::Behind`] if the peer does not read, or why the head cannot be encoded.
    pub fn open<'a>(
        &self,
        head: &Head<'_>,
        count: usize,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        end: bool,
    ) -> Result<(Sender, Receiver), ProtocolError> {
        self.open_for(None, head, count, fields, end)
    }

    /// Opens a stream as [`Handle::open`] does, on behalf of a client whose budget also bounds the answer's window.
    ///
    /// # Errors
    /// Those of [`Handle::open`].
    pub fn open_for<'a>(
        &self,
        client: Option<Rc<Budget>>,
        head: &Head<'_>,
        count: usize,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        end: bool,
    ) -> Result<(Sender, Receiver), ProtocolError> {
        let app = self.inner.borrow().budget.clone();
        self.open_within(app.map(|app| Bounds { app, client }), head, count, fields, end)
    }

    /// Opens a stream that may be upgraded, so that its body has no end yet. This budget bounds its answer in place of that of
    /// [`Handle::set_budget`]: what is promised to those that last takes nothing from others.
    ///
    /// # Errors
    /// Those of [`Handle::open`].
    pub fn open_lasting<'a>(
        &self,
        budget: Arc<Budget>,
        head: &Head<'_>,
        count: usize,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(Sender, Receiver), ProtocolError> {
        self.open_within(Some(Bounds { app: budget, client: None }), head, count, fields, false)
    }

    fn open_within<'a>(
        &self,
        bounds: Option<Bounds>,
        head: &Head<'_>,
        count: usize,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        end: bool,
    ) -> Result<(Sender, Receiver), ProtocolError> {
        let mut inner = self.inner.borrow_mut();
        if inner.closed || inner.finishing {
            return Err(ProtocolError::Disconnected);
        }
        let kind = head.kind();
        if Kind::from(kind).sender() != Some(inner.side) {
            return Err(ProtocolError::Unexpected(kind.name()));
        }
        if inner.ours() >= Side::max_open(kind) {
            return Err(ProtocolError::TooManyStreams);
        }
        if inner.is_behind() {
            return Err(ProtocolError::Behind);
        }
        let id = inner.next_id().ok_or(ProtocolError::TooManyStreams)?;
        let head_at = inner.outbox.position();
        let mut state = State::opened(id, head_at, bounds, inner.side);
        inner.put(kind.into(), end, id, |out| {
            head.encode(state.window() as u32, out)?;
            codec::encode_headers(count, fields, out)
        })?;
        inner.opened += 1;
        state.head_len = (inner.outbox.position() - head_at) as usize;
        if end {
            state.mark_sent();
        }
        let state = Rc::new(RefCell::new(state));
        inner.streams.insert(id, state.clone());
        Ok((
            Sender { inner: self.inner.clone(), state: state.clone() },
            Receiver { inner: self.inner.clone(), state },
        ))
    }

    /// Supervisor: sets the budget that bounds the bodies of streams opened after this call.
    pub fn set_budget(&self, budget: Arc<Budget>) {
        self.inner.borrow_mut().budget = Some(budget);
    }

    /// Queues a control frame. Does nothing if the connection has ended.
    ///
    /// # Errors
    /// [`ProtocolError::TooLong`] if the message is over the limit of its kind.
    pub fn control(&self, message: &Control) -> Result<(), ProtocolError> {
        let mut inner = self.inner.borrow_mut();
        if inner.closed {
            return Ok(());
        }
        inner.outbox.control(message)?;
        if matches!(message, Control::Ping(_)) {
            inner.idle.asked();
        }
        inner.wake_driver();
        Ok(())
    }

    /// Opens no further stream. The connection ends without an error when the last open stream is over, including the streams
    /// that the peer has opened. The peer sees the end after everything that was sent.
    pub fn finish(&self) {
        let mut inner = self.inner.borrow_mut();
        inner.finishing = true;
        inner.wake_driver();
    }

    /// Returns whether [`Handle::finish`] was called.
    pub fn is_finishing(&self) -> bool {
        self.inner.borrow().finishing
    }

    /// Returns whether a stream is one of this connection's.
    pub fn carries(&self, stream: &Sender) -> bool {
        Rc::ptr_eq(&self.inner, &stream.inner)
    }

    /// Returns the number of queued bytes that the kernel has not taken yet.
    pub fn unsent(&self) -> usize {
        self.inner.borrow().outbox.len()
    }

    /// Returns the number of open streams, of both sides.
    pub fn streams(&self) -> usize {
        self.inner.borrow().streams.len()
    }

    /// Returns the number of open streams that this side has opened.
    pub fn own_streams(&self) -> usize {
        self.inner.borrow().ours()
    }

    /// Returns whether the connection has ended.
    pub fn is_closed(&self) -> bool {
        self.inner.borrow().closed
    }
}
