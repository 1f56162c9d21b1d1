//! A token: who may come in, as what, until when. The secret itself is never stored.

use prost::Message;

use super::label::vocabulary;
use super::{Classification, Purposes};
use crate::error::Result;

vocabulary!(
    /// What a token's holder is.
    Role, "role" {
        /// Owns the node: every tenant, every action.
        Owner = 1 "owner",
        /// Runs one tenant.
        Admin = 2 "admin",
        /// Reads, searches, annotates.
        Analyst = 3 "analyst",
        /// Reads.
        Reader = 4 "reader",
        /// Writes, reads nothing.
        Writer = 5 "writer",
        /// Reads the ledger and the decisions.
        Auditor = 6 "auditor",
    }
);

/// A token as stored: everything but its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSpec {
    /// The public part of the token, unique on the node.
    pub id: String,
    /// SHA-256 of the secret part (high entropy: no slow hash needed).
    pub secret_sha256: [u8; 32],
    /// What the holder is.
    pub role: Role,
    /// The most that the holder may see.
    pub clearance: Classification,
    /// The purposes that the holder may use data for.
    pub purposes: Purposes,
    /// Extra rights beyond the role, such as `graphql.adhoc`.
    pub scopes: Vec<String>,
    /// When it ends, microseconds since 1970.
    pub expires_at_us: i64,
}

#[derive(Clone, PartialEq, Message)]
struct TokenBody {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(bytes = "vec", tag = "2")]
    secret_sha256: Vec<u8>,
    #[prost(uint32, tag = "3")]
    role: u32,
    #[prost(uint32, tag = "4")]
    clearance: u32,
    #[prost(uint32, tag = "5")]
    purposes: u32,
    #[prost(string, repeated, tag = "6")]
    scopes: Vec<String>,
    #[prost(sint64, tag = "7")]
    expires_at_us: i64,
}

impl TokenSpec {
    /// The stored bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        TokenBody {
            id: self.id.clone(),
            secret_sha256: self.secret_sha256.to_vec(),
            role: self.role.code().into(),
            clearance: self.clearance.code().into(),
            purposes: self.purposes.bits().into(),
            scopes: self.scopes.clone(),
            expires_at_us: self.expires_at_us,
        }
        .encode_to_vec()
    }

    /// Reads what [`TokenSpec::encode`] wrote.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are not a token.
    pub fn decode(bytes: &[u8]) -> Result<TokenSpec> {
        let body: TokenBody = super::decode(bytes, "token")?;
        let secret_sha256 = super::exactly(&body.secret_sha256, "token digest")?;
        Ok(TokenSpec {
            id: body.id,
            secret_sha256,
            role: Role::from_code(body.role)?,
            clearance: Classification::from_code(body.clearance)?,
            purposes: Purposes::from_bits(body.purposes as u8),
            scopes: body.scopes,
            expires_at_us: body.expires_at_us,
        })
    }
}
