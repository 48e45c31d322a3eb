//! A page of memory that a worker shares with the supervisor. After the worker has ended, the supervisor reads there for which
//! request JavaScript ran last, and which requests the worker had begun to process.
//!
//! It costs a few plain stores per request, and no system call. A worker is not trusted: all that it can write are numbers and
//! the name of one request, of bounded length, and the page cannot be made shorter. The kernel closes the worker's connections
//! after its last store, so a reader that has seen them closed reads the final values.

use std::fmt;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;

use crate::message::{RequestId, RequestName};

/// Most request connections of one worker.
pub const MAX_CONNECTIONS: usize = 256;

/// The number of the control connection, over which events come. The request connections have the numbers below it.
pub const CONTROL: usize = MAX_CONNECTIONS;

/// Most bytes of the name of a request: its method, a space, and its path or the beginning of it.
const MAX_NAME: usize = 320;

/// Marks the end of a path that was cut. It is unambiguous, as no path contains a space.
const CUT: &str = " ...";

/// No entry has this number: entries have odd numbers.
const NEVER: u64 = 0;

/// The contents of the page. All zero at first.
#[repr(C)]
struct Page {
    /// Counts the entries into JavaScript and the exits from it, so it is odd while JavaScript runs. The count during an entry is
    /// the number of that entry.
    entries: AtomicU64,
    /// The number of the entry that `running` belongs to.
    running_in: AtomicU64,
    /// The request for which JavaScript runs: the high and low half of its id, zero for none.
    running: [AtomicU64; 2],
    /// The request that the worker blames for its end.
    culprit: [AtomicU64; 2],
    /// The size of V8's heap after its last full collection, in bytes, and the entry in which that was.
    live: AtomicU64,
    live_in: AtomicU64,
    /// The size after the last full collection in an earlier entry.
    live_before: AtomicU64,
    /// What the worker used when it knew that it would end, in bytes and microseconds.
    heap: AtomicU64,
    memory: AtomicU64,
    cpu: AtomicU64,
    /// The request that `name` belongs to.
    named: [AtomicU64; 2],
    /// One if that request has been answered.
    named_answered: AtomicU64,
    /// The name of that request, padded with zeros.
    name: [AtomicU64; MAX_NAME / 8],
    /// How many heads of requests and events were passed to JavaScript, by connection.
    begun: [AtomicU64; MAX_CONNECTIONS + 1],
}

/// A mapping of the page, in the supervisor or in the worker.
pub struct Witness(NonNull<Page>);

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").field("entries", &self.page().entries).finish_non_exhaustive()
    }
}

#[allow(unsafe_code, reason = "the page is shared memory")]
// SAFETY: the page contains only atomics, and it stays mapped for as long as this lives, on whichever thread.
unsafe impl Send for Witness {}
#[allow(unsafe_code, reason = "the page is shared memory")]
// SAFETY: as above.
unsafe impl Sync for Witness {}

/// What a worker used when it knew that it would end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastUsage {
    /// Used size of V8's heap, in bytes.
    pub heap: u64,
    /// Resident memory that no file backs, in bytes.
    pub memory: u64,
    /// CPU time of the process.
    pub cpu: Duration,
}

impl Witness {
    /// Supervisor: creates a page, and the descriptor by which a worker maps it.
    ///
    /// # Errors
    /// The kernel's error, for example if there are no descriptors or no memory.
    #[allow(unsafe_code, reason = "there is no safe memfd_create")]
    pub fn create() -> io::Result<(Self, OwnedFd)> {
        // SAFETY: the name is a string of C; the call has no other preconditions.
        let descriptor =
            unsafe { libc::memfd_create(c"witness".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
        let descriptor = Errno::result(descriptor)?;
        // SAFETY: the kernel has just created this descriptor, and nobody else owns it.
        let file = unsafe { OwnedFd::from_raw_fd(descriptor) };
        // SAFETY: both calls take an open descriptor and numbers.
        Errno::result(unsafe { libc::ftruncate(file.as_raw_fd(), LENGTH as libc::off_t) })?;
        // Reading a page that a worker had made shorter would end the supervisor with SIGBUS.
        let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
        // SAFETY: as above.
        Errno::result(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) })?;
        let page = map(file.as_raw_fd(), libc::PROT_READ)?;
        Ok((page, file))
    }

    /// Worker: maps the page that the supervisor has created.
    ///
    /// # Errors
    /// The kernel's error if the page cannot be mapped.
    pub fn open(descriptor: &OwnedFd) -> io::Result<Self> {
        map(descriptor.as_raw_fd(), libc::PROT_READ | libc::PROT_WRITE)
    }

    #[allow(unsafe_code, reason = "the page is shared memory")]
    fn page(&self) -> &Page {
        // SAFETY: the pointer is to a mapping of at least this length that ends with `self`; any bytes are valid atomics.
        unsafe { self.0.as_ref() }
    }

    /// Worker: counts an entry into JavaScript.
    pub fn enter(&self) {
        // No other thread writes this count.
        add(&self.page().entries);
    }

    /// Worker: counts an entry into JavaScript, for a new request that came over this connection.
    pub fn begin(&self, connection: usize, request: RequestId) {
        let page = self.page();
        add(&page.entries);
        self.runs(page.entries.load(Ordering::Relaxed), Some(request));
        if let Some(begun) = page.begun.get(connection) {
            add(begun);
        }
    }

    /// Worker: counts an exit from JavaScript.
    pub fn leave(&self) {
        add(&self.page().entries);
    }

    /// Returns how often JavaScript was entered and left. Odd while it runs.
    pub fn entries(&self) -> u64 {
        self.page().entries.load(Ordering::Relaxed)
    }

    /// Worker: records for which request JavaScript runs in this entry.
    pub fn runs(&self, entry: u64, request: Option<RequestId>) {
        let page = self.page();
        // While the id is half written, it belongs to no entry.
        page.running_in.store(NEVER, Ordering::Relaxed);
        store(&page.running, request);
        page.running_in.store(entry, Ordering::Release);
    }

    /// Worker: records the name of a request that may end the worker, and whether it was answered. The supervisor has forgotten
    /// answered requests, and some whose clients have gone.
    pub fn names(&self, request: RequestId, name: &RequestName, is_answered: bool) {
        let (page, RequestName { method, path }) = (self.page(), name);
        let mut text = format!("{method} {path}");
        if text.len() > MAX_NAME {
            text.truncate(text.floor_char_boundary(MAX_NAME - CUT.len()));
            text.push_str(CUT);
        }
        // While the name is half written, it belongs to no request.
        store(&page.named, None);
        for (index, word) in page.name.iter().enumerate() {
            let mut bytes = [0; 8];
            let part = text.as_bytes().get(8 * index..).unwrap_or_default();
            let length = part.len().min(8);
            bytes[..length].copy_from_slice(&part[..length]);
            word.store(u64::from_ne_bytes(bytes), Ordering::Relaxed);
        }
        page.named_answered.store(is_answered.into(), Ordering::Relaxed);
        store(&page.named, Some(request));
    }

    /// Supervisor, after the worker has ended: returns the name of a request and whether it was answered, if the worker has
    /// recorded the name of this request.
    pub fn name_of(&self, request: RequestId) -> Option<(RequestName, bool)> {
        let page = self.page();
        if load(&page.named) != Some(request) {
            return None;
        }
        let bytes: Vec<_> =
            page.name.iter().flat_map(|word| word.load(Ordering::Relaxed).to_ne_bytes()).collect();
        let text = std::str::from_utf8(&bytes).ok()?.trim_end_matches('\0');
        let (method, path) = text.split_once(' ')?;
        let is_name = !method.is_empty() && !path.is_empty() && !text.contains(char::is_control);
        let is_answered = page.named_answered.load(Ordering::Relaxed) != 0;
        is_name.then(|| (RequestName { method: method.to_owned(), path: path.to_owned() }, is_answered))
    }

    /// Worker: records that it will end, which request is to blame if that is known, and what it uses.
    pub fn ends(&self, culprit: Option<RequestId>, usage: LastUsage) {
        let page = self.page();
        store(&page.culprit, culprit);
        page.heap.store(usage.heap, Ordering::Relaxed);
        page.memory.store(usage.memory, Ordering::Relaxed);
        page.cpu.store(u64::try_from(usage.cpu.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Worker: records how much of its heap has survived a full collection, in bytes.
    pub fn collected(&self, live: u64) {
        let (page, entry) = (self.page(), self.entries());
        if page.live_in.load(Ordering::Relaxed) != entry {
            page.live_before.store(page.live.load(Ordering::Relaxed), Ordering::Relaxed);
            page.live_in.store(entry, Ordering::Relaxed);
        }
        page.live.store(live, Ordering::Relaxed);
    }

    /// Supervisor: returns how much of the heap stays alive, in bytes: the lower size after full collections in the last two
    /// entries that had one. So memory that a single entry needs, even one that never ends, does not count.
    pub fn live(&self) -> u64 {
        let page = self.page();
        page.live.load(Ordering::Relaxed).min(page.live_before.load(Ordering::Relaxed))
    }

    /// Supervisor, after the worker has ended: returns the request that the worker blames for its end, or else the one for which
    /// JavaScript ran.
    pub fn culprit(&self) -> Option<RequestId> {
        let page = self.page();
        let named = load(&page.culprit);
        let entries = self.entries();
        let is_running = entries % 2 == 1 && page.running_in.load(Ordering::Acquire) == entries;
        named.or_else(|| is_running.then(|| load(&page.running)).flatten())
    }

    /// Supervisor: returns what the worker used when it knew that it would end. None if it did not know.
    pub fn last_usage(&self) -> Option<LastUsage> {
        let get = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let page = self.page();
        let cpu = Duration::from_micros(get(&page.cpu));
        let usage = LastUsage { heap: get(&page.heap), memory: get(&page.memory), cpu };
        (usage.heap > 0).then_some(usage)
    }

    fn begun(&self, connection: usize) -> u64 {
        self.page().begun.get(connection).map_or(u64::MAX, |begun| begun.load(Ordering::Acquire))
    }
}

/// Length of the page, in bytes.
const LENGTH: usize = 4096;

const _: () = assert!(size_of::<Page>() <= LENGTH);

#[allow(unsafe_code, reason = "there is no safe mmap")]
fn map(descriptor: RawFd, protection: libc::c_int) -> io::Result<Witness> {
    // SAFETY: the kernel chooses a place that nothing else uses.
    let page =
        unsafe { libc::mmap(std::ptr::null_mut(), LENGTH, protection, libc::MAP_SHARED, descriptor, 0) };
    if page == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(page.cast()).map(Witness).ok_or_else(|| io::Error::other("mapped at nowhere"))
}

#[allow(unsafe_code, reason = "there is no safe munmap")]
impl Drop for Witness {
    fn drop(&mut self) {
        // SAFETY: no reference into the mapping outlives `self`.
        unsafe { libc::munmap(self.0.as_ptr().cast(), LENGTH) };
    }
}

/// Adds one to a number that only one thread writes.
fn add(number: &AtomicU64) {
    number.store(number.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
}

fn store(halves: &[AtomicU64; 2], request: Option<RequestId>) {
    let number = request.map_or(0, |RequestId(number)| number);
    halves[0].store((number >> 64) as u64, Ordering::Relaxed);
    halves[1].store(number as u64, Ordering::Relaxed);
}

fn load(halves: &[AtomicU64; 2]) -> Option<RequestId> {
    let [high, low] = [&halves[0], &halves[1]].map(|half| u128::from(half.load(Ordering::Relaxed)));
    let number = high << 64 | low;
    (number != 0).then_some(RequestId(number))
}

/// How many requests of one connection a worker has begun to process, as its page says.
#[derive(Debug, Clone)]
pub struct Begun {
    witness: Arc<Witness>,
    connection: usize,
    /// How many it had begun before.
    before: u64,
}

impl Begun {
    /// Counts the requests that the worker begins to process after this call, on the connection with this number.
    pub fn from_now(witness: Arc<Witness>, connection: usize) -> Self {
        let before = witness.begun(connection);
        Self { witness, connection, before }
    }

    /// Returns how many requests the worker has begun.
    pub(crate) fn count(&self) -> u64 {
        self.witness.begun(self.connection).wrapping_sub(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Arc<Witness>, Witness) {
        let (ours, file) = Witness::create().unwrap();
        let theirs = Witness::open(&file).unwrap();
        // The worker cannot change the size of the page by its descriptor.
        let file = std::fs::File::from(file);
        assert!(file.set_len(0).is_err() && file.set_len(1 << 20).is_err());
        (ours.into(), theirs)
    }

    #[test]
    fn whose_javascript_ran_is_known_as_long_as_it_ran() {
        let (supervisor, worker) = pair();
        assert_eq!((supervisor.culprit(), supervisor.last_usage()), (None, None));
        let (one, other) = (RequestId(1 << 100 | 7), RequestId(9));
        worker.begin(0, one);
        assert_eq!(supervisor.culprit(), Some(one));
        worker.leave();
        assert_eq!(supervisor.culprit(), None);
        worker.enter();
        assert_eq!(supervisor.culprit(), None);
        worker.runs(worker.entries(), Some(other));
        assert_eq!(supervisor.culprit(), Some(other));
        worker.runs(worker.entries(), None);
        assert_eq!(supervisor.culprit(), None);
        worker.leave();
        let usage = LastUsage { heap: 1, memory: 2, cpu: Duration::from_millis(3) };
        worker.ends(Some(one), usage);
        assert_eq!((supervisor.culprit(), supervisor.last_usage()), (Some(one), Some(usage)));
    }

    #[test]
    fn a_request_has_a_name_of_bounded_length_which_is_text() {
        let (supervisor, worker) = pair();
        let (one, other) = (RequestId(1), RequestId(2));
        let name = |path: &str| RequestName { method: "GET".into(), path: path.into() };
        assert_eq!(supervisor.name_of(one), None);
        worker.names(one, &name("/größe"), true);
        assert_eq!(supervisor.name_of(one), Some((name("/größe"), true)));
        worker.names(other, &name("/x"), false);
        assert_eq!((supervisor.name_of(one), supervisor.name_of(other)), (None, Some((name("/x"), false))));
        worker.names(one, &name(&"/ö".repeat(MAX_NAME)), true);
        let cut = supervisor.name_of(one).unwrap().0.path;
        assert!(cut.len() < MAX_NAME && cut.ends_with("/ö/ ...") || cut.ends_with("/ö ..."), "{cut}");
        // A worker is not trusted and may write anything.
        for bad in ["/\x1b[2J", "/a\0b", ""] {
            worker.names(one, &name(bad), true);
            assert_eq!(supervisor.name_of(one), None, "{bad:?}");
        }
        worker.page().name[0].store(u64::MAX, Ordering::Relaxed);
        assert_eq!(supervisor.name_of(one), None);
    }

    #[test]
    fn what_was_begun_is_counted_by_connection() {
        let (supervisor, worker) = pair();
        worker.begin(1, RequestId(1));
        let [first, second] = [0, 1].map(|number| Begun::from_now(supervisor.clone(), number));
        assert_eq!([first.count(), second.count()], [0, 0]);
        worker.begin(1, RequestId(2));
        worker.begin(CONTROL, RequestId(3));
        worker.begin(CONTROL + 1, RequestId(4));
        assert_eq!([first.count(), second.count()], [0, 1]);
    }

    #[test]
    fn what_survives_a_collection_is_known() {
        let (supervisor, worker) = pair();
        let collected = |sizes: &[u64]| {
            worker.enter();
            sizes.iter().for_each(|size| worker.collected(*size));
            worker.leave();
            supervisor.live()
        };
        assert_eq!(collected(&[5]), 0);
        assert_eq!(collected(&[7]), 5);
        // A single entry whose heap grows.
        assert_eq!(collected(&[20, 30, 40]), 7);
        assert_eq!(collected(&[8]), 8);
        assert_eq!(collected(&[9]), 8);
    }
}
