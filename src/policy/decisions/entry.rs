//! One decision as it is written: a line of JSON behind its checksum, to be read by anybody with `cut` and `jq`.

use serde::{Deserialize, Serialize};
use storage::ids::LabelId;
use storage::model::{Purpose, Purposes};

use super::{Counted, Who};
use crate::policy::{Action, Attributes};

/// What was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// Things with this label: content of them went out, or was asked for by its id and denied.
    Label(u32),
    /// The tenant itself.
    Tenant,
    /// A search or a list, which carries the labels that its asker may see and is not decided row by row.
    Filter {
        /// Labels that it may see.
        allowed: u64,
        /// Labels that there are.
        of: usize,
    },
}

/// A decision as often as it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was made first, microseconds since 1970.
    pub first_us: i64,
    /// When it was made last.
    pub last_us: i64,
    /// How often.
    pub count: u64,
    /// The public id of the token that asked.
    pub token: String,
    /// What its holder is.
    pub role: String,
    /// The most that the holder may see.
    pub clearance: String,
    /// What the request was for.
    pub purposes: Vec<String>,
    /// Rights beyond the role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Compartments that the holder is in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compartments: Vec<String>,
    /// What was asked.
    pub action: String,
    /// Of what.
    pub on: On,
    /// The record that set the policy; 0 for the built-in one.
    pub version: u64,
    /// SHA-256 of schema and policy, hex.
    pub policy: String,
    /// Whether it was allowed.
    pub allowed: bool,
    /// The ids of the policies that decided.
    pub because: Vec<String>,
    /// The ids of the requests that asked, the first few of them; none in files of format 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<String>,
}

impl Entry {
    pub(super) fn of(who: &Who, (action, on): (Action, On), counted: &Counted) -> Entry {
        let attributes = &who.attributes;
        Entry {
            first_us: counted.first_us,
            last_us: counted.last_us,
            count: counted.count,
            token: who.token.clone(),
            role: attributes.role.to_string(),
            clearance: attributes.clearance.to_string(),
            purposes: attributes.purposes_in_use.iter().map(|purpose| purpose.to_string()).collect(),
            scopes: attributes.scopes.iter().cloned().collect(),
            compartments: attributes.compartments.iter().cloned().collect(),
            action: action.to_string(),
            on,
            version: who.version.0,
            policy: who.digest.to_string(),
            allowed: counted.decision.allowed,
            because: counted.decision.policies.clone(),
            requests: counted.requests.iter().map(|request| request.to_string()).collect(),
        }
    }

    /// What the policy knew of who asked.
    ///
    /// # Errors
    /// If a newer program wrote words that this one does not know.
    pub fn attributes(&self) -> storage::Result<Attributes> {
        Ok(Attributes {
            role: self.role.parse()?,
            clearance: self.clearance.parse()?,
            purposes_in_use: self
                .purposes
                .iter()
                .map(|name| name.parse::<Purpose>())
                .collect::<storage::Result<Purposes>>()?,
            scopes: self.scopes.iter().cloned().collect(),
            compartments: self.compartments.iter().cloned().collect(),
        })
    }

    /// The label that it is about, if it is about one.
    #[must_use]
    pub fn label(&self) -> Option<LabelId> {
        match self.on {
            On::Label(label) => Some(LabelId(label)),
            On::Tenant | On::Filter { .. } => None,
        }
    }
}
