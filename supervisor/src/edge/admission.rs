//! Admits client connections to one I/O thread: how many there are, which clients they belong to, and the limits they
//! share.
//!
//! - `shedding`: which connection is closed when others need its slot, or the memory of its unfinished head.
//! - `slot`: the slot of one connection.

mod shedding;
mod slot;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper::header::HeaderValue;
use nano_protocol::Budget;

use crate::config::ServerSettings;
use crate::edge::descriptors::Descriptors;
use crate::edge::pace::{MinRate, Pace, TickLimits, ticks};
use crate::model::ids::ListenerId;
use crate::model::overdue::Overdue;
use crate::model::shares::{self, ClientKey, Held, Holders, Holding};
use crate::telemetry::occupancy::{Event, ThreadCounts};

pub(crate) use slot::{Admitted, ConnectionSlot, FLOOD, FORGIVEN, ListenerConnections};
use slot::{FORGIVEN_OF_CLIENT, Population};

/// Allowance, in bytes, for the parts of a head that have no limit of their own: method, version, an absolute target,
/// spaces.
const REST_OF_HEAD: usize = 4 * 1024;

/// Returns the greatest length of a request head.
pub(crate) fn longest_head(settings: &ServerSettings) -> usize {
    settings.max_uri + settings.max_header + REST_OF_HEAD
}

/// All client connections of one I/O thread.
#[derive(Debug)]
pub(crate) struct Admission {
    settings: RefCell<Rc<ServerSettings>>,
    clock: Cell<u64>,
    /// Upper bounds that follow from the limit of open descriptors, whatever is configured.
    most: Descriptors,
    population: Rc<Population>,
    clients: RefCell<Vec<Weak<dyn Admitted>>>,
    addresses: Holders,
    /// The budget of the bodies of all clients on this thread.
    total: Arc<Budget>,
    /// The budget of each client.
    buffers: Holders<Budget>,
    /// Idle frames of all connections of each client, minus those that were forgiven.
    idle_frames: Holders<Cell<u32>>,
    /// The static files that are read for each client, and for all.
    files: (Holders, Held),
    listeners: RefCell<HashMap<ListenerId, Weak<ListenerConnections>>>,
    /// Bytes of all unfinished heads.
    heads: Cell<usize>,
    paces: RefCell<Vec<Weak<Pace>>>,
    /// The `date` of HTTP/2 responses, and the tick at which it was made.
    date: RefCell<Option<(u64, HeaderValue)>>,
    /// The last tick at which no connection could be closed to make room.
    in_vain: Cell<Option<u64>>,
    counts: Arc<ThreadCounts>,
}

/// Why a connection is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AdmissionError {
    /// The connection is closed, because its client has many others and there is little room.
    Rejected,
    /// The connection waits until another one ends.
    Wait,
}

impl Admission {
    /// Creates the admission of a thread that has no connections yet. `most` is for how much the thread has
    /// descriptors.
    pub(crate) fn new(settings: ServerSettings, most: Descriptors, counts: Arc<ThreadCounts>) -> Self {
        let total = Arc::new(Budget::new(settings.max_buffered / settings.io_threads, None));
        Self {
            settings: RefCell::new(Rc::new(settings)),
            total,
            buffers: Holders::default(),
            idle_frames: Holders::default(),
            clock: Cell::new(0),
            most,
            population: Rc::default(),
            clients: RefCell::default(),
            addresses: Holders::default(),
            files: Default::default(),
            listeners: RefCell::default(),
            heads: Cell::new(0),
            paces: RefCell::default(),
            date: RefCell::default(),
            in_vain: Cell::new(None),
            counts,
        }
    }

    pub(crate) fn settings(&self) -> Rc<ServerSettings> {
        self.settings.borrow().clone()
    }

    /// Replaces all limits and policies.
    pub(crate) fn configure(&self, settings: Rc<ServerSettings>) {
        *self.settings.borrow_mut() = settings;
        let settings = self.settings();
        self.total.set_max(self.share(settings.max_buffered));
        let of_one = self.share(settings.buffered_per_client());
        self.buffers.each(|_, own| own.set_max(of_one));
    }

    /// The budget of the bodies of all clients on this thread.
    pub(crate) fn total(&self) -> &Arc<Budget> {
        &self.total
    }

    /// Returns the budget of the bodies of one client.
    pub(crate) fn buffers(&self, client: ClientKey) -> Rc<Budget> {
        let make = || Budget::new(self.share(self.settings.borrow().buffered_per_client()), None);
        self.buffers.of_with(client, make)
    }

    /// Takes a descriptor for a static file that is read for a client. `None` if there is none left for it.
    pub(crate) fn read_file(&self, client: ClientKey) -> Option<[Holding; 2]> {
        let (clients, all) = &self.files;
        let own = clients.of(client);
        shares::may_have(self.most.files, all.get(), own.get(), 1)
            .then(|| [Holding::new(all.clone()), Holding::new(own)])
    }

    /// Returns the value of `date`, which is at most one tick old. hyper does not expose its own.
    pub(crate) fn date(&self) -> HeaderValue {
        let (now, mut date) = (self.now(), self.date.borrow_mut());
        date.take_if(|(at, _)| *at != now);
        let read = || {
            let text = httpdate::fmt_http_date(SystemTime::now());
            (now, HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("-")))
        };
        date.get_or_insert_with(read).1.clone()
    }

    /// Returns the budget of a connection's client, or `None` if the peer is a trusted proxy.
    pub(crate) fn buffers_of(&self, slot: &ConnectionSlot) -> Option<Rc<Budget>> {
        self.is_counted(slot.from).then(|| self.buffers(slot.key))
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.get()
    }

    pub(crate) fn add_listener(&self, id: ListenerId) -> Rc<ListenerConnections> {
        let listener = Rc::new(ListenerConnections::default());
        self.listeners.borrow_mut().insert(id, Rc::downgrade(&listener));
        listener
    }

    /// Starts to watch how far a client is behind with one stream.
    pub(crate) fn pace(&self, limit: Duration, rate: MinRate) -> Rc<Pace> {
        let pace = Rc::new(Pace::new(self.now(), limit, rate));
        self.paces.borrow_mut().push(Rc::downgrade(&pace));
        pace
    }

    /// Counts that reading from a client stops until the next tick.
    pub(crate) fn count_held_up(&self) {
        self.counts.count(Event::HeldUp);
    }

    /// Counts a stream that was reset because its client was too slow with it.
    pub(crate) fn count_reset(&self) {
        self.counts.count(Event::Reset);
    }

    /// Returns this thread's share of a limit that is for the whole supervisor.
    fn share(&self, all: usize) -> usize {
        all.div_ceil(self.settings.borrow().io_threads)
    }

    /// Returns how many connections may be open on this thread.
    fn limit(&self) -> usize {
        let max_connections = self.settings.borrow().max_connections;
        self.share(max_connections).min(self.most.connections)
    }

    /// Returns how many open connections were not told to close.
    fn staying(&self) -> usize {
        self.population.open.get() - self.population.leaving.get()
    }

    /// Admits a connection that was accepted at `listener`, and makes room for it if necessary and possible. With `must`,
    /// admits it in any case.
    ///
    /// # Errors
    /// [`AdmissionError`] if there is no room.
    pub(crate) fn admit(
        &self,
        address: IpAddr,
        listener: &ListenerConnections,
        must: bool,
    ) -> Result<ConnectionSlot, AdmissionError> {
        let key = ClientKey::from(address);
        let own = self.addresses.of(key);
        if !must && self.staying() >= shares::common(self.limit()) {
            self.make_room((address, key), own.get(), listener)?;
        }
        self.population.open.set(self.population.open.get() + 1);
        let from = address;
        // Connections of a trusted proxy carry requests of many clients.
        let idle_frames = self.is_counted(from).then(|| self.idle_frames.of_with(key, Cell::default));
        let (address, listener) = (Holding::new(own), Holding::new(listener.open.clone()));
        Ok(ConnectionSlot {
            from,
            key,
            address,
            listener,
            idle_frames,
            is_leaving: Cell::new(false),
            population: self.population.clone(),
        })
    }

    /// Adds an admitted connection to those that are swept.
    pub(crate) fn enter<S: Admitted + 'static>(&self, client: &Rc<S>) {
        self.clients.borrow_mut().push(Rc::<S>::downgrade(client));
    }

    /// Returns whether connections from an address belong to one client, rather than to a trusted proxy.
    fn is_counted(&self, address: IpAddr) -> bool {
        !self.settings.borrow().forwarded.trusts(address)
    }

    /// Counts a tick, and closes connections and streams that have been idle or slow for too long.
    pub(crate) fn tick(&self) {
        self.clock.set(self.now() + 1);
        let settings = self.settings();
        let limits = TickLimits {
            idle: ticks(settings.idle_timeout),
            head: ticks(settings.header_read_timeout),
            send: ticks(settings.send_timeout),
        };
        self.idle_frames.each(|_, frames| frames.set(frames.get().saturating_sub(FORGIVEN_OF_CLIENT)));
        let sweep =
            |client: &Weak<dyn Admitted>| client.upgrade().map(|client| client.sweep(limits)).is_some();
        self.clients.borrow_mut().retain(sweep);
        let sweep = |pace: &Weak<Pace>| pace.upgrade().map(|pace| pace.sweep(self.now())).is_some();
        self.paces.borrow_mut().retain(sweep);
        self.counts.publish(self.population.open.get(), self.heads.get(), |published| {
            let mut listeners = self.listeners.borrow_mut();
            listeners.retain(|_, listener| listener.strong_count() > 0);
            let open =
                listeners.iter().filter_map(|(id, listener)| Some((*id, listener.upgrade()?.open.get())));
            published.listeners.clear();
            published.listeners.extend(open);
            published.look_at(&self.buffers);
        });
    }

    /// Counts the end of a connection. `why` is set if we have closed it.
    pub(crate) fn count_end(&self, why: Option<Overdue>) {
        if let Some(why) = why {
            self.counts.count(Event::Ended(why));
        }
    }
}
