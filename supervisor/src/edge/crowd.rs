//! All client connections of one I/O thread: how many there are, whose, and what they share.
//!
//! - `room`: which one goes when others need its place, or what its unfinished head takes.
//! - `seat`: the place of one among all.

mod room;
mod seat;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper::header::HeaderValue;
use nano_protocol::Budget;

use crate::config::ServerSettings;
use crate::edge::pace::{MinRate, Pace, TickLimits, ticks};
use crate::model::ids::ListenerId;
use crate::model::overdue::Overdue;
use crate::model::shares::{self, ClientKey, Holders, Holding};
use crate::telemetry::occupancy::{Event, ThreadCounts};

pub(crate) use seat::{Door, FLOOD, FORGIVEN, Seat, Seated};
use seat::{FORGIVEN_OF_CLIENT, Taken};

/// What a head may have beyond the limits of its parts: method, version, an absolute target, spaces.
const REST_OF_HEAD: usize = 4 * 1024;

/// The most that a request head may have.
pub(crate) fn longest_head(settings: &ServerSettings) -> usize {
    settings.max_uri + settings.max_header + REST_OF_HEAD
}

/// All client connections of one I/O thread.
#[derive(Debug)]
pub(crate) struct Crowd {
    settings: RefCell<Rc<ServerSettings>>,
    /// Ticks since the thread started.
    clock: Cell<u64>,
    /// Places there can be at most, whatever is configured: so many descriptors are left for them.
    most: usize,
    taken: Rc<Taken>,
    clients: RefCell<Vec<Weak<dyn Seated>>>,
    addresses: Holders,
    /// What bodies of all clients may hold on this thread.
    total: Arc<Budget>,
    /// What those of each client may.
    buffers: Holders<Budget>,
    /// Frames that ask for nothing, of all connections of each client, less those that are forgiven.
    idle_frames: Holders<Cell<u32>>,
    doors: RefCell<HashMap<ListenerId, Weak<Door>>>,
    /// Bytes of all unfinished heads.
    heads: Cell<usize>,
    paces: RefCell<Vec<Weak<Pace>>>,
    /// The date as answers of HTTP/2 have it, and of which tick it is.
    date: RefCell<Option<(u64, HeaderValue)>>,
    /// At this tick there was nobody who could go.
    in_vain: Cell<Option<u64>>,
    counts: Arc<ThreadCounts>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turned {
    /// Its client has many, and there is little room.
    Away,
    /// There will be one when somebody leaves.
    Later,
}

impl Crowd {
    /// Nobody yet. There are descriptors for `most` connections on this thread.
    pub(crate) fn new(settings: ServerSettings, most: usize, counts: Arc<ThreadCounts>) -> Self {
        let total = Arc::new(Budget::new(settings.max_buffered / settings.io_threads, None));
        Self {
            settings: RefCell::new(Rc::new(settings)),
            total,
            buffers: Holders::default(),
            idle_frames: Holders::default(),
            clock: Cell::new(0),
            most,
            taken: Rc::default(),
            clients: RefCell::default(),
            addresses: Holders::default(),
            doors: RefCell::default(),
            heads: Cell::new(0),
            paces: RefCell::default(),
            date: RefCell::default(),
            in_vain: Cell::new(None),
            counts,
        }
    }

    /// Limits and policies.
    pub(crate) fn settings(&self) -> Rc<ServerSettings> {
        self.settings.borrow().clone()
    }

    /// Limits and policies from now on.
    pub(crate) fn configure(&self, settings: Rc<ServerSettings>) {
        *self.settings.borrow_mut() = settings;
        let settings = self.settings();
        self.total.set_max(self.share(settings.max_buffered));
        let of_one = self.share(settings.buffered_per_client());
        self.buffers.each(|_, own| own.set_max(of_one));
    }

    /// What bodies of all clients may hold on this thread.
    pub(crate) fn total(&self) -> &Arc<Budget> {
        &self.total
    }

    /// What those of one client may.
    pub(crate) fn buffers(&self, client: ClientKey) -> Rc<Budget> {
        let make = || Budget::new(self.share(self.settings.borrow().buffered_per_client()), None);
        self.buffers.of_with(client, make)
    }

    /// The date, no older than a tick: hyper keeps its own to itself.
    pub(crate) fn date(&self) -> HeaderValue {
        let (now, mut date) = (self.now(), self.date.borrow_mut());
        date.take_if(|(at, _)| *at != now);
        let read = || {
            let text = httpdate::fmt_http_date(SystemTime::now());
            (now, HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("-")))
        };
        date.get_or_insert_with(read).1.clone()
    }

    /// What bodies of the client of a connection may hold, unless that is a proxy of ours.
    pub(crate) fn buffers_of(&self, seat: &Seat) -> Option<Rc<Budget>> {
        self.is_counted(seat.from).then(|| self.buffers(seat.key))
    }

    /// Ticks since the thread started.
    pub(crate) fn now(&self) -> u64 {
        self.clock.get()
    }

    /// A listening address.
    pub(crate) fn door(&self, id: ListenerId) -> Rc<Door> {
        let door = Rc::new(Door::default());
        self.doors.borrow_mut().insert(id, Rc::downgrade(&door));
        door
    }

    /// Watches how far a client is behind with one stream.
    pub(crate) fn pace(&self, limit: Duration, rate: MinRate) -> Rc<Pace> {
        let pace = Rc::new(Pace::new(self.now(), limit, rate));
        self.paces.borrow_mut().push(Rc::downgrade(&pace));
        pace
    }

    /// Of a client nothing more is read before the next tick.
    pub(crate) fn count_held_up(&self) {
        self.counts.count(Event::HeldUp);
    }

    /// A stream was reset because its client was too slow with it.
    pub(crate) fn count_reset(&self) {
        self.counts.count(Event::Reset);
    }

    /// This thread's share of something that all have together.
    fn share(&self, all: usize) -> usize {
        all.div_ceil(self.settings.borrow().io_threads)
    }

    /// Connections that may be open on this thread.
    fn limit(&self) -> usize {
        let max_connections = self.settings.borrow().max_connections;
        self.share(max_connections).min(self.most)
    }

    /// Those that will still be there.
    fn staying(&self) -> usize {
        self.taken.open.get() - self.taken.leaving.get()
    }

    /// A place for one that has come through a door; room is made for it if that is possible. One that `must` be let in is.
    ///
    /// # Errors
    /// [`Turned`] if there is none for it.
    pub(crate) fn admit(&self, address: IpAddr, door: &Door, must: bool) -> Result<Seat, Turned> {
        let key = ClientKey::from(address);
        let own = self.addresses.of(key);
        if !must && self.staying() >= shares::common(self.limit()) {
            self.make_room((address, key), own.get(), door)?;
        }
        self.taken.open.set(self.taken.open.get() + 1);
        let from = address;
        // A proxy of ours has many clients, each of whose connections to it would count.
        let idle_frames = self.is_counted(from).then(|| self.idle_frames.of_with(key, Cell::default));
        let (address, door) = (Holding::new(own), Holding::new(door.open.clone()));
        Ok(Seat {
            from,
            key,
            address,
            door,
            idle_frames,
            is_leaving: Cell::new(false),
            taken: self.taken.clone(),
        })
    }

    /// One that has its seat.
    pub(crate) fn enter<S: Seated + 'static>(&self, client: &Rc<S>) {
        self.clients.borrow_mut().push(Rc::<S>::downgrade(client));
    }

    /// Whether connections from an address are those of one client, and not of all those who come through a proxy of ours.
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
        let sweep = |client: &Weak<dyn Seated>| client.upgrade().map(|client| client.sweep(limits)).is_some();
        self.clients.borrow_mut().retain(sweep);
        let sweep = |pace: &Weak<Pace>| pace.upgrade().map(|pace| pace.sweep(self.now())).is_some();
        self.paces.borrow_mut().retain(sweep);
        self.counts.publish(self.taken.open.get(), self.heads.get(), |published| {
            let mut doors = self.doors.borrow_mut();
            doors.retain(|_, door| door.strong_count() > 0);
            let open = doors.iter().filter_map(|(id, door)| Some((*id, door.upgrade()?.open.get())));
            published.doors.clear();
            published.doors.extend(open);
            published.look_at(&self.buffers);
        });
    }

    /// A connection has ended, for this reason if it was not its client's.
    pub(crate) fn count_end(&self, why: Option<Overdue>) {
        if let Some(why) = why {
            self.counts.count(Event::Ended(why));
        }
    }
}
