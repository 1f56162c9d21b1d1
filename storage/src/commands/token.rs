//! Makes and revokes tokens.

use prost::Message;

use super::{Applied, Effect};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::ids::{ActorId, LabelId, TenantId};
use crate::model::TokenSpec;
use crate::record::{Draft, Kind};
use crate::rows::{TokenRow, decode};
use crate::tables::Table;
use crate::tx::{Read, Tx};

/// Makes a token: from its commit on, who holds the secret comes in.
#[derive(Clone, Debug)]
pub struct CreateToken {
    /// Whose token.
    pub tenant: TenantId,
    /// Who makes it.
    pub actor: ActorId,
    /// What it allows; its id is new on the node.
    pub spec: TokenSpec,
}

/// Revokes a token: from its commit on, nobody comes in with it, nor with a link or a session of it.
#[derive(Clone, Debug)]
pub struct RevokeToken {
    /// Whose token.
    pub tenant: TenantId,
    /// Who revokes it.
    pub actor: ActorId,
    /// Its public id.
    pub id: String,
}

pub(super) fn create(batch: &mut Batch<'_>, command: &CreateToken) -> Result<Applied> {
    if batch.get(Table::Tokens, command.spec.id.as_bytes())?.is_some() {
        return Err(Error::Exists { what: "token", name: command.spec.id.clone() });
    }
    let created_us = batch.time_us(command.tenant)?;
    let spec = command.spec.encode();
    let row = TokenRow {
        tenant: command.tenant.0,
        actor: batch.next_actor().0,
        spec: spec.clone(),
        created_us,
        revoked_us: None,
        made_by: command.actor.0,
        ..TokenRow::default()
    };
    batch.put(Table::Tokens, command.spec.id.as_bytes(), row.encode_to_vec());
    record(batch, command.tenant, command.actor, Kind::Token, spec)
}

pub(super) fn revoke(batch: &mut Batch<'_>, command: &RevokeToken) -> Result<Applied> {
    let mut row = token_row(batch, command.tenant, &command.id)?;
    let now_us = batch.time_us(command.tenant)?;
    if row.revoked_us.is_some() {
        let lsn = batch.counters(command.tenant)?.head();
        return Ok(Applied { lsn, effect: Effect::Unchanged });
    }
    row.revoked_us = Some(now_us);
    row.links.clear();
    row.sessions.clear();
    batch.put(Table::Tokens, command.id.as_bytes(), row.encode_to_vec());
    record(batch, command.tenant, command.actor, Kind::TokenRevoked, command.id.as_bytes().to_vec())
}

/// The row of a token of this tenant; another tenant's is as absent as none.
pub(super) fn token_row(tx: &dyn Read, tenant: TenantId, id: &str) -> Result<TokenRow> {
    let missing = || Error::NotFound { what: "token", name: id.to_owned() };
    let bytes = tx.get(Table::Tokens, id.as_bytes())?.ok_or_else(missing)?;
    let row: TokenRow = decode(&bytes, "token row")?;
    if row.tenant == tenant.0 { Ok(row) } else { Err(missing()) }
}

pub(super) fn record(
    batch: &mut Batch<'_>,
    tenant: TenantId,
    actor: ActorId,
    kind: Kind,
    body: Vec<u8>,
) -> Result<Applied> {
    let draft = Draft { kind, actor, purpose: 0, retention: 0, label: LabelId::SYSTEM, body };
    let lsn = batch.append(tenant, &draft)?;
    Ok(Applied { lsn, effect: Effect::Done })
}
