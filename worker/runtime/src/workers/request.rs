//! How the parts of a request reach JavaScript: each is converted only when it is accessed.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;

use deno_core::{OpState, op2, v8};
use deno_error::JsErrorBox;

use crate::platform::url;
use crate::requests::in_flight::in_flight;

/// Returns the method, as received.
#[op2]
#[string]
pub(crate) fn op_request_method(state: &OpState, #[smi] id: u32) -> Result<String, JsErrorBox> {
    Ok(in_flight(state).head(id)?.line()?.method.to_owned())
}

/// Returns the absolute URL, serialized as `URL` would: an app that extracts parts from the text gets the same as from `URL`.
#[op2]
#[string]
pub(crate) fn op_request_url(state: &OpState, #[smi] id: u32) -> Result<String, JsErrorBox> {
    let head = in_flight(state).head(id)?;
    let line = head.line()?;
    Ok(url::serialized([line.origin, line.target].concat()))
}

/// Client information from a trusted proxy: header fields, and their names in `request.cf`. From other peers these fields are not
/// passed on.
const TOLD_BY_PROXIES: [(&[u8], &str); 12] = [
    (b"cf-ipcity", "city"),
    (b"cf-ipcontinent", "continent"),
    (b"cf-ipcountry", "country"),
    (b"cf-iplatitude", "latitude"),
    (b"cf-iplongitude", "longitude"),
    (b"cf-metro-code", "metroCode"),
    (b"cf-postal-code", "postalCode"),
    (b"cf-region", "region"),
    (b"cf-region-code", "regionCode"),
    (b"cf-timezone", "timezone"),
    (b"x-amzn-tls-cipher-suite", "tlsCipher"),
    (b"x-amzn-tls-version", "tlsVersion"),
];

/// Returns what is known of a request besides its head (`request.cf`), as an array of `[name, value]`.
#[op2]
pub(crate) fn op_request_cf<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: &OpState,
    #[smi] id: u32,
) -> Result<v8::Local<'s, v8::Array>, JsErrorBox> {
    let head = in_flight(state).head(id)?;
    let mut known = vec![("httpProtocol", head.line()?.version.as_str().as_bytes().to_vec())];
    head.headers(|name, value| {
        if let Some((_, known_as)) = TOLD_BY_PROXIES.iter().find(|(field, _)| *field == name) {
            known.push((known_as, value.to_vec()));
        } else if name == b"cf-ray"
            && let Some(dash) = value.iter().rposition(|byte| *byte == b'-')
        {
            known.push(("colo", value[dash + 1..].to_vec()));
        }
    })?;
    let mut fields: Vec<v8::Local<v8::Value>> = Vec::with_capacity(known.len());
    for (name, value) in known {
        let pair = [name.as_bytes(), &value].map(|bytes| text(scope, bytes));
        fields.push(v8::Array::new_with_elements(scope, &pair).into());
    }
    Ok(v8::Array::new_with_elements(scope, &fields))
}

/// Converts bytes as Latin-1, as JavaScript's ByteString does, so that no byte changes. Lengths are far below V8's limit.
fn text<'s>(scope: &mut v8::PinScope<'s, '_>, bytes: &[u8]) -> v8::Local<'s, v8::Value> {
    v8::String::new_from_one_byte(scope, bytes, v8::NewStringType::Normal)
        .unwrap_or_else(|| v8::String::empty(scope))
        .into()
}

/// Returns all header fields, as an array of `[name, value]`.
#[op2]
pub(crate) fn op_request_headers<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: &OpState,
    #[smi] id: u32,
) -> Result<v8::Local<'s, v8::Array>, JsErrorBox> {
    let mut fields: Vec<v8::Local<v8::Value>> = Vec::with_capacity(16);
    in_flight(state).head(id)?.headers(|name, value| {
        let pair = [name, value].map(|bytes| text(scope, bytes));
        fields.push(v8::Array::new_with_elements(scope, &pair).into());
    })?;
    Ok(v8::Array::new_with_elements(scope, &fields))
}

/// Returns one header field by lower-case name; several values are joined as in `Headers.get`.
#[op2]
pub(crate) fn op_request_header<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: &OpState,
    #[smi] id: u32,
    #[string] wanted: &str,
) -> Result<v8::Local<'s, v8::Value>, JsErrorBox> {
    let mut found: Option<Vec<u8>> = None;
    in_flight(state).head(id)?.headers(|name, value| {
        if name.eq_ignore_ascii_case(wanted.as_bytes()) {
            match &mut found {
                Some(joined) => {
                    joined.extend_from_slice(b", ");
                    joined.extend_from_slice(value);
                }
                None => found = Some(value.to_vec()),
            }
        }
    })?;
    let value = found
        .and_then(|value| v8::String::new_from_one_byte(scope, &value, v8::NewStringType::Normal))
        .map(v8::Local::<v8::Value>::from);
    Ok(value.unwrap_or_else(|| v8::null(scope).into()))
}

/// Resolves to whether the client disconnected before the response was complete.
#[op2]
pub(crate) async fn op_request_cancelled(state: Rc<RefCell<OpState>>, #[smi] id: u32) -> bool {
    let Some(request) = in_flight(&state.borrow()).find(id) else { return false };
    poll_fn(|cx| request.receiver.poll_over(cx)).await;
    !request.sender.is_complete()
}
