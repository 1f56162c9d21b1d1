//! Purges what is over: what was said long ago, by its tier, and bodies of the log that nothing cites any more.
//!
//! Nothing here is remembered between its commands: a purge that is cut off is begun again.

use std::collections::BTreeSet;

use prost::Message;

use super::erase::{all_links, before_rows, delete_thing, is_bare, redraw, thing_if_there};
use super::hold::Held;
use super::redact::record;
use super::{Applied, Effect, sweep};
use crate::batch::{Batch, head_row};
use crate::error::{Error, Result};
use crate::ids::{ActorId, Lsn, SourceId, TenantId, ThingId};
use crate::model::ErasureDone;
use crate::record::Kind;
use crate::rows::DAY_US;
use crate::tables::{Key, Table};
use crate::tx::Tx;

/// Things in one command at most.
pub const PURGED_AT_ONCE_MAX: usize = 256;

/// Removes what is over of some things, and the things of which nothing is left. A hold keeps what it is on.
#[derive(Clone, Debug)]
pub struct PurgeThings {
    /// Whose.
    pub tenant: TenantId,
    /// Which; at most [`PURGED_AT_ONCE_MAX`].
    pub things: Vec<ThingId>,
    /// What is over by then, microseconds since 1970.
    pub now_us: i64,
}

/// Goes through a part of the log: bodies go that name what is gone, or that were replaced. The answer's position is where
/// the next part begins, if it is [`Effect::More`].
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Whose.
    pub tenant: TenantId,
    /// Where the part begins.
    pub from: Lsn,
    /// Replaced bodies recorded before this go as well, microseconds since 1970,
    pub replaced_before_us: i64,
    /// in front of this: what every follower has taken in.
    pub below: Lsn,
}

/// Records that a purge is done and how much it took, if it took anything.
#[derive(Clone, Copy, Debug)]
pub struct EndPurge {
    /// Whose.
    pub tenant: TenantId,
    /// Who ordered it.
    pub actor: ActorId,
    /// How many records had lost their bodies before it.
    pub erased_before: u64,
    /// Bytes that are gone.
    pub bytes: u64,
}

/// Believes the clock, if it moved by less than a day since it was believed last, or if somebody vouches for it.
#[derive(Clone, Copy, Debug)]
pub struct SeeClock {
    /// Whether somebody vouches for it.
    pub vouched: bool,
}

/// Whether a clock is believed that showed `seen_us` when it was last believed, or was not yet (0).
#[must_use]
pub fn is_believed(now_us: i64, seen_us: i64) -> bool {
    seen_us == 0 || (now_us - seen_us).abs() <= DAY_US
}

/// By which time rights end: a clock that is put back gives back none that were over when it was last believed.
#[must_use]
pub fn judged_us(now_us: i64, seen_us: i64) -> i64 {
    now_us.max(seen_us)
}

pub(super) fn things(batch: &mut Batch<'_>, command: &PurgeThings) -> Result<Applied> {
    let tenant = command.tenant;
    head_row(batch, tenant)?;
    if command.things.len() > PURGED_AT_ONCE_MAX {
        let limit = format!("at most {PURGED_AT_ONCE_MAX}");
        return Err(Error::invalid("things to purge", &command.things.len().to_string(), limit));
    }
    let held = Held::of(batch, tenant)?;
    let mut bodies = BTreeSet::new();
    for thing in &command.things {
        purge(batch, tenant, *thing, command.now_us, &held, &mut bodies)?;
    }
    batch.erase(tenant, &bodies)?;
    let effect = if bodies.is_empty() { Effect::Unchanged } else { Effect::Updated };
    Ok(Applied { lsn: batch.counters(tenant)?.head(), effect })
}

fn purge(
    batch: &mut Batch<'_>,
    tenant: TenantId,
    thing: ThingId,
    now_us: i64,
    held: &Held,
    bodies: &mut BTreeSet<Lsn>,
) -> Result<()> {
    let Some(mut row) = thing_if_there(batch, tenant, thing)? else { return Ok(()) };
    if held.on(thing, &row).is_some() {
        return Ok(());
    }
    let links = all_links(batch, tenant, thing)?;
    for (key, before) in before_rows(batch, tenant, thing)? {
        if before.said.is_due(now_us) && held.source(SourceId(before.said.source)).is_none() {
            bodies.insert(before.said.lsn());
            batch.delete(Table::Before, &key);
        }
    }
    let (over, kept) =
        std::mem::take(&mut row.said).into_iter().partition::<Vec<_>, _>(|said| said.is_due(now_us));
    bodies.extend(over.iter().map(|said| said.lsn()));
    row.said = kept;
    batch.put(Table::Things, Key::of(tenant).and(&thing).bytes(), row.encode_to_vec());
    redraw(batch, tenant, thing, &links)?;
    // What is joined to it names it: then its id stays until that is over, too, and nobody sees either.
    if is_bare(batch, tenant, thing, &row)? {
        delete_thing(batch, tenant, thing, &row)?;
    }
    Ok(())
}

pub(super) fn sweep_log(batch: &mut Batch<'_>, command: &Sweep) -> Result<Applied> {
    let tenant = command.tenant;
    head_row(batch, tenant)?;
    let rule = sweep::Rule { replaced_before_us: command.replaced_before_us, below: command.below };
    let swept = sweep::sweep(batch, tenant, command.from, rule)?;
    batch.erase(tenant, &swept.bodies)?;
    Ok(match swept.next {
        Some(next) => Applied { lsn: next, effect: Effect::More },
        None => Applied { lsn: batch.counters(tenant)?.head(), effect: Effect::Done },
    })
}

pub(super) fn end(batch: &mut Batch<'_>, command: &EndPurge) -> Result<Applied> {
    let tenant = command.tenant;
    let records = batch.counters(tenant)?.erased.saturating_sub(command.erased_before);
    if records == 0 {
        return Ok(Applied { lsn: batch.counters(tenant)?.head(), effect: Effect::Unchanged });
    }
    let done = ErasureDone { begun: 0, records, bytes: command.bytes };
    let lsn = record(batch, tenant, command.actor, Kind::Purged, done.encode_to_vec())?;
    Ok(Applied { lsn, effect: Effect::Done })
}

pub(super) fn see_clock(batch: &mut Batch<'_>, command: &SeeClock) -> Result<Applied> {
    let now_us = batch.stamped_us();
    let seen_us = batch.clock_us();
    if !command.vouched && !is_believed(now_us, seen_us) {
        return Err(Error::ClockJumped { seen_us, now_us });
    }
    batch.believe_clock(command.vouched);
    Ok(Applied { lsn: Lsn::NONE, effect: Effect::Done })
}
