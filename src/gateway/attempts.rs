//! Failed attempts to sign in, counted for each address and for all. Codes and tokens cannot be guessed; this keeps
//! who tries nevertheless from costing much.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;

use super::errors::Failure;
use super::requests;

/// Failures are counted for so long, and then forgotten.
const WINDOW: Duration = Duration::from_secs(60);
/// Failures of one address in a window; after that even a good code is refused until the next.
const PER_ADDRESS_MAX: u32 = 10;
/// Failures of all addresses in a window. It bounds the memory as well.
const TOTAL_MAX: u32 = 1_000;

/// The failures of the present window.
#[derive(Default)]
pub(crate) struct Attempts {
    window: Mutex<Window>,
}

#[derive(Default)]
struct Window {
    began: Option<Instant>,
    total: u32,
    by_address: HashMap<IpAddr, u32>,
}

impl Attempts {
    /// Lets an attempt begin.
    ///
    /// # Errors
    /// If too many have failed.
    pub(crate) fn admit(&self, address: IpAddr) -> Result<(), Failure> {
        let now = Instant::now();
        let window = self.window(now);
        let of_address = window.by_address.get(&address).copied().unwrap_or_default();
        if of_address < PER_ADDRESS_MAX && window.total < TOTAL_MAX {
            return Ok(());
        }
        let ends = window.began.map_or(now, |began| began + WINDOW);
        let message = "too many attempts to sign in have failed; wait a minute";
        let limited = Failure::new(StatusCode::TOO_MANY_REQUESTS, "sign_in_limited", message);
        Err(limited.retry_after(ends.saturating_duration_since(now)))
    }

    /// Counts an attempt that failed.
    pub(crate) fn failed(&self, address: IpAddr) {
        let mut window = self.window(Instant::now());
        window.total += 1;
        *window.by_address.entry(address).or_default() += 1;
    }

    fn window(&self, now: Instant) -> MutexGuard<'_, Window> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.began.is_none_or(|began| now.saturating_duration_since(began) >= WINDOW) {
            *window = Window { began: Some(now), ..Window::default() };
        }
        window
    }
}

/// Where the request that this task answers comes from.
pub(crate) fn address() -> IpAddr {
    requests::peer().map_or(Ipv6Addr::UNSPECIFIED.into(), network)
}

/// Of IPv6 the network counts, since whoever has one address has all of those.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        ip => ip,
    }
}

#[cfg(test)]
mod tests;
