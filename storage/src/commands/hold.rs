//! Holds: what one is on is neither redacted nor purged while it stands.

use std::collections::BTreeSet;

use prost::Message;

use super::delete::{thing_by_id, thing_row};
use super::erase::joined;
use super::redact::record;
use super::source::source_id;
use super::{Applied, Effect};
use crate::batch::{Batch, head_row, scan_prefix};
use crate::error::{Error, Result};
use crate::ids::{ActorId, Lsn, SourceId, TenantId, ThingId};
use crate::model::{Hold, Selection, check_reason};
use crate::record::Kind;
use crate::rows::{HoldRow, SaidRow, ThingRow, decode};
use crate::tables::{Key, Table, key_u64};
use crate::tx::{Read, Tx};

/// Most holds of a tenant.
pub const HOLDS_MAX: usize = 1000;

/// Sets a hold. It is known by the position of its record.
#[derive(Clone, Debug)]
pub struct SetHold {
    /// Whose.
    pub tenant: TenantId,
    /// Who sets it.
    pub actor: ActorId,
    /// On what.
    pub selection: Selection,
    /// Why.
    pub reason: String,
}

/// Removes a hold.
#[derive(Clone, Debug)]
pub struct RemoveHold {
    /// Whose.
    pub tenant: TenantId,
    /// Who removes it.
    pub actor: ActorId,
    /// The record that set it.
    pub hold: Lsn,
}

pub(super) fn set(batch: &mut Batch<'_>, command: &SetHold) -> Result<Applied> {
    let tenant = command.tenant;
    check_reason(&command.reason)?;
    head_row(batch, tenant)?;
    check_there(batch, tenant, &command.selection)?;
    let standing = holds(batch, tenant)?.len();
    if standing >= HOLDS_MAX {
        let limit = format!("at most {HOLDS_MAX}; remove one first");
        return Err(Error::invalid("holds of a tenant", &standing.to_string(), limit));
    }
    let hold = Hold::on(command.selection.clone(), command.reason.clone());
    let since_us = batch.time_us(tenant)?;
    let lsn = record(batch, tenant, command.actor, Kind::HoldSet, hold.encode_to_vec())?;
    let row = HoldRow { hold, actor: command.actor.0, since_us };
    batch.put(Table::Holds, Key::of(tenant).and(&lsn).bytes(), row.encode_to_vec());
    Ok(Applied { lsn, effect: Effect::Created })
}

pub(super) fn remove(batch: &mut Batch<'_>, command: &RemoveHold) -> Result<Applied> {
    let tenant = command.tenant;
    head_row(batch, tenant)?;
    let key = Key::of(tenant).and(&command.hold);
    if batch.get(Table::Holds, key.bytes())?.is_none() {
        return Err(Error::NotFound { what: "hold", name: command.hold.to_string() });
    }
    batch.delete(Table::Holds, key.bytes());
    let body = command.hold.0.to_be_bytes().to_vec();
    let lsn = record(batch, tenant, command.actor, Kind::HoldRemoved, body)?;
    Ok(Applied { lsn, effect: Effect::Done })
}

/// A hold is on what is there: one on a misspelt name would be believed in.
fn check_there(batch: &mut Batch<'_>, tenant: TenantId, selection: &Selection) -> Result<()> {
    let (what, name, there) = match selection {
        Selection::Thing(id) => {
            let there = thing_by_id(batch, tenant, id)?.is_some();
            ("entity", id, there && !super::redact::is_refused(batch, tenant, id)?)
        }
        Selection::Source(name) => ("source", name, source_id(batch, tenant, name)?.is_some()),
        Selection::Tenant => return Ok(()),
    };
    if there { Ok(()) } else { Err(Error::NotFound { what, name: name.clone() }) }
}

/// Every hold of a tenant, oldest first.
pub(crate) fn holds(tx: &dyn Read, tenant: TenantId) -> Result<Vec<(Lsn, HoldRow)>> {
    let mut holds = Vec::new();
    scan_prefix(tx, Table::Holds, &Key::of(tenant), &mut |key, row| {
        holds.push((Lsn(key_u64(key, 4)), decode(row, "hold row")?));
        Ok(())
    })?;
    Ok(holds)
}

/// What the holds of a tenant are on.
#[derive(Default)]
pub(crate) struct Held {
    tenant: Option<Lsn>,
    sources: Vec<(SourceId, Lsn)>,
    things: Vec<(ThingId, Lsn)>,
}

impl Held {
    pub(crate) fn of(tx: &dyn Read, tenant: TenantId) -> Result<Held> {
        let mut held = Held::default();
        for (hold, row) in holds(tx, tenant)? {
            match row.hold.selection()? {
                Selection::Tenant => held.tenant = held.tenant.or(Some(hold)),
                Selection::Source(name) => {
                    held.sources.extend(source_id(tx, tenant, &name)?.map(|source| (source, hold)));
                }
                Selection::Thing(id) => {
                    held.things.extend(thing_by_id(tx, tenant, &id)?.map(|(thing, _)| (thing, hold)));
                }
            }
        }
        Ok(held)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tenant.is_none() && self.sources.is_empty() && self.things.is_empty()
    }

    /// The hold on all of the tenant.
    pub(crate) fn tenant(&self) -> Option<Lsn> {
        self.tenant
    }

    pub(crate) fn source(&self, source: SourceId) -> Option<Lsn> {
        self.tenant.or_else(|| self.sources.iter().find(|(held, _)| *held == source).map(|(_, hold)| *hold))
    }

    fn thing(&self, thing: ThingId) -> Option<Lsn> {
        self.things.iter().find(|(held, _)| *held == thing).map(|(_, hold)| *hold)
    }

    /// The hold on a thing, on what it joins, or on a source that says something of it.
    pub(crate) fn on(&self, thing: ThingId, row: &ThingRow) -> Option<Lsn> {
        let ends = row.said.iter().flat_map(|said| &said.edges).flat_map(|edge| [edge.from(), edge.to()]);
        let on_things = [thing].into_iter().chain(ends).find_map(|thing| self.thing(thing));
        let on_sources = || row.said.iter().find_map(|said| self.source(SourceId(said.source)));
        self.tenant.or(on_things).or_else(on_sources)
    }

    /// Whether a hold is on something that is said of a thing.
    pub(crate) fn covers(&self, thing: ThingId, said: &SaidRow) -> bool {
        let mut ends = said.edges.iter().flat_map(|edge| [edge.from(), edge.to()]);
        self.source(SourceId(said.source)).is_some()
            || self.thing(thing).is_some()
            || ends.any(|end| self.thing(end).is_some())
    }

    /// The hold on any of the things that would go with one.
    pub(crate) fn on_all_of(&self, tx: &dyn Read, tenant: TenantId, thing: ThingId) -> Result<Option<Lsn>> {
        if self.is_empty() {
            return Ok(None);
        }
        let (mut seen, mut next) = (BTreeSet::from([thing]), vec![thing]);
        while let Some(thing) = next.pop() {
            let hold = self.on(thing, &thing_row(tx, tenant, thing)?);
            if hold.is_some() {
                return Ok(hold);
            }
            joined(tx, tenant, thing, &mut |relation| {
                if seen.insert(relation) {
                    next.push(relation);
                }
                true
            })?;
        }
        Ok(None)
    }
}

/// Refuses to redact what a hold is on.
pub(super) fn check_none_on(tx: &dyn Read, tenant: TenantId, selection: &Selection) -> Result<()> {
    let held = Held::of(tx, tenant)?;
    let hold = match selection {
        Selection::Tenant => held.tenant(),
        Selection::Thing(id) => match thing_by_id(tx, tenant, id)? {
            Some((thing, _)) => held.on_all_of(tx, tenant, thing)?,
            None => None,
        },
        Selection::Source(name) => match source_id(tx, tenant, name)? {
            Some(source) => on_source(tx, tenant, &held, source)?,
            None => None,
        },
    };
    hold.map_or(Ok(()), |hold| Err(Error::Held { hold }))
}

/// The hold on a source, or on a thing of which it says something.
fn on_source(tx: &dyn Read, tenant: TenantId, held: &Held, source: SourceId) -> Result<Option<Lsn>> {
    if let Some(hold) = held.source(source) {
        return Ok(Some(hold));
    }
    for (thing, hold) in &held.things {
        let says = thing_row(tx, tenant, *thing)?.said_by(source).next().is_some();
        if says || super::erase::said_before(tx, tenant, *thing, source)? {
            return Ok(Some(*hold));
        }
    }
    Ok(None)
}
