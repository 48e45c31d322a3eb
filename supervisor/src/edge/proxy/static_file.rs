//! Answers a request with a static file of the app, without a worker.

use std::ops::Range;
use std::sync::Arc;

use hyper::Response;
use tokio::task::spawn_blocking;
use tracing::error;

use super::body::ResponseBody;
use crate::assets::Assets;
use crate::assets::answer::AssetAnswer;
use crate::assets::file::AssetFile;
use crate::assets::index::Opened;
use crate::assets::reader::AssetReader;
use crate::config::AppName;
use crate::edge::refused::Refused;
use crate::edge::upstream::InFlight;
use crate::model::refusal::Refusal;

/// Builds the response. A file that is not in memory needs a place among the requests in flight, from `enter`: each holds a
/// descriptor and some memory while its client takes it.
pub(super) async fn respond(
    app: &AppName,
    assets: &Arc<Assets>,
    answer: AssetAnswer<'_>,
    enter: impl FnOnce() -> Result<InFlight, Refusal>,
) -> Result<(Response<ResponseBody>, Option<InFlight>), Refused> {
    let AssetAnswer { status, headers, content } = answer;
    let mut response = Response::new(ResponseBody::empty());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    let Some((file, part)) = content else { return Ok((response, None)) };
    if let Some(contents) = file.kept() {
        *response.body_mut() = ResponseBody::full(slice(contents, &part));
        return Ok((response, None));
    }
    let place = enter()?;
    *response.body_mut() = match open(assets.clone(), file.clone()).await {
        Ok(Opened::Contents(contents)) => ResponseBody::full(slice(&contents, &part)),
        Ok(Opened::File(opened)) => ResponseBody::from_file(AssetReader::new(opened, part)),
        Err(why) => {
            let path = assets.index().shown(file);
            if file.report() {
                error!(%app, %path, %why, "a file of the app cannot be read");
            }
            return Err(Refused::because(Refusal::AssetUnreadable, format!("cannot read {path}: {why}")));
        }
    };
    Ok((response, Some(place)))
}

async fn open(assets: Arc<Assets>, file: Arc<AssetFile>) -> std::io::Result<Opened> {
    let opened = spawn_blocking(move || assets.index().open(&file)).await;
    opened.unwrap_or_else(|error| Err(std::io::Error::other(error)))
}

/// Returns a part of what is in memory, without copying it.
fn slice(contents: &bytes::Bytes, part: &Range<u64>) -> bytes::Bytes {
    let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(contents.len());
    contents.slice(at(part.start)..at(part.end))
}
