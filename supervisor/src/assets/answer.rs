//! Decides what a request is answered: a file, a redirect, a refusal, or by the worker.

use std::ops::Range;
use std::sync::Arc;

use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};

use super::Assets;
use super::coding::Coding;
use super::conditions::{self, Extent};
use super::file::AssetFile;
use super::html::{Finder, Intent, NotFoundHandling};
use super::redirects::Rerouted;
use super::routing::{Answerer, WorkerFirst};
use super::rule::RuleUrl;
use super::{pages, path};

/// Has browsers ask, with the tag that they have, before they use what they have.
const REVALIDATE: HeaderValue = HeaderValue::from_static("public, max-age=0, must-revalidate");

const ALLOWED: HeaderValue = HeaderValue::from_static("GET, HEAD");

const BYTES: HeaderValue = HeaderValue::from_static("bytes");

const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("accept-encoding");

const SEC_FETCH_MODE: &str = "sec-fetch-mode";

/// A request for a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AssetRequest<'a> {
    pub method: &'a Method,
    /// Path and query, as sent.
    pub target: &'a str,
    /// Its host, without a port.
    pub host: &'a str,
    /// Scheme, host and port.
    pub origin: &'a str,
    pub headers: &'a HeaderMap,
    /// Whether a worker asks, on its own behalf or on that of its client.
    pub is_worker: bool,
}

/// What a request is answered without the worker.
#[derive(Debug)]
pub(crate) struct AssetAnswer<'a> {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// How the body may be compressed. The header fields do not say so yet, since it may not be worth it.
    pub coding: Option<Coding>,
    /// The file, and the bytes of it that are the body. `None` if there is no body.
    pub content: Option<(&'a Arc<AssetFile>, Range<u64>)>,
}

/// What was found for a request.
enum AssetFinding<'a> {
    File {
        file: &'a Arc<AssetFile>,
        is_page: bool,
    },
    Redirect(StatusCode, String),
    MethodNotAllowed,
    /// Nothing, and no worker is to be asked.
    Nothing,
}

impl Assets {
    /// Decides about a request. `None` if the worker answers it, of an app that has one.
    pub(crate) fn answer(&self, request: &AssetRequest<'_>, has_worker: bool) -> Option<AssetAnswer<'_>> {
        let (path, query) = path::split(request.target);
        let first = if has_worker { self.policy.worker_first.of(&path) } else { Answerer::Files };
        if first == Answerer::Worker {
            return None;
        }
        let url = RuleUrl { host: request.host, path: &path };
        let finding = self.find(request, url, query, first == Answerer::Either)?;
        Some(self.complete(finding, url, request))
    }

    /// Decides about a request that the worker makes: it is answered by the files, whichever requests of clients the worker answers.
    pub(crate) fn fetch(&self, request: &AssetRequest<'_>) -> AssetAnswer<'_> {
        let (path, query) = path::split(request.target);
        let url = RuleUrl { host: request.host, path: &path };
        let finding = self.find(request, url, query, false).unwrap_or(AssetFinding::Nothing);
        self.complete(finding, url, request)
    }

    /// Builds the response, with what `_headers` says.
    fn complete<'a>(
        &self,
        finding: AssetFinding<'a>,
        url: RuleUrl<'_>,
        request: &AssetRequest<'_>,
    ) -> AssetAnswer<'a> {
        let mut answer = respond(finding, request);
        if self.policy.is_for_pages {
            pages::add_defaults(&mut answer.headers);
        }
        self.headers.apply(url, &mut answer.headers);
        if self.policy.is_for_pages {
            pages::finish(answer.status, &mut answer.headers);
        }
        // A rule may say that the file is compressed already, or is not to be changed.
        let is_final = answer.headers.contains_key(header::CONTENT_ENCODING)
            || answer.headers.get(header::CACHE_CONTROL).is_some_and(|value| {
                value.to_str().is_ok_and(|directives| directives.contains("no-transform"))
            });
        answer.coding = answer.coding.filter(|_| !is_final);
        answer
    }

    fn find(
        &self,
        request: &AssetRequest<'_>,
        url: RuleUrl<'_>,
        query: &str,
        may_be_of_worker: bool,
    ) -> Option<AssetFinding<'_>> {
        let (path, is_rewritten) = match self.redirects.find(url, request.origin, query) {
            Some(Rerouted::Elsewhere(status, location)) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND);
                return Some(AssetFinding::Redirect(status, location));
            }
            Some(Rerouted::Rewritten(path)) => (path.into(), true),
            None => (std::borrow::Cow::Borrowed(url.path), false),
        };
        let is_read = *request.method == Method::GET || *request.method == Method::HEAD;
        if self.policy.is_for_pages && !is_read {
            return Some(AssetFinding::MethodNotAllowed);
        }
        let decoded = path::decode(&path);
        let stands_in = !may_be_of_worker || is_rewritten || self.prefers_pages(request.headers);
        let finder = Finder {
            find: |path: &str| self.index.find(path),
            html: self.policy.html,
            not_found: if stands_in { self.policy.not_found } else { NotFoundHandling::None },
            is_for_pages: self.policy.is_for_pages,
        };
        let Some(intent) = finder.intent(&decoded) else {
            return (!may_be_of_worker || is_rewritten).then_some(AssetFinding::Nothing);
        };
        if !is_read {
            return Some(AssetFinding::MethodNotAllowed);
        }
        let (file, is_page) = match intent {
            Intent::Redirect(to) => {
                let status = match self.policy.is_for_pages {
                    true => StatusCode::PERMANENT_REDIRECT,
                    false => StatusCode::TEMPORARY_REDIRECT,
                };
                return Some(AssetFinding::Redirect(status, format!("{}{query}", path::encode(&to))));
            }
            Intent::Serve(file) => (file, false),
            Intent::NotFoundPage(file) => (file, true),
        };
        let canonical = path::encode(&decoded);
        if canonical != path && !self.policy.is_for_pages {
            return Some(AssetFinding::Redirect(
                StatusCode::TEMPORARY_REDIRECT,
                format!("{canonical}{query}"),
            ));
        }
        Some(AssetFinding::File { file, is_page })
    }

    /// Whether a page stands in for a file that is not there, although there is a worker: for a browser that navigates, and where
    /// patterns say what the worker answers.
    fn prefers_pages(&self, headers: &HeaderMap) -> bool {
        matches!(self.policy.worker_first, WorkerFirst::Some(_))
            || headers.get(SEC_FETCH_MODE).is_some_and(|mode| mode == "navigate")
    }
}

/// Builds the response, without what `_headers` says.
fn respond<'a>(finding: AssetFinding<'a>, request: &AssetRequest<'_>) -> AssetAnswer<'a> {
    let (mut headers, mut coding) = (HeaderMap::new(), None);
    let (status, content) = match finding {
        AssetFinding::Nothing => (StatusCode::NOT_FOUND, None),
        AssetFinding::MethodNotAllowed => {
            headers.insert(header::ALLOW, ALLOWED);
            (StatusCode::METHOD_NOT_ALLOWED, None)
        }
        AssetFinding::Redirect(status, location) => match HeaderValue::try_from(location) {
            Ok(location) => {
                headers.insert(header::LOCATION, location);
                (status, None)
            }
            // Locations are percent-encoded, so this does not happen.
            Err(_) => (StatusCode::NOT_FOUND, None),
        },
        AssetFinding::File { file, is_page } => {
            let (extent, status) = match is_page {
                true => (Extent::Whole, StatusCode::NOT_FOUND),
                false => {
                    let extent =
                        conditions::extent(request.method, request.headers, &file.tag, file.length());
                    let status = conditions::status(&extent);
                    (extent, status)
                }
            };
            let accepted =
                Coding::accepted(request.headers, request.is_worker).filter(|_| file.is_compressible);
            describe(file, &extent, is_page, request.headers, &mut headers);
            if file.is_compressible {
                headers.insert(header::VARY, ACCEPT_ENCODING);
            }
            if accepted.is_some() && matches!(extent, Extent::Whole | Extent::NotModified) {
                weaken(&mut headers);
            }
            coding = accepted.filter(|_| extent == Extent::Whole);
            let part = match extent {
                // Its length is only known when it is compressed.
                Extent::Whole if coding.is_some() => Some(0..file.length()),
                _ if *request.method == Method::HEAD => None,
                Extent::Whole => Some(0..file.length()),
                Extent::Part(part) => Some(part),
                Extent::NotModified | Extent::OutOfRange => None,
            };
            (status, part.map(|part| (file, part)))
        }
    };
    AssetAnswer { status, headers, coding, content }
}

/// Makes the tag a weak one: what is compressed is not the same byte for byte.
fn weaken(headers: &mut HeaderMap) {
    let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
    if let Some(tag) = tag.and_then(|tag| HeaderValue::try_from(format!("W/{tag}")).ok()) {
        headers.insert(header::ETAG, tag);
    }
}

/// Adds the header fields of a file.
fn describe(file: &AssetFile, extent: &Extent, is_page: bool, asked: &HeaderMap, headers: &mut HeaderMap) {
    headers.insert(header::ETAG, file.tag.clone());
    if let Some(media_type) = &file.media_type {
        headers.insert(header::CONTENT_TYPE, media_type.clone());
    }
    // As on Workers.
    if !asked.contains_key(header::AUTHORIZATION) && !asked.contains_key(header::RANGE) {
        headers.insert(header::CACHE_CONTROL, REVALIDATE);
    }
    if !is_page {
        headers.insert(header::ACCEPT_RANGES, BYTES);
    }
    match extent {
        Extent::Whole => {
            headers.insert(header::CONTENT_LENGTH, file.length().into());
        }
        Extent::Part(part) => {
            headers.insert(header::CONTENT_LENGTH, (part.end - part.start).into());
            add_range(format!("bytes {}-{}/{}", part.start, part.end - 1, file.length()), headers);
        }
        Extent::OutOfRange => add_range(format!("bytes */{}", file.length()), headers),
        Extent::NotModified => {}
    }
    if *extent == Extent::OutOfRange {
        headers.remove(header::CONTENT_TYPE);
    }
}

fn add_range(range: String, headers: &mut HeaderMap) {
    if let Ok(range) = HeaderValue::try_from(range) {
        headers.insert(header::CONTENT_RANGE, range);
    }
}
