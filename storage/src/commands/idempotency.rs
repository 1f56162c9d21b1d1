//! Carries a command out once, however often a client sends it.
//!
//! What is kept is which request it was and what the command did, never an answer: an answer may hold a secret, and can
//! be made again from these. It is kept in the commit of the command itself, so that neither is ever there without the
//! other, for a day and for so many commands of a tenant.

use std::ops::ControlFlow;

use prost::Message;

use super::{Applied, Command, Effect, execute, is_believed};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::ids::{Lsn, RunId, SourceId, TenantId};
use crate::rows::{OnceRow, decode};
use crate::tables::{Key, Table, key_u64};
use crate::tx::{Read, Tx};

/// How long a command that was carried out once is remembered, in microseconds.
pub const ONCE_KEPT_US: i64 = 24 * 3_600_000_000;
/// How many are remembered of a tenant; the oldest go first.
pub const ONCE_MAX: u64 = 100_000;
/// So many that are over are forgotten with each new one: more than come, so that none stay.
const FORGET_AT_A_TIME: usize = 4;

/// What a client calls its request, and which request that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// The tenant that remembers it.
    pub tenant: TenantId,
    /// Digest of who sends it and what he calls it.
    pub name: [u8; 32],
    /// Digest of what is asked for.
    pub request: [u8; 32],
}

/// A command that is one step of a request.
#[derive(Clone, Debug)]
pub struct Once {
    /// Of which request.
    pub key: RequestKey,
    /// Which step: the same whenever the request is sent, and no other step's.
    pub step: u64,
    /// What to do, if it was not done before.
    pub command: Box<Command>,
}

/// The time by which a key is forgotten: a clock that jumped makes nobody forget what was done.
#[must_use]
pub fn settled_us(now_us: i64, seen_us: i64) -> i64 {
    if is_believed(now_us, seen_us) { now_us } else { seen_us }
}

pub(super) fn once(batch: &mut Batch<'_>, once: &Once) -> Result<Applied> {
    batch.counters(once.key.tenant)?;
    let now_us = settled_us(batch.stamped_us(), batch.clock_us());
    let place = place(&once.key).and(&once.step);
    let before = live(batch, &place, now_us)?;
    if let Some(row) = before {
        check_request(&row, &once.key)?;
        return row.applied();
    }
    let applied = execute(batch, &once.command)?;
    remember(batch, once, &place, applied, now_us)?;
    forget(batch, once.key.tenant, now_us)?;
    Ok(applied)
}

/// Refuses a request whose key was given to another one before.
pub(crate) fn check(tx: &dyn Read, key: &RequestKey, now_us: i64) -> Result<()> {
    let place = place(key);
    tx.scan(Table::Once, place.bytes(), place.end().as_deref(), &mut |_, row| {
        let row: OnceRow = decode(row, "once row")?;
        if row.is_live(now_us) {
            check_request(&row, key)?;
        }
        Ok(ControlFlow::Continue(()))
    })
}

fn check_request(row: &OnceRow, key: &RequestKey) -> Result<()> {
    if row.request == key.request { Ok(()) } else { Err(Error::KeyReused) }
}

fn place(key: &RequestKey) -> Key {
    Key::of(key.tenant).and(key.name.as_slice())
}

fn live(tx: &dyn Read, place: &Key, now_us: i64) -> Result<Option<OnceRow>> {
    let Some(row) = tx.get(Table::Once, place.bytes())? else { return Ok(None) };
    let row: OnceRow = decode(&row, "once row")?;
    Ok(row.is_live(now_us).then_some(row))
}

fn remember(batch: &mut Batch<'_>, once: &Once, place: &Key, applied: Applied, now_us: i64) -> Result<()> {
    let tenant = once.key.tenant;
    // One that is over and not forgotten yet makes room under its old time first.
    if let Some(row) = batch.get(Table::Once, place.bytes())? {
        let row: OnceRow = decode(&row, "once row")?;
        forget_one(batch, tenant, &in_time(tenant, row.at_us, place), place)?;
    }
    let (effect, number) = code(applied.effect);
    let row =
        OnceRow { request: once.key.request.to_vec(), at_us: now_us, lsn: applied.lsn.0, effect, number };
    batch.put(Table::Once, place.bytes(), row.encode_to_vec());
    batch.put(Table::OnceInTime, in_time(tenant, now_us, place).bytes(), Vec::new());
    batch.counters(tenant)?.once += 1;
    Ok(())
}

/// Forgets the oldest that are over, or too many.
fn forget(batch: &mut Batch<'_>, tenant: TenantId, now_us: i64) -> Result<()> {
    let mut too_many = batch.counters(tenant)?.once.saturating_sub(ONCE_MAX);
    let prefix = Key::of(tenant);
    let mut over = Vec::new();
    batch.scan(Table::OnceInTime, prefix.bytes(), prefix.end().as_deref(), &mut |key, _| {
        let at_us = i64::try_from(key_u64(key, 4)).unwrap_or(i64::MAX);
        if over.len() == FORGET_AT_A_TIME || (too_many == 0 && is_live(at_us, now_us)) {
            return Ok(ControlFlow::Break(()));
        }
        too_many = too_many.saturating_sub(1);
        over.push(key.to_vec());
        Ok(ControlFlow::Continue(()))
    })?;
    for key in over {
        let place = Key::of(tenant).and(&key[TIME_ENDS..]);
        forget_one(batch, tenant, &Key::default().and(key.as_slice()), &place)?;
    }
    Ok(())
}

fn forget_one(batch: &mut Batch<'_>, tenant: TenantId, in_time: &Key, place: &Key) -> Result<()> {
    batch.delete(Table::OnceInTime, in_time.bytes());
    batch.delete(Table::Once, place.bytes());
    batch.counters(tenant)?.once -= 1;
    Ok(())
}

/// Where the time ends in a key of [`Table::OnceInTime`]: behind tenant and time.
const TIME_ENDS: usize = 4 + 8;

/// The key of a row in the table that is ordered by time.
pub(crate) fn in_time(tenant: TenantId, at_us: i64, place: &Key) -> Key {
    let at = u64::try_from(at_us).unwrap_or_default();
    Key::of(tenant).and(&at).and(&place.bytes()[4..])
}

fn is_live(at_us: i64, now_us: i64) -> bool {
    now_us.saturating_sub(at_us) < ONCE_KEPT_US
}

impl OnceRow {
    fn is_live(&self, now_us: i64) -> bool {
        is_live(self.at_us, now_us)
    }

    fn applied(&self) -> Result<Applied> {
        let effect = effect(self.effect, self.number).ok_or_else(|| Error::Corrupt {
            what: "once row",
            detail: format!("no effect has the code {}", self.effect),
        })?;
        Ok(Applied { lsn: Lsn(self.lsn), effect })
    }
}

fn code(effect: Effect) -> (u32, u64) {
    match effect {
        Effect::Created => (1, 0),
        Effect::Updated => (2, 0),
        Effect::Unchanged => (3, 0),
        Effect::Pending => (4, 0),
        Effect::Tenant(tenant) => (5, u64::from(tenant.0)),
        Effect::Source(source) => (6, u64::from(source.0)),
        Effect::Run(run) => (7, run.0),
        Effect::Done => (8, 0),
        Effect::Events { accepted, duplicates } => (9, u64::from(accepted) << 32 | u64::from(duplicates)),
        Effect::More => (10, 0),
    }
}

fn effect(code: u32, number: u64) -> Option<Effect> {
    Some(match code {
        1 => Effect::Created,
        2 => Effect::Updated,
        3 => Effect::Unchanged,
        4 => Effect::Pending,
        5 => Effect::Tenant(TenantId(u32::try_from(number).ok()?)),
        6 => Effect::Source(SourceId(u32::try_from(number).ok()?)),
        7 => Effect::Run(RunId(number)),
        8 => Effect::Done,
        10 => Effect::More,
        9 => Effect::Events { accepted: (number >> 32) as u32, duplicates: number as u32 },
        _ => return None,
    })
}
