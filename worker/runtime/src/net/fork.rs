//! A body with two readers that read at different speeds: what one has read is buffered until the other has read it as well.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use deno_error::JsErrorBox;
use deno_fetch::ResBody;
use hyper::body::{Body, Frame};

struct Fork {
    body: ResBody,
    /// Chunks that each reader has not read yet; `None` for a reader that is gone.
    kept: [Option<VecDeque<Bytes>>; 2],
    end: Option<Result<(), String>>,
}

/// The wakers of both readers. Either may have polled the body last, so both are woken when it makes progress.
#[derive(Default)]
struct Wakers(Mutex<[Option<Waker>; 2]>);

impl Wakers {
    fn all(&self) -> MutexGuard<'_, [Option<Waker>; 2]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        let wakers = std::mem::take(&mut *self.all());
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

/// One of the two readers.
struct Branch {
    fork: Arc<Mutex<Fork>>,
    waiting: Arc<Wakers>,
    index: usize,
}

/// Splits a body in two.
pub(crate) fn fork(body: ResBody) -> [ResBody; 2] {
    let kept = [Some(VecDeque::new()), Some(VecDeque::new())];
    let fork = Arc::new(Mutex::new(Fork { body, kept, end: None }));
    let waiting = Arc::new(Wakers::default());
    [0, 1].map(|index| ResBody::new(Branch { fork: fork.clone(), waiting: waiting.clone(), index }))
}

impl Branch {
    fn fork(&self) -> MutexGuard<'_, Fork> {
        self.fork.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body for Branch {
    type Data = Bytes;
    type Error = JsErrorBox;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, JsErrorBox>>> {
        let mut fork = self.fork();
        loop {
            if let Some(chunk) = fork.kept[self.index].as_mut().and_then(VecDeque::pop_front) {
                return Poll::Ready(Some(Ok(Frame::data(chunk))));
            }
            match &fork.end {
                Some(Ok(())) => return Poll::Ready(None),
                Some(Err(why)) => return Poll::Ready(Some(Err(JsErrorBox::type_error(why.clone())))),
                None => {}
            }
            self.waiting.all()[self.index] = Some(cx.waker().clone());
            let both = Waker::from(self.waiting.clone());
            match Pin::new(&mut fork.body).poll_frame(&mut Context::from_waker(&both)) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(chunk) = frame.into_data() else { continue };
                    fork.kept.iter_mut().flatten().for_each(|kept| kept.push_back(chunk.clone()));
                }
                Poll::Ready(Some(Err(error))) => fork.end = Some(Err(error.to_string())),
                Poll::Ready(None) => fork.end = Some(Ok(())),
            }
            // The other reader may be waiting for this chunk.
            both.wake();
        }
    }
}

impl Drop for Branch {
    fn drop(&mut self) {
        self.fork().kept[self.index] = None;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use deno_fetch::ResBody;
    use http_body_util::{BodyExt as _, StreamBody};
    use hyper::body::Frame;

    use super::fork;

    fn body(chunks: &'static [&'static str]) -> ResBody {
        let frames = chunks.iter().map(|chunk| Ok(Frame::data(Bytes::from_static(chunk.as_bytes()))));
        ResBody::new(StreamBody::new(deno_core::futures::stream::iter(frames)))
    }

    async fn next(body: &mut ResBody) -> Option<Bytes> {
        body.frame().await.map(|frame| frame.unwrap().into_data().unwrap())
    }

    #[tokio::test]
    async fn both_readers_get_all_of_it_at_their_own_pace() {
        let [mut first, mut second] = fork(body(&["a", "b"]));
        assert_eq!(next(&mut first).await.unwrap(), "a");
        assert_eq!(next(&mut first).await.unwrap(), "b");
        assert_eq!(next(&mut first).await, None);
        assert_eq!(next(&mut second).await.unwrap(), "a");
        drop(first);
        assert_eq!(next(&mut second).await.unwrap(), "b");
        assert_eq!(next(&mut second).await, None);
    }

    #[tokio::test]
    async fn a_reader_goes_on_when_the_one_that_asked_last_is_gone() {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let stream = deno_core::futures::stream::once(async {
            let chunk: Bytes = receiver.await.unwrap();
            Ok(Frame::data(chunk))
        });
        let [mut first, mut second] = fork(ResBody::new(StreamBody::new(Box::pin(stream))));
        let reading = tokio::spawn(async move { next(&mut first).await });
        tokio::task::yield_now().await;
        tokio::select! {
            biased;
            _ = next(&mut second) => panic!("nothing has come"),
            () = tokio::task::yield_now() => {}
        }
        drop(second);
        sender.send(Bytes::from_static(b"late")).unwrap();
        assert_eq!(reading.await.unwrap().unwrap(), "late");
    }
}
