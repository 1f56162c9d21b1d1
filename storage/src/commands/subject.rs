//! Those whom an outside issuer names: each is an actor of the tenant from the first time on, and may be denied.

use prost::Message;
use sha2::{Digest, Sha256};

use super::token::record;
use super::{Applied, Effect};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::ids::{ActorId, TenantId};
use crate::model::Subject;
use crate::record::Kind;
use crate::rows::{DeniedRow, SubjectRow, decode};
use crate::tables::{Key, Table};
use crate::tx::{Read, Tx};

/// Notes that somebody came in by an outside issuer; unchanged if that is known.
#[derive(Clone, Debug)]
pub struct MeetSubject {
    /// The tenant that they came to.
    pub tenant: TenantId,
    /// Who they are.
    pub subject: Subject,
}

/// Denies somebody, known or not, or lets them in again.
#[derive(Clone, Debug)]
pub struct DenySubject {
    /// The tenant that they may not come to.
    pub tenant: TenantId,
    /// Who denies them.
    pub actor: ActorId,
    /// Who they are.
    pub subject: Subject,
    /// Whether they are denied from now on.
    pub denied: bool,
}

/// Denies one token of an outside issuer, for ever.
#[derive(Clone, Debug)]
pub struct DenyToken {
    /// The tenant that it may not be used on.
    pub tenant: TenantId,
    /// Who denies it.
    pub actor: ActorId,
    /// The issuer and the id that it gave the token (`jti`).
    pub token: Subject,
}

/// The key of what an issuer gave a name: names are long, and one issuer's are not another's.
pub(crate) fn key(tenant: TenantId, named: &Subject) -> Key {
    let mut hash = Sha256::new();
    hash.update((named.issuer.len() as u64).to_be_bytes());
    hash.update(&named.issuer);
    hash.update(&named.name);
    Key::of(tenant).and(hash.finalize().as_slice())
}

pub(super) fn meet(batch: &mut Batch<'_>, command: &MeetSubject) -> Result<Applied> {
    if known(batch, command.tenant, &command.subject)?.is_some() {
        return unchanged(batch, command.tenant);
    }
    begin(batch, command.tenant, &command.subject).map(|(_, applied)| applied)
}

pub(super) fn deny(batch: &mut Batch<'_>, command: &DenySubject) -> Result<Applied> {
    let DenySubject { tenant, actor, subject, denied } = command;
    let now_us = batch.time_us(*tenant)?;
    let mut row = match known(batch, *tenant, subject)? {
        Some(row) => row,
        None if *denied => begin(batch, *tenant, subject)?.0,
        None => return Err(Error::NotFound { what: "subject", name: subject.name.clone() }),
    };
    if row.denied_us.is_some() == *denied {
        return unchanged(batch, *tenant);
    }
    row.denied_us = denied.then_some(now_us);
    batch.put(Table::Subjects, key(*tenant, subject).bytes(), row.encode_to_vec());
    let kind = if *denied { Kind::SubjectDenied } else { Kind::SubjectAdmitted };
    record(batch, *tenant, *actor, kind, subject.encode_to_vec())
}

pub(super) fn deny_token(batch: &mut Batch<'_>, command: &DenyToken) -> Result<Applied> {
    let key = key(command.tenant, &command.token);
    if batch.get(Table::DeniedTokens, key.bytes())?.is_some() {
        return unchanged(batch, command.tenant);
    }
    let denied_us = batch.time_us(command.tenant)?;
    let row = DeniedRow { token: command.token.clone(), denied_us };
    batch.put(Table::DeniedTokens, key.bytes(), row.encode_to_vec());
    record(batch, command.tenant, command.actor, Kind::OutsideTokenDenied, command.token.encode_to_vec())
}

/// Gives a subject its actor, who is the first to be recorded as such.
fn begin(batch: &mut Batch<'_>, tenant: TenantId, subject: &Subject) -> Result<(SubjectRow, Applied)> {
    let since_us = batch.time_us(tenant)?;
    let actor = batch.next_actor();
    let row = SubjectRow { subject: subject.clone(), actor: actor.0, since_us, denied_us: None };
    batch.put(Table::Subjects, key(tenant, subject).bytes(), row.encode_to_vec());
    let applied = record(batch, tenant, actor, Kind::SubjectMet, subject.encode_to_vec())?;
    Ok((row, applied))
}

fn known(tx: &dyn Read, tenant: TenantId, subject: &Subject) -> Result<Option<SubjectRow>> {
    let row = tx.get(Table::Subjects, key(tenant, subject).bytes())?;
    row.map(|row| decode(&row, "subject row")).transpose()
}

fn unchanged(batch: &mut Batch<'_>, tenant: TenantId) -> Result<Applied> {
    let lsn = batch.counters(tenant)?.head();
    Ok(Applied { lsn, effect: Effect::Unchanged })
}
