//! A refusal with its cause, and the answer it becomes: bare, or with all that is known if the app is in development mode.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFRESH, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::{Method, Response};
use nano_protocol::message::RequestId;

use super::answer::{Form, JSON, TEXT};
use super::body::ResponseBody;
use super::error_page;
use crate::config::AppSpec;
use crate::model::refusal::Refusal;

/// Why a request is not answered by its app.
#[derive(Debug)]
pub(crate) struct Refused {
    why: Refusal,
    /// What the app did, in the words of the log.
    cause: Option<Arc<str>>,
    /// When the app will be tried again, if that is known.
    until: Option<Instant>,
    /// Where it happened, if the client may be told.
    scene: Option<Box<Scene>>,
}

/// What of a request and its app a page about an error names.
#[derive(Debug)]
pub(crate) struct Scene {
    /// The app.
    pub spec: Rc<AppSpec>,
    /// The method of the request.
    pub method: Method,
    /// Path and query of the request.
    pub target: String,
}

impl From<Refusal> for Refused {
    fn from(why: Refusal) -> Self {
        Self { why, cause: None, until: None, scene: None }
    }
}

impl Refused {
    /// A refusal that the app has caused.
    pub(crate) fn because(why: Refusal, cause: impl Into<Arc<str>>) -> Self {
        Self { why, cause: Some(cause.into()), until: None, scene: None }
    }

    /// The same, with the time before which it is of no use to ask again.
    pub(crate) fn until(mut self, until: Instant) -> Self {
        self.until = Some(until);
        self
    }

    /// The reason, without its cause.
    pub(crate) fn why(&self) -> Refusal {
        self.why
    }

    /// The same at its scene, if the app's clients may see it.
    pub(crate) fn at(mut self, spec: &Rc<AppSpec>, request: &Parts) -> Self {
        if spec.development && self.cause.is_some() {
            let target = request.uri.path_and_query().map_or_else(String::new, ToString::to_string);
            let scene = Scene { spec: spec.clone(), method: request.method.clone(), target };
            self.scene = Some(Box::new(scene));
        }
        self
    }

    /// The whole response, but for its request id header.
    pub(crate) fn response(self, id: RequestId, form: Form) -> Response<ResponseBody> {
        let (until, why) = (self.until, self.why);
        let mut response = self.without_time(id, form);
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if let Some(left) = left.or_else(|| why.is_momentary().then_some(Duration::ZERO)) {
            let seconds = whole_seconds(left);
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }

    fn without_time(self, id: RequestId, form: Form) -> Response<ResponseBody> {
        let why = self.why;
        let (Some(cause), Some(scene)) = (self.cause, self.scene) else { return why.response(id, form) };
        let mut response = match form {
            Form::Html => why.with_body(error_page::HTML, error_page::render(why, id, &scene, &cause)),
            Form::Json => why.with_body(JSON, why.json(id, Some(&cause))),
            Form::Text => why.with_body(TEXT, format!("{}\n{}\n", why.text(), cause.trim_end())),
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(error_page::POLICY));
        if form == Form::Html && why == Refusal::NotLoaded {
            // The browser asks again until the app is mended.
            headers.insert(REFRESH, HeaderValue::from_static("1"));
        }
        response
    }
}

/// In `Retry-After`, which has no fractions: whoever waits so long never comes too early, and whoever comes while the app is
/// just being tried has to come again.
fn whole_seconds(left: Duration) -> u64 {
    (left.as_secs() + u64::from(left.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_as_long_as_told_is_not_too_early() {
        for (left, expected) in [(0, 1), (1, 1), (999, 1), (1000, 1), (1001, 2), (29_500, 30)] {
            assert_eq!(whole_seconds(Duration::from_millis(left)), expected);
        }
    }
}
