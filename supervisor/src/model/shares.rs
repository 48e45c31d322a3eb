//! Shares: how much of a resource that all clients share one of them may hold. This is only the policy. Callers keep the
//! counts, per I/O thread, so that counting is a plain addition.
//!
//! The rule is the same everywhere: three quarters are first come, first served; the last quarter is reserved for clients
//! that hold little. So no single client can hold everything, and no client is refused while there is plenty.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::rc::Rc;

use crate::model::ids::AppId;

/// The part that is reserved for clients that hold little, as a divisor.
const KEPT: usize = 4;

/// How many clients that hold little fit into the reserved part.
const LITTLE: usize = 16;

/// Size of a table at which clients that hold nothing are removed from it.
const TABLE: usize = 64;

/// A client for the purpose of shares: an IPv4 address, or an IPv6 network (/64), all of which one client usually has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ClientKey(u128);

impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match IpAddr::from(Ipv6Addr::from_bits(self.0)).to_canonical() {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(network) => write!(f, "{network}/64"),
        }
    }
}

impl ClientKey {
    /// The key of an app that makes requests itself. No address has it.
    pub(crate) fn of_app(app: AppId) -> Self {
        Self(1 << u64::BITS | (1 + u128::from(app.0)))
    }
}

impl From<IpAddr> for ClientKey {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.to_ipv6_mapped().to_bits()),
            IpAddr::V6(address) => Self(address.to_bits() & !u128::from(u64::MAX)),
        }
    }
}

/// The part of `all` that is not reserved.
pub(crate) fn common(all: usize) -> usize {
    all - all / KEPT
}

/// The default share of one client in a resource that is handed out on demand.
pub(crate) fn of_one(all: usize) -> usize {
    all / KEPT
}

/// The bound below which a client holds little, on one of `threads` threads.
pub(crate) fn little(all: usize, threads: usize) -> usize {
    (all / KEPT / LITTLE / threads.max(1)).max(1)
}

/// Whether a client that holds `own` of the `taken` may have one more of `all`, on one of `threads` threads.
pub(crate) fn may_have(all: usize, taken: usize, own: usize, threads: usize) -> bool {
    taken < common(all) || (taken < all && own < little(all, threads))
}

/// The count of one client.
pub(crate) type Held = Rc<Cell<usize>>;

/// The counts of all clients for one resource, on one I/O thread.
#[derive(Debug)]
pub(crate) struct Holders<T = Cell<usize>> {
    held: RefCell<HashMap<ClientKey, Rc<T>>>,
    /// Size at which clients that hold nothing are removed.
    tidy_at: Cell<usize>,
}

impl<T> Default for Holders<T> {
    fn default() -> Self {
        Self { held: RefCell::default(), tidy_at: Cell::new(TABLE) }
    }
}

impl Holders {
    /// The count of one client. It is removed some time after its last reference is dropped.
    pub(crate) fn of(&self, client: ClientKey) -> Held {
        self.of_with(client, Cell::default)
    }
}

impl<T> Holders<T> {
    /// Like [`Holders::of`]; `make` creates the count of a new client.
    pub(crate) fn of_with(&self, client: ClientKey, make: impl FnOnce() -> T) -> Rc<T> {
        let mut held = self.held.borrow_mut();
        if let Some(own) = held.get(&client) {
            return own.clone();
        }
        if held.len() >= self.tidy_at.get() {
            held.retain(|_, own| Rc::strong_count(own) > 1);
            self.tidy_at.set(TABLE.max(2 * held.len()));
        }
        held.entry(client).or_insert_with(|| Rc::new(make())).clone()
    }

    /// Calls `look` for each client.
    pub(crate) fn each(&self, mut look: impl FnMut(ClientKey, &T)) {
        self.held.borrow().iter().for_each(|(client, own)| look(*client, own));
    }
}

/// A guard that counts as one until it is dropped.
#[derive(Debug)]
pub(crate) struct Holding(Held);

impl Holding {
    pub(crate) fn new(held: Held) -> Self {
        held.set(held.get() + 1);
        Self(held)
    }

    /// The current count.
    pub(crate) fn count(&self) -> usize {
        self.0.get()
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// The count that a connection used last: a cache that saves its next request the look-up.
#[derive(Debug)]
pub(crate) struct Known<K, T = Cell<usize>>(RefCell<Option<(K, ClientKey, Rc<T>)>>);

impl<K, T> Default for Known<K, T> {
    fn default() -> Self {
        Self(RefCell::new(None))
    }
}

impl<K: PartialEq + Copy, T> Known<K, T> {
    /// The count of `client` for `what`; `find` looks it up if it is not the cached one.
    pub(crate) fn get(&self, what: K, client: ClientKey, find: impl FnOnce() -> Rc<T>) -> Rc<T> {
        let mut known = self.0.borrow_mut();
        match &*known {
            Some((last, of, held)) if *last == what && *of == client => held.clone(),
            _ => known.insert((what, client, find())).2.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(address: &str) -> ClientKey {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn a_client_is_an_address_or_a_network_of_ipv6() {
        assert_eq!(key("192.0.2.1"), key("::ffff:192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
        assert_eq!(key("2001:db8:0:1::1"), key("2001:db8:0:1:ffff::2"));
        assert_ne!(key("2001:db8:0:1::1"), key("2001:db8:0:2::1"));
        assert_ne!(key("::1"), key("0.0.0.1"));
        assert_eq!(key("::ffff:192.0.2.1").to_string(), "192.0.2.1");
        assert_eq!(key("2001:db8:0:1::1").to_string(), "2001:db8:0:1::/64");
    }

    #[test]
    fn the_last_quarter_is_for_those_who_hold_little() {
        assert!(may_have(2048, 1535, 1535, 1));
        assert!(!may_have(2048, 1536, 1536, 1));
        assert!(may_have(2048, 1536, 31, 1) && !may_have(2048, 1536, 32, 1));
        assert!(may_have(2048, 2047, 0, 1) && !may_have(2048, 2048, 0, 1));
        // On several threads a client may hold a part of it on each.
        assert!(may_have(2048, 1536, 15, 2) && !may_have(2048, 1536, 16, 2));
        // Where a quarter is less than one, there is none.
        for all in 1..4 {
            assert!((0..all).all(|taken| may_have(all, taken, taken, 1)) && !may_have(all, all, 0, 1));
        }
        assert!(may_have(4, 2, 2, 1) && !may_have(4, 3, 3, 1) && may_have(4, 3, 0, 1));
    }

    #[test]
    fn counts_are_shared_kept_while_used_and_forgotten_after() {
        let holders = Holders::<Cell<usize>>::default();
        let first = Holding::new(holders.of(key("192.0.2.1")));
        let second = Holding::new(holders.of(key("192.0.2.1")));
        assert_eq!((first.count(), second.count()), (2, 2));
        drop(second);
        for number in 0..10_000 {
            holders.of(ClientKey(number));
        }
        assert!(holders.held.borrow().len() <= TABLE);
        assert_eq!(first.count(), 1);
        assert!(Rc::ptr_eq(&first.0, &holders.of(key("192.0.2.1"))));
    }

    #[test]
    fn a_connection_remembers_its_last_count() {
        let (known, holders) = (Known::default(), Holders::<Cell<usize>>::default());
        let one = known.get(1, key("::1"), || holders.of(key("::1")));
        assert!(Rc::ptr_eq(&one, &known.get(1, key("::1"), || panic!("known"))));
        let other = known.get(2, key("::1"), Held::default);
        assert!(!Rc::ptr_eq(&one, &other));
    }
}
