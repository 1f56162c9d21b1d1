//! Redacts: what a thing or a source stands for is hidden at once, taken out of the store step by step ([`super::erase`]),
//! and refused when it comes again.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use prost::Message;

use super::delete::thing_by_id;
use super::hold;
use super::source::source_id;
use super::{Applied, Effect};
use crate::batch::{Batch, head_row, id_u64};
use crate::error::{Error, Result};
use crate::ids::{ActorId, LabelId, Lsn, SourceId, TenantId};
use crate::model::{ErasureDone, RedactionBegun, RedactionLifted, Said, Selection, check_reason};
use crate::record::{Draft, Kind};
use crate::rows::{ErasingRow, RedactionRow, Stage, decode};
use crate::tables::{Key, Table};
use crate::tx::{Read, Tx};

/// Begins a redaction: from its commit on what it is of is hidden from every reader, and refused from every source.
///
/// The answer's position is what the redaction is known by. One that has begun and is not done is not begun again.
#[derive(Clone, Debug)]
pub struct Redact {
    /// Whose.
    pub tenant: TenantId,
    /// Who orders it.
    pub actor: ActorId,
    /// Of what: a thing, or all that a source said.
    pub selection: Selection,
    /// Why. It stays, so it should name nobody.
    pub reason: String,
}

/// Ends a redaction, once nothing of it is left in the store or in what follows it.
#[derive(Clone, Debug)]
pub struct EndRedaction {
    /// Whose.
    pub tenant: TenantId,
    /// The record with which it began.
    pub redaction: Lsn,
}

/// Lets what was redacted be brought in again; what was erased stays so.
#[derive(Clone, Debug)]
pub struct LiftRedaction {
    /// Whose.
    pub tenant: TenantId,
    /// Who lifts it.
    pub actor: ActorId,
    /// Which.
    pub of: Lifted,
}

/// Which redaction is lifted.
#[derive(Clone, Debug)]
pub enum Lifted {
    /// The last one of this.
    Last(Selection),
    /// The one that began with a record.
    Begun(Lsn),
}

pub(super) fn begin(batch: &mut Batch<'_>, command: &Redact) -> Result<Applied> {
    let tenant = command.tenant;
    check_reason(&command.reason)?;
    head_row(batch, tenant)?;
    let hash = hash_of(batch, tenant, &command.selection)?;
    if let Some(running) = refused_by(batch, tenant, &hash)?
        && erasing_row(batch, tenant, running)?.is_some()
    {
        return Ok(Applied { lsn: running, effect: Effect::Unchanged });
    }
    let mut row = selected(batch, tenant, &command.selection)?;
    hold::check_none_on(batch, tenant, &command.selection)?;
    row.redaction = RedactionRow {
        hash: hash.to_vec(),
        of_source: row.source != 0,
        actor: command.actor.0,
        began_us: batch.time_us(tenant)?,
        ..RedactionRow::default()
    };
    let begun = RedactionBegun { reason: command.reason.clone(), of_source: row.source != 0 };
    let lsn = record(batch, tenant, command.actor, Kind::RedactionBegan, begun.encode_to_vec())?;
    batch.put(Table::Erasing, Key::of(tenant).and(&lsn).bytes(), row.encode_to_vec());
    refuse(batch, tenant, &hash, lsn)?;
    Ok(Applied { lsn, effect: Effect::Done })
}

fn selected(tx: &dyn Read, tenant: TenantId, selection: &Selection) -> Result<ErasingRow> {
    let mut row = ErasingRow { stage: Stage::Waiting as u32, ..ErasingRow::default() };
    match selection {
        Selection::Thing(id) => {
            let found = thing_by_id(tx, tenant, id)?;
            row.thing = found.ok_or_else(|| missing("entity", id))?.0.0;
        }
        Selection::Source(name) => {
            row.source = source_id(tx, tenant, name)?.ok_or_else(|| missing("source", name))?.0;
        }
        Selection::Tenant => return Err(not_a_tenant()),
    }
    Ok(row)
}

pub(super) fn end(batch: &mut Batch<'_>, command: &EndRedaction) -> Result<Applied> {
    let (tenant, begun) = (command.tenant, command.redaction);
    if redaction_row(batch, tenant, begun)?.is_some() {
        return Ok(Applied { lsn: batch.counters(tenant)?.head(), effect: Effect::Unchanged });
    }
    let row = erasing_row(batch, tenant, begun)?.ok_or_else(|| missing("redaction", &begun.to_string()))?;
    if row.stage()? != Stage::Gone {
        let limit = "something of it is still there; erase that first";
        return Err(Error::invalid("redaction that goes on", &begun.to_string(), limit));
    }
    let mut redaction = row.redaction;
    let done = ErasureDone { begun: begun.0, records: redaction.records, bytes: redaction.bytes };
    let actor = ActorId(redaction.actor);
    let lsn = record(batch, tenant, actor, Kind::RedactionEnded, done.encode_to_vec())?;
    redaction.ended = lsn.0;
    let key = Key::of(tenant).and(&begun);
    batch.delete(Table::Erasing, key.bytes());
    batch.put(Table::Redactions, key.bytes(), redaction.encode_to_vec());
    Ok(Applied { lsn, effect: Effect::Done })
}

pub(super) fn lift(batch: &mut Batch<'_>, command: &LiftRedaction) -> Result<Applied> {
    let tenant = command.tenant;
    head_row(batch, tenant)?;
    let begun = match &command.of {
        Lifted::Begun(begun) => *begun,
        Lifted::Last(selection) => {
            let hash = hash_of(batch, tenant, selection)?;
            refused_by(batch, tenant, &hash)?.ok_or_else(|| missing("redaction of", name(selection)))?
        }
    };
    let row = redaction_row(batch, tenant, begun)?.filter(|row| !row.is_lifted());
    let Some(mut row) = row else {
        let limit = "it goes on, or was lifted before; lift it once, when it is done";
        return Err(Error::invalid("redaction", &begun.to_string(), limit));
    };
    let lifted = RedactionLifted { begun: begun.0 };
    let lsn = record(batch, tenant, command.actor, Kind::RedactionLifted, lifted.encode_to_vec())?;
    row.lifted = lsn.0;
    batch.put(Table::Redactions, Key::of(tenant).and(&begun).bytes(), row.encode_to_vec());
    Ok(Applied { lsn, effect: Effect::Done })
}

/// Refuses what a source says if the source, the thing or anything that it is joined to was redacted.
pub(super) fn check(batch: &mut Batch<'_>, tenant: TenantId, source: SourceId, said: &Said) -> Result<()> {
    if batch.counters(tenant)?.refused == 0 {
        return Ok(());
    }
    let name = batch.source_name(tenant, source)?;
    let ends = said.edges.iter().flat_map(|edge| [edge.from_or(&said.id), edge.to.as_str()]);
    let ids: BTreeSet<_> = ends.chain([said.id.as_str()]).collect();
    let mut hashes = vec![batch.hash_of_source(tenant, &name)?];
    for id in ids {
        hashes.push(batch.hash_of_thing(tenant, id)?);
    }
    for hash in hashes {
        if refused_by(batch, tenant, &hash)?.is_some() {
            return Err(Error::Redacted);
        }
    }
    Ok(())
}

/// Whether an id was redacted and may not come again.
pub(super) fn is_refused(batch: &mut Batch<'_>, tenant: TenantId, id: &str) -> Result<bool> {
    if batch.counters(tenant)?.refused == 0 {
        return Ok(false);
    }
    let hash = batch.hash_of_thing(tenant, id)?;
    Ok(refused_by(batch, tenant, &hash)?.is_some())
}

/// Refuses a name from now on.
pub(super) fn refuse(batch: &mut Batch<'_>, tenant: TenantId, hash: &[u8; 32], redaction: Lsn) -> Result<()> {
    let key = Key::of(tenant).and(hash.as_slice());
    if batch.get(Table::Refused, key.bytes())?.is_none() {
        batch.counters(tenant)?.refused += 1;
    }
    batch.put(Table::Refused, key.bytes(), redaction.0.to_be_bytes().to_vec());
    Ok(())
}

/// The redaction because of which a name is refused, if it is.
fn refused_by(tx: &dyn Read, tenant: TenantId, hash: &[u8; 32]) -> Result<Option<Lsn>> {
    let Some(row) = tx.get(Table::Refused, Key::of(tenant).and(hash.as_slice()).bytes())? else {
        return Ok(None);
    };
    let redaction = Lsn(id_u64(&row, "refused")?);
    let lifted = redaction_row(tx, tenant, redaction)?.is_some_and(|row| row.is_lifted());
    Ok((!lifted).then_some(redaction))
}

fn hash_of(batch: &mut Batch<'_>, tenant: TenantId, selection: &Selection) -> Result<[u8; 32]> {
    match selection {
        Selection::Thing(id) => batch.hash_of_thing(tenant, id),
        Selection::Source(name) => batch.hash_of_source(tenant, name),
        Selection::Tenant => Err(not_a_tenant()),
    }
}

/// A redaction that goes on.
pub(crate) fn erasing_row(tx: &dyn Read, tenant: TenantId, redaction: Lsn) -> Result<Option<ErasingRow>> {
    let row = tx.get(Table::Erasing, Key::of(tenant).and(&redaction).bytes())?;
    row.map(|row| decode(&row, "erasing row")).transpose()
}

/// A redaction that is done.
pub(crate) fn redaction_row(tx: &dyn Read, tenant: TenantId, redaction: Lsn) -> Result<Option<RedactionRow>> {
    let row = tx.get(Table::Redactions, Key::of(tenant).and(&redaction).bytes())?;
    row.map(|row| decode(&row, "redaction row")).transpose()
}

/// Every redaction of every tenant that goes on.
pub(crate) fn all_erasing(tx: &dyn Read) -> Result<Vec<(TenantId, Lsn, ErasingRow)>> {
    let mut rows = Vec::new();
    tx.scan(Table::Erasing, &[], None, &mut |key, row| {
        let (tenant, redaction) = (crate::tables::key_u32(key, 0), crate::tables::key_u64(key, 4));
        rows.push((TenantId(tenant), Lsn(redaction), decode(row, "erasing row")?));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(rows)
}

fn name(selection: &Selection) -> &str {
    match selection {
        Selection::Thing(name) | Selection::Source(name) => name,
        Selection::Tenant => "",
    }
}

fn missing(what: &'static str, name: &str) -> Error {
    Error::NotFound { what, name: name.to_owned() }
}

fn not_a_tenant() -> Error {
    Error::invalid("redaction", "a whole tenant", "name a thing or a source")
}

pub(super) fn record(
    batch: &mut Batch<'_>,
    tenant: TenantId,
    actor: ActorId,
    kind: Kind,
    body: Vec<u8>,
) -> Result<Lsn> {
    batch.append(tenant, &Draft { kind, actor, purpose: 0, retention: 0, label: LabelId::SYSTEM, body })
}
