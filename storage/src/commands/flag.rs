//! Sets flags, each for one tenant, and stops one for the whole node.

use std::ops::ControlFlow;

use prost::Message;

use super::{Applied, Effect};
use crate::batch::{Batch, head_row, scan_prefix};
use crate::error::Result;
use crate::ids::{ActorId, LabelId, Lsn, TenantId};
use crate::model::{Flag, FlagSet};
use crate::record::{Draft, Kind};
use crate::rows::{FlagRow, decode};
use crate::tables::{Key, Table, key_u32};
use crate::tx::{Read, Tx};

/// Sets a flag for a tenant, or sets it back to what is so for everybody. What it is already changes nothing.
#[derive(Clone, Debug)]
pub struct SetFlag {
    /// For whom.
    pub tenant: TenantId,
    /// Who sets it.
    pub actor: ActorId,
    /// Which.
    pub flag: Flag,
    /// To what; none sets it back.
    pub value: Option<String>,
}

/// Stops what a flag turns on, for every tenant, whatever is set for it; or lets it go on.
#[derive(Clone, Debug)]
pub struct StopFlag {
    /// Who stops it.
    pub actor: ActorId,
    /// Which.
    pub flag: Flag,
    /// Whether it is to be stopped.
    pub stopped: bool,
}

pub(super) fn set(batch: &mut Batch<'_>, command: &SetFlag) -> Result<Applied> {
    let tenant = command.tenant;
    command.flag.check(command.value.as_deref())?;
    head_row(batch, tenant)?;
    let before = flag_row(batch, tenant, command.flag)?;
    if before.as_ref().map(|row| &row.value) == command.value.as_ref() {
        return Ok(Applied { lsn: batch.counters(tenant)?.head(), effect: Effect::Unchanged });
    }
    let set_us = batch.time_us(tenant)?;
    let set = FlagSet { flag: command.flag.to_string(), value: command.value.clone() };
    let lsn = record(batch, tenant, command.actor, Kind::FlagSet, set.encode_to_vec())?;
    let key = key(tenant, command.flag.as_str());
    match FlagRow::of(&set, command.actor, lsn, set_us) {
        Some(row) => batch.put(Table::Flags, key.bytes(), row.encode_to_vec()),
        None => batch.delete(Table::Flags, key.bytes()),
    }
    Ok(Applied { lsn, effect: Effect::Updated })
}

/// A record in the ledger of every tenant: each can tell why its searches changed.
pub(super) fn stop(batch: &mut Batch<'_>, command: &StopFlag) -> Result<Applied> {
    if !batch.stop_flag(command.flag, command.stopped) {
        return Ok(Applied { lsn: Lsn::NONE, effect: Effect::Unchanged });
    }
    let mut tenants = Vec::new();
    batch.scan(Table::Heads, &[], None, &mut |key, _| {
        tenants.push(TenantId(key_u32(key, 0)));
        Ok(ControlFlow::Continue(()))
    })?;
    let kind = if command.stopped { Kind::FlagStopped } else { Kind::FlagResumed };
    let mut lsn = Lsn::NONE;
    for tenant in tenants {
        lsn = record(batch, tenant, command.actor, kind, command.flag.as_str().into())?;
    }
    Ok(Applied { lsn, effect: Effect::Done })
}

/// What a flag was set to for a tenant, if it was.
pub(crate) fn flag_row(tx: &dyn Read, tenant: TenantId, flag: Flag) -> Result<Option<FlagRow>> {
    let row = tx.get(Table::Flags, key(tenant, flag.as_str()).bytes())?;
    row.map(|row| decode(&row, "flag row")).transpose()
}

/// Every flag that is set for a tenant, by name.
pub(crate) fn flag_rows(tx: &dyn Read, tenant: TenantId) -> Result<Vec<(String, FlagRow)>> {
    let (mut flags, prefix) = (Vec::new(), Key::of(tenant));
    let name_at = prefix.bytes().len();
    scan_prefix(tx, Table::Flags, &prefix, &mut |key, row| {
        flags.push((String::from_utf8_lossy(&key[name_at..]).into_owned(), decode(row, "flag row")?));
        Ok(())
    })?;
    Ok(flags)
}

/// Where the row of a flag is.
pub(crate) fn key(tenant: TenantId, flag: &str) -> Key {
    Key::of(tenant).and(flag)
}

fn record(batch: &mut Batch<'_>, tenant: TenantId, actor: ActorId, kind: Kind, body: Vec<u8>) -> Result<Lsn> {
    let draft = Draft { kind, actor, purpose: 0, retention: 0, label: LabelId::SYSTEM, body };
    batch.append(tenant, &draft)
}
