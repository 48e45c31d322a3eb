//! Answers what a worker fetches from its bindings, over streams that it opens on its request connections. A worker is not trusted:
//! it reaches what the configuration of its app names, and no more.
//!
//! - [`asked`]: what it asks for, checked. [`answering`]: sends it the response.
//! - [`bucket`]: the files of a Workers Site.
//! - [`directory`]: the apps that bindings name. [`call`]: has one of them answer, which may begin a WebSocket.

mod answering;
mod asked;
mod bucket;
mod call;
pub(crate) mod directory;

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;

use hyper::{Response, StatusCode};
use nano_protocol::codec::HeaderBlock;
use nano_protocol::message::{StreamError, StreamErrorKind};
use nano_protocol::{Call, EncodedHead, Fetch, Head, HeadKind, Receiver, Sender, StreamIo};

use crate::assets::answer::AssetRequest;
use crate::assets::bucket::Bucket;
use crate::config::{BindingTarget, RateLimit, Service};
use crate::edge::admission::Admission;
use crate::edge::connection::websocket::carry;
use crate::edge::proxy::body::ResponseBody;
use crate::edge::proxy::file_window::FileWindow;
use crate::edge::proxy::static_file;
use crate::edge::refused::Refused;
use crate::edge::upstream::Upstream;
use crate::edge::upstream::workers::Link;
use crate::model::rate_limits::RateVerdict;
use crate::model::refusal::Refusal;
use crate::model::shares::{ClientKey, Holding};
use crate::telemetry::traffic::{Limit, TrafficCounts};
use asked::AskedRequest;
use bucket::BucketAnswer;
use directory::Directory;

/// The app of a worker that asks, as one of its connections knows it.
#[derive(Debug)]
pub(crate) struct Caller {
    upstream: Rc<Upstream>,
    /// The worker. The configuration of the app may be newer than that which it runs by.
    link: Rc<Link>,
    directory: Rc<Directory>,
    admission: Rc<Admission>,
    /// Its share of what other apps have.
    key: ClientKey,
}

impl Caller {
    /// Creates the caller for a connection to a worker of an app, of which the directory knows the others.
    pub(crate) fn new(
        upstream: Rc<Upstream>,
        link: Rc<Link>,
        directory: Rc<Directory>,
        admission: Rc<Admission>,
    ) -> Rc<Self> {
        let key = ClientKey::of_app(upstream.app);
        Rc::new(Self { upstream, link, directory, admission, key })
    }

    /// Takes a stream that the worker has opened, if it is one of those that are answered here. Returns the others.
    pub(crate) fn opened(
        self: &Rc<Self>,
        head: EncodedHead,
        sender: Sender,
        receiver: Receiver,
    ) -> Option<(EncodedHead, Sender, Receiver)> {
        match head.kind {
            HeadKind::Fetch => {
                tokio::task::spawn_local(answer(self.clone(), head, sender, receiver));
            }
            _ if matches!(head.decode(), Ok((Head::Call(Call::Stay), _))) => {
                tokio::task::spawn_local(stay(sender, receiver));
            }
            _ => return Some((head, sender, receiver)),
        }
        None
    }

    /// Returns how much of a file of an app a response may have in memory. `None` if no descriptor is left for it.
    fn window(&self, upstream: &Upstream, most: usize) -> Option<FileWindow> {
        let descriptor = self.admission.read_file(self.key)?;
        Some(FileWindow::new(upstream.budget().clone(), self.admission.buffers(self.key), descriptor, most))
    }

    /// Returns the response to a fetch, with what is released when its body has been sent.
    async fn respond(
        &self,
        fetch: &Fetch<'_>,
        fields: &HeaderBlock,
        body: &mut Option<Receiver>,
    ) -> Result<(Response<ResponseBody>, Option<Holding>), StreamError> {
        self.upstream.count(TrafficCounts::fetched);
        // What a deploy has changed is for the worker that it has started.
        let spec = self.link.spec();
        let Some(binding) = spec.bindings.iter().find(|binding| binding.name == fetch.binding) else {
            return Err(failure(format!("env.{} is no binding of this app", fetch.binding)));
        };
        // A call is named by its entrypoint, too.
        let target = match &binding.target {
            BindingTarget::App(Service { entrypoint: Some(name), .. }) if fetch.is_call && is_plain(name) => {
                &format!("/{name}{}", fetch.target)
            }
            _ => fetch.target,
        };
        let fetch = &Fetch { target, ..*fetch };
        let asked = AskedRequest::new(fetch, fields).map_err(|why| failure(format!("the request {why}")))?;
        match &binding.target {
            BindingTarget::App(service) => Ok((self.call(service, fetch, asked, body).await?, None)),
            other if fetch.is_call => {
                Err(failure(format!("env.{} is {other}: there is nothing to call", binding.name)))
            }
            BindingTarget::Assets => {
                let Some(assets) = &spec.assets else {
                    return Err(failure("the app has no static files"));
                };
                let request = AssetRequest {
                    method: &asked.method,
                    target: fetch.target,
                    host: asked.host(),
                    origin: fetch.origin,
                    headers: &asked.headers,
                    is_worker: true,
                };
                let enter = || self.upstream.read_file(&spec).ok_or(Refusal::Overloaded);
                let window = |most| self.window(&self.upstream, most);
                let answer = assets.fetch(&request);
                let answered = static_file::respond(&spec.name, assets.index(), answer, enter, window).await;
                answered.map_err(|refused| not_read(&refused))
            }
            BindingTarget::Bucket => {
                let Some(known) = &spec.bucket else {
                    return Err(failure("the app is no Workers Site"));
                };
                // A file that was written anew with the same contents has the same key, but only a newer list can read it.
                let has_key = |newer: &&Arc<Bucket>| {
                    !Arc::ptr_eq(newer, known)
                        && matches!(
                            newer.answer_worker(&asked.method, fetch.target),
                            Ok(BucketAnswer::File(_))
                        )
                };
                let latest = self.upstream.spec();
                let files = latest.bucket.as_ref().filter(has_key).unwrap_or(known);
                let answer = match files.answer_worker(&asked.method, fetch.target) {
                    Ok(BucketAnswer::File(answer)) => answer,
                    Ok(BucketAnswer::Keys(page)) => {
                        return Ok((bucket::response(StatusCode::OK, page), None));
                    }
                    Ok(BucketAnswer::Nothing) => {
                        return Ok((bucket::response(StatusCode::NOT_FOUND, Vec::new()), None));
                    }
                    Err(why) => return Err(failure(format!("the request {why}"))),
                };
                let enter = || self.upstream.read_file(&spec).ok_or(Refusal::Overloaded);
                let window = |most| self.window(&self.upstream, most);
                let answered = static_file::respond(&spec.name, files.index(), answer, enter, window).await;
                answered.map_err(|refused| not_read(&refused))
            }
            BindingTarget::RateLimit(limit) => Ok((self.take(&binding.name, *limit, fetch.target), None)),
            BindingTarget::Dataset(_)
            | BindingTarget::Secret
            | BindingTarget::Version
            | BindingTarget::Hyperdrive => {
                Err(failure(format!("env.{} is nothing to fetch from", binding.name)))
            }
        }
    }

    /// Counts the key against a rate limit of the app.
    fn take(&self, name: &str, limit: RateLimit, key: &str) -> Response<ResponseBody> {
        let traffic = self.upstream.traffic();
        let verdict = traffic.rate_limits.take(name, limit.limit, limit.period, key);
        if verdict == RateVerdict::Uncounted {
            traffic.count_broken(Limit::RateLimitKeys, 1);
        }
        let mut response = Response::new(ResponseBody::empty());
        if verdict == RateVerdict::Beyond {
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        }
        response
    }
}

/// Answers a fetch, until the worker gives it up.
async fn answer(caller: Rc<Caller>, head: EncodedHead, sender: Sender, receiver: Receiver) {
    // A worker that does not read is sent nothing more, and then nothing is done for it.
    let room = || poll_fn(|cx| sender.poll_room(cx));
    // Taken by what reads the body of the request.
    let mut body = Some(receiver);
    let work = async {
        room().await;
        let responded = match head.decode() {
            Ok((Head::Fetch(fetch), fields)) => caller.respond(&fetch, &fields, &mut body).await,
            // The worker speaks a different version of the protocol.
            _ => Err(failure("the request cannot be read")),
        };
        room().await;
        match responded {
            // The place is held until the body has been sent.
            Ok((response, _place)) => return answering::send(response, &sender).await,
            Err(failure) => sender.fail(&failure),
        }
        None
    };
    let opened = tokio::select! {
        biased;
        _ = poll_fn(|cx| sender.poll_over(cx)) => None,
        opened = work => opened,
    };
    if let (Some(opened), Some(receiver)) = (opened, body) {
        receiver.lasts(caller.upstream.sockets.budget.clone());
        carry::between_apps(StreamIo::new(sender, receiver), opened, caller.directory.drains()).await;
    }
}

/// Keeps the connection open until the worker has no work left.
async fn stay(sender: Sender, receiver: Receiver) {
    let _ = sender.respond(200, 0, std::iter::empty(), false);
    while let Some(Ok(_)) = poll_fn(|cx| receiver.poll_chunk(cx)).await {}
    let _ = sender.end(&HeaderBlock::default());
}

/// Returns whether a name can be part of a path as it is.
fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_$".contains(&byte))
}

fn failure(why: impl Into<String>) -> StreamError {
    StreamError::new(StreamErrorKind::HandlerFailed, why)
}

fn not_read(refused: &Refused) -> StreamError {
    failure(refused.cause.as_deref().unwrap_or(refused.why.message()))
}

#[cfg(test)]
mod tests {
    use std::iter::empty;
    use std::task::Poll;

    use nano_protocol::message::RequestId;
    use nano_protocol::{Connection, Failure, Incoming, Side};
    use tokio::net::UnixStream;
    use tokio::task::LocalSet;

    use super::*;
    use crate::edge::testing::Edge;

    /// Returns why a worker of an app with the service `OTHER` gets no answer to this fetch.
    async fn refused(fetch: Fetch<'_>) -> String {
        let edge = Edge::new("services = { OTHER = 'other' }");
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (mut supervisor, handle_of_worker) = Connection::new(ours, Side::Supervisor);
        let link = edge.upstream.attach(1, handle_of_worker, Arc::default());
        let caller = Caller::new(edge.upstream.clone(), link, Rc::default(), edge.admission.clone());
        let (mut worker, handle) = Connection::new(theirs, Side::Worker);
        let (_sender, receiver) = handle.open(&Head::Fetch(fetch), 0, empty(), true).unwrap();
        let failure = poll_fn(|cx| {
            if let Poll::Ready(Ok(Some(Incoming::Stream { head, sender, receiver }))) =
                supervisor.poll_next(cx)
            {
                assert!(caller.opened(head, sender, receiver).is_none());
                cx.waker().wake_by_ref();
            }
            assert!(worker.poll_next(cx).is_pending());
            receiver.poll_head(cx)
        });
        match failure.await {
            Err(Failure::Peer(error)) => error.message,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_worker_reaches_what_its_app_names_and_no_more() {
        let fetch = Fetch {
            binding: "OTHER",
            request: RequestId(1),
            depth: 1,
            method: "GET",
            origin: "http://x",
            target: "/",
            is_call: false,
        };
        let try_all = async {
            let lost = "env.OTHER is the app other, and there is no app of this name";
            assert_eq!(refused(fetch).await, lost);
            for name in ["other", "app", "ASSETS", ""] {
                let why = format!("env.{name} is no binding of this app");
                assert_eq!(refused(Fetch { binding: name, ..fetch }).await, why);
            }
            let malformed = Fetch { target: "http://elsewhere/", ..fetch };
            assert_eq!(refused(malformed).await, "the request has a malformed URL");
        };
        LocalSet::new().run_until(try_all).await;
    }
}
