//! Redacts again what an anchor says was redacted, in a store that was restored from an older backup.

use std::ops::ControlFlow;

use prost::Message;

use super::redact::{record, refuse};
use super::{Applied, Effect};
use crate::batch::{Batch, head_row, id_u64};
use crate::error::Result;
use crate::ids::{ActorId, SourceId, TenantId};
use crate::model::{RedactionBegun, SourceSpec, exactly};
use crate::record::Kind;
use crate::rows::{ErasingRow, RedactionRow, Stage};
use crate::tables::{Key, Table, key_u32};
use crate::tx::{Read, Tx};

/// Begins a redaction of whatever has a hash; there may be nothing that has it, and then it is only refused. No hold keeps
/// it: when it was redacted there was none.
#[derive(Clone, Debug)]
pub struct RedactAgain {
    /// Whose.
    pub tenant: TenantId,
    /// Whether it was of all that a source said.
    pub of_source: bool,
    /// The keyed hash of the id or the source.
    pub hash: Vec<u8>,
}

pub(super) fn begin(batch: &mut Batch<'_>, command: &RedactAgain) -> Result<Applied> {
    let tenant = command.tenant;
    head_row(batch, tenant)?;
    let hash: [u8; 32] = exactly(&command.hash, "hash of a redaction")?;
    let mut row = ErasingRow { stage: Stage::Waiting as u32, ..ErasingRow::default() };
    match command.of_source {
        true => row.source = source_of(batch, tenant, &hash)?.unwrap_or_default().0,
        false => row.thing = thing_of(batch, tenant, &hash)?.unwrap_or_default(),
    }
    if row.thing == 0 && row.source == 0 {
        row.enter(Stage::Log);
    }
    let actor = ActorId::NODE;
    let began_us = batch.time_us(tenant)?;
    let of_source = command.of_source;
    row.redaction =
        RedactionRow { hash: hash.to_vec(), of_source, actor: actor.0, began_us, ..RedactionRow::default() };
    let begun = RedactionBegun { reason: "redacted again after a restore".to_owned(), of_source };
    let lsn = record(batch, tenant, actor, Kind::RedactionBegan, begun.encode_to_vec())?;
    batch.put(Table::Erasing, Key::of(tenant).and(&lsn).bytes(), row.encode_to_vec());
    refuse(batch, tenant, &hash, lsn)?;
    Ok(Applied { lsn, effect: Effect::Done })
}

/// The thing whose id has a hash: every id is tried.
fn thing_of(batch: &mut Batch<'_>, tenant: TenantId, hash: &[u8; 32]) -> Result<Option<u64>> {
    let known = batch.hashes_of_things(tenant)?;
    let (prefix, mut found) = (Key::of(tenant), None);
    let id_at = prefix.bytes().len();
    batch.scan(Table::Names, prefix.bytes(), prefix.end().as_deref(), &mut |key, thing| {
        if known(&String::from_utf8_lossy(&key[id_at..])) == *hash {
            found = Some(id_u64(thing, "thing id")?);
        }
        Ok(if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(found)
}

fn source_of(batch: &mut Batch<'_>, tenant: TenantId, hash: &[u8; 32]) -> Result<Option<SourceId>> {
    let mut sources = Vec::new();
    crate::batch::scan_prefix(batch, Table::Sources, &Key::of(tenant), &mut |key, spec| {
        sources.push((SourceId(key_u32(key, 4)), SourceSpec::decode(spec)?.name));
        Ok(())
    })?;
    for (source, name) in sources {
        if batch.hash_of_source(tenant, &name)? == *hash {
            return Ok(Some(source));
        }
    }
    Ok(None)
}
