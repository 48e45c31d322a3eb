//! Reads a file piece by piece, on threads that may block. A file is read no faster than its client takes it.

use std::fs::File;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

/// Most bytes of a file that are read at once.
const PIECE: u64 = 64 * 1024;

/// Most pieces of one response that are in memory.
const PIECES: usize = 2;

/// Reads a part of a file.
pub(crate) struct AssetReader {
    file: Arc<File>,
    /// What was not read yet.
    left: Range<u64>,
    /// One permit for each further piece that may be in memory.
    places: Arc<Semaphore>,
    reading: Option<Pin<Box<dyn Future<Output = io::Result<Bytes>>>>>,
}

/// A piece of a file. Its place is free again when the last copy of its bytes is dropped.
struct Piece {
    bytes: Vec<u8>,
    _place: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AssetReader {
    pub(crate) fn new(file: File, part: Range<u64>) -> Self {
        Self { file: Arc::new(file), left: part, places: Arc::new(Semaphore::new(PIECES)), reading: None }
    }

    /// Returns how many bytes are to come.
    pub(crate) fn left(&self) -> u64 {
        self.left.end - self.left.start
    }

    /// Returns the next piece, or `None` if there is none.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let (start, end) = (self.left.start, self.left.end.min(self.left.start + PIECE));
        let (file, places) = (&self.file, &self.places);
        let reading =
            self.reading.get_or_insert_with(|| Box::pin(read(file.clone(), places.clone(), start..end)));
        let piece = ready!(reading.as_mut().poll(cx));
        self.reading = None;
        self.left.start = end;
        if piece.is_err() {
            self.left.start = self.left.end;
        }
        Poll::Ready(Some(piece))
    }
}

async fn read(file: Arc<File>, places: Arc<Semaphore>, part: Range<u64>) -> io::Result<Bytes> {
    // The semaphore is never closed.
    let place = places.acquire_owned().await.ok();
    let read = spawn_blocking(move || {
        let mut bytes = vec![0; usize::try_from(part.end - part.start).unwrap_or(0)];
        file.read_exact_at(&mut bytes, part.start)?;
        Ok(Bytes::from_owner(Piece { bytes, _place: place }))
    });
    read.await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

impl std::fmt::Debug for AssetReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AssetReader").field("left", &self.left).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::Write as _;

    use super::*;

    fn file(length: u64) -> (File, Vec<u8>) {
        let contents: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&contents).unwrap();
        (file, contents)
    }

    #[tokio::test]
    async fn a_part_is_read_in_pieces_and_no_faster_than_they_are_taken() {
        let (file, contents) = file(5 * PIECE);
        let mut reader = AssetReader::new(file, 10..4 * PIECE + 1);
        let mut taken = Vec::new();
        for _ in 0..PIECES {
            taken.push(poll_fn(|cx| reader.poll_piece(cx)).await.unwrap().unwrap());
        }
        let waits = poll_fn(|cx| Poll::Ready(reader.poll_piece(cx).is_pending())).await;
        assert!(waits && reader.places.available_permits() == 0);
        let mut read = Vec::new();
        for piece in taken.drain(..) {
            read.extend_from_slice(&piece);
        }
        while let Some(piece) = poll_fn(|cx| reader.poll_piece(cx)).await {
            read.extend_from_slice(&piece.unwrap());
        }
        assert!(read == contents[10..usize::try_from(4 * PIECE + 1).unwrap()]);
    }

    #[tokio::test]
    async fn a_file_that_was_cut_is_an_error_and_then_over() {
        let (file, _) = file(PIECE);
        let mut reader = AssetReader::new(file.try_clone().unwrap(), 0..PIECE);
        file.set_len(5).unwrap();
        assert!(poll_fn(|cx| reader.poll_piece(cx)).await.unwrap().is_err());
        assert!(poll_fn(|cx| reader.poll_piece(cx)).await.is_none());
    }
}
