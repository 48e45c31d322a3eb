//! Answers what a worker asks of the files of its Workers Site: one of them by its key, or a list of keys.

use hyper::header::{CONTENT_LENGTH, HeaderMap};
use hyper::{Method, Response, StatusCode};
use url::form_urlencoded;

use crate::assets::answer::AssetAnswer;
use crate::assets::bucket::{Bucket, MOST_LISTED};
use crate::edge::proxy::body::ResponseBody;

/// How a target begins that names a file by its key.
const GET: &str = "/get";

/// How a target begins that asks for keys.
const LIST: &str = "/list";

/// What a request is answered.
pub(super) enum BucketAnswer<'a> {
    File(AssetAnswer<'a>),
    /// A page of keys, as JSON.
    Keys(Vec<u8>),
    /// There is no file of the key.
    Nothing,
}

impl Bucket {
    /// Decides about a request. Targets are made by the worker's `kv_namespace.js`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(super) fn answer_worker(
        &self,
        method: &Method,
        target: &str,
    ) -> Result<BucketAnswer<'_>, &'static str> {
        let (what, query) = target.split_once('?').unwrap_or((target, ""));
        let field = |name: &str| {
            form_urlencoded::parse(query.as_bytes()).find(|(field, _)| field == name).map(|(_, value)| value)
        };
        if method != Method::GET {
            return Err("is none that a Workers Site answers: its files can be read only");
        }
        match what {
            GET => {
                let key = field("key").ok_or("names no key")?;
                let Some(file) = self.find(&key) else { return Ok(BucketAnswer::Nothing) };
                let headers = HeaderMap::from_iter([(CONTENT_LENGTH, file.length().into())]);
                let content = Some((file, 0..file.length()));
                Ok(BucketAnswer::File(AssetAnswer { status: StatusCode::OK, headers, coding: None, content }))
            }
            LIST => {
                let limit = field("limit").and_then(|limit| limit.parse().ok()).unwrap_or(MOST_LISTED);
                let (prefix, cursor) = (field("prefix").unwrap_or_default(), field("cursor"));
                let page = self.list(&prefix, limit, cursor.as_deref());
                // Keys are text.
                Ok(BucketAnswer::Keys(serde_json::to_vec(&page).unwrap_or_default()))
            }
            _ => Err("is none that a Workers Site answers"),
        }
    }
}

/// Returns the response with what is in memory.
pub(super) fn response(status: StatusCode, contents: Vec<u8>) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::full(contents.into()));
    *response.status_mut() = status;
    response
}
