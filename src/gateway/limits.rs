//! How much one may ask for: token buckets, one for each who asks.
//!
//! A bucket holds so many requests and fills at so many a second; who finds it empty is told when to come back.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use storage::ids::ActorId;

use super::errors::Failure;
use crate::config::Config;

/// Buckets kept at most, of each kind: a full one is as good as none, and goes first.
const BUCKETS_MAX: usize = 16_384;

/// The limits of a node.
pub(crate) struct Limits {
    principals: Buckets<ActorId>,
    failed_sign_ins: Buckets<IpAddr>,
}

/// Buckets by key, in bounded memory.
struct Buckets<K> {
    per_second: f64,
    burst: f64,
    levels: Mutex<HashMap<K, Level>>,
}

/// How full a bucket was, and when.
#[derive(Clone, Copy)]
struct Level {
    left: f64,
    at: Instant,
}

impl Limits {
    pub(crate) fn new(config: &Config) -> Limits {
        let per_minute = f64::from(config.failed_sign_ins_per_minute_max);
        Limits {
            principals: Buckets::new(
                f64::from(config.principal_requests_per_second_max),
                f64::from(config.principal_requests_burst_max),
            ),
            failed_sign_ins: Buckets::new(per_minute / 60.0, per_minute),
        }
    }

    /// Takes one request from a principal's bucket.
    ///
    /// # Errors
    /// If it is empty.
    pub(crate) fn admit(&self, principal: ActorId) -> Result<(), Failure> {
        self.principals.take(principal, Instant::now()).map_err(|wait| {
            let message =
                "too many requests for one token; slow down, or raise principal_requests_per_second_max";
            Failure::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message).retry_after(wait)
        })
    }

    /// Counts a token, code or cookie that was refused against the address it came from.
    ///
    /// # Errors
    /// If too many were.
    pub(crate) fn sign_in_failed(&self, address: IpAddr) -> Result<(), Failure> {
        self.failed_sign_ins.take(network(address), Instant::now()).map_err(|wait| {
            let message = "too many failed sign-ins from this address; check the token, and wait";
            Failure::new(StatusCode::TOO_MANY_REQUESTS, "sign_in_limited", message).retry_after(wait)
        })
    }
}

impl<K: Eq + Hash + Copy> Buckets<K> {
    fn new(per_second: f64, burst: f64) -> Buckets<K> {
        Buckets { per_second, burst: burst.max(1.0), levels: Mutex::default() }
    }

    /// Takes one from a bucket, or says how long until there is one.
    fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.len() >= BUCKETS_MAX && !levels.contains_key(&key) {
            self.make_room(&mut levels, now);
        }
        let level = levels.entry(key).or_insert(Level { left: self.burst, at: now });
        *level = self.filled(*level, now);
        if level.left >= 1.0 {
            level.left -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - level.left) / self.per_second))
    }

    fn filled(&self, level: Level, now: Instant) -> Level {
        let grown = now.saturating_duration_since(level.at).as_secs_f64() * self.per_second;
        Level { left: (level.left + grown).min(self.burst), at: now }
    }

    /// Full buckets go; if there are none, all do: whoever has so many keys at hand is not held by them.
    fn make_room(&self, levels: &mut HashMap<K, Level>, now: Instant) {
        levels.retain(|_, level| self.filled(*level, now).left < self.burst);
        if levels.len() >= BUCKETS_MAX {
            levels.clear();
        }
    }
}

/// Of IPv6 the network counts, since whoever has one address has all of those.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        ip => ip,
    }
}

#[cfg(test)]
mod tests;
