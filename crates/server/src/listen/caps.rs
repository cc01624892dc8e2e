//! How many connections there may be: in all, and from one address.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use strongroom_model::{Origin, subscriber};

/// Kept beyond the cap for the local socket, so that the operator gets in when nobody else does.
const LOCAL_EXTRA: usize = 64;

/// Why a connection is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The server has as many as it takes.
    #[error("too many connections")]
    Full,
    /// This address has as many as it may.
    #[error("too many connections from this address")]
    FullForAddress,
}

/// Counts of open connections.
#[derive(Debug)]
pub struct Caps {
    most: usize,
    most_per_address: usize,
    open: AtomicUsize,
    by_address: Mutex<HashMap<IpAddr, usize>>,
}

impl Caps {
    /// None open.
    pub fn new(most: usize, most_per_address: usize) -> Self {
        Self { most, most_per_address, open: AtomicUsize::new(0), by_address: Mutex::default() }
    }

    /// Connections open now.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Counts one more for as long as the slot lives.
    pub(super) fn claim(self: &Arc<Self>, origin: Origin) -> Result<Slot, Refusal> {
        let mut slot = self.claim_for_many(origin)?;
        slot.become_of(origin)?;
        Ok(slot)
    }

    /// Counts one more in all, but not yet for any address: a proxy's, which stands for many.
    pub(super) fn claim_for_many(self: &Arc<Self>, origin: Origin) -> Result<Slot, Refusal> {
        let local = counted_address(origin).is_none();
        let most = if local { self.most.saturating_add(LOCAL_EXTRA) } else { self.most };
        let more = |open: usize| (open < most).then_some(open + 1);
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).map_err(|_| Refusal::Full)?;
        // from here on dropping the slot gives back what was taken
        Ok(Slot { caps: Arc::clone(self), origin, address: None })
    }
}

/// One open connection.
#[derive(Debug)]
pub(super) struct Slot {
    caps: Arc<Caps>,
    origin: Origin,
    address: Option<IpAddr>,
}

impl Slot {
    pub(super) fn origin(&self) -> Origin {
        self.origin
    }

    /// The connection is of this client, and counts for its address.
    pub(super) fn become_of(&mut self, client: Origin) -> Result<(), Refusal> {
        self.origin = client;
        let Some(address) = counted_address(client) else { return Ok(()) };
        let mut counts = self.caps.by_address.lock();
        let count = counts.entry(address).or_default();
        if *count >= self.caps.most_per_address {
            return Err(Refusal::FullForAddress);
        }
        *count += 1;
        self.address = Some(address);
        Ok(())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.caps.open.fetch_sub(1, Ordering::Relaxed);
        let Some(address) = self.address else { return };
        let mut counts = self.caps.by_address.lock();
        if let Some(count) = counts.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&address);
            }
        }
    }
}

/// What connections are counted by: one host usually has a whole /64 of IPv6 to itself.
fn counted_address(origin: Origin) -> Option<IpAddr> {
    origin.address().map(subscriber)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(text: &str) -> Origin {
        Origin::network(text.parse().unwrap())
    }

    #[test]
    fn the_cap_holds_and_a_closed_connection_makes_room() {
        let caps = Arc::new(Caps::new(2, 2));
        let first = caps.claim(from("10.0.0.1")).unwrap();
        let _second = caps.claim(from("10.0.0.2")).unwrap();
        assert_eq!(caps.claim(from("10.0.0.3")).unwrap_err(), Refusal::Full);
        drop(first);
        assert_eq!(caps.open(), 1);
        caps.claim(from("10.0.0.3")).unwrap();
    }

    #[test]
    fn one_address_cannot_take_every_place() {
        let caps = Arc::new(Caps::new(10, 1));
        let held = caps.claim(from("10.0.0.1")).unwrap();
        assert_eq!(caps.claim(from("10.0.0.1")).unwrap_err(), Refusal::FullForAddress);
        assert_eq!(caps.open(), 1, "a refused connection is not counted");
        let _other = caps.claim(from("10.0.0.2")).unwrap();
        drop(held);
        caps.claim(from("10.0.0.1")).unwrap();
        assert_eq!(caps.by_address.lock().len(), 1, "an address without connections is forgotten");
    }

    #[test]
    fn ipv6_is_counted_by_network_and_mapped_ipv4_by_address() {
        let caps = Arc::new(Caps::new(10, 1));
        let _held = caps.claim(from("2001:db8::1")).unwrap();
        assert_eq!(caps.claim(from("2001:db8::2")).unwrap_err(), Refusal::FullForAddress);
        let _other = caps.claim(from("2001:db8:0:1::1")).unwrap();
        let _mapped = caps.claim(from("::ffff:10.0.0.1")).unwrap();
        assert_eq!(caps.claim(from("10.0.0.1")).unwrap_err(), Refusal::FullForAddress);
    }

    #[test]
    fn a_proxy_is_not_counted_but_its_clients_are() {
        let caps = Arc::new(Caps::new(10, 1));
        let mut first = caps.claim_for_many(from("10.0.0.1")).unwrap();
        let mut second = caps.claim_for_many(from("10.0.0.1")).unwrap();
        first.become_of(from("203.0.113.7")).unwrap();
        assert_eq!(second.become_of(from("203.0.113.7")), Err(Refusal::FullForAddress));
        drop((first, second));
        assert_eq!((caps.open(), caps.by_address.lock().len()), (0, 0));
    }

    #[test]
    fn the_local_socket_has_places_of_its_own() {
        let caps = Arc::new(Caps::new(1, 1));
        let _network = caps.claim(from("10.0.0.1")).unwrap();
        let local: Vec<Slot> =
            (0..LOCAL_EXTRA).map(|_| caps.claim(Origin::Local { uid: 0 }).unwrap()).collect();
        assert_eq!(caps.claim(Origin::Local { uid: 0 }).unwrap_err(), Refusal::Full);
        assert_eq!(local.len(), LOCAL_EXTRA);
    }
}
