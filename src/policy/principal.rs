//! Who asks.

use std::collections::BTreeSet;

use storage::ids::{ActorId, TenantId};
use storage::model::{Classification, Purpose, Purposes, Role, TokenSpec};

/// Who makes a request, on which tenant and for which purpose. Every read and write carries one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Who it is in the ledger.
    pub actor: ActorId,
    /// The tenant that the request is about. A node's owner may name any, everybody else has one.
    pub tenant: TenantId,
    /// The name of that tenant.
    pub tenant_name: String,
    /// The public part of the token that let the request in.
    pub token_id: String,
    /// What the principal is.
    pub role: Role,
    /// The most that the principal may see.
    pub clearance: Classification,
    /// The purposes that the principal may use data for.
    pub purposes: Purposes,
    /// The one that this request is for; among `purposes`.
    pub purpose: Purpose,
    /// Rights beyond the role.
    pub scopes: BTreeSet<String>,
    /// The compartments that the principal is in.
    pub compartments: BTreeSet<String>,
}

impl Principal {
    /// The holder of a verified token, in no compartment. Without a wish the purpose is the token's first.
    ///
    /// # Errors
    /// If the token does not carry the purpose asked for.
    pub fn of_token(
        token: &TokenSpec,
        actor: ActorId,
        tenant: (TenantId, &str),
        wanted: Option<Purpose>,
    ) -> Result<Principal, PurposeRefused> {
        Ok(Principal {
            actor,
            tenant: tenant.0,
            tenant_name: tenant.1.to_owned(),
            token_id: token.id.clone(),
            role: token.role,
            clearance: token.clearance,
            purposes: token.purposes,
            purpose: purpose_in_use(token.purposes, wanted)?,
            scopes: token.scopes.iter().cloned().collect(),
            compartments: BTreeSet::new(),
        })
    }
}

/// The request is for a purpose that its token does not carry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PurposeRefused {
    /// The purpose asked for is not among the token's.
    #[error("purpose `{wanted}` is not among this token's ({carried}); ask for one of those")]
    NotCarried {
        /// What the request asked for.
        wanted: Purpose,
        /// What the token carries, separated by commas.
        carried: String,
    },
    /// The token was made without a purpose.
    #[error("this token carries no purpose; make one with `--purpose`")]
    NoneCarried,
}

fn purpose_in_use(carried: Purposes, wanted: Option<Purpose>) -> Result<Purpose, PurposeRefused> {
    let first = carried.iter().next().ok_or(PurposeRefused::NoneCarried)?;
    match wanted {
        Some(wanted) if !carried.contains(wanted) => Err(PurposeRefused::NotCarried {
            wanted,
            carried: names(carried),
        }),
        wanted => Ok(wanted.unwrap_or(first)),
    }
}

fn names(purposes: Purposes) -> String {
    purposes
        .iter()
        .map(Purpose::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests;
