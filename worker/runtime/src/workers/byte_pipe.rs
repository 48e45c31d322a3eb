//! A pipe of bytes from a writer in JavaScript to any reader: JavaScript, a response, or an outbound request.
//!
//! It holds one chunk; a write completes when all of its bytes have been read. A pipe may promise its length, which a response or
//! an outbound request then announces.

use std::borrow::Cow;
use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use deno_core::{AsyncResult, BufView, JsBuffer, OpState, Resource, ResourceId, op2};
use deno_error::JsErrorBox;

#[derive(Debug, Default)]
struct Pipe {
    /// The part of the current write that has not been read yet.
    chunk: Bytes,
    phase: Phase,
    /// Number of bytes still to be read, if the length was promised.
    promised: Option<u64>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Open,
    Ended,
    Failed(String),
    /// The reader is gone.
    Abandoned,
}

impl Pipe {
    /// Ends the pipe, unless it has ended already.
    fn end(&mut self, phase: Phase) {
        if matches!(self.phase, Phase::Open) {
            self.phase = phase;
            self.wake();
        }
    }

    fn abandon(&mut self) {
        self.phase = Phase::Abandoned;
        self.chunk.clear();
        self.wake();
    }

    fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()].into_iter().flatten() {
            waker.wake();
        }
    }

    fn poll_read(&mut self, cx: &Context<'_>, limit: usize) -> Poll<Result<Bytes, JsErrorBox>> {
        match &self.phase {
            Phase::Failed(why) => return Poll::Ready(Err(JsErrorBox::type_error(why.clone()))),
            Phase::Abandoned => return Poll::Ready(Ok(Bytes::new())),
            Phase::Ended if self.chunk.is_empty() => return Poll::Ready(Ok(Bytes::new())),
            Phase::Open if self.chunk.is_empty() => {
                self.reader = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Phase::Open | Phase::Ended => {}
        }
        let taken = self.chunk.split_to(self.chunk.len().min(limit));
        self.promised = self.promised.map(|left| left.saturating_sub(taken.len() as u64));
        if self.chunk.is_empty() {
            self.wake();
        }
        Poll::Ready(Ok(taken))
    }

    /// Waits until the chunk has been read. Resolves to `false` if it never will be.
    fn poll_written(&mut self, cx: &Context<'_>) -> Poll<bool> {
        match self.phase {
            Phase::Abandoned | Phase::Failed(_) => Poll::Ready(false),
            _ if self.chunk.is_empty() => Poll::Ready(true),
            _ => {
                self.writer = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// The reading end.
#[derive(Debug)]
struct PipeReader(Rc<RefCell<Pipe>>);

impl Resource for PipeReader {
    fn name(&self) -> Cow<'_, str> {
        "pipe".into()
    }

    fn read(self: Rc<Self>, limit: usize) -> AsyncResult<BufView> {
        Box::pin(async move {
            let bytes = poll_fn(|cx| self.0.borrow_mut().poll_read(cx, limit)).await?;
            Ok(bytes.into())
        })
    }

    fn size_hint(&self) -> (u64, Option<u64>) {
        let promised = self.0.borrow().promised;
        (promised.unwrap_or(0), promised)
    }

    fn close(self: Rc<Self>) {
        self.0.borrow_mut().abandon();
    }
}

impl Drop for PipeReader {
    fn drop(&mut self) {
        self.0.borrow_mut().abandon();
    }
}

/// The writing end, owned by JavaScript.
#[derive(Debug)]
pub(crate) struct PipeWriter(Rc<RefCell<Pipe>>);

untraced!(PipeWriter, c"PipeWriter");

impl Drop for PipeWriter {
    fn drop(&mut self) {
        self.0
            .borrow_mut()
            .end(Phase::Failed("the stream was never closed: its writable side is gone".into()));
    }
}

/// Creates a pipe. `length` is the number of bytes that it promises; negative if it promises none.
#[op2]
#[cppgc]
pub(crate) fn op_byte_pipe(#[number] length: i64) -> PipeWriter {
    PipeWriter(Rc::new(RefCell::new(Pipe { promised: u64::try_from(length).ok(), ..Pipe::default() })))
}

/// Creates the reading end as a resource.
#[op2(fast)]
#[smi]
pub(crate) fn op_byte_pipe_reader(state: &mut OpState, #[cppgc] writer: &PipeWriter) -> ResourceId {
    state.resource_table.add(PipeReader(writer.0.clone()))
}

/// Writes a chunk. Resolves once the reader has taken all of it, or is gone, to whether all of it was taken.
#[op2]
pub(crate) async fn op_byte_pipe_write(#[cppgc] writer: &PipeWriter, #[buffer] chunk: JsBuffer) -> bool {
    let pipe = writer.0.clone();
    {
        let mut pipe = pipe.borrow_mut();
        if matches!(pipe.phase, Phase::Open) {
            pipe.chunk = Bytes::from_owner(chunk);
            if let Some(reader) = pipe.reader.take() {
                reader.wake();
            }
        }
    }
    poll_fn(|cx| pipe.borrow_mut().poll_written(cx)).await
}

/// Marks the end of the data.
#[op2(fast)]
pub(crate) fn op_byte_pipe_close(#[cppgc] writer: &PipeWriter) {
    writer.0.borrow_mut().end(Phase::Ended);
}

/// Fails the pipe, because the promised data will not arrive.
#[op2(fast)]
pub(crate) fn op_byte_pipe_abort(#[cppgc] writer: &PipeWriter, #[string] why: String) {
    let mut pipe = writer.0.borrow_mut();
    pipe.chunk.clear();
    pipe.end(Phase::Failed(why));
}
