//! What a node has to be told about an outside issuer, and what its words are worth here.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// An outside issuer of bearer tokens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// Its name: what its tokens say under `iss`, and where its discovery document is. `https`, except on this machine.
    pub issuer: String,
    /// The name of this node with it: what its tokens say under `aud`, alone.
    pub audience: String,
    /// What everybody may use data for, whom it vouches for.
    pub purposes: Vec<String>,
    /// The tenant of who is not sent to another by a grant; none: they are refused.
    #[serde(default)]
    pub tenant: Option<String>,
    /// More for those whose token says so. Without any everybody is a reader with public clearance.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// The algorithms that its tokens may be signed with.
    #[serde(default = "algorithms")]
    pub algorithms: Vec<String>,
    /// What its access tokens say under `typ`.
    #[serde(default = "types")]
    pub types: Vec<String>,
    /// How far the issuer's clock may be from this one's, in seconds; at most 60.
    #[serde(default = "clock_skew_s_max")]
    pub clock_skew_s_max: u32,
    /// The certificates to trust, instead of the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Its keys, where they cannot be fetched: a JWK set, read again as often as it would be fetched.
    #[serde(default)]
    pub jwks_file: Option<PathBuf>,
}

/// What a token is given whose claim has a value. Of several that fit, the first decides on tenant and role, the
/// highest on clearance; purposes and scopes add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The claim: its name, or the way to it with dots between (`realm_access.roles`).
    pub claim: String,
    /// Its value, or one of its values.
    pub value: String,
    /// The tenant.
    #[serde(default)]
    pub tenant: Option<String>,
    /// The role.
    #[serde(default)]
    pub role: Option<String>,
    /// The clearance.
    #[serde(default)]
    pub clearance: Option<String>,
    /// Purposes beyond everybody's.
    #[serde(default)]
    pub purposes: Vec<String>,
    /// Rights beyond the role.
    #[serde(default)]
    pub scopes: Vec<String>,
}

fn algorithms() -> Vec<String> {
    ["RS256", "PS256", "ES256", "EdDSA"].map(str::to_owned).into()
}

fn types() -> Vec<String> {
    vec!["at+jwt".to_owned()]
}

fn clock_skew_s_max() -> u32 {
    30
}
