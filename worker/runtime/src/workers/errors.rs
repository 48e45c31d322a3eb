//! Errors in the form in which they are logged: reports, and the positions of syntax errors.
//!
//! - [`mod@report`]: formats a report; [`hints`]: suggests what to do about an error.

mod hints;
pub(crate) mod report;

use std::cell::RefCell;
use std::rc::Rc;

use deno_core::error::{JsError, JsStackFrame};
use deno_core::{OpState, op2, v8};

use report::{AppFolder, excerpt, report};

/// Returns the report of an error that the app has thrown. Reading an error may run the app's code: a getter, a proxy's trap, its
/// own `Error.prepareStackTrace`. Exceptions from that code are dropped.
#[op2(reentrant)]
#[string]
pub(crate) fn op_describe_error<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: Rc<RefCell<OpState>>,
    error: v8::Local<'s, v8::Value>,
    #[string] properties: &str,
) -> String {
    let folder = app_folder(&state);
    v8::tc_scope!(let scope, scope);
    let error = JsError::from_v8_exception(scope, error);
    if scope.has_caught() && !scope.has_terminated() {
        scope.reset();
    }
    report(&error, properties, &folder)
}

/// Returns the message of an error that V8 raised for source text it cannot compile, with the position of the mistake.
#[op2]
#[string]
pub(crate) fn op_compile_error<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: Rc<RefCell<OpState>>,
    error: v8::Local<'s, v8::Value>,
) -> String {
    let folder = app_folder(&state);
    let message = v8::Exception::create_message(scope, error);
    let text = message.get(scope).to_rust_string_lossy(scope);
    let mut text = text.trim_start_matches("Uncaught ").trim_start_matches("SyntaxError: ").to_owned();
    let frame = JsStackFrame::from_v8_message(scope, message);
    if let Some((frame, place)) =
        frame.and_then(|frame| frame.maybe_format_location().map(|place| (frame, place)))
    {
        text.push_str("\n    at ");
        text.push_str(&folder.shorten(&place));
        if let Some(source) = message.get_source_line(scope) {
            let source = source.to_rust_string_lossy(scope);
            excerpt(&mut text, &source, frame.line_number.unwrap_or(1), frame.column_number.unwrap_or(1));
        }
    }
    text
}

fn app_folder(state: &RefCell<OpState>) -> Rc<AppFolder> {
    state.borrow().borrow::<Rc<AppFolder>>().clone()
}
