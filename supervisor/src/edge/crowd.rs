//! All client connections of one I/O thread: how many there are, whose, and which one goes when others need its place.
//!
//! While there is room, everybody is let in. The last quarter is for clients that hold little, the last eighth for those that come
//! through a listening address that few use; whoever holds more has to do with the places of his own connections. Those that go are idle, the heaviest client's first and of
//! these the longest idle; one with a request under way never does.

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
use crate::edge::client::connection::REST_OF_HEAD;
use crate::edge::client::pace::{MinRate, Pace, ticks};
use crate::edge::client::windows::Windows;
use crate::edge::client::{Client, FORGIVEN_OF_CLIENT, TickLimits};
use crate::model::ids::ListenerId;
use crate::model::overdue::Overdue;
use crate::model::shares::{self, ClientKey, Holders, Holding};
use crate::telemetry::occupancy::{Event, ThreadCounts};

pub(crate) use seat::{Door, Seat};

/// For how long a connection must have had nothing under way before it can lose its place, unless its client holds much: one
/// that has just come is about to say something. In ticks.
const SETTLED: u64 = 4;

/// Which part of all connections is kept for listening addresses that have little.
const DOORS: usize = 8;

/// Which part of all connections loses its place at once, where one client holds much: looking for them is work.
const BATCH: usize = 64;

/// All client connections of one I/O thread.
#[derive(Debug)]
pub(crate) struct Crowd {
    settings: RefCell<Rc<ServerSettings>>,
    /// Ticks since the thread started.
    clock: Cell<u64>,
    /// Places there can be at most, whatever is configured: so many descriptors are left for them.
    most: usize,
    open: Cell<usize>,
    /// Of these, those that are told to go.
    leaving: Cell<usize>,
    clients: RefCell<Vec<Weak<Client>>>,
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
            open: Cell::new(0),
            leaving: Cell::new(0),
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

    /// What a client of HTTP/2 may send on a connection before anybody reads it.
    pub(crate) fn windows(&self, seat: &Seat) -> Windows {
        let own = self.is_counted(seat.from).then(|| self.buffers(seat.key));
        Windows::new(self.total.clone(), own)
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
        self.open.get() - self.leaving.get()
    }

    /// A place for one that has come through a door; room is made for it if that is possible. One that `must` be let in is.
    ///
    /// # Errors
    /// [`Turned`] if there is none for it.
    pub(crate) fn admit(self: &Rc<Self>, address: IpAddr, door: &Door, must: bool) -> Result<Seat, Turned> {
        let key = ClientKey::from(address);
        let own = self.addresses.of(key);
        if !must && self.staying() >= shares::common(self.limit()) {
            self.make_room((address, key), own.get(), door)?;
        }
        self.open.set(self.open.get() + 1);
        let from = address;
        // A proxy of ours has many clients, each of whose connections to it would count.
        let idle_frames = self.is_counted(from).then(|| self.idle_frames.of_with(key, Cell::default));
        let (address, door) = (Holding::new(own), Holding::new(door.open.clone()));
        Ok(Seat { from, key, address, door, idle_frames, is_leaving: Cell::new(false), crowd: self.clone() })
    }

    /// Most places are taken. Who holds much can have those of his own connections, who comes through a door that many use those
    /// of connections that came the same way, and whoever is left that of anybody.
    fn make_room(&self, (from, key): (IpAddr, ClientKey), own: usize, door: &Door) -> Result<(), Turned> {
        let limit = self.limit();
        if self.is_heavy(from, own, limit) {
            if self.shed(&|seat| seat.key == key) {
                return Ok(());
            }
            self.counts.count(Event::Refused);
            return Err(Turned::Away);
        }
        let is_made = match door.open.get() {
            open if self.is_heavy_door(open) => {
                self.staying() < limit - limit / DOORS
                    || self.shed(&|seat| self.is_heavy_door(seat.door.count()))
            }
            _ => self.staying() < limit || self.shed_any(),
        };
        if is_made { Ok(()) } else { Err(Turned::Later) }
    }

    /// One that has its seat.
    pub(crate) fn enter(&self, client: &Rc<Client>) {
        self.clients.borrow_mut().push(Rc::downgrade(client));
    }

    /// Whether connections from an address are those of one client, and not of all those who come through a proxy of ours.
    fn is_counted(&self, address: IpAddr) -> bool {
        !self.settings.borrow().forwarded.trusts(address)
    }

    /// Whether somebody with so many connections holds much. No proxy of ours does.
    fn is_heavy(&self, address: IpAddr, count: usize, limit: usize) -> bool {
        count >= shares::little(limit, 1) && self.is_counted(address)
    }

    /// Whether a door through which so many have come has more than its part.
    fn is_heavy_door(&self, open: usize) -> bool {
        open * self.doors.borrow().len() > self.limit()
    }

    /// Makes room at anybody's expense. Where nobody could go, nobody is looked for again before the next tick.
    pub(crate) fn shed_any(&self) -> bool {
        if self.in_vain.get() == Some(self.now()) {
            return false;
        }
        let is_made = self.shed(&|_| true);
        self.in_vain.set((!is_made).then(|| self.now()));
        is_made
    }

    /// Closes connections that have nothing under way: the one that can best be spared of those that `may` go, and where its
    /// client holds much, more of his.
    fn shed(&self, may: &dyn Fn(&Seat) -> bool) -> bool {
        let (limit, now) = (self.limit(), self.now());
        let can_go = |client: Rc<Client>| {
            let since = client.idle_since()?;
            let (seat, own) = (client.seat(), client.seat().address.count());
            let is_heavy = self.is_heavy(seat.from, own, limit);
            if !may(seat) || (!is_heavy && now - since < SETTLED) {
                return None;
            }
            let weight = if is_heavy { own } else { 0 };
            let rank = (!self.is_heavy_door(seat.door.count()), usize::MAX - weight, since);
            Some((rank, client))
        };
        let clients = self.clients.borrow();
        let mut idle: Vec<_> = clients.iter().filter_map(|client| can_go(client.upgrade()?)).collect();
        drop(clients);
        idle.sort_by_key(|(rank, _)| *rank);
        let Some(((_, first, _), _)) = idle.first() else { return false };
        let (first, batch) = (*first, if *first == usize::MAX { 1 } else { (limit / BATCH).max(1) });
        for (_, client) in idle.iter().take(batch).take_while(|((_, weight, _), _)| *weight == first) {
            self.leaving.set(self.leaving.get() + 1);
            client.seat().is_leaving.set(true);
            client.end(Overdue::Shed);
        }
        true
    }

    /// Bytes of unfinished heads that there may be on this thread: at least one head of the greatest length fits.
    fn most_heads(&self) -> usize {
        let settings = self.settings.borrow();
        let one = settings.max_uri + settings.max_header + REST_OF_HEAD;
        self.share(settings.max_heads).max(one)
    }

    /// An unfinished head has grown, or is finished.
    pub(crate) fn count_head(&self, before: usize, now: usize) {
        self.heads.set(self.heads.get() - before + now);
        let most = self.most_heads();
        if now > before && self.heads.get() > most {
            self.end_heads(shares::common(most));
        }
    }

    /// Closes connections whose heads are unfinished until these have at most so many bytes: those of the heaviest client first,
    /// and of these the oldest.
    fn end_heads(&self, most: usize) {
        let clients: Vec<_> = self.clients.borrow().iter().filter_map(Weak::upgrade).collect();
        let mut held = HashMap::<ClientKey, usize>::new();
        for client in &clients {
            *held.entry(client.seat().key).or_default() += client.head();
        }
        let mut begun: Vec<_> = clients.into_iter().filter(|client| client.head() > 0).collect();
        begun.sort_by_key(|client| {
            let seat = client.seat();
            let weight = if self.is_counted(seat.from) { held[&seat.key] } else { 0 };
            let idle = client.idle_since();
            (usize::MAX - weight, idle.is_none(), idle)
        });
        for client in begun {
            if self.heads.get() <= most {
                return;
            }
            client.end(Overdue::Head);
        }
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
        let sweep = |client: &Weak<Client>| client.upgrade().map(|client| client.sweep(limits)).is_some();
        self.clients.borrow_mut().retain(sweep);
        let sweep = |pace: &Weak<Pace>| pace.upgrade().map(|pace| pace.sweep(self.now())).is_some();
        self.paces.borrow_mut().retain(sweep);
        self.counts.publish(self.open.get(), self.heads.get(), |published| {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ForwardedPolicy;
    use crate::edge::client::Serving;

    /// A thread with room for so many connections, through two doors.
    struct Tested {
        crowd: Rc<Crowd>,
        doors: [Rc<Door>; 2],
        clients: Vec<Rc<Client>>,
    }

    impl Tested {
        fn new(max_connections: usize) -> Self {
            let settings = ServerSettings { io_threads: 1, max_connections, ..ServerSettings::default() };
            let crowd = Rc::new(Crowd::new(settings, usize::MAX, Arc::default()));
            let doors = [1, 2].map(|id| crowd.door(ListenerId(id)));
            Self { crowd, doors, clients: Vec::new() }
        }

        /// A connection from an address, if it is let in.
        fn comes(&mut self, address: u8, door: usize) -> Option<Rc<Client>> {
            let seat = self.crowd.admit([192, 0, 2, address].into(), &self.doors[door], false).ok()?;
            let client = Rc::new(Client::new(&self.crowd, seat, &Rc::default()));
            self.crowd.enter(&client);
            self.clients.push(client.clone());
            Some(client)
        }

        /// A connection with a request under way.
        fn busy(&mut self, address: u8, door: usize) -> Option<Serving> {
            self.comes(address, door).map(|client| client.serve())
        }

        /// Which connections, by the order in which they came, have lost their places.
        fn gone(&self) -> Vec<usize> {
            let is_gone = |index: &usize| self.clients[*index].idle_since().is_none();
            (0..self.clients.len()).filter(is_gone).collect()
        }

        fn settle(&self) {
            (0..SETTLED).for_each(|_| self.crowd.tick());
        }
    }

    #[test]
    fn who_has_much_gives_up_its_own_idle_connections_the_longest_idle_first() {
        let mut tested = Tested::new(16);
        let early = tested.comes(1, 1).unwrap();
        tested.crowd.tick();
        for _ in 0..11 {
            tested.comes(66, 0).unwrap();
        }
        assert_eq!(tested.gone(), [0; 0]);
        for gone in 1..=20 {
            assert!(tested.comes(66, 0).is_some());
            assert_eq!(tested.gone(), (1..=gone).collect::<Vec<_>>());
        }
        assert!(tested.comes(2, 1).is_some() && early.idle_since().is_some());
    }

    #[test]
    fn what_is_under_way_stays_and_the_last_places_are_for_others() {
        let mut tested = Tested::new(16);
        let mut busy: Vec<_> = (0..12).map(|_| tested.busy(66, 0).unwrap()).collect();
        assert!(tested.comes(66, 0).is_none() && tested.comes(66, 1).is_none(), "nothing of it is idle");
        for address in 1..=4 {
            busy.push(tested.busy(address, 1).unwrap());
        }
        assert!(tested.comes(5, 1).is_none(), "all is taken by those who wait for answers");
        drop(busy.remove(3));
        tested.crowd.tick();
        assert!(tested.comes(5, 1).is_some());
        // Those with requests under way look as if gone, too.
        assert!(tested.clients[3].idle_since().is_none());
    }

    #[test]
    fn an_address_that_many_use_leaves_room_for_the_others() {
        let mut tested = Tested::new(16);
        // A client each, none of whom has much.
        let busy: Vec<_> = (0..14).map(|address| tested.busy(address, 0).unwrap()).collect();
        assert!(tested.busy(100, 0).is_none());
        let others: Vec<_> = (200..202).map(|address| tested.busy(address, 1).unwrap()).collect();
        assert_eq!((busy.len(), others.len()), (14, 2));
    }

    #[test]
    fn one_that_has_just_come_may_say_what_it_wants() {
        let mut tested = Tested::new(4);
        for address in 1..=4 {
            tested.comes(address, usize::from(address % 2)).unwrap();
        }
        *tested.crowd.settings.borrow_mut() = Rc::new(ServerSettings {
            forwarded: ForwardedPolicy::Append,
            ..(*tested.crowd.settings()).clone()
        });
        assert!(tested.comes(5, 0).is_none());
        tested.settle();
        assert!(tested.comes(5, 0).is_some());
    }

    #[test]
    fn a_head_of_the_greatest_length_fits_however_many_threads_there_are() {
        let settings = ServerSettings { io_threads: 64, max_heads: 128 << 10, ..ServerSettings::default() };
        let greatest = settings.max_uri + settings.max_header;
        let crowd = Rc::new(Crowd::new(settings, usize::MAX, Arc::default()));
        let door = crowd.door(ListenerId(1));
        let mut tested = Tested { crowd, doors: [door.clone(), door], clients: Vec::new() };
        let client = tested.comes(1, 0).unwrap();
        tested.crowd.count_head(0, greatest);
        assert!(client.idle_since().is_some());
        assert_eq!(tested.crowd.most_heads(), greatest + REST_OF_HEAD);
    }

    #[test]
    fn places_are_given_back() {
        let mut tested = Tested::new(16);
        for round in 0..100 {
            assert!(tested.comes(66, 0).is_some(), "{round}");
            tested.clients.clear();
        }
        assert_eq!(
            (tested.crowd.open.get(), tested.crowd.leaving.get(), tested.doors[0].open.get()),
            (0, 0, 0)
        );
    }
}
