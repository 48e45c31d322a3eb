//! What of a request crosses into JavaScript, when it is touched.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;

use deno_core::{OpState, op2, v8};
use deno_error::JsErrorBox;

use super::in_flight::in_flight;

/// The method, as received.
#[op2]
#[string]
pub fn op_request_method(state: &OpState, #[smi] id: u32) -> Result<String, JsErrorBox> {
    Ok(in_flight(state).get(id)?.line()?.method.to_owned())
}

/// The absolute URL.
#[op2]
#[string]
pub fn op_request_url(state: &OpState, #[smi] id: u32) -> Result<String, JsErrorBox> {
    let request = in_flight(state).get(id)?;
    let line = request.line()?;
    Ok([line.origin, line.target].concat())
}

/// All header fields, as an array of `[name, value]`.
#[op2]
pub fn op_request_headers<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: &OpState,
    #[smi] id: u32,
) -> Result<v8::Local<'s, v8::Array>, JsErrorBox> {
    let mut fields: Vec<v8::Local<v8::Value>> = Vec::with_capacity(16);
    in_flight(state).get(id)?.headers(|name, value| {
        // Latin-1 on both sides: a JavaScript ByteString is what travelled. Lengths are far below V8's limit.
        let pair = [name, value].map(|bytes| {
            v8::String::new_from_one_byte(scope, bytes, v8::NewStringType::Normal)
                .unwrap_or_else(|| v8::String::empty(scope))
                .into()
        });
        fields.push(v8::Array::new_with_elements(scope, &pair).into());
    })?;
    Ok(v8::Array::new_with_elements(scope, &fields))
}

/// One header field by lower-case name; several are joined as `Headers.get` does.
#[op2]
pub fn op_request_header<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: &OpState,
    #[smi] id: u32,
    #[string] wanted: &str,
) -> Result<v8::Local<'s, v8::Value>, JsErrorBox> {
    let mut found: Option<Vec<u8>> = None;
    in_flight(state).get(id)?.headers(|name, value| {
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

/// Resolves to whether the client went away before the answer was complete.
#[op2]
pub async fn op_request_cancelled(state: Rc<RefCell<OpState>>, #[smi] id: u32) -> bool {
    let Some(request) = in_flight(&state.borrow()).find(id) else { return false };
    poll_fn(|cx| request.receiver.poll_over(cx)).await;
    !request.sender.is_complete()
}
