//! A refusal with its cause, and with what the client may be told beside it.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use hyper::Method;
use hyper::http::request::Parts;

use crate::config::AppSpec;
use crate::model::refusal::Refusal;

/// Why a request is not answered by its app.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The reason, without its cause.
    pub why: Refusal,
    /// What the app did, in the words of the log.
    pub cause: Option<Arc<str>>,
    /// When the app will be tried again, if that is known.
    pub until: Option<Instant>,
    /// Where it happened, if the client may be told.
    pub scene: Option<Box<Scene>>,
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

    /// The same at its scene, if the app's clients may see it.
    pub(crate) fn at(mut self, spec: &Rc<AppSpec>, request: &Parts) -> Self {
        if spec.settings.development && self.cause.is_some() {
            let target = request.uri.path_and_query().map_or_else(String::new, ToString::to_string);
            let scene = Scene { spec: spec.clone(), method: request.method.clone(), target };
            self.scene = Some(Box::new(scene));
        }
        self
    }
}
