//! Begins the next epoch of every ledger, when a backup has been restored.
//!
//! The tree goes on: old root and new are joined by a consistency proof, and positions stay what they were. What ends is
//! the origin, and with it the key's name: nothing that the lost node signed beyond the backup can be taken for this ledger.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use prost::Message;

use super::{Applied, Effect};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::ids::{ActorId, Epoch, LabelId, Lsn, TenantId};
use crate::model::EpochBegan;
use crate::record::{Draft, Kind};
use crate::tables::{Table, key_u32};
use crate::tx::Read;

/// Begins an epoch, with a record in the ledger of every tenant.
#[derive(Clone, Debug)]
pub struct BeginEpoch {
    /// Its number, above all before it.
    pub epoch: Epoch,
    /// How many records each tenant's lost ledger had beyond the backup, as far as that is known.
    pub lacking: BTreeMap<TenantId, u64>,
}

pub(super) fn execute(batch: &mut Batch<'_>, command: &BeginEpoch) -> Result<Applied> {
    if command.epoch.0 <= batch.epoch() {
        let limit = format!("above the present one, {}", batch.epoch());
        return Err(Error::invalid("epoch", &command.epoch.to_string(), limit));
    }
    let mut tenants = Vec::new();
    batch.scan(Table::Heads, &[], None, &mut |key, _| {
        tenants.push(TenantId(key_u32(key, 0)));
        Ok(ControlFlow::Continue(()))
    })?;
    let ledgers: Vec<_> = tenants.iter().map(|tenant| batch.ledger(*tenant)).collect::<Result<_>>()?;
    batch.set_epoch(command.epoch.0)?;
    let mut lsn = Lsn::NONE;
    for (tenant, (old_origin, old_size, old_root)) in tenants.into_iter().zip(ledgers) {
        let began = EpochBegan {
            epoch: command.epoch.0,
            old_origin,
            old_size,
            old_root: old_root.to_vec(),
            lacking: command.lacking.get(&tenant).copied(),
        };
        let draft = Draft {
            kind: Kind::EpochBegan,
            actor: ActorId::NODE,
            purpose: 0,
            retention: 0,
            label: LabelId::SYSTEM,
            body: began.encode_to_vec(),
        };
        lsn = batch.append(tenant, &draft)?;
    }
    Ok(Applied { lsn, effect: Effect::Done })
}
