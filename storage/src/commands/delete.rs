//! Hides a thing from everybody, and shows it again.

use prost::Message;

use super::{Applied, Effect, redact};
use crate::batch::{Batch, id_u64};
use crate::error::{Error, Result};
use crate::ids::{ActorId, LabelId, TenantId, ThingId};
use crate::record::{Draft, Kind};
use crate::rows::{ThingRow, decode};
use crate::tables::{Key, Table};
use crate::tx::{Read, Tx};

/// Hides a thing; what was said of it stays, and it can be restored.
#[derive(Clone, Debug)]
pub struct Delete {
    /// Whose thing.
    pub tenant: TenantId,
    /// Who deletes it.
    pub actor: ActorId,
    /// Its id.
    pub id: String,
}

/// Shows a deleted thing again.
#[derive(Clone, Debug)]
pub struct Restore {
    /// Whose thing.
    pub tenant: TenantId,
    /// Who restores it.
    pub actor: ActorId,
    /// Its id.
    pub id: String,
}

pub(super) fn delete(batch: &mut Batch<'_>, command: &Delete) -> Result<Applied> {
    toggle(batch, command.tenant, command.actor, &command.id, Kind::Deleted)
}

pub(super) fn restore(batch: &mut Batch<'_>, command: &Restore) -> Result<Applied> {
    toggle(batch, command.tenant, command.actor, &command.id, Kind::Restored)
}

fn toggle(batch: &mut Batch<'_>, tenant: TenantId, actor: ActorId, id: &str, to: Kind) -> Result<Applied> {
    // What is being redacted is gone for everybody but the eraser.
    let there = if redact::is_refused(batch, tenant, id)? { None } else { thing_by_id(batch, tenant, id)? };
    let (thing, mut row) = there.ok_or_else(|| Error::NotFound { what: "entity", name: id.to_owned() })?;
    if row.is_deleted() == (to == Kind::Deleted) {
        let lsn = batch.counters(tenant)?.head();
        return Ok(Applied { lsn, effect: Effect::Unchanged });
    }
    row.deletions_us.push(batch.time_us(tenant)?);
    batch.put(Table::Things, Key::of(tenant).and(&thing).bytes(), row.encode_to_vec());
    let body = id.as_bytes().to_vec();
    let draft = Draft { kind: to, actor, purpose: 0, retention: 0, label: LabelId::SYSTEM, body };
    let lsn = batch.append(tenant, &draft)?;
    Ok(Applied { lsn, effect: Effect::Updated })
}

/// The thing of an id, if there is one.
pub(crate) fn thing_by_id(tx: &dyn Read, tenant: TenantId, id: &str) -> Result<Option<(ThingId, ThingRow)>> {
    let Some(thing) = tx.get(Table::Names, Key::of(tenant).and(id).bytes())? else {
        return Ok(None);
    };
    let thing = ThingId(id_u64(&thing, "thing id")?);
    Ok(Some((thing, thing_row(tx, tenant, thing)?)))
}

/// The row of a thing.
pub(crate) fn thing_row(tx: &dyn Read, tenant: TenantId, thing: ThingId) -> Result<ThingRow> {
    let row = tx.get(Table::Things, Key::of(tenant).and(&thing).bytes())?;
    let row =
        row.ok_or_else(|| Error::Corrupt { what: "things", detail: format!("no row for thing {thing}") })?;
    decode(&row, "thing row")
}
