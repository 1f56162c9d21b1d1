//! Makes a tenant.

use super::{Applied, Effect};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::ids::{ActorId, LabelId};
use crate::record::{Draft, Kind};
use crate::tables::Table;
use crate::tx::Read;

/// Makes a tenant, whose ledger begins with this record.
#[derive(Clone, Debug)]
pub struct CreateTenant {
    /// Its name: 1 to 63 of `a-z`, `0-9` and `-`.
    pub name: String,
    /// Who makes it.
    pub actor: ActorId,
}

pub(super) fn execute(batch: &mut Batch<'_>, command: &CreateTenant) -> Result<Applied> {
    check(batch, command)?;
    apply(batch, command)
}

fn check(tx: &dyn Read, command: &CreateTenant) -> Result<()> {
    let name = &command.name;
    let legal = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !legal || name.is_empty() || name.len() > 63 {
        return Err(Error::invalid("tenant name", name, "1 to 63 of a-z, 0-9 and -"));
    }
    if tx.get(Table::Tenants, name.as_bytes())?.is_some() {
        return Err(Error::Exists { what: "tenant", name: name.clone() });
    }
    Ok(())
}

fn apply(batch: &mut Batch<'_>, command: &CreateTenant) -> Result<Applied> {
    let tenant = batch.begin_tenant(&command.name);
    let draft = Draft {
        kind: Kind::Tenant,
        actor: command.actor,
        purpose: 0,
        retention: 0,
        label: LabelId::SYSTEM,
        body: command.name.as_bytes().to_vec(),
    };
    let lsn = batch.append(tenant, &draft)?;
    Ok(Applied { lsn, effect: Effect::Tenant(tenant) })
}
