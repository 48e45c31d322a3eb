//! Reads a file piece by piece, no faster than its client takes it: what the kernel has in memory at once, and the rest on threads
//! that may block.

use std::fs::File;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rustix::io::ReadWriteFlags;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use super::file::AssetFile;

/// Most bytes of one response that are in memory, if nothing is short.
pub(crate) const MOST: usize = 128 * 1024;

/// In how many pieces they are.
const PIECES: usize = 2;

/// Reads a part of a file.
pub(crate) struct AssetReader {
    asset: Arc<AssetFile>,
    file: Arc<File>,
    /// The size of a piece.
    piece: u64,
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
    /// Creates a reader of a part of `asset`, which was opened as `file`. At most `memory` bytes of it are in memory.
    pub(crate) fn new(asset: Arc<AssetFile>, file: File, part: Range<u64>, memory: usize) -> Self {
        let places = Arc::new(Semaphore::new(PIECES));
        let piece = (memory / PIECES).max(1) as u64;
        Self { asset, file: Arc::new(file), piece, left: part, places, reading: None }
    }

    /// Returns whether it is the first time that the file could not be read.
    pub(crate) fn report(&self) -> bool {
        self.asset.report()
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
        let (start, end) = (self.left.start, self.left.end.min(self.left.start + self.piece));
        let (asset, file, places) = (&self.asset, &self.file, &self.places);
        let reading = self
            .reading
            .get_or_insert_with(|| Box::pin(read(asset.clone(), file.clone(), places.clone(), start..end)));
        let piece = ready!(reading.as_mut().poll(cx));
        self.reading = None;
        self.left.start = end;
        if piece.is_err() {
            self.left.start = self.left.end;
        }
        Poll::Ready(Some(piece))
    }
}

/// Reads a part of the file once there is a place for it.
async fn read(
    asset: Arc<AssetFile>,
    file: Arc<File>,
    places: Arc<Semaphore>,
    part: Range<u64>,
) -> io::Result<Bytes> {
    // The semaphore is never closed.
    let place = places.acquire_owned().await.ok();
    let mut bytes = vec![0; usize::try_from(part.end - part.start).unwrap_or(0)];
    let cached = read_cached(&file, &mut bytes, part.start);
    if cached == bytes.len() {
        asset.check_contents(&file)?;
        return Ok(Bytes::from_owner(Piece { bytes, _place: place }));
    }
    let read = spawn_blocking(move || {
        file.read_exact_at(&mut bytes[cached..], part.start + cached as u64)?;
        // Otherwise the client would take the halves of two files for one.
        asset.check_contents(&file)?;
        Ok(Bytes::from_owner(Piece { bytes, _place: place }))
    });
    read.await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Reads what the kernel has of the file in memory, from `start` on, which never waits for a disk (`RWF_NOWAIT` of preadv2(2)).
/// Returns how many bytes: none if the file system cannot tell.
fn read_cached(file: &File, bytes: &mut [u8], start: u64) -> usize {
    let mut read = 0;
    while read < bytes.len() {
        let mut rest = [IoSliceMut::new(&mut bytes[read..])];
        match rustix::io::preadv2(file, &mut rest, start + read as u64, ReadWriteFlags::NOWAIT) {
            Ok(more @ 1..) => read += more,
            _ => break,
        }
    }
    read
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

    use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

    use super::super::file::FileIdentity;
    use super::*;

    const PIECE: usize = MOST / PIECES;

    fn reader(length: usize, part: Range<usize>) -> (AssetReader, Vec<u8>) {
        let contents: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&contents).unwrap();
        // The clock of the file system may not go on between two changes.
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
        let identity = FileIdentity::of(&file.metadata().unwrap());
        let asset = Arc::new(AssetFile::new("a".into(), identity, [0; 16], None));
        (AssetReader::new(asset, file, part.start as u64..part.end as u64, MOST), contents)
    }

    async fn next(reader: &mut AssetReader) -> Option<io::Result<Bytes>> {
        poll_fn(|cx| reader.poll_piece(cx)).await
    }

    #[tokio::test]
    async fn a_part_is_read_in_pieces_and_no_faster_than_they_are_taken() {
        let (mut reader, contents) = reader(5 * PIECE, 10..4 * PIECE + 1);
        let mut taken = Vec::new();
        for _ in 0..PIECES {
            taken.push(next(&mut reader).await.unwrap().unwrap());
        }
        let waits = poll_fn(|cx| Poll::Ready(reader.poll_piece(cx).is_pending())).await;
        assert!(waits && reader.places.available_permits() == 0);
        assert_eq!(taken.iter().map(Bytes::len).sum::<usize>(), MOST);
        let mut read = Vec::new();
        for piece in taken.drain(..) {
            read.extend_from_slice(&piece);
        }
        while let Some(piece) = next(&mut reader).await {
            read.extend_from_slice(&piece.unwrap());
        }
        assert!(read == contents[10..4 * PIECE + 1]);
    }

    #[tokio::test]
    async fn a_file_that_is_written_to_meanwhile_is_an_error_and_then_over() {
        let cut: fn(&File) = |file| file.set_len(5).unwrap();
        let written: fn(&File) = |file| file.write_all_at(b"other", 2 * PIECE as u64).unwrap();
        for change in [cut, written] {
            let (mut reader, contents) = reader(3 * PIECE, 0..3 * PIECE);
            assert!(next(&mut reader).await.unwrap().unwrap() == contents[..PIECE]);
            change(&reader.file);
            assert!(next(&mut reader).await.unwrap().is_err());
            assert!(next(&mut reader).await.is_none());
        }
    }

    #[tokio::test]
    async fn what_the_kernel_has_not_in_memory_is_read_as_well() {
        let (mut reader, contents) = reader(3 * PIECE, 0..3 * PIECE);
        let file = reader.file.clone();
        file.sync_all().unwrap();
        let half = i64::try_from(PIECE / 2).unwrap();
        posix_fadvise(&*file, half, 2 * half, PosixFadviseAdvice::POSIX_FADV_DONTNEED).unwrap();
        let mut read = Vec::new();
        while let Some(piece) = next(&mut reader).await {
            read.extend_from_slice(&piece.unwrap());
        }
        assert!(read == contents);
    }
}
