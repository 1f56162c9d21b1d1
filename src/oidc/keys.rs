//! The keys of an outside issuer: fetched in the background, asked for again when a token names a new one, and kept
//! for a while when the issuer does not answer.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

/// Keys are fetched so often.
const FETCH_EVERY: Duration = Duration::from_secs(300);
/// And after a failure sooner.
const RETRY_EVERY: Duration = Duration::from_secs(5);
/// Tokens that name an unknown key make the node ask at most so often; until then the key stays unknown.
const UNKNOWN_EVERY: Duration = Duration::from_secs(60);
/// Keys are good for so long without an answer of the issuer.
const STALE_MAX: Duration = Duration::from_secs(3600);
/// An answer takes no longer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// The most keys that are kept.
const KEYS_MAX: usize = 100;
/// The shortest RSA modulus, in bytes: 2048 bits.
const RSA_BYTES_MIN: usize = 256;

/// Where keys come from.
pub(super) enum Origin {
    /// The issuer, by its discovery document.
    Issuer { http: reqwest::Client, issuer: String },
    /// A file.
    File(PathBuf),
}

/// The keys of an issuer.
pub(super) struct Keys {
    origin: Origin,
    known: Mutex<Known>,
    /// Held while the issuer is asked: all who wait for an answer wait for the same.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    keys: Arc<Vec<Key>>,
    fetched: Option<Instant>,
    tried: Option<Instant>,
    tried_for_unknown: Option<Instant>,
}

/// A key that signatures are checked with.
struct Key {
    id: String,
    algorithms: Vec<Algorithm>,
    decoding: DecodingKey,
}

/// What is known of a key.
pub(super) enum Found {
    /// Here it is.
    Key(DecodingKey),
    /// The issuer has none of that name for that algorithm.
    Unknown,
    /// The issuer does not answer, and what it said last is too old.
    Unavailable,
}

impl Keys {
    pub(super) fn new(origin: Origin) -> Keys {
        Keys { origin, known: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    /// Fetches the keys now and from time to time, for as long as the runtime runs.
    pub(super) fn keep_fresh(self: &Arc<Keys>) {
        let keys = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                let wait = if keys.ask(Duration::ZERO).await { FETCH_EVERY } else { RETRY_EVERY };
                tokio::time::sleep(wait).await;
            }
        });
    }

    /// The key of a name, asking the issuer if it is new.
    pub(super) async fn find(&self, id: &str, algorithm: Algorithm) -> Found {
        if let Some(found) = self.known().find(id, algorithm) {
            return Found::Key(found);
        }
        if !self.known().is_fresh() {
            self.ask(RETRY_EVERY).await;
        } else if self.may_ask_for_unknown() {
            self.ask(Duration::ZERO).await;
        }
        let known = self.known();
        match known.find(id, algorithm) {
            Some(key) => Found::Key(key),
            None if known.is_fresh() => Found::Unknown,
            None => Found::Unavailable,
        }
    }

    fn may_ask_for_unknown(&self) -> bool {
        let mut known = self.known();
        let may = known.tried_for_unknown.is_none_or(|tried| tried.elapsed() >= UNKNOWN_EVERY);
        if may {
            known.tried_for_unknown = Some(Instant::now());
        }
        may
    }

    /// Asks the issuer, unless somebody did within `pause`; whether keys are known then.
    async fn ask(&self, pause: Duration) -> bool {
        let began = Instant::now();
        let _asking = self.asking.lock().await;
        // Who waited for another's question has its answer.
        let tried = self.known().tried;
        if tried.is_some_and(|tried| tried >= began || tried.elapsed() < pause) {
            return self.known().is_fresh();
        }
        let fetched = self.origin.fetch().await;
        let mut known = self.known();
        known.tried = Some(Instant::now());
        match fetched {
            Ok(keys) => {
                known.keys = Arc::new(keys);
                known.fetched = known.tried;
                true
            }
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "the issuer's keys cannot be fetched");
                false
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn find(&self, id: &str, algorithm: Algorithm) -> Option<DecodingKey> {
        let fits = |key: &&Key| key.id == id && key.algorithms.contains(&algorithm);
        let found = self.keys.iter().find(fits).filter(|_| self.is_fresh());
        found.map(|key| key.decoding.clone())
    }

    fn is_fresh(&self) -> bool {
        self.fetched.is_some_and(|fetched| fetched.elapsed() < STALE_MAX)
    }
}

impl Origin {
    async fn fetch(&self) -> Result<Vec<Key>> {
        let set = match self {
            Origin::File(path) => {
                let bytes =
                    tokio::fs::read(path).await.with_context(|| format!("key file `{}`", path.display()))?;
                serde_json::from_slice(&bytes).with_context(|| format!("key file `{}`", path.display()))?
            }
            Origin::Issuer { http, issuer } => {
                let place = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
                let discovered = get(http, &place).await?;
                ensure!(discovered["issuer"] == **issuer, "`{place}` is of another issuer than `{issuer}`");
                let place = discovered["jwks_uri"].as_str().context("no `jwks_uri`")?;
                get(http, &checked_url(place)?).await?
            }
        };
        keys(&set)
    }
}

/// An address that nobody on the way can answer for: `https`, or on this machine.
pub(super) fn checked_url(text: &str) -> Result<String> {
    let url = reqwest::Url::parse(text).with_context(|| format!("address `{text}`"))?;
    let host = url.host_str().unwrap_or_default();
    let is_here = host == "localhost"
        || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here);
    ensure!(is_safe, "address `{text}`: https, or http on this machine alone");
    Ok(text.to_owned())
}

async fn get(http: &reqwest::Client, url: &str) -> Result<Value> {
    let getting = async {
        let mut answer = http.get(url).send().await?.error_for_status()?;
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await? {
            ensure!(bytes.len() + piece.len() <= ANSWER_BYTES_MAX, "more than {ANSWER_BYTES_MAX} bytes");
            bytes.extend_from_slice(&piece);
        }
        Ok(serde_json::from_slice(&bytes)?)
    };
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, getting).await;
    answer.context("no answer in time").flatten().with_context(|| format!("`{url}`"))
}

/// The keys of a set that signatures can be checked with. What else is in it is for others.
fn keys(set: &Value) -> Result<Vec<Key>> {
    let Some(all) = set["keys"].as_array() else { bail!("not a JWK set") };
    Ok(all.iter().filter_map(key).take(KEYS_MAX).collect())
}

fn key(jwk: &Value) -> Option<Key> {
    let parsed: Jwk = serde_json::from_value(jwk.clone()).ok()?;
    let common = &parsed.common;
    let signs = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
    let verifies = common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
    let named = jwk["alg"].as_str();
    let mut algorithms = algorithms(&parsed.algorithm)?;
    algorithms.retain(|algorithm| named.is_none_or(|named| format!("{algorithm:?}") == named));
    let decoding = DecodingKey::from_jwk(&parsed).ok()?;
    let id = common.key_id.clone()?;
    (signs && verifies && !algorithms.is_empty()).then_some(Key { id, algorithms, decoding })
}

/// What a key can be used for by its kind. A secret shared with the issuer is no key that anybody publishes.
fn algorithms(parameters: &AlgorithmParameters) -> Option<Vec<Algorithm>> {
    use Algorithm::*;
    match parameters {
        AlgorithmParameters::RSA(rsa) => {
            let is_long = rsa.n.len() * 3 / 4 >= RSA_BYTES_MIN;
            is_long.then(|| vec![RS256, RS384, RS512, PS256, PS384, PS512])
        }
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            EllipticCurve::P256 => Some(vec![ES256]),
            EllipticCurve::P384 => Some(vec![ES384]),
            _ => None,
        },
        AlgorithmParameters::OctetKeyPair(pair) => {
            (pair.curve == EllipticCurve::Ed25519).then(|| vec![EdDSA])
        }
        _ => None,
    }
}
