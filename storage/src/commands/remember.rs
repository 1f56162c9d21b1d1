//! Remembers what is beside the database, so that it is missed when it is gone.

use super::{Applied, Effect};
use crate::batch::Batch;
use crate::error::Result;
use crate::ids::Lsn;
use crate::ledger::Hash;

/// Remembers which key the ledgers are signed with, and that there is an anchor. It is no record of any tenant.
///
/// The key that is remembered stays: another one is refused where it is met ([`crate::anchor::Anchor::check`]).
#[derive(Clone, Copy, Debug)]
pub struct Remember {
    /// SHA-256 of the public key.
    pub key_sha256: Hash,
    /// Whether there is an anchor on the disk.
    pub anchored: bool,
}

pub(super) fn execute(batch: &mut Batch<'_>, command: &Remember) -> Result<Applied> {
    let changed = batch.remember(&command.key_sha256, command.anchored);
    let effect = if changed { Effect::Done } else { Effect::Unchanged };
    Ok(Applied { lsn: Lsn::NONE, effect })
}
