//! Who makes the vectors, if it is another program, and what it may be given.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use index::embed::ModelId;
use reqwest::Url;
use reqwest::header::HeaderValue;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use storage::model::Classification;

use crate::config::Config;

/// Below its address, as everybody has it.
const PATH: &str = "v1/embeddings";
const NAME_BYTES_MAX: usize = 200;
const DIMENSION_MAX: usize = 4096;
/// A key is no longer than this.
const KEY_BYTES_MAX: u64 = 4096;

/// A program that makes vectors of texts.
#[derive(Clone, Debug)]
pub struct Embedder {
    pub(super) endpoint: Url,
    pub(super) id: ModelId,
    /// What it is shown; no debug print shows it.
    pub(super) key: Option<HeaderValue>,
    pub(super) classification_max: Classification,
}

impl Embedder {
    /// The one that the settings name, if they name one.
    ///
    /// # Errors
    /// If a setting of it is wrong, or its key cannot be read.
    pub fn new(config: &Config) -> Result<Option<Embedder>> {
        let Some(url) = &config.embedder_url else {
            ensure!(
                config.embedder_model.is_none() && config.embedder_key_file.is_none(),
                "`embedder_model` or `embedder_key_file` is set, and `embedder_url` is not"
            );
            return Ok(None);
        };
        ensure!(
            config.model.is_none(),
            "both `model` and `embedder_url` are set; vectors are made by one of them"
        );
        let endpoint = endpoint(url, config.embedder_insecure_http)?;
        let classification_max = config
            .embedder_classification_max
            .parse::<Classification>()
            .context("setting `embedder_classification_max`")?;
        let id = id(config, classification_max)?;
        let key = config.embedder_key_file.as_deref().map(key).transpose()?;
        Ok(Some(Embedder { endpoint, id, key, classification_max }))
    }

    pub(super) fn told(&self) -> Told {
        Told {
            url: self.endpoint.origin().ascii_serialization(),
            model: self.id.name.clone(),
            dimension: self.id.dimension,
            classification_max: self.classification_max.as_str(),
        }
    }

    /// Says that texts go out.
    pub(super) fn tell(&self) {
        let Told { url: embedder, model, classification_max, .. } = self.told();
        if is_here(&self.endpoint) {
            tracing::info!(
                embedder,
                model,
                classification_max,
                "texts go to another program of this machine"
            );
        } else {
            tracing::warn!(
                embedder,
                model,
                classification_max,
                "texts leave this machine: an embedder makes vectors"
            );
        }
    }
}

/// What owners of the node are told of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Told {
    url: String,
    model: String,
    dimension: usize,
    classification_max: &'static str,
}

/// Where it is asked. On the way nobody may read along, or answer in its place.
fn endpoint(text: &str, insecure: bool) -> Result<Url> {
    // What stands in front of an `@` may be a password.
    let shown = text.rsplit('@').next().unwrap_or_default();
    let wrong = || {
        format!(
            "setting `embedder_url`: `{shown}`; such as https://models.example.org, without a name or a query"
        )
    };
    let base = Url::parse(&format!("{}/", text.trim_end_matches('/'))).with_context(wrong)?;
    let is_bare = base.username().is_empty() && base.password().is_none() && base.query().is_none();
    ensure!(is_bare && base.fragment().is_none() && base.has_host(), wrong());
    let is_safe = base.scheme() == "https" || base.scheme() == "http" && (is_here(&base) || insecure);
    ensure!(
        is_safe,
        "setting `embedder_url`: `{shown}`; https, or http on this machine, or set `embedder_insecure_http`"
    );
    base.join(PATH).with_context(wrong)
}

fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Where it is does not matter to its vectors. What it may be given does to the index: that would lack what was withheld before.
fn id(config: &Config, classification_max: Classification) -> Result<ModelId> {
    let name = config
        .embedder_model
        .clone()
        .context("setting `embedder_model` is missing; what the embedder calls its model")?;
    let is_name =
        (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    ensure!(is_name, "setting `embedder_model`: 1 to {NAME_BYTES_MAX} letters, digits and signs, no blanks");
    let dimension = config.embedder_dimension;
    ensure!(
        (1..=DIMENSION_MAX).contains(&dimension),
        "setting `embedder_dimension` is {dimension}; how many components the vectors have, 1 to {DIMENSION_MAX}"
    );
    let digest = Sha256::new()
        .chain_update("embedder\n")
        .chain_update(&name)
        .chain_update(format!("\n{dimension}\n{classification_max}"))
        .finalize()
        .into();
    Ok(ModelId { name, digest, dimension })
}

fn key(path: &Path) -> Result<HeaderValue> {
    let place = || format!("setting `embedder_key_file`: `{}`", path.display());
    let file = fs::metadata(path).with_context(place)?;
    let mode = file.permissions().mode();
    ensure!(mode & 0o077 == 0, "{} is open to others (mode {mode:o}); chmod 600 it", place());
    ensure!(file.len() <= KEY_BYTES_MAX, "{} is longer than {KEY_BYTES_MAX} bytes", place());
    let text = fs::read_to_string(path).with_context(place)?;
    let text = text.trim();
    // The error of the header would show what it is of.
    let value = HeaderValue::from_str(&format!("Bearer {text}")).ok().filter(|_| !text.is_empty());
    let mut value =
        value.with_context(|| format!("{} holds no key: one line of printable characters", place()))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt as _;

    use super::*;

    fn config(url: &str) -> Config {
        Config {
            embedder_url: Some(url.to_owned()),
            embedder_model: Some("some/model".to_owned()),
            embedder_dimension: 8,
            ..Config::default()
        }
    }

    fn refused(config: &Config) -> String {
        format!("{:#}", Embedder::new(config).expect_err("refused"))
    }

    #[test]
    fn it_is_asked_over_tls_or_on_this_machine() {
        for (url, endpoint) in [
            ("https://models.example.org", "https://models.example.org/v1/embeddings"),
            ("https://models.example.org/at/", "https://models.example.org/at/v1/embeddings"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1/embeddings"),
            ("http://[::1]:8080/", "http://[::1]:8080/v1/embeddings"),
            ("http://localhost", "http://localhost/v1/embeddings"),
        ] {
            let embedder = Embedder::new(&config(url)).expect("sound").expect("set");
            assert_eq!(embedder.endpoint.as_str(), endpoint);
        }
        let beyond = config("http://models.example.org");
        assert!(refused(&beyond).contains("`embedder_insecure_http`"));
        assert!(Embedder::new(&Config { embedder_insecure_http: true, ..beyond }).is_ok());
        for url in [
            "",
            "models.example.org",
            "ftp://127.0.0.1",
            "https://a:b@models.example.org",
            "https://models.example.org?a=b",
        ] {
            let refused = refused(&config(url));
            assert!(refused.contains("embedder_url") && !refused.contains("a:b"), "{url}: {refused}");
        }
    }

    #[test]
    fn another_model_dimension_or_level_makes_other_vectors_and_another_address_does_not() {
        let of = |config: &Config| Embedder::new(config).expect("sound").expect("set").id.digest;
        let one = config("https://models.example.org");
        assert_eq!(of(&one), of(&config("https://elsewhere.example.org")));
        assert_ne!(of(&one), of(&Config { embedder_model: Some("other".to_owned()), ..one.clone() }));
        assert_ne!(of(&one), of(&Config { embedder_dimension: 9, ..one.clone() }));
        assert_ne!(
            of(&one),
            of(&Config { embedder_classification_max: "internal".to_owned(), ..one.clone() })
        );
    }

    #[test]
    fn what_is_missing_or_too_much_is_named() {
        let one = config("https://models.example.org");
        assert!(Embedder::new(&Config::default()).expect("sound").is_none());
        for (config, name) in [
            (Config { embedder_url: None, ..one.clone() }, "embedder_url"),
            (Config { embedder_model: None, ..one.clone() }, "embedder_model"),
            (Config { embedder_model: Some("two words".to_owned()), ..one.clone() }, "embedder_model"),
            (Config { embedder_dimension: 0, ..one.clone() }, "embedder_dimension"),
            (Config { embedder_dimension: 4097, ..one.clone() }, "embedder_dimension"),
            (
                Config { embedder_classification_max: "all".to_owned(), ..one.clone() },
                "embedder_classification_max",
            ),
            (Config { embedder_key_file: Some("nowhere".into()), ..one.clone() }, "embedder_key_file"),
            (Config { model: Some("other".to_owned()), ..one.clone() }, "`model`"),
        ] {
            let refused = refused(&config);
            assert!(refused.contains(name), "{refused}");
        }
    }

    #[test]
    fn a_key_is_its_owners_and_in_no_print() {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("key");
        let write = |mode: u32, text: &str| {
            let _ = fs::remove_file(&path);
            let mut options = fs::OpenOptions::new();
            let mut file = options.write(true).create(true).mode(mode).open(&path).expect("a file");
            std::io::Write::write_all(&mut file, text.as_bytes()).expect("written");
        };
        let config = Config { embedder_key_file: Some(path.clone()), ..config("https://models.example.org") };
        write(0o600, "canary-key\n");
        let embedder = Embedder::new(&config).expect("sound").expect("set");
        assert_eq!(embedder.key.as_ref().expect("a key").as_bytes(), b"Bearer canary-key");
        assert!(!format!("{embedder:?}").contains("canary"));
        for (mode, text) in
            [(0o644, "canary-key"), (0o600, ""), (0o600, "canary\nkey"), (0o600, &"canary".repeat(1000))]
        {
            write(mode, text);
            let refused = refused(&config);
            assert!(refused.contains("embedder_key_file") && !refused.contains("canary"), "{refused}");
        }
    }
}
