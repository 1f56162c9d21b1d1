//! Has it noted what every commit changes, so that backups can be incremental.

use super::{Applied, Effect};
use crate::batch::Batch;
use crate::error::Result;
use crate::ids::Lsn;

/// Has it noted from the next commit on what each commit changes, within [`crate::changes::CHANGES_BYTES_MAX`]. It is no record
/// of any tenant.
#[derive(Clone, Copy, Debug)]
pub struct NoteChanges;

pub(super) fn execute(batch: &mut Batch<'_>) -> Result<Applied> {
    let effect = if batch.note_changes() { Effect::Done } else { Effect::Unchanged };
    Ok(Applied { lsn: Lsn::NONE, effect })
}
