//! A run: an import records of itself what it read, what it wrote and how it ended.

use prost::Message;

use super::{Applied, Effect, progress, source_id};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::ids::{ActorId, LabelId, RunId, TenantId};
use crate::model;
use crate::record::{Draft, Kind};
use crate::rows::{RunRow, decode};
use crate::tables::{Key, Table};
use crate::tx::{Read, Tx};

/// Begins a run. Its id is the position of its first record.
#[derive(Clone, Debug)]
pub struct BeginRun {
    /// Whose run.
    pub tenant: TenantId,
    /// Who started it.
    pub actor: ActorId,
    /// What it does.
    pub begin: model::RunBegin,
}

/// Ends a run, once. If it has read everything, nothing is left of its source to be gone on with.
#[derive(Clone, Debug)]
pub struct EndRun {
    /// Whose run.
    pub tenant: TenantId,
    /// Who ends it.
    pub actor: ActorId,
    /// How it ended.
    pub end: model::RunEnd,
}

/// Drops a relation from the pending table, after it was asserted or rejected.
#[derive(Clone, Debug)]
pub struct Unpend {
    /// Whose run.
    pub tenant: TenantId,
    /// The run that set it aside.
    pub run: RunId,
    /// Its number in the run.
    pub number: u64,
}

pub(super) fn begin(batch: &mut Batch<'_>, command: &BeginRun) -> Result<Applied> {
    let tenant = command.tenant;
    let began_us = batch.time_us(tenant)?;
    let lsn = append(batch, tenant, command.actor, Kind::RunBegan, command.begin.encode_to_vec())?;
    let run = RunId(lsn.0);
    let row =
        RunRow { begin: command.begin.clone(), actor: command.actor.0, began_us, end: None, ended_us: None };
    batch.put(Table::Runs, Key::of(tenant).and(&run).bytes(), row.encode_to_vec());
    Ok(Applied { lsn, effect: Effect::Run(run) })
}

pub(super) fn end(batch: &mut Batch<'_>, command: &EndRun) -> Result<Applied> {
    let tenant = command.tenant;
    let mut row = check_running(batch, command.tenant, RunId(command.end.run))?;
    let is_complete = command.end.state() == model::RunState::Complete;
    if is_complete && let Some(source) = source_id(batch, tenant, &row.begin.source)? {
        progress::forget(batch, tenant, source)?;
    }
    row.ended_us = Some(batch.time_us(tenant)?);
    row.end = Some(command.end.clone());
    let key = Key::of(tenant).and(&RunId(command.end.run));
    batch.put(Table::Runs, key.bytes(), row.encode_to_vec());
    let lsn = append(batch, tenant, command.actor, Kind::RunEnded, command.end.encode_to_vec())?;
    Ok(Applied { lsn, effect: Effect::Done })
}

/// The row of a run that has begun and not ended. What is set aside for any other would be lost.
pub(super) fn check_running(tx: &dyn Read, tenant: TenantId, run: RunId) -> Result<RunRow> {
    let row = tx.get(Table::Runs, Key::of(tenant).and(&run).bytes())?;
    let row = row.ok_or_else(|| Error::NotFound { what: "run", name: run.to_string() })?;
    let row: RunRow = decode(&row, "run row")?;
    match row.end {
        Some(_) => Err(Error::Exists { what: "end of run", name: run.to_string() }),
        None => Ok(row),
    }
}

pub(super) fn unpend(batch: &mut Batch<'_>, command: &Unpend) -> Result<Applied> {
    let lsn = batch.counters(command.tenant)?.head();
    let key = Key::of(command.tenant).and(&command.run).and(&command.number);
    if batch.get(Table::Pending, key.bytes())?.is_some() {
        batch.delete(Table::Pending, key.bytes());
        batch.counters(command.tenant)?.pending -= 1;
    }
    Ok(Applied { lsn, effect: Effect::Done })
}

fn append(
    batch: &mut Batch<'_>,
    tenant: TenantId,
    actor: ActorId,
    kind: Kind,
    body: Vec<u8>,
) -> Result<crate::ids::Lsn> {
    batch.append(tenant, &Draft { kind, actor, purpose: 0, retention: 0, label: LabelId::SYSTEM, body })
}
