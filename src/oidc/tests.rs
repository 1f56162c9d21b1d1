use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use storage::model::{Classification, Purpose, Role};
use tempfile::TempDir;

use super::*;

const ISSUER: &str = "https://id.example";
const NODE: &str = "https://graph.example";
const NOW_S: i64 = 1_800_000_000;

/// An issuer with one key, which the node knows by a file.
struct World {
    key: EncodingKey,
    public: Value,
    issuer: Issuer,
    runtime: tokio::runtime::Runtime,
    _place: TempDir,
}

impl World {
    fn new() -> World {
        World::with(settings())
    }

    fn with(mut settings: Oidc) -> World {
        let (key, public) = ed25519([7; 32], "one");
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("keys.json");
        // Beside the good key, some that sign nothing: of others, too short, shared, for encryption.
        let set = json!({"keys": [
            {"kty": "oct", "kid": "shared", "k": "c2VjcmV0", "alg": "HS256"},
            {"kty": "RSA", "kid": "short", "n": URL_SAFE_NO_PAD.encode([0xc5; 128]), "e": "AQAB"},
            {"kty": "something", "kid": "new"}, 7, {"kty": "OKP", "crv": "Ed25519"},
            with(&public, "use", json!("enc"), "kid", json!("enc")),
            with(&public, "alg", json!("ES256"), "kid", json!("other")),
            public,
        ]});
        std::fs::write(&file, set.to_string()).unwrap();
        settings.jwks_file = Some(file);
        let issuer = Issuer::new(&settings).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        World { key, public, issuer, runtime, _place: place }
    }

    fn admit(&self, token: &str) -> Result<Outsider, NotAdmitted> {
        self.runtime.block_on(self.issuer.admit(token, NOW_S * 1_000_000))
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        sign(header, claims, &self.key, Algorithm::EdDSA)
    }

    /// What the node says of these claims, rightly signed.
    fn says(&self, claims: &Value) -> Result<Outsider, NotAdmitted> {
        self.admit(&self.sign(&header().to_string(), &claims.to_string()))
    }
}

fn ed25519(seed: [u8; 32], kid: &str) -> (EncodingKey, Value) {
    let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    der.extend_from_slice(&seed);
    let key = EncodingKey::from_ed_der(&der);
    let mut public = serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::EdDSA).unwrap()).unwrap();
    public["kid"] = kid.into();
    (key, public)
}

fn sign(header: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn settings() -> Oidc {
    let toml = format!("issuer = '{ISSUER}'\naudience = '{NODE}'\npurposes = ['demo']\ntenant = 'default'");
    toml::from_str(&toml).unwrap()
}

fn header() -> Value {
    json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "one"})
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": NODE, "sub": "ann", "exp": NOW_S + 300, "iat": NOW_S - 1, "nbf": NOW_S - 1, "jti": "t1",
        "groups": ["staff", "graph-analysts"], "scope": "openid graph.secret", "realm": {"roles": ["night"]},
        "https://id.example/vip": true,
    })
}

fn with(object: &Value, name: &str, value: Value, other: &str, other_value: Value) -> Value {
    let mut changed = object.clone();
    changed[name] = value;
    changed[other] = other_value;
    changed
}

#[test]
fn a_good_token_lets_a_reader_in_and_nothing_more() {
    let world = World::new();
    let outsider = world.says(&claims()).unwrap();
    assert_eq!((outsider.subject.as_str(), outsider.token.as_deref()), ("ann", Some("t1")));
    assert_eq!(outsider.expires_s, NOW_S + 300);
    let rights = outsider.rights;
    assert_eq!((rights.role, rights.clearance), (Role::Reader, Classification::Public));
    assert_eq!(rights.purposes.iter().collect::<Vec<_>>(), [Purpose::Demo]);
    assert!(rights.scopes.is_empty() && rights.tenant.as_deref() == Some("default"));
    for typ in ["AT+JWT", "application/at+jwt", "Application/AT+jwt"] {
        let header = with(&header(), "typ", json!(typ), "kid", json!("one"));
        world.admit(&world.sign(&header.to_string(), &claims().to_string())).unwrap();
    }
    let alone = with(&claims(), "aud", json!([NODE]), "iss", json!(ISSUER));
    world.says(&alone).unwrap();
}

#[test]
fn grants_add_up_and_the_first_decides_on_the_role() {
    let grants = "
        [[grants]]\nclaim = 'groups'\nvalue = 'graph-analysts'\nrole = 'analyst'\nclearance = 'internal'
        [[grants]]\nclaim = 'groups'\nvalue = 'staff'\nrole = 'writer'\npurposes = ['investigation']
        [[grants]]\nclaim = 'scope'\nvalue = 'graph.secret'\nclearance = 'secret'
        [[grants]]\nclaim = 'realm.roles'\nvalue = 'night'\nscopes = ['graphql.adhoc']
        [[grants]]\nclaim = 'https://id.example/vip'\nvalue = 'true'\ntenant = 'acme'
        [[grants]]\nclaim = 'groups'\nvalue = 'owners'\nrole = 'owner'
        [[grants]]\nclaim = 'missing.far.away'\nvalue = 'x'\nrole = 'owner'
        [[grants]]\nclaim = 'sub'\nvalue = 'anna'\nrole = 'owner'";
    let toml = format!("issuer = '{ISSUER}'\naudience = '{NODE}'\npurposes = ['demo']\n{grants}");
    let world = World::with(toml::from_str(&toml).unwrap());
    let rights = world.says(&claims()).unwrap().rights;
    assert_eq!((rights.role, rights.clearance), (Role::Analyst, Classification::Secret));
    assert_eq!(rights.purposes.iter().count(), 2);
    assert_eq!((rights.scopes, rights.tenant.as_deref()), (vec!["graphql.adhoc".to_owned()], Some("acme")));
    // Nobody of these: no tenant, and nothing but what everybody has.
    let plain = json!({"iss": ISSUER, "aud": NODE, "sub": "bob", "exp": NOW_S + 300, "iat": NOW_S});
    let rights = world.says(&plain).unwrap().rights;
    assert_eq!((rights.role, rights.clearance, rights.tenant), (Role::Reader, Classification::Public, None));
}

#[test]
fn who_signs_with_another_key_or_none_is_nobody() {
    let world = World::new();
    let (header, claims) = (header().to_string(), claims().to_string());
    let (forger, _) = ed25519([8; 32], "one");
    let refused = |token: &str| world.admit(token).unwrap_err();
    assert_eq!(refused(&sign(&header, &claims, &forger, Algorithm::EdDSA)), Refused::Signature.into());
    for kid in ["two", "shared", "short", "new", "enc", "other", "ONE", "one "] {
        let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid}).to_string();
        assert_eq!(refused(&world.sign(&header, &claims)), Refused::UnknownKey.into(), "{kid}");
    }
    // The public key as the secret of an HMAC: in every form that somebody could take it for.
    let public = &world.public;
    let x = URL_SAFE_NO_PAD.decode(public["x"].as_str().unwrap()).unwrap();
    for secret in [x, public["x"].as_str().unwrap().as_bytes().to_vec(), public.to_string().into_bytes()] {
        for (name, algorithm) in [("HS256", Algorithm::HS256), ("HS512", Algorithm::HS512)] {
            let header = json!({"alg": name, "typ": "at+jwt", "kid": "one"}).to_string();
            let forged = sign(&header, &claims, &EncodingKey::from_secret(&secret), algorithm);
            assert!(matches!(refused(&forged), NotAdmitted::Refused(Refused::Header(_))));
        }
    }
    let good = world.sign(&header, &claims);
    let message = good.rsplit_once('.').unwrap().0;
    for alg in ["none", "None", "NONE", "", "RS256", "ES256", "eddsa", "EdDSA "] {
        let unsigned = json!({"alg": alg, "typ": "at+jwt", "kid": "one"}).to_string();
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(unsigned), URL_SAFE_NO_PAD.encode(&claims));
        for signature in ["", "AA", good.rsplit_once('.').unwrap().1] {
            refused(&format!("{message}.{signature}"));
        }
    }
    for broken in
        [message, &format!("{message}."), &format!("{good}."), &format!("{good}.{good}"), "..", ".", "a.b.c"]
    {
        refused(broken);
    }
}

#[test]
fn a_token_that_says_how_to_believe_it_is_refused() {
    let world = World::new();
    for (name, value) in [
        ("jwk", world.public.clone()),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/chain")),
        ("x5c", json!(["AA"])),
        ("crit", json!([])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("typ", json!("JWT")),
        ("typ", json!("id+jwt")),
        ("typ", json!("")),
        ("typ", Value::Null),
        ("kid", Value::Null),
        ("kid", json!("")),
        ("kid", json!(["one"])),
        ("kid", json!("x".repeat(256))),
        ("alg", json!(["EdDSA"])),
    ] {
        let mut header = header();
        header[name] = value;
        let token = world.sign(&header.to_string(), &claims().to_string());
        let refused = world.admit(&token).unwrap_err();
        assert!(matches!(refused, NotAdmitted::Refused(Refused::Header(_))), "{header}: {refused}");
    }
    for missing in ["alg", "typ", "kid"] {
        let mut header = header();
        header.as_object_mut().unwrap().remove(missing);
        world.admit(&world.sign(&header.to_string(), &claims().to_string())).unwrap_err();
    }
}

#[test]
fn a_token_for_others_or_of_another_time_is_refused() {
    let world = World::new();
    let refused = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        world.says(&claims).map(|_| claims.to_string()).unwrap_err()
    };
    for audience in [
        json!("https://other.example"),
        json!([]),
        json!([NODE, "https://other.example"]),
        json!([NODE, NODE]),
        json!(format!("{NODE}/")),
        json!({NODE: true}),
    ] {
        assert!(matches!(refused("aud", audience), NotAdmitted::Refused(Refused::Claim(_))));
    }
    for issuer in [
        json!("https://id.example/"),
        json!("https://ID.example"),
        json!([ISSUER]),
        json!("https://id.example.evil"),
    ] {
        assert!(matches!(refused("iss", issuer), NotAdmitted::Refused(Refused::Claim(_))));
    }
    assert_eq!(refused("exp", json!(NOW_S - 30)), Refused::Expired.into());
    refused("nbf", json!(NOW_S + 31));
    refused("iat", json!(NOW_S + 31));
    refused("exp", json!(NOW_S + 25 * 3600));
    let at_the_edge = |name: &str, value: i64| {
        let mut claims = claims();
        claims[name] = value.into();
        world.says(&claims).unwrap();
    };
    at_the_edge("exp", NOW_S - 29);
    at_the_edge("nbf", NOW_S + 30);
    at_the_edge("iat", NOW_S + 30);
}

/// Every claim that counts, taken away or made something else, in a token that is rightly signed; and every character
/// of a good token changed.
#[test]
fn no_mutated_token_is_accepted() {
    let world = World::new();
    let mut tried = 0;
    let odd = [
        json!(null),
        json!(true),
        json!(""),
        json!("0"),
        json!(NOW_S.to_string()),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(1e300),
        json!(9e18),
        json!(u64::MAX),
        json!(i64::MIN),
        json!([]),
        json!({}),
        json!([NOW_S]),
        json!({"a": 1}),
        json!((NOW_S + 300) as f64 + 0.5),
        json!("x".repeat(300)),
        json!("a\u{0}b"),
    ];
    for name in ["iss", "aud", "sub", "exp", "iat", "nbf", "jti"] {
        for value in &odd {
            // A long time ago is a time, and a short text is a name.
            let is_fine = match name {
                "iat" | "nbf" => *value == json!(0) && name == "nbf",
                "sub" | "jti" => value.as_str().is_some_and(|text| matches!(text.len(), 1 | 10)),
                _ => false,
            };
            let mut claims = claims();
            claims[name] = value.clone();
            tried += 1;
            assert_eq!(world.says(&claims).is_ok(), is_fine, "{name}: {value}");
        }
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        assert_eq!(world.says(&claims).is_ok(), matches!(name, "nbf" | "jti"), "without {name}");
    }
    let good = world.sign(&header().to_string(), &claims().to_string());
    for at in 0..good.len() {
        for changed in ['A', '_', '=', '.', ' ', 'é'] {
            let mutated: String =
                good.chars().enumerate().map(|(n, c)| if n == at { changed } else { c }).collect();
            if mutated != good {
                tried += 1;
                assert!(world.admit(&mutated).is_err(), "{mutated}");
            }
        }
    }
    assert!(tried > 2000, "{tried}");
}

#[test]
fn what_is_said_twice_is_not_believed_once() {
    let world = World::new();
    let twice = |claims: &str| world.admit(&world.sign(&header().to_string(), claims)).unwrap_err();
    let claims = claims().to_string();
    for more in [r#""sub":"root""#, r#""exp":1900000000"#, r#""aud":"x""#, r#""realm":{"a":1,"a":2}"#] {
        let doubled = format!("{},{more}}}", claims.strip_suffix('}').unwrap());
        assert_eq!(twice(&doubled), Refused::Malformed.into(), "{doubled}");
    }
    let header = r#"{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"one"}"#;
    assert_eq!(world.admit(&world.sign(header, &claims)).unwrap_err(), Refused::Malformed.into());
}

#[test]
fn a_token_is_small() {
    let world = World::new();
    for bytes in [TOKEN_BYTES_MAX + 1, 1 << 20] {
        assert_eq!(world.admit(&"a.".repeat(bytes)).unwrap_err(), Refused::TooLarge.into());
    }
    let large = with(&claims(), "sub", json!("ann"), "filler", json!("x".repeat(TOKEN_BYTES_MAX)));
    assert_eq!(world.says(&large).unwrap_err(), Refused::TooLarge.into());
    let deep = format!("{}1{}", "[".repeat(3000), "]".repeat(3000));
    let claims = format!(r#"{{"a":{deep}}}"#);
    assert_eq!(
        world.admit(&world.sign(&header().to_string(), &claims)).unwrap_err(),
        Refused::Malformed.into()
    );
}

#[test]
fn a_setting_that_would_let_in_too_many_is_refused() {
    let wrong = |line: &str, word: &str| {
        let mut table: toml::Table = toml::Table::try_from(settings()).unwrap();
        table.extend(line.parse::<toml::Table>().unwrap());
        let refused = table
            .try_into::<Oidc>()
            .map_err(anyhow::Error::from)
            .and_then(|oidc| Issuer::new(&oidc).map(drop));
        let refused = format!("{:#}", refused.unwrap_err());
        assert!(refused.contains(word), "{line}: {refused}");
    };
    wrong("algorithms = ['HS256']", "HS256");
    wrong("algorithms = ['none']", "none");
    wrong("algorithms = []", "algorithms");
    wrong("issuer = 'http://id.example'", "https");
    wrong("issuer = 'id.example'", "id.example");
    wrong("audience = ''", "audience");
    wrong("purposes = []", "purposes");
    wrong("purposes = ['fun']", "fun");
    wrong("clock_skew_s_max = 61", "61");
    wrong("types = []", "types");
    wrong("ca_file = '/nowhere'", "/nowhere");
    wrong("grants = [{claim = 'a', value = 'b', role = 'king'}]", "king");
    wrong("grants = [{claim = 'a', value = 'b'}]", "nothing");
    wrong("tennant = 'a'", "tennant");
    for here in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"] {
        assert!(Issuer::new(&Oidc { issuer: here.to_owned(), ..settings() }).is_ok(), "{here}");
    }
}

#[test]
fn without_its_keys_nobody_can_tell() {
    let world = World::with(settings());
    let token = world.sign(&header().to_string(), &claims().to_string());
    drop(world._place);
    assert_eq!(
        world.runtime.block_on(world.issuer.admit(&token, NOW_S * 1_000_000)).unwrap_err(),
        NotAdmitted::Unavailable
    );
}
