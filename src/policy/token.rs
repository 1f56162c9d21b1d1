//! Tokens: what a client shows, and how it is checked against what the store keeps.
//!
//! `ig_tok_<id>_<secret>_<crc>`, in lower-case hex: an id to look up, 160 bits of secret, and a checksum by which a
//! mistyped token is told from a revoked one without asking anybody. The prefix lets scanners find leaked tokens.

use std::fmt;

use sha2::{Digest, Sha256};
use storage::model::TokenSpec;
use subtle::ConstantTimeEq;

/// The random bytes that a token is made of: 5 for its id, 20 for its secret.
pub const TOKEN_RANDOM_BYTES: usize = ID_BYTES + SECRET_BYTES;

const ID_BYTES: usize = 5;
const SECRET_BYTES: usize = 20;
const PREFIX: &str = "ig_tok_";
/// Prefix, id, secret and CRC-32 in hex, with an underscore between.
const TEXT_BYTES: usize = PREFIX.len() + 2 * ID_BYTES + 1 + 2 * SECRET_BYTES + 1 + 8;

/// The text of a token. Whoever has it is its holder, so it is shown once and never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// A new token, and what the store keeps of it.
#[derive(Clone, Debug)]
pub struct Minted {
    /// To be shown once.
    pub token: Token,
    /// The public part. If the store knows it already, mint again.
    pub id: String,
    /// What the secret is checked against later.
    pub secret_sha256: [u8; 32],
}

/// A token that is well formed; whether it is genuine only [`verify`] can say.
#[derive(Clone)]
pub struct Parsed {
    /// The public part, to look up the [`TokenSpec`] by.
    pub id: String,
    secret_sha256: [u8; 32],
}

/// Why a token does not let anybody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenProblem {
    /// It does not look like a token at all.
    #[error("not a token; one looks like `ig_tok_<id>_<secret>_<checksum>` and has {TEXT_BYTES} characters")]
    Malformed,
    /// Its checksum does not fit: a character is wrong.
    #[error("mistyped token: its checksum does not fit; copy it again")]
    Mistyped,
    /// Its secret is not the one that was minted.
    #[error("unknown token; ask for a new one")]
    Unknown,
    /// It was good once.
    #[error("expired token; ask for a new one")]
    Expired,
}

impl Token {
    /// Makes a token of random bytes.
    #[must_use]
    pub fn mint(random: [u8; TOKEN_RANDOM_BYTES]) -> Minted {
        let id = hex(&random[..ID_BYTES]);
        let secret = hex(&random[ID_BYTES..]);
        let body = format!("{PREFIX}{id}_{secret}");
        Minted {
            token: Token(format!("{body}_{}", checksum(&body))),
            id,
            secret_sha256: Sha256::digest(&secret).into(),
        }
    }

    /// The text, to be handed to its holder.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Takes a token apart.
///
/// # Errors
/// `Malformed` or `Mistyped`; both can be said to anybody, since they say nothing about any token that exists.
pub fn parse(text: &str) -> Result<Parsed, TokenProblem> {
    if text.len() != TEXT_BYTES {
        return Err(TokenProblem::Malformed);
    }
    let body = text.strip_prefix(PREFIX).ok_or(TokenProblem::Malformed)?;
    let parts: Vec<_> = body.split('_').collect();
    let &[id, secret, crc] = parts.as_slice() else {
        return Err(TokenProblem::Malformed);
    };
    if id.len() != 2 * ID_BYTES || secret.len() != 2 * SECRET_BYTES {
        return Err(TokenProblem::Malformed);
    }
    if checksum(&format!("{PREFIX}{id}_{secret}")) != crc {
        return Err(TokenProblem::Mistyped);
    }
    Ok(Parsed { id: id.to_owned(), secret_sha256: Sha256::digest(secret).into() })
}

/// Whether a token is the one that `spec` was stored for, at `now_us` (microseconds since 1970).
///
/// # Errors
/// `Unknown`, or `Expired` to a holder of the right secret only.
pub fn verify(parsed: &Parsed, spec: &TokenSpec, now_us: i64) -> Result<(), TokenProblem> {
    let genuine = parsed.secret_sha256.ct_eq(&spec.secret_sha256);
    if parsed.id != spec.id || !bool::from(genuine) {
        return Err(TokenProblem::Unknown);
    }
    if now_us >= spec.expires_at_us {
        return Err(TokenProblem::Expired);
    }
    Ok(())
}

fn checksum(body: &str) -> String {
    hex(&crc32fast::hash(body.as_bytes()).to_be_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parsed").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
