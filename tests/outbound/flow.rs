//! Bodies that flow, in both directions and no faster than they are taken, and how a fetch is given up.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming};
use hyper::{Request, Response};
use serde_json::json;
use tokio::sync::Notify;

use super::{answer, checks, results};
use crate::harness::Origin;
use crate::harness::origin::Answer;

const CHUNK: usize = 64 * 1024;

/// A body of as many chunks as are asked for, up to `count`; `taken` says how many that were.
fn chunks(count: usize, taken: Arc<AtomicUsize>) -> Answer {
    let (mut sender, body) = http_body_util::channel::Channel::<Bytes, hyper::Error>::new(1);
    tokio::spawn(async move {
        for _ in 0..count {
            if sender.send_data(Bytes::from(vec![7; CHUNK])).await.is_err() {
                return;
            }
            taken.fetch_add(1, Ordering::Relaxed);
        }
    });
    Response::new(body.boxed())
}

#[tokio::test]
async fn bodies_flow_as_fast_as_they_are_taken_and_no_faster() {
    let (sent, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let origin = Origin::http(move |request: Request<Incoming>| {
        let (sent, go) = (sent.clone(), go.clone());
        async move {
            match request.uri().path() {
                "/echo" => Response::new(request.into_body().boxed()),
                "/down" => chunks(1000, sent),
                "/sent" => answer(200, &[], sent.load(Ordering::Relaxed).to_string()),
                // Takes one frame of the body, and no more until it is let go.
                "/up" => {
                    let mut body = request.into_body();
                    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
                    go.notified().await;
                    let rest = body.collect().await.unwrap().to_bytes();
                    answer(200, &[], (first.len() + rest.len()).to_string())
                }
                "/go" => {
                    go.notify_one();
                    answer(200, &[], "")
                }
                _ => answer(404, &[], ""),
            }
        }
    })
    .await;
    let found = results(checks(
        &format!("http://{}", origin.address),
        "async echo(origin) {
           const { readable, writable } = new TransformStream();
           const writer = writable.getWriter();
           const response = await fetch(`${origin}/echo`, { method: 'POST', body: readable });
           const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
           const heard = [];
           // Each part is back before the next is written.
           for (const part of ['one', 'two', 'three']) {
             writer.write(new TextEncoder().encode(part));
             heard.push((await reader.read()).value);
           }
           writer.close();
           heard.push((await reader.read()).done);
           return heard;
         },
         async down(origin) {
           const { body } = await fetch(`${origin}/down`);
           const reader = body.getReader();
           await reader.read();
           // Until the server's count stands still, it is still filling what lies between.
           let sent, before;
           do { before = sent; sent = await (await fetch(`${origin}/sent`)).text();
                await new Promise((resolve) => setTimeout(resolve, 50)); } while (sent !== before);
           let length = 0, part;
           reader.releaseLock();
           for await (part of body) length += part.length;
           return [Number(sent) < 500, length > 999 * 65536];
         },
         async up(origin) {
           let pulled = 0;
           const body = new ReadableStream({ pull(controller) {
             if (pulled++ === 1000) controller.close();
             else controller.enqueue(new Uint8Array(65536));
           } }, { highWaterMark: 0 });
           const response = fetch(`${origin}/up`, { method: 'POST', body });
           let before;
           do { before = pulled; await new Promise((resolve) => setTimeout(resolve, 50)); } while (pulled !== before || pulled === 0);
           const waiting = pulled < 500;
           await fetch(`${origin}/go`);
           return [waiting, await (await response).text(), pulled];
         },
         async failing(origin) {
           const body = new ReadableStream({
             start(controller) { controller.enqueue(new Uint8Array(1)) },
             pull() { throw new RangeError('out of data') },
           });
           await fetch(`${origin}/up`, { method: 'POST', body });
         }",
    ))
    .await;
    let url = format!("http://{}", origin.address);
    assert_eq!(
        found,
        json!({
            "echo": ["one", "two", "three", true],
            "down": [true, true],
            "up": [true, (1000 * CHUNK).to_string(), 1001],
            "failing": format!("TypeError: fetch to {url} failed: the request body broke off: out of data [ERR_INVALID_STATE]"),
        })
    );
}

/// Counts that something has begun, and that it is no longer wanted.
struct Wanted(Arc<[AtomicUsize; 2]>);

impl Wanted {
    fn new(counts: Arc<[AtomicUsize; 2]>) -> Self {
        counts[0].fetch_add(1, Ordering::Relaxed);
        Self(counts)
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0[1].fetch_add(1, Ordering::Relaxed);
    }
}

/// A body that begins and never ends.
struct Unfinished {
    begun: bool,
    _wanted: Wanted,
}

impl Body for Unfinished {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if std::mem::replace(&mut self.begun, true) {
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"first")))))
    }
}

#[tokio::test]
async fn a_fetch_can_be_given_up_at_any_time() {
    let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let origin = Origin::http(move |request: Request<Incoming>| {
        let counts = counts.clone();
        async move {
            match request.uri().path() {
                "/gone" => {
                    let [begun, gone] = [0, 1].map(|index| counts[index].load(Ordering::Relaxed));
                    answer(200, &[], format!("[{begun},{gone}]"))
                }
                "/hang" => {
                    let _wanted = Wanted::new(counts);
                    // Of a body that breaks off, only who reads it learns.
                    match request.into_body().collect().await {
                        Ok(_) => std::future::pending().await,
                        Err(_) => answer(400, &[], ""),
                    }
                }
                "/body" => Response::new(Unfinished { begun: false, _wanted: Wanted::new(counts) }.boxed()),
                _ => answer(200, &[], "whole"),
            }
        }
    })
    .await;
    let found = results(checks(
        &format!("http://{}", origin.address),
        "_() {
           // Waits until the server has begun with so many of those that are given up.
           globalThis.begun = async (origin, count) => {
             for (;;) {
               const [begun] = await (await fetch(`${origin}/gone`)).json();
               if (begun >= count) return;
               await new Promise((resolve) => setTimeout(resolve, 5));
             }
           };
         },
         async before(origin) { await fetch(origin, { signal: AbortSignal.abort(new RangeError('my reason')) }) },
         async plain(origin) { await fetch(origin, { signal: AbortSignal.abort() }) },
         async head(origin) {
           const controller = new AbortController();
           const response = fetch(`${origin}/hang`, { signal: controller.signal });
           begun(origin, 1).then(() => controller.abort('any value'));
           return response.catch((reason) => [reason, controller.signal.aborted]);
         },
         async timeout(origin) {
           const signal = AbortSignal.timeout(20);
           const error = await fetch(`${origin}/hang`, { signal }).catch((error) => error);
           return [error.name, error instanceof DOMException, error === signal.reason];
         },
         async any(origin) {
           const controller = new AbortController();
           const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(10_000)]);
           const request = new Request(`${origin}/hang`, { signal });
           const response = fetch(request);
           controller.abort(new TypeError('one of them'));
           await response;
         },
         async body(origin) {
           const controller = new AbortController();
           const { body } = await fetch(`${origin}/body`, { signal: controller.signal });
           const reader = body.getReader();
           const { value } = await reader.read();
           controller.abort(new RangeError('enough'));
           return reader.read().catch((error) => [new TextDecoder().decode(value), `${error}`]);
         },
         async text(origin) {
           const controller = new AbortController();
           const response = await fetch(`${origin}/body`, { signal: controller.signal });
           setTimeout(() => controller.abort(), 20);
           return response.text().catch((error) => error.name);
         },
         async cancelled(origin) {
           const { body } = await fetch(`${origin}/body`);
           await body.cancel('enough');
           return true;
         },
         async upload(origin) {
           const controller = new AbortController();
           let cancelled;
           const body = new ReadableStream({ cancel(reason) { cancelled = reason ?? 'no reason' } });
           const [before] = await (await fetch(`${origin}/gone`)).json();
           const response = fetch(`${origin}/hang`, { method: 'POST', body, signal: controller.signal });
           begun(origin, before + 1).then(() => controller.abort(new Error('stop')));
           const error = await response.catch((error) => error.message);
           while (cancelled === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
           return [error, cancelled !== undefined];
         },
         async late(origin) {
           const controller = new AbortController();
           const response = await fetch(origin, { signal: controller.signal });
           const text = await response.text();
           controller.abort();
           return text;
         },
         // The server has seen every one of them go.
         async gone(origin) {
           for (;;) {
             const [begun, gone] = await (await fetch(`${origin}/gone`)).json();
             // Of two, nobody knows whether they have come that far.
             if (begun === gone) return begun >= 5;
             await new Promise((resolve) => setTimeout(resolve, 5));
           }
         }",
    ))
    .await;
    assert_eq!(
        found,
        json!({
            "before": "RangeError: my reason",
            "plain": "AbortError: The signal has been aborted [20]",
            "head": ["any value", true],
            "timeout": ["TimeoutError", true, true],
            "any": "TypeError: one of them",
            "body": ["first", "RangeError: enough"],
            "text": "AbortError",
            "cancelled": true,
            "upload": ["stop", true],
            "late": "whole",
            "gone": true,
        })
    );
}
