//! Sets a tenant's policy.

use prost::Message;
use sha2::{Digest, Sha256};

use super::{Applied, Effect};
use crate::batch::{Batch, head_row};
use crate::error::{Error, Result};
use crate::ids::{ActorId, LabelId, Lsn, TenantId};
use crate::model::PolicySet;
use crate::record::{Draft, Kind};
use crate::tables::{Key, Table, key_u64};
use crate::tx::{Read, Tx};

/// Sets a tenant's policy in place of the version that its author saw. Setting the same text changes nothing.
#[derive(Clone, Debug)]
pub struct SetPolicy {
    /// Whose policy.
    pub tenant: TenantId,
    /// Who sets it.
    pub actor: ActorId,
    /// The policy, and the version that it replaces.
    pub policy: PolicySet,
}

pub(super) fn execute(batch: &mut Batch<'_>, command: &SetPolicy) -> Result<Applied> {
    if is_set_already(batch, command)? {
        let lsn = batch.counters(command.tenant)?.head();
        return Ok(Applied { lsn, effect: Effect::Unchanged });
    }
    let draft = Draft {
        kind: Kind::Policy,
        actor: command.actor,
        purpose: 0,
        retention: 0,
        label: LabelId::SYSTEM,
        body: command.policy.encode_to_vec(),
    };
    let lsn = batch.append(command.tenant, &draft)?;
    let key = Key::of(command.tenant).and(&lsn);
    batch.put(Table::Policies, key.bytes(), digest(&command.policy.text).to_vec());
    Ok(Applied { lsn, effect: Effect::Updated })
}

/// Whether the same text stands already. Two who set different texts over one version do not overwrite each other
/// unseen: the second is refused.
fn is_set_already(tx: &dyn Read, command: &SetPolicy) -> Result<bool> {
    command.policy.validate()?;
    head_row(tx, command.tenant)?;
    let current = current(tx, command.tenant)?;
    if current.as_ref().is_some_and(|(_, stored)| *stored == digest(&command.policy.text)) {
        return Ok(true);
    }
    let (seen, now) = (Lsn(command.policy.replaces), current.map_or(Lsn::NONE, |(version, _)| version));
    if seen != now {
        return Err(Error::Superseded { what: "policy", seen, now });
    }
    Ok(false)
}

/// The version of a tenant's policy, and the digest of its text; `None` if it never set one.
pub(crate) fn current(tx: &dyn Read, tenant: TenantId) -> Result<Option<(Lsn, Vec<u8>)>> {
    let (first, last) = (Key::of(tenant), Key::of(tenant).and(&Lsn(u64::MAX)));
    let row = tx.last_at(Table::Policies, first.bytes(), last.bytes())?;
    Ok(row.map(|(key, digest)| (Lsn(key_u64(&key, 4)), digest)))
}

/// What the table keeps of a text.
pub(crate) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}
