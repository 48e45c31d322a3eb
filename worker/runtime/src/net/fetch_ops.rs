//! The ops of `fetch`. `op_fetch` and `op_fetch_send` replace deno_fetch's ops of the same names, so that its JavaScript sends
//! through our client.

use std::borrow::Cow;
use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use base64::Engine as _;
use bytes::Bytes;
use deno_core::convert::{ByteString, Uint8Array};
use deno_core::url::Url;
use deno_core::{CancelFuture as _, CancelHandle, OpState, Resource, ResourceId, op2, v8};
use deno_fetch::data_url::DataUrl;
use deno_fetch::{FetchResponse, FetchReturn, ReqBody, ResBody, extract_authority};
use hyper::body::Body as _;
use hyper::ext::ReasonPhrase;
use hyper::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue,
    TRANSFER_ENCODING, USER_AGENT,
};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};

use super::bindings::Bindings;
use super::coded_body::{CodedBody, whole};
use super::failure::{Failure, origin};
use super::handshake::{Answer, asks_for_socket, fetch_socket};
use super::network::Network;
use super::places::Line;
use super::unread::{Reader, Unread};
use super::upload::{Abort, Fate, Met, Upload};
use super::websocket::Socket;
use crate::platform::coding::Coding;
use crate::requests::belongings::FetchedBody;
use crate::requests::in_flight::{in_flight, running_request};

const AGENT: HeaderValue = HeaderValue::from_static("nano-supervisor");

type Responding = Pin<Box<dyn Future<Output = Result<Answer, Failure>>>>;

/// A request that `op_fetch` has created and `op_fetch_send` will send.
struct Pending {
    url: String,
    /// The id in JavaScript of the incoming request that it is made for; zero for none.
    request: u32,
    response: RefCell<Option<Responding>>,
}

impl Resource for Pending {
    fn name(&self) -> Cow<'_, str> {
        "fetchRequest".into()
    }
}

/// Creates an outbound request, or one to the binding with this number, which `op_fetch_send` sends.
#[op2]
#[allow(clippy::too_many_arguments, reason = "the JavaScript of deno_fetch calls it so")]
pub(crate) fn op_fetch(
    scope: &mut v8::PinScope<'_, '_>,
    state: &mut OpState,
    #[scoped] method: ByteString,
    #[string] url: String,
    #[scoped] headers: Vec<(ByteString, ByteString)>,
    #[smi] binding: Option<u32>,
    has_body: bool,
    data: Option<Uint8Array>,
    #[smi] resource: Option<ResourceId>,
) -> Result<FetchReturn, Failure> {
    let url = Url::parse(&url).map_err(|error| Failure::invalid(format!("{url:?} is not a URL: {error}")))?;
    let of = running_request(scope).unwrap_or_default();
    let cancel = CancelHandle::new_rc();
    let fate = Fate::default();
    let response = match url.scheme() {
        "http" | "https" => {
            let (body, length) = match (data, resource) {
                (Some(data), _) if has_body => (ReqBody::full(data.0.into()), None),
                (_, Some(resource)) if has_body => {
                    let resource = state.resource_table.take_any(resource);
                    let resource = resource.map_err(|error| Failure::invalid(error.to_string()))?;
                    let length = resource.size_hint().1;
                    (ReqBody::streaming(Upload::new(resource, fate.clone())), length)
                }
                _ => (ReqBody::empty(), None),
            };
            let request = request(&method, url.clone(), &headers, body, length, binding.is_none())?;
            let sending: Responding = match binding {
                None if *request.method() == Method::GET && asks_for_socket(request.headers()) => {
                    Box::pin(fetch_socket(state.borrow::<Rc<Network>>().websockets(), request))
                }
                None => {
                    let response = state.borrow::<Rc<Network>>().client().send(request);
                    Box::pin(async { Ok((response.await?, None)) })
                }
                Some(binding) => {
                    let bindings = state.borrow::<Rc<Bindings>>().clone();
                    Box::pin(bindings.send(binding, request, of, &in_flight(state))?)
                }
            };
            let sending = sending.or_cancel(cancel.clone());
            let fate = fate.clone();
            Box::pin(async move {
                let sent = sending.await.unwrap_or_else(|_| Err(Failure::invalid("the fetch was aborted")));
                let _ = fate.set(Met::Response);
                sent
            })
        }
        "data" => {
            let response = data_response(&url).map(|response| (response, None));
            Box::pin(async { response }) as Responding
        }
        "blob" => return Err(Failure::invalid("there is nothing under this blob: URL, or it was revoked")),
        "file" => return Err(Failure::invalid("fetch reads no files; import them, or serve them as assets")),
        other => return Err(Failure::invalid(format!("fetch does not support {other}: URLs"))),
    };
    let response = RefCell::new(Some(response));
    let request_rid = state.resource_table.add(Pending { url: url.into(), request: of, response });
    let cancel_handle_rid = Some(state.resource_table.add(Abort::new(cancel, fate)));
    Ok(FetchReturn { request_rid, cancel_handle_rid })
}

/// Sends a request and waits for the head of its response.
#[op2]
pub(crate) async fn op_fetch_send(
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
) -> Result<FetchResponse, Failure> {
    let pending = state.borrow_mut().resource_table.take::<Pending>(rid);
    let pending = pending.map_err(|error| Failure::invalid(error.to_string()))?;
    let response = pending.response.take();
    let response = response.ok_or_else(|| Failure::invalid("the request was sent already"))?;
    let (response, socket) = response.await?;
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str().into(), value.as_bytes().into())).collect();
    let reason = response.extensions().get::<ReasonPhrase>();
    let status_text = match reason {
        // Each byte stands for one character (https://fetch.spec.whatwg.org/#concept-response-status-message).
        Some(reason) => reason.as_bytes().iter().map(|byte| char::from(*byte)).collect(),
        None => response.status().canonical_reason().unwrap_or_default().to_owned(),
    };
    let status = response.status().as_u16();
    let content_length = response.body().size_hint().exact();
    let response_rid = if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let Some(io) = socket else {
            return Err(Failure::invalid(
                "the server has switched to a protocol that `fetch` does not speak",
            ));
        };
        state.borrow().borrow::<Rc<Network>>().warn(&in_flight(&state.borrow()));
        Socket::fetched(&state, io, pending.request)
    } else {
        let (body, unread) = body_of(&state.borrow(), response, &pending);
        let response_rid = state.borrow_mut().resource_table.add(body);
        if let Some(unread) = unread {
            unread.call(response_rid);
        }
        response_rid
    };
    Ok(FetchResponse {
        status,
        status_text,
        headers,
        url: pending.url.clone(),
        response_rid,
        content_length,
        // With `true`, deno_fetch's JavaScript would take the header fields for those of a different body.
        body_decoded: false,
        error: None,
    })
}

/// Ends the response body of an aborted fetch. If the body has been handed over to other native code, its reader gets the error.
#[op2(fast)]
pub(crate) fn op_fetch_abort(state: &OpState, #[smi] rid: ResourceId) {
    let network = state.try_borrow::<Rc<Network>>();
    if let Some(body) = network.and_then(|network| network.find(rid)) {
        body.end(|| format!("{} was aborted", body.what));
    }
}

/// Returns the body of the response, tied to what may end it.
fn body_of(
    state: &OpState,
    response: Response<ResBody>,
    pending: &Pending,
) -> (CodedBody, Option<Arc<Unread>>) {
    let uri = pending.url.parse::<Uri>().unwrap_or_default();
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return (CodedBody::new(response.into_body(), None, "the response".to_owned()), None);
    }
    let mut codings = response.headers().get_all(CONTENT_ENCODING).iter();
    let coding = match (codings.next(), codings.next()) {
        (Some(coding), None) => Coding::named(coding.as_bytes()),
        _ => None,
    };
    let what = format!("the response from {}", origin(&uri));
    let line = response.extensions().get::<Weak<Line>>().cloned().unwrap_or_default();
    let unread = Unread::new(response.into_body(), what.clone(), pending.request, line);
    let in_flight = in_flight(state);
    in_flight.fetched(pending.request, Arc::downgrade(&unread) as Weak<dyn FetchedBody>);
    let network = state.borrow::<Rc<Network>>();
    network.watch(&unread);
    network.warn(&in_flight);
    let body = CodedBody::new(ResBody::new(Reader(unread.clone())), coding, what);
    (body, Some(unread))
}

fn request(
    method: &[u8],
    mut url: Url,
    headers: &[(ByteString, ByteString)],
    body: ReqBody,
    stream_length: Option<u64>,
    is_outbound: bool,
) -> Result<Request<ReqBody>, Failure> {
    let credentials = extract_authority(&mut url);
    let uri: Uri =
        url.as_str().parse().map_err(|_| Failure::invalid(format!("{url} cannot be requested")))?;
    let method = Method::from_bytes(method).map_err(|_| Failure::invalid("the method is not a token"))?;
    let mut fields = HeaderMap::with_capacity(headers.len() + 4);
    for (name, value) in headers {
        let field = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value));
        let (Ok(name), Ok(value)) = field else {
            let name = String::from_utf8_lossy(name);
            return Err(Failure::invalid(format!("header field {name:?} cannot be sent")));
        };
        // The framing of the body is derived from the rest of the request, and what servers on the network are told of the host.
        if (name != HOST || !is_outbound) && name != TRANSFER_ENCODING && name != CONTENT_LENGTH {
            fields.append(name, value);
        }
    }
    if let Some((name, password)) = credentials.filter(|_| is_outbound) {
        let basic = format!("{name}:{}", password.unwrap_or_default());
        let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(basic));
        // Base64 is always a valid header value.
        if let Ok(basic) = HeaderValue::try_from(basic) {
            fields.entry(AUTHORIZATION).or_insert(basic);
        }
    }
    if is_outbound {
        fields.entry(USER_AGENT).or_insert(AGENT);
    }
    if let Some(length) = body.size_hint().exact().or(stream_length)
        && (length > 0 || !matches!(method, Method::GET | Method::HEAD))
    {
        fields.insert(CONTENT_LENGTH, length.into());
    }
    let mut request = Request::new(body);
    (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (method, uri, fields);
    Ok(request)
}

fn data_response(url: &Url) -> Result<Response<ResBody>, Failure> {
    let invalid = |why: &str| Failure::invalid(format!("the data: URL is not valid: {why}"));
    let data = DataUrl::process(url.as_str()).map_err(|_| invalid("there is no comma"))?;
    let (body, _fragment) = data.decode_to_vec().map_err(|_| invalid("this is not Base64"))?;
    let mut response = Response::new(whole(Bytes::from(body)));
    if let Ok(kind) = HeaderValue::try_from(data.mime_type().to_string()) {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    Ok(response)
}
