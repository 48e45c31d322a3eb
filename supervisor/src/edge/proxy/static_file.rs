//! Answers a request with a static file of the app, without a worker.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use hyper::Response;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use tokio::task::spawn_blocking;
use tracing::error;

use super::body::ResponseBody;
use super::file_window::FileWindow;
use crate::assets::answer::AssetAnswer;
use crate::assets::coding::Coding;
use crate::assets::file::AssetFile;
use crate::assets::index::{AssetIndex, Opened};
use crate::assets::reader::{self, AssetReader};
use crate::config::AppName;
use crate::edge::refused::Refused;
use crate::model::refusal::Refusal;

const NO_DESCRIPTOR: &str = "too many files are read for the limit of open descriptors (RLIMIT_NOFILE)";

/// Builds the response. A file that is not in memory needs a place among those that are read, from `enter`, and a
/// descriptor and memory for some pieces, from `window`, while its client takes it.
pub(crate) async fn respond<P>(
    app: &AppName,
    index: &Arc<AssetIndex>,
    answer: AssetAnswer<'_>,
    enter: impl Fn() -> Result<P, Refusal>,
    window: impl Fn(usize) -> Option<FileWindow>,
) -> Result<(Response<ResponseBody>, Option<P>), Refused> {
    let AssetAnswer { status, headers, coding, content } = answer;
    let mut response = Response::new(ResponseBody::empty());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    let Some((file, part)) = content else { return Ok((response, None)) };
    let refused = |why: io::Error| {
        let path = index.shown(file);
        if file.report() {
            error!(%app, %path, %why, "a file of the app cannot be read");
        }
        Refused::because(Refusal::AssetUnreadable, format!("cannot read {path}: {why}"))
    };
    let mut place = None;
    if let Some(coding) = coding {
        let coded = match file.coded(coding).get() {
            Some(known) => known.clone(),
            None if !index.may_compress(file) => None,
            None => {
                place = Some(enter()?);
                compress(index.clone(), file.clone(), coding).await.map_err(refused)?
            }
        };
        if let Some(coded) = coded {
            response.headers_mut().insert(CONTENT_ENCODING, coding.name());
            response.headers_mut().insert(CONTENT_LENGTH, coded.len().into());
            *response.body_mut() = ResponseBody::full(coded);
            return Ok((response, place));
        }
    }
    if let Some(contents) = file.kept() {
        *response.body_mut() = ResponseBody::full(slice(contents, &part));
        return Ok((response, place));
    }
    if place.is_none() {
        place = Some(enter()?);
    }
    let window = || window(reader::MOST).ok_or_else(|| Refused::because(Refusal::Overloaded, NO_DESCRIPTOR));
    // One that may be kept in memory is usually closed again at once.
    let mut opens = if AssetIndex::may_keep(file) { None } else { Some(window()?) };
    *response.body_mut() = match open(index.clone(), file.clone()).await.map_err(refused)? {
        Opened::Contents(contents) => ResponseBody::full(slice(&contents, &part)),
        Opened::File(opened) => {
            let window = match opens.take() {
                Some(window) => window,
                None => window()?,
            };
            ResponseBody::from_file(AssetReader::new(file.clone(), opened, part, window.bytes()), window)
        }
    };
    Ok((response, place))
}

async fn open(index: Arc<AssetIndex>, file: Arc<AssetFile>) -> io::Result<Opened> {
    let opened = spawn_blocking(move || index.open(&file)).await;
    opened.unwrap_or_else(|error| Err(io::Error::other(error)))
}

async fn compress(
    index: Arc<AssetIndex>,
    file: Arc<AssetFile>,
    coding: Coding,
) -> io::Result<Option<bytes::Bytes>> {
    // Kept until the end of the work, even if the client does not wait for it.
    let turn = index.compressing.clone().acquire_owned().await;
    let compressed = spawn_blocking(move || {
        let compressed = index.compress(&file, coding);
        drop(turn);
        compressed
    })
    .await;
    compressed.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Returns a part of what is in memory, without copying it.
fn slice(contents: &bytes::Bytes, part: &Range<u64>) -> bytes::Bytes {
    let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(contents.len());
    contents.slice(at(part.start)..at(part.end))
}
