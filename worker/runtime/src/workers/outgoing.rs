//! A body that is sent to a client or stored in a cache: with its bytes as received, decoded, or encoded as its header fields
//! say.

use std::any::Any;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;

use bytes::Bytes;
use deno_core::Resource;
use deno_core::convert::ByteString;
use deno_error::JsErrorBox;
use tokio::task::yield_now;

use crate::net::coded_body::CodedBody;
use crate::platform::coding::{Coding, Encoder};
use crate::requests::body::RequestBody;
use crate::requests::turns::Turns;

/// Maximum number of bytes read from a stream at once.
pub(crate) const READ: usize = 64 * 1024;

/// Header fields as the app provides them.
pub(super) type HeaderList = Vec<(ByteString, ByteString)>;

/// A body that is sent.
#[derive(Debug)]
pub(crate) struct Outgoing {
    source: Source,
    encoder: Option<Encoder>,
    /// Number of bytes to send, if known.
    length: Option<u64>,
    sent: u64,
    /// The id in JavaScript of the request that is charged for encoding and decoding.
    payer: (Rc<Turns>, u32),
}

enum Source {
    AsItCame(Rc<CodedBody>),
    Plain(Rc<CodedBody>),
    Request(Rc<RequestBody>),
    Stream(Rc<dyn Resource>),
    Whole(Bytes),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

impl Outgoing {
    /// Wraps the body behind a resource. If `is_automatic` is set, the body is encoded as the header fields say (`encodeBody`). A
    /// body received with the same coding is passed through unchanged.
    pub(crate) fn new(
        resource: Rc<dyn Resource>,
        headers: &[(ByteString, ByteString)],
        is_automatic: bool,
        payer: (Rc<Turns>, u32),
    ) -> Self {
        let coding = Coding::of(headers).filter(|_| is_automatic);
        let (least, most) = resource.size_hint();
        let known = most.filter(|most| *most == least);
        let resource = match (resource.clone() as Rc<dyn Any>).downcast::<CodedBody>() {
            Ok(body) if is_automatic && body.is_untouched() && body.coding() == coding => {
                let length = body.length();
                return Self { source: Source::AsItCame(body), encoder: None, length, sent: 0, payer };
            }
            Ok(body) => return Self::of(Source::Plain(body), coding, known, payer),
            Err(_) => resource,
        };
        match (resource.clone() as Rc<dyn Any>).downcast::<RequestBody>() {
            Ok(body) => Self::of(Source::Request(body), coding, known, payer),
            Err(_) => Self::of(Source::Stream(resource), coding, known, payer),
        }
    }

    /// Wraps bytes that are in memory; the other parameters are those of [`Outgoing::new`].
    pub(crate) fn whole(
        bytes: Bytes,
        headers: &[(ByteString, ByteString)],
        is_automatic: bool,
        payer: (Rc<Turns>, u32),
    ) -> Self {
        let length = bytes.len() as u64;
        Self::of(Source::Whole(bytes), Coding::of(headers).filter(|_| is_automatic), Some(length), payer)
    }

    fn of(source: Source, coding: Option<Coding>, length: Option<u64>, payer: (Rc<Turns>, u32)) -> Self {
        let length = length.filter(|_| coding.is_none());
        Self { source, encoder: coding.map(Encoder::new), length, sent: 0, payer }
    }

    /// Returns the number of bytes to send, if known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Returns the next bytes; empty at the end.
    ///
    /// # Errors
    /// Fails if the source fails, or if it has more or fewer bytes than announced.
    pub(crate) async fn next(&mut self) -> Result<Bytes, JsErrorBox> {
        let chunk = if self.is_coded() {
            let (turns, id) = self.payer.clone();
            let mut encoded = pin!(self.encoded());
            poll_fn(|cx| turns.charging(id, || encoded.as_mut().poll(cx))).await?
        } else {
            self.source.read().await?
        };
        self.sent += chunk.len() as u64;
        if let Some(length) = self.length
            && (self.sent > length || chunk.is_empty() && self.sent < length)
        {
            let sent = self.sent;
            let which = if sent > length { "more" } else { "less" };
            return Err(JsErrorBox::type_error(format!(
                "the body has {which} than the {length} bytes that its content-length announced: {sent}"
            )));
        }
        Ok(chunk)
    }

    /// Returns whether the body has to be encoded or decoded, which costs CPU time.
    fn is_coded(&self) -> bool {
        self.encoder.is_some() || matches!(&self.source, Source::Plain(body) if body.coding().is_some())
    }

    async fn encoded(&mut self) -> Result<Bytes, JsErrorBox> {
        loop {
            let part = self.source.read().await?;
            // A loop may run for long without waiting for credit or a connection: a few bytes can decode to many, and many encode
            // to few. So yield in each iteration.
            yield_now().await;
            let Some(mut encoder) = self.encoder.take() else { return Ok(part) };
            let failed = |error: std::io::Error| JsErrorBox::type_error(error.to_string());
            if part.is_empty() {
                self.source = Source::Whole(Bytes::new());
                return encoder.end().map_err(failed);
            }
            let bytes = encoder.encode(&part).map_err(failed)?;
            self.encoder = Some(encoder);
            if !bytes.is_empty() {
                return Ok(bytes);
            }
        }
    }

    /// Closes the source, because nobody reads it any more.
    pub(crate) fn close(self) {
        match self.source {
            Source::AsItCame(body) | Source::Plain(body) => body.close(),
            Source::Request(body) => body.close(),
            Source::Stream(resource) => resource.close(),
            Source::Whole(_) => {}
        }
    }
}

impl Source {
    async fn read(&mut self) -> Result<Bytes, JsErrorBox> {
        match self {
            Self::AsItCame(body) => body.raw().await,
            Self::Plain(body) => body.plain(READ).await,
            Self::Request(body) => body.chunk(READ).await,
            Self::Stream(resource) => {
                let view = resource.clone().read(READ).await?;
                Ok(Bytes::copy_from_slice(&view))
            }
            Self::Whole(bytes) => Ok(bytes.split_to(bytes.len().min(READ))),
        }
    }
}
