//! The end of a stream, and the credit that its reader gives back. Both involve the stream's state and its connection.

use std::cell::RefCell;
use std::rc::Rc;

use super::state::{Failure, State};
use crate::frame::Kind;
use crate::inner::Inner;
use crate::message::{StreamError, StreamErrorKind};

/// Counts body bytes that the reader has consumed, and grants the peer credit for them.
pub(crate) fn consume(inner: &RefCell<Inner>, state: &RefCell<State>, length: usize) {
    let mut state = state.borrow_mut();
    if let Some(grant) = state.consume(length) {
        inner.borrow_mut().put_credit(state.id, grant);
    }
}

/// Gives up a stream of which a half was dropped too early.
pub(crate) fn give_up(inner: &Rc<RefCell<Inner>>, state: &Rc<RefCell<State>>) {
    let is_ours = state.borrow().is_ours;
    if is_ours {
        cancel(inner, state);
    } else {
        fail(inner, state, &StreamError::new(StreamErrorKind::HandlerFailed, "dropped before its end"));
    }
}

/// Acceptor: tells the opener that there will be no answer, or no more of it. Does nothing if the stream is over.
pub(super) fn fail(inner: &Rc<RefCell<Inner>>, state: &Rc<RefCell<State>>, error: &StreamError) {
    let id = {
        let mut state = state.borrow_mut();
        if state.over.is_some() || state.is_ours {
            return;
        }
        state.outgoing_ended = true;
        (state.id, state.is_fetch)
    };
    let sent = inner.borrow_mut().put_answer(Kind::Error, false, id, |out| Kind::Error.encode(error, out));
    if sent.is_err() {
        let bare = StreamError::new(error.kind, "");
        // Cannot fail: two bytes are within every limit.
        let _ = inner.borrow_mut().put_answer(Kind::Error, false, id, |out| Kind::Error.encode(&bare, out));
    }
    finish(inner, state, Failure::Over);
}

/// Opener: tells the acceptor that nobody waits for the answer any more. Does nothing if the stream is over.
pub(super) fn cancel(inner: &Rc<RefCell<Inner>>, state: &Rc<RefCell<State>>) {
    let id = {
        let state = state.borrow();
        if state.over.is_some() || !state.is_ours {
            return;
        }
        state.id
    };
    inner.borrow_mut().give_up(&state.borrow());
    // Cannot fail: the frame is empty.
    let _ = inner.borrow_mut().put(Kind::Cancel, false, id, |_| Ok(()));
    finish(inner, state, Failure::Over);
}

/// Ends a stream, complete or not. Frames that the peer sends before it knows of the end arrive late and are expected.
pub(crate) fn finish(inner: &Rc<RefCell<Inner>>, state: &Rc<RefCell<State>>, failure: Failure) {
    let (id, late, is_ours) = {
        let state = state.borrow();
        (state.id, if state.incoming_ended { 0 } else { state.allowance }, state.is_ours)
    };
    let mut shared = inner.borrow_mut();
    shared.idle.ended(late);
    if !is_ours {
        shared.idle.answered();
    }
    shared.forget(id);
    drop(shared);
    state.borrow_mut().finish(failure);
}
