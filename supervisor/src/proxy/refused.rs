//! A refusal with its cause, and the answer it becomes: bare, or with all that is known if the app is in development mode.

use std::rc::Rc;
use std::sync::Arc;

use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::http::request::Parts;
use hyper::{Method, Response};
use nano_protocol::message::RequestId;

use super::answer::{Form, JSON, Refusal, TEXT};
use super::body::ResponseBody;
use super::error_page;
use crate::config::AppSpec;

/// Why a request is not answered by its app.
#[derive(Debug)]
pub struct Refused {
    why: Refusal,
    /// What the app did, in the words of the log.
    cause: Option<Arc<str>>,
    /// Where it happened, if the client may be told.
    scene: Option<Box<Scene>>,
}

/// What of a request and its app a page about an error names.
#[derive(Debug)]
pub struct Scene {
    /// The app.
    pub spec: Rc<AppSpec>,
    /// The method of the request.
    pub method: Method,
    /// Path and query of the request.
    pub target: String,
}

impl From<Refusal> for Refused {
    fn from(why: Refusal) -> Self {
        Self { why, cause: None, scene: None }
    }
}

impl Refused {
    /// A refusal that the app has caused.
    pub fn because(why: Refusal, cause: impl Into<Arc<str>>) -> Self {
        Self { why, cause: Some(cause.into()), scene: None }
    }

    /// The reason, without its cause.
    pub fn why(&self) -> Refusal {
        self.why
    }

    /// The same at its scene, if the app's clients may see it.
    pub fn at(mut self, spec: &Rc<AppSpec>, request: &Parts) -> Self {
        if spec.development && self.cause.is_some() {
            let target = request.uri.path_and_query().map_or_else(String::new, ToString::to_string);
            let scene = Scene { spec: spec.clone(), method: request.method.clone(), target };
            self.scene = Some(Box::new(scene));
        }
        self
    }

    /// The whole response, but for its request id header.
    pub fn response(self, id: RequestId, form: Form) -> Response<ResponseBody> {
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
        response
    }
}
