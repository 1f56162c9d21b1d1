//! Tokens: what a client shows, and how it is checked against what the store keeps.
//!
//! `ig_tok_<id>_<secret>_<crc>`, in lower-case hex: an id to look up, 160 bits of secret, and a checksum by which a
//! mistyped token is told from a revoked one without asking anybody. The prefix lets scanners find leaked tokens.
//!
//! The codes of sign-in links (`ig_lnk_`) and the secrets of sessions (`ig_ses_`) have the same form, with the id of
//! the token that they are of. None of the three passes for another.

use std::fmt;

use sha2::{Digest, Sha256};
use storage::model::TokenSpec;
use subtle::ConstantTimeEq;

/// The random bytes that a token is made of: 5 for its id, 20 for its secret.
pub const TOKEN_RANDOM_BYTES: usize = ID_BYTES + SECRET_BYTES;
/// The random bytes of a secret alone.
pub const SECRET_BYTES: usize = 20;

const ID_BYTES: usize = 5;
/// Prefix, id, secret and CRC-32 in hex, with an underscore between.
const TEXT_BYTES: usize = "ig_tok_".len() + 2 * ID_BYTES + 1 + 2 * SECRET_BYTES + 1 + 8;

/// What a text of this form is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It lets programs in, request by request.
    Token,
    /// It opens one session.
    Link,
    /// It lets a browser in, as its cookie.
    Session,
}

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
        let (id, secret) = random.split_at(ID_BYTES);
        let secret = secret.try_into().expect("what is left of the random bytes");
        Token::mint_for(Use::Token, hex(id), secret)
    }

    /// Makes the code of a link or the secret of a session, for the token of an id.
    #[must_use]
    pub fn mint_for(what: Use, id: String, secret: [u8; SECRET_BYTES]) -> Minted {
        let secret = hex(&secret);
        let body = format!("{}{id}_{secret}", what.prefix());
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

impl Parsed {
    /// What the store knows the secret by.
    #[must_use]
    pub fn secret_sha256(&self) -> [u8; 32] {
        self.secret_sha256
    }

    /// Whether the secret is the one of which this is the digest; takes as long either way.
    #[must_use]
    pub fn is_of(&self, secret_sha256: &[u8]) -> bool {
        self.secret_sha256.ct_eq(secret_sha256).into()
    }
}

impl Use {
    fn prefix(self) -> &'static str {
        match self {
            Use::Token => "ig_tok_",
            Use::Link => "ig_lnk_",
            Use::Session => "ig_ses_",
        }
    }
}

/// Takes a token apart.
///
/// # Errors
/// As for [`parse_as`].
pub fn parse(text: &str) -> Result<Parsed, TokenProblem> {
    parse_as(Use::Token, text)
}

/// Takes a token, a code or the secret of a session apart.
///
/// # Errors
/// `Malformed` or `Mistyped`; both can be said to anybody, since they say nothing about any token that exists.
pub fn parse_as(what: Use, text: &str) -> Result<Parsed, TokenProblem> {
    if text.len() != TEXT_BYTES {
        return Err(TokenProblem::Malformed);
    }
    let prefix = what.prefix();
    let body = text.strip_prefix(prefix).ok_or(TokenProblem::Malformed)?;
    let parts: Vec<_> = body.split('_').collect();
    let &[id, secret, crc] = parts.as_slice() else {
        return Err(TokenProblem::Malformed);
    };
    if id.len() != 2 * ID_BYTES || secret.len() != 2 * SECRET_BYTES {
        return Err(TokenProblem::Malformed);
    }
    if checksum(&format!("{prefix}{id}_{secret}")) != crc {
        return Err(TokenProblem::Mistyped);
    }
    Ok(Parsed { id: id.to_owned(), secret_sha256: Sha256::digest(secret).into() })
}

/// Whether a token is the one that `spec` was stored for, at `now_us` (microseconds since 1970).
///
/// # Errors
/// `Unknown`, or `Expired` to a holder of the right secret only.
pub fn verify(parsed: &Parsed, spec: &TokenSpec, now_us: i64) -> Result<(), TokenProblem> {
    if parsed.id != spec.id || !parsed.is_of(&spec.secret_sha256) {
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
