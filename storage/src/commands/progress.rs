//! How far a run has read a file: remembered in the commit of what it read, so that a run which is cut off can be gone on with.
//!
//! A table of what is passing: no record, and gone once a run of the source completes.

use std::ops::ControlFlow;

use prost::Message;

use super::run::check_running;
use super::{Applied, Effect};
use crate::batch::Batch;
use crate::error::Result;
use crate::ids::{RunId, SourceId, TenantId};
use crate::rows::ProgressRow;
use crate::tables::{Key, Table};
use crate::tx::{Read, Tx};

/// Files that are remembered of a tenant; of more than that nothing is, until runs of their sources complete.
pub const PROGRESS_MAX: u64 = 65_536;

/// Remembers how far a run has read a file.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Whose run.
    pub tenant: TenantId,
    /// The source that says what is in the file.
    pub source: SourceId,
    /// The run.
    pub run: RunId,
    /// Digest of the file, and of how it is read.
    pub file: [u8; 32],
    /// So many things of it have been read.
    pub things: u64,
}

pub(super) fn execute(batch: &mut Batch<'_>, command: &Progress) -> Result<Applied> {
    let tenant = command.tenant;
    batch.source_name(tenant, command.source)?;
    check_running(batch, tenant, command.run)?;
    let key = key(tenant, command.source, &command.file);
    let is_new = batch.get(Table::Progress, key.bytes())?.is_none();
    let counters = batch.counters(tenant)?;
    let applied = Applied { lsn: counters.head(), effect: Effect::Done };
    if is_new && counters.progress >= PROGRESS_MAX {
        return Ok(applied);
    }
    counters.progress += u64::from(is_new);
    let row = ProgressRow { run: command.run.0, things: command.things };
    batch.put(Table::Progress, key.bytes(), row.encode_to_vec());
    Ok(applied)
}

/// Forgets the files of a source, once all that a run of it had to say is said.
pub(super) fn forget(batch: &mut Batch<'_>, tenant: TenantId, source: SourceId) -> Result<()> {
    let prefix = Key::of(tenant).and(&source);
    let mut known = Vec::new();
    batch.scan(Table::Progress, prefix.bytes(), prefix.end().as_deref(), &mut |key, _| {
        known.push(key.to_vec());
        Ok(ControlFlow::Continue(()))
    })?;
    batch.counters(tenant)?.progress -= known.len() as u64;
    known.iter().for_each(|key| batch.delete(Table::Progress, key));
    Ok(())
}

pub(crate) fn key(tenant: TenantId, source: SourceId, file: &[u8; 32]) -> Key {
    Key::of(tenant).and(&source).and(file.as_slice())
}
