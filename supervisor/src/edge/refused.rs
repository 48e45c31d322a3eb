//! A refusal with its cause, and with what the error page shows of the request.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use hyper::Method;
use hyper::http::request::Parts;
use nano_protocol::message::Thrown;

use crate::config::AppSpec;
use crate::model::refusal::Refusal;

/// Why a request is not answered by its app.
#[derive(Debug)]
pub(crate) struct Refused {
    pub why: Refusal,
    /// What the app did wrong, with the same text as in the log.
    pub cause: Option<Arc<str>>,
    /// What the app has thrown, if an app is to be told.
    pub thrown: Option<Box<Thrown>>,
    /// When the app is started again, if that is known.
    pub until: Option<Instant>,
    /// The request and its app, if the client may see the cause.
    pub scene: Option<Box<Scene>>,
}

/// What the error page shows of the request and its app.
#[derive(Debug)]
pub(crate) struct Scene {
    pub spec: Rc<AppSpec>,
    pub method: Method,
    /// Path and query.
    pub target: String,
}

impl From<Refusal> for Refused {
    fn from(why: Refusal) -> Self {
        Self { why, cause: None, thrown: None, until: None, scene: None }
    }
}

impl Refused {
    /// Creates a refusal that the app has caused.
    pub(crate) fn because(why: Refusal, cause: impl Into<Arc<str>>) -> Self {
        Self { why, cause: Some(cause.into()), thrown: None, until: None, scene: None }
    }

    /// Adds the time at which the app is started again.
    pub(crate) fn until(mut self, until: Instant) -> Self {
        self.until = Some(until);
        self
    }

    /// Adds the request and its app, if clients may see the cause (`development`).
    pub(crate) fn at(mut self, spec: &Rc<AppSpec>, request: &Parts) -> Self {
        if spec.settings.development && self.cause.is_some() {
            let target = request.uri.path_and_query().map_or_else(String::new, ToString::to_string);
            let scene = Scene { spec: spec.clone(), method: request.method.clone(), target };
            self.scene = Some(Box::new(scene));
        }
        self
    }
}
