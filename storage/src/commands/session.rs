//! Signs people in and out. Links and sessions are kept in the row of the token that they are of, so that they end
//! with it, and one read tells whether a session is good.

use prost::Message;

use super::token::{record, token_row};
use super::{Applied, Effect};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::ids::{ActorId, TenantId};
use crate::model::{LINKS_MAX, LinkMade, SESSION_US_MAX, SESSIONS_MAX, SignedIn, SignedOut, TokenSpec};
use crate::record::Kind;
use crate::rows::{LinkRow, SessionRow, TokenRow};
use crate::tables::Table;
use crate::tx::Tx;

/// When somebody was last seen is written at most so often: 10 minutes, in microseconds.
pub const SEEN_EVERY_US: i64 = 600_000_000;

/// Makes a link by which the holder of a token signs in, once.
#[derive(Clone, Debug)]
pub struct MakeLink {
    /// Whose token.
    pub tenant: TenantId,
    /// Who makes it.
    pub actor: ActorId,
    /// The public id of the token.
    pub token: String,
    /// SHA-256 of the code.
    pub code_sha256: [u8; 32],
    /// When it ends, microseconds since 1970.
    pub expires_us: i64,
}

/// Opens a session. With a code, only the first of those who show it gets one.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// Whose token.
    pub tenant: TenantId,
    /// The public id of the token.
    pub token: String,
    /// SHA-256 of the code of a link; none if the token itself was shown.
    pub code_sha256: Option<[u8; 32]>,
    /// SHA-256 of the secret of the session.
    pub session_sha256: [u8; 32],
}

/// Ends a session.
#[derive(Clone, Debug)]
pub struct SignOut {
    /// Whose token.
    pub tenant: TenantId,
    /// The public id of the token.
    pub token: String,
    /// SHA-256 of the secret of the session.
    pub session_sha256: [u8; 32],
}

/// Notes that a token is used, and a session with it. No record: reading leaves no trace in the ledger.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Whose token.
    pub tenant: TenantId,
    /// The public id of the token.
    pub token: String,
    /// SHA-256 of the secret of the session; none if the token itself was shown.
    pub session_sha256: Option<[u8; 32]>,
}

pub(super) fn make_link(batch: &mut Batch<'_>, command: &MakeLink) -> Result<Applied> {
    let (mut row, now_us) = live(batch, command.tenant, &command.token)?;
    row.links.retain(|link| now_us < link.expires_us);
    if row.links.len() >= LINKS_MAX {
        row.links.remove(0);
    }
    let (code_sha256, expires_us) = (command.code_sha256.to_vec(), command.expires_us);
    row.links.push(LinkRow { code_sha256: code_sha256.clone(), expires_us });
    put(batch, &command.token, &row);
    let body = LinkMade { token: command.token.clone(), code_sha256, expires_us };
    record(batch, command.tenant, command.actor, Kind::LinkMade, body.encode_to_vec())
}

pub(super) fn sign_in(batch: &mut Batch<'_>, command: &SignIn) -> Result<Applied> {
    let (mut row, now_us) = live(batch, command.tenant, &command.token)?;
    if let Some(code) = command.code_sha256 {
        use_link(&mut row, &code, now_us).ok_or_else(|| missing("unused sign-in link", &command.token))?;
    }
    make_room(&mut row.sessions, now_us);
    let ends_us = (now_us + SESSION_US_MAX).min(TokenSpec::decode(&row.spec)?.expires_at_us);
    let secret_sha256 = command.session_sha256.to_vec();
    row.sessions.push(SessionRow { secret_sha256, began_us: now_us, seen_us: now_us, ends_us });
    row.used_us = Some(now_us);
    put(batch, &command.token, &row);
    let body = SignedIn {
        token: command.token.clone(),
        session_sha256: command.session_sha256.to_vec(),
        code_sha256: command.code_sha256.map(|code| code.to_vec()),
        ends_us,
    };
    record(batch, command.tenant, ActorId(row.actor), Kind::SignedIn, body.encode_to_vec())
}

/// Takes the link of a code away; `None` if there is none that is still good.
fn use_link(row: &mut TokenRow, code_sha256: &[u8], now_us: i64) -> Option<LinkRow> {
    let found =
        row.links.iter().position(|link| link.code_sha256 == code_sha256 && now_us < link.expires_us)?;
    Some(row.links.remove(found))
}

fn make_room(sessions: &mut Vec<SessionRow>, now_us: i64) {
    sessions.retain(|session| session.is_live(now_us));
    if sessions.len() >= SESSIONS_MAX
        && let Some(longest_idle) = (0..sessions.len()).min_by_key(|n| sessions[*n].seen_us)
    {
        sessions.remove(longest_idle);
    }
}

pub(super) fn sign_out(batch: &mut Batch<'_>, command: &SignOut) -> Result<Applied> {
    let mut row = token_row(batch, command.tenant, &command.token)?;
    let before = row.sessions.len();
    row.sessions.retain(|session| session.secret_sha256 != command.session_sha256);
    if row.sessions.len() == before {
        let lsn = batch.counters(command.tenant)?.head();
        return Ok(Applied { lsn, effect: Effect::Unchanged });
    }
    put(batch, &command.token, &row);
    let body = SignedOut { token: command.token.clone(), session_sha256: command.session_sha256.to_vec() };
    record(batch, command.tenant, ActorId(row.actor), Kind::SignedOut, body.encode_to_vec())
}

pub(super) fn seen(batch: &mut Batch<'_>, command: &Seen) -> Result<Applied> {
    let mut row = token_row(batch, command.tenant, &command.token)?;
    let now_us = batch.judged_us();
    let is_old = |seen_us: i64| now_us - seen_us >= SEEN_EVERY_US;
    let mut changed = row.used_us.is_none_or(is_old);
    if changed {
        row.used_us = Some(now_us);
    }
    let used = command.session_sha256.map(|secret| secret.to_vec());
    for session in row.sessions.iter_mut().filter(|session| Some(&session.secret_sha256) == used.as_ref()) {
        if session.is_live(now_us) && is_old(session.seen_us) {
            session.seen_us = now_us;
            changed = true;
        }
    }
    if changed {
        put(batch, &command.token, &row);
    }
    let lsn = batch.counters(command.tenant)?.head();
    Ok(Applied { lsn, effect: if changed { Effect::Done } else { Effect::Unchanged } })
}

/// The row of a token that lets somebody in, and the time. One that does not is as absent as none.
fn live(batch: &mut Batch<'_>, tenant: TenantId, token: &str) -> Result<(TokenRow, i64)> {
    let row = token_row(batch, tenant, token)?;
    let now_us = batch.judged_us();
    let expired = now_us >= TokenSpec::decode(&row.spec)?.expires_at_us;
    if expired || row.revoked_us.is_some() { Err(missing("live token", token)) } else { Ok((row, now_us)) }
}

fn put(batch: &mut Batch<'_>, token: &str, row: &TokenRow) {
    batch.put(Table::Tokens, token.as_bytes(), row.encode_to_vec());
}

fn missing(what: &'static str, token: &str) -> Error {
    Error::NotFound { what, name: token.to_owned() }
}
