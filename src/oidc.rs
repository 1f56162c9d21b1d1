//! Bearer tokens of one outside issuer: who is let in by its word, and as what.
//!
//! The node is a resource server and nothing more: it checks a signed token against keys that the issuer publishes,
//! and gives it what the configuration says. It sends nobody anywhere and holds no secret of the issuer.

mod grants;
mod json;
mod keys;
mod settings;
mod token;

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use jsonwebtoken::Algorithm;
use storage::ids::ActorId;

use grants::Grants;
pub use grants::Rights;
use keys::{Found, Keys, Origin, checked_url};
pub use settings::{Grant, Oidc};
use token::Wanted;
pub use token::{NAME_BYTES_MAX, Refused, TOKEN_BYTES_MAX};

/// The clocks of issuer and node differ by no more, in seconds.
const CLOCK_SKEW_S_MAX: u32 = 60;

/// An outside issuer.
pub struct Issuer {
    wanted: Wanted,
    grants: Grants,
    keys: Arc<Keys>,
}

/// Whom an outside issuer vouches for.
#[derive(Debug)]
pub struct Outsider {
    /// Their name, with the issuer.
    pub subject: String,
    /// The name of their token, if it has one.
    pub token: Option<String>,
    /// When it expires, seconds since 1970.
    pub expires_s: i64,
    /// What they may do here.
    pub rights: Rights,
}

/// Why nobody is let in by a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// The token is no good.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Nobody can tell whether it is.
    #[error("the issuer of this token does not answer; try again in a moment")]
    Unavailable,
}

impl Issuer {
    /// The issuer that the settings name. Nothing is fetched yet.
    ///
    /// # Errors
    /// If a setting is wrong, or a certificate cannot be read.
    pub fn new(settings: &Oidc) -> Result<Issuer> {
        // Without a word on this it panics at the first token if a dependency brings another provider along.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let origin = match &settings.jwks_file {
            Some(path) => Origin::File(path.clone()),
            None => Origin::Issuer { http: http(settings)?, issuer: settings.issuer.clone() },
        };
        let (wanted, grants) = (wanted(settings)?, Grants::of(settings)?);
        Ok(Issuer { wanted, grants, keys: Arc::new(Keys::new(origin)) })
    }

    /// Keeps its keys fresh, for as long as the runtime runs.
    pub fn keep_keys_fresh(&self) {
        self.keys.keep_fresh();
    }

    /// The issuer's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.wanted.issuer
    }

    /// Whether a text could be a token of an outside issuer; none of the node's own has a dot.
    #[must_use]
    pub fn could_be(text: &str) -> bool {
        text.contains('.')
    }

    /// Checks a token, at `now_us` (microseconds since 1970).
    ///
    /// # Errors
    /// `Refused` with the reason, or `Unavailable` if the issuer's keys are not to be had.
    pub async fn admit(&self, text: &str, now_us: i64) -> Result<Outsider, NotAdmitted> {
        let unverified = self.wanted.take_apart(text)?;
        let key = match self.keys.find(&unverified.key_id, unverified.algorithm).await {
            Found::Key(key) => key,
            Found::Unknown => return Err(Refused::UnknownKey.into()),
            Found::Unavailable => return Err(NotAdmitted::Unavailable),
        };
        let (signature, message) = (unverified.signature, unverified.message);
        let genuine = jsonwebtoken::crypto::verify(signature, message, &key, unverified.algorithm);
        if !genuine.unwrap_or(false) {
            return Err(Refused::Signature.into());
        }
        let claims = unverified.claims(&self.wanted, now_us / 1_000_000)?;
        let rights = self.grants.rights(&claims.all);
        Ok(Outsider { subject: claims.subject, token: claims.id, expires_s: claims.expires_s, rights })
    }
}

/// What stands for the id of a token where a subject of the issuer comes in; no token has such an id.
pub(crate) fn token_id(actor: ActorId) -> String {
    format!("subject-{actor}")
}

fn wanted(settings: &Oidc) -> Result<Wanted> {
    let skew_s = settings.clock_skew_s_max;
    ensure!(skew_s <= CLOCK_SKEW_S_MAX, "oidc.clock_skew_s_max is {skew_s}; at most {CLOCK_SKEW_S_MAX}");
    ensure!(
        !settings.audience.is_empty(),
        "oidc.audience is empty; it is the name of this node with the issuer"
    );
    ensure!(!settings.types.is_empty(), "oidc.types is empty; `at+jwt` is what RFC 9068 says");
    let issuer = checked_url(&settings.issuer).context("oidc.issuer")?;
    let algorithms = settings.algorithms.iter().map(|name| algorithm(name)).collect::<Result<Vec<_>>>()?;
    ensure!(!algorithms.is_empty(), "oidc.algorithms is empty; name at least one, such as RS256");
    let (audience, types) = (settings.audience.clone(), settings.types.clone());
    Ok(Wanted { issuer, audience, algorithms, types, clock_skew_s: skew_s.into() })
}

fn algorithm(name: &str) -> Result<Algorithm> {
    let parsed = name
        .parse()
        .ok()
        .filter(|algorithm| !matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512));
    parsed.with_context(|| {
        format!("oidc.algorithms: `{name}`; RS256 to RS512, PS256 to PS512, ES256, ES384 or EdDSA")
    })
}

fn http(settings: &Oidc) -> Result<reqwest::Client> {
    // A redirect would let whoever answers choose where keys come from.
    let mut builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    if let Some(path) = &settings.ca_file {
        let pem = std::fs::read(path).with_context(|| format!("oidc.ca_file `{}`", path.display()))?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem)
            .with_context(|| format!("oidc.ca_file `{}`", path.display()))?;
        builder = builder.tls_certs_only(certificates);
    }
    Ok(builder.build()?)
}

#[cfg(test)]
mod tests;
