//! What can be set from outside: a file, then the environment, then flags; unknown keys are refused.

mod memory;
pub mod origins;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use storage::model::Classification;

use crate::embedding::Embedder;
use crate::follow::Window;
use crate::oidc::{Issuer, Oidc};

use memory::MEMORY_BYTES_MIN;
pub use memory::Memory;

/// The default address: this machine only.
pub const LISTEN: &str = "127.0.0.1:7340";
/// Environment variables begin with this.
const PREFIX: &str = "INTELGRAPH_";
/// A search by meaning is answered within 450 ms, its words included.
const VECTOR_BUDGET_MS_MAX: u64 = 200;
/// Variables of the same prefix that belong to the commands, not to the node.
const NOT_SETTINGS: [&str; 5] = ["url", "token", "config", "demo_bundle", "ca_file"];

/// The settings of a node.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Where it listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Whether it may listen beyond this machine without TLS.
    pub insecure_http: bool,
    /// The certificate chain of TLS, a PEM file; it is read again when it changes.
    pub tls_certificate: Option<PathBuf>,
    /// Its key, a PEM file that others cannot read.
    pub tls_key: Option<PathBuf>,
    /// What is logged: `error`, `warn`, `info`, or a filter such as `info,hyper=debug`.
    pub log: String,
    /// How browsers reach it, such as `https://graph.example.org`; where it listens, unless set. Sign-in links lead
    /// there, and behind `https` a session's cookie is sent over nothing else.
    pub public_url: Option<String>,
    /// Whether everybody who has a token may bring GraphQL documents and ask for the schema; on this machine only.
    pub dev: bool,
    /// An outside issuer whose bearer tokens let people in; none, unless set.
    pub oidc: Option<Oidc>,
    /// Which of several models makes vectors of texts; the one that was installed first, unless set.
    pub model: Option<String>,
    /// Another program that makes vectors of texts, by `POST v1/embeddings` below this address; none, unless set.
    pub embedder_url: Option<String>,
    /// What it calls its model.
    pub embedder_model: Option<String>,
    /// Components of its vectors.
    pub embedder_dimension: usize,
    /// A file with the key that it asks for, which others cannot read.
    pub embedder_key_file: Option<PathBuf>,
    /// It is given nothing that is classified higher.
    pub embedder_classification_max: String,
    /// Whether it may be asked beyond this machine without TLS.
    pub embedder_insecure_http: bool,
    /// The time of the day at which vector segments are built, by the machine's clock.
    pub vectors_window: String,
    /// The memory that the node keeps to, in bytes; see [`Memory`].
    pub memory_bytes_max: usize,
    /// A database of up to so many bytes is checked page by page when the node starts.
    pub checked_bytes_max: u64,
    /// Largest body of a request that is not an import, in bytes.
    pub body_bytes_max: usize,
    /// Connections at a time. One more takes the place of whoever has asked nothing for longest.
    pub connections_max: usize,
    /// Connections of one address at a time.
    pub connections_per_address_max: usize,
    /// A request's head has come by then, in seconds.
    pub header_timeout_s: u64,
    /// A connection may be idle for so long, in seconds.
    pub idle_timeout_s: u64,
    /// A body may be waited for so long, in seconds: in all, or for an import each time for
    /// `bytes_per_second_min` of it.
    pub body_timeout_s: u64,
    /// A client may leave an answer unread for so long, in seconds.
    pub write_timeout_s: u64,
    /// Who sends or takes less is cut off, in bytes a second.
    pub bytes_per_second_min: u64,
    /// Requests of one token, a second,
    pub principal_requests_per_second_max: u32,
    /// and so many at once after a pause.
    pub principal_requests_burst_max: u32,
    /// Tokens, codes and cookies from one address that are refused, a minute.
    pub failed_sign_ins_per_minute_max: u32,
    /// Requests that take longer are logged, in milliseconds.
    pub slow_operation_ms: u64,
    /// A search by meaning has so long for everything beyond its words, in milliseconds.
    pub vector_budget_ms: u64,
    /// What was recorded and is cited by nothing any more is kept so long, in days.
    pub log_keep_days: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            data_dir: PathBuf::from("intelgraph-data"),
            listen: LISTEN.parse().expect("a socket address"),
            insecure_http: false,
            tls_certificate: None,
            tls_key: None,
            log: "info".to_owned(),
            public_url: None,
            dev: false,
            oidc: None,
            model: None,
            embedder_url: None,
            embedder_model: None,
            embedder_dimension: 0,
            embedder_key_file: None,
            embedder_classification_max: Classification::Public.to_string(),
            embedder_insecure_http: false,
            vectors_window: "02:00-04:00".to_owned(),
            memory_bytes_max: 512 << 20,
            checked_bytes_max: storage::CHECKED_BYTES_MAX,
            body_bytes_max: 1 << 20,
            connections_max: 4096,
            connections_per_address_max: 1024,
            header_timeout_s: 10,
            idle_timeout_s: 60,
            body_timeout_s: 30,
            write_timeout_s: 30,
            bytes_per_second_min: 100,
            principal_requests_per_second_max: 10_000,
            principal_requests_burst_max: 20_000,
            failed_sign_ins_per_minute_max: 60,
            slow_operation_ms: 1000,
            vector_budget_ms: 150,
            log_keep_days: 7,
        }
    }
}

/// Flags that override the other two.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<SocketAddr>,
    /// `--insecure-http`.
    pub insecure_http: bool,
    /// `--tls-certificate`.
    pub tls_certificate: Option<PathBuf>,
    /// `--tls-key`.
    pub tls_key: Option<PathBuf>,
    /// `--dev`.
    pub dev: bool,
    /// `--embedder-url`.
    pub embedder_url: Option<String>,
    /// `--embedder-model`.
    pub embedder_model: Option<String>,
    /// `--embedder-dimension`.
    pub embedder_dimension: Option<usize>,
    /// `--embedder-key-file`.
    pub embedder_key_file: Option<PathBuf>,
}

impl Config {
    /// Reads the file, if one is named, then the variables, then the flags.
    ///
    /// # Errors
    /// If the file cannot be read, a key is unknown, a value is not of its kind, or the node would
    /// listen beyond this machine without TLS and without having been told to.
    pub fn load(flags: Flags, variables: impl Iterator<Item = (String, String)>) -> Result<Config> {
        let mut table = match &flags.file {
            Some(path) => read_file(path)?,
            None => toml::Table::new(),
        };
        let kinds = toml::Table::try_from(Config::default()).context("settings")?;
        for (key, text) in variables.filter_map(setting) {
            origins::check(&key, &format!("variable {PREFIX}{}", key.to_ascii_uppercase()))?;
            let value = value(&text, kinds.get(&key));
            table.insert(key, value);
        }
        let mut config: Config = table.try_into().context("settings")?;
        config.data_dir = flags.data_dir.unwrap_or(config.data_dir);
        config.listen = flags.listen.unwrap_or(config.listen);
        config.insecure_http |= flags.insecure_http;
        config.tls_certificate = flags.tls_certificate.or(config.tls_certificate);
        config.tls_key = flags.tls_key.or(config.tls_key);
        config.dev |= flags.dev;
        config.embedder_url = flags.embedder_url.or(config.embedder_url);
        config.embedder_model = flags.embedder_model.or(config.embedder_model);
        config.embedder_dimension = flags.embedder_dimension.unwrap_or(config.embedder_dimension);
        config.embedder_key_file = flags.embedder_key_file.or(config.embedder_key_file);
        if let Some(url) = &config.public_url {
            config.public_url = Some(origin(url)?);
        }
        config.check()?;
        config.issuer()?;
        config.vectors_window()?;
        Embedder::new(&config)?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        ensure!(
            self.listen.ip().is_loopback() || self.insecure_http || self.tls_certificate.is_some(),
            "listen address `{}` is reachable from other machines and there is no TLS; \
             give --tls-certificate and --tls-key, listen on 127.0.0.1, or say --insecure-http",
            self.listen
        );
        ensure!(
            self.listen.ip().is_loopback() || !self.dev,
            "listen address `{}` is reachable from other machines, and --dev is for this one; \
             leave it out, or listen on 127.0.0.1",
            self.listen
        );
        ensure!(
            self.memory_bytes_max >= MEMORY_BYTES_MIN,
            "setting `memory_bytes_max` is {}; a node needs {MEMORY_BYTES_MIN}",
            self.memory_bytes_max
        );
        ensure!(
            (1..=VECTOR_BUDGET_MS_MAX).contains(&self.vector_budget_ms),
            "setting `vector_budget_ms` is {}; from 1 to {VECTOR_BUDGET_MS_MAX}, so that a search is answered in time",
            self.vector_budget_ms
        );
        let counts = [
            ("connections_max", self.connections_max as u64),
            ("connections_per_address_max", self.connections_per_address_max as u64),
            ("header_timeout_s", self.header_timeout_s),
            ("idle_timeout_s", self.idle_timeout_s),
            ("body_timeout_s", self.body_timeout_s),
            ("write_timeout_s", self.write_timeout_s),
            ("principal_requests_per_second_max", self.principal_requests_per_second_max.into()),
            ("principal_requests_burst_max", self.principal_requests_burst_max.into()),
            ("failed_sign_ins_per_minute_max", self.failed_sign_ins_per_minute_max.into()),
        ];
        for (name, count) in counts {
            ensure!(count > 0, "setting `{name}` is 0; nobody would get in");
        }
        Ok(())
    }

    /// When vector segments are built.
    ///
    /// # Errors
    /// If the setting is no time of the day.
    pub fn vectors_window(&self) -> Result<Window> {
        self.vectors_window.parse().context("setting `vectors_window`")
    }

    /// The outside issuer, if there is one.
    ///
    /// # Errors
    /// If a setting of it is wrong, or a file of it cannot be read.
    pub fn issuer(&self) -> Result<Option<Issuer>> {
        self.oidc.as_ref().map(Issuer::new).transpose()
    }

    /// How its memory is shared out.
    #[must_use]
    pub fn memory(&self) -> Memory {
        Memory::of(self.memory_bytes_max)
    }

    /// How browsers reach the node. An address that means every interface is none that anybody could go to.
    #[must_use]
    pub fn url(&self) -> String {
        let mut address = self.listen;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        let scheme = if self.tls_certificate.is_some() { "https" } else { "http" };
        self.public_url.clone().unwrap_or_else(|| format!("{scheme}://{address}"))
    }
}

/// The scheme, host and port of an address that has nothing more.
fn origin(url: &str) -> Result<String> {
    let wrong = || format!("public_url `{url}`: such as https://graph.example.org, without a path");
    let parsed = reqwest::Url::parse(url).with_context(wrong)?;
    let bare = parsed.path() == "/" && parsed.query().is_none() && parsed.fragment().is_none();
    let bare = bare && parsed.username().is_empty() && parsed.password().is_none();
    ensure!(bare && matches!(parsed.scheme(), "http" | "https"), wrong());
    Ok(parsed.origin().ascii_serialization())
}

fn read_file(path: &Path) -> Result<toml::Table> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("settings file `{}`", path.display()))?;
    let table: toml::Table = text.parse().with_context(|| format!("settings file `{}`", path.display()))?;
    for name in table.keys() {
        let line = origins::line_of(&text, name).unwrap_or_default();
        origins::check(name, &format!("line {line} of `{}`", path.display()))?;
    }
    Ok(table)
}

fn setting((name, text): (String, String)) -> Option<(String, String)> {
    let key = name.strip_prefix(PREFIX)?.to_ascii_lowercase();
    // Variables of tests and tools of this project have a word of their own in front.
    let foreign = NOT_SETTINGS.contains(&key.as_str())
        || key.starts_with("test_")
        || key.starts_with("sim_")
        || key.starts_with("judges_");
    (!foreign).then_some((key, text))
}

/// A variable's text as a value of the kind that its setting has; what is not of that kind stays text,
/// and is refused as such.
fn value(text: &str, like: Option<&toml::Value>) -> toml::Value {
    let parsed = match like {
        Some(toml::Value::Integer(_)) => text.parse::<i64>().ok().map(Into::into),
        Some(toml::Value::Boolean(_)) => text.parse::<bool>().ok().map(Into::into),
        _ => None,
    };
    parsed.unwrap_or_else(|| text.into())
}

#[cfg(test)]
mod tests;
