//! Places for connections: so many in all, so many for one address, and who goes when there is none left.
//!
//! A client that holds a place and asks nothing gives it up to one that comes: first goes whoever has been quiet
//! longest. So slow and idle connections, however many, keep nobody out who asks at once.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::activity::{Activity, Overdue, Patience};

/// Places beyond all others: who gets one is told to come back, or how the node is.
const RESERVE: usize = 32;
/// Of a full house so many parts leave at a time: the search for them takes long enough to do it seldom.
const LEAVE_AT_ONCE: usize = 64;
/// A request that waits for its client loses its place only if it has waited so long.
const AWAITED_MS_MIN: u64 = 500;

/// The places of a server.
pub(super) struct Places {
    began: Instant,
    drain: CancellationToken,
    connections_max: usize,
    per_address_max: usize,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    next: u64,
    held: HashMap<u64, Held>,
    by_address: HashMap<IpAddr, usize>,
}

struct Held {
    address: IpAddr,
    activity: Arc<Activity>,
}

/// A connection's place, given back when it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    id: u64,
    pub(super) activity: Arc<Activity>,
    /// Whether it is one of the reserve.
    pub(super) is_reserve: bool,
}

/// What became of a connection that was accepted.
pub(super) enum Admission {
    /// It has a place; so many others had to leave for it.
    Admitted(Place, usize),
    /// Everybody who has a place is being served.
    Full,
    /// The same, of its own address.
    AddressFull,
}

impl Places {
    pub(super) fn new(
        connections_max: usize,
        per_address_max: usize,
        drain: &CancellationToken,
    ) -> Arc<Places> {
        let (began, drain) = (Instant::now(), drain.clone());
        Arc::new(Places { began, drain, connections_max, per_address_max, table: Mutex::default() })
    }

    /// A place for a connection from that address, if need be somebody else's.
    pub(super) fn admit(self: &Arc<Places>, peer: IpAddr) -> Admission {
        let (mut table, address) = (self.table(), network(peer));
        let mut left = 0;
        if table.of(address) >= self.per_address_max {
            let count = self.per_address_max / LEAVE_AT_ONCE + 1;
            left += table.make_room(count, &|held| held.address == address);
            if table.of(address) >= self.per_address_max {
                return Admission::AddressFull;
            }
        }
        if table.held.len() >= self.connections_max {
            left += table.make_room(self.connections_max / LEAVE_AT_ONCE + 1, &|_| true);
        }
        let is_reserve = table.held.len() >= self.connections_max;
        if table.held.len() >= self.connections_max + RESERVE {
            return Admission::Full;
        }
        let activity = Arc::new(Activity::new(self.began, &self.drain));
        let id = table.seat(address, Arc::clone(&activity));
        Admission::Admitted(Place { places: Arc::clone(self), id, activity, is_reserve }, left)
    }

    /// Closes the connections whose client has taken too long, and tells of each why.
    pub(super) fn sweep(&self, patience: &Patience, tell: &dyn Fn(Overdue)) {
        for held in self.table().held.values() {
            if let Some(overdue) = held.activity.overdue(patience) {
                held.activity.close();
                tell(overdue);
            }
        }
    }

    /// Closes the connections on which nothing is in progress.
    pub(super) fn close_quiet(&self) {
        let table = self.table();
        table.held.values().filter(|held| held.activity.is_quiet()).for_each(|held| held.activity.close());
    }

    /// How many connections there are.
    pub(super) fn held(&self) -> usize {
        self.table().held.len()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn of(&self, address: IpAddr) -> usize {
        self.by_address.get(&address).copied().unwrap_or_default()
    }

    fn seat(&mut self, address: IpAddr, activity: Arc<Activity>) -> u64 {
        let id = self.next;
        self.next += 1;
        self.held.insert(id, Held { address, activity });
        *self.by_address.entry(address).or_default() += 1;
        id
    }

    fn unseat(&mut self, id: u64) -> Option<Arc<Activity>> {
        let Held { address, activity } = self.held.remove(&id)?;
        if let Some(count) = self.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
        Some(activity)
    }

    /// Up to `count` connections leave; how many did.
    fn make_room(&mut self, count: usize, among: &dyn Fn(&Held) -> bool) -> usize {
        let leaving = self.leaving(count, among);
        leaving.iter().filter_map(|id| self.unseat(*id)).map(|activity| activity.close()).count()
    }

    /// Those whose clients have kept us waiting longest, whether for a request or for the rest of one.
    fn leaving(&self, count: usize, among: &dyn Fn(&Held) -> bool) -> Vec<u64> {
        let held = self.held.iter().filter(|(_, held)| among(held));
        let mut leaving: Vec<_> =
            held.filter_map(|(id, held)| Some((waiting_since(&held.activity)?, *id))).collect();
        if leaving.len() > count {
            leaving.select_nth_unstable(count);
        }
        leaving.into_iter().take(count).map(|(_, id)| id).collect()
    }
}

/// Since when it is the client's turn; `None` while it is ours, or has only just become his.
fn waiting_since(activity: &Activity) -> Option<u64> {
    activity.quiet_since().or_else(|| {
        let awaited = activity.client_awaited_since()?;
        (activity.now().saturating_sub(awaited) >= AWAITED_MS_MIN).then_some(awaited)
    })
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.table().unseat(self.id);
    }
}

/// Whom an address stands for: one of IPv6 for the network it is in, which is handed out as a whole.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let bits = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        }
        address => address,
    }
}
