//! Records that a file of the decision log is closed: from then on the ledger vouches for it.

use prost::Message;

use super::{Applied, Effect};
use crate::batch::{Batch, head_row};
use crate::error::{Error, Result};
use crate::ids::{ActorId, LabelId, TenantId};
use crate::model::DecisionSegment;
use crate::record::{Draft, Kind};
use crate::tables::{Key, Table};
use crate::tx::{Read, Tx};

/// Records the digest of a closed segment of the decision log, once.
#[derive(Clone, Debug)]
pub struct CloseDecisions {
    /// Whose decisions.
    pub tenant: TenantId,
    /// The segment.
    pub segment: DecisionSegment,
}

pub(super) fn execute(batch: &mut Batch<'_>, command: &CloseDecisions) -> Result<Applied> {
    let (tenant, segment) = (command.tenant, &command.segment);
    head_row(batch, tenant)?;
    let key = Key::of(tenant).and(&segment.number);
    match batch.get(Table::Decisions, key.bytes())? {
        Some(digest) if digest == segment.sha256 => {
            let lsn = batch.counters(tenant)?.head();
            return Ok(Applied { lsn, effect: Effect::Unchanged });
        }
        Some(_) => {
            return Err(Error::Exists { what: "decision segment", name: segment.number.to_string() });
        }
        None => {}
    }
    batch.put(Table::Decisions, key.bytes(), segment.sha256.clone());
    let draft = Draft {
        kind: Kind::DecisionsClosed,
        actor: ActorId::NODE,
        purpose: 0,
        retention: 0,
        label: LabelId::SYSTEM,
        body: segment.encode_to_vec(),
    };
    let lsn = batch.append(tenant, &draft)?;
    Ok(Applied { lsn, effect: Effect::Done })
}
