//! Handles one request: checks it, finds its app, forwards it to a worker, and maps every failure to one status.
//!
//! - [`site`]: finds the app by port and host.
//! - [`headers`]: checks heads: limits, framing, hop-by-hop fields; [`host`]: finds the host that a request is for;
//!   [`forwarding`]: decides which fields the app gets.
//! - [`mod@deliver`]: sends a request to a worker, and to the next one if need be; [`attempt`]: to one worker, up to the head of the
//!   response.
//! - [`handshake`]: which requests ask for a WebSocket; [`compression`]: of its messages; [`opened`]: one that an app has accepted.
//! - [`upload`]: moves the request body from the client into a stream.
//! - [`body`]: the response body, as hyper polls it, in [`part`]s; [`announced`]: checks its announced length;
//!   [`response_limit`]: limits its length; `trailers`: what follows it.
//! - [`answer`]: maps failures to statuses in one table, and builds the responses for them.
//! - [`static_file`]: answers with a static file of the app, without a worker; [`file_window`]: its descriptor and memory.
//! - [`recorded`]: the record of a request, for the access log and for its span.
//! - [`error_page`]: the page that shows the cause to the developer of an app; `development`: a path that only such apps have.

pub(crate) mod announced;
pub(crate) mod answer;
pub(crate) mod attempt;
pub(crate) mod body;
pub(crate) mod compression;
pub(crate) mod deliver;
mod development;
pub(crate) mod error_page;
pub(crate) mod file_window;
pub(crate) mod forwarding;
pub(crate) mod handshake;
pub(crate) mod headers;
pub(crate) mod host;
pub(crate) mod opened;
pub(crate) mod part;
pub(crate) mod recorded;
pub(crate) mod response_limit;
pub(crate) mod site;
pub(crate) mod static_file;
mod trailers;
pub(crate) mod upload;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hyper::{Method, Request, Response};
use nano_protocol::message::{HttpVersion, RequestId, RequestLine};
use tokio::time::Instant;

use crate::assets::answer::AssetRequest;
use crate::config::{AccessLog, ServerSettings};
use crate::edge::client::peer::Peer;
use crate::edge::client::serving::{Reading, Serving};
use crate::edge::forwarded_for::Asker;
use crate::edge::refused::Refused;
use crate::edge::upstream::{InFlight, Upstream};
use crate::model::refusal::Refusal;
use crate::model::shares::ClientKey;
use crate::telemetry::record::{RequestRecord, RequestSource, Span};
use attempt::{Outgoing, Upgrade};
use body::{ResponseBody, Tail};
use deliver::deliver;
use file_window::FileWindow;
use forwarding::Forwarding;
use handshake::Handshake;
use recorded::Recorded;
use site::Site;
use upload::{RequestBody, Upload};

/// Handles the requests of one listening address on one I/O thread.
#[derive(Debug)]
pub(crate) struct Proxy {
    site: RefCell<Site>,
    settings: RefCell<Rc<ServerSettings>>,
}

impl Proxy {
    /// Creates a proxy for these apps, with these limits and policies.
    pub(crate) fn new(site: Site, settings: Rc<ServerSettings>) -> Self {
        Self { site: RefCell::new(site), settings: RefCell::new(settings) }
    }

    /// Replaces the apps and the settings for further requests, including those on open connections.
    pub(crate) fn configure(&self, site: Site, settings: Rc<ServerSettings>) {
        *self.site.borrow_mut() = site;
        *self.settings.borrow_mut() = settings;
    }

    fn settings(&self) -> Rc<ServerSettings> {
        self.settings.borrow().clone()
    }

    /// Answers one request. Never fails: every failure becomes a response, or cuts the body off.
    pub(crate) async fn answer<B: RequestBody>(
        &self,
        request: Request<B>,
        peer: &Peer,
        serving: Serving,
    ) -> Response<ResponseBody> {
        let (settings, arrived) = (self.settings(), Instant::now());
        let mut upstream = None;
        let asker = Asker::new(request.headers(), peer.address.ip(), &settings.forwarded);
        let id = if asker.is_proxied { headers::request_id(request.headers()) } else { None };
        let id = id.unwrap_or_else(|| RequestId(fastrand::u128(..)));
        let access = settings.access_log;
        let span = settings.traces.as_ref().map(|traces| Span::of(request.headers(), traces.sample));
        let recorded = span.clone().filter(|span| span.context.is_sampled());
        let record = (access != AccessLog::Off || recorded.is_some()).then(|| {
            RequestRecord::new(
                &request,
                RequestSource::Client { address: asker.address, peer: peer.address },
                id,
                arrived.into_std(),
                access,
                recorded,
            )
        });
        let mut record = Recorded::new(record);
        let form = answer::form(request.headers());
        let is_to_head = request.method() == Method::HEAD;
        let reading = (!request.body().is_end_stream()).then(|| serving.body());
        let arrival = Arrival {
            id,
            arrived,
            asker,
            span: span.as_ref(),
            upstream: &mut upstream,
            record: record.get(),
        };
        let forwarded = self.forward(&settings, request, peer, arrival, reading).await;
        if let Some(upstream) = &upstream {
            serving.min_rate(upstream.spec().limits.min_rate);
        }
        let (mut response, place) = match forwarded {
            Ok(answered) => answered,
            Err(refused) => {
                // What follows may be no request, or more of the body than is worth reading.
                if matches!(refused.why, Refusal::Malformed | Refusal::BodyTooLarge) {
                    serving.distrust();
                }
                if let Some(upstream) = &upstream {
                    upstream.count(|counts| counts.refused(refused.why as usize));
                }
                if let Some(record) = record.get() {
                    record.refusal = Some(refused.why.code());
                }
                (refused.response(id, form), None)
            }
        };
        response.headers_mut().insert(headers::X_REQUEST_ID, headers::request_id_value(id));
        let status = response.status().as_u16();
        if let Some(upstream) = &upstream {
            upstream.count(|counts| counts.response(status));
        }
        if let Some(record) = record.get() {
            record.status = status;
        }
        if is_to_head {
            *response.body_mut() = ResponseBody::empty();
        }
        response.body_mut().attach(Tail { id, _place: place, upstream, serving: Some(serving), record });
        response
    }

    async fn forward<B: RequestBody>(
        &self,
        settings: &ServerSettings,
        request: Request<B>,
        peer: &Peer,
        arrival: Arrival<'_>,
        reading: Option<Reading>,
    ) -> Result<(Response<ResponseBody>, Option<InFlight>), Refused> {
        let (parts, incoming) = request.into_parts();
        // First of all, since the end of the body decides what a connection carries after a refusal as well.
        if let Some(reading) = &reading
            && headers::is_chunked(&parts.headers)?
        {
            reading.is_chunked();
        }
        headers::check_limits(&parts, settings)?;
        if parts.method == Method::CONNECT {
            return Err(Refusal::MethodNotAllowed.into());
        }
        let target = headers::target(&parts)?;
        let host = host::host(&parts, peer.local)?;
        // A request with a body does not end with its head, so what follows cannot be a WebSocket.
        let handshake = if reading.is_none() { Handshake::of(&parts)? } else { None };
        let Arrival { id, arrived, asker, span, upstream: answering, mut record } = arrival;
        let mut forwarding = Forwarding::new(&parts.headers, &host, peer, asker, id, span);
        if let Some(record) = record.as_deref_mut().filter(|record| record.span.is_some()) {
            forwarding.origin().clone_into(&mut record.origin);
        }
        let upstream = self.site.borrow().upstream(host.name()).ok_or(Refusal::NoSuchHost)?;
        let spec = upstream.spec();
        *answering = Some(upstream.clone());
        if let Some(record) = &mut record {
            record.app = Some(spec.name.clone());
        }
        let max_body = spec.limits.max_body;
        headers::check_length(&parts.headers, max_body)?;
        let client = ClientKey::from(asker.address);
        let enter = || {
            let held = peer.held.get(upstream.app, client, || upstream.held_by(client));
            upstream.enter(&spec, held)
        };
        let scheduled = if spec.settings.development { development::scheduled(target) } else { None };
        if let Some(assets) = &spec.assets
            && scheduled.is_none()
            && !upstream.is_stopped()
        {
            let request = AssetRequest {
                method: &parts.method,
                target,
                host: host.name(),
                origin: forwarding.origin(),
                headers: &parts.headers,
                is_worker: false,
            };
            if let Some(answer) = assets.answer(&request, spec.has_worker()) {
                let window = |most| {
                    let descriptor = peer.read_file(client)?;
                    Some(FileWindow::new(upstream.budget().clone(), peer.buffers(client), descriptor, most))
                };
                let answered = static_file::respond(&spec.name, assets.index(), answer, enter, window).await;
                return answered.map_err(|refused| refused.at(&spec, &parts));
            }
        }
        if upstream.is_quarantined(parts.method.as_str(), target) {
            return Err(Refusal::Quarantined.into());
        }
        let place = enter()?;
        let upgrade = match handshake {
            Some(mut handshake) => {
                forwarding.upgrades();
                handshake.compression = handshake.compression.filter(|_| spec.settings.websocket_compression);
                let place = Cell::new(Some(upstream.sockets.enter(&spec, client)?));
                let inflating = upstream.sockets.inflating(&spec, client);
                let budget = upstream.sockets.budget.clone();
                Some(Upgrade { handshake: Some(handshake), budget, inflating, place })
            }
            None => None,
        };
        let upload = reading.map(|reading| Upload::new(incoming, Some(reading), max_body, upstream.clone()));
        let line = RequestLine {
            id,
            method: parts.method.as_str(),
            origin: forwarding.origin(),
            target,
            version: version(parts.version),
            depth: 0,
            entrypoint: None,
        };
        let buffers = peer.buffers(client);
        let outgoing = Outgoing {
            spec: &spec,
            line: &line,
            scheduled: scheduled.as_ref(),
            forwarding: &forwarding,
            fields: &parts.headers,
            upgrade: upgrade.as_ref(),
            buffers: &buffers,
        };
        match deliver(&upstream, &place, arrived, &outgoing, upload, record).await {
            // A WebSocket has a place of its own, and is no request in flight.
            Ok(response) => {
                let place = response.body().socket.is_none().then_some(place);
                Ok((response, place))
            }
            Err(refused) => Err(refused.at(&spec, &parts)),
        }
    }
}

/// What is known of a request when it arrives, and where to store what is learned about it.
struct Arrival<'a> {
    id: RequestId,
    arrived: Instant,
    asker: Asker,
    /// Its span if traces are on, even if the span is not recorded.
    span: Option<&'a Span>,
    /// Set to the app once it is found.
    upstream: &'a mut Option<Rc<Upstream>>,
    record: Option<&'a mut RequestRecord>,
}

fn version(version: hyper::Version) -> HttpVersion {
    match version {
        hyper::Version::HTTP_2 => HttpVersion::Http2,
        hyper::Version::HTTP_11 => HttpVersion::Http11,
        _ => HttpVersion::Http10,
    }
}
