//! Who asks.

use std::collections::BTreeSet;
use std::sync::Arc;

use storage::ids::{ActorId, TenantId};
use storage::model::{Classification, Purpose, Purposes, Role, TokenSpec};

/// Who makes a request, on which tenant and for which purposes. Every read and write carries one.
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
    /// Those that this request is for: the one that it names, or else all of `purposes`. Never none.
    pub purposes_in_use: Purposes,
    /// Rights beyond the role.
    pub scopes: BTreeSet<String>,
    /// The compartments that the principal is in.
    pub compartments: BTreeSet<String>,
    /// The id of the request, which no policy asks for: it leads from a decision to the request's line in the log.
    pub request: Option<Arc<str>>,
}

/// All that a policy can ask of who asks, but for the tenant. Principals with equal attributes are decided alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attributes {
    /// What the principal is.
    pub role: Role,
    /// The most that it may see.
    pub clearance: Classification,
    /// What the request is for.
    pub purposes_in_use: Purposes,
    /// Rights beyond the role.
    pub scopes: BTreeSet<String>,
    /// The compartments that the principal is in.
    pub compartments: BTreeSet<String>,
}

impl Attributes {
    /// Somebody with these attributes who asks about a tenant; nobody in particular.
    #[must_use]
    pub fn asking(&self, tenant: TenantId) -> Principal {
        Principal {
            actor: ActorId::NODE,
            tenant,
            tenant_name: String::new(),
            token_id: String::new(),
            role: self.role,
            clearance: self.clearance,
            purposes: self.purposes_in_use,
            purposes_in_use: self.purposes_in_use,
            scopes: self.scopes.clone(),
            compartments: self.compartments.clone(),
            request: None,
        }
    }
}

impl Principal {
    /// What a policy can ask of it.
    #[must_use]
    pub fn attributes(&self) -> Attributes {
        Attributes {
            role: self.role,
            clearance: self.clearance,
            purposes_in_use: self.purposes_in_use,
            scopes: self.scopes.clone(),
            compartments: self.compartments.clone(),
        }
    }

    /// The holder of a verified token, in no compartment. Who names no purpose acts for all that the token carries.
    ///
    /// # Errors
    /// If the token does not carry the purpose asked for, or none at all.
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
            purposes_in_use: purposes_in_use(token.purposes, wanted)?,
            scopes: token.scopes.iter().cloned().collect(),
            compartments: BTreeSet::new(),
            request: None,
        })
    }

    /// The purpose that a record's header names: the first in use, since a header has room for one.
    #[must_use]
    pub fn recorded_purpose(&self) -> Purpose {
        let mut in_use = self.purposes_in_use.iter();
        in_use.next().expect("a request is for one purpose at least")
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

fn purposes_in_use(carried: Purposes, wanted: Option<Purpose>) -> Result<Purposes, PurposeRefused> {
    match wanted {
        _ if carried.is_empty() => Err(PurposeRefused::NoneCarried),
        None => Ok(carried),
        Some(wanted) if carried.contains(wanted) => Ok([wanted].into_iter().collect()),
        Some(wanted) => Err(PurposeRefused::NotCarried { wanted, carried: names(carried) }),
    }
}

pub(super) fn names(purposes: Purposes) -> String {
    purposes.iter().map(Purpose::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
