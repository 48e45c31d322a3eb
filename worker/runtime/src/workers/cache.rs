//! The store behind `caches`: responses by URL, in memory, within limits. `cache.js` decides which responses are stored, and for
//! how long.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use deno_core::{JsBuffer, OpState, Resource, ResourceId, op2};
use deno_error::JsErrorBox;
use rustc_hash::FxHashMap;

use super::outgoing::{HeaderList, Outgoing};
use crate::net::coded_body::{CodedBody, whole};
use crate::platform::coding::Coding;
use crate::requests::turns::turns;

/// Maximum number of bytes stored for one app: bodies, header fields and URLs.
const CAPACITY: usize = 16 * 1024 * 1024;

/// Maximum length of a stored body.
const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// Maximum number of stored responses.
const MOST_ENTRIES: usize = 4096;

/// Approximate memory overhead of an entry.
const ENTRY_OVERHEAD: usize = 512;

/// Maximum lifetime of a stored response.
const LONGEST_LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

struct Entry {
    /// The request header fields that select this variant of the response (`Vary`), by lower-case name.
    vary: Vec<(String, Option<Vec<u8>>)>,
    status: u16,
    status_text: String,
    headers: HeaderList,
    body: Bytes,
    /// When the origin created the response.
    born: Instant,
    lifetime: Duration,
    /// Size of everything stored in this entry.
    size: usize,
    /// Time of the last use, on the store's clock: higher than that of any entry used before.
    used: u64,
}

impl Entry {
    fn is_fresh(&self, now: Instant) -> bool {
        now.duration_since(self.born) < self.lifetime
    }

    fn is_for(&self, request: &HeaderList) -> bool {
        self.vary.iter().all(|(name, value)| field(request, name) == *value)
    }
}

/// Returns the value of a header field, with several values joined; `name` is lower-case.
fn field(headers: &HeaderList, name: &str) -> Option<Vec<u8>> {
    let mut fields = headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes()));
    let mut value = fields.next()?.1.to_vec();
    for (_, more) in fields {
        value.extend_from_slice(b", ");
        value.extend_from_slice(more);
    }
    Some(value)
}

/// All entries, by cache name and URL.
#[derive(Default)]
struct Store {
    entries: FxHashMap<String, Vec<Entry>>,
    count: usize,
    /// Size of all entries.
    size: usize,
    /// Size of the bodies that are still arriving.
    incoming: usize,
    /// A counter of uses, for the least-recently-used order.
    clock: u64,
}

impl Store {
    /// Removes variants of one response.
    fn remove(&mut self, key: &str, is_unwanted: impl Fn(&Entry) -> bool) -> bool {
        let Some(variants) = self.entries.get_mut(key) else { return false };
        let (count, mut size) = (variants.len(), 0);
        variants.retain(|entry| {
            let is_unwanted = is_unwanted(entry);
            size += if is_unwanted { entry.size } else { 0 };
            !is_unwanted
        });
        let removed = count - variants.len();
        if variants.is_empty() {
            self.entries.remove(key);
        }
        self.count -= removed;
        self.size -= size;
        removed > 0
    }

    /// Evicts the least recently used entries until there is room for one more entry of `size` bytes. Returns whether there is.
    fn make_room(&mut self, size: usize) -> bool {
        let overfull = |store: &Self| store.size + store.incoming + size > CAPACITY;
        while overfull(self) || self.count >= MOST_ENTRIES {
            let all = self
                .entries
                .iter()
                .flat_map(|(key, variants)| variants.iter().map(move |entry| (key, entry.used)));
            let Some((key, used)) = all.min_by_key(|(_, used)| *used).map(|(key, used)| (key.clone(), used))
            else {
                return !overfull(self);
            };
            self.remove(&key, |entry| entry.used == used);
        }
        true
    }

    fn insert(&mut self, key: String, mut entry: Entry) {
        entry.size += key.len();
        if !self.make_room(entry.size) {
            return;
        }
        self.clock += 1;
        entry.used = self.clock;
        self.count += 1;
        self.size += entry.size;
        self.entries.entry(key).or_default().push(entry);
    }

    fn find(&mut self, key: &str, request: &HeaderList) -> Option<&Entry> {
        let now = Instant::now();
        self.remove(key, |entry| !entry.is_fresh(now));
        self.clock += 1;
        let entry = self.entries.get_mut(key)?.iter_mut().find(|entry| entry.is_for(request))?;
        entry.used = self.clock;
        Some(entry)
    }
}

type SharedStore = Rc<RefCell<Store>>;

/// Returns the worker's store, which is created on first use.
fn store(state: &mut OpState) -> SharedStore {
    if !state.has::<SharedStore>() {
        state.put(SharedStore::default());
    }
    state.borrow::<SharedStore>().clone()
}

/// A body that is still arriving, owned by JavaScript. Its bytes already count towards the capacity.
pub(crate) struct Incoming {
    store: SharedStore,
    body: RefCell<Vec<u8>>,
}

untraced!(Incoming, c"Incoming");

impl Incoming {
    /// Appends a chunk if there is room. Returns whether there was.
    fn add(&self, chunk: &[u8]) -> bool {
        let length = self.body.borrow().len() + chunk.len();
        let fits = length <= LONGEST_BODY && self.store.borrow_mut().make_room(chunk.len());
        if fits {
            self.body.borrow_mut().extend_from_slice(chunk);
            self.store.borrow_mut().incoming += chunk.len();
        }
        fits
    }

    async fn store(&self, mut body: Outgoing) -> Result<bool, JsErrorBox> {
        let taken = loop {
            match body.next().await {
                Ok(chunk) if chunk.is_empty() => break Ok(true),
                Ok(chunk) if self.add(&chunk) => {}
                Ok(_) => break Ok(false),
                Err(error) => break Err(error),
            }
        };
        body.close();
        if !matches!(taken, Ok(true)) {
            self.take();
        }
        taken
    }

    fn take(&self) -> Vec<u8> {
        let body = self.body.take();
        self.store.borrow_mut().incoming -= body.len();
        body
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.take();
    }
}

/// Starts to store a body.
#[op2]
#[cppgc]
pub(crate) fn op_cache_incoming(state: &mut OpState) -> Incoming {
    Incoming { store: store(state), body: RefCell::default() }
}

/// Stores the body behind a resource, encoded as it would be sent with these header fields: see [`Outgoing`]. The CPU time is
/// charged to the request with this id. Returns whether there was room; if not, the body is dropped.
#[op2]
pub(crate) async fn op_cache_take_in(
    state: Rc<RefCell<OpState>>,
    #[cppgc] incoming: &Incoming,
    #[scoped] headers: HeaderList,
    #[smi] rid: ResourceId,
    is_automatic: bool,
    #[smi] request: u32,
) -> Result<bool, JsErrorBox> {
    let resource = state.borrow_mut().resource_table.take_any(rid).map_err(JsErrorBox::from_err)?;
    let payer = (turns(&state.borrow()), request);
    incoming.store(Outgoing::new(resource, &headers, is_automatic, payer)).await
}

/// Stores a body that is already in memory, like [`op_cache_take_in`].
#[op2]
pub(crate) async fn op_cache_take_in_bytes(
    state: Rc<RefCell<OpState>>,
    #[cppgc] incoming: &Incoming,
    #[scoped] headers: HeaderList,
    #[buffer] body: JsBuffer,
    is_automatic: bool,
    #[smi] request: u32,
) -> Result<bool, JsErrorBox> {
    let payer = (turns(&state.borrow()), request);
    incoming.store(Outgoing::whole(Bytes::from_owner(body), &headers, is_automatic, payer)).await
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).map_or(LONGEST_LIFETIME, |time| time.min(LONGEST_LIFETIME))
}

/// Stores a response, and replaces an older version of it. `response` contains the status, its text, the header fields, the
/// lifetime in seconds, and the age in seconds.
#[op2]
pub(crate) fn op_cache_put(
    #[cppgc] incoming: &Incoming,
    #[string] key: String,
    #[scoped] request: HeaderList,
    #[scoped] vary: Vec<String>,
    #[scoped] response: (u16, String, HeaderList, f64, f64),
) {
    let (status, status_text, headers, lifetime, age) = response;
    let mut body = incoming.take();
    body.shrink_to_fit();
    let mut store = incoming.store.borrow_mut();
    store.remove(&key, |entry| entry.is_for(&request));
    let fields: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    let vary = vary.into_iter().map(|name| {
        let value = field(&request, &name);
        (name, value)
    });
    let now = Instant::now();
    let entry = Entry {
        vary: vary.collect(),
        status,
        status_text,
        size: ENTRY_OVERHEAD + fields + body.len(),
        headers,
        body: body.into(),
        born: now.checked_sub(duration(age)).unwrap_or(now),
        lifetime: duration(lifetime),
        used: 0,
    };
    store.insert(key, entry);
}

/// A stored response: status, its text, header fields, age in seconds, length of the body, and the body as a resource.
type Found = (u16, String, HeaderList, f64, u32, u32);

/// Finds the stored response for a request.
#[op2]
pub(crate) fn op_cache_match(
    state: &mut OpState,
    #[string] key: &str,
    #[scoped] request: HeaderList,
) -> Option<Found> {
    let store = store(state);
    let mut store = store.borrow_mut();
    let entry = store.find(key, &request)?;
    let age = entry.born.elapsed().as_secs_f64().floor();
    let length = u32::try_from(entry.body.len()).unwrap_or(u32::MAX);
    let rid = state.resource_table.add(Kept(entry.body.clone()));
    Some((entry.status, entry.status_text.clone(), entry.headers.clone(), age, length, rid))
}

/// Replaces the resource of a body that was found by one for the whole body or a part of it. The bytes stay in memory until they
/// have been read, even if the entry is removed.
#[op2]
#[smi]
pub(crate) fn op_cache_body(
    state: &mut OpState,
    #[smi] rid: ResourceId,
    #[scoped] headers: HeaderList,
    #[smi] start: u32,
    #[smi] end: u32,
) -> Result<ResourceId, JsErrorBox> {
    let kept = state.resource_table.take::<Kept>(rid).map_err(JsErrorBox::from_err)?;
    let (start, end) = (start as usize, end as usize);
    if start > end || end > kept.0.len() {
        return Err(JsErrorBox::range_error("the range is outside of the body"));
    }
    let coding = Coding::of(&headers);
    let body = CodedBody::new(whole(kept.0.slice(start..end)), coding, "the cached response".to_owned());
    Ok(state.resource_table.add(body))
}

/// Removes the stored response for a request. Returns whether there was one.
#[op2]
pub(crate) fn op_cache_delete(
    state: &mut OpState,
    #[string] key: &str,
    #[scoped] request: HeaderList,
) -> bool {
    let now = Instant::now();
    let store = store(state);
    let mut store = store.borrow_mut();
    store.remove(key, |entry| !entry.is_fresh(now));
    store.remove(key, |entry| entry.is_for(&request))
}

/// The body of a stored response.
#[derive(Debug)]
struct Kept(Bytes);

impl Resource for Kept {
    fn name(&self) -> Cow<'_, str> {
        "keptBody".into()
    }
}
