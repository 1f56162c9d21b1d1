//! A token as an outside issuer signs it (RFC 9068), taken apart strictly: what could be read in two ways is refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::json::object;

/// The largest token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// The longest name that an issuer may give anything, in bytes.
pub const NAME_BYTES_MAX: usize = 255;
/// An access token lives no longer: 24 hours, in seconds. What is good for longer is a password.
const LIFETIME_S_MAX: i64 = 24 * 3600;

/// Why a token of an outside issuer lets nobody in. It never says what the token holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is larger than any honest one.
    #[error("token of more than {TOKEN_BYTES_MAX} bytes")]
    TooLarge,
    /// It is not three parts of base64 with JSON in the first two, or a name is in them twice.
    #[error("malformed token")]
    Malformed,
    /// Its header asks for something that is not done here, or leaves out what is needed.
    #[error("refused token header: {0}")]
    Header(&'static str),
    /// The issuer has no such key, as far as it has been asked.
    #[error("token signed with an unknown key; if the issuer has a new one, try again in a minute")]
    UnknownKey,
    /// It is forged.
    #[error("token with a wrong signature")]
    Signature,
    /// A claim is missing, of the wrong kind, or not for this node.
    #[error("refused token: {0}")]
    Claim(&'static str),
    /// It is over.
    #[error("expired token; ask its issuer for a new one")]
    Expired,
}

/// What a token must be.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) types: Vec<String>,
    pub(super) clock_skew_s: i64,
}

/// A token whose signature nobody has looked at yet.
pub(super) struct Unverified<'t> {
    /// What is signed.
    pub(super) message: &'t [u8],
    pub(super) signature: &'t str,
    pub(super) algorithm: Algorithm,
    pub(super) key_id: String,
    payload: &'t str,
}

/// What a genuine token says.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) subject: String,
    /// The token's own name, if it has one.
    pub(super) id: Option<String>,
    pub(super) expires_s: i64,
    pub(super) all: Map<String, Value>,
}

impl Wanted {
    /// Takes a token apart, and says which key its signature is to be checked with.
    pub(super) fn take_apart<'t>(&self, text: &'t str) -> Result<Unverified<'t>, Refused> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(Refused::TooLarge);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(Refused::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(Refused::Malformed)?;
        if payload.contains('.') || signature.is_empty() {
            return Err(Refused::Malformed);
        }
        let (algorithm, key_id) = self.header(&part(header)?)?;
        Ok(Unverified { message: message.as_bytes(), signature, algorithm, key_id, payload })
    }

    fn header(&self, header: &Map<String, Value>) -> Result<(Algorithm, String), Refused> {
        // Each of these would have the token say how it is to be believed.
        for named in ["crit", "jku", "jwk", "x5u", "x5c", "zip", "b64", "enc"] {
            if header.contains_key(named) {
                return Err(Refused::Header("it names keys or extensions of its own"));
            }
        }
        let known = |alg: &str| self.algorithms.iter().find(|allowed| format!("{allowed:?}") == alg);
        let algorithm = text(header, "alg").and_then(known).ok_or(Refused::Header("`alg` is not allowed"))?;
        let is_wanted = |typ: &str| {
            let short = typ.get(..12).filter(|start| start.eq_ignore_ascii_case("application/"));
            let typ = short.map_or(typ, |start| &typ[start.len()..]);
            self.types.iter().any(|wanted| wanted.eq_ignore_ascii_case(typ))
        };
        if !text(header, "typ").is_some_and(is_wanted) {
            return Err(Refused::Header("`typ` is not that of an access token"));
        }
        let key_id = name(header, "kid").ok_or(Refused::Header("no `kid`"))?;
        Ok((*algorithm, key_id))
    }
}

impl Unverified<'_> {
    /// What the token says, at `now_s` (seconds since 1970), once its signature was found right.
    pub(super) fn claims(&self, wanted: &Wanted, now_s: i64) -> Result<Claims, Refused> {
        let all = part(self.payload)?;
        if text(&all, "iss") != Some(&wanted.issuer) {
            return Err(Refused::Claim("`iss` is not the issuer of this node"));
        }
        audience(&all, &wanted.audience)?;
        let expires_s = times(&all, wanted.clock_skew_s, now_s)?;
        let subject = name(&all, "sub").ok_or(Refused::Claim("no `sub`"))?;
        let id = name(&all, "jti");
        if id.is_none() && all.contains_key("jti") {
            return Err(Refused::Claim("`jti` is no name"));
        }
        Ok(Claims { subject, id, expires_s, all })
    }
}

/// A token for others as well could be brought here by one of them.
fn audience(claims: &Map<String, Value>, wanted: &str) -> Result<(), Refused> {
    let only = match claims.get("aud") {
        Some(Value::String(only)) => Some(only.as_str()),
        Some(Value::Array(all)) if all.len() == 1 => all[0].as_str(),
        _ => None,
    };
    if only == Some(wanted) { Ok(()) } else { Err(Refused::Claim("`aud` is not this node alone")) }
}

/// Whether the token holds now; when it expires. A time of the wrong kind is not as good as none.
fn times(claims: &Map<String, Value>, skew_s: i64, now_s: i64) -> Result<i64, Refused> {
    let time = |name: &str| claims.get(name).map(|value| value.as_i64().filter(|s| (0..1 << 40).contains(s)));
    let expires_s = time("exp").flatten().ok_or(Refused::Claim("`exp` is missing or no whole number"))?;
    let issued_s = time("iat").flatten().ok_or(Refused::Claim("`iat` is missing or no whole number"))?;
    let begins_s = match time("nbf") {
        Some(begins_s) => begins_s.ok_or(Refused::Claim("`nbf` is no whole number"))?,
        None => issued_s,
    };
    if now_s >= expires_s + skew_s {
        return Err(Refused::Expired);
    }
    if issued_s.max(begins_s) > now_s + skew_s {
        return Err(Refused::Claim("it is not valid yet; is a clock wrong?"));
    }
    if expires_s - issued_s > LIFETIME_S_MAX {
        return Err(Refused::Claim("it lives for more than 24 hours"));
    }
    Ok(expires_s)
}

fn part(text: &str) -> Result<Map<String, Value>, Refused> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Refused::Malformed)?;
    object(&bytes).ok_or(Refused::Malformed)
}

fn text<'m>(object: &'m Map<String, Value>, key: &str) -> Option<&'m str> {
    object.get(key).and_then(Value::as_str)
}

fn name(object: &Map<String, Value>, key: &str) -> Option<String> {
    let is_name =
        |text: &&str| (1..=NAME_BYTES_MAX).contains(&text.len()) && !text.contains(char::is_control);
    text(object, key).filter(is_name).map(str::to_owned)
}
