//! What tokens one may hand out: none that can do more than one can oneself.
//!
//! That one may hand out any is the policy's to say ([`Action::TokenManage`](super::Action::TokenManage)). This is not:
//! a policy that a tenant writes must not be able to raise its own administrators.

use storage::model::{Classification, Purpose, Purposes, Role, TokenSpec};

use super::Principal;
use super::principal::names;

/// The longest life of a token, in days: a year, and a day to renew it.
pub const TOKEN_DAYS_MAX: i64 = 366;

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// Why a token is not made. The first reason, in the order of [`may_grant`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantRefused {
    /// It would be more than its maker.
    #[error("role `{wanted}` is not for a token of role `{own}` to give; ask {}", who_gives(*wanted))]
    Role {
        /// What was asked for.
        wanted: Role,
        /// What the maker is.
        own: Role,
    },
    /// It would see more than its maker.
    #[error("clearance `{wanted}` is above your own, which is `{own}`; ask for that or less")]
    Clearance {
        /// What was asked for.
        wanted: Classification,
        /// What the maker has.
        own: Classification,
    },
    /// It would serve something that its maker does not.
    #[error("purpose `{wanted}` is not among your own ({own}); ask for some of those")]
    Purpose {
        /// The first that its maker does not carry.
        wanted: Purpose,
        /// What the maker carries, separated by commas.
        own: String,
    },
    /// Nobody could come in with it.
    #[error("a token without a purpose lets nobody in; name one of yours ({own})")]
    NoPurpose {
        /// What the maker carries, separated by commas.
        own: String,
    },
    /// It would have a right that its maker has not.
    #[error("scope `{wanted}` is not among your own ({own}); leave it out, or ask somebody who has it")]
    Scope {
        /// The first that its maker does not have.
        wanted: String,
        /// What the maker has, separated by commas.
        own: String,
    },
    /// It would be forgotten before it ends.
    #[error("a token for more than {TOKEN_DAYS_MAX} days; ask for fewer, and renew it")]
    TooLong,
    /// It would have ended already.
    #[error("a token that has expired already; ask for a later time")]
    Over,
}

/// Whether `granter` may make the token that `spec` describes, at `now_us` (microseconds since 1970).
///
/// # Errors
/// If the token would have a role, a clearance, a purpose or a scope that its maker has not, or would last too long.
pub fn may_grant(granter: &Principal, spec: &TokenSpec, now_us: i64) -> Result<(), GrantRefused> {
    role(granter.role, spec.role)?;
    clearance(granter.clearance, spec.clearance)?;
    purposes(granter.purposes, spec.purposes)?;
    scopes(granter, &spec.scopes)?;
    expiry(spec.expires_at_us, now_us)
}

fn role(own: Role, wanted: Role) -> Result<(), GrantRefused> {
    if includes(own, wanted) { Ok(()) } else { Err(GrantRefused::Role { wanted, own }) }
}

/// Whether who is `own` can do all that a `wanted` can. Roles are no ladder: an auditor takes the ledger out, which an
/// analyst cannot, and a writer reads nothing.
fn includes(own: Role, wanted: Role) -> bool {
    match own {
        Role::Owner => true,
        Role::Admin => wanted != Role::Owner,
        Role::Analyst => matches!(wanted, Role::Analyst | Role::Reader | Role::Writer),
        Role::Reader | Role::Writer | Role::Auditor => wanted == own,
    }
}

fn who_gives(wanted: Role) -> &'static str {
    match wanted {
        Role::Owner => "an owner",
        _ => "an owner or an admin",
    }
}

fn clearance(own: Classification, wanted: Classification) -> Result<(), GrantRefused> {
    if wanted <= own { Ok(()) } else { Err(GrantRefused::Clearance { wanted, own }) }
}

/// Measured on what the maker's token carries, not on what this request is for: a token made in passing may serve more.
fn purposes(own: Purposes, wanted: Purposes) -> Result<(), GrantRefused> {
    let own_names = || names(own);
    if wanted.is_empty() {
        return Err(GrantRefused::NoPurpose { own: own_names() });
    }
    match wanted.iter().find(|purpose| !own.contains(*purpose)) {
        None => Ok(()),
        Some(wanted) => Err(GrantRefused::Purpose { wanted, own: own_names() }),
    }
}

/// An owner gives rights that he does not hold himself: somebody has to be the first, and it is recorded.
fn scopes(granter: &Principal, wanted: &[String]) -> Result<(), GrantRefused> {
    if granter.role == Role::Owner {
        return Ok(());
    }
    match wanted.iter().find(|scope| !granter.scopes.contains(*scope)) {
        None => Ok(()),
        Some(wanted) => Err(GrantRefused::Scope { wanted: wanted.clone(), own: scope_names(granter) }),
    }
}

fn scope_names(granter: &Principal) -> String {
    if granter.scopes.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<_> = granter.scopes.iter().map(String::as_str).collect();
    names.join(", ")
}

fn expiry(expires_at_us: i64, now_us: i64) -> Result<(), GrantRefused> {
    if expires_at_us <= now_us {
        return Err(GrantRefused::Over);
    }
    if expires_at_us.saturating_sub(now_us) > TOKEN_DAYS_MAX * DAY_US {
        return Err(GrantRefused::TooLong);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
